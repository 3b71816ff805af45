# SPDX-License-Identifier: GPL-3.0-or-later
"""OBJ and PLY: files written by hand, round trips, and damaged ones."""

from __future__ import annotations

import dataclasses
import struct
from pathlib import Path

import numpy as np
import pytest

from stagewright.field_tools.mesh_files import read_polygons, write_polygons
from stagewright.field_tools.polygons import Polygons
from stagewright.jobs.errors import StagewrightError

POINTS = [(0, 0, 0), (1, 0, 0), (1, 1, 0), (0, 1, 0), (0.5, 0.5, 1e-3)]
FACES = [[0, 1, 2, 3], [0, 1, 4], [4, 1, 2, 3, 0]]


def mesh() -> Polygons:
    counts = np.array([len(face) for face in FACES])
    return Polygons(np.array(POINTS, float), counts, np.concatenate(FACES))


def assert_same(found: Polygons) -> None:
    assert found.points.tolist() == [list(map(float, p)) for p in POINTS]
    assert found.counts.tolist() == [4, 3, 5]
    assert found.corners.tolist() == [corner for face in FACES for corner in face]


@pytest.mark.parametrize("name", ["a.obj", "Ö b.PLY"])
def test_a_mesh_comes_back_exactly(tmp_path: Path, name: str) -> None:
    write_polygons(tmp_path / name, mesh())
    assert_same(read_polygons(tmp_path / name))


@pytest.mark.parametrize("suffix", [".obj", ".ply"])
def test_points_without_faces_and_faces_of_one_kind(tmp_path: Path, suffix: str) -> None:
    for faces in ([], [[0, 1, 2], [2, 3, 0]]):
        corners = np.array(faces, np.int64).reshape(-1)
        write_polygons(
            tmp_path / f"a{suffix}", Polygons(mesh().points, np.full(len(faces), 3), corners)
        )
        found = read_polygons(tmp_path / f"a{suffix}")
        assert (len(found.points), found.corners.tolist()) == (5, corners.tolist())


def test_an_obj_of_another_program(tmp_path: Path) -> None:
    path = tmp_path / "a.obj"
    path.write_text(
        "# made by hand\nmtllib a.mtl\no thing\nv 0 0 0 1.0\nv\t1 0 0\nvn 0 0 1\nvt 0 0\n"
        "v 1 1 0 0.5 0.5 0.5\nv 0 1 0\nusemtl red\ns off\nf 1/1/1 2//1 3/1 -1\nv 0.5 0.5 1e-3\n"
        "f 1 2 -1\nf 5 2 3 4 1\nl 1 2\n"
    )
    assert_same(read_polygons(path))


def looks() -> Polygons:
    plain, random = mesh(), np.random.default_rng(9)
    return Polygons(
        plain.points,
        plain.counts,
        plain.corners,
        uvs=np.rint(random.random((12, 2)) * 64) / 64,
        colours=np.rint(random.random((5, 3)) * 255) / 255,
        materials=np.array([1, 0, 1]),
        names=("red paint", "steel"),
    )


@pytest.mark.parametrize("name", ["a.obj", "a.ply"])
@pytest.mark.parametrize("left_out", [(), ("uvs",), ("colours",), ("materials", "names")])
def test_looks_come_back(tmp_path: Path, name: str, left_out: tuple[str, ...]) -> None:
    written = dataclasses.replace(looks(), **dict.fromkeys(left_out, None))
    if "names" in left_out:
        written = dataclasses.replace(written, names=())
    write_polygons(tmp_path / name, written)
    found = read_polygons(tmp_path / name)
    assert_same(found)
    for key in ("uvs", "colours"):
        if key in left_out:
            assert getattr(found, key) is None
        else:
            np.testing.assert_allclose(getattr(found, key), getattr(written, key), atol=1e-7)
    if "names" in left_out:
        assert found.materials is None and found.names == ()
    else:
        # An OBJ tells names in the order of its faces.
        assert found.materials is not None
        assert [found.names[n] for n in found.materials] == ["steel", "red paint", "steel"]


