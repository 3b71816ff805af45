# SPDX-License-Identifier: GPL-3.0-or-later
"""Networks of MaterialX read as expressions and as inputs of a Principled BSDF."""

from __future__ import annotations

from math import cos, radians, sin
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pxr import Gf, Sdf, Usd, UsdShade

from stagewright.jobs.errors import StagewrightError
from stagewright.usd_tools.direct.records import Constant, Noise, Operation, Texture
from stagewright.usd_tools.principled import TABLE

mx = pytest.importorskip("MaterialX")

from stagewright.usd_tools.mtlx.document import read_document, validate  # noqa: E402
from stagewright.usd_tools.mtlx.library import Library, standard_library  # noqa: E402
from stagewright.usd_tools.mtlx.shade import read_material  # noqa: E402
from stagewright.usd_tools.mtlx.surfaces import Imported, import_network  # noqa: E402

DOCUMENT = """<?xml version="1.0"?>
<materialx version="1.39" colorspace="lin_rec709">
  {nodes}
  <surfacematerial name="Paint" type="material">
    <input name="surfaceshader" type="surfaceshader" nodename="SR" />
  </surfacematerial>
</materialx>
"""
SURFACE = '<{model} name="SR" type="surfaceshader">{inputs}</{model}>'
MODELS = {
    "open_pbr_surface": "openpbr",
    "standard_surface": "standard",
    "gltf_pbr": "gltf",
    "UsdPreviewSurface": "preview",
}


def imported(tmp_path: Path, nodes: str) -> Imported:
    path = tmp_path / "look.mtlx"
    path.write_text(DOCUMENT.format(nodes=nodes), "utf-8")
    document = read_document(path)
    return import_network(document.networks[0], document.library)


def node(category: str, kind: str, name: str = "n", **inputs: str) -> str:
    """XML of a node; an input is ``type:value``, or ``type>node`` or ``type>node.output``."""
    lines = []
    for key, text in inputs.items():
        split = ">" if ">" in text else ":"
        given, _, value = text.partition(split)
        source, _, output = value.partition(".")
        if split == ":":
            lines.append(f'<input name="{key}" type="{given}" value="{value}"/>')
        else:
            more = f' output="{output}"' if output else ""
            lines.append(f'<input name="{key}" type="{given}" nodename="{source}"{more}/>')
    return f'<{category} name="{name}" type="{kind}">{"".join(lines)}</{category}>'


def fed(nodes: str, kind: str = "color3", source: str = "n") -> str:
    """A surface whose base colour or roughness is a node's."""
    name = "base_color" if kind == "color3" else "specular_roughness"
    surface = node("open_pbr_surface", "surfaceshader", "SR", **{name: f"{kind}>{source}"})
    return nodes + surface


C, D = (0.2, 0.4, 0.8), (0.5, 0.25, 0.1)
COLORS = {"in1": "color3:0.2,0.4,0.8", "in2": "color3:0.5,0.25,0.1"}


