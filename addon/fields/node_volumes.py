# SPDX-License-Identifier: GPL-3.0-or-later
"""Volumes by geometry nodes, in memory, for a Blender whose Python has no OpenVDB module.

Blender 5 has nodes between grids and points; Python reads and writes these as attributes. The file
route is faster where there is one. A volume that nodes have made may be saved, but crashes Blender
5.2 as an object's data, so it is written to a file.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import bpy
import numpy as np
from numpy.typing import DTypeLike, NDArray

from ...field_tools.band import NarrowBand
from ...field_tools.grid import Grid
from ...field_tools.vdb import has_openvdb
from ...jobs.errors import StagewrightError

_NEEDED = ("CubeGridTopology", "FieldToGrid", "GridToPoints", "GridInfo", "StoreNamedGrid")


def are_needed() -> bool:
    """Whether Python has no OpenVDB module, but Blender has the nodes."""
    return not has_openvdb() and all(hasattr(bpy.types, f"GeometryNode{n}") for n in _NEEDED)


def read_grid(item: bpy.types.Object, name: str) -> Grid:
    """A scalar grid of an evaluated volume object, in the object's space.

    Voxels that are not active have the background's value, its negative inside a level set.

    Raises:
        StagewrightError: ``vdb-empty``.
    """
    with _tree() as (tree, _source, result):
        info = _add(tree, "GeometryNodeObjectInfo", Object=item.original)
        grid = _add(tree, "GeometryNodeGetNamedGrid", Volume=info.outputs["Geometry"], Name=name)
        about = _add(tree, "GeometryNodeGridInfo", Grid=grid.outputs["Grid"])
        points = _add(tree, "GeometryNodeGridToPoints", Grid=grid.outputs["Grid"])
        geometry = points.outputs["Points"]
        for key, kind, value in (
            *((axis, "INT", points.outputs[axis]) for axis in "XYZ"),
            ("extent", "INT", points.outputs["Extent"]),
            ("value", "FLOAT", points.outputs["Value"]),
            ("background", "FLOAT", about.outputs["Background Value"]),
            ("transform", "FLOAT4X4", about.outputs["Transform"]),
        ):
            store = tree.nodes.new("GeometryNodeStoreNamedAttribute")
            store.data_type, store.domain = kind, "POINT"
            _fill(tree, store, Geometry=geometry, Name=key, Value=value)
            geometry = store.outputs["Geometry"]
        tree.links.new(geometry, result)
        with _evaluated(tree, bpy.data.meshes.new(tree.name)) as made:
            cloud = made.pointcloud
            if cloud is None or not len(cloud.points):
                raise StagewrightError(
                    "vdb-empty", f"The grid “{name}” of “{item.name}” is empty.", "Choose another."
                )
            corners = np.stack([_read(cloud, axis, 1, np.int32) for axis in "XYZ"], axis=1)
            extent = _read(cloud, "extent", 1, np.int32)
            voxels, values = _expanded(corners, extent, _read(cloud, "value", 1, np.float32))
            background = float(_read(cloud, "background", 1, np.float32)[0])
            # Columns one behind the other: the matrix's rows.
            matrix = _read(cloud, "transform", 16, np.float32)[:16].reshape(4, 4)
    low = voxels.min(axis=0) - 1
    counts = (voxels.max(axis=0) + 2 - low).tolist()
    shape = (counts[0], counts[1], counts[2])
    keys = np.ravel_multi_index(tuple((voxels - low).T), shape).astype(np.int64)
    order = np.argsort(keys)
    x, y, z = (low * matrix[0, 0] + matrix[3, :3]).tolist()
    size = float(matrix[0, 0])
    return NarrowBand(keys[order], values[order], shape, size, (x, y, z), background).to_grid()


def _expanded(
    corners: NDArray[np.int32], extent: NDArray[np.int32], values: NDArray[np.float32]
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Tiles, which stand for cubes of equal voxels, as these voxels."""
    found = [(corners[extent <= 1], values[extent <= 1])]
    for side in np.unique(extent[extent > 1]).tolist():
        of_side = extent == side
        inner = np.indices((side, side, side), np.int32).reshape(3, -1).T
        voxels = (corners[of_side][:, None] + inner).reshape(-1, 3)
        found.append((voxels, np.repeat(values[of_side], len(inner))))
    return np.concatenate([v for v, _ in found]), np.concatenate([w for _, w in found])


