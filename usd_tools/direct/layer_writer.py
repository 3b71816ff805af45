# SPDX-License-Identifier: GPL-3.0-or-later
"""Prims and attributes in one layer, with time samples only where values change."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pxr import Sdf, Vt

from .arrays import sdf_type, vt_array
from .records import PROTOTYPES, Primvar, Property


@dataclass
class _Track:
    """What one attribute was last given.

    Attributes:
        digest: of the last value.
        first: frame of the first value.
        last: the last frame at which the value was seen.
    """

    digest: bytes
    first: float
    last: float


@dataclass(frozen=True)
class _Spec:
    """An attribute to be: the arguments of ``LayerWriter.set``."""

    prim: Sdf.PrimSpec
    name: str
    type_name: str
    uniform: bool
    custom: bool
    metadata: Mapping[str, Any]
    fallback: Any = None


class LayerWriter:
    """Authors specs into ``layer``.

    A value given at one frame becomes the default; when it differs at a later
    frame both become time samples. A value that rests for a while and then
    moves on is sampled at both ends of its rest, since USD interpolates.

    Attributes:
        layer: the layer.
        frame: the frame of the values that are given, or None for a static stage.
    """

    def __init__(self, layer: Sdf.Layer) -> None:
        self.layer = layer
        self.frame: float | None = None
        self._tracks: dict[tuple[Sdf.Path, str], _Track] = {}
        self._defined: dict[str, Sdf.PrimSpec] = {}

    def define(self, path: str, type_name: str) -> tuple[Sdf.PrimSpec, bool]:
        """The prim at ``path``, and whether it is new; ancestors not yet there become scopes."""
        spec = self._defined.get(path)
        if spec is not None:
            return spec, False
        parent, _, name = path.rpartition("/")
        place = self.define(parent, "Scope")[0] if parent else self.layer
        specifier = Sdf.SpecifierClass if name == PROTOTYPES else Sdf.SpecifierDef
        spec = Sdf.PrimSpec(place, name, specifier, type_name)
        self._defined[path] = spec
        return spec, True

    def set(
        self,
        prim: Sdf.PrimSpec,
        name: str,
        type_name: str,
        value: Any,
        *,
        uniform: bool = False,
        custom: bool = False,
        fallback: Any = None,
        **metadata: Any,
    ) -> None:
        """Set an attribute to one value (a scalar, tuple, string or Gf value).

        While only ``fallback`` was given, which is what the schema falls back to,
        nothing is authored.
        """
        spec = _Spec(prim, name, type_name, uniform, custom, metadata, fallback)
        self._set(spec, value, repr(value))

    def set_array(
        self,
        prim: Sdf.PrimSpec,
        name: str,
        type_name: str,
        values: NDArray[np.generic],
        *,
        uniform: bool = False,
        **metadata: Any,
    ) -> None:
        """Set an attribute to an array (see :func:`.arrays.vt_array`)."""
        self._set(_Spec(prim, name, type_name, uniform, False, metadata), values, values)

    def set_tokens(self, prim: Sdf.PrimSpec, name: str, values: tuple[str, ...]) -> None:
        """Set a uniform attribute to an array of tokens."""
        self.set(prim, name, "token[]", Vt.TokenArray(values), uniform=True)

    def set_primvar(self, prim: Sdf.PrimSpec, primvar: Primvar) -> None:
        """Set a primvar and its indices."""
        name = f"primvars:{primvar.name}"
        self.set_array(
            prim, name, primvar.type, primvar.values, interpolation=primvar.interpolation
        )
        if primvar.indices is not None:
            self.set_array(prim, f"{name}:indices", "int[]", primvar.indices)

    def set_properties(self, prim: Sdf.PrimSpec, properties: Mapping[str, Property]) -> None:
        """Set custom properties as ``userProperties:…``, as Blender's exporter does."""
        for name in sorted(properties):
            type_name, value = _property(properties[name])
            self.set(prim, f"userProperties:{name}", type_name, value, custom=True)

    def relate(self, prim: Sdf.PrimSpec, name: str, *targets: str) -> None:
        """Make a relationship to ``targets``; one that is there is left as it is."""
        if name in prim.relationships:
            return
        relationship = Sdf.RelationshipSpec(prim, name, False)
        relationship.targetPathList.explicitItems = [Sdf.Path(t) for t in targets]

    def apply_schemas(self, prim: Sdf.PrimSpec, *names: str) -> None:
        """Apply API schemas to a prim that has none yet."""
        prim.SetInfo("apiSchemas", Sdf.TokenListOp.Create(prependedItems=list(names)))

    def _set(self, spec: _Spec, value: Any, fingerprint: str | NDArray[np.generic]) -> None:
        if self.frame is None:
            if spec.fallback is None or value != spec.fallback:
                self._make(spec, value)
            return
        key = (spec.prim.path, spec.name)
        digest = _digest(fingerprint)
        track = self._tracks.get(key)
        if track is None:
            if spec.fallback is None or value != spec.fallback:
                self._make(spec, value)
            self._tracks[key] = _Track(digest, self.frame, self.frame)
        elif track.digest == digest:
            track.last = self.frame
        else:
            self._sample(spec, value, track)
            track.digest, track.last = digest, self.frame

    def _make(self, spec: _Spec, value: Any) -> Sdf.AttributeSpec:
        variability = Sdf.VariabilityUniform if spec.uniform else Sdf.VariabilityVarying
        type_name = sdf_type(spec.type_name)
        made = Sdf.AttributeSpec(spec.prim, spec.name, type_name, variability, spec.custom)
        made.default = _converted(value, spec.type_name)
        for key, item in spec.metadata.items():
            made.SetInfo(key, item)
        return made

    def _sample(self, spec: _Spec, value: Any, track: _Track) -> None:
        path = spec.prim.path.AppendProperty(spec.name)
        made = self.layer.GetAttributeAtPath(path) or self._make(spec, spec.fallback)
        if made.HasDefaultValue():
            before = made.default
            made.ClearDefaultValue()
            self.layer.SetTimeSample(path, track.first, before)
        else:
            _, _, latest = self.layer.GetBracketingTimeSamplesForPath(path, track.last)
            before = self.layer.QueryTimeSample(path, latest)
        if track.last != track.first:
            self.layer.SetTimeSample(path, track.last, before)
        self.layer.SetTimeSample(path, self.frame, _converted(value, spec.type_name))


def _converted(value: Any, type_name: str) -> Any:
    return vt_array(value, type_name) if isinstance(value, np.ndarray) else value


def _digest(value: str | NDArray[np.generic]) -> bytes:
    if isinstance(value, str):
        return value.encode()
    content = np.ascontiguousarray(value)
    return hashlib.blake2b(content.data, digest_size=16).digest() + str(value.shape).encode()


def _property(value: Property) -> tuple[str, Any]:
    """The Sdf type of a custom property, and its value."""
    if isinstance(value, bool):
        return "bool", value
    if isinstance(value, int):
        return ("int", value) if -(2**31) <= value < 2**31 else ("int64", value)
    if isinstance(value, float):
        return "double", value
    if isinstance(value, str):
        return "string", value
    if value and all(isinstance(item, int) for item in value):
        return "int[]", Vt.IntArray(value)
    return "double[]", Vt.DoubleArray([float(item) for item in value])
