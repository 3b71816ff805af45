# SPDX-License-Identifier: GPL-3.0-or-later
"""Evaluated curves and hair, as Blender's Curves data holds both."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

from ....usd_tools.direct.records import (
    Basis,
    BasisCurvesRecord,
    Interpolation,
    NurbsCurvesRecord,
    Primvar,
    Property,
    Purpose,
    Wrap,
)
from . import nurbs
from .arrays import read, read_attribute
from .context import StreamContext
from .names import usd_name

# Blender's values of the attribute `curve_type`, and USD's names.
_CATMULL_ROM, _POLY, _BEZIER, _NURBS = range(4)
_BASES: dict[int, Basis] = {_CATMULL_ROM: "catmullRom", _POLY: "linear", _BEZIER: "bezier"}
_MOST_SLOTS = 32767  # of materials, in Blender
# The radius that Cycles gives strands that have none.
_RADIUS = 0.005
_SURFACE_UV = "surface_uv_coordinate"
# What has a place of its own in a record, or means something to Blender alone.
_OWN = {
    "position",
    "radius",
    "velocity",
    "curve_type",
    "cyclic",
    "resolution",
    "normal_mode",
    "handle_left",
    "handle_right",
    "handle_type_left",
    "handle_type_right",
    "nurbs_weight",
    "nurbs_order",
    "knots_mode",
    "material_index",
}


@dataclass(frozen=True, eq=False)
class _Group:
    """Curves that one prim can hold.

    Attributes:
        type: Blender's type.
        cyclic: whether they are closed.
        curves: (g,) numbers of the curves.
        starts: (g,) their first points.
        counts: (g,) how many points they have.
        is_all: whether these are all the curves there are.
    """

    type: int
    cyclic: bool
    curves: NDArray[np.intp]
    starts: NDArray[np.int32]
    counts: NDArray[np.int32]
    is_all: bool


def read_curves(
    context: StreamContext,
    curves: bpy.types.Curves,
    parent: str,
    materials: Sequence[str],
    *,
    data: str,
    properties: Mapping[str, Property],
    purpose: Purpose = "default",
) -> Iterator[BasisCurvesRecord | NurbsCurvesRecord]:
    """The records of evaluated curves: one for each type, open and closed apart, and material.

    Curves of fewer than two points are left out, which is noted in ``context``.

    Args:
        context: the export.
        curves: the curves.
        parent: path of the prim above.
        materials: path of the Material prim of each slot, "" for none.
        data: name of the data-block they come from.
        properties: its custom properties.
        purpose: USD's purpose.
    """
    reader = _Reader(context, curves, data)
    for index, (key, group) in enumerate(reader.groups()):
        slot = key[2]
        kind = f"{data}_{_BASES.get(group.type, 'nurbs')}{'_closed' if group.cyclic else ''}"
        path = context.child(parent, kind if index else data, ("curves", *key))
        shared = {
            "path": path,
            "data": data,
            "widths": reader.widths(group),
            "primvars": reader.primvars(group),
            "velocities": reader.velocities(group),
            "material": materials[min(slot, len(materials) - 1)] if materials else "",
            "purpose": purpose,
            "properties": properties,
        }
        if group.type == _NURBS:
            yield reader.nurbs_record(group, shared)
        else:
            yield reader.basis_record(group, shared)


class _Reader:
    """The attributes of one Curves data-block, by groups of curves."""

    def __init__(self, context: StreamContext, curves: bpy.types.Curves, data: str) -> None:
        self._context = context
        self._curves = curves
        self._data = data
        offsets = read(curves.curve_offset_data, "value", np.int32)
        self._starts = offsets[:-1]
        self._counts = np.diff(offsets)

    def groups(self) -> Iterator[tuple[tuple[int, bool, int], _Group]]:
        """The curves by type, closed or not and material slot."""
        long = self._counts > 1
        short = len(long) - int(np.count_nonzero(long))
        if short:
            self._note(f"{short} curves of fewer than two points are left out.")
        types = self._valid_types(self._curve("curve_type", np.int8, _CATMULL_ROM))
        cyclic = self._curve("cyclic", np.bool_, False)
        # Two points on a line and back are no closed curve, but for Bézier's handles.
        cyclic = cyclic & ((self._counts > 2) | (types == _BEZIER))
        slots = np.clip(self._curve("material_index", np.int32, 0), 0, _MOST_SLOTS)
        # One small number for each kind, which are counted faster than sorted.
        keys = 16 * slots + 4 * types.astype(np.int32) + cyclic
        for key in np.flatnonzero(np.bincount(keys[long])).tolist():
            type_, closed, slot = key % 16 // 4, bool(key % 4), key // 16
            chosen = (keys == key) & long
            curves = np.flatnonzero(chosen)
            starts, counts = self._starts[curves], self._counts[curves]
            is_all = len(curves) == len(long)
            group = _Group(type_, closed, curves, starts, counts, is_all)
            yield (type_, closed, slot), group

    def basis_record(self, group: _Group, shared: dict[str, Any]) -> BasisCurvesRecord:
        wrap: Wrap = "periodic" if group.cyclic else "nonperiodic"
        points, counts = self._positions()[_gather(group)], group.counts
        if group.type == _BEZIER:
            points, counts = self._with_handles(points, group)
        elif group.type == _CATMULL_ROM and not group.cyclic:
            wrap = "pinned"
        return BasisCurvesRecord(
            counts=counts, points=points, basis=_BASES[group.type], wrap=wrap, **shared
        )

    def nurbs_record(self, group: _Group, shared: dict[str, Any]) -> NurbsCurvesRecord:
        orders = self._curve("nurbs_order", np.int32, 4)[group.curves]
        modes = self._curve("knots_mode", np.int8, nurbs.NORMAL)[group.curves]
        made = cache(lambda *key: nurbs.knots(*key, cyclic=group.cyclic))
        knots = [
            made(*key)
            for key in zip(group.counts.tolist(), orders.tolist(), modes.tolist(), strict=True)
        ]
        ends = [(k[order - 1], k[-order]) for k, order in zip(knots, orders, strict=True)]
        gather = self._gather(group)
        return NurbsCurvesRecord(
            counts=self._total(group),
            points=self._positions()[gather],
            orders=orders,
            knots=np.concatenate(knots),
            ranges=np.array(ends),
            weights=self._point("nurbs_weight", 1.0)[gather].astype(np.float64),
            **shared,
        )

    def widths(self, group: _Group) -> Primvar:
        values = 2 * self._point("radius", _RADIUS)[self._gather(group)]
        if not self._context.animated and (values == values[0]).all():
            return Primvar("widths", "float[]", "constant", values[:1])
        return Primvar("widths", "float[]", self._interpolation(group), values)

    def velocities(self, group: _Group) -> NDArray[np.float32] | None:
        attribute = self._curves.attributes.get("velocity")
        if attribute is None or attribute.domain != "POINT" or group.type == _BEZIER:
            return None  # of a Bézier's handles nobody knows it
        return read(attribute.data, "vector", np.float32, 3)[self._gather(group)]

    def primvars(self, group: _Group) -> tuple[Primvar, ...]:
        made: list[Primvar] = []
        gather = self._gather(group)
        for attribute in self._curves.attributes:
            name = attribute.name
            if name.startswith(".") or name in _OWN:
                continue
            found = read_attribute(attribute)
            if found is None:
                self._note(f"the attribute “{name}” is of a type that USD has no primvars for.")
                continue
            type_name, values = found
            of_curves = attribute.domain == "CURVE"
            interpolation: Interpolation = "uniform" if of_curves else self._interpolation(group)
            values = values[group.curves if of_curves else gather]
            if name == _SURFACE_UV:
                made.append(Primvar("st", "texCoord2f[]", interpolation, values[:, :2]))
            else:
                taken = {"st", *(primvar.name for primvar in made)}
                made.append(Primvar(usd_name(name, taken), type_name, interpolation, values))
        return tuple(made)

    def _interpolation(self, group: _Group) -> Interpolation:
        # USD has values of cubic Béziers at the ends of their segments, as Blender has.
        return "varying" if group.type == _BEZIER else "vertex"

    def _gather(self, group: _Group) -> NDArray[np.int64] | slice:
        """Numbers of the points of a group; those that close a NURBS curve come again."""
        return _gather(group, self._total(group))

    def _total(self, group: _Group) -> NDArray[np.int32]:
        if group.type != _NURBS or not group.cyclic:
            return group.counts
        return group.counts + self._curve("nurbs_order", np.int32, 4)[group.curves] - 1

    def _valid_types(self, types: NDArray[Any]) -> NDArray[Any]:
        """Types, polygons in place of NURBS curves that Blender shows the polygon of."""
        if not (types == _NURBS).any():
            return types
        types = types.copy()
        orders = self._curve("nurbs_order", np.int32, 4)
        modes = self._curve("knots_mode", np.int8, nurbs.NORMAL)
        cyclic = self._curve("cyclic", np.bool_, False)
        for i in np.flatnonzero(types == _NURBS).tolist():
            count, order, mode = int(self._counts[i]), int(orders[i]), int(modes[i])
            if not nurbs.is_valid(count, order, mode, cyclic=bool(cyclic[i])):
                types[i] = _POLY
                if mode == nurbs.CUSTOM:
                    self._note("knots set by hand are not exported; its polygon is.")
        return types

    def _positions(self) -> NDArray[np.float32]:
        return read(self._curves.position_data, "vector", np.float32, 3)

    def _with_handles(
        self, points: NDArray[np.float32], group: _Group
    ) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
        """Points with the handles between them: P0 R0 L1 P1 …, and on to L0 when closed."""
        gather, counts = _gather(group), group.counts
        left, right = (self._handles(name, points, gather) for name in ("left", "right"))
        ends = np.cumsum(counts) - 1
        following = np.arange(1, len(points) + 1)
        following[ends] = ends - counts + 1
        triples = np.stack([points, right, left[following]], axis=1)
        if group.cyclic:
            return triples.reshape(-1, 3), 3 * counts
        kept = np.ones((len(points), 3), np.bool_)
        kept[ends, 1:] = False
        return triples[kept], 3 * counts - 2

    def _handles(
        self, side: str, points: NDArray[np.float32], gather: NDArray[np.int64] | slice
    ) -> NDArray[np.float32]:
        attribute = self._curves.attributes.get(f"handle_{side}")
        if attribute is None:
            return points
        return read(attribute.data, "vector", np.float32, 3)[gather]

    def _curve(self, name: str, dtype: Any, default: Any) -> NDArray[Any]:
        """A value of each curve."""
        attribute = self._curves.attributes.get(name)
        if attribute is None or attribute.domain != "CURVE":
            return np.full(len(self._counts), default, dtype)
        integer = np.int32 if np.issubdtype(dtype, np.integer) else dtype
        return read(attribute.data, "value", integer).astype(dtype)

    def _point(self, name: str, default: float) -> NDArray[np.float32]:
        """A number of each point."""
        attribute = self._curves.attributes.get(name)
        if attribute is None or attribute.data_type != "FLOAT":
            return np.full(len(self._curves.points), default, np.float32)
        values = read(attribute.data, "value", np.float32)
        return values if attribute.domain == "POINT" else np.repeat(values, self._counts)

    def _note(self, text: str) -> None:
        self._context.notes.append(f"{self._data}: {text}")


def _gather(group: _Group, total: NDArray[np.int32] | None = None) -> NDArray[np.int64] | slice:
    """Numbers of the points of curves; past the last one of a curve its first ones come again."""
    if group.is_all and (total is None or total is group.counts):
        return slice(None)  # without a copy
    total = group.counts if total is None else total
    ends = np.cumsum(total, dtype=np.int64)
    local = np.arange(ends[-1]) - np.repeat(ends - total, total)
    return np.repeat(group.starts, total) + local % np.repeat(group.counts, total)
