# SPDX-License-Identifier: GPL-3.0-or-later
"""The parts of the lantern that move: flame, bail, and the rope with its tag."""

from __future__ import annotations

import numpy as np
from bpy.types import Object
from lantern_images import tile_noise
from lantern_meshes import Array, box, join, lathe, rounded, spline, tube, vertex_points
from lantern_rig import deform, hang, key_loop
from lantern_stage import PIVOT, Lantern, bevel
from mathutils import Matrix, Vector

FLAME = 0.048
"""Height of the flame."""


def add_flame(lantern: Lantern) -> None:
    """A teardrop with a colour attribute, subdivided and keyed."""
    heights = np.linspace(0, 1, 12)
    radii = 0.0090 * np.sin(np.pi * heights**0.55) ** 0.9 * (1 - 0.45 * heights)
    radii[[0, -1]] = 0
    mesh = lathe("Flame", np.stack([radii, heights * FLAME], -1), 16)
    points = vertex_points(mesh)
    h = points[:, 2:] / FLAME
    points[:, 0] += 0.0016 * np.sin(5 * h[:, 0]) * h[:, 0]
    mesh.vertices.foreach_set("co", points.ravel())
    root, heart, tip = np.array([(0.16, 0.14, 0.42), (1.0, 0.52, 0.05), (1.0, 0.20, 0.006)])
    low, high = np.clip(h / 0.22, 0, 1), np.clip((h - 0.45) / 0.5, 0, 1)
    heat = (root * (1 - low) + heart * low) * (1 - high) + tip * high
    attribute = mesh.color_attributes.new("Heat", "FLOAT_COLOR", "POINT")
    attribute.data.foreach_set("color", np.hstack([heat, np.ones_like(h)]).ravel())
    flame = lantern.add("Flame", mesh, "flame", (0, 0, 0.1125))
    flame.scale.y = 0.55
    modifier = flame.modifiers.new("Subdivision", "SUBSURF")
    modifier.levels, modifier.render_levels = 1, 2
    key_loop(
        flame,
        "scale",
        [(1 - 0.05 * w, 0.55 + 0.03 * w, 1 + 0.09 * w) for w in (0, 1, 0.2, -0.9, 0)],
    )
    lean = (0.3, 0, 1, -0.7, 0.3)
    key_loop(flame, "rotation_euler", [(0, np.radians(2.5 * w), 0) for w in lean])


def add_bail(lantern: Lantern, rig: Object) -> None:
    """The wire handle, deformed by the rig, and the grip that rides on its bone."""
    t = np.linspace(0, np.pi, 49)
    power = 0.62
    x = 0.0955 * np.sign(np.cos(t)) * np.abs(np.cos(t)) ** power
    z = 0.222 + 0.118 * np.sin(t) ** power
    ends = np.array([(0.0955, 0, PIVOT - 0.003), (0.0955, 0, 0.213)])
    path = np.vstack([ends, np.stack([x, 0 * x, z], -1), ends[::-1] * (-1, 1, 1)])
    mesh = tube("Bail", path, (0.0020, 0.0020), sides=12, tiles=(1, 8))
    bail = lantern.add("Bail", mesh, "steel")
    deform(bail, rig, {"bail": np.ones(len(mesh.vertices))})
    turned = rounded(
        [
            (0.0035, -0.037, 0),
            (0.0085, -0.037, 0.001),
            (0.0092, -0.031, 0.002),
            (0.0082, -0.027, 0.002),
            (0.0118, -0.008, 0.012),
            (0.0118, 0.008, 0.012),
            (0.0082, 0.027, 0.002),
            (0.0092, 0.031, 0.002),
            (0.0085, 0.037, 0.001),
            (0.0035, 0.037, 0),
        ]
    )
    mesh = lathe("Grip", turned, 32, (1, 1))
    layer = mesh.uv_layers[0].data
    # The grain runs along the grip: U and V change places.
    for corner in layer:
        corner.uv = (corner.uv.y, corner.uv.x)
    grip = lantern.add("Grip", mesh, "wood")
    hang(grip, rig, "bail", Matrix.Translation((0, 0, 0.3395)) @ Matrix.Rotation(np.pi / 2, 4, "Y"))
    ring = rounded(
        [(0.002, 0, 0), (0.0096, 0, 0.0006), (0.0096, 0.004, 0.0012)] + [(0.002, 0.005, 0)]
    )
    ferrule = lathe("Grip Ferrule", ring, 32)
    for side, sign in (("R", 1), ("L", -1)):
        thing = lantern.add(f"Grip Ferrule {side}", ferrule, "brass")
        place = Matrix.Translation((sign * 0.0355, 0, 0.3393))
        hang(thing, rig, "bail", place @ Matrix.Rotation(sign * np.pi / 2, 4, "Y"))


