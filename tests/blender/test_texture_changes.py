# SPDX-License-Identifier: GPL-3.0-or-later
"""Textures made of those in the history, by buttons."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest

from stagewright.addon import beside, pump
from stagewright.addon.textures import history, lab, making
from stagewright.addon.textures.history_ui import STAGEWRIGHT_PT_texture_history
from stagewright.addon.textures.material import KEY
from stagewright.addon.textures.panel import STAGEWRIGHT_PT_textures
from stagewright.texture_lab.changes import changed, origin_of
from stagewright.texture_lab.png import write_png
from stagewright.texture_lab.stored_set import read_set

from .recorder import draw
from .test_jobs_in_blender import tick_until
from .test_texture_history import choose
from .test_textures import add_plane, feeding, make, node

pytestmark = pytest.mark.usefixtures("addon")


@pytest.fixture(autouse=True)
def own_file(addon: None, tmp_path: Path) -> None:
    """A file in a folder of its own, so that the gallery is empty."""
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "shop ü.blend"))


def about(material: bpy.types.Material) -> Any:
    return json.loads(Path(material[KEY]).read_text())


def change(tool: str, **settings: Any) -> bpy.types.Material:
    """What a button makes."""
    assert bpy.ops.stagewright.change_texture(tool=tool, **settings) == {"FINISHED"}
    return bpy.context.object.active_material


def of_photo(folder: Path) -> bpy.types.Material:
    """What a dragged photo becomes; small, for the work grows with it."""
    pixels = np.random.default_rng(3).integers(0, 255, (72, 72, 3)).astype(np.uint8)
    write_png(folder / "wall.png", pixels)
    words = {"filepath": str(folder / "wall.png"), "tile": False}
    assert bpy.ops.stagewright.texture_from_photo(**words) == {"FINISHED"}
    return bpy.context.object.active_material


def test_a_texture_is_varied_and_enlarged_and_both_are_in_the_history(tmp_path: Path) -> None:
    add_plane()
    material = of_photo(tmp_path)
    source = Path(material[KEY])
    assert change("vary", seed=3, strength=0.5) == material
    done = {n["id"]: n for n in about(material)["request"]["nodes"]}["changed"]
    assert done["settings"] == {"seed": 3, "strength": 0.5, "repeats": False}
    assert [entry.title for entry in history.entries()] == ["wall.png, vary", "wall.png"]
    assert history.chosen(bpy.context) == history.entries()[0]
    choose(1)
    assert source.exists() and change("upscale", factor="2") == material
    assert feeding(node(material, "principled").inputs["Base Color"]).image.size[0] == 144
    assert read_set(Path(material[KEY]))[0].tile_size_m == read_set(source)[0].tile_size_m


def test_a_photo_is_made_to_repeat_afterwards(tmp_path: Path) -> None:
    add_plane()
    bpy.data.materials.remove(of_photo(tmp_path))
    shown = history.entries()[0]
    assert shown.sidecar.with_name(f"{shown.sidecar.stem}_preview.png").exists()
    material = change("tile")
    assert history.entries()[0].title == "wall.png, tile"
    assert feeding(node(material, "principled").inputs["Base Color"]).image.size[0] < 72
    assert origin_of(Path(material[KEY])).repeats


def test_one_texture_is_laid_over_another() -> None:
    add_plane()
    make("bark")
    with pytest.raises(RuntimeError, match="laid over"):
        change("blend")
    make("white brick")
    choose(1)
    material = change("blend", amount=0.3)
    assert history.entries()[0].title == "bark, white brick, blend"
    nodes = {n["id"]: n for n in about(material)["request"]["nodes"]}
    assert nodes["set"]["settings"]["prompt"] == "white brick"
    assert nodes["changed"]["settings"]["by"] == "height"


def test_nothing_is_changed_without_a_texture_and_the_button_says_why() -> None:
    assert any("No texture" in text for text in draw(STAGEWRIGHT_PT_texture_history).texts)
    add_plane()
    with pytest.raises(RuntimeError, match="No texture has been made"):
        change("vary")
    make("bark")
    drawn = draw(STAGEWRIGHT_PT_texture_history)
    tools = [name for name, _ in drawn.buttons if name == "stagewright.change_texture"]
    assert len(tools) == 4


def test_a_set_whose_maps_are_gone_is_told_and_the_object_stays_as_it_was(tmp_path: Path) -> None:
    add_plane()
    material = of_photo(tmp_path)
    before = material[KEY]
    Path(before).with_name("Plane_ao.png").unlink()
    with pytest.raises(RuntimeError, match=r"Plane_ao\.png is not there"):
        change("vary")
    assert material[KEY] == before


def test_a_change_is_cancelled_and_leaves_nothing() -> None:
    item = add_plane()
    material = make("brick", size="1024")
    before = material[KEY], sorted(beside.home("textures").iterdir())
    graph = changed("vary", {}, origin_of(Path(material[KEY])))
    commission = making.of_graph(graph, Path(material[KEY]).parent, item)
    task = pump.start(making.make(commission, item, False), lab.KIND, "Vary: brick")
    lab.remember(task, commission)
    tick_until(lambda: (task.fraction or 0) > 0.3)
    assert any("Vary: brick" in text for text in draw(STAGEWRIGHT_PT_textures).texts)
    pump.cancel(task.number)
    tick_until(lambda: not task.running)
    assert task.failure is not None and task.failure.code == "cancelled"
    assert (material[KEY], sorted(beside.home("textures").iterdir())) == before


def test_a_hostile_record_does_not_stop_the_gallery() -> None:
    add_plane()
    make("bark")
    sidecar = history.entries()[0].sidecar
    told = json.loads(sidecar.read_text())
    for nodes in (5, [3], [{"kind": [], "settings": 3, "inputs": 1}], [{"settings": {"file": []}}]):
        sidecar.write_text(json.dumps({**told, "request": {"nodes": nodes}}))
        bpy.ops.stagewright.refresh_textures()
        assert len(history.entries()) == 1 and history.entries()[0].title
        assert origin_of(sidecar).node.kind == "stored_set"
