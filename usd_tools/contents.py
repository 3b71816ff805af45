# SPDX-License-Identifier: GPL-3.0-or-later
"""What an asset contains, in numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pxr import Usd, UsdGeom

from .files_check import walk
from .images import image_size
from .inspect.statistics import prim_counts
from .stages import open_stage


@dataclass(frozen=True)
class LayerContents:
    """One layer: file name and size in bytes."""

    name: str
    size: int


@dataclass(frozen=True)
class TextureContents:
    """One texture or volume: file name, size in bytes, resolution in pixels if known."""

    name: str
    size: int
    resolution: tuple[int, int] | None


@dataclass(frozen=True)
class Contents:
    """What a composed asset contains.

    Attributes:
        prims: number of prims by type name (``""`` for untyped ones), sorted;
            prims within instances count once for each instance.
        polygons: faces of all meshes, those within instances once for each.
        points: points of all meshes, those within instances once for each.
        instances: instanceable prims and copies by point instancers.
        materials: names of the materials, sorted.
        layers: the layers, the root first.
        textures: the textures and volumes, sorted by name.
        frames: first and last time code, or None for a still asset.
        frames_per_second: time codes per second.
        size: width, depth and height of the bounding box at the first frame,
            in the stage's own units and axes; zeros when it is empty.
        up_axis: ``"Y"`` or ``"Z"``.
        metres_per_unit: length of one unit of the stage.
    """

    prims: Mapping[str, int]
    polygons: int
    points: int
    instances: int
    materials: tuple[str, ...]
    layers: tuple[LayerContents, ...]
    textures: tuple[TextureContents, ...]
    frames: tuple[float, float] | None
    frames_per_second: float
    size: tuple[float, float, float]
    up_axis: str
    metres_per_unit: float


def contents(root: Path) -> Contents:
    """Count what the asset of the layer ``root`` contains.

    Raises:
        StagewrightError: ``asset-unreadable``.
    """
    root = root.absolute()
    stage = open_stage(root)
    found = walk(root)
    counts = prim_counts(stage)
    return Contents(
        prims=dict(sorted(counts.prims.items())),
        polygons=counts.polygons,
        points=counts.points,
        instances=counts.instances,
        materials=tuple(sorted(counts.materials)),
        layers=tuple(LayerContents(f.name, f.stat().st_size) for f in found.layers),
        textures=tuple(
            TextureContents(f.name, f.stat().st_size, image_size(f))
            for f in sorted(found.files, key=lambda f: f.name)
        ),
        frames=_frames(stage),
        frames_per_second=stage.GetTimeCodesPerSecond(),
        size=_size(stage),
        up_axis=str(UsdGeom.GetStageUpAxis(stage)),
        metres_per_unit=UsdGeom.GetStageMetersPerUnit(stage),
    )


def _frames(stage: Usd.Stage) -> tuple[float, float] | None:
    if not stage.HasAuthoredTimeCodeRange():
        return None
    return stage.GetStartTimeCode(), stage.GetEndTimeCode()


def _size(stage: Usd.Stage) -> tuple[float, float, float]:
    """Size of the bounding box of what renders."""
    frames = _frames(stage)
    time = Usd.TimeCode(frames[0]) if frames else Usd.TimeCode.Default()
    cache = UsdGeom.BBoxCache(time, [UsdGeom.Tokens.default_, UsdGeom.Tokens.render])
    box = cache.ComputeWorldBound(stage.GetPseudoRoot()).ComputeAlignedRange()
    if box.IsEmpty():
        return 0.0, 0.0, 0.0
    width, depth, height = box.GetSize()
    return width, depth, height
