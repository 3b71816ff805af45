# SPDX-License-Identifier: GPL-3.0-or-later
"""What an export will not hold, told before it is made."""

from __future__ import annotations

from pathlib import Path

import bpy
import pytest

from stagewright.addon.scene.host import BlenderHost
from stagewright.jobs.events import Message
from stagewright.pipeline.export import export_asset
from stagewright.pipeline.host import SceneRequest

from .scenes import add_material, add_square, empty_scene, finish


@pytest.fixture(autouse=True)
def scene() -> None:
    """A square whose colour is noise, and one that USD holds."""
    empty_scene()
    noisy = add_material("Noisy")
    noise = noisy.node_tree.nodes.new("ShaderNodeTexNoise")
    shader = noisy.node_tree.nodes["Principled BSDF"]
    noisy.node_tree.links.new(noise.outputs["Color"], shader.inputs["Base Color"])
    add_square("Lost").data.materials.append(noisy)
    add_square("Held").data.materials.append(add_material("Plain", Roughness=0.3))


def test_every_loss_is_told_before_the_export_by_object(tmp_path: Path) -> None:
    (loss,) = finish(BlenderHost().losses(SceneRequest("", "thing"), tmp_path))
    assert (loss.severity, loss.object) == ("loss", "Lost")
    assert "Noisy" in loss.message and "Base Color" in loss.message and "Bake" in loss.message


def test_the_export_tells_the_same(tmp_path: Path) -> None:
    told = finish(BlenderHost().losses(SceneRequest("", "thing"), tmp_path / "losses"))
    folder = tmp_path / "out"
    folder.mkdir()
    job = export_asset(BlenderHost(), SceneRequest("", "thing"), folder / "t.usda", folder, [])
    warnings = {e.text for e in job if isinstance(e, Message) and e.level == "warning"}
    assert warnings == {loss.message for loss in told}


def test_what_is_lost_later_in_an_animation_is_told(tmp_path: Path) -> None:
    camera = bpy.data.objects.new("Eye", bpy.data.cameras.new("Eye"))
    bpy.context.scene.collection.objects.link(camera)
    for frame, size in ((1, 1.0), (20, 0.0)):
        camera.scale = (size, size, size)
        camera.keyframe_insert("scale", frame=frame)
    bpy.context.scene.frame_set(3)
    bpy.context.scene.frame_end = 20
    moving = finish(BlenderHost().losses(SceneRequest("", "thing", frames=(1, 20)), tmp_path))
    still = finish(BlenderHost().losses(SceneRequest("", "thing", frames=None), tmp_path))
    assert [loss.object for loss in moving if loss not in still] == ["Eye"]
    assert bpy.context.scene.frame_current == 3


@pytest.mark.usefixtures("addon")
def test_the_world_and_the_materials_of_looks_are_looked_at_too(tmp_path: Path) -> None:
    bpy.data.objects.remove(bpy.data.objects["Lost"])
    look = bpy.context.scene.stagewright.looks.add()
    swap = look.swaps.add()
    swap.material, swap.instead = bpy.data.materials["Plain"], bpy.data.materials["Noisy"]
    world = bpy.context.scene.world = bpy.data.worlds.new("Sky")
    if world.node_tree is None:
        world.use_nodes = True
    tree = world.node_tree
    noise = tree.nodes.new("ShaderNodeTexNoise")
    tree.links.new(noise.outputs["Color"], tree.nodes["Background"].inputs["Color"])
    told = finish(BlenderHost().losses(SceneRequest("", "thing", world=True), tmp_path))
    without = finish(BlenderHost().losses(SceneRequest("", "thing"), tmp_path))
    assert [("Noisy" in loss.message, loss.object) for loss in without] == [(True, "Held")]
    assert len(told) == 2 and any("world" in loss.message.casefold() for loss in told)


@pytest.mark.usefixtures("addon")
def test_the_sidebar_lists_them() -> None:
    bpy.context.scene.stagewright.name = "thing"
    bpy.ops.stagewright.find_losses()
    shown = bpy.context.window_manager.stagewright
    assert shown.summary == "1 loss if exported now"
    assert [(item.severity, item.object) for item in shown.findings] == [("loss", "Lost")]
    bpy.data.objects.remove(bpy.data.objects["Lost"])
    bpy.ops.stagewright.find_losses()
    assert (shown.summary, len(shown.findings)) == ("nothing will be lost", 0)
