# SPDX-License-Identifier: GPL-3.0-or-later
"""Sheets of all families for docs/: ``python scripts/contact_sheets.py FOLDER`` with ``bpy``.

``textures-rendered.jpg`` shows each as a ball seen from a metre away and as a plane seen from ten
centimetres, by Cycles, with the material that the add-on makes. ``textures-maps.jpg`` shows the
six maps, and ``textures-glow-holes.jpg`` what else those have that glow or have holes.
"""

from __future__ import annotations

import importlib.util
import math
import sys
import tempfile
from pathlib import Path
from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parents[1]
SIDE, MAP_SIDE = 128, 64
BESIDE, MAPS_BESIDE = 7, 4
"""Families in a row of each sheet."""

Picture = NDArray[np.float32]


def main(folder: Path) -> None:
    """Make the sheets."""
    _load_package()
    from stagewright.jobs.drive import drain
    from stagewright.texture_lab.families import FAMILIES
    from stagewright.texture_lab.make import make
    from stagewright.texture_lab.request import TextureRequest
    from stagewright.texture_lab.stored_set import read_set
    from stagewright.texture_lab.texture_set import OPTIONAL

    rendered, maps, others = [], [], []
    with tempfile.TemporaryDirectory() as scratch:
        for name, family in FAMILIES.items():
            request = TextureRequest(family.words[0], 1024, 7)
            made = drain(make(request, Path(scratch), name), lambda event: None)
            textures, about = read_set(Path(made["files"][-1]))
            maps.append(_maps(textures))
            views = [_render(kind, Path(made["files"][-1]), about) for kind in ("ball", "plane")]
            rendered.append(np.concatenate(views, 1))
            others += [
                np.concatenate([*views, _shrunk(textures.maps[name], SIDE)], 1)
                for name in OPTIONAL
                if name in textures.maps
            ]
            print(name, flush=True)
    _save(_sheet(rendered, BESIDE), folder / "textures-rendered.jpg")
    _save(_sheet(maps, MAPS_BESIDE), folder / "textures-maps.jpg")
    _save(_sheet(others, 2), folder / "textures-glow-holes.jpg")


def _maps(textures: Any) -> Picture:
    """The six maps side by side, each the mean of boxes of pixels; (MAP_SIDE, 6 MAP_SIDE, 3)."""
    shown = [
        textures.basecolor,
        textures.normal / 2 + 0.5,
        textures.roughness,
        textures.metallic,
        textures.height,
        textures.ao,
    ]
    return np.concatenate([_shrunk(each, MAP_SIDE) for each in shown], 1)


def _shrunk(values: Picture, side: int) -> Picture:
    """A quarter of a map, so that details are seen, each pixel the mean of a box; in colours."""
    box = len(values) // side // 2
    half = side * box
    boxes = values[:half, :half].reshape(side, box, side, box, -1).mean((1, 3))
    return np.repeat(boxes, 3, 2) if boxes.shape[2] == 1 else boxes


def _render(kind: str, sidecar: Path, about: Any) -> Picture:
    """One view, (SIDE, SIDE, 3), sRGB."""
    from stagewright.addon.textures.material import apply

    bpy.ops.wm.read_factory_settings(use_empty=True)
    if kind == "ball":
        bpy.ops.mesh.primitive_uv_sphere_add(segments=256, ring_count=128, radius=0.3)
        place, aim = (0.0, -1.0, 0.25), (0.0, 0.0, 0.0)
    else:
        bpy.ops.mesh.primitive_grid_add(x_subdivisions=300, y_subdivisions=300, size=0.4)
        place, aim = (0.0, -0.07, 0.07), (0.0, 0.005, 0.0)
    item = bpy.context.object
    bpy.ops.object.shade_smooth()
    if kind == "ball":  # A quarter of the way round, the seam is behind.
        item.rotation_euler.z = math.radians(100)
    bpy.context.view_layer.update()
    apply(item, sidecar, about, True)
    _light()
    camera = bpy.data.cameras.new("camera")
    camera.clip_start, camera.angle = 0.001, math.radians(38 if kind == "ball" else 50)
    seen_from = bpy.data.objects.new("camera", camera)
    bpy.context.collection.objects.link(seen_from)
    seen_from.location = place
    toward = item.location.copy()
    toward[:] = [a - b for a, b in zip(aim, place, strict=True)]
    seen_from.rotation_euler = toward.to_track_quat("-Z", "Y").to_euler()
    scene = bpy.context.scene
    scene.camera = seen_from
    scene.render.engine = "CYCLES"
    scene.cycles.samples, scene.cycles.use_denoising = 24, True
    scene.render.resolution_x = scene.render.resolution_y = SIDE
    scene.view_settings.view_transform = "Standard"
    with tempfile.TemporaryDirectory() as scratch:
        scene.render.filepath = f"{scratch}/view.png"
        bpy.ops.render.render(write_still=True)
        image = bpy.data.images.load(scene.render.filepath)
        pixels = np.empty(SIDE * SIDE * 4, np.float32)
        image.pixels.foreach_get(pixels)
    return pixels.reshape(SIDE, SIDE, 4)[::-1, :, :3]


def _light() -> None:
    """A soft lamp from the upper left, and a grey sky."""
    lamp = bpy.data.lights.new("lamp", "SUN")
    lamp.energy, lamp.angle = 3.0, math.radians(8)
    lit_from = bpy.data.objects.new("lamp", lamp)
    lit_from.rotation_euler = (math.radians(35), math.radians(-35), 0)
    bpy.context.collection.objects.link(lit_from)
    world = bpy.data.worlds.new("sky")
    if bpy.app.version < (5, 0):
        world.use_nodes = True
    world.node_tree.nodes["Background"].inputs["Color"].default_value = (0.6, 0.65, 0.7, 1)
    bpy.context.scene.world = world


def _sheet(cells: list[Picture], beside: int) -> Picture:
    blank = np.ones_like(cells[0])
    rows = [cells[at : at + beside] for at in range(0, len(cells), beside)]
    rows[-1] += [blank] * (beside - len(rows[-1]))
    return np.concatenate([np.concatenate(row, 1) for row in rows], 0)


def _save(sheet: Picture, path: Path) -> None:
    rows, columns = sheet.shape[:2]
    image = bpy.data.images.new("sheet", columns, rows)
    pixels = np.ones((rows, columns, 4), np.float32)
    pixels[:, :, :3] = sheet[::-1]
    image.pixels.foreach_set(pixels.ravel())
    image.filepath_raw, image.file_format = str(path), "JPEG"
    image.save(quality=88)


def _load_package() -> None:
    """Make ``stagewright`` importable from this checkout, whatever its folder is named."""
    spec = importlib.util.spec_from_file_location(
        "stagewright", ROOT / "__init__.py", submodule_search_locations=[str(ROOT)]
    )
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["stagewright"] = module
    spec.loader.exec_module(module)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
