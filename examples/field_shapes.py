# SPDX-License-Identifier: GPL-3.0-or-later
"""The shapes of the fields' gallery: each a function of the field tools to a coloured surface."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import bpy
import numpy as np
from numpy.typing import ArrayLike, NDArray

from stagewright.field_tools.advect import streamlines
from stagewright.field_tools.anisotropic import points_to_anisotropic_sdf
from stagewright.field_tools.csg import difference, intersection, shell, union
from stagewright.field_tools.curvature import mean_curvature
from stagewright.field_tools.curves_sdf import curves_to_sdf
from stagewright.field_tools.grid import Grid, grid_over
from stagewright.field_tools.isosurface import isosurface
from stagewright.field_tools.level_set import advect_level_set
from stagewright.field_tools.mesh_sdf import mesh_to_sdf
from stagewright.field_tools.noise import curl_noise, noise
from stagewright.field_tools.points_sdf import points_to_sdf
from stagewright.field_tools.primitives import box, cylinder, sampled, sphere, torus
from stagewright.field_tools.resample import resample
from stagewright.field_tools.reshape import displace, fillet
from stagewright.field_tools.sampling import sample
from stagewright.field_tools.scatter import surface_points

CLAY, BLUE, ORANGE, SAGE = (
    (0.72, 0.66, 0.58),
    (0.05, 0.16, 0.42),
    (0.80, 0.26, 0.04),
    (0.25, 0.42, 0.30),
)
LATTICE = grid_over((-1.2, -1.2, -1.2), (1.2, 1.2, 1.2), voxel_size=0.02)


@dataclass(frozen=True, eq=False)
class Shape:
    """A surface to render.

    Attributes:
        vertices: (n, 3) positions within about 1 of the origin.
        quads: (m, 4) vertex indices.
        colours: (n, 3) linear RGB.
    """

    vertices: NDArray[np.float32]
    quads: NDArray[np.int32]
    colours: NDArray[np.float64]


def shape_of(field: Grid, colour: ArrayLike = CLAY, *, sharp: bool = False) -> Shape:
    """The field's surface in one colour."""
    mesh = isosurface(field, sharp=sharp)
    return Shape(mesh.vertices, mesh.quads, np.broadcast_to(colour, mesh.vertices.shape))


def coloured_by(field: Grid, values: Grid, reach: float, *, sharp: bool = False) -> Shape:
    """The surface, blue where the values are below ``-reach``, orange above ``reach``."""
    shape = shape_of(field, sharp=sharp)
    share = np.clip(sample(values, shape.vertices)[:, None] / reach, -1, 1)
    ends = np.where(share < 0, BLUE, ORANGE)
    colours = CLAY + np.abs(share) * (ends - np.array(CLAY))
    return Shape(shape.vertices, shape.quads, colours)


def ball(radius: float = 0.7, center: ArrayLike = (0, 0, 0)) -> Grid:
    """A ball on the gallery's lattice."""
    return sampled(lambda points: sphere(points, radius, center), LATTICE)


def block(half: ArrayLike, center: ArrayLike = (0, 0, 0)) -> Grid:
    """A box on the gallery's lattice."""
    return sampled(lambda points: box(points, half, center), LATTICE)


def blended() -> Shape:
    """A ball and a box joined over a radius."""
    return shape_of(union(ball(0.5, (0, 0, 0.15)), block((0.75, 0.75, 0.2), (0, 0, -0.5)), 0.4))


def carved() -> Shape:
    """A box with bores along all axes, its edges kept."""
    solid = block((0.66, 0.66, 0.66))
    for turn in ((0, 1, 2), (2, 0, 1), (1, 2, 0)):
        bore = sampled(lambda points, turn=turn: cylinder(points[..., turn], 0.36, 2), LATTICE)
        solid = difference(solid, bore)
    return shape_of(solid, SAGE, sharp=True)


def walled() -> Shape:
    """A head of loose and open parts made solid, hollowed and cut."""
    bpy.ops.mesh.primitive_monkey_add(size=1.7)
    head = bpy.context.object
    mesh = head.data
    points = np.empty((len(mesh.vertices), 3), np.float32)
    mesh.vertices.foreach_get("co", points.reshape(-1))
    mesh.calc_loop_triangles()
    triangles = np.empty((len(mesh.loop_triangles), 3), np.int32)
    mesh.loop_triangles.foreach_get("vertices", triangles.reshape(-1))
    bpy.data.objects.remove(head)
    solid = mesh_to_sdf(points, triangles, LATTICE.voxel_size, half_width=8).to_grid()
    solid = resample(solid, LATTICE)
    cut = difference(shell(solid, 0.12), block((1, 2, 2), (1, 0, 0)))
    return coloured_by(cut, solid, 0.06)


