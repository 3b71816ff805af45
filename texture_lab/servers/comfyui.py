# SPDX-License-Identifier: GPL-3.0-or-later
"""Images made by a ComfyUI: one workflow, followed over its WebSocket, and nobody else's touched.

Servers of other versions are borne with: unknown messages are passed over, and what a message
would have told is asked for by HTTP when none comes.
"""

from __future__ import annotations

import contextlib
import math
import struct
import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode
from uuid import uuid4

import numpy as np

from ...jobs.errors import StagewrightError
from ...jobs.events import Job, Message, Preview, Progress, Waiting
from ...jobs.text_files import parse_json
from ...jobs.threads import in_thread
from ..image_order import ImageOrder, MadeImage, picture_bytes, read_made
from ..picture import write_picture
from .comfy_errors import failed, no_image, node_title, refused
from .comfy_graphs import Plan, Workflow, options, plan
from .http import Answer, Server, multipart, server_at
from .websocket import WebSocket, connect

KIND = "ComfyUI"

_QUIET = 5.0
"""Seconds without a message after which the server is asked how the work stands."""
_POLL = 0.5
"""Seconds between such questions when there is no WebSocket."""
_CANCEL = 2.0
"""Seconds that the server has to hear of a cancelling."""


def comfyui_at(address: str, key: str = "") -> Server:
    """The ComfyUI at an address; raises StagewrightError ``bad-url``."""
    cure = "Check the address and the port: ComfyUI's own is http://127.0.0.1:8188."
    return server_at(KIND, address, key, cure)


def make_image(server: Server, order: ImageOrder, preview: Path | None = None) -> Job[MadeImage]:
    """Let a ComfyUI make an image.

    Cancelled, the job takes its own work from the server's queue or interrupts it, and nothing
    else that the server does.

    Args:
        server: see :func:`comfyui_at`.
        order: what to make.
        preview: file for pictures of what is being made, each told by a ``Preview``.

    Raises:
        StagewrightError: what the server or the workflow is at fault for, naming the node.
    """
    yield Progress("comfyui.ask", 0.0, f"Asking {server.url} what it has")
    info = yield from in_thread(lambda: server.get("/object_info"))
    if not isinstance(info, dict) or "SaveImage" not in info:
        raise Answer(200, b"", server).strange()
    uploads = {}
    for name, picture in (("image", order.image), ("mask", order.mask)):
        if picture is not None:
            data = picture_bytes(picture)
            uploads[name] = yield from in_thread(partial(_upload, server, data))
    ready = plan(order, info, uploads)
    client, own = uuid4().hex, str(uuid4())
    socket = connect(server, f"/ws?clientId={client}")
    with contextlib.closing(socket):
        work = _Work(server, ready.workflow, own, preview)
        try:
            work.submit(client)
            entry = yield from work.follow(socket)
        except BaseException:
            # Cancelled or failed: nobody waits for it any more.
            work.withdraw()
            raise
    return (yield from _fetched(server, entry, ready))


