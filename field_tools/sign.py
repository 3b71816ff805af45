# SPDX-License-Identifier: GPL-3.0-or-later
"""Inside or outside of a triangle mesh at voxel centres.

*Columns*: along one axis, every crossing of a column of voxels with the surface adds its
orientation; the running sum is the winding number, inside is above zero. Overlapping parts and
duplicated faces stay inside, where counting parity would not. The projected edge tests are exact in
sign and break ties as if every column were moved by (e, e squared), so a column through an edge or
a corner meets a closed surface an even number of times.

*Damaged meshes* are closed first (`closed_chain`). A column whose crossings still do not add up to
zero met a missing, flipped or duplicated triangle and tells so; the columns of three axes vote, the
telling ones do not, and voxels without two equal votes are decided by the generalised winding
number.

*Generalised winding number* (A. Jacobson et al. 2013): the solid angle of all triangles over
4 pi, above one half inside; far clusters by their dipole (G. Barill et al. 2018).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from .closest import voxel_points
from .closing import closed_chain
from .grid import FloatArray
from .parallel import for_each_chunk
from .triangles import IntArray, TriangleMesh

SignMethod = Literal["auto", "columns", "majority", "winding", "unsigned"]
PIXELS = 1 << 20
"""Column-triangle pairs tested at once."""


@dataclass(frozen=True, eq=False)
class Crossings:
    """Where the columns along one axis cross the surface.

    Attributes:
        keys: (c,) int64 ascending: ``column * (depth + 1) + first voxel above the crossing``.
        steps: (c,) int8, what the winding number gains there.
        depth: voxels in a column.
        open_columns: ascending columns whose steps do not add up to zero.
        open_sums: what they add up to.
    """

    keys: NDArray[np.int64]
    steps: NDArray[np.int8]
    depth: int
    open_columns: NDArray[np.int64]
    open_sums: NDArray[np.int64]


def column_crossings(mesh: TriangleMesh, shape: tuple[int, int, int], axis: int) -> Crossings:
    """All crossings of the voxel columns along ``axis`` with the surface.

    Columns are numbered ``u * shape[v] + v`` for the axes (u, v) that follow ``axis`` in the order
    (z: x, y; x: y, z; y: z, x).
    """
    u, v = (axis + 1) % 3, (axis + 2) % 3
    depth = shape[axis]
    columns, heights, steps = [], [], []
    for triangles, low_u, width, low_v, area in _covered(mesh, shape, u, v):
        owner = np.repeat(np.arange(len(triangles)), area)
        offset = np.arange(len(owner)) - np.repeat(np.cumsum(area) - area, area)
        pixel_u = low_u[owner] + offset % width[owner]
        pixel_v = low_v[owner] + offset // width[owner]
        winding, height, hit = _pierce(mesh, triangles[owner], pixel_u, pixel_v, (u, v, axis))
        columns.append(pixel_u[hit] * shape[v] + pixel_v[hit])
        heights.append(np.clip(np.ceil(height), 0, depth).astype(np.int64))
        steps.append(-winding)
    column = np.concatenate([np.empty(0, np.int64), *columns])
    step = np.concatenate([np.empty(0, np.int8), *steps]).astype(np.int8)
    keys = column * (depth + 1) + np.concatenate([np.empty(0, np.int64), *heights])
    order = np.argsort(keys, kind="stable")
    keys, step = keys[order], step[order]
    column = keys // (depth + 1)
    starts = np.flatnonzero(np.diff(column, prepend=-1))
    sums = np.add.reduceat(step.astype(np.int64), starts) if len(starts) else starts
    bad = sums != 0
    return Crossings(keys, step, depth, column[starts][bad], sums[bad])


def winding_numbers(
    crossings: Crossings, columns: NDArray[np.int64], heights: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Winding numbers of voxels, counted from the bottom of their columns.

    Args:
        crossings: of the axis.
        columns: column of each voxel.
        heights: voxel's place in its column.
    """
    total = np.concatenate([[0], np.cumsum(crossings.steps, dtype=np.int64)])
    base = columns * (crossings.depth + 1)
    above = np.searchsorted(crossings.keys, base + heights, side="right")
    below = np.searchsorted(crossings.keys, base, side="left")
    result: NDArray[np.int64] = total[above] - total[below]
    return result


