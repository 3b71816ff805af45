# SPDX-License-Identifier: GPL-3.0-or-later
"""The Python with torch and diffusers that ``test --all`` tests the worker of local models in."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from .environment import ROOT, Environment, Version, digest, find_uv, must, say

TORCH = "STAGEWRIGHT_TORCH"
PYTHON = "STAGEWRIGHT_DIFFUSERS"

_PINS = ROOT / "requirements" / "diffusers.txt"


def prepare_models(pythons: Mapping[Version, str]) -> str:
    """Make ``.venv-diffusers`` hold what is pinned, and torch; returns why it does not, or "".

    Torch is not pinned: each kind of device has its own build. ``STAGEWRIGHT_TORCH`` names one.
    A Python that ``STAGEWRIGHT_DIFFUSERS`` names is used as it is.
    """
    if os.environ.get(PYTHON):
        return ""
    torch = os.environ.get(TORCH, "")
    if not torch:
        return f"local models: {TORCH} names no torch for this machine, a wheel or a requirement"
    # A wheel is made for one Python.
    version = next((v for v in pythons if "-cp{}{}-".format(*v) in torch), next(iter(pythons)))
    environment = Environment("diffusers", version, pythons[version])
    python = environment.program("python")
    stamp = environment.folder / "stagewright.stamp"
    wanted = digest([_PINS], [torch, environment.interpreter])
    if not (stamp.is_file() and stamp.read_text() == wanted):
        uv = find_uv(environment.interpreter)
        say(f"Setting up {environment.folder.name} …")
        must(
            [uv, "venv", "--quiet", "--clear", "--no-project", "--python", environment.interpreter]
            + [str(environment.folder)]
        )
        must([uv, "pip", "sync", "--quiet", "--require-hashes", "--python", python, str(_PINS)])
        must([uv, "pip", "install", "--quiet", "--python", python, torch])
        stamp.write_text(wanted)
    os.environ[PYTHON] = str(Path(python))
    return ""