class _Work:
    """A workflow on the server, from its submission to its end."""

    def __init__(self, server: Server, workflow: Workflow, name: str, preview: Path | None) -> None:
        self.server = server
        self.workflow = workflow
        self.name = name
        self.preview = preview
        self.parts: dict[str, float] = {}
        self.running = False
        self.at = ""

    def submit(self, client: str) -> None:
        """Queue it under a name of our own; an older server gives it another."""
        order = {"prompt": self.workflow, "client_id": client, "prompt_id": self.name}
        answer = self.server.ask("POST", "/prompt", order)
        if answer.status == 400:
            raise refused(answer.object(), self.workflow)
        if answer.status != 200 or not isinstance(answer.object().get("prompt_id"), str):
            raise answer.strange()
        self.name = answer.object()["prompt_id"]

    def follow(self, socket: WebSocket) -> Job[dict[str, Any]]:
        """Tell of the work until it has ended; its entry in the server's history."""
        listening, heard, told = True, time.monotonic(), ""
        yield Progress("comfyui.queue", None, "Waiting for ComfyUI's turn")
        while True:
            ended = False
            try:
                message = socket.receive() if listening else None
            except StagewrightError as error:
                # The work may go on without it; if the server is gone, asking it says so.
                listening, message, told = False, None, error.message
                ended = True
            if isinstance(message, bytes):
                heard = time.monotonic()
                yield from self._show(message)
            elif message is not None:
                heard = time.monotonic()
                ended = yield from self._hear(message)
            elif time.monotonic() - heard > (_QUIET if listening else _POLL):
                heard, ended = time.monotonic(), True
            elif not ended:
                yield Waiting()
            if ended:
                try:
                    entry = yield from self._entry()
                except StagewrightError as error:
                    if error.code in ("server-unreachable", "server-gone"):
                        raise self._died() from None
                    raise
                if entry is not None:
                    return entry
                if told:
                    yield Message(f"{told} The work is followed without it.", "warning")
                    told = ""
                yield Waiting()  # the questions may have been answered without one

    def _died(self) -> StagewrightError:
        where = node_title(self.at, self.workflow) if self.at else "the workflow"
        return StagewrightError(
            "server-gone",
            f"ComfyUI at {self.server.url} ended while it was at {where}.",
            "See its log, start it again, and repeat the work.",
        )

    def _hear(self, text: str) -> Job[bool]:
        """Tell what a message says; whether it says that the work has ended."""
        try:
            message = parse_json(text)
            kind, data = message["type"], message["data"]
        except (ValueError, KeyError, TypeError):
            return False  # Not of the protocol as it is known today.
        if not isinstance(data, dict) or data.get("prompt_id", self.name) != self.name:
            return False
        if kind == "execution_error":
            raise failed(data, self.workflow)
        if kind == "execution_interrupted":
            raise _interrupted(self.server)
        before = self._done()
        if kind == "execution_start":
            self.running = True
        elif kind == "execution_cached" and isinstance(data.get("nodes"), list):
            self.parts.update({str(node): 1.0 for node in data["nodes"]})
        elif kind == "executed" and "node" in data:
            self.parts[str(data["node"])] = 1.0
        elif kind == "executing" and data.get("node") is not None and "prompt_id" in data:
            self._begin(str(data["node"]))
        elif kind == "progress" and self.running:
            self._advance(str(data.get("node") or self.at), data)
        elif kind == "progress_state" and isinstance(data.get("nodes"), dict):
            for node, state in data["nodes"].items():
                if isinstance(state, dict):
                    self._advance(str(node), state)
        if self._done() != before or kind == "executing":
            where = node_title(self.at, self.workflow) if self.at else "the workflow"
            yield Progress("comfyui.run", self._done(), f"ComfyUI is at {where}")
        over = kind == "executing" and data.get("node", "") is None and "prompt_id" in data
        return over or kind == "execution_success"

    def _begin(self, node: str) -> None:
        if self.at and self.at != node:
            self.parts[self.at] = 1.0
        self.running, self.at = True, node

    def _advance(self, node: str, state: Mapping[str, Any]) -> None:
        try:
            part = float(state["value"]) / float(state["max"])
        except (KeyError, TypeError, ValueError, ArithmeticError):
            return
        if node in self.workflow and math.isfinite(part):
            self.parts[node] = min(max(part, 0.0), 1.0)
            if state.get("state", "running") == "running":
                self.at = node

    def _done(self) -> float:
        return 0.95 * sum(self.parts.values()) / len(self.workflow)

    def _show(self, message: bytes) -> Job[None]:
        """Show a preview that came as bytes, if it can be read here."""
        picture = preview_of(message)
        if self.preview is None or picture is None:
            return
        try:
            image = read_made(picture, KIND)
        except StagewrightError:
            return  # Only a preview: most are JPEGs, which need Blender's OpenImageIO.
        seen = np.ones((*image.shape[:2], 4), np.float32)
        seen[:, :, :3] = image
        write_picture(seen, self.preview)
        yield Preview(str(self.preview))

    def _entry(self) -> Job[dict[str, Any] | None]:
        """The work's entry in the server's history; None while it is not over.

        Raises:
            StagewrightError: ``job-lost``: the server knows nothing of it.
        """
        path = f"/history/{quote(self.name)}"
        history = yield from in_thread(lambda: self.server.get(path))
        if isinstance(history, dict) and isinstance(history.get(self.name), dict):
            return dict(history[self.name])
        queue = yield from in_thread(lambda: self.server.get("/queue"))
        if self.name in _names(queue, "queue_running") | _names(queue, "queue_pending"):
            return None
        # It may have ended between the two questions.
        history = yield from in_thread(lambda: self.server.get(path))
        if isinstance(history, dict) and isinstance(history.get(self.name), dict):
            return dict(history[self.name])
        raise StagewrightError(
            "job-lost",
            f"ComfyUI at {self.server.url} knows nothing of the work any more: it was started "
            "again, or its queue was cleared.",
            "Repeat the work.",
        )

    def withdraw(self) -> None:
        """Take the work from the queue, or interrupt it; no other."""
        with contextlib.suppress(StagewrightError):
            self.server.ask("POST", "/queue", {"delete": [self.name]}, patience=_CANCEL)
            # Older servers interrupt whatever runs: so it has to be ours.
            queue = self.server.get("/queue", patience=_CANCEL)
            if self.name in _names(queue, "queue_running"):
                order = {"prompt_id": self.name}
                self.server.ask("POST", "/interrupt", order, patience=_CANCEL)


