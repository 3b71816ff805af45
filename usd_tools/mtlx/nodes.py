# SPDX-License-Identifier: GPL-3.0-or-later
"""The nodes of MaterialX that Blender has a match for, one function each.

After the MaterialX Specification 1.39 and the shaders of its library. Noise is the
same in both programs: Perlin's, with the same hash and the same scale.
"""

from __future__ import annotations

from math import cos, radians, sin

from ..direct.folding import REC709, channel, combined, folded, luminance
from ..direct.records import Attribute, Constant, Noise, Operation, Texture, width
from .placing import Placing, object_placing, uv_placing
from .reading import RAW, SRGB, NetworkReader, NodeReader, Result, Scope, Unsupported, Wide, applied
from .records import Node

_WRAPS = {"periodic": "repeat", "clamp": "clamp", "mirror": "mirror", "constant": "black"}
# What UsdUVTexture calls them.
_WRAPS |= {"repeat": "repeat", "black": "black", "useMetadata": "black"}


def _kind(node: Node) -> str:
    """The type of what a node gives, by the name of its definition."""
    return node.definition.rsplit("_", 1)[-1]


def _same(reader: NetworkReader, scope: Scope, node: Node) -> Result:
    return reader.result(scope, node, "value" if node.category == "constant" else "in")


def _convert(reader: NetworkReader, scope: Scope, node: Node) -> Result:
    given, kind = reader.result(scope, node, "in"), _kind(node)
    if isinstance(given, Wide):
        return given if kind == "color4" else given.color
    if isinstance(given, Placing):
        raise Unsupported(scope.name(node), "makes coordinates a colour")
    if kind == "color4" and not isinstance(given, str):
        return Wide(given, Constant((1.0,)))
    return given


def _mix(reader: NetworkReader, scope: Scope, node: Node) -> Result:
    name = scope.name(node)
    below, above, share = (reader.result(scope, node, each) for each in ("bg", "fg", "mix"))
    if isinstance(share, Wide) or (not isinstance(share, Placing | str) and width(share) == 3):
        if not isinstance(share, Constant):  # Blender mixes colours by one number
            rest = reader.apply(name, "subtract", Constant((1.0,)), share)
            parts = [
                reader.apply(name, "multiply", each, part)
                for each, part in ((below, rest), (above, share))
            ]
            return reader.apply(name, "add", *parts)
    return reader.apply(name, "mix", below, above, share)


def _clamp(reader: NetworkReader, scope: Scope, node: Node) -> Result:
    name = scope.name(node)
    given, low, high = (reader.result(scope, node, each) for each in ("in", "low", "high"))
    return reader.apply(name, "min", reader.apply(name, "max", given, low), high)


def _invert(reader: NetworkReader, scope: Scope, node: Node) -> Result:
    given, amount = (reader.result(scope, node, each) for each in ("in", "amount"))
    return reader.apply(scope.name(node), "subtract", amount, given)


def _remap(reader: NetworkReader, scope: Scope, node: Node) -> Result:
    name = scope.name(node)
    names = ("in", "inlow", "inhigh", "outlow", "outhigh")
    given, a, b, c, d = (reader.result(scope, node, each) for each in names)
    subtract = "subtract"
    share = reader.apply(
        name,
        "divide",
        reader.apply(name, subtract, given, a),
        reader.apply(name, subtract, b, a),
    )
    return reader.apply(
        name,
        "add",
        reader.apply(name, "multiply", share, reader.apply(name, subtract, d, c)),
        c,
    )


def _smoothstep(reader: NetworkReader, scope: Scope, node: Node) -> Result:
    name = scope.name(node)
    given, low, high = (reader.expression(scope, node, each) for each in ("in", "low", "high"))
    share = applied("divide", applied("subtract", given, low), applied("subtract", high, low))
    share = applied("min", applied("max", share, Constant((0.0,))), Constant((1.0,)))
    slope = applied("subtract", Constant((3.0,)), applied("multiply", share, Constant((2.0,))))
    return reader.apply(name, "multiply", applied("multiply", share, share), slope)


