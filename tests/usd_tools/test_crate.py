# SPDX-License-Identifier: GPL-3.0-or-later
"""Crate files of our own, read by USD."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from pxr import Sdf, Usd

from stagewright.jobs.errors import StagewrightError
from stagewright.usd_tools.direct.records import (
    FrameRecord,
    MeshRecord,
    PointsRecord,
    Primvar,
    Record,
    ReferenceRecord,
    StageRecord,
    Subset,
    XformOp,
    XformRecord,
)
from stagewright.usd_tools.direct.stream_writer import write_stream

from ..both_ways import both_ways

POINTS = np.zeros((3, 3), np.float32)
CORNERS = np.arange(3, dtype=np.int32)
COUNTS = np.array([3], np.int32)


def triangle(path: str, *primvars: Primvar, **fields: object) -> MeshRecord:
    return MeshRecord(path, "Data", POINTS, COUNTS, CORNERS, primvars=primvars, **fields)


def _integers() -> dict[str, np.ndarray]:
    random = np.random.default_rng(5)
    walk = np.cumsum(random.integers(-3, 4, 5000))
    found = {
        "same": np.full(1000, 7),
        "count": np.arange(1000),
        "steps of one and two bytes": np.cumsum(random.integers(-300, 300, 1000)),
        "steps of four bytes": random.integers(-(2**31), 2**31, 1000),
        "ends": np.array([-(2**31), 2**31 - 1] * 9),
        "steps at the ends of a byte": np.cumsum([127, 128, -128, -129, 32767, 32768, -32768] * 5),
        "walk": walk,
        "many": np.tile(walk, 5),
        "many at random": random.integers(-(2**31), 2**31, 40_000),
    }
    found |= {f"{n} numbers": random.integers(-9, 9, n) for n in (1, 2, 15, 16, 17, 18, 19, 20)}
    found |= {f"{n} bytes": np.arange(n) % 2 * 5 for n in (40, 300, 16_383, 16_384)}
    return {name: values.astype(np.int32) for name, values in found.items()}


@pytest.mark.parametrize("name", list(_integers()))
def test_usd_reads_integers_as_they_were(name: str) -> None:
    values = _integers()[name]
    primvar = Primvar("n", "int[]", "constant", values)
    layer = both_ways([StageRecord("root"), triangle("/root/A", primvar)])
    assert np.array_equal(layer.GetAttributeAtPath("/root/A.primvars:n").default, values)


@pytest.mark.parametrize("count", [1, 15, 100, 20_000])
@pytest.mark.parametrize(
    ("type_name", "dtype"),
    [
        ("float[]", np.float32),
        ("double[]", np.float64),
        ("int64[]", np.int64),
        ("bool[]", np.bool_),
        ("uchar[]", np.uint8),
    ],
)
def test_usd_reads_numbers_as_they_were(type_name: str, dtype: type, count: int) -> None:
    random = np.random.default_rng(6)
    for values in (np.arange(count) % 7 / 2, random.normal(size=count) * 100, np.zeros(count)):
        expected = values.astype(dtype)
        primvar = Primvar("n", type_name, "constant", expected)
        layer = both_ways([StageRecord("root"), triangle("/root/A", primvar)])
        read = np.array(layer.GetAttributeAtPath("/root/A.primvars:n").default)
        assert read.tobytes() == expected.tobytes()


def test_large_values_are_aligned_and_written_once(tmp_path: Path) -> None:
    places = np.random.default_rng(7).random((5000, 3), np.float32)
    records: list[Record] = [StageRecord("root")]
    records += [PointsRecord(f"/root/P{n}", "P", points=places, widths=None) for n in range(10)]
    file = tmp_path / "a.usdc"
    list(write_stream((r for r in records), file))
    content = file.read_bytes()
    assert len(content) < 1.1 * places.nbytes
    assert content.index(places.tobytes()) % 8 == 0


def test_paths_of_other_layers_and_references_are_kept() -> None:
    records = [
        StageRecord("root"),
        XformRecord("/root/A", "A", prototype="/elsewhere/deep/Leaf"),
        XformRecord("/root/B", "B"),
        ReferenceRecord("/root/B", "/library/oak@3/oak.usda"),
        triangle("/root/C", material="/root/_materials/Gone"),
        triangle("/root/D", subsets=(Subset("x", CORNERS[:1], "/root/_materials/Gone"),)),
    ]
    layer = both_ways(records)
    assert [prim.name for prim in layer.rootPrims] == ["root"]
    (target,) = layer.GetRelationshipAtPath("/root/C.material:binding").targetPathList.explicitItems
    assert target == Sdf.Path("/root/_materials/Gone")


def test_usd_saves_an_edit_into_the_file(tmp_path: Path) -> None:
    records = [StageRecord("root"), XformRecord("/root/B", "B"), triangle("/root/A")]
    records.append(ReferenceRecord("/root/B", "/library/oak@3/oak.usda"))
    file = tmp_path / "a.usdc"
    list(write_stream((r for r in records), file))
    layer = Sdf.Layer.FindOrOpen(str(file))
    expected = layer.ExportToString().replace("int[] faceVertexCounts = [3]", "int[] f = [4]")
    spec = layer.GetAttributeAtPath("/root/A.faceVertexCounts")
    spec.name, spec.default = "f", [4]
    layer.Save()
    assert Sdf.Layer.OpenAsAnonymous(str(file)).ExportToString() == expected


def test_a_layer_of_nothing_but_its_root_is_written() -> None:
    layer = both_ways([StageRecord("root")])
    assert layer.defaultPrim == "root"


def test_prims_below_prims_with_and_without_properties_keep_their_order() -> None:
    names = ("A", "A/B", "A/B/C", "A/B/D", "A/E", "F", "F/G", "F/G/H", "F/G/H/I", "J")
    records: list[Record] = [StageRecord("root")]
    for number, name in enumerate(names):
        ops = (XformOp("translate", np.full(3, float(number))),) if number % 2 else ()
        records.append(XformRecord(f"/root/{name}", name if number % 3 else "", ops))
    layer = both_ways(records)
    stage = Usd.Stage.Open(layer)
    found = [str(prim.GetPath())[6:] for prim in stage.Traverse() if prim.GetName() != "root"]
    assert found == list(names)


def test_a_float_too_great_for_its_type_is_infinite() -> None:
    record = XformRecord("/root/A", "A", properties={"big": 1e300, "bigger": float("inf")})
    both_ways([StageRecord("root"), record])
    both_ways([StageRecord("root"), FrameRecord(1.0), record, FrameRecord(2.0), record])


_WRITE = """
import sys
from pathlib import Path
import numpy as np
from stagewright.usd_tools.direct.records import *
from stagewright.usd_tools.direct.stream_writer import write_stream
records = [StageRecord("root")]
for n in range(200):
    properties = {f"{word}_{n % 7}": n for word in ("a", "b", "c")}
    records.append(XformRecord(f"/root/P{n}", f"P{n}", properties=properties))