# What each node is by the specification, worked out by hand in numpy.
@pytest.mark.parametrize(
    ("category", "kind", "inputs", "expected"),
    [
        ("add", "color3", COLORS, np.add(C, D)),
        ("subtract", "color3", COLORS, np.subtract(C, D)),
        ("multiply", "color3", COLORS, np.multiply(C, D)),
        ("divide", "color3", COLORS, np.divide(C, D)),
        ("power", "color3", COLORS, np.power(C, D)),
        ("min", "color3", COLORS, np.minimum(C, D)),
        ("max", "color3", COLORS, np.maximum(C, D)),
        ("multiply", "color3", {"in1": COLORS["in1"], "in2": "float:0.5"}, np.multiply(C, 0.5)),
        ("modulo", "float", {"in1": "float:-0.3", "in2": "float:1"}, [0.7]),
        ("multiply", "float", {"in1": "float:0.3"}, [0.3]),
        ("invert", "color3", {"in": COLORS["in1"]}, np.subtract(1, C)),
        ("invert", "float", {"in": "float:0.3", "amount": "float:2"}, [1.7]),
        ("clamp", "float", {"in": "float:1.3", "low": "float:0.5", "high": "float:0.9"}, [0.9]),
        ("clamp", "color3", {"in": "color3:-1,0.5,2"}, [0, 0.5, 1]),
        ("absval", "float", {"in": "float:-0.25"}, [0.25]),
        ("floor", "float", {"in": "float:1.75"}, [1]),
        ("ceil", "float", {"in": "float:0.25"}, [1]),
        ("round", "float", {"in": "float:0.75"}, [1]),
        ("sign", "float", {"in": "float:-3"}, [-1]),
        ("sqrt", "float", {"in": "float:0.25"}, [0.5]),
        ("sin", "float", {"in": "float:0.5"}, [sin(0.5)]),
        ("cos", "color3", {"in": COLORS["in1"]}, np.cos(C)),
        ("exp", "float", {"in": "float:0.5"}, [np.exp(0.5)]),
        ("ln", "float", {"in": "float:2"}, [np.log(2)]),
        (
            "mix",
            "color3",
            {"bg": COLORS["in1"], "fg": COLORS["in2"], "mix": "float:0.25"},
            np.multiply(C, 0.75) + np.multiply(D, 0.25),
        ),
        (
            "mix",
            "color3",
            {"bg": COLORS["in1"], "fg": COLORS["in2"], "mix": "color3:0,0.5,1"},
            [0.2, 0.325, 0.1],
        ),
        (
            "remap",
            "float",
            {"in": "float:0.5", "inlow": "float:0.25", "outlow": "float:1", "outhigh": "float:4"},
            [2],
        ),
        ("smoothstep", "float", {"in": "float:0.25"}, [0.25**2 * (3 - 2 * 0.25)]),
        ("contrast", "float", {"in": "float:0.75", "amount": "float:2"}, [1]),
        (
            "saturate",
            "color3",
            {"in": COLORS["in1"], "amount": "float:0"},
            [np.dot(C, (0.2722287, 0.6740818, 0.0536895))] * 3,
        ),
        ("luminance", "color3", {"in": "color3:1,0,0"}, [0.2722287] * 3),
        ("extract", "float", {"in": COLORS["in1"], "index": "integer:1"}, [0.4]),
        ("combine3", "color3", {"in1": "float:0.1", "in3": "float:0.3"}, [0.1, 0, 0.3]),
        ("convert", "color3", {"in": "float:0.3"}, [0.3]),
        ("constant", "color3", {"value": COLORS["in1"]}, C),
        ("dot", "color3", {"in": COLORS["in1"]}, C),
        ("switch", "float", {"in2": "float:0.7", "which": "float:1"}, [0.7]),
    ],
)
def test_nodes_of_constants_are_worked_out_as_specified(
    tmp_path: Path, category: str, kind: str, inputs: dict[str, str], expected: Any
) -> None:
    found = imported(tmp_path, fed(node(category, kind, **inputs), kind))
    assert not found.notes
    value = found.record.inputs["Base Color" if kind == "color3" else "Roughness"]
    assert isinstance(value, Constant)
    count = max(len(value.value), len(expected))
    assert np.broadcast_to(value.value, count) == pytest.approx(np.broadcast_to(expected, count))


def test_separated_channels_are_those_of_the_colour(tmp_path: Path) -> None:
    nodes = node("constant", "color3", "c", value=COLORS["in1"])
    nodes += node("separate3", "multioutput", "n", **{"in": "color3>c"})
    surface = node("open_pbr_surface", "surfaceshader", "SR", specular_roughness="float>n.outb")
    assert imported(tmp_path, nodes + surface).record.inputs["Roughness"] == Constant((0.8,))


@pytest.mark.parametrize("order", [0, 1])
def test_place2d_puts_images_where_its_specification_does(tmp_path: Path, order: int) -> None:
    nodes = node("texcoord", "vector2", "uv")
    nodes += node(
        "place2d",
        "vector2",
        "place",
        texcoord="vector2>uv",
        pivot="vector2:0.5,0.25",
        scale="vector2:0.5,0.5" if order else "vector2:0.5,2",
        rotate="float:30",
        offset="vector2:0.1,0.2",
        operationorder=f"integer:{order}",
    )
    nodes += node("image", "color3", file="filename:wood.png", texcoord="vector2>place")
    texture = imported(tmp_path, fed(nodes)).record.inputs["Base Color"]
    assert isinstance(texture, Texture)

    turn, pivot, move = radians(30), np.array((0.5, 0.25)), np.array((0.1, 0.2))
    size = np.array((0.5, 0.5) if order else (0.5, 2))

    def turned(p: Any) -> Any:
        return np.array((cos(turn) * p[0] + sin(turn) * p[1], cos(turn) * p[1] - sin(turn) * p[0]))

    for place in np.random.default_rng(1).random((5, 2)):
        moved = place - pivot
        expected = turned(moved - move) / size if order else turned(moved / size) - move
        angle = radians(texture.rotation)
        x, y = place * texture.scale
        found = (cos(angle) * x - sin(angle) * y, sin(angle) * x + cos(angle) * y)
        assert np.add(found, texture.translation) == pytest.approx(expected + pivot)


