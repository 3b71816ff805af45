# SPDX-License-Identifier: GPL-3.0-or-later
"""Planted differences are found, each once, and nothing else is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from pxr import Sdf, Usd, UsdGeom, Vt

from stagewright.usd_tools.diff import Change, diff_layers, diff_stages, summary

Finish = Callable[[Any], Any]
TEXT = """#usda 1.0
(
    defaultPrim = "A"
    metersPerUnit = 1
    subLayers = [
        @z.usda@ (offset = 1)
    ]
)
def Xform "A" (
    kind = "component"
    prepend references = @x.usda@</X>
    prepend variantSets = "lod"
    variants = {
        string lod = "high"
    }
)
{
    double3 xformOp:translate.timeSamples = {
        1: (0, 0, 0),
        2: (1, 0, 0),
        3: (2, 0, 0),
    }
    rel look = </A/Look>
    def Mesh "M"
    {
        point3f[] points = [(0, 0, 0), (1, 0, 0), (1, 1, 0)]
        uniform token subdivisionScheme = "none"
        float size = 1
        float open.connect = </A.size>
    }
    def Scope "Look"
    {
        custom string name = "x"
        def Sphere "Ball"
        {
            double radius = 2
        }
    }
    variantSet "lod" = {
        "high" {
            def Sphere "Extra"
            {
                double radius = 1
            }
        }
    }
}
"""


def layer(text: str = TEXT) -> Sdf.Layer:
    made = Sdf.Layer.CreateAnonymous(".usda")
    assert made.ImportFromString(text)
    return made


def attribute(path: str, value: Any) -> Callable[[Sdf.Layer], None]:
    def change(made: Sdf.Layer) -> None:
        made.GetAttributeAtPath(path).default = value

    return change


def info(path: str, name: str, value: Any) -> Callable[[Sdf.Layer], None]:
    return lambda made: made.GetObjectAtPath(path).SetInfo(name, value)


def removed(path: str) -> Callable[[Sdf.Layer], None]:
    def change(made: Sdf.Layer) -> None:
        spec = made.GetPrimAtPath(path)
        del spec.nameParent.nameChildren[spec.name]

    return change


def rename(made: Sdf.Layer) -> None:
    made.GetPrimAtPath("/A/Look").name = "Looks"


def new_prim(made: Sdf.Layer) -> None:
    Sdf.PrimSpec(made.GetPrimAtPath("/A"), "New", Sdf.SpecifierDef, "Cube")


def new_attribute(made: Sdf.Layer) -> None:
    Sdf.AttributeSpec(made.GetPrimAtPath("/A"), "new", Sdf.ValueTypeNames.Float).default = 4


def retarget(made: Sdf.Layer) -> None:
    made.GetRelationshipAtPath("/A.look").targetPathList.explicitItems = ["/A/M"]


def reference(made: Sdf.Layer) -> None:
    made.GetPrimAtPath("/A").referenceList.Prepend(Sdf.Reference("y.usda"))


def connect(made: Sdf.Layer) -> None:
    made.GetAttributeAtPath("/A/M.open").connectionPathList.explicitItems = ["/A.other"]


PLANTED = [
    (attribute("/A/M.size", 1.5), ("changed", "/A/M.size", "default")),
    (
        attribute("/A/M.points", Vt.Vec3fArray([(0, 0, 0), (1, 0, 0), (1, 1, 0.5)])),
        ("changed", "/A/M.points", "default"),
    ),
    (info("/A", "kind", "group"), ("changed", "/A", "kind")),
    (info("/A/M.points", "interpolation", "vertex"), ("changed", "/A/M.points", "interpolation")),
    (info("/", "metersPerUnit", 0.01), ("changed", "/", "metersPerUnit")),
    (info("/A/M", "typeName", "Points"), ("changed", "/A/M", "typeName")),
    (reference, ("changed", "/A", "references")),
    (
        lambda made: made.subLayerOffsets.__setitem__(0, Sdf.LayerOffset(2)),
        ("changed", "/", "subLayerOffsets"),
    ),
    (retarget, ("changed", "/A.look", "targetPaths")),
    (connect, ("changed", "/A/M.open", "connectionPaths")),
    (removed("/A/Look/Ball"), ("removed", "/A/Look/Ball", "prim")),
    (new_prim, ("added", "/A/New", "prim")),
    (new_attribute, ("added", "/A.new", "property")),
    (rename, ("moved", "/A/Looks", "prim")),
    (
        lambda made: made.SetTimeSample("/A.xformOp:translate", 2, (1, 1, 1)),
        ("changed", "/A.xformOp:translate", "timeSamples"),
    ),
    (
        lambda made: made.EraseTimeSample("/A.xformOp:translate", 3),
        ("removed", "/A.xformOp:translate", "timeSamples"),
    ),
    (
        attribute("/A{lod=high}Extra.radius", 7.0),
        ("changed", "/A{lod=high}Extra.radius", "default"),
    ),
]


@pytest.mark.parametrize(("plant", "expected"), PLANTED)
def test_each_planted_difference_is_found_alone(
    plant: Callable[[Sdf.Layer], Any], expected: tuple[str, str, str], finish: Finish
) -> None:
    before, after = layer(), layer()
    plant(after)
    (change,) = finish(diff_layers(before, after))
    assert (change.how, change.path, change.field) == expected
    # The other way round it is the opposite.
    (back,) = finish(diff_layers(after, before))
    opposite = {"added": "removed", "removed": "added"}
    assert back.how == opposite.get(change.how, change.how)


def test_equal_layers_do_not_differ_whatever_the_order(finish: Finish) -> None:
    before, after = layer(), layer()
    removed("/A/M")(after)
    assert Sdf.CopySpec(before, "/A/M", after, "/A/M")
    assert after.ExportToString() != before.ExportToString()
    assert finish(diff_layers(before, after)) == []


def test_a_tolerance_lets_small_differences_pass(finish: Finish) -> None:
    before, after = layer(), layer()
    after.GetAttributeAtPath("/A/M.points").default = Vt.Vec3fArray(
        [(0, 0, 1e-6), (1, 0, 0), (1, 1, 0)]
    )
    assert finish(diff_layers(before, after, tolerance=1e-5)) == []
    assert len(finish(diff_layers(before, after, tolerance=1e-7))) == 1


def test_numbers_that_are_none_do_not_differ(finish: Finish) -> None:
    made = [layer(), layer()]
    for each in made:
        each.GetAttributeAtPath("/A/M.points").default = Vt.Vec3fArray.FromNumpy(
            np.full((3, 3), np.nan, np.float32)
        )
    assert finish(diff_layers(*made)) == []


def test_composed_stages_differ_by_what_they_show(finish: Finish) -> None:
    stages = []
    for radius in (1.0, 2.0):
        weak = Sdf.Layer.CreateAnonymous(".usda")
        stage = Usd.Stage.Open(weak)
        UsdGeom.Sphere.Define(stage, "/Ball").CreateRadiusAttr(radius)
        root = Sdf.Layer.CreateAnonymous(".usda")
        root.subLayerPaths.append(weak.identifier)
        stages.append((Usd.Stage.Open(root), weak))
    (change,) = finish(diff_stages(stages[0][0], stages[1][0]))
    assert change == Change("changed", "/Ball.radius", "default", "1.0", "2.0")


def test_the_summary_has_a_line_for_each_change(finish: Finish) -> None:
    before, after = layer(), layer()
    rename(after)
    new_attribute(after)
    attribute("/A/M.size", 2.0)(after)
    assert list(summary(finish(diff_layers(before, after)))) == [
        "+ /A.new: 4.0",
        "> /A/Looks: /A/Look → /A/Looks",
        "~ /A/M.size default: 1.0 → 2.0",
    ]


TRAPS = """#usda 1.0
def Xform "A" (
    doc = \"\"\"As in
}
def "X"
{
}
\"\"\"
)
{
    def Xform "B"
    {
        custom float size = 1
        def Xform "C" (
            variants = {
                string look = "a"
            }
            prepend variantSets = "look"
        )
        {
            variantSet "look" = {
                "a" {
                    def Xform "D"
                    {
                        custom float size = 1
                    }
                }
                "b" {
                    def Xform "D"
                    {
                        custom float size = 1
                    }
                }
            }
        }
    }
    def Xform "E"
    {
        custom float size = 1
    }
}
def Xform "X"
{
    def Xform "B"
    {
        custom float size = 1
    }
}
"""


@pytest.mark.parametrize("docs", [True, False])
@pytest.mark.parametrize("place", range(5))
def test_each_change_is_found_whatever_else_is_the_same(
    finish: Finish, docs: bool, place: int
) -> None:
    text = (
        TRAPS
        if docs
        else TRAPS.replace(TRAPS[TRAPS.index(" (\n") : TRAPS.index("\n{\n    def")], "")
    )
    parts = text.split("size = 1")
    assert len(parts) == 6
    other = "size = 1".join(parts[: place + 1]) + "size = 2" + "size = 1".join(parts[place + 1 :])
    layers = []
    for each in (text, other):
        layer = Sdf.Layer.CreateAnonymous(".usda")
        assert layer.ImportFromString(each)
        layers.append(layer)
    paths = ["/A/B", "/A/B/C{look=a}D", "/A/B/C{look=b}D", "/A/E", "/X/B"]
    changes = finish(diff_layers(*layers))
    assert [(c.path, c.before, c.after) for c in changes] == [
        (f"{paths[place]}.size", "1.0", "2.0")
    ]
    assert finish(diff_layers(layers[0], layers[0])) == []
