# SPDX-License-Identifier: GPL-3.0-or-later
"""The parts of the lantern that stand still: tank, crown, frame, burner, globe and fittings."""

from __future__ import annotations

import bpy
import numpy as np
from bpy.types import Object
from lantern_meshes import Array, add_uv, box, corner_uvs, lathe, rounded, spline, tube
from lantern_stage import FOOT, PIVOT, Lantern, add_array, bevel, outward, polar
from mathutils import Euler, Matrix


def add_tank(lantern: Lantern) -> Object:
    """The fuel tank: two UV maps, subdivided."""
    profile = rounded(
        [
            (0, 0.004, 0),
            (0.058, 0.004, 0.002),
            (0.062, 0, 0.002),
            (0.071, 0, 0.003),
            (0.0735, 0.005, 0.003),
            (0.0735, 0.056, 0.007),
            (0.064, 0.064, 0.006),
            (0.040, 0.069, 0.006),
            (0.033, 0.076, 0.003),
            (0, 0.076, 0),
        ]
    )
    mesh = lathe("Tank", profile, 48, (3, 1.4))
    add_uv(mesh, "Bake", corner_uvs(mesh) / (3, 1.4) * (1, 0.46) + (0, 0.01))
    tank = lantern.add("Tank", mesh, "enamel", (0, 0, FOOT))
    modifier = tank.modifiers.new("Subdivision", "SUBSURF")
    modifier.levels = modifier.render_levels = 1
    tank["fuel_litres"] = 0.34
    tank.id_properties_ui("fuel_litres").update(description="How much the tank holds", min=0.0)
    return tank


def add_crown(lantern: Lantern) -> Object:
    """Chimney and canopy, turned as one piece."""
    profile = rounded(
        [
            (0.034, 0.000, 0),
            (0.047, 0.000, 0.001),
            (0.048, 0.003, 0.001),
            (0.0365, 0.006, 0.003),
            (0.0360, 0.034, 0.003),
            (0.050, 0.038, 0.001),
            (0.0515, 0.040, 0.001),
            (0.0515, 0.046, 0.002),
            (0.046, 0.056, 0.006),
            (0.024, 0.064, 0.005),
            (0.021, 0.070, 0.002),
            (0, 0.070, 0),
        ]
    )
    mesh = lathe("Crown", profile, 64, (2, 1))
    add_uv(mesh, "Bake", corner_uvs(mesh) / (2, 1) * (1, 0.27) + (0, 0.49))
    return lantern.add("Crown", mesh, "enamel", (0, 0, 0.205))


def add_frame(lantern: Lantern) -> Object:
    """The two side tubes: one swept mesh, mirrored."""
    path = spline(
        [
            (0.044, 0, 0.249),
            (0.062, 0, 0.2495),
            (0.0765, 0, 0.242),
            (0.0835, 0, 0.222),
            (0.0835, 0, 0.165),
            (0.0835, 0, 0.112),
            (0.080, 0, 0.094),
            (0.068, 0, 0.078),
            (0.056, 0, 0.066),
        ]
    )
    mesh = tube("Frame Tube", path, (0.0098, 0.0072), sides=20, tiles=(0.4, 1.6))
    add_uv(mesh, "Bake", corner_uvs(mesh) / (0.4, 1.6) * (1, 0.20) + (0, 0.79))
    frame = lantern.add("Frame Tubes", mesh, "enamel")
    modifier = frame.modifiers.new("Mirror", "MIRROR")
    modifier.use_axis = (True, False, False)
    return frame


def add_band(lantern: Lantern) -> None:
    """A brass band whose rivets Geometry Nodes puts around it."""
    profile = rounded(
        [
            (0.0728, 0, 0),
            (0.0752, 0, 0.0007),
            (0.0752, 0.0075, 0.0007),
            (0.0728, 0.0075, 0),
        ],
        3,
    )
    mesh = lathe("Tank Band", profile - (0, 0.00375), 64, (6, 0.3))
    band = lantern.add("Tank Band", mesh, "brass", (0, 0, FOOT + 0.0105))
    modifier = band.modifiers.new("Rivets", "NODES")
    modifier.node_group = rivet_nodes(lantern.materials["brass"])