def write_grid(grid: Grid, path: Path, name: str) -> None:
    """Write a scalar field to a .vdb, whose background is its greatest magnitude.

    Raises:
        StagewrightError: ``vdb-unwritable``.
    """
    cloud = bpy.data.pointclouds.new("Field")
    cloud.resize(grid.values.size)
    values = cloud.attributes.new("value", "FLOAT", "POINT")
    values.data.foreach_set("value", np.ascontiguousarray(grid.values, np.float32).ravel())
    with _tree() as (tree, source, result):
        named = _add(tree, "GeometryNodeInputNamedAttribute", Name="value")
        sample = _add(
            tree,
            "GeometryNodeSampleIndex",
            Geometry=source,
            Value=named.outputs["Attribute"],
            Index=_flat_index(tree, grid.shape),
        )
        # Voxels of side 1, whose positions are their numbers.
        box = _add(
            tree,
            "GeometryNodeCubeGridTopology",
            **{"Bounds Min": (0.0, 0.0, 0.0), "Bounds Max": tuple(map(float, grid.shape))},
            **{f"Resolution {axis}": n for axis, n in zip("XYZ", grid.shape, strict=True)},
        )
        field = tree.nodes.new("GeometryNodeFieldToGrid")
        field.data_type = "BOOLEAN"  # Of the topology.
        field.grid_items.new("FLOAT", "value")
        _fill(tree, field, Topology=box.outputs["Topology"], value=sample.outputs["Value"])
        most = float(np.max(np.abs(grid.values)))
        background = _add(
            tree,
            "GeometryNodeSetGridBackground",
            Grid=field.outputs["value"],
            Background=most,
        )
        place = _add(
            tree,
            "FunctionNodeCombineTransform",
            Translation=grid.origin,
            Scale=(grid.voxel_size,) * 3,
        )
        placed = _add(
            tree,
            "GeometryNodeSetGridTransform",
            Grid=background.outputs["Grid"],
            Transform=place.outputs[0],
        )
        stored = _add(tree, "GeometryNodeStoreNamedGrid", Name=name, Grid=placed.outputs["Grid"])
        tree.links.new(stored.outputs["Volume"], result)
        with _evaluated(tree, cloud) as made:
            volume = made.volume.copy()
            saved = volume.grids.save(filepath=str(path))
            bpy.data.volumes.remove(volume)
    if not saved:
        raise StagewrightError(
            "vdb-unwritable",
            f"{path.name} cannot be written.",
            "Make room there, or choose another folder.",
        )


def _flat_index(tree: Any, shape: Sequence[int]) -> Any:
    """The number of the voxel at a position, in whole numbers: floats end at 2^24."""
    position = tree.nodes.new("GeometryNodeInputPosition")
    parts = tree.nodes.new("ShaderNodeSeparateXYZ")
    tree.links.new(position.outputs[0], parts.inputs[0])
    total: Any = 0
    for axis, count in enumerate(shape):
        whole = tree.nodes.new("FunctionNodeFloatToInt")
        tree.links.new(parts.outputs[axis], whole.inputs[0])
        total = _integers(tree, "MULTIPLY", total, count)
        total = _integers(tree, "ADD", total, whole.outputs[0])
    return total


def _integers(tree: Any, operation: str, one: Any, other: Any) -> Any:
    node = tree.nodes.new("FunctionNodeIntegerMath")
    node.operation = operation
    for socket, value in zip(node.inputs, (one, other), strict=False):
        _set(tree, socket, value)
    return node.outputs[0]


def _add(tree: Any, kind: str, **inputs: Any) -> Any:
    """A node with links or values at its inputs."""
    node = tree.nodes.new(kind)
    _fill(tree, node, **inputs)
    return node


def _fill(tree: Any, node: Any, **inputs: Any) -> None:
    for name, value in inputs.items():
        _set(tree, node.inputs[name], value)


def _set(tree: Any, socket: Any, value: Any) -> None:
    if isinstance(value, bpy.types.NodeSocket):
        tree.links.new(value, socket)
    else:
        socket.default_value = value


@contextmanager
def _tree() -> Iterator[tuple[Any, Any, Any]]:
    """A tree of geometry nodes for a moment, what comes in, and where what is made goes."""
    tree = bpy.data.node_groups.new("Stagewright Grid", "GeometryNodeTree")
    for way in ("INPUT", "OUTPUT"):
        tree.interface.new_socket("Geometry", in_out=way, socket_type="NodeSocketGeometry")
    source, result = (tree.nodes.new(f"NodeGroup{way}") for way in ("Input", "Output"))
    try:
        yield tree, source.outputs[0], result.inputs[0]
    finally:
        bpy.data.node_groups.remove(tree)


@contextmanager
def _evaluated(tree: Any, data: bpy.types.ID) -> Iterator[Any]:
    """What nodes make of data, as a GeometrySet; the data is removed afterwards."""
    item = bpy.data.objects.new(tree.name, data)
    bpy.context.scene.collection.objects.link(item)
    item.modifiers.new(tree.name, "NODES").node_group = tree
    try:
        graph = bpy.context.evaluated_depsgraph_get()
        yield item.evaluated_get(graph).evaluated_geometry()
    finally:
        bpy.data.objects.remove(item)
        bpy.data.batch_remove([data])


def _read(cloud: Any, name: str, width: int, dtype: DTypeLike) -> NDArray[Any]:
    data = cloud.attributes[name].data
    values = np.empty(len(data) * width, dtype)
    data.foreach_get("value", values)
    return values
