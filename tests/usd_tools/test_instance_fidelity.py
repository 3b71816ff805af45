# SPDX-License-Identifier: GPL-3.0-or-later
"""Point instancers are expanded as USD defines them, and held against the scene one by one."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from pxr import Gf, UsdGeom

from stagewright.usd_tools.fidelity import compare
from stagewright.usd_tools.scene_record import MeshRecord, SceneRecord

CUBE = np.array(list(itertools.product((-1, 1), repeat=3)), float)
FACES = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
PLACES = np.array(list(itertools.product(range(5), range(4), (0.0,))), float) * 3
# A quarter turn about Z for row vectors, and three times as high.
TURNED = np.array([(0, 1, 0), (-1, 0, 0), (0, 0, 3)], float)


def at(places: Any, turn: Any = ((1, 0, 0), (0, 1, 0), (0, 0, 1))) -> Any:
    matrices = np.tile(np.eye(4), (len(places), 1, 1))
    matrices[:, :3, :3] = turn
    matrices[:, 3, :3] = places
    return matrices


def cubes(name: str, matrices: Any) -> MeshRecord:
    return MeshRecord(name, True, 1.0, CUBE, 6, (), None, matrices)


def record(*meshes: MeshRecord) -> SceneRecord:
    return SceneRecord(meshes, (), (), {}, (1.0,))


def instancer(native: Any, places: Any, turned: Any = ()) -> UsdGeom.PointInstancer:
    """Cubes of the object Scatter at ``places``, those in ``turned`` turned by a quarter."""
    owner = native.object("Scatter")
    prim = UsdGeom.PointInstancer.Define(native.stage, owner.GetPath().AppendChild("Instances"))
    scope = UsdGeom.Xform.Define(native.stage, prim.GetPath().AppendChild("Prototypes"))
    scope.AddTranslateOp().Set((500, 0, 0))  # does not place the instances
    prototype = UsdGeom.Xform.Define(native.stage, scope.GetPath().AppendChild("Cube"))
    mesh = native.mesh("Loose", CUBE, FACES)
    copy = UsdGeom.Mesh.Define(native.stage, prototype.GetPath().AppendChild("Mesh"))
    for attribute in mesh.GetPrim().GetAuthoredAttributes():
        copy.GetPrim().CreateAttribute(attribute.GetName(), attribute.GetTypeName()).Set(
            attribute.Get()
        )
    native.stage.RemovePrim(mesh.GetPath().GetParentPath())
    prim.CreatePrototypesRel().SetTargets([prototype.GetPath()])
    prim.CreateProtoIndicesAttr([0] * len(places))
    prim.CreatePositionsAttr([Gf.Vec3f(*map(float, p)) for p in places])
    quarter = Gf.Quath(0.5**0.5, 0, 0, 0.5**0.5)
    prim.CreateOrientationsAttr([quarter if i in turned else Gf.Quath(1)
                                 for i in range(len(places))])  # fmt: skip
    prim.CreateScalesAttr([Gf.Vec3f(1, 1, 3 if i in turned else 1) for i in range(len(places))])
    return prim


Found = Callable[..., list[tuple[str, str]]]


@pytest.fixture
def found(native: Any, finish: Callable[[Any], Any]) -> Found:
    def found(*meshes: MeshRecord) -> list[tuple[str, str]]:
        result = finish(compare(native.save(), record(*meshes))).findings
        return [(f.check, f.object) for f in result]

    return found


def test_instances_stand_where_the_instancer_puts_them(native: Any, found: Found) -> None:
    prim = instancer(native, PLACES)
    UsdGeom.Xformable(prim.GetPrim().GetParent()).AddTranslateOp().Set((0, 0, 9))
    assert found(cubes("Scatter", at(PLACES[::-1] + (0, 0, 9)))) == []


def test_turns_and_scales_count(native: Any, found: Found) -> None:
    instancer(native, PLACES, turned=range(20))
    assert found(cubes("Scatter", at(PLACES))) == [("mesh-points", "Scatter")]
    # Half precision quaternions: 2**-11 of the cube's reach.
    assert found(cubes("Scatter", at(PLACES, TURNED))) == [("mesh-points", "Scatter")]
    exact = UsdGeom.PointInstancer(native.stage.GetPrimAtPath("/lantern/Scatter/Instances"))
    quarter = Gf.Quatf(0.5**0.5, 0, 0, 0.5**0.5)
    exact.CreateOrientationsfAttr([quarter] * len(PLACES))
    assert found(cubes("Scatter", at(PLACES, TURNED))) == []


def test_a_prototype_is_not_shown_by_itself(native: Any, found: Found) -> None:
    prim = instancer(native, PLACES)
    prim.GetProtoIndicesAttr().Set([])
    prim.GetPositionsAttr().Set([])
    assert found() == []


def test_invisible_instances_are_not_shown(native: Any, found: Found) -> None:
    instancer(native, PLACES).CreateInvisibleIdsAttr([3, 4])
    shown = np.delete(PLACES, [3, 4], axis=0)
    assert found(cubes("Scatter", at(shown))) == []
    assert found(cubes("Scatter", at(PLACES))) == [("mesh-missing", "Scatter")]


def test_instancers_nest(native: Any, found: Found) -> None:
    inner = instancer(native, PLACES)
    outer = UsdGeom.PointInstancer.Define(native.stage, "/lantern/Outer")
    UsdGeom.XformCommonAPI(outer).SetTranslate((0, 0, 1))
    outer.CreatePrototypesRel().SetTargets([inner.GetPath().GetParentPath()])
    outer.CreateProtoIndicesAttr([0, 0])
    outer.CreatePositionsAttr([Gf.Vec3f(0, 0, 50), Gf.Vec3f(0, 100, 0)])
    by_outer = np.concatenate([PLACES + (0, 0, 51), PLACES + (0, 100, 1)])
    # Its own prim is no part of the outer instancer, so it is shown as well.
    assert found(cubes("Scatter", at(np.concatenate([PLACES, by_outer])))) == []


def test_an_instancer_of_itself_ends(native: Any, found: Found) -> None:
    prim = instancer(native, PLACES)
    prim.GetPrototypesRel().AddTarget(prim.GetPath())
    assert found(cubes("Scatter", at(PLACES))) == []


def test_one_of_many_that_is_moved_is_told_with_its_distance(
    native: Any, finish: Callable[[Any], Any]
) -> None:
    moved = PLACES.copy()
    moved[7] += (0, 0.003, 0.004)
    instancer(native, moved)
    (loss,) = finish(compare(native.save(), record(cubes("Scatter", at(PLACES))))).findings
    assert (loss.check, loss.object) == ("mesh-points", "Scatter")
    assert loss.value == pytest.approx(0.005, rel=1e-4)
    assert loss.message.startswith("8 points") and "in 1 of its instances" in loss.message


def test_instances_below_another_object_are_found_by_their_place(native: Any, found: Found) -> None:
    instancer(native, PLACES)
    assert found(cubes("Cube", at(PLACES))) == []
    moved = at(PLACES)
    moved[2, 3, 2] = 1
    assert found(cubes("Cube", moved)) == [("mesh-missing", "Cube"), ("mesh-extra", "Scatter")]


def test_instances_that_lie_close_are_told_apart(native: Any, found: Found) -> None:
    random = np.random.default_rng(3)
    places = random.normal(scale=0.01, size=(3000, 3)) + (100, 0, 0)
    instancer(native, places)
    single = places.astype(np.float32).astype(float)
    assert found(cubes("Scatter", at(random.permutation(single)))) == []