def inside_voxels(
    mesh: TriangleMesh,
    keys: NDArray[np.int64],
    shape: tuple[int, int, int],
    method: SignMethod = "auto",
) -> NDArray[np.bool_]:
    """Which voxels lie inside the mesh.

    Args:
        mesh: triangles in voxel units, normals outwards.
        keys: ascending flat C-order voxel indices.
        shape: voxels along x, y and z.
        method: ``"columns"`` along z; ``"majority"`` of three axes with the winding number where
            they fail; ``"winding"`` number everywhere; ``"unsigned"``: none lies inside;
            ``"auto"``: columns, and when some column does not close, the majority on the
            closed mesh.

    Returns:
        (k,) bool.
    """
    if method == "unsigned":
        return np.zeros(len(keys), bool)
    if method == "winding":
        return generalised_winding(mesh, voxel_points(keys, shape)) > 0.5
    along_z = column_crossings(mesh, shape, 2)
    if method == "columns" or (method == "auto" and len(along_z.open_columns) == 0):
        return _inside_sorted(along_z, keys)
    if method == "auto":
        mesh = closed_chain(mesh)
        along_z = column_crossings(mesh, shape, 2)
    voxels = np.stack(np.unravel_index(keys, shape)).astype(np.int64)
    inside, outside = np.zeros(len(keys), np.int8), np.zeros(len(keys), np.int8)
    for axis in range(3):
        crossings = along_z if axis == 2 else column_crossings(mesh, shape, axis)
        u, v = (axis + 1) % 3, (axis + 2) % 3
        columns = voxels[u] * shape[v] + voxels[v]
        vote = winding_numbers(crossings, columns, voxels[axis]) > 0
        closed = ~_contains(crossings.open_columns, columns)
        inside += vote & closed
        outside += ~vote & closed
    result = inside >= 2
    unclear = np.flatnonzero((inside < 2) & (outside < 2))
    points = voxel_points(keys[unclear], shape)
    result[unclear] = generalised_winding(mesh, points) > 0.5
    return result


def _inside_sorted(crossings: Crossings, keys: NDArray[np.int64]) -> NDArray[np.bool_]:
    """`winding_numbers` along z above zero, by one running sum over the ascending voxels."""
    # Crossings are far fewer than voxels: each is looked up among the voxels, not the reverse.
    depth = crossings.depth
    # A crossing above the column's top belongs to no voxel; its key is that of the next column.
    places = crossings.keys - crossings.keys // (depth + 1)
    closing = (crossings.open_columns + 1) * depth
    at = np.searchsorted(keys, np.concatenate([places, closing]))
    change = np.concatenate([crossings.steps.astype(np.int64), -crossings.open_sums])
    steps = np.bincount(at, weights=change, minlength=len(keys) + 1)[: len(keys)]
    return np.cumsum(steps) > 0.5