def test_a_sheared_image_is_named(tmp_path: Path) -> None:
    nodes = node("texcoord", "vector2", "uv")
    nodes += node("rotate2d", "vector2", "turn", **{"in": "vector2>uv", "amount": "float:30"})
    nodes += node("multiply", "vector2", "size", in1="vector2>turn", in2="vector2:1,3")
    nodes += node("image", "color3", file="filename:a.png", texcoord="vector2>size")
    (note,) = imported(tmp_path, fed(nodes)).notes
    assert (note.node, note.kind) == ("n", "unsupported")
    assert "shear" in note.message


def test_images_keep_their_settings(tmp_path: Path) -> None:
    image = (
        '<image name="n" type="color3">'
        '<input name="file" type="filename" value="tex/wood.png" colorspace="srgb_texture"/>'
        '<input name="uaddressmode" type="string" value="mirror"/>'
        '<input name="vaddressmode" type="string" value="mirror"/>'
        '<input name="filtertype" type="string" value="closest"/></image>'
    )
    found = imported(tmp_path, fed(image)).record.inputs["Base Color"]
    file = (tmp_path / "tex/wood.png").as_posix()
    assert found == Texture(file, raw=False, wrap="mirror", closest=True)


def test_tiled_images_are_tiled(tmp_path: Path) -> None:
    tiled = node("tiledimage", "float", file="filename:a.png", uvtiling="vector2:3,4")
    found = imported(tmp_path, fed(tiled, "float")).record.inputs["Roughness"]
    file = (tmp_path / "a.png").as_posix()
    texture = Texture(file, raw=True, scale=(3.0, 4.0))
    assert found == Operation("extract", (texture, Constant((0.0,))), 1)


def test_noise_is_noise_of_the_same_numbers(tmp_path: Path) -> None:
    nodes = node("position", "vector3", "p")
    nodes += node("multiply", "vector3", "size", in1="vector3>p", in2="vector3:2,3,4")
    nodes += node(
        "fractal3d",
        "float",
        amplitude="float:0.5",
        octaves="integer:4",
        lacunarity="float:2.5",
        diminish="float:0.25",
        position="vector3>size",
    )
    found = imported(tmp_path, fed(nodes, "float")).record.inputs["Roughness"]
    noise = Noise("", 4, 2.5, 0.25, (2.0, 3.0, 4.0))
    assert found == Operation("multiply", (noise, Constant((0.5,))), 1)


def test_custom_nodes_are_worked_out_by_their_graphs(tmp_path: Path) -> None:
    custom = """<nodedef name="ND_twice" node="twice">
      <input name="amount" type="float" value="0.1"/><output name="out" type="float"/></nodedef>
      <nodegraph name="NG_twice" nodedef="ND_twice"><add name="sum" type="float">
      <input name="in1" type="float" interfacename="amount"/>
      <input name="in2" type="float" interfacename="amount"/></add>
      <output name="out" type="float" nodename="sum"/></nodegraph>"""
    twice = custom + node("twice", "float", amount="float:0.3")
    found = imported(tmp_path, fed(twice, "float"))
    assert found.record.inputs["Roughness"] == Constant((0.6,))


def test_nodegraphs_are_entered_through_their_inputs(tmp_path: Path) -> None:
    graph = """<nodegraph name="NG"><input name="tint" type="color3" value="0.1,0.2,0.3"/>
      <multiply name="m" type="color3"><input name="in1" type="color3" interfacename="tint"/>
      <input name="in2" type="float" value="2"/></multiply>
      <output name="o" type="color3" nodename="m"/></nodegraph>
      <open_pbr_surface name="SR" type="surfaceshader">
      <input name="base_color" type="color3" nodegraph="NG" output="o"/></open_pbr_surface>"""
    assert imported(tmp_path, graph).record.inputs["Base Color"] == Constant((0.2, 0.4, 0.6))


def test_colours_are_made_linear(tmp_path: Path) -> None:
    surface = (
        '<open_pbr_surface name="SR" type="surfaceshader"><input name="base_color" '
        'type="color3" value="0.5,0,1" colorspace="srgb_texture"/></open_pbr_surface>'
    )
    found = imported(tmp_path, surface).record.inputs["Base Color"]
    assert isinstance(found, Constant)
    assert found.value == pytest.approx((0.21404114, 0, 1))


