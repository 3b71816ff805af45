# SPDX-License-Identifier: GPL-3.0-or-later
"""Copies of prims whose order depends on names alone.

The bytes of a .usdc follow the order in which siblings, properties and the
fields of each spec were made. ``Sdf.CopySpec`` takes siblings as it finds them
and fields in the order of their tokens' addresses, which differs from process
to process. So each spec is made first, its required fields in USD's fixed
order, and its other fields are added one by one by name. Values are copied by
``Sdf.CopySpec`` all the same: none passes through Python and changes its type.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import cache

from pxr import Sdf

# Fields that making a spec sets.
_PRIM_FIELDS = {"specifier", "typeName"}
_PROPERTY_FIELDS = {"custom", "typeName", "variability"}

ShouldCopyValue = Callable[..., bool]


def copy_sorted(
    source: Sdf.Layer,
    target: Sdf.Layer,
    path: Sdf.Path,
    *,
    keep: Callable[[Sdf.Path], bool] = lambda path: True,
    without_schemas: Collection[str] = (),
    to: Sdf.Path | None = None,
) -> None:
    """Copy the prim at ``path`` and all below it, everything in the order of its name.

    Args:
        source: where to copy from.
        target: where to copy to.
        path: the prim.
        to: the prim's path in ``target``, whose parent is there; the same when None.
        keep: whether to copy the prim or property of a path.
        without_schemas: names of applied API schemas to leave out.
    """
    with Sdf.ChangeBlock():
        stack = [source.GetPrimAtPath(path)]
        while stack:
            prim = stack.pop()
            made = _copy_prim(
                prim, target, prim.path.ReplacePrefix(path, to or path), without_schemas
            )
            for prop in sorted(prim.properties, key=_name):
                if keep(prop.path):
                    copy_property(prop, made)
            children = (child for child in prim.nameChildren if keep(child.path))
            stack.extend(sorted(children, key=_name, reverse=True))


def copy_property(prop: Sdf.PropertySpec, owner: Sdf.PrimSpec) -> None:
    """Copy one property to the prim ``owner`` of another layer or path."""
    if isinstance(prop, Sdf.AttributeSpec):
        Sdf.AttributeSpec(owner, prop.name, prop.typeName, prop.variability, prop.custom)
    else:
        Sdf.RelationshipSpec(owner, prop.name, prop.custom, prop.variability)
    for field in sorted(set(prop.ListInfoKeys()) - _PROPERTY_FIELDS):
        _copy_field(prop, owner.layer, owner.path.AppendProperty(prop.name), field)


def _copy_prim(
    prim: Sdf.PrimSpec, target: Sdf.Layer, to: Sdf.Path, without_schemas: Collection[str]
) -> Sdf.PrimSpec:
    """Copy a prim without its properties and children."""
    parent = target.GetPrimAtPath(to.GetParentPath())
    made = Sdf.PrimSpec(parent, prim.name, prim.specifier, prim.typeName)
    for field in sorted(set(prim.ListInfoKeys()) - _PRIM_FIELDS):
        if field == "apiSchemas" and without_schemas:
            schemas = _without(prim.GetInfo(field), without_schemas)
            if schemas != Sdf.TokenListOp():
                made.SetInfo(field, schemas)
        else:
            _copy_field(prim, target, to, field)
    return made


def _name(spec: Sdf.PrimSpec | Sdf.PropertySpec) -> str:
    return str(spec.name)


def _copy_field(spec: Sdf.Spec, target: Sdf.Layer, to: Sdf.Path, field: str) -> None:
    Sdf.CopySpec(spec.layer, spec.path, target, to, _only(field), _is_part)


@cache
def _only(wanted: str) -> ShouldCopyValue:
    """Tells ``Sdf.CopySpec`` to copy one field."""
    return lambda _type, field, *_: bool(field == wanted)


def _is_part(field: str, *_: object) -> bool:
    """Whether children under ``field`` are a part of the spec, as targets are."""
    return field not in ("primChildren", "properties")


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
