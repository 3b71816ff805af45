# SPDX-License-Identifier: GPL-3.0-or-later
"""Large files to look into."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from pxr import Sdf, Vt

HEAD = '#usda 1.0\n(\n    defaultPrim = "root"\n)\n'


def _write(text: str, path: Path) -> Path:
    layer = Sdf.Layer.CreateAnonymous(".usda")
    layer.ImportFromString(text)
    layer.Export(str(path))
    return path


def _mesh(name: str, number: int) -> str:
    return (
        f'def Mesh "{name}"\n{{\n'
        "int[] faceVertexCounts = [4, 4]\n"
        "int[] faceVertexIndices = [0, 1, 2, 3, 1, 4, 5, 2]\n"
        f"point3f[] points = [(0,0,0), (1,0,0), (1,1,0), (0,1,0), ({number},0,0), (2,1,0)]\n"
        'uniform token subdivisionScheme = "none"\n}\n'
    )


def flat(folder: Path, count: int) -> Path:
    """``count`` meshes in groups of 1000."""
    parts = [HEAD, 'def Xform "root" (\nkind = "assembly"\n)\n{\n']
    for start in range(0, count, 1000):
        parts.append(f'def Xform "g{start // 1000}" (\nkind = "group"\n)\n{{\n')
        parts += [_mesh(f"m{n}", n) for n in range(start, min(count, start + 1000))]
        parts.append("}\n")
    return _write("".join([*parts, "}\n"]), folder / "flat.usdc")


def assets(folder: Path, count: int) -> Path:
    """``count`` references to assets with payloads and variants."""
    for number in range(20):
        body = "".join(_mesh(f"m{n}", n) for n in range(20))
        _write(f'{HEAD}def Xform "root"\n{{\n{body}}}\n', folder / f"body{number}.usdc")
        _write(
            f'{HEAD}def Xform "root" (\nkind = "component"\n'
            f'prepend payload = @./body{number}.usdc@\nprepend variantSets = "lod"\n'
            'variants = {\nstring lod = "high"\n}\n)\n{\nvariantSet "lod" = {\n'
            f'"high" {{\n{_mesh("fine", 1)}}}\n"low" {{\n{_mesh("rough", 2)}}}\n}}\n}}\n',
            folder / f"asset{number}.usda",
        )
    parts = [
        f'def "a{n}" (\nprepend references = @./asset{n % 20}.usda@\n)\n{{\n}}\n'
        for n in range(count)
    ]
    return _write(f'{HEAD}def Xform "root"\n{{\n{"".join(parts)}}}\n', folder / "assets.usda")


def instances(folder: Path, count: int) -> Path:
    """``count`` instances of ten prototypes."""
    prototypes = "".join(f'class "p{n}"\n{{\n{_mesh("a", n)}{_mesh("b", n)}}}\n' for n in range(10))
    parts = [
        f'def "i{n}" (\ninstanceable = true\nprepend references = </p{n % 10}>\n)\n{{\n}}\n'
        for n in range(count)
    ]
    text = f'{HEAD}{prototypes}def Xform "root"\n{{\n{"".join(parts)}}}\n'
    return _write(text, folder / "instances.usdc")


def changed(path: Path, count: int) -> tuple[Path, set[tuple[str, str]]]:
    """A copy of :func:`flat` with ``count`` changes of ten kinds, and what they are."""
    layer = Sdf.Layer.OpenAsAnonymous(str(path))
    prims = [
        mesh for group in layer.GetPrimAtPath("/root").nameChildren for mesh in group.nameChildren
    ]
    random = np.random.default_rng(5)
    planted: set[tuple[str, str]] = set()
    with Sdf.ChangeBlock():
        for number, index in enumerate(random.choice(len(prims), count, replace=False)):
            planted.add(_plant(layer, prims[index], number))
    other = path.with_name("changed.usdc")
    layer.Export(str(other))
    return other, planted


def _plant(layer: Sdf.Layer, prim: Sdf.PrimSpec, number: int) -> tuple[str, str]:
    path, kind = str(prim.path), number % 10
    attributes = prim.attributes
    if kind == 0:
        points = np.array(attributes["points"].default)
        points[0, 0] += 0.5
        attributes["points"].default = Vt.Vec3fArray.FromNumpy(points)
        return f"{path}.points", "default"
    if kind == 1:
        attributes["faceVertexCounts"].default = Vt.IntArray([3, 5])
        return f"{path}.faceVertexCounts", "default"
    if kind == 2:
        prim.kind = "subcomponent"
        return path, "kind"
    if kind == 3:
        prim.active = False
        return path, "active"
    if kind == 4:
        made = Sdf.AttributeSpec(prim, "extra", Sdf.ValueTypeNames.Float)
        made.default = number
        return f"{path}.extra", "property"
    if kind == 5:
        prim.RemoveProperty(attributes["subdivisionScheme"])
        return f"{path}.subdivisionScheme", "property"
    if kind == 6:
        attributes["points"].SetInfo("interpolation", "vertex")
        return f"{path}.points", "interpolation"
    if kind == 7:
        layer.SetTimeSample(f"{path}.points", 1, attributes["points"].default)
        return f"{path}.points", "timeSamples"
    if kind == 8:
        prim.referenceList.Prepend(Sdf.Reference("", f"/root/g0/m{number}"))
        return path, "references"
    made = Sdf.RelationshipSpec(prim, "target")
    made.targetPathList.explicitItems = [Sdf.Path("/root")]
    return f"{path}.target", "property"
