# SPDX-License-Identifier: GPL-3.0-or-later
"""Curves, hair and point clouds, compared with what Blender makes of them."""

from __future__ import annotations

from itertools import product

import bpy
import numpy as np
import pytest
from pxr import Gf, Usd, UsdGeom, UsdShade, Vt

from .test_stream import grid, link, nodes, streamed
from .usd_world import differences, scene_meshes, stage_meshes


def prims_of(stage: Usd.Stage, schema: type) -> list[Usd.Prim]:
    return [p for p in stage.Traverse() if p.IsA(schema)]


def polyline(item: bpy.types.Object) -> np.ndarray:
    """The points of a curve object as Blender evaluates them."""
    shown = item.evaluated_get(bpy.context.evaluated_depsgraph_get())
    points = np.array([v.co for v in shown.to_mesh().vertices])
    shown.to_mesh_clear()
    return points


def curve(name: str, kind: str, points: np.ndarray) -> tuple[bpy.types.Object, bpy.types.Spline]:
    data = bpy.data.curves.new(name, "CURVE")
    data.dimensions = "3D"
    spline = data.splines.new(kind)
    items = spline.bezier_points if kind == "BEZIER" else spline.points
    items.add(len(points) - 1)
    for item, co in zip(items, points, strict=True):
        item.co = co if kind == "BEZIER" else (*co, 1)
    return link(bpy.data.objects.new(name, data)), spline


def hair(name: str, sizes: list[int]) -> bpy.types.Object:
    data = bpy.data.hair_curves.new(name)
    data.add_curves(sizes)
    count = sum(sizes)
    random = np.random.default_rng(3)
    data.position_data.foreach_set("vector", random.random(3 * count).astype(np.float32))
    return link(bpy.data.objects.new(name, data))


@pytest.mark.parametrize("cyclic", [False, True])
@pytest.mark.parametrize("count", [2, 5])
def test_a_bezier_goes_where_blenders_goes(cyclic: bool, count: int) -> None:
    random = np.random.default_rng(1)
    item, spline = curve("Path", "BEZIER", random.random((count, 3)))
    for point in spline.bezier_points:
        point.handle_left, point.handle_right = random.random(3), random.random(3)
    spline.use_cyclic_u, spline.resolution_u = cyclic, 8
    bpy.context.view_layer.update()
    stage, warnings = streamed()
    assert warnings == []
    (prim,) = prims_of(stage, UsdGeom.BasisCurves)
    usd = UsdGeom.BasisCurves(prim)
    assert (usd.GetTypeAttr().Get(), usd.GetBasisAttr().Get()) == ("cubic", "bezier")
    assert usd.GetWrapAttr().Get() == ("periodic" if cyclic else "nonperiodic")
    points = np.array(usd.GetPointsAttr().Get())
    assert list(usd.GetCurveVertexCountsAttr().Get()) == [len(points)]
    segments = count if cyclic else count - 1
    around = np.concatenate([points, points[:1]]) if cyclic else points
    t = np.linspace(0, 1, 8, endpoint=False)[:, None]
    made = [
        (1 - t) ** 3 * a + 3 * (1 - t) ** 2 * t * b + 3 * (1 - t) * t**2 * c + t**3 * d
        for a, b, c, d in (around[3 * i : 3 * i + 4] for i in range(segments))
    ]
    if not cyclic:
        made.append(points[-1:])
    assert np.allclose(np.concatenate(made), polyline(item), atol=1e-5)


def spline_at(knots: np.ndarray, points: np.ndarray, order: int, at: np.ndarray) -> np.ndarray:
    """Homogeneous B-spline by the Cox-de Boor recursion; ``at`` is short of the end."""
    basis = ((knots[:-1] <= at[:, None]) & (at[:, None] < knots[1:])).astype(float)
    for degree in range(1, order):
        rise, fall = knots[degree:-1] - knots[: -degree - 1], knots[degree + 1 :] - knots[1:-degree]
        up = (at[:, None] - knots[: -degree - 1]) / np.where(rise, rise, np.inf)
        down = (knots[degree + 1 :] - at[:, None]) / np.where(fall, fall, np.inf)
        basis = up * basis[:, :-1] + down * basis[:, 1:]
    made = basis @ points
    return made[:, :3] / made[:, 3:]


