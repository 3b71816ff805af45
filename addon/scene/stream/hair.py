# SPDX-License-Identifier: GPL-3.0-or-later
"""Hair of particle systems."""

from __future__ import annotations

from collections.abc import Iterator

import bpy
import numpy as np
from numpy.typing import NDArray

from ....usd_tools.direct.records import BasisCurvesRecord, Primvar
from ..reading import effective_materials
from .context import StreamContext


def read_hair(
    context: StreamContext, shown: bpy.types.Object, path: str
) -> Iterator[BasisCurvesRecord]:
    """The strands of each hair system of an evaluated object, as it is shown in the window.

    Children take the place of their parents, as in a render.
    """
    for modifier in shown.modifiers:
        if modifier.type == "PARTICLE_SYSTEM" and modifier.show_viewport:
            system = modifier.particle_system
            settings = system.settings
            if settings.type == "HAIR" and settings.render_type == "PATH":
                record = _read_system(context, shown, modifier, path)
                if record is not None:
                    yield record


def _read_system(
    context: StreamContext,
    shown: bpy.types.Object,
    modifier: bpy.types.ParticleSystemModifier,
    path: str,
) -> BasisCurvesRecord | None:
    system = modifier.particle_system
    settings = system.settings
    parents, children = len(system.particles), len(system.child_particles)
    numbers = range(parents if children else 0, parents + children)
    if not numbers:
        context.notes.append(f"{shown.name}: the hair “{system.name}” has no strands.")
        return None
    if children and settings.child_percent != settings.rendered_child_count:
        context.notes.append(
            f"{shown.name}: the hair “{system.name}” is exported with the children of the "
            f"viewport, {settings.child_percent} for each parent, while a render shows "
            f"{settings.rendered_child_count}. Set the display amount to the render amount."
        )
    keys = (1 << settings.display_step) + 1
    points = _object_space(shown, _strands(shown, system, numbers, keys))
    slots = context.material_paths(effective_materials(shown, shown.data))
    return BasisCurvesRecord(
        path=context.child(path, system.name, ("hair", system.name)),
        data=settings.original.name,
        counts=np.full(len(numbers), keys, np.int32),
        points=points,
        widths=_widths(settings, len(numbers), keys),
        primvars=_surface_uvs(shown, modifier, numbers),
        material=slots[min(settings.material, len(slots)) - 1] if slots else "",
        basis="catmullRom",
        wrap="pinned",
    )


def _strands(
    shown: bpy.types.Object, system: bpy.types.ParticleSystem, numbers: range, keys: int
) -> NDArray[np.float64]:
    """(strands * keys, 3) points in the world: Blender gives them one by one alone."""
    read = system.co_hair
    points = [read(object=shown, particle_no=n, step=k) for n in numbers for k in range(keys)]
    return np.array(points, np.float64)


def _object_space(shown: bpy.types.Object, points: NDArray[np.float64]) -> NDArray[np.float32]:
    matrix = np.array(shown.matrix_world.inverted_safe())
    return (points @ matrix[:3, :3].T + matrix[:3, 3]).astype(np.float32)


def _widths(settings: bpy.types.ParticleSettings, strands: int, keys: int) -> Primvar:
    """Diameters from root to tip, which the shape bends towards one of them."""
    along = 1 - np.linspace(0, 1, keys)
    shape = settings.shape
    along **= 1 + shape if shape < 0 else 1 / max(1 - shape, 1e-6)
    root, tip = settings.root_radius, settings.tip_radius
    diameters = settings.radius_scale * (tip + along * (root - tip))
    if settings.use_close_tip:
        diameters[-1] = 0
    return Primvar("widths", "float[]", "vertex", np.tile(diameters.astype(np.float32), strands))


def _surface_uvs(
    shown: bpy.types.Object, modifier: bpy.types.ParticleSystemModifier, numbers: range
) -> tuple[Primvar, ...]:
    """Where the strands stand in the UV map that renders, as ``st``."""
    maps = shown.data.uv_layers if shown.type == "MESH" else ()
    chosen = next((i for i, layer in enumerate(maps) if layer.active_render), None)
    if chosen is None:
        return ()
    system = modifier.particle_system
    particles = list(system.particles)
    read, last = system.uv_on_emitter, len(particles) - 1
    values = [
        read(modifier, particle=particles[min(n, last)], particle_no=n, uv_no=chosen)
        for n in numbers
    ]
    return (Primvar("st", "texCoord2f[]", "uniform", np.array(values, np.float32)[:, :2]),)
