# SPDX-License-Identifier: GPL-3.0-or-later
"""Looking into stages: rows, searches, opinions, layers and numbers."""

from __future__ import annotations

from pathlib import Path

import pytest
from pxr import Sdf, Usd, UsdGeom

from stagewright.jobs.errors import StagewrightError
from stagewright.usd_tools.inspect.layers import (
    layer_stack,
    select_variant,
    set_loaded,
    set_muted,
    stage_dependencies,
)
from stagewright.usd_tools.inspect.properties import prim_details, value_text
from stagewright.usd_tools.inspect.statistics import statistics
from stagewright.usd_tools.inspect.tree import ALL_PRIMS, children, row, search

PROP = """#usda 1.0
(
    defaultPrim = "Prop"
)
def Xform "Prop" (
    kind = "component"
    variants = {
        string lod = "high"
    }
    prepend variantSets = "lod"
)
{
    def Mesh "Body"
    {
        int[] faceVertexCounts = [3, 3]
        int[] faceVertexIndices = [0, 1, 2, 0, 2, 3]
        point3f[] points = [(0, 0, 0), (1, 0, 0), (1, 1, 0), (0, 1, 0)]
        float size = 1
    }
    variantSet "lod" = {
        "high" {
            def Mesh "Detail"
            {
                int[] faceVertexCounts = [3]
                int[] faceVertexIndices = [0, 1, 2]
                point3f[] points = [(0, 0, 0), (1, 0, 0), (1, 1, 0)]
            }
        }
        "low" {
        }
    }
}
"""
EXTRA = """#usda 1.0
over "Set"
{
    over "A"
    {
        over "Body"
        {
            float size = 3
            float size.timeSamples = {
                1: 1,
                5: 2,
            }
        }
    }
}
"""
SET = """#usda 1.0
(
    defaultPrim = "Set"
    subLayers = [
        @extra.usda@ (offset = 10; scale = 2),
        @gone.usda@
    ]
)
def Xform "Set" (
    kind = "assembly"
)
{
    def "A" (
        prepend references = @prop.usda@
    )
    {
        over "Body"
        {
            custom asset picture = @lost.png@
        }
    }
    def "B" (
        instanceable = true
        prepend references = @prop.usda@
    )
    {
    }
    def "C" (
        instanceable = true
        prepend references = @prop.usda@
    )
    {
    }
    def "Late" (
        prepend payload = @prop.usda@
    )
    {
    }
    def Scope "Asleep" (
        active = false
    )
    {
        def Mesh "Hidden"
        {
        }
    }
}
"""
KINDS = """#usda 1.0
class "C"
{
    def "D"
    {
    }
    over "O" (
        active = false
    )
    {
    }
}
over "P"
{
}
"""


@pytest.fixture(name="stage")
def stage_fixture(tmp_path: Path) -> Usd.Stage:
    for name, text in (("prop", PROP), ("extra", EXTRA), ("set", SET)):
        (tmp_path / f"{name}.usda").write_text(text)
    return Usd.Stage.Open(str(tmp_path / "set.usda"))


def test_rows_tell_what_each_prim_is(stage: Usd.Stage) -> None:
    rows = {row.name: row for row in children(stage, "/Set")}
    assert list(rows) == ["A", "B", "C", "Late", "Asleep"]
    assert (rows["A"].type_name, rows["A"].kind) == ("Xform", "component")
    assert rows["A"].variants == (("lod", "high"),)
    assert [name for name in rows if rows[name].instance] == ["B", "C"]
    assert rows["Late"].payload == "loaded" and rows["A"].payload == ""
    assert not rows["Asleep"].active and rows["A"].active
    assert rows["B"].has_children
    assert [row.name for row in children(stage, "/Set/B")] == ["Detail", "Body"]
    assert [row.path for row in children(stage)] == ["/Set"]
    assert [row.name for row in children(stage, "/Set", "a")] == ["A", "Late", "Asleep"]


