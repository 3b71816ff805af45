# SPDX-License-Identifier: GPL-3.0-or-later
"""Compare the world of a scene with the dome of a stage.

UsdLux: the radiance of a dome is its intensity times its colour times its image, whose middle
is seen along the dome's +Z and whose upper border along +Y.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from pxr import Usd, UsdGeom, UsdLux

from .findings import Finding
from .openpbr_fidelity import numbers_text
from .references import is_reference
from .scene_record import SceneRecord, WorldRecord
from .stage_meshes import to_scene
from .textures import image_name

_TOLERANCE = 1e-4
_CURE = "Make the world a Background with a colour or one image, and export again."

Value = tuple[float, ...]


def compare_world(record: SceneRecord, stage: Usd.Stage) -> Iterator[Finding]:
    """The first difference of each kind between the world and the dome of the stage.

    A dome that is not there is a loss where one is wanted.
    """
    dome = _dome(stage)
    told: set[str] = set()
    for world in record.world:
        if dome is None:
            if world.wanted and (world.light is None or any(world.light)) and not told:
                told.add("missing")
                yield Finding(
                    "world-missing",
                    "loss",
                    f"The file holds no dome light for the world {world.name}.",
                    _CURE,
                )
            continue
        for what, ours, theirs in _differences(world, dome):
            if what not in told:
                told.add(what)
                yield Finding(
                    "world-light",
                    "loss",
                    f"The {what} of the world {world.name} is {ours}, but {theirs} in the file at "
                    f"frame {world.frame:g}.",
                    _CURE,
                    prim=str(dome.GetPath()),
                    value=world.frame,
                )


def _dome(stage: Usd.Stage) -> UsdLux.DomeLight | None:
    """The stage's own dome, not one of an asset in it."""
    prims = iter(Usd.PrimRange.Stage(stage))
    for prim in prims:
        if is_reference(prim):
            prims.PruneChildren()
        elif prim.IsA(UsdLux.DomeLight):
            return UsdLux.DomeLight(prim)
    return None


def _differences(world: WorldRecord, dome: UsdLux.DomeLight) -> Iterator[tuple[str, str, str]]:
    if world.light is None:
        return
    time = Usd.TimeCode(world.frame)
    light = np.array(dome.GetColorAttr().Get(time)) * dome.GetIntensityAttr().Get(time)
    light = light * 2.0 ** dome.GetExposureAttr().Get(time)
    if UsdGeom.Imageable(dome).ComputeVisibility(time) == UsdGeom.Tokens.invisible:
        light = light * 0.0
    if not np.allclose(world.light, light, _TOLERANCE, 1e-6):
        yield "light", numbers_text(world.light), numbers_text(tuple(light.tolist()))
    file = dome.GetTextureFileAttr()
    image = image_name(file) if file.HasAuthoredValue() else ""
    if image != world.image:
        yield "image", world.image or "none", image or "none"
    elif image and world.middle:
        matrix = np.array(UsdGeom.Xformable(dome).ComputeLocalToWorldTransform(time))
        axes = (matrix @ to_scene(dome.GetPrim().GetStage(), 1.0))[:3, :3]
        for what, ours, axis in (("middle", world.middle, 2), ("top", world.top, 1)):
            theirs = axes[axis] / np.linalg.norm(axes[axis])
            if not np.allclose(ours, theirs, 0.0, _TOLERANCE):
                held = numbers_text(tuple(theirs.tolist()))
                yield f"direction of the {what}", numbers_text(ours), held
