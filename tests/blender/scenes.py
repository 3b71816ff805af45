# SPDX-License-Identifier: GPL-3.0-or-later
"""Small scenes that tests build."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import bpy


def finish(job: Generator[Any, None, Any]) -> Any:
    """Run ``job`` to its end, unheard, and return its value."""
    while True:
        try:
            next(job)
        except StopIteration as end:
            return end.value


def empty_scene() -> None:
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)


def add_mesh(
    name: str, points: list[tuple[float, ...]], faces: list[tuple[int, ...]]
) -> bpy.types.Object:
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata(points, [], faces)
    item = bpy.data.objects.new(name, mesh)
    bpy.context.scene.collection.objects.link(item)
    return item


def add_square(name: str, size: float = 1.0) -> bpy.types.Object:
    """A square in the XY plane with a corner at the origin."""
    corners = [(0.0, 0.0, 0.0), (size, 0.0, 0.0), (size, size, 0.0), (0.0, size, 0.0)]
    return add_mesh(name, corners, [(0, 1, 2, 3)])


def add_material(name: str, **inputs: Any) -> bpy.types.Material:
    """A material whose Principled BSDF has ``inputs`` (``Base_Color=…``)."""
    material = bpy.data.materials.new(name)
    if material.node_tree is None:
        material.use_nodes = True
    shader = material.node_tree.nodes["Principled BSDF"]
    for socket, value in inputs.items():
        shader.inputs[socket.replace("_", " ")].default_value = value
    return material


def instance_cubes(
    item: bpy.types.Object, size: float, material: bpy.types.Material | None = None
) -> None:
    """Put a cube made inside a node tree on every point of ``item``, and keep its own mesh."""
    tree = bpy.data.node_groups.new("Cubes", "GeometryNodeTree")
    tree.interface.new_socket("Geometry", in_out="INPUT", socket_type="NodeSocketGeometry")
    tree.interface.new_socket("Geometry", in_out="OUTPUT", socket_type="NodeSocketGeometry")
    nodes, link = tree.nodes, tree.links.new
    source, target = nodes.new("NodeGroupInput"), nodes.new("NodeGroupOutput")
    cube = nodes.new("GeometryNodeMeshCube")
    cube.inputs["Size"].default_value = (size, size, size)
    instance = nodes.new("GeometryNodeInstanceOnPoints")
    join = nodes.new("GeometryNodeJoinGeometry")
    prototype = cube.outputs["Mesh"]
    if material is not None:
        set_material = nodes.new("GeometryNodeSetMaterial")
        set_material.inputs["Material"].default_value = material
        link(prototype, set_material.inputs["Geometry"])
        prototype = set_material.outputs["Geometry"]
    link(source.outputs[0], instance.inputs["Points"])
    link(prototype, instance.inputs["Instance"])
    link(instance.outputs[0], join.inputs[0])
    link(source.outputs[0], join.inputs[0])
    link(join.outputs[0], target.inputs[0])
    item.modifiers.new("Cubes", "NODES").node_group = tree


def instance_collection(name: str, *items: bpy.types.Object) -> bpy.types.Object:
    """An empty that instances a collection of ``items``, which leave the scene."""
    collection = bpy.data.collections.new(name)
    for item in items:
        for owner in item.users_collection:
            owner.objects.unlink(item)
        collection.objects.link(item)
    empty = bpy.data.objects.new(name, None)
    empty.instance_type = "COLLECTION"
    empty.instance_collection = collection
    bpy.context.scene.collection.objects.link(empty)
    return empty
