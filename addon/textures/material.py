# SPDX-License-Identifier: GPL-3.0-or-later
"""A texture set as a Principled material, and how large it lies on an object."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

from ..scene.settings import meters_per_unit

KEY = "stagewright_texture"
"""Custom property of a material: the sidecar's path; of a node: what it is for."""

_BLEND = 0.25
"""Part of a face's tilt over which the three sides of a box projection mix."""

_USED = ("basecolor", "metallic", "roughness", "normal", "height", "emission", "opacity")


def apply(
    item: bpy.types.Object, sidecar: Path, about: Mapping[str, Any], displace: bool
) -> tuple[bpy.types.Material, bool]:
    """Give ``item`` the set as its active material.

    A material that an earlier set made gets the new images; the nodes an artist
    added, and links they changed, stay. Any other material is left alone: its slot
    gets a new one.

    Args:
        item: an object that takes materials.
        sidecar: the set's JSON file; its maps lie beside it.
        about: what the sidecar holds.
        displace: whether the height moves the surface.

    Returns:
        The material, and whether it is projected for want of UVs.
    """
    old = item.active_material
    again = old is not None and KEY in old and old.library is None and old.node_tree is not None
    if again:
        material = old
    else:
        name = about.get("family") or Path(about["request"].get("photo", sidecar.name)).stem
        material = bpy.data.materials.new(str(name).replace("_", " ").capitalize())
        if bpy.app.version < (5, 0):
            material.use_nodes = True
        material.node_tree.nodes.clear()
        item.active_material = material
    return material, show(material, item, sidecar, about, displace)


def show(
    material: bpy.types.Material,
    item: bpy.types.Object | None,
    sidecar: Path,
    about: Mapping[str, Any],
    displace: bool | None = None,
) -> bool:
    """Let a material show the set; what an artist added to its nodes stays.

    Args:
        material: an earlier set's, or one without nodes.
        item: the object that it lies on; None keeps how it is projected and how large.
        sidecar: the set's JSON file; its maps lie beside it.
        about: what the sidecar holds.
        displace: whether the height moves the surface; None keeps that, too.

    Returns:
        Whether it is projected for want of UVs.
    """
    unit = meters_per_unit(bpy.context.scene)
    side = uv_side(item) if item is not None else None
    ours = {node.get(KEY): node for node in material.node_tree.nodes}
    box = side is None
    if item is None and "basecolor" in ours:
        box = ours["basecolor"].projection == "BOX"
    if displace is None:
        displace = "output" in ours and ours["output"].inputs["Displacement"].is_linked
    _Nodes(material, sidecar.parent, about, unit, box, displace).make()
    if item is not None:
        _place(material, item, side, float(about["tile_size_m"]), unit)
    material[KEY] = str(sidecar)
    return box


def uv_side(item: bpy.types.Object) -> float | None:
    """Side of the UV square on the object, world units; None without usable UVs.

    The square root of the faces' area over the area of their UVs.
    """
    if item.type != "MESH":
        return None
    item.update_from_editmode()
    mesh = item.data
    layer = next((layer for layer in mesh.uv_layers if layer.active_render), None)
    mesh.calc_loop_triangles()
    count = len(mesh.loop_triangles)
    if layer is None or not count:
        return None
    corners = _read(mesh.loop_triangles, "vertices", 3 * count, np.int32)
    loops = _read(mesh.loop_triangles, "loops", 3 * count, np.int32)
    points = _read(mesh.vertices, "co", 3 * len(mesh.vertices), np.float32).reshape(-1, 3)
    uvs = _read(layer.uv, "vector", 2 * len(mesh.loops), np.float32).reshape(-1, 2)
    points = points @ np.array(item.matrix_world.to_3x3()).T
    a, b, c = np.moveaxis(points[corners].reshape(-1, 3, 3), 1, 0)
    area = np.linalg.norm(np.cross(b - a, c - a), axis=1).sum()
    a, b, c = np.moveaxis(uvs[loops].reshape(-1, 3, 2), 1, 0)
    u, v = b - a, c - a
    covered = np.abs(u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0]).sum()
    return float(np.sqrt(area / covered)) if covered > 1e-9 and area > 0 else None


def _read(items: Any, name: str, count: int, kind: type) -> NDArray[Any]:
    values: NDArray[Any] = np.empty(count, kind)
    items.foreach_get(name, values)
    return values


def _place(
    material: bpy.types.Material,
    item: bpy.types.Object,
    side: float | None,
    tile: float,
    unit: float,
) -> None:
    """Lay the tile at its true size: ``tile`` metres."""
    mapping = next(node for node in material.node_tree.nodes if node.get(KEY) == "mapping")
    if side is None:
        scale = [length * unit / tile for length in item.matrix_world.to_scale()]
    else:
        scale = [side * unit / tile] * 3
    mapping.inputs["Scale"].default_value = scale


