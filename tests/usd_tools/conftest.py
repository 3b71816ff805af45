# SPDX-License-Identifier: GPL-3.0-or-later
"""Stages as Blender's exporter writes them, built with pxr alone."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

# The environment of a Blender holds usd-core too, for the plain half of the tests.
if "bpy" in sys.modules:
    sys.modules["bpy"].utils.expose_bundled_modules()

from pxr import Gf, Sdf, Usd, UsdGeom, UsdShade, Vt


def finish(job: Any) -> Any:
    """Run a job to its end and return its value."""
    while True:
        try:
            next(job)
        except StopIteration as end:
            return end.value


@pytest.fixture(name="finish")
def finish_fixture() -> Callable[[Any], Any]:
    """The function that runs a job to its end."""
    return finish


class Native:
    """A layer like the exporter's: everything below one root prim."""

    def __init__(self, path: Path, *, up: str = "Z", metres: float = 1.0) -> None:
        self.path = path
        self.stage = Usd.Stage.CreateNew(str(path))
        self.stage.SetMetadata("documentation", "Blender v9.9.9")
        UsdGeom.SetStageUpAxis(self.stage, up)
        UsdGeom.SetStageMetersPerUnit(self.stage, metres)
        self.top = UsdGeom.Xform.Define(self.stage, "/lantern").GetPrim()
        self.stage.SetDefaultPrim(self.top)

    def object(self, name: str, *, parent: str = "/lantern", type_: Any = UsdGeom.Xform) -> Any:
        """An Xform with Blender's name of the object."""
        prim = type_.Define(self.stage, f"{parent}/{name.replace(' ', '_').replace('.', '_')}")
        attribute = prim.GetPrim().CreateAttribute(
            "userProperties:blender:object_name", Sdf.ValueTypeNames.String
        )
        attribute.Set(name)
        return prim

    def mesh(
        self,
        name: str,
        points: Any,
        faces: Any = ((0, 1, 2, 3),),
        *,
        parent: str = "/lantern",
        data: str = "Mesh",
        material: Any = None,
    ) -> UsdGeom.Mesh:
        """An object with one mesh below it, with correct extent."""
        xform = self.object(name, parent=parent)
        mesh = UsdGeom.Mesh.Define(self.stage, xform.GetPath().AppendChild(data))
        points = Vt.Vec3fArray([Gf.Vec3f(*map(float, p)) for p in points])
        mesh.CreatePointsAttr(points)
        mesh.CreateFaceVertexCountsAttr([len(f) for f in faces])
        mesh.CreateFaceVertexIndicesAttr([i for f in faces for i in f])
        mesh.CreateExtentAttr(UsdGeom.PointBased.ComputeExtent(points))
        mesh.CreateSubdivisionSchemeAttr("none")
        if material is not None:
            UsdShade.MaterialBindingAPI.Apply(mesh.GetPrim()).Bind(material)
        return mesh

    def material(self, name: str, **inputs: Any) -> UsdShade.Material:
        """A preview surface; an input that is a ``Path`` becomes a texture."""
        path = f"/lantern/_materials/{name.replace(' ', '_').replace('.', '_')}"
        UsdGeom.Scope.Define(self.stage, "/lantern/_materials")
        material = UsdShade.Material.Define(self.stage, path)
        material.GetPrim().CreateAttribute(
            "userProperties:blender:data_name", Sdf.ValueTypeNames.String
        ).Set(name)
        shader = UsdShade.Shader.Define(self.stage, f"{path}/Principled_BSDF")
        shader.CreateIdAttr("UsdPreviewSurface")
        surface = shader.CreateOutput("surface", Sdf.ValueTypeNames.Token)
        material.CreateSurfaceOutput().ConnectToSource(surface)
        for socket, value in inputs.items():
            colour = socket.endswith("Color")
            kind = Sdf.ValueTypeNames.Color3f if colour else Sdf.ValueTypeNames.Float
            kind = Sdf.ValueTypeNames.Normal3f if socket == "normal" else kind
            target = shader.CreateInput(socket, kind)
            if isinstance(value, (Path, str)):
                texture = UsdShade.Shader.Define(self.stage, f"{path}/{socket}_texture")
                texture.CreateIdAttr("UsdUVTexture")
                texture.CreateInput("file", Sdf.ValueTypeNames.Asset).Set(str(value))
                reader = UsdShade.Shader.Define(self.stage, f"{path}/{socket}_reader")
                reader.CreateIdAttr("UsdPrimvarReader_float2")
                reader.CreateInput("varname", Sdf.ValueTypeNames.String).Set("st")
                texture.CreateInput("st", Sdf.ValueTypeNames.Float2).ConnectToSource(
                    reader.CreateOutput("result", Sdf.ValueTypeNames.Float2)
                )
                output = texture.CreateOutput(
                    "r" if kind == Sdf.ValueTypeNames.Float else "rgb", kind
                )
                target.ConnectToSource(output)
            else:
                target.Set(Gf.Vec3f(*value) if colour else value)
        return material

    def save(self) -> Path:
        """Write the layer; returns its path."""
        self.stage.GetRootLayer().Save()
        return self.path


SQUARE = ((-1, -1, 0), (1, -1, 0), (1, 1, 0), (-1, 1, 0))


@pytest.fixture
def native(tmp_path: Path) -> Native:
    """An empty export."""
    folder = tmp_path / "job"
    folder.mkdir()
    return Native(folder / "native.usdc")


@pytest.fixture
def textured(native: Native, tmp_path: Path) -> Native:
    """Two objects, four materials, textures with equal names and equal contents."""
    sources = {}
    for folder, file, content in (
        ("a", "paint.png", b"red"),
        ("b", "paint.png", b"blue"),
        ("c", "copy.png", b"red"),
        ("d", "wood.1001.png", b"one"),
        ("d", "wood.1002.png", b"two"),
    ):
        path = tmp_path / "sources" / folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        sources[folder] = path
    wood = native.material("Wood", diffuseColor=sources["d"].with_name("wood.<UDIM>.png"))
    red = native.material("Red", diffuseColor=sources["a"], opacity=1.0)
    native.material("Blue", diffuseColor=sources["b"], roughness=sources["c"])
    plate = native.mesh("Plate", SQUARE, material=wood)
    native.mesh("Lid", SQUARE, [(0, 1, 2), (0, 2, 3)], material=red)
    subset = UsdShade.MaterialBindingAPI(plate).CreateMaterialBindSubset("Red", Vt.IntArray([0]))
    UsdShade.MaterialBindingAPI.Apply(subset.GetPrim()).Bind(red)
    return native
