# SPDX-License-Identifier: GPL-3.0-or-later
"""Copies of prims whose order depends on names alone."""

from __future__ import annotations

from collections.abc import Callable, Collection

from pxr import Sdf


def copy_sorted(
    source: Sdf.Layer,
    target: Sdf.Layer,
    path: Sdf.Path,
    *,
    keep: Callable[[Sdf.Path], bool] = lambda path: True,
    without_schemas: Collection[str] = (),
) -> None:
    """Copy the prim at ``path`` and all below it, siblings and properties sorted by name.

    ``Sdf.CopySpec`` writes fields in the order of their names, but children as
    it finds them. No array passes through Python.

    Args:
        source: where to copy from.
        target: where to copy to; gets the same paths.
        path: the prim.
        keep: whether to copy the prim or property of a path.
        without_schemas: names of applied API schemas to leave out.
    """

    def value(
        _type: object, field: str, layer: Sdf.Layer, spec: Sdf.Path, *_: object
    ) -> bool | tuple[bool, Sdf.TokenListOp]:
        if field != "apiSchemas" or not without_schemas:
            return True
        operation = _without(layer.GetPrimAtPath(spec).GetInfo(field), without_schemas)
        return (True, operation) if operation != Sdf.TokenListOp() else False

    def children(
        field: str, layer: Sdf.Layer, spec: Sdf.Path, there: bool, *_: object
    ) -> bool | tuple[bool, list[str], list[str]]:
        if field not in ("primChildren", "properties"):
            return True
        if not there:
            return False
        prim = layer.GetPrimAtPath(spec)
        found = prim.nameChildren if field == "primChildren" else prim.properties
        names = [name for name in sorted(found.keys()) if keep(found[name].path)]
        return True, names, names

    Sdf.CreatePrimInLayer(target, path)
    Sdf.CopySpec(source, path, target, path, value, children)


def _without(operation: Sdf.TokenListOp, names: Collection[str]) -> Sdf.TokenListOp:
    """The list operation with the names taken out."""
    result = Sdf.TokenListOp()
    if operation.isExplicit:
        result.explicitItems = [i for i in operation.explicitItems if i not in names]
        return result
    result.prependedItems = [i for i in operation.prependedItems if i not in names]
    result.appendedItems = [i for i in operation.appendedItems if i not in names]
    result.deletedItems = [i for i in operation.deletedItems if i not in names]
    return result