class _Nodes:
    """The nodes that are ours, told by their custom property; made where they are missing."""

    def __init__(
        self,
        material: bpy.types.Material,
        folder: Path,
        about: Mapping[str, Any],
        unit: float,
        box: bool,
        displace: bool,
    ) -> None:
        self._material = material
        self._tree = material.node_tree
        self._folder, self._about = folder, about
        self._depth = float(about["height_range_m"]) / unit
        self._box, self._displace = box, displace

    def make(self) -> None:
        shader = self._node("principled", "ShaderNodeBsdfPrincipled", 0, 0)
        output = self._node("output", "ShaderNodeOutputMaterial", 300, 0)
        self._link(shader, "BSDF", output, "Surface")
        coordinates = self._node("coordinates", "ShaderNodeTexCoord", -1100, 0)
        mapping = self._node("mapping", "ShaderNodeMapping", -900, 0)
        kind = "Object" if self._box else "UV"
        if not self._came_from(mapping, coordinates, kind):
            self._tree.links.new(coordinates.outputs[kind], mapping.inputs["Vector"])
        given = self._about["maps"]
        images = {
            name: self._image(name, row, mapping) for row, name in enumerate(_USED) if name in given
        }
        self._link(images["basecolor"], "Color", shader, "Base Color")
        self._link(images["metallic"], "Color", shader, "Metallic")
        self._link(images["roughness"], "Color", shader, "Roughness")
        self._relief(images, shader)
        self._move(images["height"], output)
        self._optional(images, shader)

    def _optional(self, images: Mapping[str, Any], shader: Any) -> None:
        """What glows and what has holes; an earlier set's, if this one has none, is taken away."""
        strength = self._about.get("emission_strength", 1.0)
        plain = (
            ("emission", "Emission Color", "Emission Strength", strength, 0.0),
            ("opacity", "Alpha", "Alpha", 1.0, 1.0),
        )
        for name, socket, value, with_it, without in plain:
            if name in images:
                if not shader.inputs[socket].links:
                    self._link(images[name], "Color", shader, socket)
                    shader.inputs[value].default_value = with_it
            elif (node := self._found(name)) is not None:
                self._tree.nodes.remove(node)
                shader.inputs[value].default_value = without

    def _relief(self, images: Mapping[str, Any], shader: Any) -> None:
        """Normals from their map; from the height where there are no UVs to be tangent to."""
        if self._box:
            bump = self._node("bump", "ShaderNodeBump", -250, -600)
            bump.inputs["Distance"].default_value = self._depth
            self._link(images["height"], "Color", bump, "Height")
            self._replace(bump, shader, "normal")
        else:
            normal = self._node("normal map", "ShaderNodeNormalMap", -250, -600)
            self._link(images["normal"], "Color", normal, "Color")
            self._replace(normal, shader, "bump")

    def _replace(self, node: Any, shader: Any, other: str) -> None:
        """Link ``node`` to the shader's normal, unless an artist's node is there."""
        links = shader.inputs["Normal"].links
        if not links or str(links[0].from_node.get(KEY, "")).startswith(other):
            self._tree.links.new(node.outputs["Normal"], shader.inputs["Normal"])

    def _move(self, height: Any, output: Any) -> None:
        node = self._node("displacement", "ShaderNodeDisplacement", 0, -700)
        node.inputs["Midlevel"].default_value = 0.5
        node.inputs["Scale"].default_value = self._depth
        self._link(height, "Color", node, "Height")
        links = output.inputs["Displacement"].links
        if self._displace and not links:
            self._tree.links.new(node.outputs[0], output.inputs["Displacement"])
            self._material.displacement_method = "DISPLACEMENT"
        elif not self._displace and links and links[0].from_node == node:
            self._tree.links.remove(links[0])

    def _image(self, name: str, row: int, mapping: Any) -> Any:
        node = self._node(name, "ShaderNodeTexImage", -600, 300 - 280 * row)
        node.projection = "BOX" if self._box else "FLAT"
        node.projection_blend = _BLEND
        path = str(self._folder / self._about["maps"][name])
        node.image = bpy.data.images.load(path, check_existing=True)
        node.image.colorspace_settings.name = self._about["color_spaces"][name]
        self._link(mapping, "Vector", node, "Vector")
        return node

    def _found(self, role: str) -> Any:
        return next((node for node in self._tree.nodes if node.get(KEY) == role), None)

    def _node(self, role: str, kind: str, x: float, y: float) -> Any:
        found = self._found(role)
        if found is not None:
            return found
        node = self._tree.nodes.new(kind)
        node[KEY] = role
        node.label = {"basecolor": "Base Color"}.get(role, role.title())
        node.location = x, y
        return node

    def _link(self, source: Any, output: str, target: Any, name: str) -> None:
        """Link into an input that nothing feeds: what an artist has put there stays."""
        if not target.inputs[name].links:
            self._tree.links.new(source.outputs[output], target.inputs[name])

    def _came_from(self, target: Any, source: Any, output: str) -> bool:
        links = target.inputs["Vector"].links
        return bool(links) and (links[0].from_node != source or links[0].from_socket.name == output)