def generalised_winding(mesh: TriangleMesh, points: FloatArray) -> NDArray[np.float64]:
    """Generalised winding numbers of points.

    Triangles are clustered in the cells of a coarse lattice; a cluster further from a point than
    twice its radius acts by its dipole (error below 0.01 in practice), nearer ones exactly.

    Args:
        mesh: triangles in voxel units.
        points: (3, k) in voxel units.

    Returns:
        (k,) float64: 1 inside and 0 outside of a closed mesh.
    """
    if points.shape[1] == 0:
        return np.zeros(0)
    a, b, c = (p.astype(np.float64) for p in mesh.corner_points(np.arange(mesh.count)))
    center = (a + b + c) / 3
    normal = 0.5 * np.cross(b - a, c - a, axis=0)
    order, starts = _clusters(center, mesh.count)
    a, b, c, center, normal = (x[:, order] for x in (a, b, c, center, normal))
    sizes = np.diff(np.append(starts, mesh.count))
    weight = np.sqrt((normal * normal).sum(axis=0)) + 1e-30
    mass = np.add.reduceat(weight, starts)
    middle = np.add.reduceat(center * weight, starts, axis=1) / mass
    dipole = np.add.reduceat(normal, starts, axis=1)
    owner = np.repeat(np.arange(len(starts)), sizes)
    spread = np.zeros(mesh.count)
    for corner in (a, b, c):
        offset = corner - middle[:, owner]
        np.maximum(spread, (offset * offset).sum(axis=0), out=spread)
    radius = np.sqrt(np.maximum.reduceat(spread, starts))
    result = np.zeros(points.shape[1])

    def add(part: slice) -> None:
        near_point = points[:, part].astype(np.float64)
        away = middle[:, None, :] - near_point[:, :, None]
        square = (away * away).sum(axis=0)
        far = square > (2 * radius) ** 2
        field = np.einsum("ick,ik->ck", away, dipole)
        angle = np.where(far, field / np.where(far, square, 1) ** 1.5, 0).sum(axis=1)
        point, cluster = np.nonzero(~far)
        amount = sizes[cluster]
        ends = np.cumsum(amount)
        # Pairs of a point and a triangle, some million at once.
        cut = 0
        while cut < len(point):
            stop = max(int(np.searchsorted(ends, ends[cut] - amount[cut] + PIXELS)), cut + 1)
            count = amount[cut:stop]
            which = np.repeat(point[cut:stop], count)
            first = starts[cluster[cut:stop]] - (np.cumsum(count) - count)
            triangle = np.arange(len(which)) + np.repeat(first, count)
            here = near_point[:, which]
            solid = _solid_angle(
                a[:, triangle] - here, b[:, triangle] - here, c[:, triangle] - here
            )
            angle += np.bincount(which, weights=solid, minlength=len(angle))
            cut = stop
        result[part] = angle / (4 * np.pi)

    for_each_chunk(points.shape[1], add, length=256)
    return result


def _covered(
    mesh: TriangleMesh, shape: tuple[int, int, int], u: int, v: int
) -> Iterator[tuple[NDArray[np.int64], ...]]:
    """Batches of triangles whose projections may cover columns.

    Yields:
        triangles; first column and columns along u; first column along v; columns of each.
    """
    first = {}
    for axis in (u, v):
        ceiling = np.ceil(mesh.points[axis])
        np.clip(ceiling, 0, shape[axis], out=ceiling)
        first[axis] = ceiling.astype(np.int16 if shape[axis] < 2**15 else np.int32)
    hit = np.empty(mesh.count, bool)

    def look(part: slice) -> None:
        low, high = _range(first[u], mesh, part)
        hit[part] = low < high
        low, high = _range(first[v], mesh, part)
        hit[part] &= low < high

    for_each_chunk(mesh.count, look)
    triangles = np.flatnonzero(hit)
    low_u, high_u = (r.astype(np.int64) for r in _range(first[u], mesh, triangles))
    low_v, high_v = (r.astype(np.int64) for r in _range(first[v], mesh, triangles))
    width = high_u - low_u
    area = width * (high_v - low_v)
    ends = np.cumsum(area)
    cut = 0
    while cut < len(triangles):
        stop = max(int(np.searchsorted(ends, ends[cut] - area[cut] + PIXELS)), cut + 1)
        part = slice(cut, stop)
        yield triangles[part], low_u[part], width[part], low_v[part], area[part]
        cut = stop