def test_a_node_that_blender_lacks_is_named_and_its_input_has_the_default(tmp_path: Path) -> None:
    found = imported(tmp_path, fed(node("ramplr", "float", "my_ramp"), "float", "my_ramp"))
    (note,) = found.notes
    assert (note.node, note.kind) == ("my_ramp", "unsupported")
    assert "specular_roughness" in note.message and "ramplr" in note.message
    assert found.record.inputs["Roughness"] == Constant((0.3,))


def test_a_ring_of_nodes_is_an_error_of_its_own(tmp_path: Path) -> None:
    ring = node("add", "float", "a", in1="float>b") + node("add", "float", "b", in1="float>a")
    (note,) = imported(tmp_path, fed(ring, "float", "a")).notes
    assert note.kind == "unsupported"


# Inputs that act only together with another one.
GATES = {
    ("open_pbr_surface", "subsurface_color"): ("subsurface_weight", "0.5"),
    ("open_pbr_surface", "transmission_color"): ("transmission_weight", "0.5"),
    ("open_pbr_surface", "thin_film_thickness"): ("thin_film_weight", "1"),
    ("standard_surface", "subsurface_color"): ("subsurface", "0.5"),
    ("standard_surface", "transmission_color"): ("transmission", "0.5"),
    ("gltf_pbr", "alpha"): ("alpha_mode", "2"),
    ("gltf_pbr", "alpha_mode"): ("alpha", "0.5"),
    ("gltf_pbr", "alpha_cutoff"): ("alpha_mode", "1"),
    ("gltf_pbr", "iridescence_thickness"): ("iridescence", "1"),
}


@pytest.mark.parametrize("model", MODELS)
def test_every_input_of_a_surface_arrives_or_is_named(tmp_path: Path, model: str) -> None:
    definition = standard_library().getNodeDef(f"ND_{model}_surfaceshader")
    plain = imported(tmp_path, SURFACE.format(model=model, inputs="")).record
    for port in definition.getActiveInputs():
        name, kind = port.getName(), port.getType()
        value = {"float": "0.37", "color3": "0.1,0.2,0.3", "boolean": "true", "integer": "2"}.get(
            kind
        )
        if value is None:
            continue
        gate, amount = GATES.get((model, name), ("", ""))
        kind_of_gate = "integer" if gate == "alpha_mode" else "float"
        more = f'<input name="{gate}" type="{kind_of_gate}" value="{amount}"/>' if gate else ""
        line = f'<input name="{name}" type="{kind}" value="{value}"/>'
        found = imported(tmp_path, SURFACE.format(model=model, inputs=more + line))
        arrived = dict(found.record.inputs) != dict(plain.inputs)
        moved = found.record.displacement is not None
        assert arrived or moved or any(name in n.message for n in found.notes), name


def test_nodes_that_are_shared_many_times_over_are_read_once(tmp_path: Path) -> None:
    """Each is the sum of the one before with itself: 2 ** 50 of them, if walked as a tree."""
    nodes = node("image", "float", "n0", file="filename:a.png")
    for index in range(50):
        one = f"float>n{index}"
        nodes += node("add", "float", f"n{index + 1}", in1=one, in2=one)
    found = imported(tmp_path, fed(nodes, "float", "n50")).record.inputs["Roughness"]
    assert len({found, found}) == 1
    assert isinstance(found, Operation) and found.name == "add"


def test_a_surface_that_is_made_of_itself_is_named(tmp_path: Path) -> None:
    custom = """<nodedef name="ND_mine" node="mine">
      <output name="out" type="surfaceshader"/></nodedef>
      <nodegraph name="NG_mine" nodedef="ND_mine"><mine name="again" type="surfaceshader"/>
      <output name="out" type="surfaceshader" nodename="again"/></nodegraph>
      <mine name="SR" type="surfaceshader"/>"""
    (note,) = imported(tmp_path, custom).notes
    assert (note.node, note.kind) == ("SR", "unsupported")


@pytest.mark.parametrize("model", MODELS)
def test_the_table_names_inputs_that_there_are(model: str) -> None:
    inputs = Library().inputs(f"ND_{model}_surfaceshader")
    names = [getattr(row, MODELS[model]) for row in TABLE if getattr(row, MODELS[model])]
    # MaterialX 1.39.2 has glTF without its anisotropy.
    assert set(names) - {"anisotropy_strength"} <= set(inputs)
    assert len(names) == len(set(names))
    if model == "open_pbr_surface":
        for row in TABLE:
            default = inputs[row.openpbr].value if row.openpbr else None
            assert default == row.default