def preview_of(message: bytes) -> bytes | None:
    """The picture in a binary message, or None.

    Messages begin with their kind: 1, then a format's number and the picture; 4, then the length
    of some JSON, the JSON and the picture.
    """
    if len(message) < 8:
        return None
    kind, number = struct.unpack_from(">II", message)
    if kind == 1:
        return message[8:]
    if kind == 4 and 8 + number <= len(message):
        return message[8 + number :]
    return None


def _fetched(server: Server, entry: Mapping[str, Any], ready: Plan) -> Job[MadeImage]:
    """The image of a work that has ended."""
    status = entry.get("status")
    told = status.get("messages") if isinstance(status, dict) else None
    for message in told if isinstance(told, list) else []:
        if isinstance(message, list) and len(message) == 2 and isinstance(message[1], dict):
            if message[0] == "execution_error":
                raise failed(message[1], ready.workflow)
            if message[0] == "execution_interrupted":
                raise _interrupted(server)
    outputs = entry.get("outputs")
    found = [
        image
        for output in (outputs.values() if isinstance(outputs, dict) else [])
        for image in (output.get("images") or [] if isinstance(output, dict) else [])
        if isinstance(image, dict) and isinstance(image.get("filename"), str)
    ]
    found.sort(key=lambda image: image.get("type") != "output")  # Before mere previews.
    if not found:
        raise no_image()
    if len(found) > 1:
        yield Message(f"The workflow made {len(found)} images; {found[0]['filename']} is taken.")
    yield Progress("comfyui.fetch", 0.96, f"Fetching {found[0]['filename']}")
    where = {name: str(found[0].get(name, "")) for name in ("filename", "subfolder", "type")}
    answer = yield from in_thread(lambda: server.ask("GET", f"/view?{urlencode(where)}"))
    if answer.status != 200:
        raise answer.strange()
    return MadeImage(read_made(answer.data, KIND), ready.repeats, ready.model)


def _upload(server: Server, data: bytes) -> str:
    """Give the server an image; its name there."""
    form = multipart("image", f"stagewright-{uuid4().hex[:12]}.png", data, overwrite="true")
    answer = server.ask("POST", "/upload/image", form=form)
    name = answer.object().get("name") if answer.status == 200 else None
    if not isinstance(name, str):
        raise answer.strange()
    folder = answer.object().get("subfolder")
    return f"{folder}/{name}" if folder else name


def _names(queue: Any, which: str) -> set[str]:
    """Names of the works in a part of the server's queue."""
    items = queue.get(which) if isinstance(queue, dict) else None
    return {i[1] for i in items or [] if isinstance(i, list) and len(i) > 1}


def _interrupted(server: Server) -> StagewrightError:
    return StagewrightError(
        "interrupted",
        f"Somebody stopped the work in ComfyUI at {server.url}.",
        "Repeat the work.",
    )


def check(server: Server) -> Job[Mapping[str, Any]]:
    """What a ComfyUI has, and what it lacks for making textures.

    Returns:
        ``found`` and ``missing``: sentences for people; ``models``: names.

    Raises:
        StagewrightError: it cannot be reached, or is none.
    """
    yield Progress("comfyui.check", 0.0, f"Asking {server.url} what it has")
    info = yield from in_thread(lambda: server.get("/object_info"))
    if not isinstance(info, dict) or "SaveImage" not in info:
        raise Answer(200, b"", server).strange()
    yield Progress("comfyui.check", 0.7, "Asking for its version")
    version = yield from in_thread(lambda: _version(server))
    socket = connect(server, f"/ws?clientId={uuid4().hex}")
    socket.close()
    models = options(info, "CheckpointLoaderSimple", "ckpt_name")
    models += options(info, "UNETLoader", "unet_name")
    found = [f"ComfyUI {version} with {len(info)} kinds of nodes".replace("  ", " ")]
    missing = []
    if models:
        found.append(f"Models: {', '.join(models[:8])}")
    else:
        missing.append(
            "No model: put a checkpoint, such as sd_xl_base_1.0.safetensors, into ComfyUI's "
            "folder models/checkpoints"
        )
    if "SeamlessTile" not in info:
        missing.append(
            "Nodes that make images repeat: install ComfyUI-seamless-tiling with ComfyUI Manager; "
            "without them, images are cut into tiles afterwards"
        )
    return {"found": found, "missing": missing, "models": models}


def _version(server: Server) -> str:
    """The version, or "" where it is not told."""
    answer = server.ask("GET", "/system_stats")
    try:
        return str(parse_json(answer.data)["system"]["comfyui_version"])
    except (ValueError, KeyError, TypeError):
        return ""
