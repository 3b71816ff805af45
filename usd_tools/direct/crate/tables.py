# SPDX-License-Identifier: GPL-3.0-or-later
"""The tables of a crate file: which prims and properties there are, and what they have.

A *field* is a name and a value, a *field set* is what one prim or property
has. Fields and field sets that are equal are one.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..layer_writer import Kind, LayerWriter, Prim
from .compression import packed, packed_integers
from .values import CrateValues, specifier, truth, variability

_VERSION = (0, 8, 0)
_ATTRIBUTE, _PRIM, _ROOT, _RELATIONSHIP = 1, 6, 7, 8
# What follows a path in the tree: another below the same one, one below it, neither, or the
# distance to the next one below the same, where there are both.
_SIBLING, _CHILD, _LEAF = 0, -1, -2
_END = 0xFFFFFFFF  # of a field set
_PATHS = ("connectionPaths", "targetPaths")

Fields = list[tuple[str, int]]


def write_tables(writer: LayerWriter, values: CrateValues) -> None:
    """Write what ``writer`` collected, and end the file of ``values``.

    Raises:
        StagewrightError: ``target-unwritable``.
    """
    writer.settle()
    for path in list(_named_prims(writer)):
        _add_nameless(writer, path)
    tree = _Tree(values)
    tree.add(writer)
    sections = tree.sections(writer)
    strings = [values.tokens[text] for text in values.strings]  # all are known by now
    sections |= {
        "TOKENS": _tokens(values),
        "STRINGS": struct.pack(f"<Q{len(strings)}I", len(strings), *strings),
    }
    contents = []
    for name, content in sections.items():
        contents.append(struct.pack("<16sqq", name.encode(), values.tell(), len(content)))
        values.write(content)
    place = values.tell()
    values.write(struct.pack("<Q", len(contents)) + b"".join(contents))
    values.finish(struct.pack("<8s8Bq", b"PXR-USDC", *_VERSION, 0, 0, 0, 0, 0, place))


def _tokens(values: CrateValues) -> bytes:
    text = "".join(f"{token}\0" for token in values.tokens).encode()
    return struct.pack("<QQ", len(values.tokens), len(text)) + _sized(packed(text))


def _named_prims(writer: LayerWriter) -> Iterator[str]:
    """The prims that prims of a layer name."""
    for prim in writer.prims.values():
        if prim.prototype:
            yield prim.prototype
        for kind, value in zip(prim.kinds, prim.values, strict=True):
            if kind.field in _PATHS:
                yield from (path.partition(".")[0] for path in value)


def _add_nameless(writer: LayerWriter, path: str) -> None:
    """Have a path in the tree that may be another layer's."""
    if path in writer.prims:
        return
    parent, _, name = path.rpartition("/")
    if parent:
        _add_nameless(writer, parent)
    siblings = writer.prims[parent].children if parent else writer.top
    writer.prims[path] = siblings[name] = Prim(path, name, "")


@dataclass(frozen=True)
class _Shape:
    """What prims with the same properties have in common.

    Attributes:
        elements: (k,) what the paths of the properties end with.
        kinds: (k,) numbers of their kinds.
        names: the representation of their names.
    """

    elements: list[int]
    kinds: list[int]
    names: int


