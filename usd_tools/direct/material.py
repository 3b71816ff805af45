# SPDX-License-Identifier: GPL-3.0-or-later
"""Materials: one network of UsdPreviewSurface and one of OpenPBR in MaterialX."""

from __future__ import annotations

from collections.abc import Mapping

from ..principled import NEUTRAL, PARTS, ROWS, TABLE
from .data_block import author_data_block
from .layer_writer import LayerWriter
from .materialx import MaterialXNetwork
from .preview import PreviewNetwork, fits
from .records import Constant, Expression, MaterialRecord, Operation, width

# The release whose nodes are written; MaterialX upgrades documents from it on.
_MATERIALX = "1.39"
# Inputs that go into one of UsdPreviewSurface with others.
_PREVIEW_NAMES = {
    "Transmission Weight": "opacity",
    "Emission Color": "emissiveColor",
    "Emission Strength": "emissiveColor",
}


def author_material(writer: LayerWriter, record: MaterialRecord) -> None:
    """Author the material of ``record`` into the look."""
    look = writer.look
    prim, new = look.define(record.path, "Material")
    if not new:
        return
    author_data_block(look, prim, record.data, record.properties, new=True)
    look.apply_schemas(prim, "MaterialXConfigAPI")
    look.set(prim, "config:mtlx:version", "string", _MATERIALX, uniform=True)
    preview = PreviewNetwork(look, record.path)
    look.connect(prim, "outputs:surface", "token", preview.surface(preview_inputs(record.inputs)))
    if record.displacement is not None and preview.displace(record.displacement):
        look.connect(prim, "outputs:displacement", "token", preview.shader_output)
    openpbr = MaterialXNetwork(look, record.path)
    look.connect(
        prim, "outputs:mtlx:surface", "token", openpbr.surface(openpbr_inputs(record.inputs))
    )
    if record.displacement is not None:
        place = openpbr.displacement(record.displacement)
        look.connect(prim, "outputs:mtlx:displacement", "token", place)


def preview_inputs(given: Mapping[str, Expression]) -> dict[str, Expression]:
    """The inputs of UsdPreviewSurface, for those of a Principled BSDF."""
    inputs = {
        row.preview: given[row.principled]
        for row in TABLE
        if row.preview and row.principled in given
    }
    alpha = given.get("Alpha", Constant((1.0,)))
    transmission = given.get("Transmission Weight", Constant((0.0,)))
    if transmission != Constant((0.0,)):
        # Transmission is what opacity means where it keeps the reflections.
        solid = _folded("subtract", Constant((1.0,)), transmission)
        inputs["opacity"] = _folded("multiply", alpha, solid)
    color, strength = given.get("Emission Color"), given.get("Emission Strength")
    if color is not None and strength not in (None, Constant((0.0,))):
        inputs["emissiveColor"] = _folded("multiply", color, strength, 3)
    base = inputs.get("diffuseColor")
    if isinstance(base, Operation) and base.name == "multiply":
        parts = [part for part in base.arguments if not isinstance(part, Constant)]
        if len(parts) == 2:
            # Two images multiplied: the one without colours shades the other.
            shade = next((p for p in parts if _is_gray(p)), None)
            if shade is not None:
                inputs["diffuseColor"] = parts[1] if parts[0] is shade else parts[0]
                inputs["occlusion"] = shade
    return inputs


def preview_losses(inputs: Mapping[str, Expression]) -> list[str]:
    """Inputs of a Principled BSDF that UsdPreviewSurface does not show, or not as they are."""
    lost = []
    shown = preview_inputs(inputs)
    for name, value in inputs.items():
        preview = _PREVIEW_NAMES.get(name, ROWS[name].preview)
        gate = PARTS.get(name)
        if gate and inputs.get(gate, Constant((0.0,))) == Constant((0.0,)):
            continue
        if preview:
            if preview in shown and not fits(shown[preview]):
                lost.append(name)
        elif name in NEUTRAL and value != Constant(NEUTRAL[name]):
            lost.append(name)
    return lost


def _is_gray(expression: Expression) -> bool:
    """Whether an expression has one channel, or is of an image without colours."""
    if isinstance(expression, Operation):
        return expression.width == 1
    return bool(getattr(expression, "raw", False))


def openpbr_inputs(given: Mapping[str, Expression]) -> dict[str, Expression]:
    """The inputs of OpenPBR that differ from its own defaults."""
    inputs: dict[str, Expression] = {}
    for name, expression in given.items():
        row = ROWS[name]
        gate = PARTS.get(name)
        if not row.openpbr or (gate and given.get(gate, Constant((0.0,))) == Constant((0.0,))):
            continue
        value = expression
        if row.factor != 1.0:
            value = _folded("multiply", expression, Constant((row.factor,)))
        if value != Constant(row.default or ()):
            inputs[row.openpbr] = value
    base = given.get("Base Color")
    if base is not None and "subsurface_weight" in inputs:
        inputs["subsurface_color"] = base
    if base is not None and "transmission_weight" in inputs:
        inputs["transmission_color"] = base
    if given.get("Thin Film Thickness", Constant((0.0,))) != Constant((0.0,)):
        inputs["thin_film_weight"] = Constant((1.0,))
    else:
        inputs.pop("thin_film_thickness", None)
    return inputs


def _folded(name: str, one: Expression, other: Expression, wide: int = 1) -> Expression:
    """An operation of two expressions, worked out where both are constants."""
    if isinstance(one, Constant) and isinstance(other, Constant):
        count = max(len(one.value), len(other.value))
        pairs = zip(
            one.value * (count // len(one.value)),
            other.value * (count // len(other.value)),
            strict=True,
        )
        if name == "multiply":
            return Constant(tuple(a * b for a, b in pairs))
        return Constant(tuple(a - b for a, b in pairs))
    if name == "multiply":
        for factor, rest in ((one, other), (other, one)):
            if isinstance(factor, Constant) and set(factor.value) == {1.0}:
                return rest
    return Operation(name, (one, other), max(wide, width(one), width(other)))
