# SPDX-License-Identifier: GPL-3.0-or-later
"""Shapes for the lantern: turned profiles, swept tubes and boxes, with UV maps."""

from __future__ import annotations

from collections.abc import Sequence

import bpy
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def build(
    name: str, points: Array, faces: Sequence[Sequence[int]], uvs: Array, uv_name: str = "UVMap"
) -> bpy.types.Mesh:
    """A smooth mesh with one UV map; ``uvs`` is (corners, 2) in the faces' order."""
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata(points.tolist(), [], [list(face) for face in faces])
    mesh.uv_layers.new(name=uv_name).data.foreach_set("uv", uvs.astype(np.float32).ravel())
    mesh.shade_smooth()
    mesh.validate()
    return mesh


def add_uv(mesh: bpy.types.Mesh, name: str, uvs: Array) -> None:
    """Add another UV map; the first one stays active."""
    mesh.uv_layers.new(name=name).data.foreach_set("uv", uvs.astype(np.float32).ravel())
    mesh.uv_layers.active_index = 0


def vertex_points(mesh: bpy.types.Mesh) -> Array:
    """The points of ``mesh``, (vertices, 3)."""
    points = np.empty(len(mesh.vertices) * 3, np.float32)
    mesh.vertices.foreach_get("co", points)
    return points.reshape(-1, 3).astype(float)


def corner_uvs(mesh: bpy.types.Mesh, name: str = "UVMap") -> Array:
    """A UV map, (corners, 2)."""
    uvs = np.empty(len(mesh.loops) * 2, np.float32)
    mesh.uv_layers[name].data.foreach_get("uv", uvs)
    return uvs.reshape(-1, 2).astype(float)


def rounded(profile: Sequence[tuple[float, float, float]], steps: int = 4) -> Array:
    """A polyline of (r, z, fillet radius) with its corners rounded, as (n, 2)."""
    points = np.array([p[:2] for p in profile], float)
    result = [points[0]]
    for i in range(1, len(profile) - 1):
        corner, fillet = points[i], profile[i][2]
        before, after = points[i - 1] - corner, points[i + 1] - corner
        reach_a, reach_b = np.linalg.norm(before), np.linalg.norm(after)
        cut = min(fillet, 0.45 * reach_a, 0.45 * reach_b)
        if cut <= 0:
            result.append(corner)
            continue
        start, end = corner + before / reach_a * cut, corner + after / reach_b * cut
        # A quadratic Bézier is as good as an arc at this size, and never degenerate.
        for t in np.linspace(0, 1, steps + 1):
            result.append((1 - t) ** 2 * start + 2 * t * (1 - t) * corner + t**2 * end)
    result.append(points[-1])
    return np.array(result)


def lathe(
    name: str,
    profile: Array,
    segments: int = 48,
    tiles: tuple[float, float] = (1, 1),
    arc: tuple[float, float] = (0, 2 * np.pi),
) -> bpy.types.Mesh:
    """Turn ``profile`` ((n, 2) of r and z, from below to above outside) around Z.

    U runs around, V along the profile's length. A point with r = 0 is a pole.
    """
    closed = np.isclose(arc[1] - arc[0], 2 * np.pi)
    columns = segments if closed else segments + 1
    angles = arc[0] + (arc[1] - arc[0]) * np.arange(columns) / segments
    length = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(profile, axis=0), axis=1))])
    v = length / length[-1] * tiles[1]
    points: list[tuple[float, float, float]] = []
    rows: list[list[int]] = []
    for radius, z in profile:
        if radius < 1e-9:
            rows.append([len(points)] * (segments + 1))
            points.append((0.0, 0.0, float(z)))
            continue
        start = len(points)
        points += [(radius * np.cos(a), radius * np.sin(a), float(z)) for a in angles]
        rows.append([start + i % columns for i in range(segments + 1)])
    faces, uvs = [], []
    for i, (low, high) in enumerate(zip(rows, rows[1:], strict=False)):
        for j in range(segments):
            u0, u1 = (np.array([j, j + 1]) / segments * tiles[0]).tolist()
            quad = [
                (low[j], u0, v[i]),
                (low[j + 1], u1, v[i]),
                (high[j + 1], u1, v[i + 1]),
                (high[j], u0, v[i + 1]),
            ]
            if low[j] == low[j + 1]:
                del quad[1]
            elif high[j] == high[j + 1]:
                del quad[3]
            faces.append([corner[0] for corner in quad])
            uvs += [corner[1:] for corner in quad]
    return build(name, np.array(points), faces, np.array(uvs))


