# SPDX-License-Identifier: GPL-3.0-or-later
"""Words for a material from a rough idea or a picture, by a chat server of OpenAI's protocol.

FastChat, llama.cpp, Ollama and others speak it. What such a model says is a suggestion only: it is
taken if the lab's own grammar understands it.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from ...jobs.errors import StagewrightError
from ...jobs.events import Job, Progress
from ...jobs.text_files import parse_json
from ...jobs.threads import in_thread
from ..families import FAMILIES
from ..grammar import COLORS, MODIFIERS, understand
from ..image_order import picture_bytes
from ..images import read_image
from ..request import MAX_PROMPT
from .http import Answer, Server, said, server_at

KIND = "The chat server"

_TRIES = 2
_SEEN = 512
"""Pixels of the longer side of a picture that is sent."""
_MAX_WORDS = 400


@dataclass(frozen=True)
class Suggestion:
    """Words that the lab understands.

    Args:
        prompt: the words.
        family: the material that they name.
        model: who said them.
    """

    prompt: str
    family: str
    model: str


def chat_at(address: str, key: str = "") -> Server:
    """The chat server at an address, with or without ``/v1``; raises ``bad-url``."""
    cure = (
        "Check the address and the port: Ollama's own is http://127.0.0.1:11434, llama.cpp's "
        "http://127.0.0.1:8080, FastChat's http://127.0.0.1:8000."
    )
    server = server_at(KIND, address, key, cure)
    plain = server.url.removesuffix("/v1")
    return Server(KIND, plain, key, cure)


def suggest(
    server: Server, idea: str, picture: Path | None = None, model: str = ""
) -> Job[Suggestion]:
    """Ask for words.

    An answer that names no material is told so, once.

    Args:
        server: see :func:`chat_at`.
        idea: what the artist has in mind; may be empty with a picture.
        picture: an image of the material; the model must be one that sees.
        model: its name there; "" for the first.

    Raises:
        StagewrightError: ``no-idea``; ``no-material``: it named none; what the server is at
            fault for, or refuses.
    """
    if not idea.strip() and picture is None:
        raise StagewrightError(
            "no-idea", "There is neither an idea nor a picture.", "Say a few words, or give one."
        )
    yield Progress("chat.models", 0.0, f"Asking {server.url} for its models")
    chosen = yield from in_thread(partial(_chosen, server, model))
    talk = [{"role": "system", "content": instructions()}, _question(idea, picture)]
    text, error = "", None
    for number in range(_TRIES):
        yield Progress("chat.ask", 0.1 + 0.45 * number, f"{chosen} thinks of a material")
        text = yield from in_thread(partial(_said, server, chosen, talk, picture is not None))
        prompt = words_of(text)
        try:
            if prompt:
                return Suggestion(prompt, understand(prompt).family.name, chosen)
        except StagewrightError as refusal:
            error = refusal
        why = error.message if error else "That was no JSON with a prompt."
        talk = [*talk, {"role": "assistant", "content": text[:_MAX_WORDS]}]
        talk.append({"role": "user", "content": f"{why} Name one of the materials of the list."})
    raise StagewrightError(
        "no-material",
        f"{chosen} named no material that can be made; it said “{' '.join(text.split())[:120]}”.",
        "Say it in other words, or choose a larger model.",
    )


def instructions() -> str:
    """What the model is told first: all that the grammar knows."""
    materials = "; ".join(
        f"{name.replace('_', ' ')} ({', '.join(family.words[:4])})"
        for name, family in FAMILIES.items()
    )
    states = "; ".join(f"{name} ({', '.join(words[:3])})" for name, words in MODIFIERS.items())
    return (
        "You name materials for a program that draws seamless textures. Answer with one line of "
        'JSON and nothing else: {"prompt": "..."}. The prompt is at most twelve English words: '
        "exactly one material of the list, at its end, before it what it is like. Name no objects, "
        f"places or moods.\nMaterials: {materials}.\nStates: {states}.\n"
        f"Colours: {', '.join(COLORS)}.\nSizes: large, small. Counts: 4 rows, 12 columns.\n"
        'Example: "an old farmhouse floor" gives {"prompt": "worn brown oak planks"}'
    )


def words_of(text: str) -> str:
    """The prompt in what a model said: its JSON, or else its last line."""
    spoken = re.sub(r"<think>.*?(</think>|$)", "", text, flags=re.DOTALL)
    for found in re.findall(r"\{[^{}]*\}", spoken):
        try:
            prompt = parse_json(found)["prompt"]
        except (ValueError, KeyError, TypeError):
            continue
        if isinstance(prompt, str):
            return " ".join(prompt.split())[:MAX_PROMPT]
    lines = [line.strip(" \t\"'`*.") for line in spoken.splitlines()]
    plain = next((line for line in reversed(lines) if line), "")
    return plain if len(plain.split()) <= 15 and "{" not in plain else ""


def _question(idea: str, picture: Path | None) -> dict[str, Any]:
    words = idea.strip()[:MAX_PROMPT] or "What material is this?"
    if picture is None:
        return {"role": "user", "content": words}
    image = read_image(picture)
    every = -(-max(image.shape[:2]) // _SEEN)
    data = base64.b64encode(picture_bytes(image[::every, ::every])).decode()
    shown = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{data}"}}
    return {"role": "user", "content": [{"type": "text", "text": words}, shown]}


def _chosen(server: Server, wanted: str) -> str:
    """The model that is wanted, or the first."""
    names = _models(server)
    if wanted and wanted not in names or not names:
        some = f"it has {', '.join(names[:8])}" if names else "it has none"
        raise StagewrightError(
            "missing-model",
            f"{KIND} at {server.url} has no model {wanted}; {some}.".replace(" ;", ";"),
            "Load one there (ollama pull NAME, llama-server -m FILE), or choose one that it has.",
        )
    return wanted or names[0]


def _models(server: Server) -> list[str]:
    answer = server.ask("GET", "/v1/models")
    data = answer.object().get("data") if answer.status == 200 else None
    if not isinstance(data, list):
        raise answer.strange()
    return [str(entry["id"]) for entry in data if isinstance(entry, dict) and "id" in entry]


def _said(server: Server, model: str, talk: list[dict[str, Any]], sees: bool) -> str:
    """What the model says next."""
    body = {
        "model": model,
        "messages": talk,
        "temperature": 0,
        "seed": 0,
        "max_tokens": 2000,
        "stream": False,
    }
    answer = server.ask("POST", "/v1/chat/completions", body, patience=None)
    if answer.status != 200:
        raise _refused(answer, model, sees)
    try:
        text = answer.object()["choices"][0]["message"]["content"]
    except (KeyError, IndexError, TypeError):
        raise answer.strange() from None
    return text if isinstance(text, str) else ""


def _refused(answer: Answer, model: str, sees: bool) -> StagewrightError:
    told = said(answer.object()).rstrip(".") or f"status {answer.status}"
    return StagewrightError(
        "server-refused",
        f"{model} does not answer: {told}.",
        "Choose a model that sees pictures." if sees else "See the log of the chat server.",
    )


def check(server: Server) -> Job[Mapping[str, Any]]:
    """What a chat server has; see :func:`.comfyui.check`."""
    yield Progress("chat.check", 0.0, f"Asking {server.url} for its models")
    models = yield from in_thread(partial(_models, server))
    lacks = "No model: load one there (ollama pull NAME, llama-server -m FILE)"
    return {
        "found": [f"Models: {', '.join(models[:8])}"] if models else [],
        "missing": [] if models else [lacks],
        "models": models,
    }