def rivet_nodes(material: bpy.types.Material) -> bpy.types.NodeTree:
    """Rivets on a ring, joined with the input; their prototype is made in the tree."""
    tree = bpy.data.node_groups.new("Rivets Around a Ring", "GeometryNodeTree")
    tree.is_modifier = True
    for in_out in ("INPUT", "OUTPUT"):
        tree.interface.new_socket("Geometry", in_out=in_out, socket_type="NodeSocketGeometry")

    def node(kind: str, column: int, row: int, **inputs: object) -> bpy.types.Node:
        made = tree.nodes.new(kind)
        made.location = (220 * column, -260 * row)
        for name, value in inputs.items():
            made.inputs[name.replace("_", " ")].default_value = value
        return made

    ring = node("GeometryNodeMeshCircle", 0, 1, Vertices=28, Radius=0.0752)
    position = node("GeometryNodeInputPosition", 0, 2)
    align = node("FunctionNodeAlignRotationToVector", 1, 2)
    align.axis = "Z"
    ball = node("GeometryNodeMeshUVSphere", 0, 3, Segments=12, Rings=8, Radius=0.0021)
    flat = node("GeometryNodeTransform", 1, 3, Scale=(1, 1, 0.6))
    shade = node("GeometryNodeSetShadeSmooth", 2, 3)
    paint = node("GeometryNodeSetMaterial", 3, 3, Material=material)
    instances = node("GeometryNodeInstanceOnPoints", 4, 1)
    both = node("GeometryNodeJoinGeometry", 5, 0)
    start, end = node("NodeGroupInput", 4, 0), node("NodeGroupOutput", 6, 0)
    for source, output, target, socket in (
        (position, 0, align, "Vector"),
        (ball, "Mesh", flat, "Geometry"),
        (flat, 0, shade, "Geometry"),
        (shade, 0, paint, "Geometry"),
        (ring, "Mesh", instances, "Points"),
        (paint, 0, instances, "Instance"),
        (align, 0, instances, "Rotation"),
        (instances, 0, both, 0),
        (start, 0, both, 0),
        (both, 0, end, 0),
    ):
        tree.links.new(source.outputs[output], target.inputs[socket])
    return tree


def add_feet(lantern: Lantern) -> None:
    """Three instances of a collection that is in no scene."""
    prototype = bpy.data.collections.new("Foot")
    ball = rounded([(0, 0, 0), (0.006, 0, 0.003), (0.009, 0.005, 0.003), (0.0055, 0.0085, 0)])
    pad = rounded([(0, 0, 0), (0.0115, 0, 0.001), (0.0115, 0.003, 0.001), (0, 0.003, 0)])
    for name, profile, z in (("Foot Ball", ball, 0.0), ("Foot Plate", pad, 0.008)):
        mesh = lathe(name, profile, 24)
        mesh.materials.append(lantern.materials["brass"])
        part = bpy.data.objects.new(name, mesh)
        part.location.z = z
        prototype.objects.link(part)
    for i, angle in enumerate((90, 210, 330)):
        foot = lantern.add(f"Foot Instance {i + 1}", None)
        foot.parent = lantern.root
        foot.empty_display_size = 0.01
        foot.instance_type, foot.instance_collection = "COLLECTION", prototype
        foot.location = polar(0.060, angle, 0)
        foot.rotation_euler.z = np.radians(angle)


def add_burner(lantern: Lantern) -> None:
    """Collar, gallery, dome, teeth, wick and the knob that raises it."""
    collar = rounded(
        [
            (0.0310, 0, 0),
            (0.0310, 0.004, 0.001),
            (0.0265, 0.005, 0.002),
            (0.0265, 0.010, 0.001),
            (0.0470, 0.0115, 0.001),
            (0.0480, 0.0150, 0.001),
            (0.0450, 0.0155, 0.0005),
            (0.0440, 0.0130, 0.001),
            (0.0215, 0.0130, 0.001),
            (0.0205, 0.0200, 0.004),
            (0.0105, 0.0290, 0.003),
            (0.0085, 0.0290, 0.0005),
            (0.0085, 0.0240, 0),
        ]
    )
    lantern.add("Burner", lathe("Burner", collar, 48, (4, 2)), "brass", (0, 0, 0.083))
    slot = box("Burner Slot", (0.0012, 0.0022, 0.0085))
    step = lantern.add("Burner Slot Step", None, turn=(0, 0, 22.5))
    slots = lantern.add("Burner Slots", slot, "steel", (0, 0, 0.1))
    # The array turns around the object's own origin, so the slot stands off from it.
    slot.transform(Matrix.Translation((0.0, -0.0202, 0.0)))
    step.empty_display_size, step.parent = 0.01, slots
    bevel(slots, 0.0004)
    add_array(slots, step, 16)
    wick = lantern.add("Wick", box("Wick", (0.013, 0.003, 0.012)), "cotton", (0, 0, 0.1105))
    bevel(wick, 0.001)

    direction = -48
    stem = tube(
        "Wick Stem", np.linspace((0.02, 0, 0), (0.064, 0, 0), 3), (0.0014, 0.0014), sides=12
    )
    lantern.add("Wick Stem", stem, "brass", (0, 0, 0.0895), (0, 0, direction))
    disc = rounded(
        [(0, 0, 0), (0.0088, 0, 0.0008), (0.0088, 0.003, 0.0008), (0.004, 0.0042, 0.001)]
        + [(0, 0.0042, 0)]
    )
    knob = lantern.add("Wick Knob", lathe("Wick Knob", disc, 32), "brass")
    knob.matrix_world = outward(0.062, direction, 0.0895)
    tooth = box("Knob Tooth", (0.0016, 0.0016, 0.0024))
    tooth.transform(Matrix.Translation((0.0090, 0, 0.0015)))
    teeth = lantern.add("Knob Teeth", tooth, "brass")
    turn = lantern.add("Knob Tooth Step", None, turn=(0, 0, 15))
    turn.empty_display_size, turn.parent, teeth.parent = 0.005, teeth, knob
    bevel(teeth, 0.0003)
    add_array(teeth, turn, 24)