def spline(knots: Sequence[Sequence[float]], steps: int = 8) -> Array:
    """A Catmull-Rom curve through ``knots``, (n, 3)."""
    k = np.array(knots, float)
    k = np.vstack([2 * k[0] - k[1], k, 2 * k[-1] - k[-2]])
    t = np.linspace(0, 1, steps, endpoint=False)[:, None]
    pieces = []
    for a, b, c, d in zip(k, k[1:], k[2:], k[3:], strict=False):
        pieces.append(
            0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2)
            + 0.5 * (3 * b - a - 3 * c + d) * t**3
        )
    return np.vstack([*pieces, k[-2:-1]])


def frames(path: Array, up: Sequence[float]) -> tuple[Array, Array]:
    """Two unit vectors across ``path`` at every point; the first stays nearest ``up``."""
    tangent = np.gradient(path, axis=0)
    tangent /= np.linalg.norm(tangent, axis=1, keepdims=True)
    first = np.array(up, float) - tangent * (tangent @ np.array(up, float))[:, None]
    first /= np.linalg.norm(first, axis=1, keepdims=True)
    return first, np.cross(tangent, first)


def tube(
    name: str,
    path: Array,
    radii: tuple[float, float],
    up: Sequence[float] = (0, 1, 0),
    sides: int = 16,
    tiles: tuple[float, float] = (1, 1),
) -> bpy.types.Mesh:
    """Sweep an ellipse along ``path``; ``radii`` along ``up`` and across. The ends are capped."""
    first, second = frames(path, up)
    angle = 2 * np.pi * np.arange(sides) / sides
    ring = radii[0] * np.cos(angle)[:, None, None] * first
    ring = ring + radii[1] * np.sin(angle)[:, None, None] * second
    points = (path + ring).transpose(1, 0, 2).reshape(-1, 3)
    length = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(path, axis=0), axis=1))])
    v = length / length[-1] * tiles[1]
    faces: list[list[int]] = []
    uvs: list[tuple[float, float]] = []
    for i in range(len(path) - 1):
        for j in range(sides):
            k = (j + 1) % sides
            faces.append([i * sides + j, i * sides + k, (i + 1) * sides + k, (i + 1) * sides + j])
            u0, u1 = j / sides * tiles[0], (j + 1) / sides * tiles[0]
            uvs += [(u0, v[i]), (u1, v[i]), (u1, v[i + 1]), (u0, v[i + 1])]
    last = (len(path) - 1) * sides
    for cap, row in ((list(range(sides))[::-1], 0), (list(range(last, last + sides)), -1)):
        faces.append(cap)
        uvs += [(0.5 * tiles[0], v[row])] * sides
    return build(name, points, faces, np.array(uvs))


def box(name: str, size: Sequence[float]) -> bpy.types.Mesh:
    """A box around the origin; every side shows the whole image."""
    signs = np.array([(x, y, z) for z in (-1, 1) for y in (-1, 1) for x in (-1, 1)], float)
    faces = [(0, 1, 5, 4), (1, 3, 7, 5), (3, 2, 6, 7), (2, 0, 4, 6), (4, 5, 7, 6), (2, 3, 1, 0)]
    uvs = np.tile([(0, 0), (1, 0), (1, 1), (0, 1)], (6, 1))
    return build(name, signs * np.array(size) / 2, faces, uvs)


def join(name: str, parts: Sequence[bpy.types.Mesh]) -> bpy.types.Mesh:
    """One mesh of several, which are removed; keeps the first UV map and the face sides."""
    points, faces, uvs = [], [], []
    start = 0
    for part in parts:
        points.append(vertex_points(part))
        faces += [[start + i for i in face.vertices] for face in part.polygons]
        uvs.append(corner_uvs(part))
        start += len(part.vertices)
        bpy.data.meshes.remove(part)
    return build(name, np.vstack(points), faces, np.vstack(uvs))
