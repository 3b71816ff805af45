# SPDX-License-Identifier: GPL-3.0-or-later
"""Materials as records: what feeds each input of their Principled BSDF."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

import bpy

from ....usd_tools.direct.folding import folded
from ....usd_tools.direct.records import (
    Constant,
    Expression,
    MaterialRecord,
    Operation,
    over_time,
)
from ....usd_tools.direct.surfaces import preview_losses
from ....usd_tools.principled import PARTS, ROWS
from ..scope import is_animated
from .context import StreamContext
from .nodes import output_node, source
from .properties import custom_properties
from .shading import Inexpressible, ShadingReader, constant

_BLACK = Constant((0.0, 0.0, 0.0))
_ONE, _ZERO = Constant((1.0,)), Constant((0.0,))


# What feeds the inputs of a Principled BSDF, by their names, and the displacement.
_Network = dict[str, Expression]
_HEIGHT = "Displacement"


class MaterialsReader:
    """Reads the materials that are met: at every frame those that are animated.

    What they cannot hold is noted in ``context``.
    """

    def __init__(self, context: StreamContext) -> None:
        self._context = context
        self._networks: dict[str, dict[float, _Network]] = defaultdict(dict)

    def read_frame(self, frame: float) -> None:
        """Read what is animated among the materials met so far, at the current frame."""
        known = _by_name() if self._context.animated else {}
        for name in self._context.materials:
            material = known.get(name)
            if material is not None and is_animated(material):
                reader = _MaterialReader(self._context, material, animated=True)
                self._networks[name][frame] = reader.read()

    def records(self) -> Iterator[MaterialRecord]:
        """The records of all materials that were met."""
        known = _by_name()
        for name, path in list(self._context.materials.items()):
            material = known.get(name)
            if material is None:
                note = f"The material {name} was deleted while it was exported."
                self._context.notes.append(note)
                yield MaterialRecord(path, name)
            else:
                networks = self._networks.get(name)
                yield read_material(self._context, material, path, networks)


def read_material(
    context: StreamContext,
    material: bpy.types.Material,
    path: str,
    networks: Mapping[float, _Network] | None = None,
    *,
    preview: bool = True,
) -> MaterialRecord:
    """The record of one material: as it was at frames, or as it is now where None are given.

    What it cannot hold is noted in ``context``; with ``preview`` also what UsdPreviewSurface
    alone does not show.
    """
    networks = networks or {0.0: _MaterialReader(context, material).read()}
    inputs = _over_time(context, material, networks)
    displacement = inputs.pop(_HEIGHT, None)
    if preview:
        _tell_preview(context, material, inputs)
    return MaterialRecord(
        path, material.name, inputs, displacement, custom_properties(context, material)
    )


def _over_time(
    context: StreamContext, material: bpy.types.Material, networks: Mapping[float, _Network]
) -> _Network:
    """One network of those at several frames; other than values stay as in the last one."""
    *_, last = networks.values()
    merged: _Network = {}
    for name, value in last.items():
        found = [network[name] for network in networks.values() if name in network]
        every = over_time(list(networks), found) if len(found) == len(networks) else None
        merged[name] = value if every is None else every
        if every is None:
            context.notes.append(
                f"The material {material.name}: more than values changes over time in what feeds "
                f"{name}, which stays as in the last frame. Keep its images and nodes the same."
            )
    return merged


def _tell_preview(context: StreamContext, material: bpy.types.Material, inputs: _Network) -> None:
    """What the OpenPBR network holds and UsdPreviewSurface cannot."""
    lost = preview_losses(inputs)
    if lost:
        context.notes.append(
            f"The material {material.name}: programs that read UsdPreviewSurface alone "
            f"do not show {', '.join(lost)}."
        )


def _by_name() -> dict[str, bpy.types.Material]:
    return {material.name_full: material for material in bpy.data.materials}


class _MaterialReader:
    def __init__(
        self, context: StreamContext, material: bpy.types.Material, *, animated: bool = False
    ) -> None:
        self._context = context
        self._material = material
        self._animated = animated
        self._shading = ShadingReader(context, _render_map(material), animated=animated)

    def read(self) -> _Network:
        output = output_node(self._material)
        if output is None:
            return self._plain()
        shader = source(output.inputs["Surface"])
        try:
            inputs = self._surface(shader)
        except Inexpressible as lost:
            self._tell("the surface", lost.what)
            inputs = self._plain()
        if output.inputs["Volume"].is_linked:
            self._context.notes.append(
                f"The material {self._material.name} has a volume, which is not exported."
            )
        height = self._displacement(output)
        return inputs if height is None else inputs | {_HEIGHT: height}

    def _plain(self) -> dict[str, Expression]:
        """How the viewport shows a material without nodes."""
        material = self._material
        return {
            "Base Color": Constant(tuple(material.diffuse_color)[:3]),
            "Metallic": Constant((material.metallic,)),
            "Roughness": Constant((material.roughness,)),
        }

    def _surface(self, output: bpy.types.NodeSocket | None) -> dict[str, Expression]:
        if output is None:
            return {"Base Color": _BLACK, "Specular IOR Level": _ZERO}
        node = output.node
        reader = _SURFACES.get(node.bl_idname)
        if reader is None:
            raise Inexpressible(f"the node {node.label or node.bl_label}")
        return reader(self, node)

    def _principled(self, node: bpy.types.Node) -> dict[str, Expression]:
        inputs: dict[str, Expression] = {}
        for socket in node.inputs:
            if socket.name not in ROWS:
                continue
            if socket.type == "VECTOR" and not socket.is_linked:
                if socket.name == "Subsurface Radius":
                    inputs[socket.name] = constant(socket)
                continue
            inputs[socket.name] = self._input(socket)
        for name in ("Anisotropic Rotation", "Tangent", "Subsurface IOR"):
            self._drop(inputs, name)
        return inputs

    def _drop(self, inputs: dict[str, Expression], name: str) -> None:
        """Leave out an input that nothing can show, and tell it where it does something."""
        value = inputs.pop(name, None)
        acts = inputs.get(PARTS[name], _ZERO) != _ZERO
        neutral = Constant((1.4,)) if name == "Subsurface IOR" else _ZERO
        if acts and value is not None and not _is_near(value, neutral):
            self._tell(name, "it")

    def _input(self, socket: bpy.types.NodeSocket, plain: Constant | None = None) -> Expression:
        wide = socket.type in {"RGBA", "VECTOR"}
        try:
            read = self._shading.expression if wide else self._shading.number
            return read(socket)
        except Inexpressible as lost:
            self._tell(socket.name, lost.what)
            if socket.type == "VECTOR":
                return plain or Constant((0.0, 0.0, 1.0))
            return plain or constant(socket)

    def _diffuse(self, node: bpy.types.Node) -> dict[str, Expression]:
        return {
            "Base Color": self._input(node.inputs["Color"]),
            "Roughness": _ONE,
            "Diffuse Roughness": self._input(node.inputs["Roughness"]),
            "Specular IOR Level": _ZERO,
        }

    def _glossy(self, node: bpy.types.Node) -> dict[str, Expression]:
        return {
            "Base Color": self._input(node.inputs["Color"]),
            "Roughness": self._input(node.inputs["Roughness"]),
            "Metallic": _ONE,
        }

    def _glass(self, node: bpy.types.Node) -> dict[str, Expression]:
        return {
            "Base Color": self._input(node.inputs["Color"]),
            "Roughness": self._input(node.inputs["Roughness"]),
            "IOR": self._input(node.inputs["IOR"]),
            "Transmission Weight": _ONE,
        }

    def _emission(self, node: bpy.types.Node) -> dict[str, Expression]:
        return {
            "Base Color": _BLACK,
            "Specular IOR Level": _ZERO,
            "Emission Color": self._input(node.inputs["Color"]),
            "Emission Strength": self._input(node.inputs["Strength"]),
        }

    def _transparent(self, node: bpy.types.Node) -> dict[str, Expression]:
        return {"Base Color": _BLACK, "Specular IOR Level": _ZERO, "Alpha": _ZERO}

    def _mixed(self, node: bpy.types.Node) -> dict[str, Expression]:
        """A mix of a shader with a transparent one: an alpha."""
        share = self._shading.number(node.inputs["Fac"])
        first, second = (source(socket) for socket in node.inputs[1:3])
        for clear, solid, amount in (
            (first, second, share),
            (second, first, Operation("subtract", (_ONE, share), 1)),
        ):
            if clear is not None and clear.node.bl_idname == "ShaderNodeBsdfTransparent":
                inputs = self._surface(solid)
                alpha = inputs.get("Alpha", _ONE)
                if isinstance(share, Constant):
                    value = share.value[0] if amount is share else 1 - share.value[0]
                    amount = Constant((value,))
                if isinstance(alpha, Constant) and isinstance(amount, Constant):
                    inputs["Alpha"] = Constant((alpha.value[0] * amount.value[0],))
                else:
                    product = Operation("multiply", (alpha, amount), 1)
                    inputs["Alpha"] = amount if alpha == _ONE else product
                return inputs
        raise Inexpressible("a mix of two shaders")

    def _displacement(self, output: bpy.types.Node) -> Expression | None:
        found = source(output.inputs["Displacement"])
        if found is None:
            return None
        node = found.node
        try:
            if node.bl_idname != "ShaderNodeDisplacement" or node.space != "OBJECT":
                raise Inexpressible(f"the node {node.label or node.bl_label}")
            height, middle, scale = (
                self._shading.number(node.inputs[name]) for name in ("Height", "Midlevel", "Scale")
            )
        except Inexpressible as lost:
            self._tell("the displacement", lost.what)
            return None
        if self._animated:  # the same at every frame, whatever the values
            above = Operation("subtract", (height, middle), 1)
            return Operation("multiply", (above, scale), 1)
        return folded("multiply", folded("subtract", height, middle), scale)

    def _tell(self, name: str, what: str) -> None:
        subject = f"what feeds {name}" if name in ROWS else name
        self._context.notes.append(
            f"The material {self._material.name}: {subject} is not exported as it is, "
            f"as no network holds {what}. Bake it into an image."
        )


_SURFACES = {
    "ShaderNodeBsdfPrincipled": _MaterialReader._principled,
    "ShaderNodeBsdfDiffuse": _MaterialReader._diffuse,
    "ShaderNodeBsdfGlossy": _MaterialReader._glossy,
    "ShaderNodeBsdfAnisotropic": _MaterialReader._glossy,
    "ShaderNodeBsdfGlass": _MaterialReader._glass,
    "ShaderNodeEmission": _MaterialReader._emission,
    "ShaderNodeBsdfTransparent": _MaterialReader._transparent,
    "ShaderNodeMixShader": _MaterialReader._mixed,
}


def _is_near(value: Expression, other: Constant) -> bool:
    if not isinstance(value, Constant):
        return False
    return all(abs(a - b) < 1e-6 for a, b in zip(value.value, other.value, strict=False))


def _render_map(material: bpy.types.Material) -> str:
    """Name of the UV map called ``st``, if all meshes with the material agree on it."""
    names = {
        layer.name
        for mesh in bpy.data.meshes
        if material.name in mesh.materials
        for layer in mesh.uv_layers
        if layer.active_render
    }
    return names.pop() if len(names) == 1 else ""
