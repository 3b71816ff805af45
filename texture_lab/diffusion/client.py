# SPDX-License-Identifier: GPL-3.0-or-later
"""Images of local models: the worker, seen from here."""

from __future__ import annotations

import atexit
import os
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from ...jobs.errors import StagewrightError
from ...jobs.events import Job
from ...jobs.process import OTHER_PYTHON
from ...jobs.warm import Order, WarmChild
from ..image_order import ImageOrder, MadeImage
from ..tiling import SMALLEST
from ..tiling_metric import measure

WORKER = Path(__file__).with_name("worker.py")

_PATIENCE = 2.0
"""Seconds that a step may go on when its order is cancelled, before the worker is ended."""

# They keep the last model loaded, which takes far longer than an image.
_children: dict[str, WarmChild] = {}


def make_image(service: Mapping[str, str], order: ImageOrder) -> Job[MadeImage]:
    """Let a local model make an image.

    Cancelled, the worker stops after the step it is at, and keeps its model.

    Args:
        service: ``python``, the interpreter that has torch and diffusers; ``models``, the folder
            of the models; ``device``, such as ``cuda:1``, if it is not to be chosen.
        order: what to make.

    Raises:
        StagewrightError: ``bad-python``; what the worker refuses or fails at; ``child-died``.
    """
    if order.workflow:
        raise StagewrightError(
            "bad-request", "diffusers takes no workflows.", "Leave it out, or choose ComfyUI."
        )
    with tempfile.TemporaryDirectory(prefix="stagewright-") as folder:
        words = asdict(replace(order, image=None, mask=None))
        for name, picture in (("image", order.image), ("mask", order.mask)):
            words[name] = ""
            if picture is not None:
                words[name] = str(Path(folder) / f"{name}.npy")
                np.save(words[name], picture)
        output = Path(folder) / "made.npy"
        arguments = {
            "models": service["models"],
            "model": order.model,
            "output": str(output),
            "order": words,
            "device": service.get("device") or "auto",
        }
        value = yield from _worker(service["python"]).run(Order("image", arguments))
        image = np.load(output).astype(np.float32)
    repeats = bool(value["circular"])
    if order.repeats and not repeats and min(image.shape[:2]) >= SMALLEST:
        repeats = measure(image, image).is_seamless  # painted over; whether it helped shows
    return MadeImage(image, repeats, str(value["model"]))


def check(service: Mapping[str, str]) -> Job[Mapping[str, Any]]:
    """What the interpreter and the folder of models have; see :func:`..servers.comfyui.check`.

    Raises:
        StagewrightError: ``bad-python``; ``child-died``.
    """
    arguments = {"models": service["models"]}
    return (yield from _worker(service["python"]).run(Order("check", arguments)))


def close() -> None:
    """End all workers, and give the memory of their models back."""
    for child in _children.values():
        child.close()
    _children.clear()


def _worker(python: str) -> WarmChild:
    if not (Path(python).is_file() and os.access(python, os.X_OK)):
        raise StagewrightError(
            "bad-python",
            f"The Python for local models, {python}, is no program.",
            "Choose the interpreter that has torch and diffusers: …/venv/bin/python.",
        )
    if python not in _children:
        if not _children:
            atexit.register(close)
        folder = Path(tempfile.mkdtemp(prefix="stagewright-diffusers-"))
        program = (python, "-X", "utf8", str(WORKER))
        _children[python] = WarmChild(folder, _PATIENCE, program, OTHER_PYTHON)
    return _children[python]
