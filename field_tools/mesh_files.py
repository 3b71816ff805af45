# SPDX-License-Identifier: GPL-3.0-or-later
"""Surfaces and points in OBJ and PLY files.

OBJ after the specification of Wavefront's Advanced Visualizer, PLY after G. Turk, "The PLY
Polygon File Format" (1994), in text and both binary forms.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..jobs.errors import StagewrightError
from ..jobs.files import written_whole

SUFFIXES = (".obj", ".ply")
_TYPES = {
    "char": "i1", "int8": "i1", "uchar": "u1", "uint8": "u1", "short": "i2", "int16": "i2",
    "ushort": "u2", "uint16": "u2", "int": "i4", "int32": "i4", "uint": "u4", "uint32": "u4",
    "float": "f4", "float32": "f4", "double": "f8", "float64": "f8",
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Polygons:
    """A mesh of polygons, or points where it has none.

    Attributes:
        points: (n, 3) float64.
        counts: (f,) int64, corners of each face.
        corners: (c,) int64, the point of each corner, counter-clockwise seen from outside.
    """

    points: NDArray[np.float64]
    counts: NDArray[np.int64]
    corners: NDArray[np.int64]

    def triangles(self) -> NDArray[np.int64]:
        """(m, 3) fans of the polygons; those of fewer than 3 corners are left out."""
        starts = np.cumsum(self.counts) - self.counts
        spokes = np.maximum(self.counts - 2, 0)
        face = np.repeat(np.arange(len(self.counts)), spokes)
        number = np.arange(len(face)) - np.repeat(np.cumsum(spokes) - spokes, spokes)
        first = starts[face]
        picked = np.stack([first, first + number + 1, first + number + 2], axis=1)
        triangles: NDArray[np.int64] = self.corners[picked.reshape(-1, 3)]
        return triangles


def polygons_of(points: NDArray[Any], faces: NDArray[Any]) -> Polygons:
    """Polygons of (n, 3) points and (f, k) faces."""
    counts = np.full(len(faces), faces.shape[1], np.int64)
    return Polygons(points.astype(np.float64), counts, faces.reshape(-1).astype(np.int64))


def is_mesh(path: Path) -> bool:
    """Whether a file is one of these, by its suffix."""
    return path.suffix.lower() in SUFFIXES


def read_polygons(path: str | Path) -> Polygons:
    """Read an OBJ or PLY file.

    Raises:
        StagewrightError: ``mesh-unreadable``, ``mesh-suffix``.
    """
    file = Path(path)
    reader = _by_suffix(file, {".obj": _read_obj, ".ply": _read_ply})
    try:
        found: Polygons = reader(file.read_bytes())
        if (found.counts < 0).any() or found.counts.sum() != len(found.corners):
            raise ValueError("it ends within a face")
        if ((found.corners < 0) | (found.corners >= len(found.points))).any():
            raise ValueError("a face names a point that is not there")
    except (OSError, ValueError, KeyError, IndexError, OverflowError, StopIteration) as error:
        raise StagewrightError(
            "mesh-unreadable",
            f"{file.name} is no mesh that can be read ({str(error) or 'it ends too soon'}).",
            "Choose another file, or export it again.",
        ) from error
    return found


def write_polygons(path: str | Path, mesh: Polygons) -> None:
    """Write an OBJ or a binary PLY file; it appears whole or not at all.

    Raises:
        StagewrightError: ``mesh-suffix``, ``mesh-unwritable``.
    """
    file = Path(path)
    writer = _by_suffix(file, {".obj": _obj_bytes, ".ply": _ply_bytes})
    try:
        with written_whole(file) as partial:
            partial.write_bytes(writer(mesh))
    except OSError as error:
        raise StagewrightError(
            "mesh-unwritable",
            f"{file.name} cannot be written ({error.strerror or error}).",
            "Make room there, or choose another folder.",
        ) from error


def _by_suffix(file: Path, functions: dict[str, Callable[..., Any]]) -> Callable[..., Any]:
    function = functions.get(file.suffix.lower())
    if function is None:
        raise StagewrightError(
            "mesh-suffix",
            f"A mesh is not kept as “{file.name}”.",
            f"Give the file one of the endings {', '.join(SUFFIXES)}.",
        )
    return function


def _read_obj(content: bytes) -> Polygons:
    points: list[bytes] = []
    counts: list[int] = []
    corners: list[int] = []
    for line in content.splitlines():
        if line.startswith((b"v ", b"v\t")):
            points.append(b" ".join(line.split()[1:4]))
        elif line.startswith((b"f ", b"f\t")):
            named = [int(word.split(b"/", 1)[0]) for word in line.split()[1:]]
            # Counted from 1, or backwards from the points there are so far.
            corners += [n - 1 if n > 0 else len(points) + n for n in named]
            counts.append(len(named))
    numbers = np.array(b" ".join(points).split(), np.float64)
    if numbers.size != 3 * len(points):
        raise ValueError("a point has not three coordinates")
    return Polygons(numbers.reshape(-1, 3), np.array(counts, np.int64), np.array(corners, np.int64))


@dataclass(frozen=True)
class _Element:
    """One element of a PLY header: its properties as (name, type, type of a list's length)."""

    name: str
    count: int
    properties: tuple[tuple[str, str, str], ...]


def _read_ply(content: bytes) -> Polygons:
    end = content.find(b"end_header")
    if not content.startswith(b"ply") or end < 0:
        raise ValueError("it has no PLY header")
    body = content[content.index(b"\n", end) + 1 :]
    form, elements = _ply_header(content[:end].decode("ascii", "replace"))
    read = _Text(body) if form == "ascii" else _Binary(body, "<" if "little" in form else ">")
    points = np.zeros((0, 3))
    counts = corners = np.zeros(0, np.int64)
    for element in elements:
        if any(length for _, _, length in element.properties):
            lists = read.lists(element)
            if element.name == "face":
                name = next(n for n in ("vertex_indices", "vertex_index") if n in lists)
                counts, corners = lists[name]
        else:
            columns = read.columns(element)
            if element.name == "vertex":
                points = np.stack([columns[axis].astype(np.float64) for axis in "xyz"], axis=1)
    return Polygons(points, counts, corners)


def _ply_header(text: str) -> tuple[str, list[_Element]]:
    form, elements = "", list[_Element]()
    for line in text.splitlines():
        match line.split():
            case ["format", kind, *_]:
                form = kind
            case ["element", _, count] if int(count) < 0:
                raise ValueError(f"it counts {count} of something")
            case ["element", name, count]:
                elements.append(_Element(name, int(count), ()))
            case ["property", "list", length, kind, name]:
                last = elements[-1]
                own = (*last.properties, (name, _TYPES[kind], _TYPES[length]))
                elements[-1] = _Element(last.name, last.count, own)
            case ["property", kind, name]:
                last = elements[-1]
                own = (*last.properties, (name, _TYPES[kind], ""))
                elements[-1] = _Element(last.name, last.count, own)
    if form not in {"ascii", "binary_little_endian", "binary_big_endian"}:
        raise ValueError(f"its format “{form}” is not known")
    return form, elements


_NONE = np.zeros(0, np.int64)
_Lists = dict[str, tuple[NDArray[np.int64], NDArray[np.int64]]]


class _Binary:
    """The body of a binary PLY, element after element."""

    def __init__(self, body: bytes, order: str) -> None:
        self._body, self._order, self._at = body, order, 0

    def columns(self, element: _Element) -> dict[str, NDArray[Any]]:
        dtype = np.dtype([(name, self._order + kind) for name, kind, _ in element.properties])
        rows = self._rows(dtype, element.count)
        return {name: rows[name] for name, _, _ in element.properties}

    def lists(self, element: _Element) -> _Lists:
        """Lists by name; a list as long in every row is read at once."""
        equal = self._equal_rows(element)
        if equal is not None:
            return equal
        found: dict[str, tuple[list[int], list[NDArray[Any]]]] = {
            name: ([], []) for name, _, length in element.properties if length
        }
        for _ in range(element.count):
            for name, kind, length in element.properties:
                size = int(self._rows(np.dtype(self._order + length), 1)[0]) if length else 1
                if size < 0:
                    raise ValueError("a list has less than no entries")
                values = self._rows(np.dtype(self._order + kind), size)
                if length:
                    found[name][0].append(size)
                    found[name][1].append(values)
        empty = [np.zeros(0, np.int64)]
        return {
            name: (np.array(sizes, np.int64), np.concatenate(empty + parts).astype(np.int64))
            for name, (sizes, parts) in found.items()
        }

    def _equal_rows(self, element: _Element) -> _Lists | None:
        if not element.count:
            return {name: (_NONE, _NONE) for name, _, length in element.properties if length}
        fields: list[Any] = []
        at = self._at
        for name, kind, length in element.properties:
            if length:
                size = int(np.frombuffer(self._body, self._order + length, 1, at)[0])
                fields += [
                    (f"{name} length", self._order + length),
                    (name, self._order + kind, (size,)),
                ]
            else:
                fields.append((name, self._order + kind))
            at = self._at + np.dtype(fields).itemsize
        dtype = np.dtype(fields)
        if self._at + dtype.itemsize * element.count > len(self._body):
            return None
        rows = np.frombuffer(self._body, dtype, element.count, self._at)
        lists = [name for name, _, length in element.properties if length]
        if any((rows[f"{name} length"] != dtype[name].shape[0]).any() for name in lists):
            return None
        self._at += dtype.itemsize * element.count
        return {
            name: (rows[f"{name} length"].astype(np.int64), rows[name].reshape(-1).astype(np.int64))
            for name in lists
        }

    def _rows(self, dtype: np.dtype[Any], count: int) -> NDArray[Any]:
        rows = np.frombuffer(self._body, dtype, count, self._at)
        self._at += dtype.itemsize * count
        return rows


class _Text:
    """The body of a PLY in text, element after element."""

    def __init__(self, body: bytes) -> None:
        self._lines = iter(body.splitlines())

    def columns(self, element: _Element) -> dict[str, NDArray[Any]]:
        rows = [next(self._lines).split() for _ in range(element.count)]
        table = np.array(rows, np.float64).reshape(element.count, len(element.properties))
        return {name: table[:, i] for i, (name, _, _) in enumerate(element.properties)}

    def lists(self, element: _Element) -> _Lists:
        found: dict[str, tuple[list[int], list[int]]] = {
            name: ([], []) for name, _, length in element.properties if length
        }
        for _ in range(element.count):
            words = next(self._lines).split()
            for name, _, length in element.properties:
                size = int(words.pop(0)) if length else 1
                values, words = words[:size], words[size:]
                if length:
                    found[name][0].append(size)
                    found[name][1].extend(int(word) for word in values)
        return {n: (np.array(s, np.int64), np.array(v, np.int64)) for n, (s, v) in found.items()}


def _obj_bytes(mesh: Polygons) -> bytes:
    lines = [f"v {x!r} {y!r} {z!r}" for x, y, z in mesh.points.tolist()]
    ends = np.cumsum(mesh.counts).tolist()
    corners = (mesh.corners + 1).tolist()
    start = 0
    for end in ends:
        lines.append("f " + " ".join(map(str, corners[start:end])))
        start = end
    return ("\n".join(lines) + "\n").encode("ascii")


def _ply_bytes(mesh: Polygons) -> bytes:
    # A length of one byte, as most programs expect, ends at 255.
    short = not len(mesh.counts) or int(np.max(mesh.counts)) <= 255
    kind, length = ("u1", "uchar") if short else ("<i4", "int")
    header = (
        "ply\nformat binary_little_endian 1.0\n"
        f"element vertex {len(mesh.points)}\n"
        "property double x\nproperty double y\nproperty double z\n"
        f"element face {len(mesh.counts)}\n"
        f"property list {length} int vertex_indices\nend_header\n"
    )
    points = np.ascontiguousarray(mesh.points, "<f8").tobytes()
    starts = np.cumsum(mesh.counts) - mesh.counts
    faces = bytearray()
    if len(mesh.counts) and (mesh.counts == mesh.counts[0]).all():
        size = int(mesh.counts[0])
        rows = np.empty(len(mesh.counts), [("n", kind), ("v", "<i4", (size,))])
        rows["n"], rows["v"] = size, mesh.corners.reshape(-1, size)
        faces += rows.tobytes()
    else:
        corners = mesh.corners.astype("<i4")
        for start, count in zip(starts.tolist(), mesh.counts.tolist(), strict=True):
            faces += np.array(count, kind).tobytes() + corners[start : start + count].tobytes()
    return header.encode("ascii") + points + bytes(faces)
