# SPDX-License-Identifier: GPL-3.0-or-later
"""Custom properties of objects and data, streamed into layers."""

from __future__ import annotations

import bpy
import pytest
from pxr import Usd

from .streaming import link, streamed, triangle

VALUES = {
    "flag": (True, "bool"),
    "count": (-3, "int"),
    "length": (0.1, "double"),
    "tag": ("called as one of Blender's own", "string"),
    "label": ("Étiquette “7” 椅子", "string"),
    "pair": ([1, 2], "int[]"),
    "weights": ([0.5, 0.25], "double[]"),
    "switches": ([True, False, True], "bool[]"),
}


def read(stage: Usd.Stage, path: str, name: str) -> object:
    return stage.GetPrimAtPath(path).GetAttribute(f"userProperties:{name}").Get()


@pytest.mark.parametrize("name", VALUES)
def test_a_property_keeps_its_type_and_value(name: str) -> None:
    value, type_name = VALUES[name]
    item = triangle("Item")
    item[name] = item.data[name] = value
    stage, warnings = streamed()
    assert warnings == []
    for path in ("/root/Item", "/root/Item/Item"):
        attribute = stage.GetPrimAtPath(path).GetAttribute(f"userProperties:{name}")
        assert str(attribute.GetTypeName()) == type_name
        found = attribute.Get()
        assert (list(found) if isinstance(value, list) else found) == value


def test_groups_become_namespaces_and_names_stay_apart() -> None:
    item = triangle("Item")
    item["shop"] = {"price": 3.5, "place": {"row": 7}}
    item["a b"], item["a_b"], item["größe"], item["7"] = 1, 2, 3, 4
    stage, warnings = streamed()
    assert warnings == []
    assert read(stage, "/root/Item", "shop:price") == 3.5
    assert read(stage, "/root/Item", "shop:place:row") == 7
    assert {read(stage, "/root/Item", name) for name in ("a_b", "a_b_1")} == {1, 2}
    assert read(stage, "/root/Item", "größe") == 3
    assert read(stage, "/root/Item", "_7") == 4


def test_what_usd_has_no_type_for_is_told() -> None:
    item = triangle("Item")
    item["target"] = triangle("Other")
    item["rows"] = [{"a": 1}, {"a": 2}]
    _, warnings = streamed()
    assert sorted(w.split("“")[1].split("”")[0] for w in warnings) == ["rows", "target"]
    assert all(w.startswith("Item: ") for w in warnings)


@pytest.mark.parametrize("of_data", [False, True])
def test_an_animated_property_is_sampled(of_data: bool) -> None:
    item = triangle("Item")
    owner = item.data if of_data else item
    for frame, value in ((1, 2.0), (11, 12.0)):
        owner["wear"] = value
        owner.keyframe_insert('["wear"]', frame=frame)
    stage, _ = streamed(frames=(1.0, 6.0, 11.0))
    prim = stage.GetPrimAtPath("/root/Item/Item" if of_data else "/root/Item")
    attribute = prim.GetAttribute("userProperties:wear")
    assert [attribute.Get(f) for f in (1, 6, 11)] == pytest.approx([2, 7, 12])


def test_cameras_and_lights_keep_theirs() -> None:
    for data in (bpy.data.cameras.new("Eye"), bpy.data.lights.new("Lamp", "POINT")):
        data["unit"] = "B"
        link(bpy.data.objects.new(data.name, data))
    stage, _ = streamed()
    assert read(stage, "/root/Eye/Eye", "unit") == read(stage, "/root/Lamp/Lamp", "unit") == "B"
