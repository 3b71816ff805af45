# SPDX-License-Identifier: GPL-3.0-or-later
"""OBJ after the specification of Wavefront's Advanced Visualizer; colours come after points."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .polygons import Polygons


def read_obj(file: Path) -> Polygons:
    """Read points, faces, UVs, colours and the names of materials.

    A file names several UVs of one point as it likes; corners without one have 0, 0. Points have
    colours if all of them do.

    Raises:
        OSError, ValueError: it cannot be read.
    """
    points: list[list[bytes]] = []
    uvs: list[list[bytes]] = [[b"0", b"0"]]
    counts: list[int] = []
    corners: list[int] = []
    mapped: list[int] = []
    names: dict[str, int] = {}
    material, materials = -1, list[int]()
    library: Path | None = None
    for line in file.read_bytes().splitlines():
        key, *words = line.split() or [b""]
        if key == b"v":
            points.append(words)
        elif key == b"vt":
            uvs.append(words[:2])
        elif key == b"f":
            for word in words:
                place, _, rest = word.partition(b"/")
                corners.append(_number(place, len(points)))
                uv = rest.partition(b"/")[0]
                mapped.append(_number(uv, len(uvs) - 1) + 1 if uv else 0)
            counts.append(len(words))
            materials.append(material)
        elif key == b"usemtl":
            name = b" ".join(words).decode("utf-8", "replace")
            material = names.setdefault(name, len(names)) if name else -1
        elif key == b"mtllib" and library is None:
            library = file.absolute().parent / b" ".join(words).decode("utf-8", "replace")
    return Polygons(
        _table([words[:3] for words in points], 3),
        np.array(counts, np.int64),
        np.array(corners, np.int64),
        _uvs(uvs, np.array(mapped, np.int64)),
        _colours(points),
        np.array(materials, np.int64) if names else None,
        tuple(names),
        library,
    )


def _number(word: bytes, count: int) -> int:
    """From 0, of what is counted from 1, or backwards from what there is so far."""
    number = int(word)
    return number - 1 if number > 0 else count + number


def _table(rows: list[list[bytes]], width: int) -> NDArray[np.float64]:
    numbers = np.array(b" ".join(map(b" ".join, rows)).split(), np.float64)
    if numbers.size != width * len(rows):
        raise ValueError(f"a line has not {width} numbers")
    return numbers.reshape(-1, width)


def _uvs(rows: list[list[bytes]], mapped: NDArray[np.int64]) -> NDArray[np.float64] | None:
    if not mapped.any():
        return None
    if ((mapped < 0) | (mapped >= len(rows))).any():
        raise ValueError("a face names a UV that is not there")
    result: NDArray[np.float64] = _table(rows, 2)[mapped]
    return result


def _colours(points: list[list[bytes]]) -> NDArray[np.float64] | None:
    if not points or min(map(len, points)) < 6:
        return None
    return _table([words[3:6] for words in points], 3)


def obj_bytes(mesh: Polygons, file: Path) -> bytes:
    """The content of an OBJ file of a mesh."""
    return ("\n".join(_lines(mesh, file)) + "\n").encode("utf-8")


def _lines(mesh: Polygons, file: Path) -> Iterator[str]:
    if mesh.library is not None:
        yield f"mtllib {_relative(mesh.library, file)}"
    told = mesh.points
    if mesh.colours is not None:
        told = np.concatenate([told, mesh.colours[:, :3]], axis=1)
    for row in told.tolist():
        yield "v " + " ".join(map(repr, row))
    corners = list(map(str, (mesh.corners + 1).tolist()))
    if mesh.uvs is not None:
        rows, which = np.unique(mesh.uvs, axis=0, return_inverse=True)
        for u, v in rows.tolist():
            yield f"vt {u!r} {v!r}"
        numbers = (which.reshape(-1) + 1).tolist()
        corners = [f"{corner}/{uv}" for corner, uv in zip(corners, numbers, strict=True)]
    materials = [-1] * len(mesh.counts) if mesh.materials is None else mesh.materials.tolist()
    start, current = 0, -1
    for count, material in zip(mesh.counts.tolist(), materials, strict=True):
        if material != current:
            yield f"usemtl {mesh.names[material] if material >= 0 else ''}".rstrip()
            current = material
        yield "f " + " ".join(corners[start : start + count])
        start += count


def _relative(library: Path, file: Path) -> str:
    try:
        return Path(os.path.relpath(library, file.absolute().parent)).as_posix()
    except ValueError:  # Another drive of Windows.
        return library.as_posix()
