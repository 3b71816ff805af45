# SPDX-License-Identifier: GPL-3.0-or-later
"""Materials of Blender's own shader nodes: six metals, six in part metal, eight of neither.

The heights have no unit: the scene scales each until its normals lie ``Look.relief`` degrees from
the flat one, on average.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .cycles_nodes import Colour, Graph, Wire


@dataclass(frozen=True)
class Look:
    """What a material is made of: the wires of its maps, and degrees of relief."""

    relief: float
    height: Wire
    basecolor: Wire | Colour
    roughness: Wire | float
    metallic: Wire | float


def hammered_copper(g: Graph) -> Look:
    """Round dents in copper, dull where they are deepest."""
    dents = g.voronoi(5, "SMOOTH_F1", at=g.placed((1, 1, 1), 0.4))
    tarnish = g.noise(3, 3).step(0.4, 0.7)
    colour = g.blend(tarnish, (0.93, 0.54, 0.39), (0.55, 0.27, 0.17))
    return Look(17, dents, colour, tarnish.span(0.16, 0.42), 1.0)


def brushed_steel(g: Graph) -> Look:
    """Long scratches along one way over gentle waves."""
    lines = g.noise(9, 2, at=g.placed((0.3, 3.2, 1), 0.25))
    waves = g.noise(1.5, 1)
    colour = lines.ramp((0.3, (0.46, 0.46, 0.47)), (0.7, (0.62, 0.61, 0.6)))
    return Look(12, lines + waves * 2.0, colour, lines.step(0.3, 0.7, (0.28, 0.5)), 1.0)


def tread_plate(g: Graph) -> Look:
    """Raised bars in turns, one way and the other, polished by soles."""
    plate = g.placed((1, 1, 1), 0.785)
    turns = g.checker(3.0, plate)
    bars = g.lerp(
        turns,
        g.wave(0.955, at=plate, **{"Phase Offset": -1.57}),
        g.wave(0.955, at=g.placed((1, 1, 1), 2.356), **{"Phase Offset": -1.57}),
    )
    across = g.wave(0.477, at=plate) * g.wave(0.477, at=g.placed((1, 1, 1), 2.356))
    raised = (bars.step(0.55, 0.95) * across.step(0.05, 0.4)) + g.noise(14, 2) * 0.05
    worn = raised.step(0.3, 0.9)
    colour = g.blend(worn, (0.35, 0.35, 0.36), (0.66, 0.66, 0.65))
    return Look(15, raised, colour, worn.span(0.55, 0.22), 1.0)


def cast_iron(g: Graph) -> Look:
    """A rough dark casting with pits."""
    skin = g.noise(7, 4, Roughness=0.6)
    pits = g.voronoi(6).step(0.05, 0.3)
    height = skin + pits * 0.35
    colour = skin.ramp((0.3, (0.13, 0.125, 0.12)), (0.75, (0.3, 0.29, 0.28)))
    return Look(22, height, colour, skin.step(0.3, 0.7, (0.82, 0.6)), 1.0)


def embossed_gold(g: Graph) -> Look:
    """Folds of the Magic texture pressed in gold leaf."""
    folds = g.magic(2.2, 3, 1.4)
    dust = folds.step(0.25, 0.55).inverted()
    colour = g.blend(dust, (1.0, 0.74, 0.3), (0.75, 0.46, 0.14))
    return Look(14, folds + g.noise(5) * 0.3, colour, dust.span(0.1, 0.33), 1.0)


def rippled_bronze(g: Graph) -> Look:
    """Ripples of Gabor noise, cast in bronze."""
    ripples = g.gabor(4, 1.6, 0.7)
    colour = ripples.ramp((0.3, (0.3, 0.17, 0.08)), (0.7, (0.72, 0.47, 0.25)))
    rough = g.noise(4, 3).step(0.35, 0.65, (0.3, 0.55))
    return Look(20, ripples + g.noise(18) * 0.06, colour, rough, 1.0)


def rusted_steel(g: Graph) -> Look:
    """Steel that rust has grown over in thick flakes."""
    grown = g.noise(2.6, 4, Roughness=0.6)
    rust = grown.step(0.46, 0.52)
    flakes = g.noise(11, 3)
    colour = g.blend(
        rust,
        (0.52, 0.51, 0.5),
        flakes.ramp((0.3, (0.1, 0.03, 0.012)), (0.7, (0.42, 0.16, 0.045))),
    )
    height = rust * (flakes * 0.9 + 0.5) + g.noise(5, 1) * 0.3
    return Look(18, height, colour, rust.span(0.27, 0.92), rust.inverted())


def chipped_paint(g: Graph) -> Look:
    """Green paint that has come off bare metal in chips."""
    where = g.noise(3.4, 3, "HETERO_TERRAIN", Offset=0.4, Roughness=0.55)
    paint = where.step(0.46, 0.5)
    stain = g.noise(6, 2)
    green = stain.ramp((0.3, (0.02, 0.13, 0.09)), (0.7, (0.05, 0.24, 0.15)))
    colour = g.blend(paint, (0.56, 0.55, 0.53), green)
    height = paint * 0.7 + g.noise(12, 2) * 0.45
    return Look(17, height, colour, g.lerp(paint, 0.24, stain.span(0.4, 0.62)), paint.inverted())


def worn_panels(g: Graph) -> Look:
    """Red enamelled plates; their seams and some whole plates are bare."""
    seam, plate = g.bricks(0.8, 0.028, 0.6, width=0.9)
    worn = (g.noise(5, 4) + seam * 0.5).step(0.58, 0.64).above(plate.step(0.72, 0.75))
    tone = plate.ramp((0.0, (0.45, 0.03, 0.02)), (0.7, (0.62, 0.09, 0.03)))
    colour = g.blend(worn, tone, (0.6, 0.58, 0.55))
    height = seam.inverted() + worn.inverted() * 0.12 + g.noise(4, 3) * 0.8
    return Look(15, height, colour, g.lerp(worn, 0.16, g.noise(8).span(0.25, 0.5)), worn)


def verdigris(g: Graph) -> Look:
    """Copper that has turned green in its hollows."""
    beaten = g.noise(4, 3, "HYBRID_MULTIFRACTAL", Offset=0.3, Gain=1.0, Roughness=0.5)
    edges = g.voronoi(3.5, "DISTANCE_TO_EDGE").step(0.02, 0.22)
    height = beaten * 0.5 + edges * 0.6
    green = height.step(0.42, 0.62).inverted()
    patina = g.noise(9, 3).ramp((0.3, (0.06, 0.27, 0.22)), (0.7, (0.2, 0.5, 0.42)))
    colour = g.blend(green, (0.78, 0.4, 0.27), patina)
    return Look(21, height, colour, green.span(0.3, 0.88), green.inverted())


def brass_inlay(g: Graph) -> Look:
    """Dark stone and brass in a chequer, the brass standing up a little."""
    board = g.placed((1, 1, 1), 0.5)
    brass = g.checker(3, board)
    grain = g.noise(14, 3)
    stone = grain.ramp((0.35, (0.03, 0.035, 0.05)), (0.7, (0.12, 0.12, 0.15)))
    colour = g.blend(brass, stone, (0.88, 0.65, 0.29))
    groove = (g.wave(0.477, at=board) * 1.0).above(0.0)
    height = g.lerp(brass, grain * 0.9, groove * 0.3 + g.noise(3) * 1.1 + 0.15)
    return Look(14, height, colour, g.lerp(brass, 0.72, g.noise(5).span(0.15, 0.35)), brass)


def ore(g: Graph) -> Look:
    """Grey rock with bright veins of metal."""
    rock = g.noise(2.4, 4, "RIDGED_MULTIFRACTAL", Offset=1.0, Gain=2.0, Roughness=0.45)
    metal = g.voronoi(2.3, "DISTANCE_TO_EDGE", at=g.placed((1.3, 0.8, 1), 0.9)).step(0.09, 0.13)
    colour = g.blend(
        metal,
        (0.86, 0.8, 0.66),
        g.noise(8, 3).ramp((0.3, (0.09, 0.085, 0.08)), (0.7, (0.3, 0.28, 0.26))),
    )
    height = rock * metal.span(0.25, 0.5) + metal * 0.3
    return Look(24, height, colour, metal.span(0.25, 0.85), metal.inverted())


def brick_wall(g: Graph) -> Look:
    """Bricks in mortar."""
    mortar, brick = g.bricks(1.2, 0.035, 0.35)
    grain = g.noise(13, 3)
    clay = brick.ramp((0.0, (0.3, 0.08, 0.04)), (0.5, (0.46, 0.17, 0.09)), (1.0, (0.24, 0.1, 0.08)))
    clay = g.blend(grain.step(0.5, 0.75), clay, (0.5, 0.3, 0.2))
    colour = g.blend(mortar.step(0.3, 0.7), clay, (0.52, 0.49, 0.44))
    height = mortar.inverted() * (brick * 0.3 + 0.8) + grain * 0.35
    return Look(16, height, colour, mortar.span(0.78, 0.95), 0.0)


def cobbles(g: Graph) -> Look:
    """Round stones in sand, wet and smooth on top."""
    stone = g.voronoi(3.2, "DISTANCE_TO_EDGE", randomness=0.8).step(0.01, 0.3)
    tint = g.white(g.voronoi(3.2, output="Color", randomness=0.8))
    grey = tint.ramp((0.0, (0.16, 0.17, 0.2)), (0.5, (0.34, 0.31, 0.28)), (1.0, (0.24, 0.2, 0.17)))
    colour = g.blend(stone.step(0.02, 0.2), (0.36, 0.28, 0.17), grey)
    return Look(25, stone + g.noise(10, 3) * 0.14, colour, stone.step(0.1, 0.8, (0.9, 0.32)), 0.0)


def glazed_tiles(g: Graph) -> Look:
    """Blue glaze on square tiles in pale grout."""
    grout, tile = g.bricks(0.9, 0.03, 0.8, 0.0, 0.25)
    glaze = (g.noise(3.5, 3) * 0.6 + tile * 0.4).ramp(
        (0.25, (0.02, 0.09, 0.25)), (0.55, (0.04, 0.3, 0.42)), (0.75, (0.3, 0.58, 0.55))
    )
    joint = grout.step(0.4, 0.6)
    colour = g.blend(joint, glaze, (0.62, 0.6, 0.54))
    height = grout.inverted() * 0.8 + g.noise(3) * 0.9 + joint * g.noise(20) * 0.1
    return Look(13, height, colour, g.lerp(joint, 0.1, 0.85), 0.0)


def planks(g: Graph) -> Look:
    """Weathered boards with rings of wood."""
    joint, board = g.bricks(0.9, 0.02, 0.7, width=2.2)
    along = g.placed((0.35, 2.2, 1))
    grain = g.wave(0.9, "RINGS", along, Distortion=5.0, Detail=2.0, **{"Detail Scale": 1.6})
    shade = (grain * 0.6 + board * 0.4).ramp(
        (0.1, (0.14, 0.065, 0.025)), (0.5, (0.34, 0.18, 0.075)), (0.9, (0.5, 0.31, 0.15))
    )
    colour = g.blend(joint.step(0.3, 0.8), shade, (0.03, 0.02, 0.012))
    height = joint.inverted() * 0.8 + grain * 0.45 + g.noise(7, 2, at=along) * 0.25
    return Look(17, height, colour, grain.span(0.68, 0.42), 0.0)


def cracked_mud(g: Graph) -> Look:
    """Dried mud in plates, curled at the edges."""
    edge = g.voronoi(2.6, "DISTANCE_TO_EDGE")
    plate = edge.step(0.015, 0.06)
    curl = edge.step(0.05, 0.35).inverted() * plate
    grain = g.noise(9, 3)
    dry = grain.ramp((0.3, (0.3, 0.21, 0.13)), (0.7, (0.5, 0.39, 0.27)))
    colour = g.blend(plate, (0.08, 0.05, 0.03), dry)
    return Look(
        19, plate + curl * 0.6 + grain * 0.5, colour, grain.step(0.3, 0.7, (0.8, 0.95)), 0.0
    )


def ridged_rock(g: Graph) -> Look:
    """Sharp ridges of grey and ochre rock."""
    ridges = g.noise(1.8, 4, "RIDGED_MULTIFRACTAL", Offset=0.9, Gain=1.8, Roughness=0.5)
    lichen = g.noise(4, 4).step(0.55, 0.63)
    bare = ridges.ramp((0.1, (0.12, 0.11, 0.1)), (0.9, (0.42, 0.38, 0.33)))
    colour = g.blend(lichen, bare, (0.4, 0.33, 0.06))
    return Look(28, ridges, colour, g.lerp(lichen, 0.68, 0.92), 0.0)


def leather(g: Graph) -> Look:
    """Fine cells of hide with creases, shiny on the raised parts."""
    cell = g.voronoi(9, "DISTANCE_TO_EDGE", at=g.placed((1, 0.75, 1), 0.3)).step(0.0, 0.25)
    crease = g.noise(2.2, 3, "MULTIFRACTAL", Roughness=0.5).step(0.2, 1.4)
    height = cell * 0.5 + crease * 1.4
    colour = (cell * 0.6 + g.noise(2) * 0.4).ramp(
        (0.15, (0.07, 0.02, 0.012)), (0.8, (0.3, 0.1, 0.045))
    )
    return Look(15, height, colour, cell.span(0.62, 0.3), 0.0)


def terrazzo(g: Graph) -> Look:
    """Chips of many colours in polished cement, which has sunk around them."""
    wide, fine = g.placed((1, 1, 1), 0.2), g.placed((1.9, 1.9, 1), 1.1)
    chips, tints = [], []
    for at in (wide, fine):
        tint = g.white(g.voronoi(4.5, output="Color", at=at))
        edge = g.voronoi(4.5, "DISTANCE_TO_EDGE", at=at)
        chips.append(edge.step(0.05, 0.11) * tint.step(0.35, 0.36))
        tints.append(
            tint.ramp((0.4, (0.05, 0.06, 0.07)), (0.65, (0.5, 0.2, 0.13)), (0.9, (0.72, 0.69, 0.6)))
        )
    chip = chips[0].above(chips[1])
    colour = g.blend(chips[1], (0.6, 0.57, 0.52), tints[1])
    colour = g.blend(chips[0], colour, tints[0])
    height = chip * 0.5 + g.noise(3, 2) * 1.4
    return Look(14, height, colour, g.lerp(chip, 0.45, 0.12), 0.0)


MATERIALS: tuple[Callable[[Graph], Look], ...] = (
    hammered_copper,
    brushed_steel,
    tread_plate,
    cast_iron,
    embossed_gold,
    rippled_bronze,
    rusted_steel,
    chipped_paint,
    worn_panels,
    verdigris,
    brass_inlay,
    ore,
    brick_wall,
    cobbles,
    glazed_tiles,
    planks,
    cracked_mud,
    ridged_rock,
    leather,
    terrazzo,
)
