# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures of a USD file, and prims brought into the scene, by another Blender."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest

from stagewright.addon.usd import look, looking

from .recorder import draw
from .test_panels import no_input_or_output

pytestmark = pytest.mark.usefixtures("addon")

FLAT = "(-1, -1, 0), (1, -1, 0), (-1, 1, 0), (1, 1, 0)"
MESH = f"""int[] faceVertexCounts = [4, 4, 4, 4, 4, 4]
        int[] faceVertexIndices = [
            0, 1, 3, 2, 2, 3, 7, 6, 6, 7, 5, 4, 4, 5, 1, 0, 0, 2, 6, 4, 1, 5, 7, 3
        ]
        point3f[] points = [{FLAT}, (-1, -1, 2), (1, -1, 2), (-1, 1, 2), (1, 1, 2)]"""
ROOM = f"""#usda 1.0
(
    defaultPrim = "Room"
    upAxis = "Z"
    metersPerUnit = 1
)
def Xform "Room" (
    variants = {{
        string size = "small"
    }}
    prepend variantSets = "size"
)
{{
    def Mesh "Box"
    {{
        {MESH}
        double3 xformOp:translate = (3, 0, 0)
        uniform token[] xformOpOrder = ["xformOp:translate"]
        rel material:binding = </Room/Red>
    }}
    def Mesh "Stand" (
    )
    {{
        {MESH}
        uniform token purpose = "proxy"
    }}
    def Material "Red"
    {{
        token outputs:surface.connect = </Room/Red/Shader.outputs:surface>
        def Shader "Shader"
        {{
            uniform token info:id = "UsdPreviewSurface"
            color3f inputs:diffuseColor = (1, 0, 0)
            token outputs:surface
        }}
    }}
    variantSet "size" = {{
        "small" {{
        }}
        "large" {{
            def Mesh "Annex"
            {{
                {MESH}
                point3f[] points.timeSamples = {{
                    1: [{FLAT}, (-1, -1, 2), (1, -1, 2), (-1, 1, 2), (1, 1, 2)],
                    5: [{FLAT}, (-1, -1, 4), (1, -1, 4), (-1, 1, 4), (1, 1, 4)],
                }}
            }}
        }}
    }}
}}
"""


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Path]:
    file = tmp_path / "room.usda"
    file.write_text(ROOM)
    bpy.ops.stagewright.inspect_usd(filepath=str(file))
    yield file


def scene() -> dict[str, Any]:
    """What must not change while a picture is made."""
    return {
        "data": {
            kind: sorted(item.name for item in getattr(bpy.data, kind))
            for kind in ("objects", "meshes", "materials", "images", "scenes", "worlds", "lights")
        },
        "selected": [item.name for item in bpy.context.selected_objects],
        "active": bpy.context.object and bpy.context.object.name,
        "dirty": bpy.data.is_dirty,
        "path": bpy.data.filepath,
    }


def pixels(file: Path) -> np.ndarray:
    image = bpy.data.images.load(str(file))
    found = np.array(image.pixels[:]).reshape(image.size[1], image.size[0], 4)
    bpy.data.images.remove(image)
    return found


def test_a_picture_of_the_file_leaves_the_open_scene_as_it_is(room: Path, tmp_path: Path) -> None:
    bpy.ops.mesh.primitive_cube_add()
    bpy.context.window_manager.stagewright_look.size = 48
    before = scene()
    bpy.ops.stagewright.picture_usd(filepath=str(tmp_path / "room.png"))
    assert scene() == before
    shown = pixels(tmp_path / "room.png")
    assert shown.shape == (48, 48, 4)
    red = shown[shown[..., 3] > 0.9]
    assert len(red) > 200 and red[:, 0].mean() > 3 * red[:, 1].mean()


