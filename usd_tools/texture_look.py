# SPDX-License-Identifier: GPL-3.0-or-later
"""A texture set as an asset: its material, bound to a card of one tile at its true size."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

# Before all else that needs pxr: it says what to do where there is none.
from .runtime import require_pxr

# isort: split
from pxr import Sdf

from ..jobs.events import Job
from .asset import AssetFiles, place_asset
from .direct.records import (
    Constant,
    Expression,
    MaterialRecord,
    MeshRecord,
    Operation,
    Primvar,
    Property,
    Record,
    StageRecord,
    Texture,
    XformRecord,
)
from .direct.stream_writer import write_stream

_HALF = 0.5
"""Opacity from which on a point of a set is there: its maps tell holes, not glass."""


@dataclass(frozen=True)
class TextureMaps:
    """The maps of one tile.

    Args:
        name: of the asset, a valid prim name.
        files: ``basecolor``, ``normal``, ``roughness``, ``metallic``, ``height``, ``ao``, and
            where there are such ``emission`` and ``opacity``.
        size: of the tile, width and height, metres.
        height_range: from the lowest to the highest point, metres.
        directx: whether the normal map's green is down.
        properties: what else is known; custom properties of the material.
        emission_strength: how many times as bright as white an emission of 1 is.
    """

    name: str
    files: Mapping[str, Path]
    size: tuple[float, float]
    height_range: float
    directx: bool = False
    properties: Mapping[str, Property] = field(default_factory=dict)
    emission_strength: float = 1.0


def author_texture_asset(maps: TextureMaps, root: Path) -> Job[AssetFiles]:
    """Write the asset of a texture set: UsdPreviewSurface with occlusion, and OpenPBR.

    Args:
        maps: the set.
        root: the root layer to write; see :func:`.asset.place_asset`.

    Raises:
        StagewrightError: those of :func:`.asset.place_asset`.
    """
    require_pxr()
    geometry, look = Sdf.Layer.CreateAnonymous(".usda"), Sdf.Layer.CreateAnonymous(".usda")
    top = f"/{maps.name}"
    material = material_of(maps, f"{top}/_materials/{maps.name}")
    records: list[Record] = [
        StageRecord(maps.name),
        XformRecord(f"{top}/card", ""),
        _card(maps, top),
        material,
    ]
    yield from write_stream((each for each in records), geometry, look)
    return (yield from place_asset(geometry, look, root, name=maps.name, base=root.parent))


def material_of(maps: TextureMaps, path: str) -> MaterialRecord:
    """The material of a set at a prim path; its UVs are tiles."""
    data = {n: Texture(str(maps.files[n].absolute()), raw=True) for n in maps.files}
    base = Texture(str(maps.files["basecolor"].absolute()))
    normal: Expression = data["normal"]
    if maps.directx:
        flipped = Operation("multiply", (normal, Constant((1.0, -1.0, 1.0))), 3)
        normal = Operation("add", (flipped, Constant((0.0, 1.0, 0.0))), 3)
    optional: dict[str, Expression] = {}
    if "emission" in maps.files:
        optional["Emission Color"] = Texture(str(maps.files["emission"].absolute()))
        optional["Emission Strength"] = Constant((maps.emission_strength,))
    if "opacity" in maps.files:
        optional["Alpha"] = _number(data["opacity"])
    above = Operation("subtract", (_number(data["height"]), Constant((0.5,))), 1)
    return MaterialRecord(
        path,
        maps.name,
        inputs={
            "Base Color": Operation("multiply", (base, data["ao"]), 3),
            "Roughness": _number(data["roughness"]),
            "Metallic": _number(data["metallic"]),
            "Normal": Operation("normal_map", (normal, Constant((1.0,))), 3),
            **optional,
        },
        displacement=Operation("multiply", (above, Constant((maps.height_range,))), 1),
        cutout=_HALF if "opacity" in maps.files else 0.0,
        properties=maps.properties,
    )


def _number(texture: Texture) -> Expression:
    return Operation("extract", (texture, Constant((0.0,))), 1)


def _card(maps: TextureMaps, top: str) -> MeshRecord:
    corners = np.array([(0, 0), (1, 0), (1, 1), (0, 1)], np.float32)
    across = corners * np.array(maps.size, np.float32)
    return MeshRecord(
        f"{top}/card/card",
        "card",
        points=np.column_stack([across, np.zeros(4)]).astype(np.float32),
        face_vertex_counts=np.array([4], np.int32),
        face_vertex_indices=np.arange(4, dtype=np.int32),
        primvars=(Primvar("st", "texCoord2f[]", "vertex", corners),),
        material=f"{top}/_materials/{maps.name}",
    )
