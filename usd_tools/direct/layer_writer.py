# SPDX-License-Identifier: GPL-3.0-or-later
"""Prims and attributes of one layer, with time samples only where values change.

Making a spec from Python costs more than parsing its line of usda text. So
prims, and values that are not arrays, are kept as text, which USD's own parser
reads at the end; arrays are kept as USD's own and set then, without a copy.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter
from typing import Any

import numpy as np
from pxr import Sdf

from ...jobs.events import Job, Progress
from .arrays import vt_array
from .records import PROTOTYPES, Primvar, Property
from .text import quoted, value_text

# Arrays set between two reports of progress.
_STRIDE = 20_000
# An array of up to so many numbers is parsed sooner than it is set.
_FEW = 6


@dataclass(slots=True, eq=False)
class Prim:
    """A prim to be: its lines of text.

    Attributes:
        path: absolute path.
        name: last part of it.
        opening: specifier, type and name.
        metadata: lines of metadata.
        schemas: names of the API schemas applied.
        properties: lines of properties.
        children: names to prims.
    """

    path: str
    name: str
    opening: str
    metadata: list[str] = field(default_factory=list)
    schemas: tuple[str, ...] = ()
    properties: list[str] = field(default_factory=list)
    children: dict[str, Prim] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class _Attribute:
    """An attribute that may get time samples.

    Attributes:
        value: given last, as text or a Vt array.
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
    """Collects what one layer will hold; :meth:`finish` puts it there.

    A value holds until another one is given at a later frame. One that never
    changes becomes a default; else there are time samples, at both ends of every
    rest, since USD interpolates.

    Attributes:
        metadata: lines of layer metadata.
        frame: the frame of the values that are given, or None for a static stage.
        look: the writer of what says how things look: another layer's, or this one.
        references: the writer of references to published assets, another or this one.
    """

    def __init__(
        self, look: LayerWriter | None = None, references: LayerWriter | None = None
    ) -> None:
        self.look = look or self
        self.references = references or self
        self.metadata: list[str] = []
        self.frame: float | None = None
        self._frame_before = 0.0
        self._first_frame: float | None = None
        self._prims: dict[str, Prim] = {}
        self._top: dict[str, Prim] = {}
        self._arrays: list[tuple[Prim, str, Any]] = []
        self._attributes: dict[tuple[str, str], tuple[Prim, str, str, _Attribute]] = {}

    def begin_frame(self, frame: float) -> None:
        """Take all that is set from now on as values at ``frame``, which is after the last one."""
        if self._first_frame is None:
            self._first_frame = frame
        self._frame_before = frame if self.frame is None else self.frame
        self.frame = frame

    def define(self, path: str, type_name: str) -> tuple[Prim, bool]:
        """The prim at ``path``, and whether it is new; ancestors not yet there become scopes."""
        prim = self._prims.get(path)
        if prim is not None:
            return prim, False
        parent, _, name = path.rpartition("/")
        siblings = self.define(parent, "Scope")[0].children if parent else self._top
        specifier = "class" if name == PROTOTYPES else "def"
        return self._add(path, name, f'{specifier} {type_name} "{name}"', siblings), True

    def over(self, path: str) -> Prim:
        """The prim at ``path``, an opinion about one of another layer if it is not here."""
        prim = self._prims.get(path)
        if prim is not None:
            return prim
        parent, _, name = path.rpartition("/")
        return self._add(
            path, name, f'over "{name}"', self.over(parent).children if parent else self._top
        )

    def _add(self, path: str, name: str, opening: str, siblings: dict[str, Prim]) -> Prim:
        prim = Prim(path, name, opening)
        self._prims[path] = siblings[name] = prim
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
            value: see :func:`.text.value_text`; for array types an array, see
                :func:`.arrays.vt_array`.
            uniform: whether it cannot vary over time.
            custom: whether no schema knows it.
            fallback: what the schema falls back to: nothing is authored while no
                other value is given.
            interpolation: of a primvar or of normals.
            element_size: how many values a primvar has for each element.
        """
        is_array = isinstance(value, np.ndarray) and type_name.endswith("[]")
        if self.frame is not None and not uniform:
            opening = f"{'custom ' if custom else ''}{type_name} {name}"
            ending = _ending(interpolation, element_size)
            self._observe(prim, name, opening, ending, type_name, value, fallback, is_array)
            return
        if fallback is not None and value == fallback:
            return
        opening = f"{'custom ' if custom else ''}{'uniform ' if uniform else ''}{type_name} {name}"
        if is_array and value.size > _FEW:
            prim.properties.append(opening + _ending(interpolation, element_size))
            self._arrays.append((prim, name, vt_array(value, type_name)))
        else:
            text = value_text(value, type_name)
            prim.properties.append(f"{opening} = {text}{_ending(interpolation, element_size)}")

    def set_until_now(self, prim: Prim, name: str, type_name: str, value: Any) -> None:
        """Say what an attribute was before this frame, if nothing has been said of it yet."""
        first = self._first_frame
        if first is None or first == self.frame or (prim.path, name) in self._attributes:
            return
        is_array = isinstance(value, np.ndarray) and type_name.endswith("[]")
        content = vt_array(value, type_name) if is_array else value_text(value, type_name)
        attribute = _Attribute(content, first, authored=True)
        self._attributes[prim.path, name] = (prim, f"{type_name} {name}", "", attribute)

    def set_samples(
        self, prim: Prim, name: str, type_name: str, samples: Mapping[float, Any]
    ) -> None:
        """Set an attribute, of no array type, to values at frames, which ascend."""
        frames = list(samples)
        texts = [value_text(value, type_name) for value in samples.values()]
        attribute = _Attribute(texts[0], frames[0], authored=True)
        for before, frame, text in zip(frames, frames[1:], texts[1:], strict=False):
            attribute.take(text, frame, before)
        self._attributes[prim.path, name] = (prim, f"{type_name} {name}", "", attribute)

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

    def connect(self, prim: Prim, name: str, type_name: str, output: str) -> None:
        """Connect an attribute to the one at the path ``output``; call it for a new prim alone."""
        prim.properties.append(f"{type_name} {name}.connect = <{output}>")

    def declare(self, prim: Prim, name: str, type_name: str) -> None:
        """Make an attribute without a value, an output; call it for a new prim alone."""
        prim.properties.append(f"{type_name} {name}")

    def relate(self, prim: Prim, name: str, *targets: str) -> None:
        """Make a relationship to ``targets``; call it for a new prim alone."""
        prim.properties.append(f"rel {name} = {_paths(targets)}")

    def apply_schemas(self, prim: Prim, *names: str) -> None:
        """Apply API schemas; call it once for a prim and a schema."""
        prim.schemas += names

    def instance(self, prim: Prim, prototype: str) -> None:
        """Make a prim an instance of the prim at the path ``prototype``.

        It inherits: a reference would not see what other layers, the look among
        them, say about the prototype.
        """
        prim.metadata += ["instanceable = true", f"prepend inherits = <{prototype}>"]

    def finish(self, layer: Sdf.Layer) -> Job[None]:
        """Put everything into ``layer``, in place of what it holds."""
        yield Progress("usd.author", 0.0, "Authoring the prims")
        samples = list(self._settle())
        if not layer.ImportFromString("".join(self._text())):
            raise ValueError("USD does not read the text of the layer")
        count = len(self._arrays) + len(samples)
        done = 0
        for part in _parts(self._arrays):
            yield Progress("usd.author", done / count, "Authoring the values")
            with Sdf.ChangeBlock():  # nobody listens to the notices, but each costs time
                for prim, values in groupby(part, itemgetter(0)):
                    place = Sdf.Path(prim.path)  # parsing a path takes longer than adding to it
                    for _, name, value in values:
                        layer.GetAttributeAtPath(place.AppendProperty(name)).default = value
            done += len(part)
        for some in _parts(samples):
            yield Progress("usd.author", done / count, "Authoring the time samples")
            with Sdf.ChangeBlock():
                for path, frame, value in some:
                    layer.SetTimeSample(path, frame, value)
            done += len(some)

    def _observe(
        self,
        prim: Prim,
        name: str,
        opening: str,
        ending: str,
        type_name: str,
        value: Any,
        fallback: Any,
        is_array: bool,
    ) -> None:
        """Keep a value given at ``frame``, if it is another one than before."""
        frame = self.frame or 0.0
        content = vt_array(value, type_name) if is_array else value_text(value, type_name)
        key = (prim.path, name)
        if key not in self._attributes:
            authored = is_array or fallback is None or value != fallback
            attribute = _Attribute(content, frame, authored)
            self._attributes[key] = (prim, opening, ending, attribute)
            return
        self._attributes[key][3].take(content, frame, self._frame_before)

    def _settle(self) -> Iterator[tuple[Sdf.Path, float, Any]]:
        """Turn what was observed into lines and arrays; the arrays that change are returned."""
        for (path, name), (prim, opening, ending, attribute) in self._attributes.items():
            value, samples = attribute.value, attribute.samples
            if not attribute.authored:
                continue
            if isinstance(value, str) and samples:
                texts = ", ".join(f"{frame!r}: {text}" for frame, text in samples.items())
                if ending:
                    prim.properties.append(opening + ending)
                prim.properties.append(f"{opening}.timeSamples = {{{texts}}}")
            elif isinstance(value, str):
                prim.properties.append(f"{opening} = {value}{ending}")
            else:
                prim.properties.append(opening + ending)
                if samples:
                    place = Sdf.Path(f"{path}.{name}")
                    yield from ((place, frame, array) for frame, array in samples.items())
                else:
                    self._arrays.append((prim, name, value))
        self._attributes.clear()

    def _text(self) -> Iterator[str]:
        yield "#usda 1.0\n(\n"
        yield "\n".join(self.metadata)
        yield "\n)\n"
        # No recursion: a hierarchy may be deeper than Python's stack.
        pending: list[Prim | None] = list(reversed(self._top.values()))
        while pending:
            prim = pending.pop()
            if prim is None:
                yield "}\n"
                continue
            yield prim.opening
            metadata = prim.metadata
            if prim.schemas:
                schemas = ", ".join(map(quoted, prim.schemas))
                metadata = [*metadata, f"prepend apiSchemas = [{schemas}]"]
            if metadata:
                lines = "\n".join(metadata)
                yield f" (\n{lines}\n)"
            yield "\n{\n"
            if prim.properties:
                yield "\n".join(prim.properties)
                yield "\n"
            pending.append(None)
            pending.extend(reversed(prim.children.values()))


def _ending(interpolation: str, element_size: int) -> str:
    size = f"elementSize = {element_size}; " if element_size > 1 else ""
    return f' ({size}interpolation = "{interpolation}")' if interpolation else ""


def _paths(targets: Iterable[str]) -> str:
    paths = ", ".join(f"<{target}>" for target in targets)
    return paths if paths.count("<") == 1 else f"[{paths}]"


def _parts(items: list[Any]) -> Iterator[list[Any]]:
    for start in range(0, len(items), _STRIDE):
        yield items[start : start + _STRIDE]


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