def _luminance(reader: NetworkReader, scope: Scope, node: Node) -> Result:
    given = reader.result(scope, node, "in")
    weights = reader.numbers(scope, node, "lumacoeffs")
    color = given.color if isinstance(given, Wide) else given
    if isinstance(color, Placing | str):
        raise Unsupported(scope.name(node), "has coordinates as in")
    if all(abs(a - b) < 1e-4 for a, b in zip(weights, REC709, strict=True)):
        gray = luminance(color)
    else:
        gray = Constant((0.0,))
        for index, weight in enumerate(weights):
            part = folded("multiply", channel(color, index), Constant((weight,)))
            gray = folded("add", gray, part)
    return Wide(gray, given.alpha) if isinstance(given, Wide) else gray


def _extract(reader: NetworkReader, scope: Scope, node: Node) -> Result:
    given = reader.result(scope, node, "in")
    index = int(reader.numbers(scope, node, "index")[0])
    if isinstance(given, Wide):
        return given.alpha if index == 3 else channel(given.color, index)
    if isinstance(given, Placing | str):
        raise Unsupported(scope.name(node), "takes coordinates apart")
    return channel(given, index)


def _combine(reader: NetworkReader, scope: Scope, node: Node) -> Result:
    count = int(node.category[-1])
    parts = [reader.expression(scope, node, f"in{index + 1}") for index in range(count)]
    if count == 2:
        if width(parts[0]) == 3:
            return Wide(parts[0], parts[1])
        if all(isinstance(part, Constant) for part in parts):
            return Constant(tuple(part.value[0] for part in parts if isinstance(part, Constant)))
        raise Unsupported(scope.name(node), "puts coordinates together")
    color = combined((parts[0], parts[1], parts[2]))
    return color if count == 3 else Wide(color, parts[3])


def _switch(reader: NetworkReader, scope: Scope, node: Node) -> Result:
    which = int(reader.numbers(scope, node, "which")[0])
    return reader.result(scope, node, f"in{which + 1}")


def _image(reader: NetworkReader, scope: Scope, node: Node) -> Result:
    kind, name = _kind(node), scope.name(node)
    file = reader.text(scope, node, "file")
    if not file:
        raise Unsupported(name, "has no file")
    if kind in ("vector2", "vector4"):
        raise Unsupported(name, f"is an image of {kind}s")
    wraps = [reader.text(scope, node, f"{axis}addressmode") for axis in "uv"]
    if wraps[0] != wraps[1]:
        reader.approximate(name, f"its v goes on as its u does ({wraps[0]}), not as {wraps[1]}")
    _tell_left_out(reader, scope, node)
    uv, size, turn, move = _place(reader, scope, node, "texcoord")
    texture = Texture(
        file,
        uv,
        _is_raw(reader, scope, node, kind),
        _WRAPS.get(wraps[0], "repeat"),  # type: ignore[arg-type]
        reader.text(scope, node, "filtertype") == "closest",
        (size[0], size[1]),
        turn,
        (move[0], move[1]),
    )
    if kind == "float":
        return channel(texture, 0)
    if kind == "color4":
        return Wide(texture, Operation("extract", (texture, Constant((3.0,))), 1))
    return texture


def _tell_left_out(reader: NetworkReader, scope: Scope, node: Node) -> None:
    name = scope.name(node)
    default = reader.port(scope, node, "default")
    if default is not None and isinstance(default.value, tuple) and any(default.value):
        reader.approximate(name, "its default colour for places without an image is left out")
    for setting in ("framerange", "layer"):
        if reader.text(scope, node, setting):
            reader.approximate(name, f"its {setting} is left out")


def _is_raw(reader: NetworkReader, scope: Scope, node: Node, kind: str) -> bool:
    port, where = node.inputs.get("file"), scope
    while port is not None and port.interface and where.outer is not None:
        where, outer = where.outer
        port = outer.inputs.get(port.interface)
    space = "" if port is None else port.colorspace
    if not kind.startswith("color") or space in RAW:
        return True
    if space not in SRGB:
        reader.approximate(scope.name(node), f"its colour space {space} is taken as sRGB")
    return False


def _place(
    reader: NetworkReader, scope: Scope, node: Node, name: str
) -> tuple[str, tuple[float, ...], float, tuple[float, ...]]:
    """Space, scale, rotation and translation of an input for coordinates."""
    found = reader.result(scope, node, name)
    if not isinstance(found, Placing):
        raise Unsupported(scope.name(node), "is placed by something else than UVs")
    parts = found.parts()
    if parts is None:
        raise Unsupported(scope.name(node), "is placed with a shear")
    return found.space, *parts