def test_a_turntable_turns_the_file_once(room: Path, tmp_path: Path) -> None:
    settings = bpy.context.window_manager.stagewright_look
    settings.size, settings.frames = 32, 4
    bpy.ops.stagewright.select_usd_variant(path="/Room", variant_set="size", variant="large")
    bpy.ops.stagewright.turntable_usd(filepath=str(tmp_path / "turn.png"))
    files = sorted(tmp_path.glob("turn_*.png"))
    assert [file.name for file in files] == [f"turn_000{n}.png" for n in (1, 2, 3, 4)]
    shown = [pixels(file) for file in files]
    # A red box beside a grey one: where the red is tells the turn; half a turn mirrors it.
    at = [np.argwhere((p[..., 3] > 0.9) & (p[..., 0] > 2 * p[..., 1]))[:, 1].mean() for p in shown]
    middle = 15.5
    assert (at[0] - middle) * (at[2] - middle) < 0 or (at[1] - middle) * (at[3] - middle) < 0
    for picture in shown:  # nothing touches the border: all of it fits in every picture
        border = np.concatenate([picture[0], picture[-1], picture[:, 0], picture[:, -1]])
        assert border[:, 3].max() == 0


def test_the_picture_is_drawn_from_memory(room: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bpy.context.window_manager.stagewright_look.size = 16
    assert draw(look.STAGEWRIGHT_PT_usd_look).icons == []
    bpy.ops.stagewright.picture_usd()
    with no_input_or_output(monkeypatch):
        assert len(draw(look.STAGEWRIGHT_PT_usd_look).icons) == 1


def test_a_prim_is_imported_with_its_place_and_material_and_nothing_else(room: Path) -> None:
    bpy.ops.stagewright.import_prim(path="/Room/Box")
    meshes = [item for item in bpy.data.objects if item.type == "MESH"]
    (box,) = meshes
    assert box.name == "Box" and box.select_get()
    assert tuple(box.matrix_world.translation) == (3, 0, 0)
    assert [material.name for material in box.data.materials] == ["Red"]
    assert box.name in bpy.context.scene.objects
    assert not bpy.data.filepath


def test_what_is_chosen_here_is_what_is_imported(room: Path) -> None:
    bpy.ops.stagewright.select_usd_variant(path="/Room", variant_set="size", variant="large")
    bpy.ops.stagewright.import_prim(path="/Room", proxy=True)
    meshes = {item.name for item in bpy.data.objects if item.type == "MESH"}
    assert meshes == {"Box", "Stand", "Annex"}
    # Its motion would be read from a file that is gone.
    assert len(bpy.data.cache_files) == 0
    assert not any(item.modifiers for item in bpy.data.objects)


def test_motion_is_read_from_the_file_when_nothing_is_chosen(room: Path) -> None:
    room.write_text(ROOM.replace('string size = "small"', 'string size = "large"'))
    bpy.ops.stagewright.reload_usd()
    bpy.ops.stagewright.import_prim(path="/Room/Annex")
    annex = bpy.data.objects["Annex"]
    (cache,) = bpy.data.cache_files
    assert Path(bpy.path.abspath(cache.filepath)) == room
    bpy.context.scene.frame_set(5)
    tall = annex.evaluated_get(bpy.context.evaluated_depsgraph_get()).dimensions.z
    assert tall == pytest.approx(4)


def test_a_prim_that_is_not_there_is_told(room: Path) -> None:
    with pytest.raises(RuntimeError, match="There is no prim /Room/Nobody"):
        bpy.ops.stagewright.import_prim(path="/Room/Nobody")
    assert looking.session() is not None and len(bpy.data.objects) == 0


def test_hydra_delegates_are_listed_with_reasons(room: Path) -> None:
    bpy.ops.stagewright.list_delegates()
    found = {each["name"]: each for each in look.delegates()}
    assert found["Storm"]["usable"]
    assert not found["gatling"]["usable"] and "PXR_PLUGINPATH_NAME" in found["gatling"]["reason"]
    told = " ".join(draw(look.STAGEWRIGHT_PT_usd_look).texts)
    assert "Storm" in told and found["gatling"]["reason"] in told
