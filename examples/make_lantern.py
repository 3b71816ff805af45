# SPDX-License-Identifier: GPL-3.0-or-later
"""Make ``lantern.blend`` and its textures: ``blender -b -P examples/make_lantern.py``.

Use Blender 4.5: files saved by a newer Blender may not open in it.
"""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
# Blender does not put the folder of a -P script on the path.
sys.path.insert(0, str(HERE))

import bpy  # noqa: E402
import lantern_body as body  # noqa: E402
import lantern_materials as materials  # noqa: E402
import lantern_moving as moving  # noqa: E402
from bpy.types import Object  # noqa: E402
from lantern_rig import add_rig  # noqa: E402
from lantern_shade import bake_occlusion  # noqa: E402
from lantern_stage import PIVOT, Lantern  # noqa: E402
from mathutils import Vector  # noqa: E402


def add_lights(lantern: Lantern) -> None:
    """Two area lights, a sun, the flame's own glow, and the two cameras."""

    def light(
        name: str, kind: str, energy: float, colour: tuple[float, ...], **more: float
    ) -> Object:
        data = bpy.data.lights.new(name, kind)
        data.energy, data.color = energy, colour
        for key, value in more.items():
            setattr(data, key, value)
        return lantern.add(name, data)

    key = light("Key Area", "AREA", 9, (1.0, 0.93, 0.84), size=0.5)
    rim = light("Rim Area", "AREA", 7, (0.62, 0.78, 1.0), size=0.35)
    look_at(key, (0.55, -0.75, 0.75))
    look_at(rim, (-0.6, 0.55, 0.55))
    sun = light("Fill Sun", "SUN", 0.5, (0.80, 0.88, 1.0), angle=0.2)
    look_at(sun, (-1.0, -1.2, 1.0))
    glow = light("Flame Glow", "POINT", 0.14, (1.0, 0.55, 0.2), shadow_soft_size=0.008)
    glow.location = (0, 0, 0.138)
    # Its sphere would show through the glass as a white ball.
    glow.visible_camera = glow.visible_glossy = glow.visible_transmission = False

    hero = bpy.data.cameras.new("Hero Camera")
    hero.lens, hero.clip_start = 85, 0.01
    look_at(lantern.add("Hero Camera", hero), (0.48, -0.92, 0.37), (0.004, 0, 0.172))
    plan = bpy.data.cameras.new("Front Orthographic")
    plan.type, plan.ortho_scale, plan.clip_start = "ORTHO", 0.42, 0.01
    look_at(lantern.add("Front Orthographic", plan), (0, -1.0, 0.175), (0, 0, 0.175))


def look_at(thing: Object, at: tuple[float, ...], target: tuple[float, ...] = (0, 0, 0.17)) -> None:
    """Place ``thing`` at ``at`` with its local -Z towards ``target``."""
    thing.location = at
    thing.rotation_euler = (Vector(target) - Vector(at)).to_track_quat("-Z", "Y").to_euler()


def set_scene(lantern: Lantern) -> None:
    """Units, frames, render and world."""
    scene = bpy.context.scene
    scene.name = "Lantern"
    scene.camera = bpy.data.objects["Hero Camera"]
    scene.frame_start, scene.frame_end, scene.render.fps = 1, 24, 24
    scene.unit_settings.system, scene.unit_settings.scale_length = "METRIC", 1.0
    scene.render.engine = "CYCLES"
    scene.cycles.samples = 64
    scene.render.resolution_x = scene.render.resolution_y = 1080
    # The default is a path of this machine.
    scene.render.filepath = "//lantern_"
    world = bpy.data.worlds.new("Dusk")
    world.use_nodes = True
    background = world.node_tree.nodes["Background"]
    background.inputs["Color"].default_value = (0.16, 0.20, 0.27, 1)
    background.inputs["Strength"].default_value = 0.6
    scene.world = world
    layer = bpy.context.view_layer.layer_collection.children[lantern.collection.name]
    bpy.context.view_layer.active_layer_collection = layer
    scene.frame_set(1)


def make(blend: Path) -> None:
    """Build the scene from nothing and save it, with its textures beside it."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    lantern = Lantern("Lantern")
    store = materials.Images(blend.parent / "textures")
    lantern.materials = {
        "brass": materials.brass(store),
        "wood": materials.wood(store),
        "nameplate": materials.nameplate(store),
        "paper": materials.paper(store),
        "rope": materials.rope(),
        "flame": materials.flame(),
        "glass": materials.glass(),
        "steel": materials.steel(),
        "cotton": materials.cotton(),
        # Its occlusion needs the other parts: it is finished below.
        "enamel": bpy.data.materials.new("Painted Enamel"),
    }
    painted = [body.add_tank(lantern), body.add_crown(lantern), body.add_frame(lantern)]
    rig = add_rig(lantern.collection, lantern.root, PIVOT)
    body.add_band(lantern)
    body.add_feet(lantern)
    body.add_burner(lantern)
    body.add_globe(lantern)
    body.add_guard(lantern)
    body.add_small_parts(lantern)
    moving.add_flame(lantern)
    moving.add_bail(lantern, rig)
    moving.add_rope(lantern, rig)
    see_through = {bpy.data.objects["Globe"], bpy.data.objects["Flame"]}
    occlusion = bake_occlusion(painted, "Bake", see_through)
    placeholder = lantern.materials["enamel"]
    placeholder.name = "Unused"
    placeholder.user_remap(materials.enamel(store, occlusion))
    bpy.data.materials.remove(placeholder)
    add_lights(lantern)
    set_scene(lantern)
    save(blend)


def save(blend: Path) -> None:
    """Save compressed, with relative paths only."""
    # The sequencer and the file browsers of the other workspaces remember folders.
    bpy.context.scene.sequence_editor_clear()
    others = [w for w in bpy.data.workspaces if w != bpy.context.window.workspace]
    screens = [s for s in bpy.data.screens if s != bpy.context.window.screen]
    bpy.data.batch_remove([*others, *screens])
    blend.unlink(missing_ok=True)
    bpy.context.preferences.filepaths.save_version = 0
    bpy.ops.wm.save_as_mainfile(filepath=str(blend), compress=True, relative_remap=True)


if __name__ == "__main__":
    make(HERE / "lantern.blend")
