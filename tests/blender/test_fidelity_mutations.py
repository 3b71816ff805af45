# SPDX-License-Identifier: GPL-3.0-or-later
"""A file by the direct writer is spoiled, one thing at a time: each is found, under its object."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest
from pxr import Sdf, Usd, UsdGeom, UsdShade

from stagewright.usd_tools.fidelity import compare
from stagewright.usd_tools.scene_record import SceneRecord

from .scenes import add_material, empty_scene, finish
from .streaming import grid, link, triangle
from .test_direct_fidelity import exported, losses
from .test_stream import scattered

Spoil = Callable[[Usd.Stage], None]


@pytest.fixture(autouse=True)
def _empty() -> None:
    empty_scene()


def painted(folder: Path) -> bpy.types.Material:
    """A material with a texture that a Mapping node places, and values of all kinds."""
    material = add_material("Paint", Roughness=0.3, Alpha=0.8, IOR=1.4, Emission_Strength=2.0)
    nodes, new = material.node_tree.nodes, material.node_tree.links.new
    shader = nodes["Principled BSDF"]
    shader.inputs["Emission Color"].default_value = (0.1, 0.2, 0.3, 1)
    texture, mapping, uv = (
        nodes.new(f"ShaderNode{kind}") for kind in ("TexImage", "Mapping", "UVMap")
    )
    image = bpy.data.images.new("paint", 4, 4)
    image.filepath_raw, image.file_format = str(folder / "paint.png"), "PNG"
    image.save()
    texture.image, uv.uv_map = image, "UVMap"
    mapping.inputs["Location"].default_value = (0.25, 0.5, 0)
    mapping.inputs["Rotation"].default_value = (0, 0, 0.5)
    mapping.inputs["Scale"].default_value = (2, 3, 1)
    new(uv.outputs[0], mapping.inputs["Vector"])
    new(mapping.outputs[0], texture.inputs["Vector"])
    new(texture.outputs["Color"], shader.inputs["Base Color"])
    split = nodes.new("ShaderNodeSeparateColor")
    new(texture.outputs["Color"], split.inputs[0])
    new(split.outputs["Green"], shader.inputs["Metallic"])
    return material


def scene(folder: Path) -> None:
    plate = grid("Plate", 3)
    plate.location = (1, 2, 3)
    mesh = plate.data
    for item in (painted(folder), add_material("Rust", Base_Color=(0.4, 0.2, 0.1, 1))):
        mesh.materials.append(item)
    mesh.polygons.foreach_set("material_index", [i % 2 for i in range(len(mesh.polygons))])
    mesh.uv_layers.new(name="Second")
    colour = mesh.color_attributes.new("Tint", "FLOAT_COLOR", "POINT")
    for index, value in enumerate(colour.data):
        value.color = (index / 16, 0.5, 0.25, 1)
    heat = mesh.attributes.new("heat", "FLOAT", "FACE")
    heat.data.foreach_set("value", np.arange(len(mesh.polygons), dtype=np.float32))
    scattered(grid("Field", 5), lambda add: add("GeometryNodeMeshCube"), joined=False)
    leaf = triangle("Leaf")
    scattered(
        grid("Tree", 5),
        lambda add: add("GeometryNodeObjectInfo", Object=leaf, As_Instance=True),
        joined=False,
    )
    for number in range(3):
        link(bpy.data.objects.new(f"Copy {number}", leaf.data)).location = (number, 9, 0)
    moving = triangle("Moving")
    hidden = triangle("Blinking")
    for frame, value in ((1, 0.0), (5, 2.0), (9, 3.0)):
        moving.location.x = value
        moving.keyframe_insert("location", frame=frame)
        hidden.hide_render = frame == 5
        hidden.keyframe_insert("hide_render", frame=frame)
    bpy.context.scene.frame_start, bpy.context.scene.frame_end = 1, 9
    bpy.context.scene.frame_set(1)


def write(
    prim: Usd.Prim, name: str, change: Callable[[Any], Any], frame: float | None = None
) -> None:
    """Change an attribute in the layer that has it: its default or one sample."""
    attribute = prim.GetAttribute(name)
    stack = attribute.GetPropertyStack()
    above = prim.GetPrimStack()[-1]
    spec = stack[0] if stack else Sdf.AttributeSpec(above, name, attribute.GetTypeName())
    layer, path = spec.layer, spec.path
    if frame is None:
        for time in layer.ListTimeSamplesForPath(path):
            layer.SetTimeSample(path, time, change(layer.QueryTimeSample(path, time)))
        if spec.default is not None or not stack:
            spec.default = change(spec.default)
    else:
        layer.SetTimeSample(path, frame, change(layer.QueryTimeSample(path, frame)))
    layer.Save()


def arrays(index: int, *, by: float = 0.01) -> Callable[[Any], Any]:
    """Adds ``by`` to one number of an array."""

    def change(value: Any) -> Any:
        numbers = np.array(value)
        numbers.reshape(-1)[index] += type(numbers.flat[0])(by)
        return type(value).FromNumpy(numbers)

    return change


def to(value: Any) -> Callable[[Any], Any]:
    return lambda _: value


def mesh_of(stage: Usd.Stage, name: str) -> Usd.Prim:
    return next(
        p for p in stage.Traverse() if p.IsA(UsdGeom.Mesh) and f"/{name}/" in str(p.GetPath())
    )


def on_mesh(attribute: str, change: Callable[[Any], Any]) -> Spoil:
    return lambda stage: write(mesh_of(stage, "Plate"), attribute, change)


def on_instancer(name: str, attribute: str, change: Callable[[Any], Any]) -> Spoil:
    def spoil(stage: Usd.Stage) -> None:
        path = f"/thing/{name}/Instances"
        write(stage.GetPrimAtPath(path), attribute, change)

    return spoil


def on_xform(name: str, change: Callable[[Any], Any], frame: float | None = None) -> Spoil:
    return lambda stage: write(
        stage.GetPrimAtPath(f"/thing/{name}"), "xformOp:translate", change, frame
    )


def on_shader(kind: str, attribute: str, change: Callable[[Any], Any]) -> Spoil:
    def spoil(stage: Usd.Stage) -> None:
        found = (
            p for p in stage.Traverse()
            if "/Paint/" in str(p.GetPath()) and UsdShade.Shader(p)
            and UsdShade.Shader(p).GetShaderId() == kind and p.GetAttribute(attribute)
        )  # fmt: skip
        write(next(found), attribute, change)

    return spoil


def swapped_subsets(stage: Usd.Stage) -> None:
    subsets = UsdGeom.Subset.GetAllGeomSubsets(UsdGeom.Mesh(mesh_of(stage, "Plate")))
    values = [subset.GetIndicesAttr().Get() for subset in subsets]
    for subset, value in zip(subsets, reversed(values), strict=True):
        write(subset.GetPrim(), "indices", to(value))


def moved(value: Any) -> Any:
    return type(value)(value[0] + 0.01, value[1], value[2])


def seen(stage: Usd.Stage) -> None:
    """Show at all frames what is hidden at one."""
    for prim in stage.Traverse():
        attribute = prim.GetAttribute("visibility")
        if "/Blinking" in str(prim.GetPath()) and attribute and attribute.IsAuthored():
            write(prim, "visibility", to("inherited"))


def hidden(stage: Usd.Stage) -> None:
    write(stage.GetPrimAtPath("/thing/Plate"), "visibility", to("invisible"))


def wrong_channel(stage: Usd.Stage) -> None:
    prim = next(p for p in stage.Traverse() if p.GetAttribute("inputs:metallic").IsAuthored())
    spec = prim.GetAttribute("inputs:metallic").GetPropertyStack()[0]
    (source,) = spec.connectionPathList.GetAddedOrExplicitItems()
    spec.connectionPathList.explicitItems = [source.ReplaceName("outputs:r")]
    spec.layer.Save()


def without(path: str) -> Spoil:
    def spoil(stage: Usd.Stage) -> None:
        for spec in stage.GetPrimAtPath(path).GetPrimStack():
            spec.active = False
            spec.layer.Save()

    return spoil


def without_property(prim: Usd.Prim, name: str) -> None:
    spec = prim.GetAttribute(name).GetPropertyStack()[0]
    layer = spec.layer
    layer.GetPrimAtPath(spec.path.GetPrimPath()).RemoveProperty(spec)
    layer.Save()


def one_less(stage: Usd.Stage) -> None:
    prim = stage.GetPrimAtPath("/thing/Field/Instances")
    for name in ("protoIndices", "positions", "orientationsf", "scales", "ids"):
        if prim.GetAttribute(name).IsAuthored():
            write(prim, name, lambda value: value[:-1])


SURFACE, TEXTURE, PLACE = "UsdPreviewSurface", "UsdUVTexture", "UsdTransform2d"
OPENPBR = "ND_open_pbr_surface_surfaceshader"
OTHER = Sdf.AssetPath("other.png")
SPOILS: list[tuple[str, str, Spoil]] = [
    ("one point", "Plate", on_mesh("points", arrays(4))),
    ("one normal", "Plate", on_mesh("normals", arrays(4, by=0.1))),
    ("one UV", "Plate", on_mesh("primvars:st", arrays(3))),
    ("one UV of the second map", "Plate", on_mesh("primvars:Second", arrays(3))),
    ("one colour", "Plate", on_mesh("primvars:Tint", arrays(5))),
    ("one attribute", "Plate", on_mesh("primvars:heat", arrays(5))),
    ("two corners", "Plate", on_mesh("faceVertexIndices", arrays(0, by=1))),
    ("orientation", "Plate", on_mesh("orientation", to("leftHanded"))),
    ("subdivision", "Plate", on_mesh("subdivisionScheme", to("catmullClark"))),
    ("swapped subsets", "Plate", swapped_subsets),
    ("one position", "Field", on_instancer("Field", "positions", arrays(7))),
    ("one turn", "Field", on_instancer("Field", "orientationsf", arrays(7, by=0.05))),
    ("one scale", "Field", on_instancer("Field", "scales", arrays(7))),
    ("one position of an object", "Leaf", on_instancer("Tree", "positions", arrays(7))),
    ("a duplicate", "Copy 1", on_xform("Copy_1", moved)),
    ("an object", "Plate", on_xform("Plate", moved)),
    ("one frame", "Moving", on_xform("Moving", moved, 5.0)),
    ("the last frame", "Moving", on_xform("Moving", moved, 9.0)),
    ("channel", "Plate", wrong_channel),
    ("no mesh", "Plate", without("/thing/Plate/Plate")),
    ("no object", "Moving", without("/thing/Moving")),
    ("no UV map", "Plate", lambda s: without_property(mesh_of(s, "Plate"), "primvars:Second")),
    ("one instance less", "Field", one_less),
    ("visibility", "Blinking", seen),
    ("hidden", "Plate", hidden),
    ("opacity", "Plate", on_shader(SURFACE, "inputs:opacity", lambda v: v * 0.99)),
    ("roughness", "Plate", on_shader(SURFACE, "inputs:roughness", to(0.31))),
    ("ior", "Plate", on_shader(SURFACE, "inputs:ior", to(1.41))),
    ("emission", "Plate", on_shader(SURFACE, "inputs:emissiveColor", to((0.2, 0.4, 0.61)))),
    ("colour space", "Plate", on_shader(TEXTURE, "inputs:sourceColorSpace", to("raw"))),
    ("texture", "Plate", on_shader(TEXTURE, "inputs:file", to(OTHER))),
    ("tiling", "Plate", on_shader(PLACE, "inputs:scale", to((2, 3.1)))),
    ("turn of a texture", "Plate", on_shader(PLACE, "inputs:rotation", to(30.0))),
    ("shift of a texture", "Plate", on_shader(PLACE, "inputs:translation", to((0.25, 0.6)))),
    ("ior of OpenPBR", "Plate", on_shader(OPENPBR, "inputs:specular_ior", to(1.41))),
    ("opacity of OpenPBR", "Plate", on_shader(OPENPBR, "inputs:geometry_opacity", to(0.79))),
    ("glow of OpenPBR", "Plate", on_shader(OPENPBR, "inputs:emission_luminance", to(2.1))),
    ("colour of OpenPBR", "Plate", on_shader(OPENPBR, "inputs:emission_color", to((1, 0, 0)))),
    ("image of OpenPBR", "Plate", on_shader("ND_image_color3", "inputs:file", to(OTHER))),
]


def test_every_spoil_is_found_under_its_object_and_none_without(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    scene(tmp_path)
    asset = exported(tmp_path / "out")
    assert losses(asset) == []
    record = SceneRecord.load(tmp_path / "out" / "scene")
    wrong = []
    for number, (what, name, spoil) in enumerate(SPOILS):
        root = tmp_path / f"spoil {number}" / asset.files.root.name
        shutil.copytree(asset.files.root.parent, root.parent)
        spoil(Usd.Stage.Open(str(root)))
        blamed = {f.object for f in finish(compare(root, record)).findings}
        if blamed != {name}:
            wrong.append((what, name, blamed))
    assert wrong == []
