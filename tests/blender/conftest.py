# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests that need Blender; ``scripts/dev.py test`` runs them inside it."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

collect_ignore_glob = [] if "bpy" in sys.modules else ["*"]


@pytest.fixture(autouse=True)
def empty_file() -> Iterator[None]:
    """Every test starts in an empty file with factory settings for the scene."""
    import bpy

    bpy.ops.wm.read_homefile(use_empty=True)
    yield


@pytest.fixture
def addon() -> Iterator[None]:
    """The add-on, enabled for one test."""
    import addon_utils

    addon_utils.enable("stagewright", default_set=True)
    yield
    addon_utils.disable("stagewright", default_set=True)