def add_globe(lantern: Lantern) -> None:
    """The glass, given its thickness by a modifier."""
    knots = [
        (0.0365, 0, 0),
        (0.0385, 0, 0.006),
        (0.0465, 0, 0.024),
        (0.0535, 0, 0.046),
        (0.0535, 0, 0.062),
        (0.0470, 0, 0.084),
        (0.0375, 0, 0.102),
        (0.0355, 0, 0.110),
    ]
    profile = spline(knots, 5)[:, [0, 2]]
    globe = lantern.add("Globe", lathe("Globe", profile, 64), "glass", (0, 0, 0.0965))
    modifier = globe.modifiers.new("Thickness", "SOLIDIFY")
    modifier.thickness = 0.0014


def add_guard(lantern: Lantern) -> None:
    """The wire cage: one bevelled curve."""
    curve = bpy.data.curves.new("Globe Guard", "CURVE")
    curve.dimensions = "3D"
    curve.bevel_depth, curve.bevel_resolution = 0.0013, 3
    curve.resolution_u = 6

    def wire(points: Array, *, cyclic: bool) -> None:
        spline_data = curve.splines.new("NURBS" if cyclic else "BEZIER")
        if cyclic:
            spline_data.points.add(len(points) - 1)
            spline_data.points.foreach_set(
                "co", np.hstack([points, np.ones((len(points), 1))]).ravel()
            )
            spline_data.use_cyclic_u, spline_data.order_u = True, 4
            return
        spline_data.bezier_points.add(len(points) - 1)
        spline_data.bezier_points.foreach_set("co", points.ravel())
        for point in spline_data.bezier_points:
            point.handle_left_type = point.handle_right_type = "AUTO"

    around = np.radians(np.arange(0, 360, 15))
    for z in (0.126, 0.176):
        # A cubic NURBS runs inside its points: the radius is a little too large on purpose.
        ring = np.stack([np.cos(around), np.sin(around), 0 * around], -1) * 0.0612
        wire(ring + (0, 0, z), cyclic=True)
        for side in (-1, 1):
            wire(np.array([(side * 0.0600, 0, z), (side * 0.0790, 0, z)]), cyclic=False)
    for angle in (40, 140, 220, 320):
        heights = ((0.0455, 0.098), (0.0605, 0.126), (0.0620, 0.151), (0.0605, 0.176))
        points = [polar(r, angle, z) for r, z in (*heights, (0.0455, 0.207))]
        wire(np.array(points), cyclic=False)
    lantern.add("Globe Guard", curve, "steel")


