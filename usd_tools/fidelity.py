# SPDX-License-Identifier: GPL-3.0-or-later
"""Compare a stage with the scene that it was made of.

No schema rule notices an empty mesh where a leaf should be. Here the points,
the materials and the objects of the file are held against Blender's own; the
comparison is strict, and what differs is a loss named by its object.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pxr import Usd, UsdGeom, UsdLux, UsdSkel, UsdVol

from ..jobs.events import Job, Progress
from .findings import Finding
from .material_fidelity import compare_materials
from .mesh_fidelity import compare_meshes
from .references import is_reference
from .scene_record import ObjectRecord, SceneRecord
from .settings_fidelity import compare_settings
from .stage_meshes import StageMeshes
from .stages import object_name, open_stage
from .use_fidelity import compare_uses
from .world_fidelity import compare_world


@dataclass(frozen=True)
class Fidelity:
    """How well a file holds its scene; fields as in ``CheckReport``."""

    findings: tuple[Finding, ...]
    greatest_distance: float | None
    compared: int


def compare(root: Path, record: SceneRecord) -> Job[Fidelity]:
    """Compare the stage of the layer ``root`` with the scene.

    Args:
        root: an absolute path.
        record: the scene.

    Returns:
        Losses of meshes, objects and materials.

    Raises:
        StagewrightError: ``asset-unreadable``.
    """
    stage = open_stage(root)
    prims = _by_object(record, stage)
    findings = [
        *_compare_objects(record, prims),
        *compare_settings(record, prims, stage),
        *compare_materials(record, stage),
        *compare_world(record, stage),
    ]
    yield Progress("check.meshes", 0.4, "Reading the meshes")
    meshes = StageMeshes(stage, record.aliases, record.frames, record.meters_per_unit)
    result = yield from compare_meshes(record, meshes)
    findings += [*result.findings, *compare_uses(record, meshes)]
    return Fidelity(tuple(findings), result.greatest_distance, len(result.compared))


def _is_light(prim: Usd.Prim) -> bool:
    return bool(prim.HasAPI(UsdLux.LightAPI))


def _is_shape(prim: Usd.Prim) -> bool:
    return bool(prim.IsA(UsdGeom.Boundable)) and not _is_light(prim)


# What has to be at or below the prim of an object, by its type in Blender; the
# meshes of other types are compared point by point.
_COUNTERPARTS: dict[str, tuple[str, Callable[[Usd.Prim], bool]]] = {
    "CAMERA": ("camera", lambda prim: bool(prim.IsA(UsdGeom.Camera))),
    "LIGHT": ("light", _is_light),
    "ARMATURE": ("skeleton", lambda prim: bool(prim.IsA(UsdSkel.Skeleton))),
    "CURVE": ("curve", _is_shape),
    "CURVES": ("curves", _is_shape),
    "POINTCLOUD": ("points", _is_shape),
    "VOLUME": ("volume", lambda prim: bool(prim.IsA(UsdVol.Volume))),
    "GREASEPENCIL": ("strokes", _is_shape),
}

_OBJECT_CURES = {
    "CAMERA": "Use a perspective camera; orthographic and panoramic ones are not written.",
    "CURVE": "Convert {name} to a mesh in Blender (Object > Convert > Mesh).",
    "CURVES": "Convert {name} to a mesh in Blender (Object > Convert > Mesh).",
}


def _by_object(record: SceneRecord, stage: Usd.Stage) -> Mapping[str, list[Usd.Prim]]:
    """The prims of each object: its own and those below it that are no other's."""
    prims: dict[str, list[Usd.Prim]] = defaultdict(list)
    every = iter(Usd.PrimRange.Stage(stage, Usd.TraverseInstanceProxies()))
    for prim in every:
        if is_reference(prim):
            every.PruneChildren()  # what is in it has names of another scene
        name = object_name(prim)
        prims[record.aliases.get(name, name)].append(prim)
    return prims


def _compare_objects(record: SceneRecord, prims: Mapping[str, list[Usd.Prim]]) -> Iterator[Finding]:
    """Objects of the scene without their counterpart in the stage."""
    for item in record.objects:
        found = prims.get(item.name, [])
        kind, fits = _COUNTERPARTS.get(item.type, ("", bool))
        if not found:
            message = f"The object {item.name} is missing in the file."
        elif kind and not any(map(fits, found)):
            message = f"The file holds no {kind} for {item.name}."
        else:
            yield from _compare_visibility(item, found, record.frames)
            continue
        cure = _OBJECT_CURES.get(item.type, "Show {name} in the viewport and export again.")
        yield Finding(
            "object-missing",
            "loss",
            message,
            cure.format(name=item.name),
            item.name,
            str(found[0].GetPath()) if found else "",
        )


def _compare_visibility(
    item: ObjectRecord, prims: list[Usd.Prim], frames: tuple[float, ...]
) -> Iterator[Finding]:
    """The first frame at which the file shows what the scene hides, or hides what it shows."""
    named = [prim for prim in prims if object_name(prim) == item.name]
    own = min(named, key=lambda prim: prim.GetPath().pathElementCount, default=None)
    if own is None or item.type in {"ARMATURE", "CAMERA"} or not own.IsA(UsdGeom.Imageable):
        return
    # What a parent shows itself may be hidden without its children.
    below = [prim for prim in named if prim.GetPath().HasPrefix(own.GetPath())]
    shapes = [prim for prim in below if prim.IsA(UsdGeom.Boundable)] or [own]
    for frame in frames:
        seen = any(
            UsdGeom.Imageable(shape).ComputeVisibility(frame) != UsdGeom.Tokens.invisible
            for shape in shapes
        )
        if seen == (frame in item.hidden):
            yield Finding(
                "object-visibility",
                "loss",
                f"The file {'shows' if seen else 'hides'} {item.name} at frame {frame:g}.",
                f"Keep Show in Renders of {item.name} the same at all frames.",
                item.name,
                str(own.GetPath()),
                value=frame,
            )
            return