class _Tree:
    """The prims and properties of a layer, as rows of the tables."""

    def __init__(self, values: CrateValues) -> None:
        self._values = values
        # Of each path: the token it ends with, below zero for properties, and what follows it.
        self._elements = [values.token_number("")]
        self._jumps: list[int] = []
        # Of each prim: its row, and where in `_sets` its fields begin.
        self._prims: list[tuple[int, int]] = []
        # Of each property: its row, its kind and its value.
        self._rows: list[int] = []
        self._numbers: list[int] = []
        self._contents: list[int] = []
        # What is there once: fields by name and value, field sets, end to end, and their places.
        self._fields: dict[tuple[int, int], int] = {}
        self._sets: list[int] = []
        self._places: dict[tuple[int, ...], int] = {}
        self._kinds: dict[Kind, int] = {}
        self._shapes: dict[tuple[Kind, ...], _Shape] = {}
        self._prim_rows: dict[str, int] = {}

    def add(self, writer: LayerWriter) -> None:
        """Add the prims of a layer, depth first, and what the layer says itself."""
        values = self._values
        self._jumps.append(_CHILD if writer.top else _LEAF)
        own = [(name, values.kept(v, t)) for name, (t, v) in writer.metadata.items()]
        self._add_spec(0, [*own, *self._children(writer.top)])
        # At each level the prims still to come, and the row before them, if there is one.
        levels: list[tuple[Iterator[Prim], list[int]]] = [(iter(writer.top.values()), [])]
        while levels:
            prims, before = levels[-1]
            prim = next(prims, None)
            if prim is None:
                levels.pop()
                continue
            row = len(self._elements)
            for sibling in before:
                is_leaf = self._jumps[sibling] == _LEAF
                self._jumps[sibling] = _SIBLING if is_leaf else row - sibling
            before[:] = [row]
            self._add_prim(prim, row)
            last = [len(self._elements) - 1] if prim.kinds else []
            levels.append((iter(prim.children.values()), last))

    def _add_prim(self, prim: Prim, row: int) -> None:
        """Add a prim and its properties, which come before its children."""
        shape, count = self._shape(prim), len(prim.kinds)
        self._prim_rows[prim.path] = row
        self._elements.append(self._values.token_number(prim.name))
        self._jumps.append(_CHILD if count or prim.children else _LEAF)
        if count:
            self._elements += shape.elements
            self._jumps += [_SIBLING] * (count - 1)
            self._jumps.append(_LEAF)
            self._rows += range(row + 1, row + 1 + count)
            self._numbers += shape.kinds
            self._contents += map(self._content, prim.kinds, prim.values)
        if prim.specifier:
            self._add_spec(row, self._prim_fields(prim, shape))

    def _shape(self, prim: Prim) -> _Shape:
        key = tuple(prim.kinds)
        shape = self._shapes.get(key)
        if shape is None:
            tokens = [self._values.token_number(kind.name) for kind in key]
            numbers = [self._kinds.setdefault(kind, len(self._kinds)) for kind in key]
            names = self._values.token_vector(tokens) if tokens else 0
            shape = self._shapes[key] = _Shape([-token for token in tokens], numbers, names)
        return shape

    def _content(self, kind: Kind, value: Any) -> int:
        """The representation of the value of a property."""
        if kind.field == "default":
            return int(value)
        if kind.field == "timeSamples":
            return self._values.samples(value)
        return self._values.path_list(value) if kind.field else 0

    def _prim_fields(self, prim: Prim, shape: _Shape) -> Fields:
        values = self._values
        fields = [("specifier", specifier(prim.specifier))]
        if prim.type_name:
            fields.append(("typeName", values.kept(prim.type_name, "token")))
        if prim.schemas:
            fields.append(("apiSchemas", values.token_list(prim.schemas)))
        if prim.prototype or prim.reference:
            fields.append(("instanceable", truth(True)))
        if prim.prototype:
            fields.append(("inheritPaths", values.path_list((prim.prototype,), prepended=True)))
        if prim.reference:
            fields.append(("references", values.reference(prim.reference)))
        if shape.names:
            fields.append(("properties", shape.names))
        return fields + self._children(prim.children)

    def _children(self, prims: dict[str, Prim]) -> Fields:
        names = [name for name, prim in prims.items() if prim.specifier]
        if not names:
            return []
        numbers = list(map(self._values.token_number, names))
        return [("primChildren", self._values.token_vector(numbers))]

    def _add_spec(self, row: int, fields: Fields) -> None:
        numbers = tuple(self._field(name, value) for name, value in fields)
        place = self._places.get(numbers)
        if place is None:
            place = self._places[numbers] = len(self._sets)
            self._sets += (*numbers, _END)
        self._prims.append((row, place))

    def _field(self, name: str, value: int) -> int:
        return self._fields.setdefault((self._values.token_number(name), value), len(self._fields))

    def _kind_fields(self, kind: Kind) -> list[int]:
        """The fields of a kind of properties, but for that of the value."""
        is_uniform = kind.uniform or not kind.type_name
        fields = [("variability", variability(is_uniform)), ("custom", truth(kind.custom))]
        for name, text in (
            ("typeName", kind.type_name),
            ("interpolation", kind.interpolation),
            ("colorSpace", kind.color_space),
        ):
            if text:
                fields.append((name, self._values.kept(text, "token")))
        if kind.element_size > 1:
            fields.append(("elementSize", self._values.kept(kind.element_size, "int")))
        return [self._field(name, value) for name, value in fields]

    def sections(self, writer: LayerWriter) -> dict[str, bytes]:
        """The contents of the sections, by name, but for those of words."""
        fixed = [self._kind_fields(kind) for kind in self._kinds]
        given = [self._values.token_number(k.field) if k.field else 0 for k in self._kinds]
        numbers = np.array(self._numbers, np.int64)
        # The fields of values come after those that prims and kinds of properties have.
        names, contents, which = _distinct(
            np.array(given, np.uint64)[numbers], np.array(self._contents, np.uint64)
        )
        which = np.where(names[which] > 0, which + len(self._fields), -1)
        known = np.array(list(self._fields), np.uint64)
        names = np.concatenate([known[:, 0], names])
        contents = np.concatenate([known[:, 1], contents])
        sets, places = _sets(fixed, numbers, which)
        rows, of_prims = np.array(self._prims, np.int64).T
        related = np.array([not kind.type_name for kind in self._kinds], np.bool_)[numbers]
        paths = self._path_numbers(writer)
        return {
            "FIELDS": _table(names) + _sized(packed(contents.tobytes())),
            "FIELDSETS": _table(np.concatenate([self._sets, sets])),
            "PATHS": struct.pack("<Q", len(paths) + ("" in self._values.paths))
            + _table(paths, self._elements, self._jumps),
            "SPECS": _table(
                paths[np.concatenate([rows, self._rows]).astype(np.int64)],
                np.concatenate([of_prims, places + len(self._sets)]),
                np.concatenate(
                    [
                        np.where(rows > 0, _PRIM, _ROOT),
                        np.where(related, _RELATIONSHIP, _ATTRIBUTE),
                    ]
                ),
            ),
        }

    def _path_numbers(self, writer: LayerWriter) -> NDArray[np.int64]:
        """(n,) numbers of the paths of the rows; those that values name have theirs already."""
        named = self._values.paths
        numbers = np.full(len(self._elements), -1, np.int64)
        for path, number in named.items():
            prim, _, name = path.partition(".")
            if prim:
                row = self._prim_rows[prim]
                if name:
                    row += 1 + [kind.name for kind in writer.prims[prim].kinds].index(name)
                numbers[row] = number
        others = np.flatnonzero(numbers < 0)
        numbers[others] = len(named) + np.arange(len(others))
        return numbers


