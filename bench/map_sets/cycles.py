# SPDX-License-Identifier: GPL-3.0-or-later
"""The independent set: Blender's shader nodes on displaced meshes, photographed by Cycles."""

from __future__ import annotations

import ast
import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from .sample import Sample, jpeg

HERE = Path(__file__).parent
CACHE = HERE.parents[1] / ".cache" / "map_sets"
SOURCES = ("cycles_scene.py", "cycles_materials.py", "cycles_nodes.py")
PYTHON = os.environ.get("STAGEWRIGHT_BENCH_BPY", sys.executable)
"""A Python that imports bpy."""
QUICK = ("rusted_steel", "glazed_tiles")


def samples(quick: bool) -> Iterator[Sample]:
    """Every material, by turns under sun, area light and environment; two if ``quick``.

    Rendered at first, then kept in ``.cache/map_sets`` until the scene's source changes.

    Raises:
        RuntimeError: Blender failed; the message ends with what it said.
    """
    for name in QUICK if quick else materials():
        yield read(rendered(name, 256, 32), name)


def materials() -> list[str]:
    """The materials' names, read without Blender."""
    tree = ast.parse((HERE / "cycles_materials.py").read_text(encoding="utf-8"))
    return [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]


def rendered(name: str, size: int, spp: int, cache: Path = CACHE) -> Path:
    """The file of a material's arrays, rendered now unless it is there.

    Args:
        name: the material.
        size: the image's sides in pixels, a multiple of 16.
        spp: samples per pixel of the photos.
        cache: where the files are kept.
    """
    source = hashlib.sha256()
    for part in SOURCES:
        source.update((HERE / part).read_bytes())
    folder = cache / f"cycles-{source.hexdigest()[:16]}-{size}-{spp}"
    path = folder / f"{name}.npz"
    if not path.exists():
        beside = folder / f"unfinished-{os.getpid()}"
        beside.mkdir(parents=True, exist_ok=True)
        module = f"{HERE.name}.cycles_scene"
        command = [PYTHON, "-m", module, str(beside), str(size), str(spp), name]
        paths = {**os.environ, "PYTHONPATH": str(HERE.parent)}
        child = subprocess.run(command, capture_output=True, text=True, env=paths)
        if child.returncode:
            said = (child.stderr.strip() or child.stdout.strip())[-2000:]
            raise RuntimeError(f"{name} was not rendered: {said}")
        os.replace(beside / path.name, path)
        beside.rmdir()
    return path


def read(path: Path, name: str) -> Sample:
    """The sample in a file of `rendered`."""
    with np.load(path) as file:
        arrays = dict(file)
    truth = ("basecolor", "normal", "roughness", "metallic", "ao", "height")
    return Sample(
        family=name,
        light=str(arrays["light"]),
        photo=jpeg(arrays["photo"], int(arrays["quality"])),
        highlight=bool(arrays["highlight"]),
        **{key: arrays[key] for key in truth},
    )
