# SPDX-License-Identifier: GPL-3.0-or-later
"""Images made by a server of SD-WebUI's API: AUTOMATIC1111's, Forge, stable-diffusion.cpp's.

Progress and interruption are the whole server's in that API, not a work's. So whether what the
server is at can be ours is watched, and nothing else is interrupted. stable-diffusion.cpp has works
of their own besides, which are used (:mod:`.sdcpp`).
"""

from __future__ import annotations

import base64
import contextlib
import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from ...jobs.errors import StagewrightError
from ...jobs.events import Job, Message, Preview, Progress, Waiting
from ...jobs.text_files import parse_json
from ...jobs.threads import in_thread
from ..image_order import ImageOrder, MadeImage, picture_bytes, read_made
from ..picture import write_picture
from ..tiling_metric import measure
from .http import Answer, Server, said, server_at

KIND = "SD-WebUI"

_POLL = 0.5
"""Seconds between questions for the progress."""
_PATIENCE = 10.0
_CANCEL = 2.0
_DEAF = 3
"""Questions without an answer, one after the other, after which the server counts as gone."""


def sdapi_at(address: str, key: str = "") -> Server:
    """The server at an address; raises StagewrightError ``bad-url``."""
    cure = (
        "Start the WebUI with --api, and check the address and the port: its own is "
        "http://127.0.0.1:7860, that of stable-diffusion.cpp http://127.0.0.1:1234."
    )
    return server_at(KIND, address, key, cure)


def make_image(server: Server, order: ImageOrder, preview: Path | None = None) -> Job[MadeImage]:
    """Let the server make an image.

    Cancelled, the job interrupts the server if what it is at is this work; else the server
    goes on, and the image is not taken.

    Args:
        server: see :func:`sdapi_at`.
        order: what to make.
        preview: file for pictures of what is being made, each told by a ``Preview``.

    Raises:
        StagewrightError: what the server is at fault for, or refuses.
    """
    yield Progress("sdapi.ask", 0.0, f"Asking {server.url} what it has")
    refuse_workflow(order)
    model = yield from in_thread(partial(_model, server, order.model))
    begun = yield from in_thread(partial(_progress, server))
    watch = _Watch(_state(begun))
    if watch.busy:
        yield Message(
            f"{KIND} at {server.url} is at other work. Its interruption is for all who use it: "
            "until it has come to ours, cancelling leaves it alone."
        )
    making = in_thread(lambda: server.ask("POST", _path(order), _body(order, model), patience=None))
    try:
        answer = yield from _followed(server, making, watch, preview)
    except BaseException:
        watch.interrupt(server)
        raise
    value = answer.object() if answer.status == 200 else None
    if value is None:
        raise refused(answer)
    images = value.get("images")
    if not isinstance(images, list) or not images:
        raise answer.strange()
    image = read_made(decoded(images[0], answer), KIND)
    repeats = order.repeats and min(image.shape[:2]) >= 64 and measure(image, image).is_seamless
    return MadeImage(image, repeats, _made_by(value) or model)


class _Watch:
    """Whether what the server is at can be ours, by when it was begun."""

    def __init__(self, state: Mapping[str, Any]) -> None:
        self._before = state.get("job_timestamp")
        self.busy = _is_busy(state)
        self.ours = False

    def see(self, state: Mapping[str, Any]) -> None:
        """Take over what the server says it is at."""
        changed = state.get("job_timestamp") != self._before
        self.ours = _is_busy(state) and (changed or not self.busy)

    def interrupt(self, server: Server) -> None:
        """Interrupt the server if it is at our work now."""
        with contextlib.suppress(StagewrightError):
            self.see(_state(_progress(server, patience=_CANCEL)))
            if self.ours:
                server.ask("POST", "/sdapi/v1/interrupt", {}, patience=_CANCEL)


