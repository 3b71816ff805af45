# SPDX-License-Identifier: GPL-3.0-or-later
"""The example as a program without Blender gets it: opened by the USD of another build."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from pxr import Ar, Usd, UsdGeom, UsdShade, UsdUtils

STAGEWRIGHT = shutil.which("stagewright", path=str(Path(sys.executable).parent))
EXAMPLE = Path(__file__).parents[2] / "examples" / "lantern.blend"


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The root layer of the example, exported by the command."""
    if STAGEWRIGHT is None:
        pytest.skip("the stagewright command is not beside this Python")
    root = tmp_path_factory.mktemp("exported") / "lantern.usda"
    argv = [STAGEWRIGHT, "usd", "export", str(EXAMPLE), "-o", str(root)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return root


def test_nothing_of_it_is_unresolved(exported: Path) -> None:
    layers, assets, unresolved = UsdUtils.ComputeAllDependencies(str(exported))
    assert not unresolved
    assert len(layers) == 3 and len(assets) >= 8


def test_every_texture_is_found_beside_it(exported: Path) -> None:
    stage = Usd.Stage.Open(str(exported))
    files = [
        UsdShade.Shader(prim).GetInput("file").Get()
        for prim in stage.Traverse()
        if prim.IsA(UsdShade.Shader) and UsdShade.Shader(prim).GetInput("file")
    ]
    assert len(files) >= 8
    for file in files:
        assert file.path.startswith("./")
        found = Ar.GetResolver().Resolve(file.resolvedPath)
        assert Path(str(found)).is_relative_to(exported.parent)


def test_it_stands_a_lanterns_height_in_metres(exported: Path) -> None:
    stage = Usd.Stage.Open(str(exported))
    assert UsdGeom.GetStageMetersPerUnit(stage) == 1.0
    purposes = [UsdGeom.Tokens.default_, UsdGeom.Tokens.render]
    cache = UsdGeom.BBoxCache(Usd.TimeCode(1), purposes)
    shown = list(stage.Traverse(Usd.TraverseInstanceProxies()))
    meshes = [prim for prim in shown if prim.IsA(UsdGeom.Mesh)]
    tops = [cache.ComputeWorldBound(mesh).ComputeAlignedRange().GetMax()[2] for mesh in meshes]
    assert 0.3 < max(tops) < 0.6
    instancers = [UsdGeom.PointInstancer(p) for p in shown if p.IsA(UsdGeom.PointInstancer)]
    points = sum(len(found.GetProtoIndicesAttr().Get()) for found in instancers)
    # The prototypes of the instancers are meshes, too, and count with their points.
    assert len(meshes) + points - len(instancers) == 84


def test_the_geometry_waits_behind_a_payload(exported: Path) -> None:
    stage = Usd.Stage.Open(str(exported), Usd.Stage.LoadNone)
    assert not [prim for prim in stage.Traverse() if prim.IsA(UsdGeom.Mesh)]
    stage.Load()
    assert [prim for prim in stage.Traverse() if prim.IsA(UsdGeom.Mesh)]
