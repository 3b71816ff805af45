# SPDX-License-Identifier: GPL-3.0-or-later
"""Both exporters of one scene, and what they wrote as flattened values."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bpy

bpy.utils.expose_bundled_modules()

import numpy as np  # noqa: E402
from pxr import Usd, UsdGeom, UsdShade  # noqa: E402
from scenes import SCENES, Case  # noqa: E402

Prepared = tuple[Callable[[], Any], Callable[[Any], dict[str, Any]], str]
ROOT = "root"


def prepare(side: str, case: Case) -> Prepared:
    """The scene of ``case``, made now, and the exporter ``side``."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    if side == "native" and case.get("made"):
        case["made"] = False  # it loses what nodes make; this is the same for an object
    SCENES[case["scene"]](case)
    bpy.context.view_layer.update()
    # What a mesh works out once and keeps, the one who exports first would pay for both.
    for mesh in bpy.data.meshes:
        mesh.corner_normals.foreach_get("vector", np.empty(3 * len(mesh.loops), np.float32))
    folder = Path(case["scratch"]).parent
    path = str(folder / f"{side}.usdc")
    frames = tuple(float(n + 1) for n in range(case.get("frames", 0)))
    run = _ours(path, frames) if side == "ours" else _native(path, case)
    version = f"Blender {bpy.app.version_string}, USD {'.'.join(map(str, Usd.GetVersion()))}"

    def to_arrays(result: Any) -> dict[str, Any]:
        stage = Usd.Stage.Open(path)
        stage.Reload()
        found = flattened(stage, frames[:: len(frames) // 3 or 1])
        if case["scene"] == "instances":
            found["axes in the scene"] = _by_place(scene_instances())[1]
        return found | result | {"bytes": Path(path).stat().st_size}

    return run, to_arrays, version


def _native(path: str, case: Case) -> Callable[[], Any]:
    def run() -> dict[str, float]:
        bpy.ops.wm.usd_export(
            filepath=path,
            root_prim_path=f"/{ROOT}",
            evaluation_mode="RENDER",
            use_instancing=case["scene"] == "instances",
            export_animation="frames" in case,
            export_shapekeys=False,  # as points in every frame, on both sides
            export_materials=bool(bpy.data.materials),
            generate_preview_surface=True,
            convert_world_material=False,
        )
        return {}

    return run


def _ours(path: str, frames: tuple[float, ...]) -> Callable[[], Any]:
    from stagewright.addon.scene.stream.objects import read_stream
    from stagewright.jobs.events import Progress
    from stagewright.usd_tools.direct.stream_writer import write_stream

    def run() -> dict[str, float]:
        start = time.perf_counter()
        reading = 0.0
        finishing = 0.0

        def timed(stream: Any) -> Any:
            nonlocal reading
            while True:
                before = time.perf_counter()
                item = next(stream, None)
                reading += time.perf_counter() - before
                if item is None:
                    return
                yield item

        stream = read_stream(list(bpy.context.scene.objects), ROOT, frames)
        for event in write_stream(timed(stream), Path(path)):
            if isinstance(event, Progress) and event.step == "usd.author":
                finishing = time.perf_counter()
        end = time.perf_counter()
        return {
            "read": reading,
            "write values": finishing - start - reading,
            "write tables": end - finishing,
        }

    return run


def flattened(stage: Usd.Stage, frames: tuple[float, ...]) -> dict[str, Any]:
    """Meshes by path, in the world; instancers as places and axes of their instances."""
    found: dict[str, list[np.ndarray]] = {}

    def add(name: str, values: Any, width: int = 1) -> None:
        found.setdefault(name, []).append(np.asarray(values).reshape(-1, width))

    for prim in sorted(stage.Traverse(), key=lambda prim: prim.GetPath()):
        if prim.IsA(UsdGeom.PointInstancer):
            add("matrices", _instances(UsdGeom.PointInstancer(prim)), 16)
        elif prim.IsA(UsdGeom.Mesh) and not _in_instancer(prim):
            _add_mesh(add, UsdGeom.Mesh(prim), frames or (Usd.TimeCode.Default(),))
    arrays = {name: np.concatenate(parts) for name, parts in found.items()}
    if "matrices" in arrays:
        arrays["places"], arrays["axes"] = _by_place(arrays.pop("matrices"))
    return arrays


def _by_place(matrices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(n, 3) origins and (n, 9) scaled axes of (n, 16) matrices, in an order of their own."""
    # Rounded far coarser than they may differ, and finer than they are apart.
    ordered = matrices[np.lexsort(np.round(matrices[:, 12:15], 2).T)]
    return ordered[:, 12:15], ordered[:, [0, 1, 2, 4, 5, 6, 8, 9, 10]]


def scene_instances() -> np.ndarray:
    """(n, 16) matrices of all instances, as Blender itself shows them."""
    shown = bpy.context.evaluated_depsgraph_get().object_instances
    return np.array([np.ravel(i.matrix_world.transposed()) for i in shown if i.is_instance])


def _in_instancer(prim: Usd.Prim) -> bool:
    while prim and not prim.IsA(UsdGeom.PointInstancer):
        prim = prim.GetParent()
    return bool(prim)


def _instances(instancer: UsdGeom.PointInstancer) -> np.ndarray:
    """(n, 4, 4) matrices from the mesh of the one prototype to the world."""
    cache = UsdGeom.XformCache()
    (target,) = instancer.GetPrototypesRel().GetForwardedTargets()
    top = instancer.GetPrim().GetStage().GetPrimAtPath(target)
    mesh = next(
        prim
        for prim in Usd.PrimRange(top, Usd.TraverseInstanceProxies(Usd.PrimAllPrimsPredicate))
        if prim.IsA(UsdGeom.Mesh)
    )
    above = np.array(cache.GetLocalToWorldTransform(top.GetParent()))
    inner = np.array(cache.GetLocalToWorldTransform(mesh)) @ np.linalg.inv(above)
    outer = np.array(cache.GetLocalToWorldTransform(instancer.GetPrim()))
    placed = instancer.ComputeInstanceTransformsAtTime(
        Usd.TimeCode.EarliestTime(), Usd.TimeCode.EarliestTime(), instancer.ExcludeProtoXform
    )
    return inner @ np.array(placed) @ outer


def _add_mesh(add: Any, mesh: UsdGeom.Mesh, times: tuple[Any, ...]) -> None:
    counts = np.array(mesh.GetFaceVertexCountsAttr().Get(times[0]))
    corners = np.array(mesh.GetFaceVertexIndicesAttr().Get(times[0]))
    add("counts", counts)
    add("corners", corners)
    primvars = UsdGeom.PrimvarsAPI(mesh)
    for moment in times:
        world = np.array(UsdGeom.XformCache(moment).GetLocalToWorldTransform(mesh.GetPrim()))
        points = np.array(mesh.GetPointsAttr().Get(moment))
        add("points", points @ world[:3, :3] + world[3, :3], 3)
        normals = np.array(mesh.GetNormalsAttr().Get(moment))
        add("normals", _by_corner(normals, mesh.GetNormalsInterpolation(), counts, corners), 3)
    for name, width in (("st", 2), ("Tint", 4)):
        primvar = primvars.GetPrimvar(name)
        if primvar:
            values = np.array(primvar.ComputeFlattened(times[0]))
            rows = _by_corner(values, primvar.GetInterpolation(), counts, corners)
            add(name, rows[:, :3] if name == "Tint" else rows, min(width, 3))
    subsets = UsdShade.MaterialBindingAPI(mesh).GetMaterialBindSubsets()
    for subset in sorted(subsets, key=lambda s: s.GetPath()):
        add("subsets", subset.GetIndicesAttr().Get())
        _add_material(add, subset.GetPrim())
    if not subsets:
        _add_material(add, mesh.GetPrim())


def _add_material(add: Any, prim: Usd.Prim) -> None:
    bound, _ = UsdShade.MaterialBindingAPI(prim).ComputeBoundMaterial()
    shader = bound.ComputeSurfaceSource("")[0] if bound else None
    if shader:
        for name, width in (("diffuseColor", 3), ("roughness", 1)):
            add(name, np.array(shader.GetInput(name).Get(), np.float32), width)


def _by_corner(
    values: np.ndarray, interpolation: str, counts: np.ndarray, corners: np.ndarray
) -> np.ndarray:
    if interpolation in ("vertex", "varying"):
        return values[corners]
    if interpolation == "uniform":
        return np.repeat(values, counts, axis=0)
    return values