def _distinct(
    names: NDArray[np.uint64], contents: NDArray[np.uint64]
) -> tuple[NDArray[np.uint64], NDArray[np.uint64], NDArray[np.int64]]:
    """The distinct pairs of two columns, and (n,) which of them each row is."""
    order = np.lexsort((contents, names))
    fresh = np.ones(len(order), np.bool_)
    fresh[1:] = (np.diff(names[order]) != 0) | (np.diff(contents[order]) != 0)
    which = np.empty(len(order), np.int64)
    which[order] = np.cumsum(fresh) - 1
    return names[order][fresh], contents[order][fresh], which


def _sets(
    fixed: Sequence[Sequence[int]], numbers: NDArray[np.int64], values: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Field sets, end to end, and (n,) where that of each property begins.

    Args:
        fixed: the fields of each kind.
        numbers: (n,) the kind of each property.
        values: (n,) the field of its value, -1 for none.
    """
    found, which = np.unique(numbers << 32 | values + 1, return_inverse=True)
    kinds, values = found >> 32, (found & _END) - 1
    lengths = np.array([len(fields) for fields in fixed], np.int64)
    counts = lengths[kinds]
    starts = np.concatenate([[0], np.cumsum(counts + (values >= 0) + 1)])
    sets = np.full(starts[-1], _END, np.int64)
    starts = starts[:-1]
    within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    flat = np.array([number for fields in fixed for number in fields], np.int64)
    begins = np.cumsum(lengths) - lengths
    sets[np.repeat(starts, counts) + within] = flat[np.repeat(begins[kinds], counts) + within]
    valued = values >= 0
    sets[(starts + counts)[valued]] = values[valued]
    return sets, starts[which]


def _table(*columns: Any) -> bytes:
    """How many rows there are, and each column of integers, packed."""
    content = [
        packed_integers(np.asarray(column, np.int64).astype(np.uint32)) for column in columns
    ]
    return struct.pack("<Q", len(columns[0])) + b"".join(content)


def _sized(content: bytes) -> bytes:
    return struct.pack("<Q", len(content)) + content
