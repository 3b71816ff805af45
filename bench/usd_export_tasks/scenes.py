# SPDX-License-Identifier: GPL-3.0-or-later
"""Scenes to export, made in the open file, each by a function of its case."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import bpy
import numpy as np

Case = dict[str, Any]
# Quads along each side of the small meshes.
_SIDE = 8


def grid_mesh(name: str, side: int, height: np.ndarray) -> bpy.types.Mesh:
    """A square of ``side`` x ``side`` quads with a UV map; ``height`` is (side + 1)**2 of z."""
    steps = np.linspace(0, 1, side + 1, dtype=np.float32)
    y, x = (axis.ravel() for axis in np.meshgrid(steps, steps, indexing="ij"))
    first = (np.arange(side)[:, None] * (side + 1) + np.arange(side)).ravel()
    corners = (first[:, None] + np.array([0, 1, side + 2, side + 1])).astype(np.int32).ravel()
    mesh = bpy.data.meshes.new(name)
    mesh.vertices.add(len(x))
    mesh.vertices.foreach_set("co", np.stack([x, y, height], axis=1).astype(np.float32).ravel())
    mesh.loops.add(len(corners))
    mesh.loops.foreach_set("vertex_index", corners)
    mesh.polygons.add(len(first))
    mesh.polygons.foreach_set("loop_start", np.arange(0, len(corners), 4, dtype=np.int32))
    mesh.update(calc_edges=True)
    uv = mesh.uv_layers.new(name="UVMap")
    uv.uv.foreach_set("vector", np.stack([x, y], axis=1)[corners].ravel())
    return mesh


def place(data: bpy.types.ID | None, name: str) -> bpy.types.Object:
    """An object of ``data`` in the scene."""
    item = bpy.data.objects.new(name, data)
    bpy.context.scene.collection.objects.link(item)
    return item


def objects(case: Case) -> None:
    """Objects of 64 quads, each with a mesh of its own; under 80 parents if ``grouped``."""
    random = np.random.default_rng(1)
    parents = [place(None, f"Group_{n:02}") for n in range(80 if case.get("grouped") else 0)]
    materials = []
    for number in range(20 if case.get("materials") else 0):
        material = bpy.data.materials.new(f"Material_{number:02}")
        material.use_nodes = True
        shader = material.node_tree.nodes["Principled BSDF"]
        shader.inputs["Base Color"].default_value = (*random.random(3), 1)
        shader.inputs["Roughness"].default_value = random.random()
        materials.append(material)
    for number in range(case["count"]):
        mesh = grid_mesh(f"Mesh_{number:05}", _SIDE, random.random((_SIDE + 1) ** 2))
        item = place(mesh, f"Object_{number:05}")
        item.location = (number % 100 * 1.5, number // 100 * 1.5, 0)
        if parents:
            item.parent = parents[number % len(parents)]
        if materials:
            mesh.materials.append(materials[number % len(materials)])


def one_mesh(case: Case) -> None:
    """One mesh with a UV seam, custom normals, two materials and a colour attribute."""
    side = round(case["polygons"] ** 0.5)
    random = np.random.default_rng(2)
    mesh = grid_mesh("Terrain", side, random.random((side + 1) ** 2) / side)
    faces, corners = len(mesh.polygons), len(mesh.loops)
    half = np.arange(faces) % side >= side // 2
    uv = np.empty(2 * corners, np.float32)
    mesh.uv_layers[0].uv.foreach_get("vector", uv)
    uv.reshape(-1, 2)[np.repeat(half, 4), 1] += 1  # the other half is another island
    mesh.uv_layers[0].uv.foreach_set("vector", uv)
    for name in ("Grass", "Rock"):
        material = bpy.data.materials.new(name)
        material.use_nodes = True
        mesh.materials.append(material)
    mesh.polygons.foreach_set("material_index", half.astype(np.int32))
    color = mesh.color_attributes.new("Tint", "FLOAT_COLOR", "POINT")
    values = random.random((len(mesh.vertices), 4), np.float32)
    color.data.foreach_set("color", values.ravel())
    normals = random.normal(size=(len(mesh.vertices), 3)) * 0.1 + (0, 0, 1)
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    mesh.normals_split_custom_set_from_vertices(normals.tolist())
    place(mesh, "Terrain")


def deforming_mesh(case: Case) -> None:
    """A mesh that a shape key's value moves in every frame."""
    side = round(case["polygons"] ** 0.5)
    random = np.random.default_rng(3)
    item = place(grid_mesh("Sheet", side, np.zeros((side + 1) ** 2)), "Sheet")
    item.shape_key_add(name="Basis")
    key = item.shape_key_add(name="Wave")
    moved = np.empty(3 * (side + 1) ** 2, np.float32)
    key.data.foreach_get("co", moved)
    moved[2::3] = random.random((side + 1) ** 2)
    key.data.foreach_set("co", moved)
    frames = case["frames"]
    for frame, value in ((1, 0.0), (frames, 1.0)):
        key.value = value
        key.keyframe_insert("value", frame=frame)
    bpy.context.scene.frame_start, bpy.context.scene.frame_end = 1, frames


def instances(case: Case) -> None:
    """Points of Geometry Nodes with a turned and scaled instance of a cube on each.

    The cube is another object, or made by the nodes (``made``).
    """
    side = round(case["count"] ** 0.5)
    item = place(grid_mesh("Points", side - 1, np.zeros(side**2)), "Points")
    item.scale = (100, 100, 100)
    tree = bpy.data.node_groups.new("Scatter", "GeometryNodeTree")
    tree.interface.new_socket("Geometry", in_out="INPUT", socket_type="NodeSocketGeometry")
    tree.interface.new_socket("Geometry", in_out="OUTPUT", socket_type="NodeSocketGeometry")
    new = tree.nodes.new
    points, output = new("NodeGroupInput"), new("NodeGroupOutput")
    scatter = new("GeometryNodeInstanceOnPoints")
    if case["made"]:
        cube = new("GeometryNodeMeshCube").outputs["Mesh"]
    else:
        bpy.ops.mesh.primitive_cube_add(size=1)
        cube_object = bpy.context.object
        bpy.context.scene.collection.objects.unlink(cube_object)  # seen as instances alone
        source = new("GeometryNodeObjectInfo")
        source.inputs["Object"].default_value = cube_object
        source.inputs["As Instance"].default_value = True
        cube = source.outputs["Geometry"]
    turn, size = new("FunctionNodeRandomValue"), new("FunctionNodeRandomValue")
    turn.data_type = "FLOAT_VECTOR"
    turn.inputs["Max"].default_value = (3, 3, 3)
    cube_size = 0.001 * case.get("size", 1.0)
    size.inputs["Min"].default_value = cube_size
    size.inputs["Max"].default_value = 3 * cube_size
    link = tree.links.new
    link(points.outputs[0], scatter.inputs["Points"])
    link(cube, scatter.inputs["Instance"])
    link(turn.outputs[0], scatter.inputs["Rotation"])
    link(next(o for o in size.outputs if o.enabled), scatter.inputs["Scale"])
    link(scatter.outputs[0], output.inputs[0])
    item.modifiers.new("Scatter", "NODES").node_group = tree


SCENES: dict[str, Callable[[Case], None]] = {
    "objects": objects,
    "mesh": one_mesh,
    "deforming-mesh": deforming_mesh,
    "instances": instances,
}
