# SPDX-License-Identifier: GPL-3.0-or-later
"""The sides of the benches of geometry: ours, OpenVDB, scikit-image and Blender's nodes."""

from __future__ import annotations

import importlib.metadata
import os
from collections.abc import Callable
from typing import Any

import numpy as np

OURS = "stagewright"
Prepared = tuple[Callable[[], Any], Callable[[Any], dict[str, Any]], str]


def torus(nu: int, nv: int) -> tuple[Any, Any]:
    """A clean torus of 2 nu nv triangles in a box of side 0.94."""
    u, v = np.arange(nu) * 2 * np.pi / nu, np.arange(nv) * 2 * np.pi / nv
    u2, v2 = np.meshgrid(u, v, indexing="ij")
    ring = 0.34 + 0.13 * np.cos(v2)
    vertices = np.stack([ring * np.cos(u2), ring * np.sin(u2), 0.13 * np.sin(v2)], -1)
    i, j = np.arange(nu)[:, None], np.arange(nv)[None, :]
    a, b = i * nv + j, (i + 1) % nu * nv + j
    c, d = (i + 1) % nu * nv + (j + 1) % nv, i * nv + (j + 1) % nv
    faces = np.stack([a, b, c, a, c, d], -1).reshape(-1, 3)
    return vertices.reshape(-1, 3).astype(np.float32), faces.astype(np.int32)


def ball(n: int, radius: float) -> tuple[Any, Any]:
    """A sphere with low bumps from a cube of 12 n^2 triangles; each side has its own vertices."""
    g = np.tan(np.linspace(-np.pi / 4, np.pi / 4, n + 1))
    s, t = np.meshgrid(g, g, indexing="ij")
    one = np.ones_like(s)
    i, j = np.meshgrid(np.arange(n), np.arange(n), indexing="ij")
    a = i * (n + 1) + j
    quad = np.stack([a, a + n + 1, a + n + 2, a, a + n + 2, a + 1], -1).reshape(-1, 3)
    points, faces = [], []
    for axis in range(3):
        for side in (1, -1):
            p = np.empty((3, *s.shape))
            p[axis], p[(axis + 1) % 3], p[(axis + 2) % 3] = side * one, s, t
            faces.append((quad if side > 0 else quad[:, ::-1]) + len(points) * (n + 1) ** 2)
            points.append(p.reshape(3, -1).T)
    vertices = np.concatenate(points)
    vertices /= np.linalg.norm(vertices, axis=1, keepdims=True)
    unique, index = np.unique(vertices.round(9), axis=0, return_inverse=True)
    scale = 1 + 0.05 * np.prod(np.sin(4 * unique + 0.3), axis=1, keepdims=True)
    return (unique * scale * radius).astype(np.float32), index.reshape(-1)[
        np.concatenate(faces)
    ].astype(np.int32)


MESHES = {
    "torus 1M": lambda: torus(1140, 438),
    "ball 250k": lambda: ball(144, 0.42),
    "torus 250k": lambda: torus(570, 219),
    "torus 16k": lambda: torus(144, 55),
}


