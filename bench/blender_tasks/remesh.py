# SPDX-License-Identifier: GPL-3.0-or-later
"""Remeshing through a field, beside Blender's Voxel Remesh."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any

import bpy
import numpy as np
from mathutils.bvhtree import BVHTree
from numpy.typing import NDArray

Row = dict[str, Any]
VOXELS = 100
ANGLE = np.radians(30)


def tilted_cube() -> None:
    """A cube along none of the axes."""
    bpy.ops.mesh.primitive_cube_add(size=2, rotation=(0.4, 0.3, 0.2))


def cylinder() -> None:
    """A cylinder of 64 sides, tilted."""
    bpy.ops.mesh.primitive_cylinder_add(vertices=64, rotation=(0.4, 0.3, 0.2))


def monkey() -> None:
    """Suzanne, twice subdivided: open and self-intersecting."""
    bpy.ops.mesh.primitive_monkey_add()
    bpy.context.object.modifiers.new("Fine", "SUBSURF").levels = 2


def remesh(quick: bool) -> Iterator[Row]:
    """Distances, faces and time of both, for each shape."""
    enable()
    for shape in (tilted_cube, cylinder) if quick else (tilted_cube, cylinder, monkey):
        bpy.ops.wm.read_homefile(use_empty=True)
        shape()
        item = bpy.context.object
        item.data.transform(item.matrix_world)
        item.matrix_world.identity()
        bpy.context.view_layer.update()
        size = max(item.dimensions) / VOXELS
        old = arrays(item)
        runs = 1 if quick else 5
        ours = timed(through_field, item, size, runs)
        theirs = timed(voxel_remesh, item, size, runs)
        name = f"{shape.__name__} {VOXELS}"
        version = f"voxel-remesh {bpy.app.version_string}"
        yield {
            "task": "remesh",
            "size": name,
            "peer": "voxel-remesh",
            "ours_s": ours[1],
            "peer_s": theirs[1],
            "ratio": ours[1] / theirs[1],
            "note": f"wall time; faces {len(ours[0][1])} against {len(theirs[0][1])}; {version}",
        }
        edges = edge_samples(old, size / 4)
        for what, mine, other in (
            ("hausdorff", hausdorff(old, ours[0]), hausdorff(old, theirs[0])),
            ("edge-mean", *(np.mean(away(edges, new)) for new in (ours[0], theirs[0]))),
            ("edge-p99", *(np.quantile(away(edges, new), 0.99) for new in (ours[0], theirs[0]))),
        ):
            yield {
                "task": f"remesh-{what}",
                "size": name,
                "value": float(mine) / size,
                "baseline": float(other) / size,
                "unit": "voxels",
            }


Mesh = tuple[NDArray[np.float64], NDArray[np.int32]]


def enable() -> None:
    """Register the extension that this checkout is."""
    import stagewright

    stagewright.register()


def timed(
    work: Callable[[bpy.types.Object, float], Mesh], item: bpy.types.Object, size: float, runs: int
) -> tuple[Mesh, float]:
    """The answer, and the median of the seconds it took."""
    seconds = []
    for _ in range(runs):
        start = time.perf_counter()
        answer = work(item, size)
        seconds.append(time.perf_counter() - start)
    return answer, statistics.median(seconds)


def through_field(item: bpy.types.Object, size: float) -> Mesh:
    """What the panel's Remesh makes: with its child process, UVs and all."""
    settings = bpy.context.scene.stagewright_field
    settings.operation, settings.detail, settings.voxel_size = "REMESH", "SIZE", size
    settings.angle, settings.hide = ANGLE, False
    select(item)
    bpy.ops.stagewright.make_field()
    return taken(bpy.context.object)


def voxel_remesh(item: bpy.types.Object, size: float) -> Mesh:
    """What Blender's modifier makes of a copy."""
    copy = item.copy()
    bpy.context.scene.collection.objects.link(copy)
    modifier = copy.modifiers.new("Remesh", "REMESH")
    modifier.mode, modifier.voxel_size = "VOXEL", size
    return taken(copy)


def taken(item: bpy.types.Object) -> Mesh:
    """The triangles of an object, which is removed."""
    found = arrays(item)
    bpy.data.objects.remove(item)
    bpy.context.view_layer.update()
    return found


def select(item: bpy.types.Object) -> None:
    """Make an object the only one that is selected."""
    for other in bpy.context.scene.objects:
        other.select_set(other == item)
    bpy.context.view_layer.objects.active = item


def arrays(item: bpy.types.Object) -> Mesh:
    """World vertices and triangles of the evaluated object."""
    evaluated = item.evaluated_get(bpy.context.evaluated_depsgraph_get())
    mesh = evaluated.to_mesh()
    mesh.calc_loop_triangles()
    points = np.empty((len(mesh.vertices), 3), np.float32)
    mesh.vertices.foreach_get("co", points.reshape(-1))
    triangles = np.empty((len(mesh.loop_triangles), 3), np.int32)
    mesh.loop_triangles.foreach_get("vertices", triangles.reshape(-1))
    evaluated.to_mesh_clear()
    matrix = np.array(evaluated.matrix_world)
    return points @ matrix[:3, :3].T + matrix[:3, 3], triangles


def hausdorff(one: Mesh, other: Mesh) -> float:
    """The greatest distance between samples of either surface and the other."""
    return max(float(away(samples(a), b).max()) for a, b in ((one, other), (other, one)))


def samples(mesh: Mesh, count: int = 30_000) -> NDArray[np.float64]:
    """Random points on a surface, evenly spread."""
    rng = np.random.default_rng(0)
    points, triangles = mesh
    a, b, c = (points[triangles[:, k]] for k in range(3))
    areas = np.linalg.norm(np.cross(b - a, c - a), axis=1)
    chosen = rng.choice(len(triangles), count, p=areas / areas.sum())
    u, v = rng.random((2, count, 1))
    u, v = np.where(u + v > 1, (1 - u, 1 - v), (u, v))
    found: NDArray[np.float64] = a[chosen] * (1 - u - v) + b[chosen] * u + c[chosen] * v
    return found


def away(points: NDArray[np.float64], mesh: Mesh) -> NDArray[np.float64]:
    """Distances of points to a surface, by Blender's own tree."""
    tree = BVHTree.FromPolygons(mesh[0].tolist(), mesh[1].tolist(), all_triangles=True)
    return np.array([tree.find_nearest(point)[3] for point in points.tolist()])


def edge_samples(mesh: Mesh, spacing: float) -> NDArray[np.float64]:
    """Points along the edges that turn by more than 30 degrees."""
    points, triangles = mesh
    a, b, c = (points[triangles[:, k]] for k in range(3))
    normals = np.cross(b - a, c - a)
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    owner: dict[tuple[int, int], int] = {}
    found = []
    for number, corners in enumerate(triangles.tolist()):
        for k in range(3):
            edge = tuple(sorted((corners[k], corners[(k + 1) % 3])))
            other = owner.setdefault(edge, number)  # type: ignore[arg-type]
            if other != number and normals[other] @ normals[number] < np.cos(ANGLE):
                start, end = points[edge[0]], points[edge[1]]
                steps = max(int(np.linalg.norm(end - start) / spacing), 1)
                share = np.linspace(0, 1, steps + 1)[:, None]
                found.append(start * (1 - share) + end * share)
    return np.concatenate(found)


TASKS = {"remesh": remesh}
