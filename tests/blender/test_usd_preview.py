# SPDX-License-Identifier: GPL-3.0-or-later
"""The preview: it follows what is chosen, and nothing of it is ever in the .blend."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import addon_utils
import bpy
import numpy as np
import pytest

from stagewright.addon.usd import preview

from .recorder import draw
from .test_usd_look import ROOM, scene

pytestmark = pytest.mark.usefixtures("addon")


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Path]:
    file = tmp_path / "room.usda"
    file.write_text(ROOM)
    bpy.ops.stagewright.inspect_usd(filepath=str(file))
    yield file


def paths() -> tuple[str, ...]:
    found = preview.shown()
    return found.paths if found else ()


def test_the_preview_follows_the_session_and_leaves_the_blend_alone(room: Path) -> None:
    bpy.ops.mesh.primitive_cube_add()
    before = scene()
    bpy.ops.stagewright.preview_usd()
    assert paths() == ("/Room/Box",)
    bpy.ops.stagewright.select_usd_variant(path="/Room", variant_set="size", variant="large")
    assert set(paths()) == {"/Room/Box", "/Room/Annex"}
    room.write_text(ROOM.replace('"Box"', '"Crate"'))
    bpy.ops.stagewright.reload_usd()
    assert set(paths()) == {"/Room/Crate", "/Room/Annex"}
    assert scene() == before
    bpy.ops.stagewright.preview_usd()
    assert paths() == () and scene() == before


def test_closing_the_file_or_the_addon_ends_the_preview(room: Path) -> None:
    bpy.ops.stagewright.preview_usd()
    assert preview._Shown.handle is not None
    bpy.ops.stagewright.close_usd()
    assert preview._Shown.handle is None and paths() == ()
    bpy.ops.stagewright.inspect_usd(filepath=str(room))
    bpy.ops.stagewright.preview_usd()
    addon_utils.disable("stagewright")
    assert preview._Shown.handle is None and not preview.looking.listeners


def test_a_view_is_framed_on_the_prim(room: Path) -> None:
    bpy.ops.stagewright.preview_usd()

    class View:
        view_location = None
        view_distance = 0.0

    view = View()
    found = preview.shown()
    assert preview.frame(found, "/Room/Box", view)
    assert tuple(view.view_location) == (3, 0, 1) and view.view_distance > 2
    assert not preview.frame(found, "/Room/Red", view)


def test_every_triangle_has_a_colour_of_its_prim(room: Path) -> None:
    bpy.ops.stagewright.preview_usd()
    found = preview.shown()
    colors = preview.lit(found)
    assert colors.shape == (len(found.corners), 4) and (colors[:, 3] == 1).all()
    # Sides of a box that face alike are lit alike, others are not.
    assert len(np.unique(colors[:, 0].round(4))) == 3


def test_the_panel_tells_what_is_shown(room: Path) -> None:
    bpy.ops.stagewright.preview_usd()
    texts = draw(preview.STAGEWRIGHT_PT_usd_preview).texts
    assert "1 prim" in texts
    assert not bpy.ops.stagewright.pick_prim.poll()  # there is no 3D view in the background