def test_a_path_that_is_not_there_is_told(stage: Usd.Stage) -> None:
    for path in ("/Set/Nobody", "no path"):
        with pytest.raises(StagewrightError, match=path) as error:
            list(children(stage, path))
        assert error.value.code == "no-prim"


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("bod", ["/Set/A/Body", "/Set/B/Body", "/Set/C/Body", "/Set/Late/Body"]),
        ("BODY type:Mesh path:/Set/A/*", ["/Set/A/Body"]),
        ("type:Gprim path:/Set/A/**", ["/Set/A/Detail", "/Set/A/Body"]),
        ("d*l", ["/Set/A/Detail", "/Set/B/Detail", "/Set/C/Detail", "/Set/Late/Detail"]),
        ("kind:assembly", ["/Set"]),
        ("in:extra.usda", ["/Set", "/Set/A", "/Set/A/Body"]),
        ("is:instance", ["/Set/B", "/Set/C"]),
        ("is:payload", ["/Set/Late"]),
        ("is:reference", ["/Set/A", "/Set/B", "/Set/C"]),
        ("is:inactive", ["/Set/Asleep"]),
        ("path:/Set/?", ["/Set/A", "/Set/B", "/Set/C"]),
        ("nothing", []),
    ],
)
def test_a_search_finds_what_fits_all_words(stage: Usd.Stage, query: str, found: list[str]) -> None:
    assert [str(prim.GetPath()) for prim in search(stage, query)] == found


def test_an_unknown_word_of_a_search_is_refused(stage: Usd.Stage) -> None:
    for query in ("is:red", "colour:red"):
        with pytest.raises(StagewrightError, match=query):
            list(search(stage, query))


def test_the_property_stack_tells_which_layer_says_what(stage: Usd.Stage) -> None:
    details = prim_details(stage, "/Set/A/Body", 12)
    size = next(p for p in details.properties if p.name == "size")
    assert [Path(o.layer).name for o in size.opinions] == ["extra.usda", "prop.usda"]
    assert [(o.value, o.samples) for o in size.opinions] == [("3.0", 2), ("1.0", 0)]
    # Frame 12 is 1 in the sublayer: 10 + 2 x 1.
    assert (size.value, size.source, size.samples) == ("1.0", "timeSamples", 2)
    points = next(p for p in details.properties if p.name == "points")
    assert points.value.startswith("[(0, 0, 0), (1, 0, 0)")
    arcs = [(arc.kind, Path(arc.layer).name, arc.path) for arc in details.arcs]
    assert ("reference", "prop.usda", "/Prop/Body") in arcs
    assert arcs[0][:2] == ("root", "set.usda")


def test_bindings_are_told_by_purpose(tmp_path: Path) -> None:
    layer = Sdf.Layer.CreateAnonymous(".usda")
    layer.ImportFromString(
        """#usda 1.0
        def Material "Red" {
        }
        def Material "Draft" {
        }
        def Mesh "Ball" (
            prepend apiSchemas = ["MaterialBindingAPI"]
        )
        {
            rel material:binding = </Red>
            rel material:binding:preview = </Draft>
        }
        """
    )
    details = prim_details(Usd.Stage.Open(layer), "/Ball")
    assert details.bindings == {"": "/Red", "preview": "/Draft"}
    assert details.applied_schemas == ("MaterialBindingAPI",)


def test_long_arrays_are_cut() -> None:
    stage = Usd.Stage.CreateInMemory()
    mesh = UsdGeom.Mesh.Define(stage, "/Mesh")
    mesh.CreateFaceVertexCountsAttr(range(1000))
    shown = value_text(mesh.GetFaceVertexCountsAttr().Get())
    assert shown == "[0, 1, 2, 3, 4, 5, 6, 7, … 1,000 in all]"


def test_the_layer_stack_tells_offsets_and_what_is_lost(stage: Usd.Stage) -> None:
    rows = layer_stack(stage)[1:]
    assert [(row.name, row.depth, row.resolved) for row in rows] == [
        ("set.usda", 0, True),
        ("extra.usda", 1, True),
        ("gone.usda", 1, False),
    ]
    assert (rows[1].offset, rows[1].scale) == (10, 2)


