# SPDX-License-Identifier: GPL-3.0-or-later
"""Materials whose values change over time, in the file and in the check of it."""

from __future__ import annotations

from pathlib import Path

import bpy
import numpy as np
import pytest
from pxr import Sdf, Usd, UsdShade

from stagewright.addon.scene.host import BlenderHost
from stagewright.jobs.events import Message
from stagewright.pipeline.export import CheckedAsset, export_asset
from stagewright.pipeline.host import SceneRequest
from stagewright.usd_tools.fidelity import compare
from stagewright.usd_tools.scene_record import SceneRecord

from .scenes import add_material, empty_scene, finish
from .streaming import triangle
from .test_direct_fidelity import losses

FRAMES = range(1, 11)


def principled(material: bpy.types.Material) -> bpy.types.Node:
    return next(n for n in material.node_tree.nodes if n.type == "BSDF_PRINCIPLED")


def key(socket: bpy.types.NodeSocket, first: object, last: object) -> None:
    for frame, value in ((3, first), (9, last)):
        socket.default_value = value
        socket.keyframe_insert("default_value", frame=frame)


@pytest.fixture(name="material")
def material_fixture() -> bpy.types.Material:
    """A material on a triangle, in a scene of ten frames."""
    empty_scene()
    scene = bpy.context.scene
    scene.frame_start, scene.frame_end = FRAMES[0], FRAMES[-1]
    material = add_material("Paint")
    triangle("Item").data.materials.append(material)
    return material


def surface(stage: Usd.Stage, context: str) -> UsdShade.Shader:
    (material,) = (UsdShade.Material(p) for p in stage.Traverse() if p.IsA(UsdShade.Material))
    return material.ComputeSurfaceSource(context)[0]


def exported(folder: Path) -> tuple[CheckedAsset, list[str]]:
    """The scene as an asset, and what was told meanwhile."""
    bpy.context.view_layer.update()
    folder.mkdir()
    told: list[str] = []
    job = export_asset(BlenderHost(), SceneRequest("", "thing"), folder / "thing.usda", folder, [])
    while True:
        try:
            event = next(job)
        except StopIteration as end:
            return end.value, told
        if isinstance(event, Message):
            told.append(event.text)


def recorded() -> SceneRecord:
    record: SceneRecord = finish(BlenderHost().record(SceneRequest("", "thing")))
    return record


def test_keyed_inputs_are_time_samples_in_both_networks(
    material: bpy.types.Material, tmp_path: Path
) -> None:
    sockets = principled(material).inputs
    key(sockets["Base Color"], (1, 0, 0, 1), (0, 0.5, 1, 1))
    key(sockets["Roughness"], 0.1, 0.9)
    key(sockets["Specular IOR Level"], 0.5, 0.0)
    key(sockets["Emission Strength"], 0.0, 4.0)
    key(sockets["Coat Weight"], 0.0, 1.0)
    sockets["Emission Color"].default_value = (1, 0.5, 0.25, 1)
    driver = sockets["Metallic"].driver_add("default_value").driver
    driver.expression = "frame / 20"
    asset, _ = exported(tmp_path / "out")
    assert losses(asset) == []
    stage = Usd.Stage.Open(str(asset.files.root))
    scene = bpy.context.scene
    for frame in FRAMES:
        scene.frame_set(frame)
        values = {name: sockets[name].default_value for name in ("Roughness", "Metallic")}
        color = tuple(sockets["Base Color"].default_value)[:3]
        strength = sockets["Emission Strength"].default_value
        glow = np.array((1, 0.5, 0.25)) * strength
        for context, expected in (
            (
                "",
                {
                    "diffuseColor": color,
                    "roughness": values["Roughness"],
                    "metallic": values["Metallic"],
                    "emissiveColor": glow,
                    "clearcoat": sockets["Coat Weight"].default_value,
                },
            ),
            (
                "mtlx",
                {
                    "base_color": color,
                    "specular_roughness": values["Roughness"],
                    "base_metalness": values["Metallic"],
                    "specular_weight": 2 * sockets["Specular IOR Level"].default_value,
                    "emission_luminance": strength,
                    "coat_weight": sockets["Coat Weight"].default_value,
                },
            ),
        ):
            for name, value in expected.items():
                held = surface(stage, context).GetInput(name).Get(frame)
                assert np.allclose(np.array(held), value, atol=1e-6), (name, frame)
    assert values["Metallic"] == pytest.approx(0.5)
    # What nobody has keyed is said once.
    assert surface(stage, "").GetInput("ior").GetAttr().GetTimeSamples() == []


