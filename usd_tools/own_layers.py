# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether layers that an export would replace are its own."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path, PurePath

from pxr import Sdf, Tf

from ..jobs.errors import StagewrightError
from .dependencies import dependencies
from .placing import staging_folders


def refuse_foreign_layers(root: Path, layers: Iterable[Path]) -> None:
    """Refuse to replace layers that an earlier export to ``root`` did not write.

    Args:
        root: the root layer to write, which whoever writes it has been asked about.
        layers: the layers that come beside it.

    Raises:
        StagewrightError: ``layer-in-the-way``, naming the first one.
    """
    there = [layer for layer in layers if layer != root and layer.exists()]
    own = _own_layers(root, root.parent) | _left_behind(root) if there else set()
    for layer in there:
        if layer.name not in own:
            raise StagewrightError(
                "layer-in-the-way",
                f"{layer.name} is no part of {root.name}, and would be written over.",
                "Choose another name or folder; or move it away, if nothing needs it.",
            )


def _left_behind(root: Path) -> set[str]:
    """Names of layers that exports to ``root`` had put into place when they were killed.

    They are missing in the hidden folder that such an export leaves, where the root
    layer, which comes last, still names them.
    """
    found: set[str] = set()
    for folder in staging_folders(root):
        names = _own_layers(folder / root.name, root.parent)
        found |= {name for name in names if not (folder / name).exists()}
    return found


def _own_layers(root: Path, folder: Path) -> set[str]:
    """Names of the layers beside ``root`` that it is made of, if it is an export's.

    Args:
        root: the root layer; there may be none.
        folder: where those are that are not beside it.
    """
    layer = _read(root) if root.exists() else None
    top = layer.GetPrimAtPath(f"/{layer.defaultPrim}") if layer and layer.defaultPrim else None
    identifier = top.assetInfo.get("identifier", Sdf.AssetPath()) if top else Sdf.AssetPath()
    if identifier.path != f"./{root.name}":
        return set()
    found: set[str] = set()
    pending = [layer]
    while pending:
        for dependency in dependencies(pending.pop()):
            path = PurePath(dependency.path)
            if not dependency.arc or path.name != str(path) or path.name in found:
                continue  # a value, another folder's, or known
            found.add(path.name)
            beside = root.with_name(path.name)
            named = _read(beside if beside.exists() else folder / path.name)
            pending += [named] if named else []
    return found


def _read(file: Path) -> Sdf.Layer | None:
    try:
        return Sdf.Layer.OpenAsAnonymous(str(file))
    except Tf.ErrorException:
        return None
