# SPDX-License-Identifier: GPL-3.0-or-later
"""The comparison of a scene with its stage: answers known beforehand."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pxr import Gf, Sdf, Usd, UsdGeom, UsdLux, UsdShade, UsdSkel, Vt

from stagewright.usd_tools.asset import author_asset
from stagewright.usd_tools.check import check_asset
from stagewright.usd_tools.findings import CheckReport
from stagewright.usd_tools.pairing import Places, pair_equal, pair_nearest
from stagewright.usd_tools.scene_record import (
    InputRecord,
    MaterialRecord,
    MeshRecord,
    ObjectRecord,
    SceneRecord,
)

Finish = Callable[[Any], Any]


SQUARE = np.array([(-1, -1, 0), (1, -1, 0), (1, 1, 0), (-1, 1, 0)], dtype=float)
CUBE = np.array(list(itertools.product((-1, 1), repeat=3)), dtype=float)
CUBE_FACES = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]


def _mesh(
    name: str,
    points: Any,
    *,
    faces: Any = 1,
    materials: Any = (),
    frame: Any = 1.0,
    instance: Any = False,
) -> Any:
    return MeshRecord(name, instance, frame, np.asarray(points, float), faces, tuple(materials))


def _record(
    *meshes: object,
    objects: Any = (),
    materials: Any = (),
    aliases: Any = None,
    frames: Any = (1.0,),
) -> Any:
    return SceneRecord(tuple(meshes), tuple(objects), tuple(materials), aliases or {}, frames)


@pytest.fixture
def check(native: Any, tmp_path: Path, finish: Finish) -> Any:
    """Make the asset of ``native`` and compare it with a record."""
    numbers = itertools.count()

    def check(record: Any, materials: Any = (), metres: Any = 1.0) -> Any:
        native.save()
        root = tmp_path / f"out{next(numbers)}" / "lantern.usda"
        files = finish(
            author_asset(
                native.path, root, name="lantern", materials=materials, meters_per_unit=metres
            )
        )
        report = finish(check_asset(files.root, record))
        assert not [f for f in report.findings if f.severity == "error"]
        return report

    return check


def _losses(report: CheckReport) -> Any:
    return [(f.check, f.object) for f in report.findings if f.severity == "loss"]


def test_equal_scenes_have_no_losses(native: Any, check: Any) -> None:
    xform = UsdGeom.Xformable(native.mesh("Plate", SQUARE).GetPrim().GetParent())
    xform.AddTranslateOp().Set((5, 0, 0))
    xform.AddRotateXYZOp().Set((0, 0, 90))
    xform.AddScaleOp().Set((2, 1, 1))
    # By hand: scaled by 2 along x, turned by a quarter, moved by 5.
    world = [(6, -2, 0), (6, 2, 0), (4, 2, 0), (4, -2, 0)]
    report = check(_record(_mesh("Plate", world), objects=[ObjectRecord("Plate", "MESH")]))
    assert not _losses(report)
    assert report.compared == 1
    assert report.greatest_distance == pytest.approx(0.0, abs=1e-12)


def test_the_transforms_of_parents_count(native: Any, check: Any) -> None:
    hub = native.object("Hub")
    hub.AddTranslateOp().Set((0, 0, 3))
    hub.AddRotateXOp().Set(90.0)
    native.mesh("Plate", SQUARE + (0, 0, 1), parent="/lantern/Hub")
    world = [(x, -1, y + 3) for x, y, _ in SQUARE]
    assert not _losses(check(_record(_mesh("Plate", world))))


@pytest.mark.parametrize("up", ["Y", "Z"])
@pytest.mark.parametrize(("stage", "scene"), [(1.0, 1.0), (0.01, 1.0), (0.01, 0.01), (1.0, 0.1)])
def test_axes_and_units_of_the_stage_are_honoured(
    native: Any, check: Any, up: str, stage: float, scene: float
) -> None:
    UsdGeom.SetStageUpAxis(native.stage, up)
    world = SQUARE + (0, 2, 7)
    points = world if up == "Z" else np.stack([world[:, 0], world[:, 2], -world[:, 1]], axis=1)
    native.mesh("Plate", points * scene / stage)
    record = dataclasses.replace(_record(_mesh("Plate", world)), meters_per_unit=scene)
    report = check(record, metres=stage)
    assert not _losses(report)
    assert report.compared == 1


def test_the_distance_of_one_moved_point_is_reported(native: Any, check: Any) -> None:
    native.mesh("Plate", SQUARE)
    native.mesh("Lid", SQUARE)
    moved = SQUARE.copy()
    moved[2] += (0.006, 0, 0.008)  # 0.01 away
    report = check(_record(_mesh("Plate", moved), _mesh("Lid", SQUARE)))
    (found,) = (f for f in report.findings if f.severity == "loss")
    assert (found.check, found.object) == ("mesh-points", "Plate")
    assert found.value == pytest.approx(0.01, rel=1e-6)
    assert "0.01 " in found.message and found.message.startswith("1 points of Plate")
    assert report.greatest_distance == found.value
    assert report.compared == 2


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_points_that_lie_nowhere_are_an_error(
    native: Any, tmp_path: Path, finish: Finish, value: float
) -> None:
    points = np.array(SQUARE, dtype=float)
    points[2, 1] = value
    native.mesh("Plate", points)
    root = tmp_path / "out" / "lantern.usda"
    finish(author_asset(native.save(), root, name="lantern", materials=[]))
    report = finish(check_asset(root, _record(_mesh("Plate", points))))
    found = [f for f in report.findings if f.severity == "error"]
    assert [(f.check, f.object) for f in found] == [("not-finite", "Plate")]


def test_the_tolerance_is_that_of_single_precision(native: Any, check: Any) -> None:
    far = SQUARE + (1000, 0, 0)
    native.mesh("Plate", far)
    assert not _losses(check(_record(_mesh("Plate", far + 1e-3))))
    assert _losses(check(_record(_mesh("Plate", far + 5e-3))))


def test_points_are_compared_at_every_frame(native: Any, check: Any) -> None:
    op = UsdGeom.Xformable(native.mesh("Plate", SQUARE).GetPrim().GetParent()).AddTranslateOp()
    for frame in (1, 2, 3):
        op.Set((frame, 0, 0), frame)
    right = [_mesh("Plate", SQUARE + (f, 0, 0), frame=f) for f in (1.0, 2.0, 3.0)]
    assert not _losses(check(_record(*right, frames=(1.0, 2.0, 3.0))))
    wrong = [*right[:2], _mesh("Plate", SQUARE + (3.5, 0, 0), frame=3.0)]
    report = check(_record(*wrong, frames=(1.0, 2.0, 3.0)))
    (found,) = (f for f in report.findings if f.severity == "loss")
    assert found.value == pytest.approx(0.5)
    assert "at frame 3" in found.message
    assert "geometry nodes" in found.cure


def test_copies_of_the_base_instead_of_instances_are_a_loss(native: Any, check: Any) -> None:
    grid = np.array(list(itertools.product(range(5), range(5), (0,))), dtype=float)
    quads = [(i, i + 5, i + 6, i + 1) for j in range(4) for i in range(5 * j, 5 * j + 4)]
    cubes = [_mesh("Scatter", CUBE * 0.1 + p, faces=6, instance=True) for p in grid]
    base = _mesh("Scatter", grid, faces=16)
    aliases = {f"Scatter real {i}": "Scatter" for i in range(25)}
    native.mesh("Scatter", grid, quads)
    for name in aliases:
        native.mesh(name, grid, quads)
    report = check(_record(base, *cubes, aliases=aliases))
    (found,) = (f for f in report.findings if f.severity == "loss")
    assert (found.check, found.object, found.value) == ("mesh-topology", "Scatter", 25.0)
    assert "8 points and 6 faces" in found.message and "25 points and 16 faces" in found.message
    assert found.cure
    assert report.compared == 1


def test_real_copies_stand_for_the_instances_of_their_emitter(native: Any, check: Any) -> None:
    places = np.array(list(itertools.product(range(5), range(5), (0,))), dtype=float)
    aliases = {}
    for i, place in enumerate(places[::-1]):
        aliases[f"Copy.{i:03}"] = "Scatter"
        native.mesh(f"Copy.{i:03}", CUBE * 0.1 + place, CUBE_FACES)
    cubes = [_mesh("Scatter", CUBE * 0.1 + p, faces=6, instance=True) for p in places]
    report = check(_record(*cubes, aliases=aliases))
    assert not _losses(report)
    assert report.compared == 25


def test_missing_and_extra_meshes_are_counted(native: Any, check: Any) -> None:
    native.mesh("Plate", SQUARE)
    native.mesh("Ghost", SQUARE)
    twice = [_mesh("Plate", SQUARE), _mesh("Plate", SQUARE + 3), _mesh("Gone", SQUARE)]
    report = check(_record(*twice))
    found = {(f.check, f.object): f.value for f in report.findings if f.severity == "loss"}
    assert found == {
        ("mesh-extra", "Ghost"): 1.0,
        ("mesh-missing", "Plate"): 1.0,
        ("mesh-missing", "Gone"): 1.0,
    }


def test_empty_meshes_are_missing_when_the_scene_shows_points(native: Any, check: Any) -> None:
    native.mesh("Scatter", np.zeros((0, 3)), [])
    assert _losses(check(_record(_mesh("Scatter", CUBE, faces=6)))) == [("mesh-missing", "Scatter")]


def test_materials_of_faces_are_compared(native: Any, check: Any) -> None:
    red, blue = native.material("Red"), native.material("Blue été")
    native.mesh("One", SQUARE, material=red)
    two = native.mesh("Two", SQUARE, [(0, 1, 2), (0, 2, 3)], material=red)
    subset = UsdShade.MaterialBindingAPI(two).CreateMaterialBindSubset("b", Vt.IntArray([1]))
    UsdShade.MaterialBindingAPI.Apply(subset.GetPrim()).Bind(blue)
    native.mesh("None", SQUARE)

    def meshes(one: Any = ("Red",), two: Any = ("Blue été", "Red"), none: Any = ()) -> Any:
        return [
            _mesh("One", SQUARE, materials=one),
            _mesh("Two", SQUARE, faces=2, materials=two),
            _mesh("None", SQUARE, materials=none),
        ]

    assert not _losses(check(_record(*meshes())))
    report = check(_record(*meshes(one=("Blue été",), two=("Red",), none=("Red",))))
    assert _losses(report) == [
        ("mesh-materials", "None"),
        ("mesh-materials", "One"),
        ("mesh-materials", "Two"),
    ]


def test_covered_faces_do_not_count_the_binding_of_the_mesh(native: Any, check: Any) -> None:
    red, blue = native.material("Red"), native.material("Blue")
    mesh = native.mesh("Plate", SQUARE, material=red)
    subset = UsdShade.MaterialBindingAPI(mesh).CreateMaterialBindSubset("b", Vt.IntArray([0]))
    UsdShade.MaterialBindingAPI.Apply(subset.GetPrim()).Bind(blue)
    assert not _losses(check(_record(_mesh("Plate", SQUARE, materials=("Blue",)))))


def test_skinned_points_are_those_that_a_renderer_shows(native: Any, check: Any) -> None:
    native.object("Rig", type_=UsdSkel.Root)
    skeleton = UsdSkel.Skeleton.Define(native.stage, "/lantern/Rig/Bones")
    skeleton.CreateJointsAttr(["a"])
    skeleton.CreateBindTransformsAttr([Gf.Matrix4d(1)])
    skeleton.CreateRestTransformsAttr([Gf.Matrix4d(1)])
    animation = UsdSkel.Animation.Define(native.stage, "/lantern/Rig/Bones/Action")
    animation.CreateJointsAttr(["a"])
    animation.CreateScalesAttr([Gf.Vec3h(1, 1, 1)])
    animation.CreateRotationsAttr()
    animation.CreateTranslationsAttr()
    quarter = Gf.Quatf(np.sqrt(0.5), Gf.Vec3f(0, 0, np.sqrt(0.5)))
    for time, rotation, place in ((1, Gf.Quatf(1), (0, 0, 0)), (5, quarter, (0, 0, 2))):
        animation.GetRotationsAttr().Set([rotation], time)
        animation.GetTranslationsAttr().Set([Gf.Vec3f(place)], time)
    UsdSkel.BindingAPI.Apply(skeleton.GetPrim()).CreateAnimationSourceRel().SetTargets(
        [animation.GetPath()]
    )
    mesh = native.mesh("Flag", SQUARE, parent="/lantern/Rig")
    binding = UsdSkel.BindingAPI.Apply(mesh.GetPrim())
    binding.CreateSkeletonRel().SetTargets([skeleton.GetPath()])
    binding.CreateJointIndicesPrimvar(False, 1).Set([0] * 4)
    binding.CreateJointWeightsPrimvar(False, 1).Set([1.0] * 4)
    UsdGeom.Xformable(native.stage.GetPrimAtPath("/lantern/Rig")).AddTranslateOp().Set((7, 0, 0))
    turned = [(-y + 7, x, 2) for x, y, _ in SQUARE]
    straight = SQUARE + (7, 0, 0)
    frames = [_mesh("Flag", straight, frame=1.0), _mesh("Flag", turned, frame=5.0)]
    objects = [ObjectRecord("Rig", "ARMATURE"), ObjectRecord("Flag", "MESH")]
    report = check(_record(*frames, objects=objects, frames=(1.0, 5.0)))
    assert not _losses(report)
    assert report.compared == 1
    still = [frames[0], _mesh("Flag", straight, frame=5.0)]
    assert _losses(check(_record(*still, frames=(1.0, 5.0)))) == [("mesh-points", "Flag")]


def test_objects_without_a_counterpart_are_named(native: Any, check: Any) -> None:
    for name in ("Ortho", "Dark", "Wire", "Rig", "Null"):
        native.object(name)
    native.object("Persp")
    UsdGeom.Camera.Define(native.stage, "/lantern/Persp/Camera")
    native.object("Sun")
    UsdLux.DistantLight.Define(native.stage, "/lantern/Sun/Sun")
    native.object("Curve")
    UsdGeom.BasisCurves.Define(native.stage, "/lantern/Curve/Curve")
    kinds = {
        "Ortho": "CAMERA",
        "Dark": "LIGHT",
        "Wire": "CURVE",
        "Rig": "ARMATURE",
        "Null": "EMPTY",
        "Persp": "CAMERA",
        "Sun": "LIGHT",
        "Curve": "CURVE",
        "Gone": "EMPTY",
    }
    report = check(_record(objects=[ObjectRecord(n, t) for n, t in kinds.items()]))
    lost = ["Dark", "Gone", "Ortho", "Rig", "Wire"]
    assert _losses(report) == [("object-missing", name) for name in lost]
    (ortho,) = (f for f in report.findings if f.object == "Ortho")
    assert "camera" in ortho.message and "perspective" in ortho.cure


def _constant(*value: object) -> Any:
    return InputRecord("constant", value)


def _input_losses(report: CheckReport) -> Any:
    return [f.message for f in report.findings if f.check == "material-input"]


def test_constants_of_a_material_are_compared(native: Any, check: Any) -> None:
    native.material(
        "Brass",
        diffuseColor=(0.8, 0.6, 0.2),
        metallic=1.0,
        roughness=0.3,
        opacity=1.0,
        emissiveColor=(2.0, 1.0, 0.2),
    )
    inputs = {
        "Base Color": _constant(0.8, 0.6, 0.2, 1.0),
        "Metallic": _constant(1.0),
        "Roughness": _constant(0.3),
        "Alpha": _constant(1.0),
        "IOR": _constant(1.5),
        "Emission Color": _constant(1.0, 0.5, 0.1, 1.0),
        "Emission Strength": _constant(2.0),
        "Coat Weight": _constant(0.0),
        "Coat Roughness": _constant(0.03),
        "Normal": _constant(0.0, 0.0, 0.0),
        "Sheen Weight": _constant(0.0),
        "Specular Tint": _constant(1.0, 1.0, 1.0, 1.0),
    }
    record = _record(materials=[MaterialRecord("Brass", inputs)])
    assert not _losses(check(record))
    wrong = inputs | {"Roughness": _constant(0.30002), "IOR": _constant(1.2)}
    wrong |= {"Base Color": _constant(0.8, 0.6, 0.3, 1.0), "Sheen Weight": _constant(1.0)}
    wrong |= {"Emission Strength": _constant(3.0)}
    report = check(_record(materials=[MaterialRecord("Brass", wrong)]))
    assert _input_losses(report) == [
        "Base Color of material Brass is 0.8, 0.6, 0.3, but 0.8, 0.6, 0.2 in the file.",
        "Emission Color of material Brass is 3, 1.5, 0.3, but 2, 1, 0.2 in the file.",
        "IOR of material Brass is 1.2, but 1.5 in the file.",
        "Roughness of material Brass is 0.30002, but 0.3 in the file.",
        "Sheen Weight of material Brass is in use, which the preview surface does not hold.",
    ]


def test_constant_alpha_is_repaired_and_seen_when_it_is_not(native: Any, check: Any) -> None:
    native.material("Glass", opacity=1.0)
    glass = MaterialRecord("Glass", {"Alpha": _constant(0.25)})
    assert not _losses(check(_record(materials=[glass]), materials=[glass]))
    assert _input_losses(check(_record(materials=[glass]))) == [
        "Alpha of material Glass is 0.25, but 1 in the file."
    ]


def test_images_and_nodes_of_a_material_are_compared(
    native: Any, check: Any, tmp_path: Path
) -> None:
    for name, content in (("wood.png", b"w"), ("bark.png", b"b"), ("again.png", b"w")):
        (tmp_path / name).write_bytes(content)
    native.material(
        "Wood",
        diffuseColor=tmp_path / "wood.png",
        roughness=tmp_path / "bark.png",
        metallic=tmp_path / "again.png",
        clearcoat=0.0,
    )
    image = {n: InputRecord("image", image=f"{n}.png") for n in ("wood", "bark", "again")}
    inputs = {"Base Color": image["wood"], "Roughness": image["bark"], "Metallic": image["again"]}
    assert not _losses(check(_record(materials=[MaterialRecord("Wood", inputs)])))
    wrong = {
        "Base Color": InputRecord("nodes", nodes=("Mix", "Ambient Occlusion")),
        "Roughness": image["wood"],
        "Metallic": _constant(0.0),
        "Coat Weight": image["bark"],
    }
    user = _mesh("Plate", SQUARE, materials=("Wood",))
    native.mesh("Plate", SQUARE, material=UsdShade.Material.Get(
        native.stage, "/lantern/_materials/Wood"))  # fmt: skip
    report = check(_record(user, materials=[MaterialRecord("Wood", wrong)]))
    assert _input_losses(report) == [
        "Base Color of material Wood goes through Mix, Ambient Occlusion, "
        "which the preview surface does not hold.",
        "Coat Weight of material Wood is the image bark.png, but a plain value in the file.",
        "Metallic of material Wood is 0, but the image again.png in the file.",
        "Roughness of material Wood is the image wood.png, but bark.png in the file.",
    ]
    assert {f.object for f in report.findings if f.check == "material-input"} == {"Plate"}


def _texture(native: Any, socket: str) -> UsdShade.Shader:
    return UsdShade.Shader.Get(native.stage, f"/lantern/_materials/Wood/{socket}_texture")


def test_a_halved_texture_is_a_loss(native: Any, check: Any, tmp_path: Path) -> None:
    native.material("Wood", diffuseColor=tmp_path / "wood.png")
    (tmp_path / "wood.png").write_bytes(b"")
    scale = _texture(native, "diffuseColor").CreateInput("scale", Sdf.ValueTypeNames.Float4)
    scale.Set((0.5, 0.5, 0.5, 1))
    wood = MaterialRecord("Wood", {"Base Color": InputRecord("image", image="wood.png")})
    assert _input_losses(check(_record(materials=[wood]), [wood])) == [
        "Base Color of material Wood is an image multiplied by 1, 1, 1, "
        "but by 0.5, 0.5, 0.5 in the file."
    ]


@pytest.mark.parametrize("strength", [0.0, 0.6, 1.0, 1.7])
def test_the_strength_of_a_normal_map_reaches_the_file(
    native: Any, check: Any, tmp_path: Path, strength: float
) -> None:
    native.material("Wood", normal=tmp_path / "bumps.png")
    (tmp_path / "bumps.png").write_bytes(b"")
    texture = _texture(native, "normal")
    texture.CreateInput("scale", Sdf.ValueTypeNames.Float4).Set((2, 2, 2, 2))
    texture.CreateInput("bias", Sdf.ValueTypeNames.Float4).Set((-1, -1, -1, -1))
    texture.CreateInput("sourceColorSpace", Sdf.ValueTypeNames.Token).Set("raw")
    normal = InputRecord("image", image="bumps.png", scale=strength)
    wood = MaterialRecord("Wood", {"Normal": normal})
    left_out = check(_record(materials=[wood]))
    assert bool(_input_losses(left_out)) == (strength != 1.0)
    report = check(_record(materials=[wood]), [wood])
    assert [f.check for f in report.findings] == ["validators"]
    root = max(tmp_path.glob("out*")) / "lantern.usda"
    stage = Usd.Stage.Open(str(root))
    held = stage.GetPrimAtPath(texture.GetPath())
    scale, bias = (np.array(held.GetAttribute(f"inputs:{n}").Get()) for n in ("scale", "bias"))
    for colour in np.random.default_rng(2).random((5, 3)):
        x, y, z = 2 * colour - 1
        z = np.interp(min(strength, 1), (0, 1), (1, z))
        normal = (x * strength, y * strength, z)
        assert colour * scale[:3] + bias[:3] == pytest.approx(normal, abs=1e-6)


def test_coordinates_that_go_through_nodes_are_a_loss_unless_the_file_moves_them(
    native: Any, check: Any, tmp_path: Path
) -> None:
    native.material("Wood", diffuseColor=tmp_path / "wood.png")
    (tmp_path / "wood.png").write_bytes(b"")
    moved = InputRecord("image", image="wood.png", mapped=True)
    wood = MaterialRecord("Wood", {"Base Color": moved})
    assert _input_losses(check(_record(materials=[wood]), [wood])) == [
        "Base Color of material Wood is an image placed by nodes, "
        "which the preview surface does not hold."
    ]
    mapping = UsdShade.Shader.Define(native.stage, "/lantern/_materials/Wood/Mapping")
    mapping.CreateIdAttr("UsdTransform2d")
    reader = UsdShade.Shader.Get(native.stage, "/lantern/_materials/Wood/diffuseColor_reader")
    kind = Sdf.ValueTypeNames.Float2
    mapping.CreateInput("in", kind).ConnectToSource(reader.GetOutput("result"))
    _texture(native, "diffuseColor").GetInput("st").ConnectToSource(
        mapping.CreateOutput("result", kind)
    )
    assert not _losses(check(_record(materials=[wood]), [wood]))


def test_images_are_read_by_the_uv_map_of_the_scene(
    native: Any, check: Any, tmp_path: Path
) -> None:
    wood = native.material("Wood", diffuseColor=tmp_path / "wood.png")
    (tmp_path / "wood.png").write_bytes(b"")
    reader = UsdShade.Shader.Get(native.stage, "/lantern/_materials/Wood/diffuseColor_reader")

    def plate(name: str, *uv_maps: str) -> Any:
        mesh = native.mesh(name, SQUARE, material=wood)
        for uv_map in uv_maps:
            kind = Sdf.ValueTypeNames.TexCoord2fArray
            primvar = UsdGeom.PrimvarsAPI(mesh).CreatePrimvar(uv_map, kind, "vertex")
            primvar.Set([(0, 0)] * 4)
        return _mesh(name, SQUARE, materials=("Wood",))

    # The map "Bark" renders, so it is called "st"; the exporter took "Moss" for it.
    meshes = [plate("Plate", "st", "Moss_1")]
    for uv_map, before, after in (("Bark", "Bark", "st"), ("Moss 1", "st", "Moss_1")):
        reader.GetInput("varname").Set(before)
        image = InputRecord("image", image="wood.png", uv_map=uv_map)
        material = MaterialRecord("Wood", {"Base Color": image})
        (found,) = (
            f
            for f in check(_record(*meshes, materials=[material])).findings
            if f.severity == "loss"
        )
        assert (found.check, found.object) == ("material-uv", "Plate")
        assert before in found.message and after in found.message
        assert not _losses(check(_record(*meshes, materials=[material]), [material]))
    # On another object this map renders: one reader cannot serve both.
    meshes.append(plate("Lid", "st"))
    report = check(_record(*meshes, materials=[material]), [material])
    assert _losses(report) == [("material-uv", "Lid")]


def test_materials_without_a_surface_or_a_prim_are_named(native: Any, check: Any) -> None:
    native.material("Plain")
    other = UsdShade.Material.Define(native.stage, "/lantern/_materials/Toon")
    other.GetPrim().CreateAttribute(
        "userProperties:blender:data_name", Sdf.ValueTypeNames.String
    ).Set("Toon")
    principled = {"Metallic": _constant(0.0)}
    records = [MaterialRecord("Toon"), MaterialRecord("Gone", principled)]
    report = check(_record(materials=[*records, MaterialRecord("Plain", principled)]))
    assert sorted(f.check for f in report.findings if f.severity == "loss") == [
        "material-missing",
        "material-surface",
    ]


def test_wrong_extents_are_warnings(native: Any, check: Any) -> None:
    mesh = native.mesh("Plate", SQUARE)
    assert "extent" not in [f.check for f in check(None).findings]
    mesh.GetExtentAttr().Set([(0, 0, 0), (1, 1, 1)])
    found = [f for f in check(None).findings if f.check == "extent"]
    assert [(f.severity, f.object) for f in found] == [("warning", "Plate")]


def test_pairs_are_those_of_least_distance() -> None:
    random = np.random.default_rng(5)
    shape = random.normal(size=(6, 3))
    places = random.permutation(np.array(list(itertools.product(range(4), repeat=3)), float))
    order = random.permutation(len(places))
    first = Places([_mesh("A", shape + place) for place in places])
    second = [places[i] + random.normal(scale=0.01, size=3) for i in order]
    stands = np.tile(np.eye(4), (len(second), 1, 1))
    stands[:, 3, :3] = second
    second = Places([dataclasses.replace(_mesh("A", shape), matrices=stands)])
    for pairs in (
        pair_equal(first, second, np.full(len(second), 0.2)),
        pair_nearest(first.features, second.features),
    ):
        assert sorted(pairs.tolist()) == sorted([int(i), j] for j, i in enumerate(order))
    assert not len(pair_equal(first, second, np.full(len(second), 1e-9)))


def test_coincident_shapes_are_each_used_once() -> None:
    first = Places([_mesh("A", CUBE)] * 40)
    for shift in (0.0, 0.1):
        second = Places([_mesh("A", CUBE + shift)] * 50)
        equal = pair_equal(first, second, np.full(50, 1e-6))
        for pairs in (equal,) * (shift == 0) + (pair_nearest(first.features, second.features),):
            assert sorted(pairs[:, 0].tolist()) == list(range(40))
            assert len(set(pairs[:, 1].tolist())) == 40


def test_a_record_survives_saving(tmp_path: Path, native: Any, check: Any) -> None:
    native.mesh("Plate", SQUARE)
    record = _record(_mesh("Plate", SQUARE + 1), objects=[ObjectRecord("Cam", "CAMERA")])
    record.save(tmp_path / "record")
    assert check(SceneRecord.load(tmp_path / "record")) == check(record)