def test_muting_and_variants_and_payloads_stay_in_the_session(
    stage: Usd.Stage, tmp_path: Path
) -> None:
    before = {file: file.read_bytes() for file in tmp_path.iterdir()}
    extra = next(row for row in layer_stack(stage) if row.name == "extra.usda")
    set_muted(stage, extra.identifier, True)
    size = stage.GetAttributeAtPath("/Set/A/Body.size")
    assert size.Get(12) == 1 and size.GetNumTimeSamples() == 0
    assert next(r for r in layer_stack(stage) if r.name == "extra.usda").muted
    set_muted(stage, extra.identifier, False)
    assert size.GetNumTimeSamples() == 2
    select_variant(stage, "/Set/A", "lod", "low")
    assert not stage.GetPrimAtPath("/Set/A/Detail")
    select_variant(stage, "/Set/A", "lod", "")
    assert stage.GetPrimAtPath("/Set/A/Detail")
    set_loaded(stage, "/Set/Late", False)
    assert list(children(stage, "/Set"))[3].payload == "unloaded"
    assert not stage.GetRootLayer().dirty
    assert {file: file.read_bytes() for file in tmp_path.iterdir()} == before
    with pytest.raises(StagewrightError, match="middle"):
        select_variant(stage, "/Set/A", "lod", "middle")
    with pytest.raises(StagewrightError, match="root layer"):
        set_muted(stage, stage.GetRootLayer().identifier, True)


def test_dependencies_mark_the_broken(stage: Usd.Stage) -> None:
    rows = stage_dependencies(stage)
    assert {row.path for row in rows if row.broken} == {"gone.usda", "lost.png"}
    assert {row.path for row in rows if not row.broken} == {"extra.usda", "prop.usda"}


def test_statistics_equal_a_count_by_brute_force(stage: Usd.Stage, tmp_path: Path) -> None:
    found = statistics(stage)
    meshes = [
        UsdGeom.Mesh(prim)
        for prim in stage.Traverse(Usd.TraverseInstanceProxies())
        if prim.IsA(UsdGeom.Mesh)
    ]
    assert found.polygons == sum(len(m.GetFaceVertexCountsAttr().Get()) for m in meshes) == 12
    assert found.points == sum(len(m.GetPointsAttr().Get()) for m in meshes) == 28
    assert found.prims == {"Mesh": 8, "Xform": 5}
    assert found.instances == 2
    assert found.time_samples == 2
    assert found.broken == 2
    sizes = {Path(name).name: size for name, size in found.layers.items()}
    assert sizes["prop.usda"] == (tmp_path / "prop.usda").stat().st_size


def test_nested_instances_count_once_for_each_place() -> None:
    stage = Usd.Stage.CreateInMemory()
    UsdGeom.Mesh.Define(stage, "/Leaf/Mesh").CreateFaceVertexCountsAttr([3, 4])
    for branch, leaves in (("/Branch", 3), ("/Tree", 2)):
        source = "/Leaf" if branch == "/Branch" else "/Branch"
        for number in range(leaves):
            prim = stage.DefinePrim(f"{branch}/Part{number}")
            prim.GetReferences().AddInternalReference(source)
            prim.SetInstanceable(True)
    proxies = [p for p in stage.Traverse(Usd.TraverseInstanceProxies()) if p.IsA(UsdGeom.Mesh)]
    found = statistics(stage)
    assert found.prims["Mesh"] == len(proxies) == 10
    assert found.polygons == 20
    assert found.instances == 11


def test_rows_read_by_level_are_those_of_single_prims(stage: Usd.Stage) -> None:
    other = Usd.Stage.CreateInMemory()
    other.GetRootLayer().ImportFromString(KINDS)
    for each in (stage, other):
        for parent in Usd.PrimRange.Stage(each, ALL_PRIMS):
            below = parent.GetFilteredChildren(ALL_PRIMS)
            assert list(children(each, str(parent.GetPath()))) == [row(prim) for prim in below]
    found = {one.path: one.specifier for one in map(row, search(other, "path:/**"))}
    assert found == {"/C": "class", "/C/D": "def", "/C/O": "over", "/P": "over"}