def _followed(
    server: Server, making: Job[Answer], watch: _Watch, preview: Path | None
) -> Job[Answer]:
    """Tell of the server's progress until it answers.

    Raises:
        StagewrightError: ``server-gone``, ``server-silent``.
    """
    asked, deaf, question = time.monotonic(), 0, None
    with contextlib.closing(making):
        while True:
            try:
                next(making)
            except StopIteration as stop:
                answer: Answer = stop.value
                return answer
            except StagewrightError as error:
                raise _gone(server) if error.code == "server-unreachable" else error from None
            if question is None and time.monotonic() - asked > _POLL:
                question = in_thread(partial(_progress, server, patience=_PATIENCE))
            if question is None:
                yield Waiting()
                continue
            try:
                next(question)
                yield Waiting()
                continue
            except StopIteration as stop:
                deaf = 0
                yield from _told(stop.value, watch, preview)
            except StagewrightError as error:
                deaf += 1
                if deaf == _DEAF:
                    raise error from None
            asked, question = time.monotonic(), None


def _told(value: Mapping[str, Any], watch: _Watch, preview: Path | None) -> Job[None]:
    """Tell what a question for the progress was answered with."""
    watch.see(_state(value))
    if not watch.ours:
        if watch.busy:
            yield Progress("sdapi.wait", None, f"Waiting: {KIND} is at other work")
        return
    part = value.get("progress")
    state = _state(value)
    step, steps = state.get("sampling_step"), state.get("sampling_steps")
    where = f"step {step} of {steps}" if isinstance(step, int) and steps else "work"
    fraction = 0.95 * min(max(part, 0.0), 1.0) if isinstance(part, float) and part == part else None
    yield Progress("sdapi.run", fraction, f"{KIND} is at {where}")
    picture = value.get("current_image")
    if preview is None or not isinstance(picture, str):
        return
    with contextlib.suppress(StagewrightError, ValueError):  # Only a preview.
        image = read_made(base64.b64decode(picture.rpartition(",")[2]), KIND)
        seen = np.ones((*image.shape[:2], 4), np.float32)
        seen[:, :, :3] = image
        write_picture(seen, preview)
        yield Preview(str(preview))


def _path(order: ImageOrder) -> str:
    return f"/sdapi/v1/{'txt2img' if order.image is None else 'img2img'}"


def _body(order: ImageOrder, model: str) -> dict[str, Any]:
    """The order as A1111's ``modules/api/models.py`` takes it."""
    loras = "".join(f" <lora:{name}:{weight:g}>" for name, weight in order.loras)
    body: dict[str, Any] = {
        "prompt": order.prompt + loras,
        "negative_prompt": order.negative,
        "seed": order.seed,
        "steps": order.steps,
        "cfg_scale": order.guidance,
        "width": order.width,
        "height": order.height,
        "sampler_name": "Euler",
        "tiling": order.repeats,
        "batch_size": 1,
        "n_iter": 1,
    }
    if order.model:
        body["override_settings"] = {"sd_model_checkpoint": model}
    if order.image is not None:
        body["init_images"] = [encoded(picture_bytes(order.image))]
        body["denoising_strength"] = order.strength
    if order.mask is not None:
        # Unblurred, of the whole picture, and beginning with what is there.
        body |= {"mask": encoded(picture_bytes(order.mask)), "mask_blur": 0}
        body |= {"inpainting_fill": 1, "inpaint_full_res": False, "inpainting_mask_invert": 0}
    return body


def _model(server: Server, wanted: str) -> str:
    """The title of the model that is wanted, or of the one that is loaded."""
    models = _titles(server)
    if not wanted:
        loaded = server.get("/sdapi/v1/options")
        name = loaded.get("sd_model_checkpoint") if isinstance(loaded, dict) else None
        return str(name or "")
    plain = wanted.casefold()
    for title, names in models.items():
        if plain in names:
            return title
    some = f"it has {', '.join(list(models)[:8])}" if models else "it has none"
    raise StagewrightError(
        "missing-model",
        f"{KIND} has no model called “{wanted}”; {some}.",
        "Put it into the folder models/Stable-diffusion, or choose one that is there.",
    )


