# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether layers that an export would replace are its own."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from pxr import Sdf, Tf

from ..jobs.errors import StagewrightError
from .dependencies import dependencies, is_absolute


def refuse_foreign_layers(root: Path, layers: Iterable[Path]) -> None:
    """Refuse to replace layers that an earlier export to ``root`` did not write.

    Args:
        root: the root layer to write, which whoever writes it has been asked about.
        layers: the layers that come beside it.

    Raises:
        StagewrightError: ``layer-in-the-way``, naming the first one.
    """
    there = [layer for layer in layers if layer != root and layer.exists()]
    own = _own_layers(root) if there else set()
    for layer in there:
        if layer not in own:
            raise StagewrightError(
                "layer-in-the-way",
                f"{layer.name} is no part of {root.name}, and would be written over.",
                "Choose another name or folder; or move it away, if nothing needs it.",
            )


def _own_layers(root: Path) -> set[Path]:
    """The layers in the folder of ``root`` that it is made of, if it is an export's."""
    layer = _read(root)
    top = layer.GetPrimAtPath(f"/{layer.defaultPrim}") if layer and layer.defaultPrim else None
    identifier = top.assetInfo.get("identifier", Sdf.AssetPath()) if top else Sdf.AssetPath()
    if identifier.path != f"./{root.name}":
        return set()
    found: set[Path] = set()
    pending = [layer]
    while pending:
        for dependency in dependencies(pending.pop()):
            if not dependency.arc or is_absolute(dependency.path):
                continue
            file = root.parent / dependency.path
            if file.parent == root.parent and file not in found:
                found.add(file)
                named = _read(file)
                pending += [named] if named else []
    return found


def _read(file: Path) -> Sdf.Layer | None:
    try:
        return Sdf.Layer.OpenAsAnonymous(str(file))
    except Tf.ErrorException:
        return None