@pytest.mark.parametrize(("clamped", "bezier"), list(product([False, True], repeat=2)))
@pytest.mark.parametrize("cyclic", [False, True])
def test_nurbs_curves_go_where_blenders_go(clamped: bool, bezier: bool, cyclic: bool) -> None:
    random = np.random.default_rng(2)
    items = {}
    for order, count in product((2, 3, 4, 5), (4, 5, 6, 8, 12)):
        name = f"N{order}_{count}"
        items[name], spline = curve(name, "NURBS", random.random((count, 3)))
        for point in spline.points:
            point.co[3] = 0.5 + random.random()
        spline.use_cyclic_u, spline.use_endpoint_u, spline.use_bezier_u = cyclic, clamped, bezier
        spline.order_u, spline.resolution_u = order, 5
    bpy.context.view_layer.update()
    stage, _ = streamed()
    found = 0
    for name, item in items.items():
        expected = polyline(item)
        prim = stage.GetPrimAtPath(f"/root/{name}/{name}")
        if prim.IsA(UsdGeom.BasisCurves):  # Blender shows the polygon
            assert np.allclose(UsdGeom.BasisCurves(prim).GetPointsAttr().Get(), expected, atol=1e-6)
            continue
        found += 1
        usd = UsdGeom.NurbsCurves(prim)
        points, weights = (
            np.array(a.Get()) for a in (usd.GetPointsAttr(), usd.GetPointWeightsAttr())
        )
        (order,), (ends,) = usd.GetOrderAttr().Get(), usd.GetRangesAttr().Get()
        knots = np.array(usd.GetKnotsAttr().Get())
        assert len(knots) == len(points) + order
        at = np.linspace(*ends, 20001)[:-1]
        homogeneous = np.column_stack([points * weights[:, None], weights])
        line = spline_at(knots, homogeneous, order, at)
        away = [np.sqrt(((line - p) ** 2).sum(axis=1).min()) for p in expected]
        assert max(away) < 1e-3, (name, knots)
    assert found >= 4


def test_hair_keeps_its_radii_attributes_and_place_on_the_surface() -> None:
    item = hair("Fur", [3, 5])
    data = item.data
    radius = data.attributes.new("radius", "FLOAT", "POINT")
    radius.data.foreach_set("value", np.linspace(0.1, 0.8, 8, dtype=np.float32))
    data.attributes.new("surface_uv_coordinate", "FLOAT2", "CURVE").data[1].vector = (0.25, 0.75)
    data.attributes.new("tint", "FLOAT_COLOR", "POINT").data[7].color = (0.5, 0.25, 1, 1)
    data.materials.append(bpy.data.materials.new("Hair"))
    bpy.context.view_layer.update()
    stage, warnings = streamed()
    assert warnings == []
    (prim,) = prims_of(stage, UsdGeom.BasisCurves)
    usd = UsdGeom.BasisCurves(prim)
    assert (usd.GetBasisAttr().Get(), usd.GetWrapAttr().Get()) == ("catmullRom", "pinned")
    assert list(usd.GetCurveVertexCountsAttr().Get()) == [3, 5]
    expected = np.array([p.position for p in data.points])
    assert np.array_equal(usd.GetPointsAttr().Get(), expected.astype(np.float32))
    widths = usd.GetWidthsAttr().Get()
    assert np.allclose(widths, np.linspace(0.2, 1.6, 8))
    assert usd.GetWidthsInterpolation() == "vertex"
    primvars = UsdGeom.PrimvarsAPI(prim)
    assert primvars.GetPrimvar("st").GetInterpolation() == "uniform"
    assert primvars.GetPrimvar("st").Get()[1] == Gf.Vec2f(0.25, 0.75)
    assert primvars.GetPrimvar("tint").GetInterpolation() == "vertex"
    assert primvars.GetPrimvar("tint").Get()[7] == Gf.Vec4f(0.5, 0.25, 1, 1)
    bounds = Vt.Vec3fArray(UsdGeom.Boundable.ComputeExtentFromPlugins(usd, 0))
    assert np.allclose(usd.GetExtentAttr().Get(), bounds, atol=1e-6)
    assert prim.GetAttribute("purpose").Get() in (None, "default")
    bound = UsdShade.MaterialBindingAPI(prim).GetDirectBinding().GetMaterialPath()
    assert bound == "/root/_materials/Hair"


