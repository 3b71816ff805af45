# SPDX-License-Identifier: GPL-3.0-or-later
"""Fields made visible: slices with iso-lines, arrows, streamlines, curvature on a surface."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..jobs.errors import StagewrightError
from .advect import streamlines
from .contours import curve_offsets, iso_lines, slice_values
from .curvature import mean_curvature
from .grid import Grid, require_scalar
from .isosurface import isosurface
from .operators import gradient
from .renormalize import renormalize
from .sampling import sample
from .scatter import surface_points

Arrays = dict[str, NDArray[Any]]
_COLD, _NEUTRAL, _WARM = ((0.02, 0.15, 0.5), (0.9, 0.9, 0.88), (0.55, 0.05, 0.02))
_STEPS = 64
"""Segments of a streamline."""


@dataclass(frozen=True)
class Slice:
    """A plane across a field.

    Attributes:
        axis: 0, 1 or 2, which the plane lies across.
        place: where along the axis, 0 to 1 of the field's extent.
        spacing: values between two iso-lines.
    """

    axis: int
    place: float
    spacing: float


def colours(values: NDArray[Any], limit: float) -> NDArray[np.float32]:
    """Linear colours (n, 4): blue below 0, white, red above, full at plus and minus ``limit``."""
    share = np.clip(np.asarray(values, np.float64) / max(limit, 1e-30), -1, 1)[:, None]
    ends = np.where(share < 0, _COLD, _WARM)
    mixed = np.array(_NEUTRAL) * (1 - np.abs(share)) + ends * np.abs(share)
    return np.concatenate([mixed, np.ones_like(share)], axis=1).astype(np.float32)


def show_slice(field: Grid, cut: Slice) -> Arrays:
    """A plane of a quad for each cell, the values on it, and its iso-lines.

    Returns:
        ``vertices`` (n, 3), ``quads`` (m, 4), ``values`` (n,), ``colours`` (n, 4); ``points``
        (p, 3) and ``offsets`` (c + 1,) of the iso-lines, at multiples of the spacing.

    Raises:
        StagewrightError: ``grid-shape``, ``bad-slice``.
    """
    require_scalar(field)
    if not cut.spacing > 0:
        raise StagewrightError(
            "iso-spacing", f"Iso-lines cannot be {cut.spacing:g} apart.", "Give a distance above 0."
        )
    length = (field.shape[cut.axis] - 1) * field.voxel_size
    position = field.origin[cut.axis] + cut.place * length
    values = slice_values(field, cut.axis, position)
    first, second = (axis for axis in range(3) if axis != cut.axis)
    u, v = np.meshgrid(*(np.arange(n) for n in values.shape), indexing="ij")
    vertices = np.empty((values.size, 3))
    vertices[:, first] = field.origin[first] + field.voxel_size * u.ravel()
    vertices[:, second] = field.origin[second] + field.voxel_size * v.ravel()
    vertices[:, cut.axis] = position
    number = np.arange(values.size).reshape(values.shape)
    quads = np.stack(
        [number[:-1, :-1], number[1:, :-1], number[1:, 1:], number[:-1, 1:]], axis=-1
    ).reshape(-1, 4)
    lines = []
    start = (field.origin[first], field.origin[second])
    low, high = float(np.min(values)) / cut.spacing, float(np.max(values)) / cut.spacing
    for step in range(int(np.ceil(low + 1e-6)), int(np.floor(high - 1e-6)) + 1):
        for line in iso_lines(values, step * cut.spacing, field.voxel_size, start):
            placed = np.full((len(line), 3), position)
            placed[:, first], placed[:, second] = line[:, 0], line[:, 1]
            lines.append(placed)
    flat = values.ravel()
    return {
        "vertices": vertices,
        "quads": quads.astype(np.int32),
        "values": flat.astype(np.float32),
        "colours": colours(flat, float(np.max(np.abs(flat)))),
        **_curves(lines),
    }


def show_curvature(field: Grid) -> Arrays:
    """A solid's surface with its mean curvature, 1 / length, positive where it bulges.

    Returns:
        ``vertices``, ``quads``, ``values`` (n,), ``colours`` (n, 4), full where all but 2 % lie.

    Raises:
        StagewrightError: as `renormalize` and `isosurface`.
    """
    distance = renormalize(field, 5)
    mesh = isosurface(distance)
    values = sample(mean_curvature(distance), mesh.vertices)
    limit = float(np.quantile(np.abs(values), 0.98))
    return {
        "vertices": mesh.vertices,
        "quads": mesh.quads,
        "values": values,
        "colours": colours(values, limit),
    }


def show_arrows(field: Grid, spacing: float) -> Arrays:
    """Directions of a field: lines of two points, ``spacing`` long where it is strongest.

    Args:
        field: vectors, of which one every ``spacing`` is shown; or signed distances, whose
            gradient is shown on their surface.
        spacing: world distance of two arrows.

    Returns:
        ``points`` (2 n, 3), ``offsets``, ``values`` (2 n,), the vectors' lengths, ``colours`` and
        ``radii`` (2 n,): thick at the foot, 0 at the head.

    Raises:
        StagewrightError: as `surface_points`, and ``no-arrows`` where the field is 0 everywhere.
    """
    feet, vectors = _vectors(field, spacing)
    lengths = np.linalg.norm(vectors, axis=1)
    if not len(lengths) or not np.max(lengths) > 0:
        raise StagewrightError(
            "no-arrows", "The field has no direction anywhere.", "Choose another one."
        )
    heads = feet + vectors * (spacing / np.max(lengths))
    kept = lengths > 1e-3 * np.max(lengths)
    points = np.stack([feet, heads], axis=1)[kept].reshape(-1, 3)
    values = np.repeat(lengths[kept], 2)
    return {
        "points": points,
        "offsets": np.arange(0, len(points) + 1, 2),
        "values": values.astype(np.float32),
        "colours": colours(values, float(np.max(values))),
        "radii": np.tile([0.12 * spacing, 0.0], len(points) // 2),
    }


def show_streamlines(field: Grid, spacing: float, length: float) -> Arrays:
    """Lines along a field's direction, from points ``spacing`` apart, both ways.

    Args:
        field: vectors; or signed distances, whose gradient is followed.
        spacing: world distance of two seeds.
        length: world length of a line.

    Returns:
        ``points`` (p, 3), ``offsets`` (c + 1,), ``values`` (p,), the vectors' lengths, ``colours``
        and ``radii``.

    Raises:
        StagewrightError: as `surface_points` and `streamlines`, and ``no-lines`` where none is.
    """
    feet, _ = _vectors(field, spacing)
    flow = field if field.is_vector else gradient(field)
    seeds = feet.astype(np.float64)
    halves = [streamlines(flow, seeds, way * length / 2, _STEPS // 2) for way in (-1, 1)]
    # A line at rest repeats its last point; whole lines lose what repeats at both of their ends.
    whole = np.concatenate([halves[0][:, :0:-1], halves[1]], axis=1)
    moving = np.append(np.ones((len(whole), 1), bool), (np.diff(whole, axis=1) != 0).any(axis=2), 1)
    lines = [line[kept] for line, kept in zip(whole, moving, strict=True) if kept.sum() > 1]
    if not lines:
        raise StagewrightError(
            "no-lines", "The field is at rest where lines would start.", "Choose another one."
        )
    points = np.concatenate(lines)
    values = np.linalg.norm(sample(flow, points), axis=1)
    return {
        **_curves(lines),
        "values": values.astype(np.float32),
        "colours": colours(values, float(np.max(values))),
        "radii": np.full(len(points), 0.05 * spacing),
    }


def _vectors(field: Grid, spacing: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Places about ``spacing`` apart, and the field's vectors there."""
    if not field.is_vector:
        places, _ = surface_points(field, spacing)
        return places, sample(gradient(field), places).astype(np.float64)
    step = max(int(round(spacing / field.voxel_size)), 1)
    index = [np.arange(step // 2, n, step) for n in field.shape]
    grid = np.stack(np.meshgrid(*index, indexing="ij"), axis=-1).reshape(-1, 3)
    places = field.index_to_world(grid)
    return places, field.values[tuple(grid.T)].astype(np.float64)


def _curves(lines: list[NDArray[Any]]) -> Arrays:
    points = np.concatenate(lines) if lines else np.empty((0, 3))
    return {"points": points, "offsets": curve_offsets(lines) if lines else np.zeros(1, np.int32)}
