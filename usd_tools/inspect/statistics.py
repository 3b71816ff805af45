# SPDX-License-Identifier: GPL-3.0-or-later
"""A stage in numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pxr import Sdf, Usd, UsdShade, UsdUtils

from ..images import image_size
from ..stage_meshes import material_name
from .layers import found_files

# Bytes of a pixel in a renderer's memory: four channels of 8 bits, no mipmaps.
_PIXEL = 4


@dataclass
class PrimCounts:
    """What prims add up to; those within instances count once for each instance.

    Attributes:
        prims: by type name, "" for untyped ones.
        polygons: faces of all meshes.
        points: points of all meshes.
        instances: instances, and copies by point instancers.
        materials: names of materials.
    """

    prims: Counter[str] = field(default_factory=Counter)
    polygons: int = 0
    points: int = 0
    instances: int = 0
    materials: set[str] = field(default_factory=set)

    def add(self, other: PrimCounts) -> None:
        """Take in ``other``."""
        self.prims.update(other.prims)
        self.polygons += other.polygons
        self.points += other.points
        self.instances += other.instances
        self.materials |= other.materials


@dataclass(frozen=True)
class Statistics:
    """A stage in numbers.

    Attributes:
        prims: number of prims by type name, sorted.
        polygons, points, instances: as in :class:`PrimCounts`.
        materials: number of materials.
        textures: number of different image files.
        texture_memory: bytes of their pixels as RGBA of 8 bits each.
        time_samples: number of time samples in all used layers.
        layers: bytes on disk of each used layer, by identifier.
        broken: number of files named, layers included, that are not there.
    """

    prims: Mapping[str, int]
    polygons: int
    points: int
    instances: int
    materials: int
    textures: int
    texture_memory: int
    time_samples: int
    layers: Mapping[str, int]
    broken: int


def statistics(stage: Usd.Stage) -> Statistics:
    """Count what ``stage`` shows now: its selected variants and loaded payloads."""
    counts = prim_counts(stage)
    layers = [layer for layer in stage.GetUsedLayers(True) if not layer.anonymous]
    files = [found for layer in layers for found in _named_files(layer)]
    sizes = {file: image_size(Path(file)) for found in files for file in found}
    pixels = [size for size in sizes.values() if size is not None]
    return Statistics(
        prims=dict(sorted(counts.prims.items())),
        polygons=counts.polygons,
        points=counts.points,
        instances=counts.instances,
        materials=len(counts.materials),
        textures=len(pixels),
        texture_memory=sum(_PIXEL * width * height for width, height in pixels),
        time_samples=sum(_time_samples(layer) for layer in layers),
        layers={layer.identifier: _size(layer) for layer in layers},
        broken=sum(not found for found in files),
    )


def prim_counts(stage: Usd.Stage) -> PrimCounts:
    """Count the active, loaded, defined prims of ``stage``."""
    prototypes: dict[Sdf.Path, PrimCounts] | None = {} if stage.GetPrototypes() else None
    return _count(stage.Traverse(), prototypes)


def _count(prims: Iterable[Usd.Prim], prototypes: dict[Sdf.Path, PrimCounts] | None) -> PrimCounts:
    """Count ``prims``; ``prototypes`` holds those counted already, None where there are none."""
    time = Usd.TimeCode.EarliestTime()
    counts = PrimCounts()
    types = counts.prims
    for prim in prims:
        name = prim.GetTypeName()
        types[name] += 1
        if name == "Mesh":
            counts.polygons += len(prim.GetAttribute("faceVertexCounts").Get(time) or ())
            counts.points += len(prim.GetAttribute("points").Get(time) or ())
        elif name == "PointInstancer":
            counts.instances += len(prim.GetAttribute("protoIndices").Get(time) or ())
        elif name == "Material":
            counts.materials.add(material_name(UsdShade.Material(prim)))
        if prototypes is not None and prim.IsInstance():
            counts.instances += 1
            prototype = prim.GetPrototype()
            path = prototype.GetPath()
            if path not in prototypes:  # each is walked once, whatever its number of instances
                below = iter(Usd.PrimRange(prototype))
                next(below)  # stands for the instance itself, which is counted
                prototypes[path] = _count(below, prototypes)
            counts.add(prototypes[path])
    return counts


def _named_files(layer: Sdf.Layer) -> list[tuple[str, ...]]:
    """The files that each asset path of ``layer`` stands for; USD finds the paths fastest."""
    named = UsdUtils.ExtractExternalReferences(layer.identifier)
    return [found_files(layer, path) for paths in named for path in paths]


def _time_samples(layer: Sdf.Layer) -> int:
    if not layer.ListAllTimeSamples():
        return 0
    paths: list[Sdf.Path] = []
    layer.Traverse(Sdf.Path.absoluteRootPath, paths.append)
    return sum(layer.GetNumTimeSamplesForPath(path) for path in paths if path.IsPropertyPath())


def _size(layer: Sdf.Layer) -> int:
    file = Path(layer.realPath)
    return file.stat().st_size if file.is_file() else 0  # or it lies in a package