def _geometry(reader: NetworkReader, scope: Scope, node: Node) -> Result:
    """``geompropvalue`` and ``UsdPrimvarReader``."""
    kind = _kind(node)
    own = "geomprop" if node.category == "geompropvalue" else "varname"
    name = reader.text(scope, node, own)
    if kind == "vector2":
        return uv_placing(name)
    if kind == "float":
        return channel(Attribute(name), 0)
    if kind in ("color3", "vector3"):
        return Attribute(name)
    raise Unsupported(scope.name(node), f"reads a {kind} of the geometry")


def _texcoord(reader: NetworkReader, scope: Scope, node: Node) -> Result:
    index = int(reader.numbers(scope, node, "index")[0])
    return uv_placing(f"st{index}" if index else "st")


def _position(reader: NetworkReader, scope: Scope, node: Node) -> Result:
    if reader.text(scope, node, "space") == "world":
        raise Unsupported(scope.name(node), "is a place in the world")
    return object_placing()


def _rotate(reader: NetworkReader, scope: Scope, node: Node) -> Result:
    given = reader.result(scope, node, "in")
    (angle,) = reader.numbers(scope, node, "amount")
    if isinstance(given, Placing):
        return given.turned(angle)
    if isinstance(given, Constant):
        (x, y), turn = given.value, radians(angle)
        return Constant((cos(turn) * x + sin(turn) * y, cos(turn) * y - sin(turn) * x))
    raise Unsupported(scope.name(node), "turns something else than coordinates")


def _noise(reader: NetworkReader, scope: Scope, node: Node) -> Result:
    name = scope.name(node)
    if _kind(node) != "float":
        return reader.of_graph(scope, node)
    flat = node.category.endswith("2d")
    uv, size, turn, move = _place(reader, scope, node, "texcoord" if flat else "position")
    octaves, lacunarity, diminish = 1, 2.0, 0.5
    if node.category.startswith("fractal"):
        (count,) = reader.numbers(scope, node, "octaves")
        (lacunarity,) = reader.numbers(scope, node, "lacunarity")
        (diminish,) = reader.numbers(scope, node, "diminish")
        octaves = int(count)
    if flat:
        size, move = (*size, 1.0), (*move, 0.0)
    made: Result = Noise(uv, octaves, lacunarity, diminish, size, turn, move)  # type: ignore[arg-type]
    made = reader.apply(name, "multiply", made, reader.result(scope, node, "amplitude"))
    if node.category.startswith("noise"):
        made = reader.apply(name, "add", made, reader.result(scope, node, "pivot"))
    return made


def _normal_map(reader: NetworkReader, scope: Scope, node: Node) -> Result:
    name = scope.name(node)
    color = reader.expression(scope, node, "in")
    strength = reader.expression(scope, node, "scale")
    if isinstance(color, Constant):
        raise Unsupported(name, "has no image")
    if isinstance(strength, Constant) and len(strength.value) == 2:
        if strength.value[0] != strength.value[1]:
            reader.approximate(name, "its two scales are taken as one")
        strength = Constant(strength.value[:1])
    if strength != Constant((1.0,)):
        reader.approximate(name, "its scale bends the normal, as Blender's strength does")
    return Operation("normal_map", (color, strength), 3)


READERS: dict[str, NodeReader] = {
    "constant": _same,
    "dot": _same,
    "convert": _convert,
    "mix": _mix,
    "clamp": _clamp,
    "invert": _invert,
    "remap": _remap,
    "smoothstep": _smoothstep,
    "luminance": _luminance,
    "extract": _extract,
    "combine2": _combine,
    "combine3": _combine,
    "combine4": _combine,
    "switch": _switch,
    "image": _image,
    "geompropvalue": _geometry,
    "UsdPrimvarReader": _geometry,
    "texcoord": _texcoord,
    "position": _position,
    "rotate2d": _rotate,
    "noise2d": _noise,
    "noise3d": _noise,
    "fractal2d": _noise,
    "fractal3d": _noise,
    "normalmap": _normal_map,
}