def filleted() -> Shape:
    """Boxes whose inner edges are filled."""
    pile = union(block((0.8, 0.8, 0.15), (0, 0, -0.6)), block((0.25, 0.25, 0.7)))
    return shape_of(fillet(union(pile, block((0.7, 0.14, 0.14), (0, 0, 0.1))), 0.2), SAGE)


def displaced() -> Shape:
    """A ball moved by five octaves of noise, coloured by their heights."""
    heights = noise(LATTICE, 0.55, octaves=5, seed=4)
    heights = heights.with_values(0.2 * heights.values)
    return coloured_by(displace(ball(0.75), heights), heights, 0.15)


def gyroid() -> Shape:
    """The wall of a gyroid in a ball."""
    x, y, z = (9 * axis for axis in LATTICE.centers())
    wave = np.sin(x) * np.cos(y) + np.sin(y) * np.cos(z) + np.sin(z) * np.cos(x)
    wall = LATTICE.with_values(((np.abs(wave) - 0.35) / 13).astype(np.float32))
    return coloured_by(
        intersection(wall, ball(0.95)), LATTICE.with_values(wave.astype(np.float32)), 0.3
    )


def curved() -> Shape:
    """Mean curvature on a blend of tori."""
    ring = sampled(lambda points: torus(points, 0.6, 0.22), LATTICE)
    upright = sampled(lambda points: torus(points[..., [0, 2, 1]], 0.6, 0.22), LATTICE)
    solid = union(ring, upright, 0.2)
    bend = mean_curvature(solid)
    return coloured_by(solid, bend.with_values(bend.values - 2), 4.0)


def carried() -> Shape:
    """A ball carried along by a turbulent flow."""
    flow = curl_noise(LATTICE, 0.9, seed=3)
    return shape_of(advect_level_set(ball(0.6), flow, time=0.15), ORANGE)


def splash() -> NDArray[np.float64]:
    """Points of a crown-shaped splash, (n, 3)."""
    random = np.random.default_rng(8)
    angle, height = random.uniform(0, 2 * np.pi, 9000), random.random(9000)
    jets = 0.5 + 0.5 * np.cos(9 * angle)
    radius = 0.45 + 0.35 * height**1.5 + random.normal(0, 0.012, 9000)
    rise = -0.5 + height * (0.45 + 0.55 * jets)
    wall = np.stack([radius * np.cos(angle), radius * np.sin(angle), rise], axis=1)
    pool = random.uniform((-0.9, -0.9, -0.62), (0.9, 0.9, -0.5), (9000, 3))
    return np.concatenate([wall, pool[np.hypot(pool[:, 0], pool[:, 1]) < 0.9]])


def drops() -> Shape:
    """Particles as a union of spheres."""
    return shape_of(points_to_sdf(splash(), 0.035, 0.015).to_grid(), BLUE)


def fluid() -> Shape:
    """The same particles as a smooth surface, by kernels that stretch along sheets."""
    return shape_of(points_to_anisotropic_sdf(splash(), 0.15, 0.025, level=0.3), BLUE)


def lines() -> Shape:
    """Streamlines of a flow around a ball, as tubes."""
    solid = ball(0.5)
    flow = curl_noise(LATTICE, 0.8, seed=5, around=solid)
    seeds, _ = surface_points(ball(0.62), 0.16, seed=2)
    paths = streamlines(flow, seeds, 1.4, 90)
    points = paths.reshape(-1, 3)
    offsets = np.arange(len(paths) + 1) * paths.shape[1]
    thickness = np.tile(np.linspace(0.022, 0.008, paths.shape[1]), len(paths))
    tubes = curves_to_sdf(points, thickness, 0.0125, offsets=offsets).to_grid()
    both = shape_of(tubes, ORANGE), shape_of(solid)
    return joined(*both)


def scattered() -> Shape:
    """Points on a torus, none nearer to another than a distance, as beads."""
    ring = sampled(lambda points: torus(points, 0.65, 0.28), LATTICE)
    beads, _ = surface_points(ring, 0.085, seed=1)
    return joined(shape_of(points_to_sdf(beads, 0.036, 0.012).to_grid(), BLUE), shape_of(ring))


def joined(*shapes: Shape) -> Shape:
    """Several surfaces as one."""
    starts = np.cumsum([0] + [len(shape.vertices) for shape in shapes[:-1]])
    return Shape(
        np.concatenate([shape.vertices for shape in shapes]),
        np.concatenate([s.quads + n for s, n in zip(shapes, starts, strict=True)]).astype(np.int32),
        np.concatenate([shape.colours for shape in shapes]),
    )


SHAPES: tuple[Callable[[], Shape], ...] = (
    blended,
    carved,
    walled,
    filleted,
    displaced,
    gyroid,
    curved,
    carried,
    drops,
    fluid,
    lines,
    scattered,
)
"""In rows of four."""