def test_the_base_of_standard_surface_goes_into_its_colour(tmp_path: Path) -> None:
    inputs = '<input name="base" type="float" value="0.5"/>'
    found = imported(tmp_path, SURFACE.format(model="standard_surface", inputs=inputs))
    assert found.record.inputs["Base Color"] == Constant((0.4, 0.4, 0.4))
    assert [note.kind for note in found.notes] == ["rewritten"]


def test_a_preview_surfaces_decoded_normal_is_a_normal_map(tmp_path: Path) -> None:
    nodes = node(
        "UsdUVTexture",
        "multioutput",
        "tex",
        file="filename:n.png",
        scale="color4:2,2,2,1",
        bias="color4:-1,-1,-1,0",
    )
    nodes += node("convert", "vector3", **{"in": "color3>tex.rgb"})
    nodes += node("UsdPreviewSurface", "surfaceshader", "SR", normal="vector3>n")
    found = imported(tmp_path, nodes).record.inputs["Normal"]
    assert isinstance(found, Operation)
    assert found.name == "normal_map"
    assert found.arguments[1] == Constant((1.0,))


def test_usds_networks_are_read_like_documents(tmp_path: Path) -> None:
    stage = Usd.Stage.CreateNew(str(tmp_path / "look.usda"))
    material = UsdShade.Material.Define(stage, "/Paint")
    surface = UsdShade.Shader.Define(stage, "/Paint/Surface")
    surface.CreateIdAttr("ND_standard_surface_surfaceshader")
    output = surface.CreateOutput("out", Sdf.ValueTypeNames.Token)
    material.CreateSurfaceOutput("mtlx").ConnectToSource(output)
    graph = UsdShade.NodeGraph.Define(stage, "/Paint/Graph")
    image = UsdShade.Shader.Define(stage, "/Paint/Graph/Image")
    image.CreateIdAttr("ND_image_color3")
    file = image.CreateInput("file", Sdf.ValueTypeNames.Asset)
    file.Set("tex/wood.png")
    file.GetAttr().SetColorSpace("srgb_texture")
    product = UsdShade.Shader.Define(stage, "/Paint/Graph/Product")
    product.CreateIdAttr("ND_multiply_color3")
    image_output = image.CreateOutput("out", Sdf.ValueTypeNames.Color3f)
    product.CreateInput("in1", Sdf.ValueTypeNames.Color3f).ConnectToSource(image_output)
    tint = graph.CreateInput("tint", Sdf.ValueTypeNames.Color3f)
    tint.Set(Gf.Vec3f(0.5, 0.25, 0.125))
    product.CreateInput("in2", Sdf.ValueTypeNames.Color3f).ConnectToSource(tint)
    result = graph.CreateOutput("result", Sdf.ValueTypeNames.Color3f)
    result.ConnectToSource(product.CreateOutput("out", Sdf.ValueTypeNames.Color3f))
    surface.CreateInput("base_color", Sdf.ValueTypeNames.Color3f).ConnectToSource(result)
    surface.CreateInput("metalness", Sdf.ValueTypeNames.Float).Set(0.75)

    library = Library()
    found = import_network(read_material(material, library), library).record.inputs
    texture = Texture((tmp_path / "tex/wood.png").as_posix())
    assert found["Base Color"] == Operation("multiply", (texture, Constant((0.5, 0.25, 0.125))), 3)
    assert found["Metallic"] == Constant((0.75,))
    assert found["Roughness"] == Constant((pytest.approx(0.2),))


def test_the_validator_names_the_nodes(tmp_path: Path) -> None:
    path = tmp_path / "bad.mtlx"
    nodes = node("image", "color3", "img", file="filename:a.png", colour="float:1")
    nodes += node("multiply", "float", "mul", in1="float>img") + node("foo", "float", "odd")
    nodes += node("multiply", "float", "lost", in1="float>gone")
    path.write_text(DOCUMENT.format(nodes=fed(nodes, "color3", "img")), "utf-8")
    assert [problem.node for problem in validate(path)] == ["img", "mul", "odd", "lost"]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "bad-mtlx"),
        ("<materialx", "bad-mtlx"),
        ("<html/>", "bad-mtlx"),
        ('<materialx version="1.39"/>', "no-material"),
    ],
)
def test_what_is_no_document_is_an_error(tmp_path: Path, text: str, code: str) -> None:
    path = tmp_path / "bad.mtlx"
    path.write_text(text, "utf-8")
    with pytest.raises(StagewrightError) as caught:
        read_document(path)
    assert caught.value.code == code
    assert "bad.mtlx" in caught.value.message
