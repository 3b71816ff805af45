# SPDX-License-Identifier: GPL-3.0-or-later
"""MaterialX documents for tests: one material for each supported node."""

from __future__ import annotations

from pathlib import Path

import bpy
import numpy as np

MATERIAL = """
  <open_pbr_surface name="SR_{name}" type="surfaceshader">
    <input name="{input}" type="{kind}" nodename="{node}"{output}/>{more}
  </open_pbr_surface>
  <surfacematerial name="{name}" type="material">
    <input name="surfaceshader" type="surfaceshader" nodename="SR_{name}"/>
  </surfacematerial>"""
SOURCES = """
  <image name="color" type="color3">
    <input name="file" type="filename" value="wood.png" colorspace="srgb_texture"/></image>
  <image name="gray" type="float"><input name="file" type="filename" value="gray.png"/></image>
  <image name="bump" type="vector3"><input name="file" type="filename" value="bump.png"/></image>
"""
COLOR = '<input name="{}" type="color3" nodename="color"/>'
GRAY = '<input name="{}" type="float" nodename="gray"/>'


def _two(kind: str) -> str:
    first = (COLOR if kind == "color3" else GRAY).format("in1")
    value = "0.2, 0.4, 0.6" if kind == "color3" else "0.3"
    return f'{first}<input name="in2" type="{kind}" value="{value}"/>'


def _one(kind: str, more: str = "") -> str:
    return (COLOR if kind == "color3" else GRAY).format("in") + more


_PLACE = '<input name="texcoord" type="vector2" nodename="place"/>'
_FILE = '<input name="file" type="filename" value="wood.png" colorspace="srgb_texture"/>'
NODES: dict[str, tuple[str, str, str]] = {
    **{
        f"{name}_{kind}": (name, kind, _two(kind))
        for name in ("add", "subtract", "multiply", "divide", "power", "min", "max", "modulo")
        for kind in ("float", "color3")
    },
    **{
        f"{name}_float": (name, "float", _one("float"))
        for name in (
            *("absval", "acos", "asin", "ceil", "cos", "exp", "floor", "ln"),
            *("round", "sign", "sin", "sqrt", "tan", "invert", "clamp", "dot"),
        )
    },
    "absval_color3": ("absval", "color3", _one("color3")),
    "invert_color3": ("invert", "color3", _one("color3")),
    "clamp_color3": ("clamp", "color3", _one("color3")),
    "luminance_color3": ("luminance", "color3", _one("color3")),
    "saturate_color3": (
        "saturate",
        "color3",
        _one("color3", '<input name="amount" type="float" value="0.5"/>'),
    ),
    "contrast_float": (
        "contrast",
        "float",
        _one("float", '<input name="amount" type="float" value="1.5"/>'),
    ),
    "remap_float": (
        "remap",
        "float",
        _one("float", '<input name="outhigh" type="float" value="4"/>'),
    ),
    "smoothstep_float": ("smoothstep", "float", _one("float")),
    "mix_color3": (
        "mix",
        "color3",
        COLOR.format("bg")
        + '<input name="fg" type="color3" value="1, 0, 0"/>'
        + GRAY.format("mix"),
    ),
    "mix_float": (
        "mix",
        "float",
        GRAY.format("bg") + '<input name="fg" type="float" value="1"/>'
        '<input name="mix" type="float" value="0.25"/>',
    ),
    "extract_color3": (
        "extract",
        "float",
        _one("color3", '<input name="index" type="integer" value="1"/>'),
    ),
    "combine3_color3": (
        "combine3",
        "color3",
        GRAY.format("in1") + '<input name="in2" type="float" value="0.5"/>' + GRAY.format("in3"),
    ),
    "convert_float_color3": ("convert", "color3", _one("float")),
    "geompropvalue_color3": (
        "geompropvalue",
        "color3",
        '<input name="geomprop" type="string" value="paint"/>',
    ),
    "image_color3": (
        "image",
        "color3",
        _FILE + _PLACE + '<input name="uaddressmode" type="string" value="mirror"/>'
        '<input name="vaddressmode" type="string" value="mirror"/>',
    ),
    "tiledimage_color3": (
        "tiledimage",
        "color3",
        _FILE + '<input name="uvtiling" type="vector2" value="3, 4"/>',
    ),
    "noise2d_float": ("noise2d", "float", '<input name="amplitude" type="float" value="0.5"/>'),
    "noise3d_float": ("noise3d", "float", '<input name="pivot" type="float" value="0.5"/>'),
    "fractal3d_float": (
        "fractal3d",
        "float",
        '<input name="octaves" type="integer" value="4"/>'
        '<input name="lacunarity" type="float" value="2.5"/>'
        '<input name="diminish" type="float" value="0.25"/>',
    ),
}
PLACE = """
  <texcoord name="uv" type="vector2"/>
  <place2d name="place" type="vector2">
    <input name="texcoord" type="vector2" nodename="uv"/>
    <input name="scale" type="vector2" value="0.5, 0.25"/>
    <input name="rotate" type="float" value="30"/>
    <input name="offset" type="vector2" value="0.25, 0.5"/>
  </place2d>"""


def document(folder: Path, body: str) -> Path:
    for name in ("wood", "gray", "bump"):
        image = bpy.data.images.new(name, 4, 4)
        image.pixels = np.random.default_rng(1).random(64).astype(np.float32)
        image.save(filepath=str(folder / f"{name}.png"))
        bpy.data.images.remove(image)
    path = folder / "look.mtlx"
    text = f'<?xml version="1.0"?><materialx version="1.39" colorspace="lin_rec709">{body}'
    path.write_text(f"{text}</materialx>", "utf-8")
    return path


def all_nodes() -> str:
    body = SOURCES + PLACE
    for name, (category, kind, inputs) in NODES.items():
        body += f'<{category} name="n_{name}" type="{kind}">{inputs}</{category}>'
        target = "base_color" if kind == "color3" else "specular_roughness"
        body += MATERIAL.format(
            name=name, input=target, kind=kind, node=f"n_{name}", output="", more=""
        )
    return body
