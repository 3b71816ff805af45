# SPDX-License-Identifier: GPL-3.0-or-later
"""Which command lines are handed to Blender."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from stagewright.pipeline.commands.common import in_blender_if


@pytest.mark.parametrize(
    ("words", "needed"),
    [
        (["a.obj"], False),
        (["a.vdb"], True),
        (["a.obj", "b.vdb", "c.obj"], True),
        (["a.obj", "-o", "b.vdb"], True),
        # What asked for Blender is not taken back by a later path.
        (["a.vdb", "-o", "b.obj"], True),
    ],
)
def test_one_path_that_needs_blender_is_enough(words: list[str], needed: bool) -> None:
    action = in_blender_if(lambda path: path.suffix == ".vdb")
    parser = argparse.ArgumentParser()
    parser.set_defaults(needs_scene=False)
    parser.add_argument("sources", nargs="+", type=Path, action=action)
    parser.add_argument("-o", type=Path, action=action)
    options = parser.parse_args(words)
    assert options.needs_scene is needed
    assert options.sources[0] == Path(words[0])
