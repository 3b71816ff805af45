# SPDX-License-Identifier: GPL-3.0-or-later
"""Every way of spoiling what lies on a mesh is found; a right file has no findings."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pxr import Sdf, Tf, Usd, UsdGeom, UsdShade, Vt

from stagewright.usd_tools.fidelity import compare
from stagewright.usd_tools.scene_record import (
    MeshRecord,
    SceneRecord,
    SurfaceRecord,
    ValuesRecord,
)

SQUARE = np.array([(-1, -1, 0), (1, -1, 0), (1, 1, 0), (-1, 1, 0)], dtype=float)
FACES = ((0, 1, 2), (0, 2, 3))
CORNERS = np.array([0, 1, 2, 0, 2, 3], np.int32)
UVS = np.array([(0, 0), (1, 0), (1, 1), (0, 0), (1, 1), (0, 1)], np.float32)
BAKE = UVS * 0.5 + 0.25
COLOURS = np.linspace(0, 1, 16, dtype=np.float32).reshape(4, 4)
HEAT = np.array([[0.25], [0.75]], np.float32)
SECOND = Tf.MakeValidIdentifier("Bake été")
UP = np.array([(0, 0, 1)] * 6, np.float32)


def record() -> SceneRecord:
    surface = SurfaceRecord(
        counts=np.array([3, 3], np.int32),
        corners=CORNERS,
        normals=UP,
        slots=np.array([0, 1], np.int32),
        materials=("Red", "Blue"),
        uv_maps=(ValuesRecord("UVMap", "CORNER", UVS), ValuesRecord("Bake été", "CORNER", BAKE)),
        attributes=(ValuesRecord("Col", "POINT", COLOURS), ValuesRecord("heat", "FACE", HEAT)),
    )
    mesh = MeshRecord("Plate", False, 1.0, SQUARE, 2, ("Blue", "Red"), surface)
    return SceneRecord((mesh,), (), (), {}, (1.0,))


@pytest.fixture
def plate(native: Any) -> UsdGeom.Mesh:
    red, blue = native.material("Red"), native.material("Blue")
    mesh = native.mesh("Plate", SQUARE, FACES, material=red)
    subset = UsdShade.MaterialBindingAPI(mesh).CreateMaterialBindSubset("b", Vt.IntArray([1]))
    UsdShade.MaterialBindingAPI.Apply(subset.GetPrim()).Bind(blue)
    mesh.CreateNormalsAttr(Vt.Vec3fArray.FromNumpy(UP[:2]))
    mesh.SetNormalsInterpolation("uniform")
    primvars = UsdGeom.PrimvarsAPI(mesh)
    st = primvars.CreatePrimvar("st", Sdf.ValueTypeNames.TexCoord2fArray, "faceVarying")
    st.Set(Vt.Vec2fArray.FromNumpy(UVS[[0, 1, 2, 5]]))
    st.SetIndices(Vt.IntArray([0, 1, 2, 0, 2, 3]))
    bake = primvars.CreatePrimvar(SECOND, Sdf.ValueTypeNames.TexCoord2fArray, "faceVarying")
    bake.Set(Vt.Vec2fArray.FromNumpy(BAKE))
    colour = primvars.CreatePrimvar("Col", Sdf.ValueTypeNames.Color4fArray, "vertex")
    colour.Set(Vt.Vec4fArray.FromNumpy(COLOURS))
    heat = primvars.CreatePrimvar("heat", Sdf.ValueTypeNames.FloatArray, "uniform")
    heat.Set([0.25, 0.75])
    return mesh


def findings(native: Any, finish: Callable[[Any], Any]) -> set[tuple[str, str]]:
    found = finish(compare(native.save(), record())).findings
    return {(f.check, f.object) for f in found if not f.check.startswith("material-")}


def primvar(mesh: UsdGeom.Mesh, name: str) -> UsdGeom.Primvar:
    return UsdGeom.PrimvarsAPI(mesh).GetPrimvar(name)


def subset_of(mesh: UsdGeom.Mesh) -> UsdGeom.Subset:
    return UsdShade.MaterialBindingAPI(mesh).GetMaterialBindSubsets()[0]


def moved(values: Any, index: int, by: float) -> Any:
    changed = np.array(values, np.float32)
    changed[index] += by
    return changed


SPOILS: dict[str, tuple[str, Callable[[UsdGeom.Mesh], object]]] = {
    "one UV": (
        "mesh-uv",
        lambda m: primvar(m, SECOND).Set(Vt.Vec2fArray.FromNumpy(moved(BAKE, 4, 1e-4))),
    ),
    "one index of a UV map": (
        "mesh-uv",
        lambda m: primvar(m, "st").SetIndices(Vt.IntArray([0, 1, 2, 0, 3, 3])),
    ),
    "a dropped UV map": ("mesh-uv", lambda m: m.GetPrim().RemoveProperty(f"primvars:{SECOND}")),
    "a UV map of another interpolation": (
        "mesh-uv",
        lambda m: primvar(m, SECOND).SetInterpolation("vertex"),
    ),
    "NaN in a UV map": (
        "mesh-uv",
        lambda m: primvar(m, SECOND).Set(Vt.Vec2fArray.FromNumpy(moved(BAKE, 0, np.nan))),
    ),
    "one colour": (
        "mesh-attribute",
        lambda m: primvar(m, "Col").Set(Vt.Vec4fArray.FromNumpy(moved(COLOURS, 2, 0.001))),
    ),
    "a dropped primvar": ("mesh-attribute", lambda m: m.GetPrim().RemoveProperty("primvars:Col")),
    "the values of a primvar alone": ("mesh-attribute", lambda m: primvar(m, "heat").Set([0.25])),
    "an attribute in the wrong interpolation": (
        "mesh-attribute",
        lambda m: primvar(m, "heat").SetInterpolation("faceVarying"),
    ),
    "a blocked attribute": (
        "mesh-attribute",
        lambda m: primvar(m, "heat").GetAttr().Block(),
    ),
    "a flipped normal": ("mesh-normals", lambda m: m.GetNormalsAttr().Set([(0, 0, 1), (0, 0, -1)])),
    "a tilted normal": (
        "mesh-normals",
        lambda m: m.GetNormalsAttr().Set([(0, 0.01, 1), (0, 0, 1)]),
    ),
    "no normals": ("mesh-normals", lambda m: m.GetPrim().RemoveProperty("normals")),
    "too few normals": ("mesh-normals", lambda m: m.GetNormalsAttr().Set([(0, 0, 1)])),
    "a turned face": (
        "mesh-faces",
        lambda m: m.GetFaceVertexIndicesAttr().Set([0, 2, 1, 0, 2, 3]),
    ),
    "another diagonal": (
        "mesh-faces",
        lambda m: m.GetFaceVertexIndicesAttr().Set([0, 1, 3, 1, 2, 3]),
    ),
    "left-handed faces": ("mesh-faces", lambda m: m.GetOrientationAttr().Set("leftHanded")),
    "a subdivision scheme": (
        "mesh-subdivision",
        lambda m: m.GetSubdivisionSchemeAttr().Set("catmullClark"),
    ),
    "a swapped subset": ("mesh-materials", lambda m: subset_of(m).GetIndicesAttr().Set([0])),
    "a subset of all faces": (
        "mesh-materials",
        lambda m: subset_of(m).GetIndicesAttr().Set([0, 1]),
    ),
    "a subset with a face that is not there": (
        "mesh-materials",
        lambda m: subset_of(m).GetIndicesAttr().Set([7]),
    ),
    "an unbound mesh": (
        "mesh-materials",
        lambda m: UsdShade.MaterialBindingAPI(m).UnbindDirectBinding(),
    ),
    "one point": (
        "mesh-points",
        lambda m: m.GetPointsAttr().Set(Vt.Vec3fArray.FromNumpy(moved(SQUARE, 3, 1e-3))),
    ),
    "one frame": (
        "mesh-points",
        lambda m: UsdGeom.Xformable(m).AddTranslateOp().Set((0, 0, 0.01), Usd.TimeCode(1.0)),
    ),
}


def test_a_right_mesh_has_no_findings(
    native: Any, plate: UsdGeom.Mesh, finish: Callable[[Any], Any]
) -> None:
    assert findings(native, finish) == set()


def test_the_same_values_in_another_interpolation_are_no_loss(
    native: Any, plate: UsdGeom.Mesh, finish: Callable[[Any], Any]
) -> None:
    heat = primvar(plate, "heat")
    heat.SetInterpolation("faceVarying")
    heat.Set([0.25] * 3 + [0.75] * 3)
    plate.SetNormalsInterpolation("constant")
    plate.GetNormalsAttr().Set([(0, 0, 2)])
    assert findings(native, finish) == set()


@pytest.mark.parametrize("spoil", SPOILS)
def test_what_is_spoiled_is_found(
    native: Any, plate: UsdGeom.Mesh, finish: Callable[[Any], Any], spoil: str
) -> None:
    check, change = SPOILS[spoil]
    change(plate)
    assert findings(native, finish) == {(check, "Plate")}


def test_a_surface_survives_saving(
    native: Any, plate: UsdGeom.Mesh, finish: Callable[[Any], Any], tmp_path: Path
) -> None:
    record().save(tmp_path / "record")
    loaded = SceneRecord.load(tmp_path / "record")
    path = native.save()
    assert finish(compare(path, loaded)).findings == finish(compare(path, record())).findings
    surface, before = loaded.meshes[0].surface, record().meshes[0].surface
    assert surface is not None and before is not None
    assert np.array_equal(surface.uv_maps[1].values, before.uv_maps[1].values)
    assert (surface.materials, surface.uv_maps[1].name) == (before.materials, "Bake été")
