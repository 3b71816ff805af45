# SPDX-License-Identifier: GPL-3.0-or-later
"""Materials as UsdPreviewSurface and as OpenPBR."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from pxr import Usd, UsdShade, UsdValidation

from stagewright.usd_tools.direct.records import (
    Animated,
    Attribute,
    Constant,
    Expression,
    FrameRecord,
    MaterialRecord,
    Operation,
    StageRecord,
    Texture,
    over_time,
)
from stagewright.usd_tools.direct.surfaces import Affine, affine
from stagewright.usd_tools.material_fidelity import compare_materials
from stagewright.usd_tools.principled import NEUTRAL, PARTS, ROWS
from stagewright.usd_tools.scene_record import InputRecord, SceneRecord
from stagewright.usd_tools.scene_record import MaterialRecord as SceneMaterial

from ..both_ways import both_ways

PATH = "/root/_materials/Paint"
IMAGE = Texture("/tex/wood.png")
DATA = Texture("/tex/data.png", raw=True)


def number(value: float) -> Constant:
    return Constant((value,))


def written(inputs: dict[str, Expression], displacement: Expression | None = None) -> Usd.Stage:
    records = [StageRecord("root"), MaterialRecord(PATH, "Paint", inputs, displacement)]
    return Usd.Stage.Open(both_ways(records))


def shader(stage: Usd.Stage, context: str = "") -> UsdShade.Shader:
    material = UsdShade.Material(stage.GetPrimAtPath(PATH))
    return material.ComputeSurfaceSource(context)[0]


def value(stage: Usd.Stage, name: str, context: str = "") -> Any:
    found = shader(stage, context).GetInput(name)
    return found.Get() if found else None


def evaluated(expression: Expression, color: np.ndarray) -> np.ndarray:
    """An expression worked out node by node, (3,) or (1,); every image is ``color``, with alpha."""
    if isinstance(expression, Texture | Attribute):
        return color[:3]
    if isinstance(expression, Constant):
        return np.array(expression.value)
    parts = [evaluated(argument, color) for argument in expression.arguments]
    if expression.name == "extract":
        channels = color if isinstance(expression.arguments[0], Texture) else parts[0]
        return channels[int(parts[1][0])][None]
    if expression.name == "mix":
        return parts[0] * (1 - parts[2]) + parts[1] * parts[2]
    if expression.name == "normal_map":
        return np.array([0, 0, 1]) * (1 - parts[1]) + (2 * parts[0] - 1) * parts[1]
    return {
        "add": np.add,
        "subtract": np.subtract,
        "multiply": np.multiply,
        "divide": np.divide,
    }[expression.name](*parts)


def shown(found: Affine, color: np.ndarray) -> np.ndarray:
    """What UsdUVTexture gives."""
    assert isinstance(found.scale, Constant) and isinstance(found.bias, Constant)
    every = color * np.array(found.scale.value) + np.array(found.bias.value)
    return every[:3] if found.channel is None else every[found.channel][None]


def chains() -> list[Expression]:
    tint, gray = Constant((0.5, 0.25, 2.0)), number(0.3)
    made: list[Expression] = [IMAGE]
    for name, constant in itertools.product(
        ("add", "subtract", "multiply", "divide"), (tint, gray)
    ):
        made.append(Operation(name, (IMAGE, constant), 3))
        if name != "divide":
            made.append(Operation(name, (constant, IMAGE), 3))
    made += [Operation("mix", (IMAGE, tint, gray), 3), Operation("mix", (tint, IMAGE, gray), 3)]
    deep = [Operation("add", (Operation("multiply", (each, gray), 3), tint), 3) for each in made]
    channel = Operation("extract", (IMAGE, number(2)), 1)
    alpha = Operation("subtract", (number(1), Operation("extract", (IMAGE, number(3)), 1)), 1)
    bump = Operation("normal_map", (DATA, number(0.6)), 3)
    inner = Operation("extract", (deep[1], number(1)), 1)
    return [*made, *deep, channel, alpha, bump, inner]


@pytest.mark.parametrize("expression", chains())
def test_what_folds_into_one_image_is_what_the_nodes_give(expression: Expression) -> None:
    found = affine(expression)
    assert found is not None
    for color in np.random.default_rng(0).random((4, 4)):
        assert np.allclose(shown(found, color), evaluated(expression, color))


@pytest.mark.parametrize(
    "expression",
    [
        Operation("multiply", (IMAGE, DATA), 3),
        Operation("power", (IMAGE, number(2)), 3),
        Operation("clamp", (IMAGE,), 3),
        Operation("mix", (IMAGE, Constant((1, 1, 1)), DATA), 3),
        Operation("divide", (IMAGE, number(0)), 3),
    ],
)
def test_what_does_not_fold_is_known(expression: Expression) -> None:
    assert affine(expression) is None


def test_constants_arrive_in_both_networks() -> None:
    stage = written(
        {
            "Base Color": Constant((0.1, 0.2, 0.3)),
            "Roughness": number(0.7),
            "Alpha": number(0.25),
            "Coat Weight": number(1.0),
            "Coat Roughness": number(0.5),
            "Sheen Weight": number(0.5),
            "Sheen Tint": Constant((1, 0.5, 0)),
            "Specular IOR Level": number(0.25),
            "Thin Film Thickness": number(400.0),
        }
    )
    assert shader(stage).GetShaderId() == "UsdPreviewSurface"
    assert tuple(value(stage, "diffuseColor")) == pytest.approx((0.1, 0.2, 0.3))
    assert value(stage, "opacity") == 0.25
    assert (value(stage, "clearcoat"), value(stage, "clearcoatRoughness")) == (1.0, 0.5)
    assert shader(stage, "mtlx").GetShaderId() == "ND_open_pbr_surface_surfaceshader"
    assert tuple(value(stage, "base_color", "mtlx")) == pytest.approx((0.1, 0.2, 0.3))
    assert value(stage, "geometry_opacity", "mtlx") == 0.25
    assert value(stage, "fuzz_weight", "mtlx") == 0.5
    assert value(stage, "specular_weight", "mtlx") == 0.5
    assert value(stage, "thin_film_thickness", "mtlx") == pytest.approx(0.4)
    assert value(stage, "thin_film_weight", "mtlx") == 1


FRAMES = (1.0, 2.0, 3.0, 4.0)


def moving(*values: float | tuple[float, ...]) -> Animated:
    return Animated(FRAMES, tuple(v if isinstance(v, tuple) else (v,) for v in values))


def animated(inputs: dict[str, Expression]) -> Usd.Stage:
    stream = [
        StageRecord("root", frames=(1.0, 4.0)),
        *map(FrameRecord, FRAMES),
        MaterialRecord(PATH, "Paint", inputs),
    ]
    return Usd.Stage.Open(both_ways(stream))


def test_animated_values_are_time_samples_in_both_networks() -> None:
    stage = animated(
        {
            "Base Color": moving((0, 0, 0), (0, 0, 0), (0.5, 0.25, 1), (1, 0.5, 0)),
            "Roughness": moving(0.5, 0.5, 0.5, 0.1),
            "Metallic": number(0.25),
            "Alpha": moving(1.0, 0.5, 0.5, 0.0),
            "Transmission Weight": moving(0.0, 0.0, 0.5, 1.0),
            "Specular IOR Level": moving(0.5, 0.5, 0.25, 0.0),
            "Emission Color": Constant((1, 0.5, 0)),
            "Emission Strength": moving(0.0, 2.0, 2.0, 0.0),
        }
    )
    expected = {
        ("diffuseColor", ""): [(0, 0, 0), (0, 0, 0), (0.5, 0.25, 1), (1, 0.5, 0)],
        ("base_color", "mtlx"): [(0, 0, 0), (0, 0, 0), (0.5, 0.25, 1), (1, 0.5, 0)],
        ("roughness", ""): [0.5, 0.5, 0.5, 0.1],
        ("specular_roughness", "mtlx"): [0.5, 0.5, 0.5, 0.1],
        ("metallic", ""): [0.25] * 4,
        ("opacity", ""): [1.0, 0.5, 0.25, 0.0],
        ("geometry_opacity", "mtlx"): [1.0, 0.5, 0.5, 0.0],
        ("transmission_weight", "mtlx"): [0.0, 0.0, 0.5, 1.0],
        ("specular_weight", "mtlx"): [1.0, 1.0, 0.5, 0.0],
        ("emissiveColor", ""): [(0, 0, 0), (2, 1, 0), (2, 1, 0), (0, 0, 0)],
        ("emission_luminance", "mtlx"): [0.0, 2.0, 2.0, 0.0],
    }
    for (name, context), values in expected.items():
        found = shader(stage, context).GetInput(name)
        held = [found.Get(frame) for frame in FRAMES]
        assert np.allclose([np.array(v) for v in held], values), name
    # What is at rest has no samples, and what changes has none in the middle of a rest.
    assert shader(stage).GetInput("metallic").GetAttr().GetTimeSamples() == []
    assert shader(stage).GetInput("roughness").GetAttr().GetTimeSamples() == [1, 3, 4]


def test_an_image_may_be_multiplied_by_what_changes() -> None:
    """The strength of a light behind an image, a mix that fades it in, and a bending normal."""
    strength, share, bend = moving(0, 1, 2, 3), moving(0, 0.25, 0.5, 1), moving(1, 0.5, 0, 0)
    tint = Constant((0.5, 0.25, 1.0))
    inputs: dict[str, Expression] = {
        "Emission Color": IMAGE,
        "Emission Strength": strength,
        "Base Color": Operation("mix", (tint, IMAGE, share), 3),
        "Normal": Operation("normal_map", (DATA, bend), 3),
    }
    stage = animated(inputs)
    color = np.array([0.2, 0.4, 0.6, 1.0])
    for number_, frame in enumerate(FRAMES):
        s, a, b = strength.values[number_][0], share.values[number_][0], bend.values[number_][0]
        for name, expected in (
            ("emissiveColor", color[:3] * s),
            ("diffuseColor", np.array(tint.value) * (1 - a) + color[:3] * a),
            ("normal", np.array([0, 0, 1]) * (1 - b) + (2 * color[:3] - 1) * b),
        ):
            ((source,), _) = shader(stage).GetInput(name).GetConnectedSources()
            reader = UsdShade.Shader(source.source)
            scale, bias = (reader.GetInput(n) for n in ("scale", "bias"))
            shown_ = color * (np.array(scale.Get(frame)) if scale else 1)
            shown_ = shown_ + (np.array(bias.Get(frame)) if bias else 0)
            assert np.allclose(shown_[:3], expected, atol=1e-6), (name, frame)
    mix = [p for p in stage.Traverse() if "OpenPBR_Mix" in p.GetName()]
    amounts = [UsdShade.Shader(p).GetInput("mix").Get(2.0) for p in mix]
    assert amounts == [0.25]


def test_expressions_at_frames_are_one_over_time_if_only_values_change() -> None:
    def at(amount: float, image: Texture = IMAGE) -> Expression:
        return Operation("add", (Operation("multiply", (image, number(amount)), 3), number(1)), 3)

    product = Operation("multiply", (IMAGE, moving(1, 2, 2, 3)), 3)
    assert over_time(FRAMES, [at(a) for a in (1, 2, 2, 3)]) == Operation(
        "add", (product, number(1)), 3
    )
    assert over_time(FRAMES, [at(1)] * 4) == at(1)
    assert over_time((1.0, 2.0), [at(1), at(2, DATA)]) is None
    assert over_time((1.0, 2.0), [number(1), Constant((1, 1, 1))]) is None
    assert over_time((1.0, 2.0), [at(1), number(1)]) is None


def test_glass_is_see_through_and_light_shines_in_both() -> None:
    stage = written(
        {
            "Base Color": Constant((1, 0.5, 0.5)),
            "Alpha": number(0.5),
            "Transmission Weight": number(0.75),
            "Emission Color": Constant((1, 0.5, 0)),
            "Emission Strength": number(3.0),
        }
    )
    assert value(stage, "opacity") == 0.125
    assert tuple(value(stage, "emissiveColor")) == (3, 1.5, 0)
    assert value(stage, "transmission_weight", "mtlx") == 0.75
    assert tuple(value(stage, "transmission_color", "mtlx")) == (1, 0.5, 0.5)
    assert value(stage, "emission_luminance", "mtlx") == 3


def test_an_image_is_read_with_its_place_its_wrap_and_its_colour_space() -> None:
    texture = Texture("/tex/a@b.png", "Second", True, "clamp", False, (2.0, 3.0), 30.0, (0.5, 0.25))
    stage = written({"Base Color": texture})
    (source,), _ = shader(stage).GetInput("diffuseColor").GetConnectedSources()
    reader = UsdShade.Shader(source.source)
    assert reader.GetInput("file").Get().path == "/tex/a@b.png"
    assert reader.GetInput("sourceColorSpace").Get() == "raw"
    assert reader.GetInput("wrapS").Get() == reader.GetInput("wrapT").Get() == "clamp"
    transform = UsdShade.Shader(reader.GetInput("st").GetConnectedSources()[0][0].source)
    assert transform.GetShaderId() == "UsdTransform2d"
    assert tuple(transform.GetInput("scale").Get()) == (2, 3)
    assert transform.GetInput("rotation").Get() == 30
    assert tuple(transform.GetInput("translation").Get()) == (0.5, 0.25)
    primvar = UsdShade.Shader(transform.GetInput("in").GetConnectedSources()[0][0].source)
    assert primvar.GetInput("varname").Get() == "Second"


def test_an_image_times_a_gray_one_becomes_colour_and_occlusion() -> None:
    shade = Operation("extract", (DATA, number(0)), 1)
    for parts in ((IMAGE, shade), (shade, IMAGE), (IMAGE, DATA)):
        stage = written({"Base Color": Operation("multiply", parts, 3)})
        files = {}
        for name in ("diffuseColor", "occlusion"):
            (source,), _ = shader(stage).GetInput(name).GetConnectedSources()
            files[name] = UsdShade.Shader(source.source).GetInput("file").Get().path
        assert files == {"diffuseColor": "/tex/wood.png", "occlusion": "/tex/data.png"}


def test_displacement_is_the_height_above_the_middle() -> None:
    above = Operation("subtract", (DATA, number(0.5)), 1)
    stage = written({}, Operation("multiply", (above, number(0.1)), 1))
    material = UsdShade.Material(stage.GetPrimAtPath(PATH))
    source = material.ComputeDisplacementSource("")[0]
    (connected,), _ = source.GetInput("displacement").GetConnectedSources()
    reader = UsdShade.Shader(connected.source)
    assert reader.GetInput("scale").Get()[0] == pytest.approx(0.1)
    assert reader.GetInput("bias").Get()[0] == pytest.approx(-0.05)
    assert material.ComputeDisplacementSource("mtlx")[0].GetShaderId() == "ND_displacement_float"


@pytest.mark.skipif(not hasattr(UsdValidation, "ValidationContext"), reason="no validators here")
def test_usds_own_validators_have_nothing_to_say() -> None:
    bump = Operation("normal_map", (DATA, number(1)), 3)
    inputs = {name: number(0.5) for name in ROWS if ROWS[name].default == (0.0,)}
    stage = written(
        {**inputs, "Base Color": Operation("multiply", (IMAGE, DATA), 3), "Normal": bump}
    )
    validators = [
        found
        for found in UsdValidation.ValidationRegistry().GetOrLoadAllValidators()
        if "Shade" in found.GetMetadata().name
    ]
    errors = UsdValidation.ValidationContext(validators).Validate(stage)
    # usd-core knows no nodes of MaterialX, and there are no images here.
    said = [e.GetMessage() for e in errors]
    assert [text for text in said if "OpenPBR" not in text and "inputs:file" not in text] == []


def test_the_table_is_whole() -> None:
    assert set(NEUTRAL) <= set(ROWS)
    assert set(PARTS) <= set(ROWS) and set(PARTS.values()) <= set(ROWS)
    for column in ("openpbr", "preview"):
        names = [getattr(row, column) for row in ROWS.values() if getattr(row, column)]
        assert len(names) == len(set(names))


def test_the_fidelity_check_finds_what_one_of_the_two_networks_holds() -> None:
    nodes = Operation("power", (IMAGE, number(2)), 3)
    stage = written({"Base Color": nodes, "Sheen Weight": number(0.5), "Roughness": number(0.5)})
    inputs = {
        "Base Color": InputRecord("nodes", nodes=("Gamma",)),
        "Sheen Weight": InputRecord("constant", (0.5,)),
        "Roughness": InputRecord("constant", (0.5,)),
    }

    def losses(**changed: InputRecord) -> list[str]:
        given = inputs | {name.replace("_", " "): value for name, value in changed.items()}
        record = SceneRecord(
            meshes=(),
            objects=(),
            materials=(SceneMaterial("Paint", given),),
            aliases={},
            frames=(1.0,),
        )
        return [finding.message for finding in compare_materials(record, stage)]

    assert losses() == []
    shader(stage).GetInput("roughness").Set(0.4)
    (message,) = losses()
    assert "Roughness" in message
    shader(stage).GetInput("roughness").Set(0.5)
    (message,) = losses(Sheen_Weight=InputRecord("constant", (0.6,)))
    assert "Sheen Weight" in message
    (message,) = losses(Coat_Weight=InputRecord("nodes", nodes=("Noise",)))
    assert "Coat Weight" in message and "Noise" in message
    (message,) = losses(Roughness=InputRecord("constant", (0.4,)))
    assert "Roughness" in message
