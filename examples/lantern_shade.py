# SPDX-License-Identifier: GPL-3.0-or-later
"""Ambient occlusion by casting rays, painted into an image through a UV map."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import bpy
import numpy as np
from lantern_images import posterise, tile_noise
from lantern_meshes import Array, corner_uvs
from mathutils import Vector
from mathutils.bvhtree import BVHTree
from numpy.typing import NDArray

RAYS = 48
REACH = 0.06
"""How far, in metres, a part casts its shade."""


def bake_occlusion(
    targets: Sequence[bpy.types.Object],
    uv_map: str,
    ignored: Collection[bpy.types.Object],
    size: int = 256,
) -> Array:
    """The occlusion of ``targets`` by all meshes of the scene, (size, size, 1), 1 = open."""
    bpy.context.view_layer.update()
    tree = opaque_tree(ignored)
    image, count = np.zeros((size, size)), np.zeros((size, size))
    for target in targets:
        mesh = target.data
        values = vertex_occlusion(target, tree)
        mesh.calc_loop_triangles()
        uvs = corner_uvs(mesh, uv_map) * size
        for triangle in mesh.loop_triangles:
            corners = uvs[list(triangle.loops)]
            paint_triangle(image, count, corners, values[list(triangle.vertices)])
    image = np.where(count > 0, image / np.maximum(count, 1), 0)
    image = grow(image, count > 0, 6)
    grime = tile_noise((size, size), (6, 8), 61, 4)
    shade = 1 - (1 - image) * (0.85 + 0.5 * (grime - 0.5))
    return posterise(np.clip(shade, 0, 1)[..., None])


def opaque_tree(ignored: Collection[bpy.types.Object]) -> BVHTree:
    """All the evaluated meshes as one tree, in world space."""
    points: list[Vector] = []
    faces: list[list[int]] = []
    graph = bpy.context.evaluated_depsgraph_get()
    for instance in graph.object_instances:
        shown = instance.object
        if shown.type not in {"MESH", "CURVE"} or shown.original in ignored:
            continue
        mesh = shown.to_mesh()
        start = len(points)
        points += [instance.matrix_world @ vertex.co for vertex in mesh.vertices]
        faces += [[start + i for i in face.vertices] for face in mesh.polygons]
        shown.to_mesh_clear()
    return BVHTree.FromPolygons(points, faces)


def vertex_occlusion(target: bpy.types.Object, tree: BVHTree) -> Array:
    """How open each vertex is, 0..1: cosine-weighted rays that meet nothing within reach."""
    random = np.random.default_rng(3)
    around, out = 2 * np.pi * random.random(RAYS), random.random(RAYS)
    local = np.stack(
        [np.sqrt(out) * np.cos(around), np.sqrt(out) * np.sin(around), np.sqrt(1 - out)], -1
    )
    result = np.empty(len(target.data.vertices))
    for i, vertex in enumerate(target.data.vertices):
        turn = vertex.normal.to_track_quat("Z", "Y").to_matrix()
        start = target.matrix_world @ vertex.co + vertex.normal * 0.0012
        open_rays = 0.0
        for direction in local:
            distance = tree.ray_cast(start, turn @ Vector(direction), REACH)[3]
            open_rays += 1.0 if distance is None else (distance / REACH) ** 0.8
        result[i] = open_rays / RAYS
    return result


def paint_triangle(image: Array, count: Array, corners: Array, values: Array) -> None:
    """Add the values of a triangle's corners ((3, 2), pixels) to the pixels it covers."""
    low = np.maximum(np.floor(corners.min(0)).astype(int), 0)
    high = np.minimum(np.ceil(corners.max(0)).astype(int) + 1, image.shape[::-1])
    x, y = np.meshgrid(np.arange(low[0], high[0]) + 0.5, np.arange(low[1], high[1]) + 0.5)
    (ax, ay), (bx, by), (cx, cy) = corners
    area = (bx - ax) * (cy - ay) - (cx - ax) * (by - ay)
    if abs(area) < 1e-9:
        return
    b = ((x - ax) * (cy - ay) - (cx - ax) * (y - ay)) / area
    c = ((bx - ax) * (y - ay) - (x - ax) * (by - ay)) / area
    a = 1 - b - c
    inside = (a > -0.02) & (b > -0.02) & (c > -0.02)
    window = (slice(low[1], high[1]), slice(low[0], high[0]))
    image[window] += np.where(inside, a * values[0] + b * values[1] + c * values[2], 0)
    count[window] += inside


def grow(image: Array, known: NDArray[np.bool_], steps: int) -> Array:
    """Carry the values into the gaps between islands, so that filtering finds no seam."""
    for _ in range(steps):
        total, hits = np.zeros_like(image), np.zeros_like(image)
        for axis, shift in ((0, 1), (0, -1), (1, 1), (1, -1)):
            near = np.roll(known, shift, axis)
            total += np.where(near, np.roll(image, shift, axis), 0)
            hits += near
        image = np.where(known, image, total / np.maximum(hits, 1))
        known = known | (hits > 0)
    return np.where(known, image, 1.0)