def _range(
    values: IntArray, mesh: TriangleMesh, part: slice | NDArray[np.int64]
) -> tuple[IntArray, IntArray]:
    """Least and greatest of the vertices' ``values`` in each triangle."""
    a, b, c = (values.take(mesh.corners[k][part]) for k in range(3))
    return np.minimum(np.minimum(a, b), c), np.maximum(np.maximum(a, b), c)


def _pierce(
    mesh: TriangleMesh,
    triangles: NDArray[np.int64],
    pixel_u: NDArray[np.int64],
    pixel_v: NDArray[np.int64],
    axes: tuple[int, int, int],
) -> tuple[NDArray[np.int8], NDArray[np.float64], NDArray[np.int64]]:
    """Orientation and height of the columns that pierce triangles, and which pairs do."""
    u, v, axis = axes
    corners = [mesh.corners[k].take(triangles) for k in range(3)]
    du = [mesh.points[u].take(k).astype(np.float64) - pixel_u for k in corners]
    dv = [mesh.points[v].take(k).astype(np.float64) - pixel_v for k in corners]
    positive = np.ones(len(triangles), np.int8)
    areas = []
    for k in range(3):
        j = (k + 1) % 3
        # Both triangles of an edge must round alike: from the lower vertex to the higher.
        flip = corners[k] > corners[j]
        area = du[k] * dv[j] - dv[k] * du[j]
        area = np.where(flip, -(du[j] * dv[k] - dv[j] * du[k]), area)
        tie = np.where(dv[k] != dv[j], dv[k] > dv[j], du[j] > du[k])
        positive += np.where(area == 0, tie, area > 0)
        areas.append(area)
    hit = np.flatnonzero((positive == 4) | (positive == 1))
    winding = np.where(positive[hit] == 4, np.int8(1), np.int8(-1))
    # The area of edge (k, k + 1) is the weight of corner k + 2.
    w = [areas[k][hit] for k in range(3)]
    z = [mesh.points[axis].take(corners[k][hit]).astype(np.float64) for k in range(3)]
    total = w[0] + w[1] + w[2]
    height = (w[0] * z[2] + w[1] * z[0] + w[2] * z[1]) / np.where(total == 0, 1, total)
    return winding, np.where(total == 0, z[0], height), hit


def _contains(ascending: NDArray[np.int64], values: NDArray[np.int64]) -> NDArray[np.bool_]:
    if len(ascending) == 0:
        return np.zeros(len(values), bool)
    place = np.minimum(np.searchsorted(ascending, values), len(ascending) - 1)
    result: NDArray[np.bool_] = ascending[place] == values
    return result


def _clusters(center: FloatArray, count: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Triangles in the order of their cells, and where each cell starts."""
    low, high = center.min(axis=1, keepdims=True), center.max(axis=1, keepdims=True)
    # Clusters and triangles in near clusters cost alike at about this many cells on a surface.
    side = int(np.clip(count**0.25, 2, 32))
    cell = ((center - low) / np.maximum(np.max(high - low), 1e-30) * (side - 1e-6)).astype(np.int64)
    key = (cell[0] * side + cell[1]) * side + cell[2]
    order = np.argsort(key, kind="stable")
    return order, np.flatnonzero(np.diff(key[order], prepend=-1))


def _solid_angle(a: FloatArray, b: FloatArray, c: FloatArray) -> NDArray[np.float64]:
    """Solid angles of triangles seen from the origin (A. van Oosterom and J. Strackee 1983)."""
    la, lb, lc = (np.sqrt((x * x).sum(axis=0)) for x in (a, b, c))
    triple = (
        a[0] * (b[1] * c[2] - b[2] * c[1])
        + a[1] * (b[2] * c[0] - b[0] * c[2])
        + a[2] * (b[0] * c[1] - b[1] * c[0])
    )
    ab, bc, ca = (a * b).sum(axis=0), (b * c).sum(axis=0), (c * a).sum(axis=0)
    return 2 * np.arctan2(triple, la * lb * lc + ab * lc + bc * la + ca * lb)
