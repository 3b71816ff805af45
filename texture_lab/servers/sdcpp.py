# SPDX-License-Identifier: GPL-3.0-or-later
"""Images made by stable-diffusion.cpp's server, as works of their own that are asked after."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping
from functools import partial
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote

from ...jobs.errors import StagewrightError
from ...jobs.events import Job, Message, Progress, Waiting
from ...jobs.threads import in_thread
from ..image_order import ImageOrder, MadeImage, picture_bytes, read_made
from .http import Answer, Server
from .sdapi import KIND, decoded, encoded, refuse_workflow, refused

NAME = "stable-diffusion.cpp"

_POLL = 0.3
_CANCEL = 2.0
_JOBS = "/sdcpp/v1/jobs"


def capabilities(server: Server) -> Mapping[str, Any]:
    """What the server can do, if it is stable-diffusion.cpp's with works of their own; else {}.

    Raises:
        StagewrightError: it cannot be reached.
    """
    answer = server.ask("GET", "/sdcpp/v1/capabilities")
    if answer.status != 200 or answer.data[:1] != b"{":
        return {}
    value = answer.object()
    return value if isinstance(value.get("model"), dict) else {}


def make_image(server: Server, order: ImageOrder, able: Mapping[str, Any]) -> Job[MadeImage]:
    """Let the server make an image.

    Cancelled, the work is taken from the server's queue. The server cannot stop one that it has
    begun; it is told before.

    Args:
        server: see :func:`.sdapi.sdapi_at`.
        order: what to make.
        able: see :func:`capabilities`.

    Raises:
        StagewrightError: what the server is at fault for, or refuses.
    """
    refuse_workflow(order)
    loaded = str(able["model"].get("stem") or able["model"].get("name") or "")
    if order.model and order.model.casefold() not in _names(able["model"]):
        raise StagewrightError(
            "missing-model",
            f"{NAME} has loaded {loaded}, not “{order.model}”.",
            "Start it with that model, or leave the model out.",
        )
    if not _features(able).get("cancel_generating"):
        yield Message(f"{NAME} cannot stop an image that it has begun; cancelling leaves it to it.")
    body = _body(order, able)
    answer = server.ask("POST", "/sdcpp/v1/img_gen", body)
    if answer.status == 429:
        raise StagewrightError(
            "server-busy",
            f"The queue of {NAME} at {server.url} is full.",
            "Wait until it has made some of its images.",
        )
    if answer.status not in (200, 202):
        raise refused(answer)
    name = answer.object().get("id")
    if not isinstance(name, str):
        raise answer.strange()
    path = f"{_JOBS}/{quote(name)}"
    try:
        done = yield from _followed(server, path)
    except BaseException:
        with contextlib.suppress(StagewrightError):
            server.ask("POST", f"{path}/cancel", {}, patience=_CANCEL)
        raise
    result = done.object().get("result")
    images = result.get("images") if isinstance(result, dict) else None
    if not isinstance(images, list) or not images or not isinstance(images[0], dict):
        raise done.strange()
    image = read_made(decoded(images[0].get("b64_json"), done), NAME)
    return MadeImage(image, False, loaded)


def _followed(server: Server, path: str) -> Job[Answer]:
    """Ask after a work until it has ended; the answer that says so."""
    asked = 0.0
    while True:
        if time.monotonic() - asked < _POLL:
            yield Waiting()
            continue
        try:
            answer = yield from in_thread(partial(server.ask, "GET", path))
        except StagewrightError as error:
            if error.code != "server-unreachable":
                raise
            raise StagewrightError(
                "server-gone",
                f"{NAME} at {server.url} ended while it made the image.",
                "See its log, start it again, and repeat the work.",
            ) from None
        asked = time.monotonic()
        if answer.status in (404, 410):
            raise StagewrightError(
                "job-lost",
                f"{NAME} at {server.url} knows nothing of the work any more.",
                "Repeat the work.",
            )
        if answer.status != 200:
            raise refused(answer)
        value = answer.object()
        status = value.get("status")
        if status == "completed":
            return answer
        if status == "cancelled":
            raise StagewrightError(
                "interrupted",
                f"Somebody stopped the work in {NAME} at {server.url}.",
                "Repeat the work.",
            )
        if status not in ("queued", "generating"):
            raise refused(answer)
        place = value.get("queue_position")
        waits = f"Waiting in the queue of {NAME}, place {place}" if status == "queued" else ""
        yield Progress("sdcpp.run", None, waits or f"{NAME} makes the image")


def _body(order: ImageOrder, able: Mapping[str, Any]) -> dict[str, Any]:
    """The order as the server's own API takes it; the rest is as it was started."""
    body: dict[str, Any] = {
        "prompt": order.prompt,
        "negative_prompt": order.negative,
        "width": order.width,
        "height": order.height,
        "seed": order.seed,
        "batch_count": 1,
        "output_format": "png",
        "sample_params": {
            "sample_steps": order.steps,
            "guidance": {_guidance(able): order.guidance},
        },
        "lora": [{"path": _lora(n, able), "multiplier": w} for n, w in order.loras],
    }
    if order.image is not None:
        body |= {"init_image": encoded(picture_bytes(order.image)), "strength": order.strength}
    if order.mask is not None:
        body["mask_image"] = encoded(picture_bytes(order.mask))
    return body


def _guidance(able: Mapping[str, Any]) -> str:
    """Models that were distilled, as Flux, are started with a text guidance of 1, and keep it."""
    try:
        text = able["defaults"]["sample_params"]["guidance"]["txt_cfg"]
    except (KeyError, TypeError):
        return "txt_cfg"
    return "distilled_guidance" if text == 1 else "txt_cfg"


def _lora(name: str, able: Mapping[str, Any]) -> str:
    loras = able.get("loras")
    paths = [str(e["path"]) for e in loras or [] if isinstance(e, dict) and "path" in e]
    for path in paths:
        if name.casefold() in (path.casefold(), PurePosixPath(path).stem.casefold()):
            return path
    some = f"it has {', '.join(paths[:8])}" if paths else "it has none"
    raise StagewrightError(
        "missing-model",
        f"{NAME} has no LoRA called “{name}”; {some}.",
        "Put it into the folder that it was started with (--lora-model-dir).",
    )


def _names(model: Mapping[str, Any]) -> set[str]:
    return {str(model[key]).casefold() for key in ("name", "stem") if model.get(key)}


def _features(able: Mapping[str, Any]) -> Mapping[str, Any]:
    features = able.get("features")
    return features if isinstance(features, dict) else {}


def check(able: Mapping[str, Any]) -> Mapping[str, Any]:
    """What the server has; see :func:`.comfyui.check`."""
    model = str(able["model"].get("name") or "")
    missing = [] if model else ["No model: start it with --model FILE.safetensors"]
    if not _features(able).get("cancel_generating"):
        missing.append("Stopping: this version cannot stop an image that it has begun")
    found = [f"{NAME}, as {KIND}", *([f"Model: {model}"] if model else [])]
    return {"found": found, "missing": missing, "models": [model] if model else []}
