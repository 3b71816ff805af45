# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether two exports of an asset differ by rounding alone.

Blender does not always compute the same bits twice: the UVs of a bevel, for one,
are averaged in an order that depends on where things lie in memory. Such an
asset has another hash after every export, although nothing has changed.
"""

from __future__ import annotations

import filecmp
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from pxr import Sdf, Tf

from .asset import AssetFiles
from .references import resolve_references

TOLERANCE = 1e-6
"""Of the greatest value of an array: eight steps of a 32-bit float at 1."""

# Says which version a root is, not what is in it.
_IDENTITY = "assetInfo"


def same_asset(root: Path, files: AssetFiles) -> bool:
    """Whether the asset of the root layer ``root`` holds what ``files`` hold.

    Args:
        root: a published root layer, whose other files lie beside it.
        files: a new export.
    """
    folder, new = root.parent, files.root.parent
    carried = {path: folder / path.relative_to(new) for path in files.textures}
    layers = {path: folder / path.relative_to(new) for path in files.layers}
    layers[files.root] = root
    return (
        all(old.is_file() for old in (*carried.values(), *layers.values()))
        and all(filecmp.cmp(path, old, shallow=False) for path, old in carried.items())
        and all(
            _same_layer(path, old, outward=path in files.outward) for path, old in layers.items()
        )
    )


def _same_layer(one: Path, other: Path, *, outward: bool) -> bool:
    try:
        layers = [Sdf.Layer.OpenAsAnonymous(str(path)) for path in (one, other)]
    except Tf.ErrorException:
        return False
    if outward:
        # Relative to where the asset lies, they name the same versions by other paths.
        for layer, path in zip(layers, (one, other), strict=True):
            resolve_references(layer, path.parent)
    found = [_specs(layer) for layer in layers]
    return found[0] == found[1] and all(
        _same_spec(layers[0].GetObjectAtPath(path), layers[1].GetObjectAtPath(path))
        for path in found[0]
    )


def _specs(layer: Sdf.Layer) -> set[Sdf.Path]:
    paths: set[Sdf.Path] = set()
    layer.Traverse(Sdf.Path.absoluteRootPath, paths.add)
    # What stands at a relationship's target is told by the relationship's own fields.
    return {path for path in paths if not path.IsTargetPath()}


def _same_spec(one: Sdf.Spec, other: Sdf.Spec) -> bool:
    keys = set(one.ListInfoKeys()) - {_IDENTITY}
    return keys == set(other.ListInfoKeys()) - {_IDENTITY} and all(
        close(one.GetInfo(key), other.GetInfo(key)) for key in keys
    )


def close(one: Any, other: Any, tolerance: float = TOLERANCE) -> bool:
    """Whether two values differ by no more than ``tolerance`` of the greatest of an array."""
    if one == other:
        return True
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(close(one[k], other[k], tolerance) for k in one)
    try:
        a, b = np.asarray(one, dtype=np.float64), np.asarray(other, dtype=np.float64)
    except (TypeError, ValueError):
        return False
    if a.shape != b.shape:
        return False
    return not a.size or bool(np.abs(a - b).max() <= tolerance * max(1.0, np.abs(a).max()))