def _titles(server: Server) -> dict[str, set[str]]:
    """Titles of the models, and what each may be called."""
    answer = server.ask("GET", "/sdapi/v1/sd-models")
    models = answer.json() if answer.status == 200 else None
    if not isinstance(models, list):
        raise answer.strange()
    found = {}
    for model in models:
        if isinstance(model, dict) and isinstance(model.get("title"), str):
            names = {model["title"], model.get("model_name"), model["title"].rpartition(" [")[0]}
            names |= {str(name).rpartition(".")[0] for name in set(names)}
            found[model["title"]] = {str(name).casefold() for name in names if name}
    return found


def _progress(server: Server, patience: float = _PATIENCE) -> Mapping[str, Any]:
    """What the server is at; nothing where it cannot tell, as stable-diffusion.cpp's."""
    answer = server.ask("GET", "/sdapi/v1/progress?skip_current_image=false", patience=patience)
    return answer.object() if answer.status == 200 else {}


def _state(progress: Mapping[str, Any]) -> Mapping[str, Any]:
    state = progress.get("state")
    return state if isinstance(state, dict) else {}


def _is_busy(state: Mapping[str, Any]) -> bool:
    return bool(state.get("job_count") or state.get("job"))


def _made_by(value: Mapping[str, Any]) -> str:
    """The model that an answer's ``info``, JSON in a text, names."""
    try:
        info = parse_json(value["info"]) if isinstance(value["info"], str) else value["info"]
        return str(info["sd_model_name"])
    except (ValueError, KeyError, TypeError):
        return ""


def refuse_workflow(order: ImageOrder) -> None:
    """Refuse what only ComfyUI can do; raises StagewrightError ``bad-request``."""
    if order.workflow:
        raise StagewrightError(
            "bad-request", f"{KIND} takes no workflows.", "Leave it out, or choose ComfyUI."
        )


def refused(answer: Answer) -> StagewrightError:
    """The error of an answer that is one."""
    value = answer.object()
    told, server = said(value).rstrip("."), answer.server
    if "out of memory" in told.lower() or value.get("error") == "OutOfMemoryError":
        return StagewrightError(
            "out-of-memory",
            f"{KIND} at {server.url} ran out of the graphics card's memory.",
            "Choose a smaller size or model, or close what else uses the card.",
        )
    if answer.status == 404:
        return answer.strange()
    why = told or f"status {answer.status}"
    return StagewrightError(
        "server-refused", f"{KIND} at {server.url} does not make the image: {why}.", "See its log."
    )


def encoded(data: bytes) -> str:
    """Bytes as base64."""
    return base64.b64encode(data).decode()


def decoded(text: object, answer: Answer) -> bytes:
    """An image that an answer holds as base64, with or without ``data:…,`` before it.

    Raises:
        StagewrightError: ``not-the-server``.
    """
    try:
        return base64.b64decode(str(text).rpartition(",")[2], validate=True)
    except ValueError:
        raise answer.strange() from None


def _gone(server: Server) -> StagewrightError:
    return StagewrightError(
        "server-gone",
        f"{KIND} at {server.url} ended while it made the image.",
        "See its log, start it again, and repeat the work.",
    )


def check(server: Server) -> Job[Mapping[str, Any]]:
    """What a server of this API has; see :func:`.comfyui.check`.

    Raises:
        StagewrightError: it cannot be reached, or is something else.
    """
    yield Progress("sdapi.check", 0.0, f"Asking {server.url} what it has")
    models = list((yield from in_thread(partial(_titles, server))))
    missing = []
    if not models:
        missing.append(
            "No model: put a checkpoint, such as sd_xl_base_1.0.safetensors, into its folder "
            "models/Stable-diffusion"
        )
    can_tell = yield from in_thread(partial(_progress, server))
    if not can_tell:
        missing.append("Progress: this server does not tell how far it is, nor can it be stopped")
    return {
        "found": [f"Models: {', '.join(models[:8])}"] if models else [],
        "missing": missing,
        "models": models,
    }