def add_small_parts(lantern: Lantern) -> None:
    """Linked duplicates, the filler cap, the nameplate, the ears and the top ring."""
    slot = rounded([(0, -0.009, 0), (0.0026, -0.009, 0.0025), (0.0026, 0.009, 0.0025)])
    vent = lathe("Chimney Vent", np.vstack([slot, [(0, 0.009)]]), 12)
    for i in range(14):
        angle = 360 / 14 * (i + 0.5) - 90
        thing = lantern.add(
            f"Chimney Vent {i + 1:02}", vent, "steel", polar(0.0362, angle, 0.2255), (0, 0, angle)
        )
        thing.scale = (0.45, 1, 1)

    head = rounded([(0.0024, 0, 0), (0.0024, 0.0006, 0.0004), (0.0013, 0.0014, 0.0008)])
    rivet = lathe("Rivet", np.vstack([head, [(0, 0.0015)]]), 16)
    plate = rounded(
        [(0.0730, 0, 0), (0.0744, 0, 0.0004), (0.0744, 0.032, 0.0004), (0.0730, 0.032, 0)], 2
    )
    arc = np.radians((-90 - 24.5, -90 + 24.5))
    mesh = lathe("Nameplate", plate, 24, (1, 1), (arc[0], arc[1]))
    stretch_v(mesh, 0.0005, 0.0315)
    lantern.add("Nameplate", mesh, "nameplate", (0, 0, 0.0285))
    places = [(0.0742, -90 + a, 0.0445 + z) for a in (-22.6, 22.6) for z in (-0.0133, 0.0133)]
    ears = box("Bail Ears", (0.0030, 0.015, 0.024))
    ears.transform(Matrix.Translation((0.0905, 0, PIVOT)))
    ear = lantern.add("Bail Ears", ears, "brass")
    modifier = ear.modifiers.new("Mirror", "MIRROR")
    modifier.use_axis = (True, False, False)
    bevel(ear, 0.0012, 3, live=True)
    for i, place in enumerate(places):
        lantern.add(f"Nameplate Rivet {i + 1}", rivet, "brass").matrix_world = outward(*place)
    for side, angle in (("R", 0), ("L", 180)):
        for word, z in (("Upper", 0.0075), ("Lower", -0.0075)):
            thing = lantern.add(f"Ear Rivet {word} {side}", rivet, "brass")
            thing.matrix_world = outward(0.0918, angle, PIVOT + z)
        pin = lantern.add(f"Bail Pin {side}", rivet, "brass")
        pin.matrix_world = outward(0.0945, angle, PIVOT)
        pin.scale = (1.5, 1.5, 1.5)

    cap = rounded(
        [
            (0.0125, 0, 0),
            (0.0125, 0.005, 0.0005),
            (0.0150, 0.0055, 0.0008),
            (0.0150, 0.0130, 0.0015),
            (0.0060, 0.0150, 0.002),
            (0, 0.0150, 0),
        ]
    )
    filler = lantern.add("Filler Cap", lathe("Filler Cap", cap, 40), "brass")
    filler.location = polar(0.051, -128, FOOT + 0.064)
    filler.rotation_euler = Euler((np.radians(6), np.radians(-5), 0))
    grip = box("Filler Grip", (0.0016, 0.0016, 0.0062))
    grip.transform(Matrix.Translation((0.0150, 0, 0.0092)))
    grips = lantern.add("Filler Grips", grip, "brass")
    turn = lantern.add("Filler Grip Step", None, turn=(0, 0, 18))
    turn.empty_display_size, turn.parent, grips.parent = 0.005, grips, filler
    bevel(grips, 0.0005)
    add_array(grips, turn, 20)

    knob = rounded(
        [
            (0.0150, 0, 0),
            (0.0150, 0.003, 0.001),
            (0.0070, 0.005, 0.002),
            (0.0050, 0.009, 0.002),
            (0.0075, 0.0125, 0.003),
            (0.0045, 0.0170, 0.003),
            (0, 0.0175, 0),
        ]
    )
    lantern.add("Finial", lathe("Finial", knob, 32, (2, 0.5)), "brass", (0, 0, 0.2745))
    for name, radius, z in (("Crown Band", 0.0517, 0.248), ("Hood Band", 0.0477, 0.2065)):
        band = rounded(
            [
                (radius - 0.002, -0.0016, 0),
                (radius + 0.0010, -0.0016, 0.0008),
                (radius + 0.0010, 0.0016, 0.0008),
                (radius - 0.002, 0.0016, 0),
            ],
            3,
        )
        lantern.add(name, lathe(name, band, 64, (6, 0.2)), "brass", (0, 0, z))


def stretch_v(mesh: bpy.types.Mesh, low: float, high: float) -> None:
    """Make V run from 0 at height ``low`` to 1 at ``high`` of the mesh."""
    layer = mesh.uv_layers[0].data
    for loop, corner in zip(mesh.loops, layer, strict=True):
        z = mesh.vertices[loop.vertex_index].co.z
        corner.uv.y = min(max((z - low) / (high - low), 0.0), 1.0)