def test_a_mix_that_is_faded_from_end_to_end_has_samples(
    material: bpy.types.Material, tmp_path: Path
) -> None:
    tree = material.node_tree
    mix = tree.nodes.new("ShaderNodeMix")
    mix.data_type = "RGBA"
    share, below, above = (socket for socket in mix.inputs if socket.enabled)
    below.default_value, above.default_value = (1, 0, 0, 1), (0, 0, 1, 1)
    key(share, 0.0, 1.0)
    color = next(socket for socket in mix.outputs if socket.enabled)
    tree.links.new(color, principled(material).inputs["Base Color"])
    asset, _ = exported(tmp_path / "out")
    assert losses(asset) == []
    stage = Usd.Stage.Open(str(asset.files.root))
    (node,) = (p for p in stage.Traverse() if "OpenPBR_Mix" in p.GetName())
    for frame in (3, 6, 9):
        bpy.context.scene.frame_set(frame)
        held = UsdShade.Shader(node).GetInput("mix").Get(frame)
        assert held == pytest.approx(share.default_value, abs=1e-6)


def test_what_stands_still_is_read_once_for_the_check(
    material: bpy.types.Material, tmp_path: Path
) -> None:
    still = add_material("Still", Roughness=0.25)
    triangle("Other").data.materials.append(still)
    key(principled(material).inputs["Roughness"], 0.1, 0.9)
    assert losses(exported(tmp_path / "out")[0]) == []
    assert [(m.name, m.frame) for m in recorded().materials] == [
        ("Paint", 1),
        ("Paint", 5),
        ("Paint", 10),
        ("Still", 1),
    ]


def test_an_animation_that_changes_more_than_values_is_told(
    material: bpy.types.Material, tmp_path: Path
) -> None:
    image = bpy.data.images.new("grid", 4, 4)
    image.filepath_raw, image.file_format = str(tmp_path / "grid.png"), "PNG"
    image.save()
    tree = material.node_tree
    texture, mapping = (tree.nodes.new(f"ShaderNode{n}") for n in ("TexImage", "Mapping"))
    texture.image = image
    tree.links.new(tree.nodes.new("ShaderNodeUVMap").outputs[0], mapping.inputs["Vector"])
    tree.links.new(mapping.outputs[0], texture.inputs["Vector"])
    tree.links.new(texture.outputs["Color"], principled(material).inputs["Base Color"])
    key(mapping.inputs["Location"], (0, 0, 0), (1, 0, 0))
    _, told = exported(tmp_path / "out")
    assert [text for text in told if "over time" in text and "Base Color" in text]


@pytest.mark.parametrize(
    ("context", "name", "socket"),
    [("", "roughness", "Roughness"), ("mtlx", "specular_roughness", "Roughness")],
)
def test_a_wrong_sample_is_found_in_either_network(
    material: bpy.types.Material, tmp_path: Path, context: str, name: str, socket: str
) -> None:
    key(principled(material).inputs[socket], 0.1, 0.9)
    record = recorded()
    root = exported(tmp_path / "out")[0].files.root
    stage = Usd.Stage.Open(str(root))
    path = surface(stage, context).GetInput(name).GetAttr().GetPath()
    look = root.with_name(f"{root.stem}_look.usda")
    layer = Sdf.Layer.FindOrOpen(str(look))
    layer.SetTimeSample(path, 10.0, 0.8)
    layer.Save()
    (finding,) = finish(compare(root, record)).findings
    assert (finding.check, finding.object, finding.value) == ("material-input", "Item", 10.0)
    assert "0.9" in finding.message and "0.8" in finding.message
