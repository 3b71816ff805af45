# SPDX-License-Identifier: GPL-3.0-or-later
"""A part of a stage, and what it needs from elsewhere on it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pxr import Usd

from .inspect.tree import prim_at
from .stages import open_stage

# Relationships without whose targets a prim does not look the same.
_NEEDED = ("material:binding", "skel:", "prototypes")


def with_needed(root: Path, prims: Sequence[str]) -> list[str]:
    """``prims`` with the paths of the materials, skeletons and prototypes that they need.

    Args:
        root: the root layer.
        prims: absolute paths; none stand for the whole stage.

    Raises:
        StagewrightError: ``asset-unreadable``, ``no-prim``.
    """
    if not prims:
        return []
    whole = open_stage(root)
    mask = Usd.StagePopulationMask([prim_at(whole, path).GetPath() for path in prims])
    stage = Usd.Stage.OpenMasked(whole.GetRootLayer(), mask)
    stage.ExpandPopulationMask(lambda relationship: relationship.GetName().startswith(_NEEDED))
    return [str(path) for path in stage.GetPopulationMask().GetPaths()]
