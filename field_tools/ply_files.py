# SPDX-License-Identifier: GPL-3.0-or-later
"""PLY after G. Turk, "The PLY Polygon File Format" (1994), in text and both binary forms.

Colours, UVs and numbers of materials have no place in it but customs: properties ``red green blue
alpha`` and ``s t``, ``u v`` or ``texture_u texture_v`` of points, the list ``texcoord`` (MeshLab's)
and ``material_index`` of faces; here comments ``material NUMBER NAME`` say the names.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .polygons import Polygons

_TYPES = {
    "char": "i1", "int8": "i1", "uchar": "u1", "uint8": "u1", "short": "i2", "int16": "i2",
    "ushort": "u2", "uint16": "u2", "int": "i4", "int32": "i4", "uint": "u4", "uint32": "u4",
    "float": "f4", "float32": "f4", "double": "f8", "float64": "f8",
}  # fmt: skip
_UVS = (("s", "t"), ("u", "v"), ("texture_u", "texture_v"))
_COLOURS = ("red", "green", "blue", "alpha")


@dataclass(frozen=True)
class _Element:
    """One element of a PLY header: its properties as (name, type, type of a list's length)."""

    name: str
    count: int
    properties: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True)
class _Rows:
    """The body's rows of an element: numbers by name, lists as (lengths, values one by one)."""

    numbers: Mapping[str, NDArray[Any]]
    lists: Mapping[str, tuple[NDArray[np.int64], NDArray[Any]]]


_NO_ROWS = _Rows({}, {})
_NONE = np.zeros(0, np.int64)


def read_ply(file: Path) -> Polygons:
    """Read points, faces, UVs, colours and materials.

    Raises:
        OSError, ValueError, KeyError, IndexError, OverflowError, StopIteration: it cannot be read.
    """
    content = file.read_bytes()
    end = content.find(b"end_header")
    if not content.startswith(b"ply") or end < 0:
        raise ValueError("it has no PLY header")
    body = content[content.index(b"\n", end) + 1 :]
    form, elements, names = _header(content[:end].decode("utf-8", "replace"))
    reader = _Text(body) if form == "ascii" else _Binary(body, "<" if "little" in form else ">")
    found = {element.name: reader.rows(element) for element in elements}
    vertex, face = found.get("vertex", _NO_ROWS), found.get("face", _NO_ROWS)
    points = np.zeros((0, 3))
    if "vertex" in found:
        points = np.stack([vertex.numbers[axis].astype(np.float64) for axis in "xyz"], axis=1)
    counts = corners = _NONE
    if face.lists:
        name = next(n for n in ("vertex_indices", "vertex_index") if n in face.lists)
        counts, corners = (each.astype(np.int64) for each in face.lists[name])
    materials = face.numbers.get("material_index")
    return Polygons(
        points,
        counts,
        corners,
        _uvs(vertex, face, counts, corners),
        _colours(vertex),
        None if materials is None else materials.astype(np.int64),
        () if materials is None else _named(names, materials),
    )


def _uvs(
    vertex: _Rows, face: _Rows, counts: NDArray[np.int64], corners: NDArray[np.int64]
) -> NDArray[np.float64] | None:
    if "texcoord" in face.lists:
        sizes, values = face.lists["texcoord"]
        if np.array_equal(sizes, 2 * counts):  # Faces without any have empty lists: none at all.
            return values.astype(np.float64).reshape(-1, 2)
    for pair in _UVS:
        if all(name in vertex.numbers for name in pair):
            own = np.stack([vertex.numbers[name].astype(np.float64) for name in pair], axis=1)
            inside = (corners >= 0) & (corners < len(own))
            return own[np.where(inside, corners, 0)] if len(own) else None
    return None


def _colours(vertex: _Rows) -> NDArray[np.float64] | None:
    names = [name for name in _COLOURS if name in vertex.numbers]
    if len(names) < 3 or names[:3] != list(_COLOURS[:3]):
        return None
    columns = [vertex.numbers[name] for name in names]
    whole = [1.0 if c.dtype.kind == "f" else float(np.iinfo(c.dtype).max) for c in columns]
    return np.stack([c / most for c, most in zip(columns, whole, strict=True)], axis=1)


def _named(names: Mapping[int, str], materials: NDArray[Any]) -> tuple[str, ...]:
    """A name for every number there is."""
    most = int(np.max(materials)) if len(materials) else -1
    if most > 1 << 16:
        raise ValueError(f"it counts {most} materials")
    return tuple(names.get(number, f"material_{number}") for number in range(most + 1))


def _header(text: str) -> tuple[str, list[_Element], dict[int, str]]:
    form, elements, names = "", list[_Element](), dict[int, str]()
    for line in text.splitlines():
        match line.split():
            case ["format", kind, *_]:
                form = kind
            case ["comment", "material", number, *words] if number.isdecimal() and words:
                names[int(number)] = " ".join(words)
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
    return form, elements, names


