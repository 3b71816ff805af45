# SPDX-License-Identifier: GPL-3.0-or-later
"""What a publish is asked for on the command line, as a request to a home."""

from __future__ import annotations

from dataclasses import replace

import pytest

from stagewright.ayon_bridge.home import PublishRequest
from stagewright.jobs.errors import StagewrightError
from stagewright.pipeline.cli import parse
from stagewright.pipeline.commands.publish import order_of
from stagewright.pipeline.order import PRODUCT_TYPES, request_of


def request(*words: str) -> PublishRequest:
    return request_of(order_of(parse(["publish", "crate.blend", *words])))


@pytest.mark.parametrize("kind", PRODUCT_TYPES)
def test_a_product_has_its_type_and_is_called_after_it(kind: str) -> None:
    made = request("--type", kind)
    assert (made.product_type, made.product_name) == (kind, f"{kind}Main")
    assert request("--type", kind, "--product", "hero").product_name == "hero"


def test_without_a_type_the_scene_decides() -> None:
    made = request()
    assert (made.product_type, made.product_name) == ("usd", "usdMain")
    order = order_of(parse(["publish", "crate.blend"]))
    shot = replace(order, scene=replace(order.scene, over="crate.usda"))
    assert request_of(shot).product_type == "animation"


@pytest.mark.parametrize(
    "words", [("--type", "nothing"), ("--turntable", "few"), ("--turntable=-1",)]
)
def test_what_is_none_is_refused(words: tuple[str, ...]) -> None:
    with pytest.raises(StagewrightError) as caught:
        request(*words)
    assert caught.value.code == "bad-arguments"