list(write_stream((r for r in records), Path(sys.argv[1])))
"""


_COMPRESS = """
import sys
from pathlib import Path
import numpy as np
from stagewright.usd_tools.direct.records import *
from stagewright.usd_tools.direct.stream_writer import write_stream
numbers = np.random.default_rng(1).integers(-(2**31), 2**31, 40_000).astype(np.int32)
few, none = np.zeros((1, 3), np.float32), np.empty(0, np.int32)
primvar = Primvar("n", "int[]", "constant", numbers)
mesh = MeshRecord("/root/A", "A", few, none, none, primvars=(primvar,))
list(write_stream((r for r in [StageRecord("root"), mesh]), Path(sys.argv[1])))
"""


def _run(code: str, file: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code, str(file)],
        env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"} | environment,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.skipif("bpy" in sys.modules, reason="a child would find another USD")
def test_the_bytes_do_not_depend_on_the_process(tmp_path: Path) -> None:
    files = [tmp_path / f"{seed}.usdc" for seed in (1, 2)]
    for seed, file in enumerate(files):
        assert _run(_WRITE, file, PYTHONHASHSEED=str(seed)).returncode == 0
    assert files[0].read_bytes() == files[1].read_bytes()


@pytest.mark.skipif("bpy" in sys.modules, reason="a child would find another USD")
@pytest.mark.skipif(os.name != "posix", reason="needs a limit on the size of files")
@pytest.mark.parametrize("code", [_WRITE, _COMPRESS], ids=["the file's", "of temporary files"])
def test_a_full_disk_is_told(tmp_path: Path, code: str) -> None:
    limit = (
        "import resource, signal\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (512, 512))\n"
    )
    child = _run(limit + code, tmp_path / "a.usdc")
    assert child.returncode == 1
    assert "StagewrightError" in child.stderr
    assert "Make room on " in child.stderr


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(StagewrightError) as error:
        list(write_stream((r for r in [StageRecord("root")]), tmp_path / "none" / "a.usdc"))
    assert error.value.code == "target-unwritable"


def test_long_arrays_that_are_alike_but_not_equal_stay_apart(tmp_path: Path) -> None:
    """Only a sample of a long array is looked at, until there is another one like it."""
    first = np.arange(6_000_000, dtype=np.float32).reshape(-1, 3)
    second = first.copy()
    second.ravel()[3_000_001] += 1  # in no sample
    numbers = np.arange(2_000_000, dtype=np.int32) % 9
    others = numbers.copy()
    others[1_000_001] += 1
    arrays = [first, second, first.copy(), second.copy(), first]
    lists = [numbers, others, numbers.copy(), others.copy(), numbers]
    records: list[Record] = [StageRecord("root")]
    for number, (points, values) in enumerate(zip(arrays, lists, strict=True)):
        attribute = Primvar("n", "int[]", "constant", values)
        fields = {"points": points, "widths": None, "primvars": (attribute,)}
        records.append(PointsRecord(f"/root/P{number}", "P", **fields))
    file = tmp_path / "a.usdc"
    list(write_stream((r for r in records), file))
    layer = Sdf.Layer.OpenAsAnonymous(str(file))
    for number, (points, values) in enumerate(zip(arrays, lists, strict=True)):
        prim = layer.GetPrimAtPath(f"/root/P{number}")
        assert np.array_equal(prim.attributes["points"].default, points)
        assert np.array_equal(prim.attributes["primvars:n"].default, values)
    assert file.stat().st_size < 2.2 * first.nbytes