def test_looks_of_an_obj_of_another_program(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    path = tmp_path / "a.obj"
    path.write_text(
        "mtllib paint.mtl\nv 0 0 0 1 0 0\nv 1 0 0 0 1 0\nv 0 1 0 0 0 1\nv 0 0 1 .5 .5 .5\n"
        "vt 0 0\nvt 0.25 0.5 0\nf 1/1 2/2 3\nusemtl red\nf 1/-2/1 2/-1/1 4//1\n"
    )
    found = read_polygons(path)
    assert found.uvs is not None and found.colours is not None and found.materials is not None
    assert found.uvs.tolist() == [[0, 0], [0.25, 0.5], [0, 0], [0, 0], [0.25, 0.5], [0, 0]]
    assert found.colours.tolist() == [[1, 0, 0], [0, 1, 0], [0, 0, 1], [0.5, 0.5, 0.5]]
    assert (found.materials.tolist(), found.names) == ([-1, 0], ("red",))
    write_polygons(tmp_path / "out" / "b.obj", found)
    assert (tmp_path / "out" / "b.obj").read_text().startswith("mtllib ../paint.mtl\n")
    again = read_polygons(tmp_path / "out" / "b.obj").materials
    assert again is not None and again.tolist() == [-1, 0]


@pytest.mark.parametrize("form", ["ascii", "binary_big_endian"])
def test_looks_of_a_ply_of_another_program(tmp_path: Path, form: str) -> None:
    header = (
        f"ply\nformat {form} 1.0\nelement vertex 3\nproperty float x\nproperty float y\n"
        "property float z\nproperty float s\nproperty float t\nproperty uchar red\n"
        "property uchar green\nproperty uchar blue\nproperty uchar alpha\nelement face 1\n"
        "property list uchar int vertex_indices\nproperty int material_index\nend_header\n"
    ).encode()
    rows = [(0, 0, 0, 0.5, 0.25, 255, 0, 51, 255), (1, 0, 0, 1, 0, 0, 0, 0, 0)]
    rows += [(0, 1, 0, 0, 1, 0, 0, 0, 0)]
    if form == "ascii":
        body = "".join(" ".join(map(str, row)) + "\n" for row in rows).encode() + b"3 2 1 0 4\n"
    else:
        body = b"".join(struct.pack(">fffffBBBB", *row) for row in rows)
        body += struct.pack(">Biiii", 3, 2, 1, 0, 4)
    (tmp_path / "a.ply").write_bytes(header + body)
    found = read_polygons(tmp_path / "a.ply")
    assert found.uvs is not None and found.colours is not None and found.materials is not None
    assert found.uvs.tolist() == [[0, 1], [1, 0], [0.5, 0.25]]
    assert found.colours[0].tolist() == [1, 0, 0.2, 1]
    assert (found.materials.tolist(), found.names[4]) == ([4], "material_4")


def ply(form: str, order: str) -> bytes:
    """The mesh with a colour for each point, a number for each face, and edges."""
    header = (
        f"ply\nformat {form} 1.0\ncomment made by hand\nelement vertex 5\nproperty float x\n"
        "property float y\nproperty double z\nproperty uchar red\nelement face 3\n"
        "property short number\nproperty list uchar uint vertex_index\n"
        "element edge 1\nproperty int vertex1\nproperty int vertex2\nend_header\n"
    ).encode()
    if form == "ascii":
        rows = [f"{x} {y} {z} 7" for x, y, z in POINTS]
        rows += [f"3 {len(face)} {' '.join(map(str, face))}" for face in FACES] + ["0 1"]
        return header + "\n".join(rows).encode() + b"\n"
    body = b"".join(struct.pack(order + "ffdB", *p, 7) for p in POINTS)
    for face in FACES:
        body += struct.pack(f"{order}hB{len(face)}I", 3, len(face), *face)
    return header + body + struct.pack(order + "ii", 0, 1)


@pytest.mark.parametrize(
    ("form", "order"),
    [("ascii", ""), ("binary_little_endian", "<"), ("binary_big_endian", ">")],
)
def test_a_ply_of_another_program(tmp_path: Path, form: str, order: str) -> None:
    path = tmp_path / "a.ply"
    path.write_bytes(ply(form, order))
    assert_same(read_polygons(path))


@pytest.mark.parametrize("others", [[], [[0, 1, 2]]])
def test_faces_of_more_corners_than_a_byte_counts(tmp_path: Path, others: list[list[int]]) -> None:
    turn = np.linspace(0, 2 * np.pi, 300, endpoint=False)
    points = np.stack([np.cos(turn), np.sin(turn), 0 * turn], axis=1)
    faces = [list(range(300)), *others]
    corners = np.concatenate(faces)
    written = Polygons(points, np.array([len(face) for face in faces]), corners)
    write_polygons(tmp_path / "a.ply", written)
    found = read_polygons(tmp_path / "a.ply")
    assert found.counts.tolist() == written.counts.tolist()
    assert found.corners.tolist() == corners.tolist()


def test_polygons_are_cut_into_fans() -> None:
    triangles = mesh().triangles()
    assert triangles.tolist() == [
        [0, 1, 2], [0, 2, 3], [0, 1, 4], [4, 1, 2], [4, 2, 3], [4, 3, 0]
    ]  # fmt: skip


BAD = {
    "empty.ply": b"",
    "cut.ply": ply("binary_little_endian", "<")[:-30],
    "words.ply": b"ply\nformat ascii 1.0\nelement vertex 1\nproperty float x\nend_header\nnone\n",
    "type.ply": b"ply\nformat ascii 1.0\nelement vertex 1\nproperty colour x\nend_header\n0\n",
    "form.ply": b"ply\nformat utf8 1.0\nend_header\n",
    "short text.ply": ply("ascii", "")[:-25],
    "no faces.ply": b"\n".join(ply("ascii", "").splitlines()[:-3]),
    "less than none.ply": ply("ascii", "").replace(b"face 3", b"face -3"),
    "long list.ply": ply("binary_little_endian", "<").replace(b"list uchar", b"list int"),
    "far uv.obj": b"v 0 0 0\nv 1 0 0\nv 0 1 0\nvt 0 0\nf 1/1 2/2 3/1\n",
    "far.obj": b"v 0 0 0\nv 1 0 0\nf 1 2 9\n",
    "zero.obj": b"v 0 0 0\nf 0 0 0\n",
    "words.obj": b"v a b c\n",
    "short.obj": b"v 1 2\nv 1\n",
}


@pytest.mark.parametrize("name", BAD)
def test_damaged_files_are_refused_by_name(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(BAD[name])
    with pytest.raises(StagewrightError, match=name) as caught:
        read_polygons(tmp_path / name)
    assert caught.value.code == "mesh-unreadable"


def test_other_endings_and_missing_folders_are_refused(tmp_path: Path) -> None:
    with pytest.raises(StagewrightError, match="endings"):
        read_polygons(tmp_path / "a.stl")
    with pytest.raises(StagewrightError) as caught:
        write_polygons(tmp_path / "nowhere" / "a.obj", mesh())
    assert caught.value.code == "mesh-unwritable"