def add_rope(lantern: Lantern, rig: Object) -> None:
    """A rope around the right tube, bent by three bones, and the tag on its end."""
    turns = np.linspace(0, 2 * np.pi * 2, 49)
    centre, tie = np.array([0.0835, 0, 0.194]), 0.0022
    loop = np.stack(
        [
            centre[0] + (0.0072 + tie) * np.sin(turns),
            -(0.0098 + tie) * np.cos(turns),
            centre[2] - 0.0042 * turns / (2 * np.pi),
        ],
        -1,
    )
    fall = spline(
        [loop[-1], (0.0850, -0.0145, 0.176), (0.0862, -0.0145, 0.150), (0.0862, -0.0145, 0.126)], 16
    )
    path = np.vstack([loop[:-1], fall])
    length = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(path, axis=0), axis=1))])
    even = np.linspace(0, length[-1], 230)
    path = np.stack([np.interp(even, length, path[:, i]) for i in range(3)], -1)
    tangent = np.gradient(path, axis=0)
    tangent /= np.linalg.norm(tangent, axis=1, keepdims=True)
    across = np.cross(tangent, (0.2, 0.3, 1.0))
    across /= np.linalg.norm(across, axis=1, keepdims=True)
    other = np.cross(tangent, across)
    strands = []
    for i in range(3):
        angle = (even / 0.0085 * 2 * np.pi + i * 2 * np.pi / 3)[:, None]
        strand = path + 0.00115 * (np.cos(angle) * across + np.sin(angle) * other)
        strands.append(tube(f"Strand {i}", strand, (0.00125, 0.00125), (0.2, 0.3, 1.0), 7, (1, 12)))
    sizes = [len(s.vertices) for s in strands]
    knot = lathe(
        "Knot",
        rounded([(0, -0.0035, 0), (0.0045, -0.003, 0.003), (0.0045, 0.003, 0.003), (0, 0.0035, 0)]),
        16,
    )
    knot.transform(Matrix.Translation(path[-1]) @ Matrix.Scale(0.8, 4))
    sizes.append(len(knot.vertices))
    mesh = join("Rope", [*strands, knot])
    tint = np.repeat(np.array([1.0, 0.78, 0.88, 0.9]), sizes)
    speckle = tile_noise((1, len(mesh.vertices)), (1, 400), 51, 2)[0]
    colour = np.array([0.52, 0.35, 0.16]) * (tint * (0.65 + 0.7 * speckle))[:, None]
    attribute = mesh.color_attributes.new("Strand", "FLOAT_COLOR", "POINT")
    attribute.data.foreach_set("color", np.hstack([colour, np.ones((len(colour), 1))]).ravel())
    rope = lantern.add("Rope", mesh, "rope")
    deform(rope, rig, rope_weights(vertex_points(mesh)[:, 2]))

    tag = box("Étiquette", (0.030, 0.0009, 0.045))
    tag.transform(Matrix.Translation((0, 0, -0.0255)))
    thing = lantern.add("Étiquette № 7", tag, "paper")
    bevel(thing, 0.0003, 1)
    place = Matrix.Translation(Vector(path[-1]) + Vector((0, 0, -0.001)))
    hang(thing, rig, "rope.3", place @ Matrix.Rotation(np.radians(28), 4, "Z"))


def rope_weights(z: Array) -> dict[str, Array]:
    """Smooth weights of the rope's bones by height; the loop stays with the frame."""
    joints = np.array([0.181, 0.163, 0.145])
    on = 1 / (1 + np.exp((z[:, None] - joints) / 0.0022))
    weights = {f"rope.{i + 1}": on[:, i] - (on[:, i + 1] if i < 2 else 0) for i in range(3)}
    return {"frame": 1 - on[:, 0], **weights}
