# SPDX-License-Identifier: GPL-3.0-or-later
"""Prims that stood elsewhere in an earlier version of an asset.

Whoever overrides an asset names its prims by their paths: an override of a path
that is gone is lost without a word.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pxr import Sdf

from .findings import Finding
from .stages import OBJECT_NAME, open_stage


def path_changes(before: Path, after: Path) -> Iterator[Finding]:
    """Warnings about the prims of the root layer ``before`` that ``after`` lacks.

    Of a branch that is gone the topmost prim is named. What instances show is
    left out: it comes and goes with them.

    Raises:
        StagewrightError: ``asset-unreadable``.
    """
    old, new = _objects(before), _objects(after)
    places = {name: path for path, name in new.items() if name}
    gone = {path for path in old if path not in new}
    for path in sorted(gone):
        if path.GetParentPath() in gone:
            continue
        name = old[path]
        place = places.get(name)
        told = f"“{name}”" if name else f"The prim {path}"
        yield Finding(
            check="path-changed" if place else "path-gone",
            severity="warning",
            message=(
                f"{told} was {path} in the version before and is {place} now."
                if place
                else f"{told}, {path} in the version before, is not in this one."
            ),
            cure="Overrides in other files that name the old path no longer reach it.",
            object=name if place else "",
            prim=str(place or path),
        )


def _objects(root: Path) -> dict[Sdf.Path, str]:
    """Blender's names of the objects of all prims, "" for other prims, by path."""
    found = {}
    stage = open_stage(root)  # prims do not keep it alive
    for prim in stage.Traverse():
        value = prim.GetAttribute(OBJECT_NAME).Get()
        found[prim.GetPath()] = str(value) if value else ""
    return found