def field(name: str, n: int) -> Any:
    """A closed surface's field on n^3 voxels over -1..1."""
    x = np.linspace(-1, 1, n, dtype=np.float32)
    x, y, z = np.meshgrid(x, x, x, indexing="ij", sparse=True)
    if name == "sphere":
        return np.sqrt(x * x + y * y + z * z) - np.float32(0.8)
    if name == "gyroid":
        a, b, c = 12 * x, 12 * y, 12 * z
        values = np.sin(a) * np.cos(b) + np.sin(b) * np.cos(c) + np.sin(c) * np.cos(a)
    else:
        values = np.random.default_rng(0).normal(size=(n // 8 + 3,) * 3).astype(np.float32)
        at = np.linspace(1, n // 8 + 1, n, dtype=np.float32)
        low = at.astype(int)
        for axis in range(3):
            part = (at - low).reshape([-1 if k == axis else 1 for k in range(3)])
            values = values.take(low, axis) * (1 - part) + values.take(low + 1, axis) * part
    box = np.maximum(np.maximum(np.abs(x), np.abs(y)), np.abs(z)) - np.float32(0.97)
    return np.ascontiguousarray(np.maximum(values, 20 * box), np.float32)


def cloud(count: int) -> Any:
    """Particles of a fluid at rest: even, filling a box of 1 x 1 x 0.52."""
    return (np.random.default_rng(0).random((count, 3)) * [1, 1, 0.52]).astype(np.float32)


def ours(case: dict[str, Any]) -> Prepared:
    """Stagewright's side."""
    from stagewright.field_tools.grid import Grid
    from stagewright.field_tools.isosurface import isosurface
    from stagewright.field_tools.mesh_sdf import mesh_to_sdf
    from stagewright.field_tools.points_sdf import points_to_sdf

    def band_answer(band: Any) -> dict[str, Any]:
        first = np.rint(np.array(band.origin) / band.voxel_size).astype(int)
        return {"indices": band.indices + first, "values": band.distances / band.voxel_size}

    if case["task"].startswith("mesh-to-sdf"):
        vertices, faces = MESHES[case["mesh"]]()
        exact = case["task"] == "mesh-to-sdf-exact"
        return lambda: mesh_to_sdf(vertices, faces, case["voxel"], exact=exact), band_answer, OURS
    if case["task"] == "points-to-sdf":
        points, size = cloud(case["count"]), case["voxel"]
        radius = case["radius"] * size
        return lambda: points_to_sdf(points, radius, size, half_width=1.0), band_answer, OURS
    grid = Grid(field(case["field"], case["n"]))

    def mesh_answer(mesh: Any) -> dict[str, Any]:
        return {"vertices": mesh.vertices, "faces": mesh.quads}

    return lambda: isosurface(grid), mesh_answer, OURS


def openvdb_side(case: dict[str, Any]) -> Prepared:
    """OpenVDB's Python module, Blender's own where there is no other."""
    try:
        import openvdb
    except ImportError:
        import bpy

        bpy.utils.expose_bundled_modules()
        import openvdb

    version = f"OpenVDB {'.'.join(map(str, openvdb.LIBRARY_VERSION))} on all threads"
    if case["task"].startswith("mesh-to-sdf"):
        vertices, faces = MESHES[case["mesh"]]()
        size, faces = case["voxel"], faces.astype(np.uint32)

        def run() -> Any:
            transform = openvdb.createLinearTransform(size)
            return openvdb.FloatGrid.createLevelSetFromPolygons(
                vertices, triangles=faces, transform=transform, halfWidth=3.0
            )

        return run, lambda grid: _active(grid, size), version
    grid = openvdb.FloatGrid(1.0)
    grid.copyFromArray(field(case["field"], case["n"]))

    def mesh_answer(pair: Any) -> dict[str, Any]:
        return {"vertices": pair[0], "faces": pair[1].astype(np.int32)}

    return lambda: grid.convertToQuads(0.0), mesh_answer, version


def _active(grid: Any, size: float) -> dict[str, Any]:
    low, high = grid.evalActiveVoxelBoundingBox()
    values = np.empty([b - a + 1 for a, b in zip(low, high, strict=True)], np.float32)
    grid.copyToArray(values, ijk=low)
    near = np.argwhere(np.abs(values) < 0.999 * grid.background)
    return {"indices": near + np.array(low), "values": values[tuple(near.T)] / size}


def skimage_side(case: dict[str, Any]) -> Prepared:
    """scikit-image's marching cubes."""
    from skimage.measure import marching_cubes

    values = field(case["field"], case["n"])

    def mesh_answer(result: Any) -> dict[str, Any]:
        return {"vertices": result[0], "faces": result[1]}

    version = f"scikit-image {importlib.metadata.version('scikit-image')} on 1 thread"
    return lambda: marching_cubes(values, 0.0), mesh_answer, version


def blender_side(case: dict[str, Any]) -> Prepared:
    """Blender's Points to SDF Grid node, stored as a named grid."""
    import bpy

    bpy.utils.expose_bundled_modules()
    import openvdb

    bpy.ops.wm.read_factory_settings(use_empty=True)
    points, size = cloud(case["count"]), case["voxel"]
    data = bpy.data.pointclouds.new("points")
    data.resize(len(points))
    data.attributes["position"].data.foreach_set("vector", points.ravel())
    target = bpy.data.objects.new("points", data)
    bpy.context.scene.collection.objects.link(target)
    tree = bpy.data.node_groups.new("points", "GeometryNodeTree")
    for way in ("INPUT", "OUTPUT"):
        tree.interface.new_socket("Geometry", in_out=way, socket_type="NodeSocketGeometry")
    start, end = tree.nodes.new("NodeGroupInput"), tree.nodes.new("NodeGroupOutput")
    node = tree.nodes.new("GeometryNodePointsToSDFGrid")
    store = tree.nodes.new("GeometryNodeStoreNamedGrid")
    node.inputs["Voxel Size"].default_value = size
    node.inputs["Radius"].default_value = case["radius"] * size
    store.inputs["Name"].default_value = "sdf"
    tree.links.new(start.outputs[0], node.inputs["Points"])
    tree.links.new(node.outputs[0], store.inputs["Grid"])
    tree.links.new(store.outputs[0], end.inputs[0])
    target.modifiers.new("points", "NODES").node_group = tree

    def run() -> Any:
        target.data.update_tag()
        graph = bpy.context.evaluated_depsgraph_get()
        graph.update()
        return target.evaluated_get(graph).evaluated_geometry()

    def answer(geometry: Any) -> dict[str, Any]:
        path = case["scratch"]
        geometry.volume.copy().grids.save(filepath=path)
        grid = openvdb.readAll(path)[0][0]
        os.unlink(path)
        # The node leaves distances in voxels: its background is 1 whatever the voxel size.
        found = _active(grid, 1.0)
        found["values"] = found["values"].astype(np.float32)
        return found

    return run, answer, f"Blender {bpy.app.version_string} on all threads"


SIDES = {
    "ours": ours,
    "openvdb": openvdb_side,
    "scikit-image": skimage_side,
    "blender": blender_side,
}


def prepare(side: str, case: dict[str, Any]) -> Prepared:
    """What is timed for a case, its arrays, and the version."""
    return SIDES[side](case)
