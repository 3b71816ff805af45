# SPDX-License-Identifier: GPL-3.0-or-later
"""Records authored into a layer, read back through USD's own schemas."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pytest
from pxr import Gf, Sdf, Usd, UsdGeom

from stagewright.jobs.events import Message
from stagewright.usd_tools.direct.records import (
    FrameRecord,
    MeshRecord,
    PointInstancerRecord,
    PresenceRecord,
    Primvar,
    Record,
    StageRecord,
    Subset,
    XformOp,
    XformRecord,
)
from stagewright.usd_tools.direct.stream_writer import write_stream

from ..both_ways import both_ways

SQUARE = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]], np.float32)
IDENTITY = np.eye(4)


Written = Callable[[Iterable[Record]], Usd.Stage]


@pytest.fixture
def written() -> Written:
    """Records written to a stage that lives as long as the test."""
    kept = []

    def write(records: Iterable[Record]) -> Usd.Stage:
        kept.append(Usd.Stage.Open(both_ways([StageRecord("root"), *records])))
        return kept[-1]

    return write


def square(path: str = "/root/Quad", **fields: object) -> MeshRecord:
    made = {
        "data": "Quad",
        "points": SQUARE,
        "face_vertex_counts": np.array([4], np.int32),
        "face_vertex_indices": np.arange(4, dtype=np.int32),
    }
    return MeshRecord(path, **{**made, **fields})


def translate(*value: float) -> XformOp:
    return XformOp("translate", np.array(value))


def test_a_mesh_holds_its_points_faces_and_bounds(written: Written) -> None:
    mesh = UsdGeom.Mesh(written([square()]).GetPrimAtPath("/root/Quad"))
    assert np.array_equal(mesh.GetPointsAttr().Get(), SQUARE)
    assert list(mesh.GetFaceVertexCountsAttr().Get()) == [4]
    assert list(mesh.GetFaceVertexIndicesAttr().Get()) == [0, 1, 2, 3]
    assert mesh.GetSubdivisionSchemeAttr().Get() == "none"
    assert [tuple(v) for v in mesh.GetExtentAttr().Get()] == [(0, 0, 0), (1, 1, 0)]


@pytest.mark.parametrize(
    ("type_name", "values"),
    [
        ("float[]", np.array([0.1, -0.0, 3e38, 1e-45], np.float32)),
        ("int[]", np.array([-(2**31), 0, 1, 2**31 - 1], np.int32)),
        ("bool[]", np.array([True, False, True, True])),
        ("float2[]", np.arange(8, dtype=np.float32).reshape(4, 2)),
        ("color4f[]", np.arange(16, dtype=np.float32).reshape(4, 4)),
        ("int2[]", np.arange(8, dtype=np.int32).reshape(4, 2)),
        ("matrix4d[]", np.arange(64, dtype=np.float64).reshape(4, 4, 4)),
    ],
)
def test_a_primvar_keeps_type_interpolation_and_bits(
    written: Written, type_name: str, values: np.ndarray
) -> None:
    primvar = Primvar("wear", type_name, "vertex", values)
    stage = written([square(primvars=(primvar,))])
    read = UsdGeom.PrimvarsAPI(stage.GetPrimAtPath("/root/Quad")).GetPrimvar("wear")
    assert str(read.GetTypeName()) == type_name
    assert read.GetInterpolation() == "vertex"
    assert np.array(read.Get()).tobytes() == values.tobytes()


def test_quaternions_keep_their_real_part(written: Written) -> None:
    values = np.array([[1, 2, 3, 4]] * 4, np.float32)
    stage = written([square(primvars=(Primvar("turn", "quatf[]", "vertex", values),))])
    (first, *_) = UsdGeom.PrimvarsAPI(stage.GetPrimAtPath("/root/Quad")).GetPrimvar("turn").Get()
    assert (first.GetReal(), tuple(first.GetImaginary())) == (1, (2, 3, 4))


def test_an_indexed_primvar_flattens_to_its_values(written: Written) -> None:
    values = np.array([[0, 0], [1, 1]], np.float32)
    indices = np.array([0, 1, 1, 0], np.int32)
    primvar = Primvar("st", "texCoord2f[]", "faceVarying", values, indices)
    stage = written([square(primvars=(primvar,))])
    read = UsdGeom.PrimvarsAPI(stage.GetPrimAtPath("/root/Quad")).GetPrimvar("st")
    assert np.array_equal(read.ComputeFlattened(), values[indices])


@pytest.mark.parametrize(
    "name",
    ['quote " and \\ backslash', "line\nbreak\ttab", "Étiquette № 7 椅子", "</root>@x@", "$ {} #"],
)
def test_text_comes_back_as_it_was(written: Written, name: str) -> None:
    record = XformRecord("/root/Item", name, properties={"note": name})
    prim = written([record]).GetPrimAtPath("/root/Item")
    assert prim.GetAttribute("userProperties:blender:object_name").Get() == name
    assert prim.GetAttribute("userProperties:note").Get() == name


@pytest.mark.parametrize(
    ("value", "type_name"),
    [
        (True, "bool"),
        (7, "int"),
        (2**40, "int64"),
        (0.1, "double"),
        (1e-310, "double"),
        ((1, 2, 3), "int[]"),
        ((True, False), "bool[]"),
        ((0.1, 2.0), "double[]"),
    ],
)
def test_a_custom_property_keeps_its_type_and_value(
    written: Written, value: object, type_name: str
) -> None:
    prim = written([XformRecord("/root/Item", "", properties={"p": value})]).GetPrimAtPath(
        "/root/Item"
    )
    attribute = prim.GetAttribute("userProperties:p")
    assert str(attribute.GetTypeName()) == type_name
    read = attribute.Get()
    assert (tuple(read) if isinstance(value, tuple) else read) == value


def test_operations_compose_to_the_matrix(written: Written) -> None:
    parent = np.array([[1, 0.5, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [3, 4, 5, 1]])
    ops = (
        XformOp("transform:parentInverse", parent),
        translate(1, 2, 3),
        XformOp("rotateXYZ", np.array([10.0, 20.0, 30.0])),
        XformOp("scale", np.array([1.0, 2.0, -1.0])),
    )
    prim = written([XformRecord("/root/Item", "Item", ops)]).GetPrimAtPath("/root/Item")
    x, y, z = (
        np.array(Gf.Matrix3d(Gf.Rotation(axis, angle)))
        for axis, angle in zip(Gf.Matrix3d(1), (10, 20, 30), strict=True)
    )
    expected = np.eye(4)
    expected[:3, :3] = np.diag([1, 2, -1]) @ x @ y @ z
    expected[3, :3] = (1, 2, 3)
    read = UsdGeom.Xformable(prim).GetLocalTransformation()
    assert np.allclose(np.array(read), expected @ parent, atol=1e-6)


def test_a_value_at_one_frame_is_a_default(written: Written) -> None:
    stage = written([FrameRecord(1.0), XformRecord("/root/Item", "Item", (translate(1, 2, 3),))])
    attribute = stage.GetAttributeAtPath("/root/Item.xformOp:translate")
    assert attribute.GetNumTimeSamples() == 0
    assert attribute.Get() == Gf.Vec3d(1, 2, 3)


def test_a_rest_between_two_moves_is_sampled_at_both_its_ends(written: Written) -> None:
    heights = {1.0: 0.0, 2.0: 5.0, 3.0: 5.0, 4.0: 5.0, 5.0: 9.0, 6.0: 9.0}
    records: list[Record] = []
    for frame, height in heights.items():
        moved = SQUARE + np.float32([0, 0, height])
        records += [FrameRecord(frame), XformRecord("/root/Item", "", (translate(0, 0, height),))]
        records.append(square("/root/Item/Quad", points=moved))
    stage = written(records)
    placed = stage.GetAttributeAtPath("/root/Item.xformOp:translate")
    points = stage.GetAttributeAtPath("/root/Item/Quad.points")
    assert placed.GetTimeSamples() == points.GetTimeSamples() == [1, 2, 4, 5]
    for frame, height in heights.items():
        assert placed.Get(frame)[2] == pytest.approx(height)
        assert np.allclose(np.array(points.Get(frame))[:, 2], height)
    counts = stage.GetAttributeAtPath("/root/Item/Quad.faceVertexCounts")
    assert counts.GetNumTimeSamples() == 0


def test_visibility_is_written_only_when_something_hides(written: Written) -> None:
    always = written([FrameRecord(1.0), XformRecord("/root/Item", "")])
    assert not always.GetAttributeAtPath("/root/Item.visibility").IsAuthored()
    shown = {1.0: True, 2.0: False, 3.0: False, 4.0: True}
    records: list[Record] = []
    for frame, visible in shown.items():
        records += [FrameRecord(frame), XformRecord("/root/Item", "", visible=visible)]
    imageable = UsdGeom.Imageable(written(records).GetPrimAtPath("/root/Item"))
    for frame, visible in shown.items():
        assert (imageable.ComputeVisibility(frame) == "inherited") is visible


def test_an_instance_shows_its_prototype_which_is_abstract_itself(written: Written) -> None:
    records = [
        XformRecord("/root/_prototypes/Leaf", ""),
        square("/root/_prototypes/Leaf/Quad"),
        XformRecord("/root/A", "A", (translate(1, 0, 0),), prototype="/root/_prototypes/Leaf"),
        XformRecord("/root/B", "B", (translate(2, 0, 0),), prototype="/root/_prototypes/Leaf"),
    ]
    stage = written(records)
    seen = [
        str(p.GetPath())
        for p in stage.Traverse(Usd.TraverseInstanceProxies())
        if p.IsA(UsdGeom.Mesh)
    ]
    assert seen == ["/root/A/Quad", "/root/B/Quad"]
    assert len(stage.GetPrototypes()) == 1


def test_a_point_instancer_places_its_prototypes(written: Written) -> None:
    half = np.sqrt(0.5)
    instancer = PointInstancerRecord(
        path="/root/Many",
        prototypes=("/root/Many/Prototypes/Leaf",),
        indices=np.zeros(2, np.int32),
        positions=np.array([[1, 2, 3], [4, 5, 6]], np.float32),
        orientations=np.array([[1, 0, 0, 0], [half, 0, 0, half]], np.float32),
        scales=np.array([[1, 1, 1], [2, 3, 4]], np.float32),
    )
    records = [instancer, XformRecord("/root/Many/Prototypes/Leaf", "")]
    stage = written([*records, square("/root/Many/Prototypes/Leaf/Quad")])
    read = UsdGeom.PointInstancer(stage.GetPrimAtPath("/root/Many"))
    first, second = map(np.array, read.ComputeInstanceTransformsAtTime(1.0, 1.0))
    assert np.allclose(first, [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [1, 2, 3, 1]])
    # A quarter turn about Z, after the scale.
    assert np.allclose(second, [[0, 2, 0, 0], [-3, 0, 0, 0], [0, 0, 4, 0], [4, 5, 6, 1]], atol=1e-6)


def test_subsets_partition_the_faces(written: Written) -> None:
    counts = np.full(3, 4, np.int32)
    indices = np.tile(np.arange(4, dtype=np.int32), 3)
    subsets = (
        Subset("Red", np.array([0, 2], np.int32), "/root/_materials/Red"),
        Subset("Blue", np.array([1], np.int32), "/root/_materials/Blue"),
    )
    record = square(face_vertex_counts=counts, face_vertex_indices=indices, subsets=subsets)
    imageable = UsdGeom.Imageable(written([record]).GetPrimAtPath("/root/Quad"))
    valid, why = UsdGeom.Subset.ValidateFamily(imageable, "face", "materialBind")
    assert valid, why


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_points_that_lie_nowhere_leave_the_bounds_of_the_others(
    written: Written, bad: float
) -> None:
    points = SQUARE.copy()
    points[2, 1] = bad
    mesh = UsdGeom.Mesh(written([square(points=points)]).GetPrimAtPath("/root/Quad"))
    assert np.array_equal(np.array(mesh.GetPointsAttr().Get()), points, equal_nan=True)
    assert [tuple(v) for v in mesh.GetExtentAttr().Get()] == [(0, 0, 0), (1, 1, 0)]


def test_a_mesh_without_points_has_no_bounds(written: Written) -> None:
    empty = square(
        points=np.empty((0, 3), np.float32),
        face_vertex_counts=np.empty(0, np.int32),
        face_vertex_indices=np.empty(0, np.int32),
    )
    mesh = UsdGeom.Mesh(written([empty]).GetPrimAtPath("/root/Quad"))
    assert len(mesh.GetPointsAttr().Get()) == len(mesh.GetExtentAttr().Get()) == 0


def test_a_hierarchy_deeper_than_pythons_stack_is_written(written: Written) -> None:
    path, records = "/root", []
    for _ in range(1500):
        path += "/x"
        records.append(XformRecord(path, ""))
    layer = both_ways([StageRecord("root"), *records])
    assert layer.GetPrimAtPath(path)


def test_events_of_the_stream_pass_and_it_is_closed_on_the_way_out() -> None:
    ended = []

    def stream():  # noqa: ANN202
        try:
            yield StageRecord("root")
            yield Message("halfway")
            yield square()
        finally:
            ended.append(True)

    job = write_stream(stream(), Sdf.Layer.CreateAnonymous(".usdc"))
    assert next(job) == Message("halfway")
    job.close()
    assert ended == [True]


def test_equal_records_give_equal_bytes(tmp_path: Path) -> None:
    contents = []
    for name in ("a.usdc", "b.usdc"):
        layer = Sdf.Layer.CreateAnonymous(".usdc")
        records = [StageRecord("root"), XformRecord("/root/A", "A"), square("/root/A/Quad")]
        list(write_stream((r for r in records), layer))
        layer.Export(str(tmp_path / name))
        contents.append((tmp_path / name).read_bytes())
    assert contents[0] == contents[1]


def test_a_y_up_stage_turns_what_is_below_the_root() -> None:
    layer = Sdf.Layer.CreateAnonymous(".usda")
    records = [StageRecord("root", up_axis="Y"), XformRecord("/root/A", "A", (translate(0, 0, 1),))]
    list(write_stream((r for r in records), layer))
    stage = Usd.Stage.Open(layer)
    assert UsdGeom.GetStageUpAxis(stage) == "Y"
    world = UsdGeom.Xformable(stage.GetPrimAtPath("/root/A")).ComputeLocalToWorldTransform(0)
    assert Gf.IsClose(world.ExtractTranslation(), Gf.Vec3d(0, 1, 0), 1e-9)


def test_a_shape_that_comes_later_is_invisible_before_and_when_it_has_gone(
    written: Written,
) -> None:
    records: list[Record] = [FrameRecord(1.0), XformRecord("/root/Item", "")]
    records += [FrameRecord(2.0), square("/root/Item/Quad")]
    records += [PresenceRecord("/root/Item/Quad", True), FrameRecord(3.0)]
    records += [FrameRecord(4.0), PresenceRecord("/root/Item/Quad", False)]
    stage = written(records)
    imageable = UsdGeom.Imageable(stage.GetPrimAtPath("/root/Item/Quad"))
    seen = [imageable.ComputeVisibility(frame) == "inherited" for frame in (1, 2, 3, 4, 5)]
    assert seen == [False, True, True, False, False]


def test_subsets_hold_the_faces_of_their_own_frames(written: Written) -> None:
    def faces(*numbers: int) -> np.ndarray:
        return np.array(numbers, np.int32)

    records: list[Record] = []
    shown = {1.0: {"Red": faces(0)}, 2.0: {"Red": faces(0), "Blue": faces(1)}, 3.0: {}}
    for frame, subsets in shown.items():
        made = tuple(Subset(name, chosen, "") for name, chosen in subsets.items())
        records += [FrameRecord(frame), square(subsets=made)]
    stage = written(records)
    for frame, subsets in shown.items():
        for name in ("Red", "Blue"):
            read = UsdGeom.Subset(stage.GetPrimAtPath(f"/root/Quad/{name}"))
            expected = list(subsets.get(name, ()))
            assert list(read.GetIndicesAttr().Get(frame)) == expected


def test_what_goes_was_there_before(written: Written) -> None:
    records: list[Record] = [FrameRecord(1.0), square("/root/Quad"), FrameRecord(2.0)]
    records += [FrameRecord(3.0), PresenceRecord("/root/Quad", present=False, before=True)]
    imageable = UsdGeom.Imageable(written(records).GetPrimAtPath("/root/Quad"))
    seen = [imageable.ComputeVisibility(frame) for frame in (1, 2, 3)]
    assert seen == ["inherited", "inherited", "invisible"]
