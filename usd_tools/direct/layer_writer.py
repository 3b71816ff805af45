# SPDX-License-Identifier: GPL-3.0-or-later
"""Prims and attributes of one layer, with time samples only where values change.

They are collected here, whatever becomes of them: text that USD parses
(:mod:`.text_layer`) or a crate file (:mod:`.crate`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

import numpy as np

from .records import PROTOTYPES, Primvar, Property


class Kind(NamedTuple):
    """All of a property but its value.

    Attributes:
        name: its name.
        type_name: name of its Sdf value type; "" makes it a relationship.
        field: the field of its spec that the value is for: ``default``,
            ``timeSamples`` (values by frame, ascending), ``connectionPaths`` or
            ``targetPaths`` (paths); "" when there is no value.
        uniform: whether it cannot vary over time.
        custom: whether no schema knows it.
        interpolation: of a primvar or of normals.
        element_size: how many values a primvar has for each element.
        color_space: of an image.
    """

    name: str
    type_name: str
    field: str = "default"
    uniform: bool = False
    custom: bool = False
    interpolation: str = ""
    element_size: int = 1
    color_space: str = ""


class Values(Protocol):
    """Makes of the values of attributes what is kept of them."""

    def kept(self, value: Any, type_name: str) -> Any:
        """What stands for ``value``, an equal one for equal values.

        Args:
            value: see :func:`.text.value_text`; for array types an array, see
                :func:`.arrays.vt_array`.
            type_name: name of its Sdf value type.
        """
        ...


@dataclass(slots=True, eq=False)
class Prim:
    """A prim to be.

    Attributes:
        path: absolute path.
        name: last part of it.
        specifier: ``def``, ``class`` or ``over``.
        type_name: its schema, or "".
        schemas: names of the API schemas applied.
        prototype: path of the prim it is an instance of, or "".
        reference: the asset that it references and is an instance of, or "".
        kinds: its properties, in their order.
        values: what is kept of the value of each; None where there is none.
        children: names to prims.
    """

    path: str
    name: str
    specifier: str
    type_name: str = ""
    schemas: tuple[str, ...] = ()
    prototype: str = ""
    reference: str = ""
    kinds: list[Kind] = field(default_factory=list)
    values: list[Any] = field(default_factory=list)
    children: dict[str, Prim] = field(default_factory=dict)

    def add(self, kind: Kind, value: Any = None) -> None:
        """Add a property that is not yet there."""
        self.kinds.append(kind)
        self.values.append(value)


@dataclass(slots=True, eq=False)
class _Attribute:
    """An attribute that may get time samples.

    Attributes:
        value: what is kept of the one given last.
        changed: the frame since which that holds.
        authored: whether it is another one than the fallback, or was.
        samples: values by frame, once there is more than one.
    """

    value: Any
    changed: float
    authored: bool
    samples: dict[float, Any] = field(default_factory=dict)

    def take(self, value: Any, frame: float, before: float) -> None:
        """Take ``value`` from ``frame`` on; ``before`` is the frame before that."""
        if self.value != value:
            self.samples[self.changed] = self.value
            self.samples[before] = self.value
            self.samples[frame] = self.value = value
            self.changed, self.authored = frame, True


class LayerWriter:
    """Collects what one layer will hold.

    A value holds until another one is given at a later frame. One that never
    changes becomes a default; else there are time samples, at both ends of every
    rest, since USD interpolates.

    Attributes:
        metadata: type and value of the layer's metadata, by name.
        frame: the frame of the values that are given, or None for a static stage.
        look: the writer of what says how things look: another layer's, or this one.
        references: the writer of references to published assets, another or this one.
        prims: all prims by path.
        top: names to the prims at the top.
    """

    def __init__(
        self,
        values: Values,
        look: LayerWriter | None = None,
        references: LayerWriter | None = None,
    ) -> None:
        self.look = look or self
        self.references = references or self
        self.metadata: dict[str, tuple[str, Any]] = {}
        self.frame: float | None = None
        self.prims: dict[str, Prim] = {}
        self.top: dict[str, Prim] = {}
        self._kept = values.kept
        self._frame_before = 0.0
        self._first_frame: float | None = None
        self._attributes: dict[tuple[str, str], tuple[Prim, Kind, _Attribute]] = {}

    def begin_frame(self, frame: float) -> None:
        """Take all that is set from now on as values at ``frame``, which is after the last one."""
        if self._first_frame is None:
            self._first_frame = frame
        self._frame_before = frame if self.frame is None else self.frame
        self.frame = frame

    def define(self, path: str, type_name: str) -> tuple[Prim, bool]:
        """The prim at ``path``, and whether it is new; ancestors not yet there become scopes."""
        prim = self.prims.get(path)
        if prim is not None:
            return prim, False
        parent, _, name = path.rpartition("/")
        siblings = self.define(parent, "Scope")[0].children if parent else self.top
        specifier = "class" if name == PROTOTYPES else "def"
        return self._add(Prim(path, name, specifier, type_name), siblings), True

    def over(self, path: str) -> Prim:
        """The prim at ``path``, an opinion about one of another layer if it is not here."""
        prim = self.prims.get(path)
        if prim is not None:
            return prim
        parent, _, name = path.rpartition("/")
        return self._add(
            Prim(path, name, "over"), self.over(parent).children if parent else self.top
        )

    def _add(self, prim: Prim, siblings: dict[str, Prim]) -> Prim:
        self.prims[prim.path] = siblings[prim.name] = prim
        return prim

    def set(
        self,
        prim: Prim,
        name: str,
        type_name: str,
        value: Any,
        *,
        uniform: bool = False,
        custom: bool = False,
        fallback: Any = None,
        interpolation: str = "",
        element_size: int = 1,
    ) -> None:
        """Set an attribute.

        Args:
            prim: the prim that has it.
            name: its name.
            type_name: name of its Sdf value type.
            value: see :class:`Values`.
            uniform: whether it cannot vary over time.
            custom: whether no schema knows it.
            fallback: what the schema falls back to: nothing is authored while no
                other value is given.
            interpolation: of a primvar or of normals.
            element_size: how many values a primvar has for each element.
        """
        kind = Kind(name, type_name, "default", uniform, custom, interpolation, element_size)
        if self.frame is not None and not uniform:
            self._observe(prim, kind, value, fallback)
        elif fallback is None or value != fallback:
            prim.kinds.append(kind)
            prim.values.append(self._kept(value, type_name))

    def set_until_now(self, prim: Prim, name: str, type_name: str, value: Any) -> None:
        """Say what an attribute was before this frame, if nothing has been said of it yet."""
        first = self._first_frame
        if first is None or first == self.frame or (prim.path, name) in self._attributes:
            return
        attribute = _Attribute(self._kept(value, type_name), first, authored=True)
        self._attributes[prim.path, name] = (prim, Kind(name, type_name), attribute)

    def set_samples(
        self, prim: Prim, name: str, type_name: str, samples: Mapping[float, Any]
    ) -> None:
        """Set an attribute, of no array type, to values at frames, which ascend."""
        frames = list(samples)
        kept = [self._kept(value, type_name) for value in samples.values()]
        attribute = _Attribute(kept[0], frames[0], authored=True)
        for before, frame, value in zip(frames, frames[1:], kept[1:], strict=False):
            attribute.take(value, frame, before)
        self._attributes[prim.path, name] = (prim, Kind(name, type_name), attribute)

    def set_primvar(self, prim: Prim, primvar: Primvar) -> None:
        """Set a primvar and its indices."""
        name = f"primvars:{primvar.name}"
        self.set(prim, name, primvar.type, primvar.values, interpolation=primvar.interpolation)
        if primvar.indices is not None:
            self.set(prim, f"{name}:indices", "int[]", primvar.indices)

    def set_properties(self, prim: Prim, properties: Mapping[str, Property]) -> None:
        """Set custom properties as ``userProperties:…``, as Blender's exporter does."""
        for name in sorted(properties):
            type_name, value = _property(properties[name])
            self.set(prim, f"userProperties:{name}", type_name, value, custom=True)

    def set_image(self, prim: Prim, name: str, file: str, color_space: str) -> None:
        """Set an attribute to an image, in a colour space or "" for its own; for a new prim."""
        kind = Kind(name, "asset", color_space=color_space)
        prim.add(kind, self._kept(file, "asset"))

    def connect(self, prim: Prim, name: str, type_name: str, output: str) -> None:
        """Connect an attribute to the one at the path ``output``; call it for a new prim alone."""
        prim.add(Kind(name, type_name, "connectionPaths"), (output,))

    def declare(self, prim: Prim, name: str, type_name: str) -> None:
        """Make an attribute without a value, an output; call it for a new prim alone."""
        prim.add(Kind(name, type_name, ""))

    def relate(self, prim: Prim, name: str, *targets: str) -> None:
        """Make a relationship to ``targets``; call it for a new prim alone."""
        prim.add(Kind(name, "", "targetPaths"), targets)

    def apply_schemas(self, prim: Prim, *names: str) -> None:
        """Apply API schemas; call it once for a prim and a schema."""
        prim.schemas += names

    def instance(self, prim: Prim, prototype: str) -> None:
        """Make a prim an instance of the prim at the path ``prototype``.

        It inherits: a reference would not see what other layers, the look among
        them, say about the prototype.
        """
        prim.prototype = prototype

    def settle(self) -> None:
        """Make properties of what was observed over time; call it once, at the end."""
        for prim, kind, attribute in self._attributes.values():
            if attribute.samples:
                prim.add(kind._replace(field="timeSamples"), attribute.samples)
            elif attribute.authored:
                prim.add(kind, attribute.value)
        self._attributes.clear()

    def _observe(self, prim: Prim, kind: Kind, value: Any, fallback: Any) -> None:
        """Keep a value given at ``frame``, if it is another one than before."""
        frame = self.frame or 0.0
        content = self._kept(value, kind.type_name)
        known = self._attributes.get((prim.path, kind.name))
        if known is None:
            authored = fallback is None or value != fallback
            attribute = _Attribute(content, frame, authored)
            self._attributes[prim.path, kind.name] = (prim, kind, attribute)
            return
        known[2].take(content, frame, self._frame_before)


def _property(value: Property) -> tuple[str, Any]:
    """The Sdf type of a custom property, and its value."""
    if isinstance(value, bool):
        return "bool", value
    if isinstance(value, int):
        return ("int" if -(2**31) <= value < 2**31 else "int64"), value
    if isinstance(value, float):
        return "double", value
    if isinstance(value, str):
        return "string", value
    if value and all(isinstance(item, bool) for item in value):
        return "bool[]", np.array(value, np.bool_)
    if all(isinstance(item, int) for item in value):
        return "int[]", np.array(value, np.int32)
    return "double[]", np.array(value, np.float64)
