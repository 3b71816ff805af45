# SPDX-License-Identifier: GPL-3.0-or-later
"""The Texture Lab in Blender: what is made of words, where it lies, and what is left alone."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest
from numpy.typing import NDArray

from stagewright.addon import beside, pump
from stagewright.addon.textures import handles, lab, making, pictures
from stagewright.addon.textures.material import KEY, uv_side
from stagewright.addon.textures.panel import STAGEWRIGHT_PT_textures
from stagewright.texture_lab.grammar import understand
from stagewright.texture_lab.images import read_image
from stagewright.texture_lab.make import draw as lab_draw
from stagewright.texture_lab.picture import picture

from .recorder import draw
from .test_jobs_in_blender import tick_until

pytestmark = pytest.mark.usefixtures("addon")


def add_plane(side: float = 2.0) -> bpy.types.Object:
    bpy.ops.mesh.primitive_plane_add(size=side)
    return bpy.context.object


def make(prompt: str, **settings: Any) -> bpy.types.Material:
    """What the button makes for the active object."""
    chosen = bpy.context.scene.stagewright_texture
    chosen.prompt = prompt
    for name, value in {"size": "256", **settings}.items():
        setattr(chosen, name, value)
    assert bpy.ops.stagewright.make_texture() == {"FINISHED"}
    return bpy.context.object.active_material


def start(item: bpy.types.Object) -> pump.Task:
    """What the button starts in a window."""
    chosen = bpy.context.scene.stagewright_texture
    commission = making.of_words(chosen.request(), item)
    task = pump.start(making.make(commission, item, False), lab.KIND, f"Make {chosen.prompt}")
    lab.remember(task, commission)
    return task


def node(material: bpy.types.Material, role: str) -> Any:
    (found,) = [node for node in material.node_tree.nodes if node.get(KEY) == role]
    return found


def feeding(socket: Any) -> Any:
    (link,) = socket.links
    return link.from_node


def test_words_become_a_principled_material_at_its_true_size() -> None:
    bpy.context.scene.unit_settings.scale_length = 0.5
    item = add_plane(6.0)
    material = make("mossy red brick wall")
    shader = feeding(node(material, "output").inputs["Surface"])
    assert feeding(shader.inputs["Base Color"]).image.colorspace_settings.name == "sRGB"
    for name in ("Roughness", "Metallic"):
        assert feeding(shader.inputs[name]).image.colorspace_settings.name == "Non-Color"
    normal = feeding(shader.inputs["Normal"])
    assert normal.bl_idname == "ShaderNodeNormalMap"
    assert tuple(feeding(normal.inputs["Color"]).image.size) == (256, 256)
    sidecar = json.loads(Path(material[KEY]).read_text())
    assert sidecar["family"] == "brick"
    scale = node(material, "mapping").inputs["Scale"].default_value[0]
    assert scale == pytest.approx(6.0 * 0.5 / sidecar["tile_size_m"])
    depth = node(material, "displacement").inputs["Scale"].default_value
    assert depth == pytest.approx(sidecar["height_range_m"] / 0.5)
    assert item.active_material == material


def test_uv_density_counts_the_objects_scale() -> None:
    item = add_plane(2.0)
    item.scale = 3.0, 3.0, 1.0
    bpy.context.view_layer.update()
    assert uv_side(item) == pytest.approx(6.0)
    for corner in item.data.uv_layers.active.uv:
        corner.vector *= 2.0
    assert uv_side(item) == pytest.approx(3.0)


def test_an_object_without_uvs_is_projected_and_told() -> None:
    item = add_plane()
    item.data.uv_layers.remove(item.data.uv_layers[0])
    material = make("concrete")
    assert node(material, "basecolor").projection == "BOX"
    shader = node(material, "principled")
    assert feeding(shader.inputs["Normal"]).bl_idname == "ShaderNodeBump"
    request = bpy.context.scene.stagewright_texture.request()
    events = list(making.make(making.of_words(request, item), item, False))
    assert "no UVs" in events[-1].text


def test_another_run_takes_new_images_and_leaves_the_artists_nodes() -> None:
    add_plane()
    material = make("brick")
    first = node(material, "basecolor").image.filepath
    tree, shader = material.node_tree, node(material, "principled")
    tint = tree.nodes.new("ShaderNodeGamma")
    tree.links.new(node(material, "basecolor").outputs[0], tint.inputs[0])
    tree.links.new(tint.outputs[0], shader.inputs["Base Color"])
    count = len(tree.nodes)
    assert make("blue tiles", displace=True) == material
    assert feeding(shader.inputs["Base Color"]) == tint
    assert feeding(node(material, "output").inputs["Displacement"]) == node(
        material, "displacement"
    )
    second = node(material, "basecolor").image.filepath
    assert len(tree.nodes) == count
    assert second != first and Path(first).exists() and Path(second).exists()


def test_lava_glows_and_what_follows_it_does_not() -> None:
    add_plane()
    material = make("lava")
    shader = node(material, "principled")
    assert feeding(shader.inputs["Emission Color"]).image.colorspace_settings.name == "sRGB"
    assert shader.inputs["Emission Strength"].default_value == pytest.approx(6.0)
    assert not shader.inputs["Alpha"].links
    assert make("wire mesh") == material
    assert feeding(shader.inputs["Alpha"]).image.colorspace_settings.name == "Non-Color"
    assert not shader.inputs["Emission Color"].links
    assert shader.inputs["Emission Strength"].default_value == 0.0
    assert make("brick") == material
    assert not shader.inputs["Alpha"].links and shader.inputs["Alpha"].default_value == 1.0
    roles = {each.get(KEY) for each in material.node_tree.nodes}
    assert roles.isdisjoint({"emission", "opacity"})


def test_a_glow_of_the_artists_own_is_left_alone() -> None:
    add_plane()
    material = make("brick")
    shader = node(material, "principled")
    shader.inputs["Emission Strength"].default_value = 2.5
    shader.inputs["Alpha"].default_value = 0.5
    make("bark")
    assert shader.inputs["Emission Strength"].default_value == 2.5
    assert shader.inputs["Alpha"].default_value == 0.5
    own = material.node_tree.nodes.new("ShaderNodeRGB")
    material.node_tree.links.new(own.outputs[0], shader.inputs["Emission Color"])
    make("lava")
    assert feeding(shader.inputs["Emission Color"]) == own
    assert shader.inputs["Emission Strength"].default_value == 2.5


def test_a_material_of_the_artists_own_is_never_touched() -> None:
    item = add_plane()
    own = bpy.data.materials.new("Own")
    item.data.materials.append(own)
    material = make("brick")
    assert material != own and KEY not in own


def test_sets_move_beside_the_file_when_it_is_first_saved(tmp_path: Path) -> None:
    add_plane()
    material = make("brick")
    assert Path(material[KEY]).parent == Path(bpy.app.tempdir) / "textures"
    before = Path(node(material, "height").image.filepath).read_bytes()
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "shop ü.blend"))
    home = tmp_path / "textures"
    maps = json.loads(Path(material[KEY]).read_text())["maps"]
    assert Path(material[KEY]).parent == home
    moved = Path(bpy.path.abspath(node(material, "height").image.filepath))
    assert moved == home / maps["height"] and moved.read_bytes() == before
    assert (home / maps["ao"]).is_file()


def test_words_that_name_no_material_are_told_and_refused() -> None:
    add_plane()
    chosen = bpy.context.scene.stagewright_texture
    chosen.prompt = "a portrait of my grandmother"
    assert any("nearest" in text for text in draw(STAGEWRIGHT_PT_textures).texts)
    with pytest.raises(RuntimeError, match="nearest"):
        bpy.ops.stagewright.make_texture()
    chosen.prompt = "12 rows of bricks"
    assert chosen.family == "brick" and chosen.problem == ""
    drawn = draw(STAGEWRIGHT_PT_textures)
    assert "Rows" not in drawn.texts and "count" in drawn.properties
    assert chosen.request().parameters["rows"] == 12


def test_a_cancelled_run_leaves_the_object_as_it_was() -> None:
    item = add_plane()
    chosen = bpy.context.scene.stagewright_texture
    chosen.prompt, chosen.size = "brick", "4096"
    before = sorted(beside.home("textures").glob("*"))
    task = start(item)
    tick_until(lambda: "Drawing" in task.message)
    pump.cancel(task.number)
    tick_until(lambda: not task.running)
    assert task.failure is not None and task.failure.code == "cancelled"
    assert item.active_material is None
    assert sorted(beside.home("textures").glob("*")) == before


def shown(name: str) -> NDArray[np.float32]:
    """The pixels that a panel shows under a name, the first row on top."""
    found = pictures._Shown.collection[name]
    pixels = np.empty(len(found.image_pixels_float), np.float32)
    found.image_pixels_float.foreach_get(pixels)
    columns, rows = found.image_size
    return pixels.reshape(rows, columns, 4)[::-1]


def expected(size: int, seed: int, **sliders: float) -> NDArray[np.float32]:
    return picture(lab_draw(understand("brick", sliders), size, seed))


def test_a_preview_follows_the_sliders_and_the_last_change_wins() -> None:
    chosen = bpy.context.scene.stagewright_texture
    chosen.prompt, chosen.seed = "brick", 6
    (rows,) = (item for item in chosen.sliders if item.name == "rows")
    handles.start()
    for count in (4, 6, 12):
        rows.count = count
        handles.start()
    tick_until(lambda: not pump.is_running(handles.KIND))
    assert np.allclose(shown("texture"), expected(256, 6, rows=12), atol=0.01)
    for seed in (4, 5, 6, 7):
        assert np.allclose(shown(f"seed {seed % 4}"), expected(128, seed, rows=12), atol=0.01)
    assert not any(task.kind == handles.KIND for task in pump.tasks())
    assert len(draw(STAGEWRIGHT_PT_textures).icons) == 5
    bpy.ops.wm.read_homefile(use_empty=True)
    assert pictures.icon("texture") is None


def test_a_preview_does_not_wait_for_a_set() -> None:
    item = add_plane()
    chosen = bpy.context.scene.stagewright_texture
    chosen.prompt, chosen.size = "brick", "4096"
    task = start(item)
    handles.start()
    tick_until(lambda: not pump.is_running(handles.KIND))
    assert task.running
    tick_until(lambda: pictures.icon(lab.set_name(task)) is not None)  # Its own picture, too.
    pump.cancel(task.number)
    tick_until(lambda: not task.running)


def test_seeds_are_offered_and_kept_only_if_wished() -> None:
    add_plane()
    chosen = bpy.context.scene.stagewright_texture
    chosen.prompt, chosen.seed = "brick", 6
    buttons = draw(STAGEWRIGHT_PT_textures).buttons
    offered = [rna.seed for name, rna in buttons if name == "stagewright.choose_texture_seed"]
    assert offered == [4, 5, 6, 7, 8]
    assert bpy.ops.stagewright.choose_texture_seed(seed=5) == {"FINISHED"}
    make("brick")
    assert chosen.seed == 5
    chosen.keep_seed = False
    make("brick")
    assert chosen.seed == 6


def test_a_preset_brings_words_and_sliders_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BLENDER_USER_SCRIPTS", str(tmp_path))
    chosen = bpy.context.scene.stagewright_texture
    chosen.prompt, chosen.seed = "mossy brick", 9
    chosen.sliders["rows"].count = 14
    assert bpy.ops.stagewright.add_texture_preset(name="Wall") == {"FINISHED"}
    wanted = chosen.request()
    (preset,) = Path(bpy.utils.user_resource("SCRIPTS")).rglob("texture/Wall.py")
    chosen.prompt, chosen.seed = "sand", 1
    bpy.ops.script.execute_preset(
        filepath=str(preset), menu_idname="STAGEWRIGHT_PT_texture_presets"
    )
    assert chosen.request() == wanted


def test_textures_queue_and_can_be_moved() -> None:
    item = add_plane()
    chosen = bpy.context.scene.stagewright_texture
    tasks = []
    for prompt, size in (("brick", "1024"), ("bark", "256"), ("sand", "256")):
        chosen.prompt, chosen.size = prompt, size
        tasks.append(start(item))
    assert lab.queue() == tasks
    buttons = draw(STAGEWRIGHT_PT_textures).buttons
    (up,) = (found for name, found in buttons if name == "stagewright.move_texture_up")
    assert bpy.ops.stagewright.move_texture_up(job_id=tasks[2].number) == {"FINISHED"}
    assert lab.queue() == [tasks[0], tasks[2], tasks[1]] and up is not None
    tick_until(lambda: not tasks[2].running)
    assert tasks[1].running and not tasks[0].running
    tick_until(lambda: not tasks[1].running)
    assert item.active_material.name.startswith("Bark")  # Made first, and given new images.
    sidecar = json.loads(Path(item.active_material[KEY]).read_text())
    assert sidecar["family"] == "bark"
    assert len({task.value["files"][-1] for task in tasks}) == 3


def test_a_killed_process_is_told_and_replaced() -> None:
    item = add_plane()
    make("brick")
    chosen = bpy.context.scene.stagewright_texture
    chosen.size = "4096"
    task = start(item)
    tick_until(lambda: "Drawing" in task.message)
    pid = lab.sets().pid
    assert pid is not None
    os.kill(pid, signal.SIGTERM if os.name == "nt" else signal.SIGKILL)
    tick_until(lambda: not task.running)
    assert task.failure is not None and task.failure.code == "child-died"
    assert make("bark").name.startswith("Bark")


def test_the_processes_end_with_the_add_on() -> None:
    add_plane()
    make("brick")
    sets = lab.sets()
    assert sets.pid is not None
    lab.unregister()
    assert sets.pid is None
    lab.register()


@pytest.mark.parametrize(("kind", "expected"), [("float", 0.5), ("half", 0.5), ("uint16", 0.214)])
def test_linear_light_is_encoded_before_the_photo_tools(
    tmp_path: Path, kind: str, expected: float
) -> None:
    bpy.utils.expose_bundled_modules()
    import OpenImageIO

    path = tmp_path / ("light.exr" if kind != "uint16" else "light.tif")
    pixels = np.full((4, 5, 3), 0.21404114, np.float32)  # The light of an sRGB value of 0.5.
    spec = OpenImageIO.ImageSpec(5, 4, 3, kind)
    output = OpenImageIO.ImageOutput.create(str(path))
    output.open(str(path), spec)
    output.write_image(pixels)
    output.close()
    assert np.abs(read_image(path) - expected).max() < 1e-3
    assert np.abs(read_image(path, data=True) - 0.21404).max() < 1e-3
