# SPDX-License-Identifier: GPL-3.0-or-later
"""Which inputs of a Principled BSDF each network gets, and what UsdPreviewSurface can show.

The texture reader of UsdPreviewSurface multiplies and adds, once: what is no
multiple of one image, plus a constant, it cannot show.
"""

from __future__ import annotations

import operator
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from ..principled import NEUTRAL, PARTS, ROWS, TABLE
from .folding import folded, mapped, worked
from .records import (
    Attribute,
    Constant,
    Expression,
    Noise,
    Operation,
    Plain,
    Texture,
    width,
)

# Inputs that go into one of UsdPreviewSurface with others.
_PREVIEW_NAMES = {
    "Transmission Weight": "opacity",
    "Emission Color": "emissiveColor",
    "Emission Strength": "emissiveColor",
}
_ONE, _ONES, _ZEROS = Constant((1.0,)), Constant((1.0,) * 4), Constant((0.0,) * 4)


@dataclass(frozen=True)
class Affine:
    """``source * scale + bias``, for each channel.

    Attributes:
        source: an image or a colour attribute.
        scale, bias: of red, green, blue and alpha.
        channel: the one that is asked for (0 red … 3 alpha), or None for the colour.
    """

    source: Texture | Attribute
    scale: Plain = _ONES
    bias: Plain = _ZEROS
    channel: int | None = None


@lru_cache(4096)  # expressions share their parts
def affine(expression: Expression) -> Affine | None:
    """``expression`` as a multiple of one source and a constant, or None where it is none."""
    if isinstance(expression, Texture | Attribute):
        return Affine(expression)
    if isinstance(expression, Plain | Noise):
        return None
    arguments = expression.arguments
    if expression.name == "extract":
        found, index = affine(arguments[0]), arguments[1]
        if found is None or found.channel is not None or not isinstance(index, Constant):
            return None
        return Affine(found.source, found.scale, found.bias, int(index.value[0]))
    if expression.name == "luminance":
        # Exact for images without colours, which alone have a meaning as numbers.
        found = affine(arguments[0])
        if found is None or found.channel is not None:
            return None
        return Affine(found.source, found.scale, found.bias, 0)
    if expression.name == "normal_map":
        return _normal(*arguments)
    if expression.name == "mix":
        below, above, share = arguments
        if not isinstance(share, Plain) or width(share) != 1:
            return None
        rest = worked(operator.sub, _ONE, share)
        for moving, fixed, part, left in ((above, below, share, rest), (below, above, rest, share)):
            found = affine(moving)
            if found is not None and isinstance(fixed, Plain):
                return _scaled(found, _four(part), worked(operator.mul, _four(fixed), left))
        return None
    return _arithmetic(expression)


def _arithmetic(expression: Operation) -> Affine | None:
    if len(expression.arguments) != 2:
        return None
    one, other = expression.arguments
    left, right = affine(one), affine(other)
    name = expression.name
    if left is not None and isinstance(other, Plain):
        if name == "multiply":
            return _scaled(left, _four(other))
        if name == "divide" and _has_inverse(other):
            return _scaled(left, _four(worked(operator.truediv, _ONE, other)))
        if name == "add":
            return _scaled(left, _ONES, _four(other))
        if name == "subtract":
            return _scaled(left, _ONES, worked(operator.sub, _ZEROS, _four(other)))
    if right is not None and isinstance(one, Plain):
        if name == "multiply":
            return _scaled(right, _four(one))
        if name == "add":
            return _scaled(right, _ONES, _four(one))
        if name == "subtract":
            return _scaled(right, Constant((-1.0,) * 4), _four(one))
    return None


def _has_inverse(plain: Plain) -> bool:
    rows = (plain.value,) if isinstance(plain, Constant) else plain.values
    return all(all(row) for row in rows)


def _normal(color: Expression, strength: Expression) -> Affine | None:
    """A tangent-space normal, bent towards the surface's by its strength, as Blender does."""
    found = affine(color)
    if found is None or not isinstance(strength, Plain):
        return None
    scale = mapped(lambda s: (2 * s[0], 2 * s[0], 2 * s[0], 1.0), strength)
    bias = mapped(lambda s: (-s[0], -s[0], 1 - 2 * s[0], 0.0), strength)
    return _scaled(found, scale, bias)


def _scaled(found: Affine, scale: Plain, bias: Plain = _ZEROS) -> Affine:
    """``found * scale + bias``."""
    moved = worked(operator.add, worked(operator.mul, found.bias, scale), bias)
    return Affine(found.source, worked(operator.mul, found.scale, scale), moved, found.channel)


def _four(plain: Plain) -> Plain:
    return mapped(lambda value: value * 4 if len(value) == 1 else (*value, 1.0), plain)


def fits(expression: Expression) -> bool:
    """Whether UsdPreviewSurface can show ``expression`` as it is."""
    return isinstance(expression, Plain) or affine(expression) is not None


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
        solid = folded("subtract", Constant((1.0,)), transmission)
        inputs["opacity"] = folded("multiply", alpha, solid)
    color, strength = given.get("Emission Color"), given.get("Emission Strength")
    if color is not None and strength not in (None, Constant((0.0,))):
        inputs["emissiveColor"] = folded("multiply", color, strength)
    base = inputs.get("diffuseColor")
    if isinstance(base, Operation) and base.name == "multiply":
        parts = [part for part in base.arguments if not isinstance(part, Plain)]
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
            value = folded("multiply", expression, Constant((row.factor,)))
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