def test_curves_of_all_types_in_one_object_are_split_by_type() -> None:
    item = hair("Mixed", [4, 4, 4, 4, 1])
    data = item.data
    data.set_types(type="BEZIER", indices=[1])
    data.set_types(type="POLY", indices=[2])
    data.set_types(type="NURBS", indices=[3])
    length = data.attributes.new("length", "FLOAT", "CURVE")
    length.data.foreach_set("value", np.arange(5, dtype=np.float32))
    bpy.context.view_layer.update()
    stage, (warning,) = streamed()
    assert "Mixed: 1 curve" in warning
    positions = np.array([p.position for p in data.points], np.float32).reshape(-1, 3)
    kinds = {}
    for prim in stage.GetPrimAtPath("/root/Mixed").GetChildren():
        usd = UsdGeom.Curves(prim)
        points = np.array(usd.GetPointsAttr().Get())
        number = int(UsdGeom.PrimvarsAPI(prim).GetPrimvar("length").Get()[0])
        kind = prim.GetAttribute("basis").Get() if prim.GetAttribute("basis") else "nurbs"
        kinds["linear" if prim.GetAttribute("type").Get() == "linear" else kind] = number
        own = points[::3] if kind == "bezier" and len(points) == 10 else points
        assert np.array_equal(own, positions[4 * number : 4 * number + 4])
        uniform = UsdGeom.PrimvarsAPI(prim).GetPrimvar("length").GetInterpolation()
        assert uniform == "uniform"
    assert kinds == {"catmullRom": 0, "bezier": 1, "linear": 2, "nurbs": 3}


def test_a_curve_that_blender_renders_nothing_of_is_a_guide() -> None:
    random = np.random.default_rng(0)
    _, spline = curve("Path", "POLY", random.random((4, 3)))
    spline.use_cyclic_u = True
    thick, _ = curve("Thick", "POLY", random.random((4, 3)))
    thick.data.bevel_depth = 0.1
    bpy.context.view_layer.update()
    stage, _ = streamed()
    (prim,) = prims_of(stage, UsdGeom.BasisCurves)
    assert prim.GetPath() == "/root/Path/Path"
    assert UsdGeom.Imageable(prim).ComputePurpose() == "guide"
    assert UsdGeom.BasisCurves(prim).GetWrapAttr().Get() == "periodic"
    assert differences(stage_meshes(stage), scene_meshes()) < 1e-5


def test_empty_curves_and_clouds_are_told() -> None:
    link(bpy.data.objects.new("Bald", bpy.data.hair_curves.new("Bald")))
    link(bpy.data.objects.new("Void", bpy.data.pointclouds.new("Void")))
    link(bpy.data.objects.new("No Spline", bpy.data.curves.new("No Spline", "CURVE")))
    hair("Stubs", [1, 1])
    bpy.context.view_layer.update()
    stage, warnings = streamed()
    assert sorted(w.partition(":")[0] for w in warnings) == ["Bald", "No Spline", "Stubs", "Void"]
    assert stage.GetPrimAtPath("/root/Bald").IsA(UsdGeom.Xform)


def test_moving_hair_is_sampled_and_its_shape_is_written_once() -> None:
    item, spline = curve("Wave", "BEZIER", np.eye(3))
    item.shape_key_add(name="Basis")
    key = item.shape_key_add(name="Up")
    key.data[0].co.z = 4
    for frame, value in ((1, 0.0), (3, 1.0)):
        key.value = value
        key.keyframe_insert("value", frame=frame)
    stage, _ = streamed(frames=(1.0, 2.0, 3.0))
    usd = UsdGeom.BasisCurves(stage.GetPrimAtPath("/root/Wave/Wave"))
    for frame in (1, 2, 3):
        bpy.context.scene.frame_set(frame)
        points = np.array(usd.GetPointsAttr().Get(frame))
        assert np.allclose(points[::3], polyline(item)[:: spline.resolution_u], atol=1e-5)
    assert usd.GetCurveVertexCountsAttr().GetNumTimeSamples() == 0
    assert usd.GetWidthsAttr().GetNumTimeSamples() == 0