class _Binary:
    """The body of a binary PLY, element after element."""

    def __init__(self, body: bytes, order: str) -> None:
        self._body, self._order, self._at = body, order, 0

    def rows(self, element: _Element) -> _Rows:
        """The next rows; lists as long in every row are read at once."""
        equal = self._equal_rows(element)
        if equal is not None:
            return equal
        sizes: dict[str, list[int]] = {name: [] for name, _, _ in element.properties}
        parts: dict[str, list[NDArray[Any]]] = {name: [] for name in sizes}
        for _ in range(element.count):
            for name, kind, length in element.properties:
                size = int(self._next(np.dtype(self._order + length), 1)[0]) if length else 1
                if size < 0:
                    raise ValueError("a list has less than no entries")
                sizes[name].append(size)
                parts[name].append(self._next(np.dtype(self._order + kind), size))
        return _gathered(element, sizes, {name: np.concatenate(p) for name, p in parts.items()})

    def _equal_rows(self, element: _Element) -> _Rows | None:
        if not element.count:
            return _gathered(
                element,
                {name: [] for name, _, _ in element.properties},
                {name: np.zeros(0, kind) for name, kind, _ in element.properties},
            )
        fields: list[Any] = []
        at = self._at
        for name, kind, length in element.properties:
            if length:
                size = int(np.frombuffer(self._body, self._order + length, 1, at)[0])
                fields.append((f"{name} length", self._order + length))
                fields.append((name, self._order + kind, (size,)))
            else:
                fields.append((name, self._order + kind))
            at = self._at + np.dtype(fields).itemsize
        dtype = np.dtype(fields)
        if self._at + dtype.itemsize * element.count > len(self._body):
            return None
        rows = np.frombuffer(self._body, dtype, element.count, self._at)
        lists = {name: dtype[name].shape[0] for name, _, length in element.properties if length}
        if any((rows[f"{name} length"] != size).any() for name, size in lists.items()):
            return None
        self._at += dtype.itemsize * element.count
        return _Rows(
            {name: rows[name] for name, _, length in element.properties if not length},
            {n: (np.full(len(rows), s, np.int64), rows[n].reshape(-1)) for n, s in lists.items()},
        )

    def _next(self, dtype: np.dtype[Any], count: int) -> NDArray[Any]:
        rows = np.frombuffer(self._body, dtype, count, self._at)
        self._at += dtype.itemsize * count
        return rows


class _Text:
    """The body of a PLY in text, element after element."""

    def __init__(self, body: bytes) -> None:
        self._lines = iter(body.splitlines())

    def rows(self, element: _Element) -> _Rows:
        """The next rows."""
        sizes: dict[str, list[int]] = {name: [] for name, _, _ in element.properties}
        values: dict[str, list[bytes]] = {name: [] for name in sizes}
        for _ in range(element.count):
            words = next(self._lines).split()
            for name, _, length in element.properties:
                size = int(words.pop(0)) if length else 1
                sizes[name].append(size)
                values[name] += words[:size]
                words = words[size:]
        arrays = {
            name: np.array(values[name], np.float64 if kind[0] == "f" else np.int64).astype(kind)
            for name, kind, _ in element.properties
        }
        return _gathered(element, sizes, arrays)


def _gathered(
    element: _Element, sizes: Mapping[str, list[int]], values: Mapping[str, NDArray[Any]]
) -> _Rows:
    for name, own in sizes.items():
        if sum(own) != len(values[name]):
            raise ValueError(f"a row of {element.name} ends too soon")
    return _Rows(
        {name: values[name] for name, _, length in element.properties if not length},
        {
            name: (np.array(sizes[name], np.int64), values[name])
            for name, _, length in element.properties
            if length
        },
    )


def ply_bytes(mesh: Polygons) -> bytes:
    """The content of a binary PLY file of a mesh."""
    points: list[tuple[str, str]] = [(axis, "<f8") for axis in "xyz"]
    names = _COLOURS[: 0 if mesh.colours is None else mesh.colours.shape[1]]
    points += [(name, "u1") for name in names]
    vertex = np.empty(len(mesh.points), points)
    for number, axis in enumerate("xyz"):
        vertex[axis] = mesh.points[:, number]
    for number, name in enumerate(names):
        assert mesh.colours is not None
        vertex[name] = np.rint(np.clip(mesh.colours[:, number], 0, 1) * 255)
    # A length of one byte, as most programs expect, ends at 255.
    most = int(np.max(mesh.counts)) if len(mesh.counts) else 0
    kind, length = ("u1", "uchar") if most <= (255 if mesh.uvs is None else 127) else ("<i4", "int")
    header = ["ply", "format binary_little_endian 1.0"]
    header += [f"comment material {number} {name}" for number, name in enumerate(mesh.names)]
    header += [f"element vertex {len(vertex)}"]
    header += [f"property double {axis}" for axis in "xyz"]
    header += [f"property uchar {name}" for name in names]
    header += [f"element face {len(mesh.counts)}", f"property list {length} int vertex_indices"]
    if mesh.uvs is not None:
        header.append(f"property list {length} float texcoord")
    if mesh.materials is not None:
        header.append("property int material_index")
    text = "\n".join([*header, "end_header", ""]).encode("utf-8")
    return text + vertex.tobytes() + b"".join(_faces(mesh, kind))


def _faces(mesh: Polygons, kind: str) -> list[bytes]:
    """The rows of faces, those of equally many corners together where all are so."""
    ends = np.cumsum(mesh.counts)
    starts = ends - mesh.counts
    if len(mesh.counts) and (mesh.counts == mesh.counts[0]).all():
        spans = [(0, len(mesh.counts))]
    else:
        spans = [(number, number + 1) for number in range(len(mesh.counts))]
    rows = []
    for first, stop in spans:
        size, count = int(mesh.counts[first]), stop - first
        part = slice(int(starts[first]), int(ends[stop - 1]))
        fields: list[Any] = [("n", kind), ("v", "<i4", (size,))]
        if mesh.uvs is not None:
            fields += [("m", kind), ("uv", "<f4", (2 * size,))]
        if mesh.materials is not None:
            fields.append(("material", "<i4"))
        row = np.empty(count, fields)
        row["n"], row["v"] = size, mesh.corners[part].reshape(count, size)
        if mesh.uvs is not None:
            row["m"], row["uv"] = 2 * size, mesh.uvs[part].reshape(count, 2 * size)
        if mesh.materials is not None:
            row["material"] = mesh.materials[first:stop]
        rows.append(row.tobytes())
    return rows
