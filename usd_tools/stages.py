# SPDX-License-Identifier: GPL-3.0-or-later
"""Open stages as they are on disk now, and find Blender's names in them."""

from __future__ import annotations

from pathlib import Path

from pxr import Sdf, Tf, Usd

from ..jobs.errors import StagewrightError

OBJECT_NAME = "userProperties:blender:object_name"


def open_stage(root: Path) -> Usd.Stage:
    """The stage of a root layer, freshly read.

    ``Usd.Stage.Open`` hands out layers that are still open elsewhere in the
    process as they were; reloading reads every one again.

    Raises:
        StagewrightError: ``asset-unreadable``.
    """
    try:
        stage = Usd.Stage.Open(str(root), Usd.Stage.LoadAll)
    except Tf.ErrorException:
        stage = None
    if stage is None:
        raise StagewrightError(
            "asset-unreadable",
            f"{root.name} cannot be opened as a USD stage.",
            "Export the asset again.",
        )
    stage.Reload()
    return stage


def object_name(prim: Usd.Prim) -> str:
    """Blender's name of the object that ``prim`` came from, or ""."""
    while prim and not prim.IsPseudoRoot():
        value = prim.GetAttribute(OBJECT_NAME).Get()
        if value:
            return str(value)
        prim = prim.GetParent()
    return ""


def object_at(stage: Usd.Stage, path: Sdf.Path) -> str:
    """Blender's name of the object at a path of a prim or property, or ""."""
    return object_name(stage.GetPrimAtPath(path.GetPrimPath()))