def test_a_point_cloud_keeps_radii_ids_velocities_and_attributes() -> None:
    item = grid(cells=3)
    mesh = item.data
    mesh.attributes.new("velocity", "FLOAT_VECTOR", "POINT").data[2].vector = (1, 2, 3)
    mesh.attributes.new("heat", "FLOAT", "POINT").data[3].value = 0.5
    mesh.attributes.new("id", "INT", "POINT").data.foreach_set("value", range(100, 116))
    tree, add = nodes(item)
    group, out = add("NodeGroupInput"), add("NodeGroupOutput")
    to_points = add("GeometryNodeMeshToPoints", Radius=0.25)
    tree.links.new(group.outputs[0], to_points.inputs[0])
    tree.links.new(to_points.outputs[0], out.inputs[0])
    bpy.context.view_layer.update()
    stage, warnings = streamed()
    assert warnings == []
    (prim,) = prims_of(stage, UsdGeom.Points)
    usd = UsdGeom.Points(prim)
    expected = np.array([v.co for v in mesh.vertices], np.float32)
    assert np.array_equal(usd.GetPointsAttr().Get(), expected)
    assert np.allclose(usd.GetWidthsAttr().Get(), 0.5)
    assert len(usd.GetWidthsAttr().Get()) == len(expected)
    assert list(usd.GetIdsAttr().Get()) == list(range(100, 116))
    assert usd.GetVelocitiesAttr().Get()[2] == Gf.Vec3f(1, 2, 3)
    assert UsdGeom.PrimvarsAPI(prim).GetPrimvar("heat").Get()[3] == 0.5
    bounds = UsdGeom.Boundable.ComputeExtentFromPlugins(usd, 0)
    assert np.allclose(usd.GetExtentAttr().Get(), bounds, atol=1e-6)


@pytest.mark.parametrize("children", [False, True])
def test_particle_hair_stands_on_its_emitter(children: bool) -> None:
    item = grid(cells=4)
    item.location, item.rotation_euler, item.scale = (1, 2, 3), (0.2, 0.3, 0.4), (2, 1, 1)
    item.modifiers.new("Hair", "PARTICLE_SYSTEM")
    settings = item.particle_systems[0].settings
    settings.type, settings.count, settings.hair_length = "HAIR", 12, 2
    settings.root_radius, settings.tip_radius, settings.radius_scale = 1.0, 0.5, 0.1
    settings.display_step = settings.render_step = 3
    settings.use_close_tip = True
    if children:
        settings.child_type = "SIMPLE"
        settings.child_percent = settings.rendered_child_count = 3
    bpy.context.view_layer.update()
    stage, warnings = streamed()
    assert warnings == []
    (prim,) = prims_of(stage, UsdGeom.BasisCurves)
    usd = UsdGeom.BasisCurves(prim)
    assert list(usd.GetCurveVertexCountsAttr().Get()) == [9] * (36 if children else 12)
    points = np.array(usd.GetPointsAttr().Get())
    shown = item.evaluated_get(bpy.context.evaluated_depsgraph_get())
    system = shown.particle_systems[0]
    place = np.array(UsdGeom.Xformable(prim).ComputeLocalToWorldTransform(0))
    world = points @ place[:3, :3] + place[3, :3]
    first = 12 if children else 0
    for number in (0, 7, 11):
        for key in (0, 4, 8):
            expected = system.co_hair(object=shown, particle_no=first + number, step=key)
            assert np.allclose(world[9 * number + key], expected, atol=1e-5)
    widths = np.array(usd.GetWidthsAttr().Get()).reshape(-1, 9)
    # Cycles' diameter: the scale times what goes from root to tip.
    assert np.allclose(widths[5, :8], 0.1 * np.linspace(1.0, 0.5, 9)[:8])
    assert (widths[:, 8] == 0).all()
    # The grid's UV map is its square of two units, so a root tells its own place in it.
    st = np.array(UsdGeom.PrimvarsAPI(prim).GetPrimvar("st").Get())
    if not children:
        assert np.allclose(st, (points[::9, :2] + 1) / 2, atol=1e-4)
    else:
        assert st.shape == (36, 2)
