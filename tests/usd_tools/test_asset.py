# SPDX-License-Identifier: GPL-3.0-or-later
"""The asset that is made of a native export."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pxr import Kind, Sdf, Usd, UsdGeom, UsdShade, UsdUtils

from stagewright.jobs.errors import StagewrightError
from stagewright.usd_tools.asset import asset_layers, author_asset
from stagewright.usd_tools.scene_record import InputRecord, MaterialRecord

Finish = Callable[[Any], Any]


def _make(
    native: Any, tmp_path: Path, finish: Finish, materials: Any = (), folder: Any = "out"
) -> Any:
    native.save()
    root = tmp_path / folder / "lantern.usda"
    return finish(author_asset(native.path, root, name="lantern", materials=materials))


def _specs(layer: Sdf.Layer) -> Any:
    found = {}

    def visit(path: Any) -> Any:
        spec = layer.GetObjectAtPath(path)
        if not isinstance(spec, (Sdf.PrimSpec, Sdf.PropertySpec)):
            return
        fields = {k: spec.GetInfo(k) for k in spec.ListInfoKeys()}
        if isinstance(spec, Sdf.AttributeSpec):
            fields["samples"] = {
                t: layer.QueryTimeSample(path, t) for t in layer.ListTimeSamplesForPath(path)
            }
            fields["connections"] = list(spec.connectionPathList.GetAddedOrExplicitItems())
        if isinstance(spec, Sdf.RelationshipSpec):
            fields["targets"] = list(spec.targetPathList.GetAddedOrExplicitItems())
        found[path] = {k: str(v) for k, v in fields.items()}

    layer.Traverse(Sdf.Path.absoluteRootPath, visit)
    return found


@pytest.mark.parametrize(("suffix", "refused"), [(".usda", False), (".usdc", True)])
def test_its_own_layers_are_replaced_and_those_of_another_root_are_not(
    textured: Any, tmp_path: Path, finish: Finish, suffix: str, refused: bool
) -> None:
    first = _make(textured, tmp_path, finish)
    before = {file: file.read_bytes() for file in first.layers}
    assert set(asset_layers(first.root)) >= {file for file in first.layers if file != first.root}
    job = author_asset(textured.path, first.root.with_suffix(suffix), name="lantern", materials=[])
    if refused:
        with pytest.raises(StagewrightError, match=r"lantern_look\.usda is no part of") as error:
            finish(job)
        assert error.value.code == "layer-in-the-way"
        assert not first.root.with_suffix(suffix).exists()
    else:
        finish(job)
    assert {file: file.read_bytes() for file in first.layers} == before


def test_a_root_of_others_owns_no_layers_that_may_be_replaced(
    textured: Any, tmp_path: Path, finish: Finish
) -> None:
    own = tmp_path / "out" / "lantern.usda"
    own.parent.mkdir()
    Usd.Stage.CreateNew(str(own.with_name("lantern_look.usda"))).Save()
    stage = Usd.Stage.CreateNew(str(own))
    stage.SetDefaultPrim(stage.DefinePrim("/lantern"))
    stage.GetDefaultPrim().GetReferences().AddReference("./lantern_look.usda", "/look")
    stage.Save()
    before = own.with_name("lantern_look.usda").read_bytes()
    with pytest.raises(StagewrightError, match="is no part of"):
        _make(textured, tmp_path, finish)
    assert own.with_name("lantern_look.usda").read_bytes() == before


def test_the_composed_asset_equals_the_export_but_for_what_an_asset_adds(
    textured: Any, tmp_path: Path, finish: Finish
) -> None:
    lid = UsdGeom.Xformable(textured.stage.GetPrimAtPath("/lantern/Lid"))
    translate = lid.AddTranslateOp()
    for time in (1, 2, 3):
        translate.Set((time, 0, 0), time)
    files = _make(textured, tmp_path, finish)

    expected = _specs(Usd.Stage.Open(str(textured.path)).Flatten())
    found = _specs(Usd.Stage.Open(str(files.root)).Flatten())

    classes = Sdf.Path("/__class__")
    found = {path: spec for path, spec in found.items() if not path.HasPrefix(classes)}
    assert found.keys() == expected.keys()
    for path, fields in expected.items():
        differing = {
            key
            for key in fields.keys() | found[path].keys()
            if fields.get(key) != found[path].get(key)
        }
        if path == Sdf.Path("/lantern"):
            assert differing == {"kind", "assetInfo"}
        elif path == Sdf.Path.absoluteRootPath:
            assert differing == {"documentation"}
        elif path.name == "inputs:file":
            assert differing <= {"default", "customData"}
        else:
            assert not differing, path


def test_the_root_says_what_the_asset_is(textured: Any, tmp_path: Path, finish: Finish) -> None:
    files = _make(textured, tmp_path, finish)
    stage = Usd.Stage.Open(str(files.root), Usd.Stage.LoadNone)
    prim = stage.GetDefaultPrim()
    assert prim.GetName() == "lantern"
    assert Usd.ModelAPI(prim).GetKind() == Kind.Tokens.component
    assert Usd.ModelAPI(prim).GetAssetName() == "lantern"
    assert Usd.ModelAPI(prim).GetAssetIdentifier().path == "./lantern.usda"
    assert UsdGeom.GetStageUpAxis(stage) == "Z"
    assert UsdGeom.GetStageMetersPerUnit(stage) == 1.0
    assert not stage.GetPrimAtPath("/lantern/Plate/Mesh").HasAuthoredReferences()
    assert not stage.GetPrimAtPath("/lantern/Plate/Mesh").GetAttribute("points").Get()
    stage.Load()
    assert len(stage.GetPrimAtPath("/lantern/Plate/Mesh").GetAttribute("points").Get()) == 4


def test_geometry_and_look_are_apart(textured: Any, tmp_path: Path, finish: Finish) -> None:
    files = _make(textured, tmp_path, finish)
    geometry = Sdf.Layer.FindOrOpen(str(files.root.with_name("lantern_geometry.usdc")))
    look = Sdf.Layer.FindOrOpen(str(files.root.with_name("lantern_look.usda")))
    in_geometry, in_look = _specs(geometry), _specs(look)
    assert not [p for p in in_geometry if "material:binding" in p.name or "_materials" in str(p)]
    assert "MaterialBindingAPI" not in str(in_geometry)
    assert not [p for p in in_look if p.name == "points"]
    assert look.GetPrimAtPath("/lantern/Plate/Mesh/Red").specifier == Sdf.SpecifierOver
    stage = Usd.Stage.Open(str(files.root))
    mesh = stage.GetPrimAtPath("/lantern/Plate/Mesh")
    assert mesh.HasAPI(UsdShade.MaterialBindingAPI)
    material, _ = UsdShade.MaterialBindingAPI(mesh).ComputeBoundMaterial()
    assert material.GetPath() == "/lantern/_materials/Wood"


def test_every_layer_opens_on_its_own_with_the_same_units(
    native: Any, tmp_path: Path, finish: Finish
) -> None:
    UsdGeom.SetStageUpAxis(native.stage, "Y")
    native.stage.SetTimeCodesPerSecond(30)
    native.stage.SetStartTimeCode(5)
    native.stage.SetEndTimeCode(9)
    native.mesh("Plate", [(0, 0, 0), (1, 0, 0), (0, 1, 0)], [(0, 1, 2)])
    job = author_asset(
        native.save(), tmp_path / "a.usda", name="a", materials=[], meters_per_unit=0.01
    )
    files = finish(job)
    assert len(files.layers) == 3
    for file in files.layers:
        stage = Usd.Stage.Open(str(file))
        assert stage.GetDefaultPrim().GetPath() == "/lantern"
        assert UsdGeom.GetStageUpAxis(stage) == "Y"
        assert UsdGeom.GetStageMetersPerUnit(stage) == 0.01
        assert stage.GetTimeCodesPerSecond() == 30
        assert (stage.GetStartTimeCode(), stage.GetEndTimeCode()) == (5, 9)
        assert not stage.GetRootLayer().documentation


def test_textures_lie_beside_the_root_under_unique_names(
    textured: Any, tmp_path: Path, finish: Finish
) -> None:
    files = _make(textured, tmp_path, finish)
    contents = {f.name: f.read_bytes() for f in files.textures}
    # The equal contents "red" are stored once, under the first of their names;
    # "paint.png" is then free for the other content.
    assert contents == {
        "copy.png": b"red",
        "paint.png": b"blue",
        "wood.1001.png": b"one",
        "wood.1002.png": b"two",
    }
    layers, assets, unresolved = UsdUtils.ComputeAllDependencies(Sdf.AssetPath(str(files.root)))
    assert not unresolved
    assert {Path(a) for a in assets} == set(files.textures)
    assert {Path(layer.realPath) for layer in layers} == set(files.layers)


def test_different_textures_of_one_name_keep_apart(
    native: Any, tmp_path: Path, finish: Finish
) -> None:
    for folder in "ab":
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "Paint.png").write_bytes(folder.encode())
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "paint.PNG").write_bytes(b"c")
    native.material("A", diffuseColor=tmp_path / "a/Paint.png")
    native.material("B", diffuseColor=tmp_path / "b/Paint.png")
    native.material("C", diffuseColor=tmp_path / "c/paint.PNG")
    files = _make(native, tmp_path, finish)
    assert sorted(f.read_bytes() for f in files.textures) == [b"a", b"b", b"c"]
    assert len({f.name.casefold() for f in files.textures}) == 3
    stage = Usd.Stage.Open(str(files.root))
    for name in "ABC":
        file = stage.GetAttributeAtPath(
            f"/lantern/_materials/{name}/diffuseColor_texture.inputs:file"
        )
        assert Path(file.Get().resolvedPath).read_bytes() == name.lower().encode()


def test_no_layer_holds_a_path_of_this_machine(
    textured: Any, tmp_path: Path, finish: Finish
) -> None:
    textured.material("Gone", diffuseColor=tmp_path / "nowhere" / "gone.png")
    files = _make(textured, tmp_path, finish)
    for file in files.layers:
        assert str(tmp_path).encode() not in file.read_bytes()
        text = Sdf.Layer.FindOrOpen(str(file)).ExportToString()
        assert str(tmp_path) not in text
        assert "Blender v9" not in text


def test_a_missing_texture_keeps_its_name_and_does_not_stop_the_work(
    native: Any, tmp_path: Path, finish: Finish
) -> None:
    native.material("Gone", diffuseColor=tmp_path / "nowhere" / "gone.png")
    files = _make(native, tmp_path, finish)
    assert files.textures == ()
    _, _, unresolved = UsdUtils.ComputeAllDependencies(Sdf.AssetPath(str(files.root)))
    assert [Path(u).name for u in unresolved] == ["gone.png"]


def test_constant_alpha_and_transmission_become_opacity(
    native: Any, tmp_path: Path, finish: Finish
) -> None:
    native.material("Glass", opacity=1.0)
    native.material("Thin", opacity=0.5)
    native.material("Leaf", opacity=tmp_path / "leaf.png")
    native.material("Fog", opacity=1.0)
    native.material("Bare")
    alpha = {"Alpha": InputRecord("constant", (0.25,))}
    thin = alpha | {"Transmission Weight": InputRecord("constant", (0.5,))}
    records = [MaterialRecord(name, alpha) for name in ("Glass", "Leaf", "Bare", "Elsewhere")]
    records.append(MaterialRecord("Thin", thin))
    records.append(MaterialRecord("Fog", {"Alpha": InputRecord("nodes", nodes=("Noise",))}))
    files = _make(native, tmp_path, finish, records)
    stage = Usd.Stage.Open(str(files.root))

    def opacity(name: str) -> Any:
        path = f"/lantern/_materials/{name}/Principled_BSDF"
        return UsdShade.Shader.Get(stage, path).GetInput("opacity")

    assert opacity("Glass").Get() == 0.25
    assert opacity("Bare").Get() == 0.25
    assert opacity("Thin").Get() == 0.125
    assert opacity("Fog").Get() == 1.0
    assert opacity("Leaf").HasConnectedSource()
    assert opacity("Leaf").Get() is None


_CHILDREN = {"primChildren": "nameChildren", "properties": "properties"}

_CHILD = """
import sys
from pathlib import Path
if WHERE == "blender":
    import bpy

    bpy.utils.expose_bundled_modules()
from stagewright.usd_tools.asset import author_asset
for _ in author_asset(Path(sys.argv[1]), Path(sys.argv[2]), name="lantern", materials=[]):
    pass
"""


def _author(before: str) -> list[str]:
    """A Python like this one that authors the asset ``argv[2]`` of ``argv[1]``."""
    where = "blender" if "bpy" in sys.modules else "plain"
    return [sys.executable, "-c", f"WHERE = {where!r}\n{before}{_CHILD}"]


def test_bytes_depend_neither_on_the_process_nor_on_the_order_of_the_export(
    textured: Any, tmp_path: Path
) -> None:
    textured.save()
    layer = Sdf.Layer.FindOrOpen(str(textured.path))
    turned = Sdf.Layer.CreateNew(str(tmp_path / "elsewhere.usdc"))
    turned.defaultPrim = layer.defaultPrim
    for key in ("upAxis", "metersPerUnit"):
        turned.pseudoRoot.SetInfo(key, layer.pseudoRoot.GetInfo(key))

    def children(field: Any, source: Any, path: Any, there: Any, *_: object) -> Any:
        names = [c.name for c in getattr(source.GetPrimAtPath(path), _CHILDREN.get(field, ""), [])]
        return (True, names[::-1], names[::-1]) if there and names else there

    Sdf.CreatePrimInLayer(turned, "/lantern")
    Sdf.CopySpec(layer, "/lantern", turned, "/lantern", lambda *_: True, children)
    assert (
        list(turned.rootPrims[0].nameChildren.keys())
        == list(layer.rootPrims[0].nameChildren.keys())[::-1]
    )
    turned.documentation = "another machine"
    turned.Save()
    for seed, source in (("1", textured.path), ("2", tmp_path / "elsewhere.usdc")):
        subprocess.run(
            [*_author(""), str(source), str(tmp_path / seed / "lantern.usda")],
            check=True,
            env=os.environ | {"PYTHONHASHSEED": seed},
        )
    one, two = (
        {f.relative_to(tmp_path / s): f.read_bytes() for f in (tmp_path / s).rglob("*.*")
         if f.is_file()}
        for s in "12"
    )  # fmt: skip
    assert len(one) == 7
    assert one == two


def test_siblings_of_one_usd_name_are_numbered_by_their_names_in_blender(
    tmp_path: Path, finish: Finish
) -> None:
    results = []
    for turn, numbered in enumerate((("Lid.1", "Lid 1", "Lid_1_1"), ("Lid_1_1", "Lid 1", "Lid.1"))):
        layer = Sdf.Layer.CreateNew(str(tmp_path / f"{turn}.usdc"))
        layer.defaultPrim = "top"
        top = Sdf.CreatePrimInLayer(layer, "/top")
        top.specifier = Sdf.SpecifierDef
        # As the exporter does: the first one keeps the name, the others count on.
        for name, usd_name in zip(numbered, ("Lid_1", "Lid_1_1", "Lid_1_2"), strict=True):
            for parent, key in (("/top", "object_name"), ("/top/_materials", "data_name")):
                prim = Sdf.CreatePrimInLayer(layer, f"{parent}/{usd_name}")
                prim.specifier = Sdf.SpecifierDef
                prim.typeName = "Material" if key == "data_name" else "Mesh"
                attribute = f"userProperties:blender:{key}"
                Sdf.AttributeSpec(prim, attribute, Sdf.ValueTypeNames.String).default = name
            binding = Sdf.RelationshipSpec(
                layer.GetPrimAtPath(f"/top/{usd_name}"), "material:binding"
            )
            binding.targetPathList.explicitItems = [f"/top/_materials/{usd_name}"]
            surface = layer.GetPrimAtPath(f"/top/_materials/{usd_name}")
            output = Sdf.AttributeSpec(surface, "outputs:surface", Sdf.ValueTypeNames.Token)
            output.connectionPathList.explicitItems = [f"{surface.path}/Shader.outputs:surface"]
        layer.Save()
        root = tmp_path / str(turn) / "top.usda"
        native = Path(layer.realPath)
        results.append(finish(author_asset(native, root, name="top", materials=[])))
    one, two = ([f.read_bytes() for f in files.layers] for files in results)
    assert one == two
    stage = Usd.Stage.Open(str(results[0].root))
    names = {}
    for prim in stage.GetPrimAtPath("/top").GetChildren():
        if prim.IsA(UsdGeom.Mesh):
            name = prim.GetAttribute("userProperties:blender:object_name").Get()
            names[name] = prim.GetName()
            material, _ = UsdShade.MaterialBindingAPI(prim).ComputeBoundMaterial()
            bound = material.GetPrim()
            assert bound.GetAttribute("userProperties:blender:data_name").Get() == name
            (source,) = bound.GetAttribute("outputs:surface").GetConnections()
            assert source == f"{bound.GetPath()}/Shader.outputs:surface"
    assert names == {"Lid 1": "Lid_1", "Lid.1": "Lid_1_2", "Lid_1_1": "Lid_1_1"}


def test_a_second_export_replaces_the_first_and_leaves_no_traces(
    textured: Any, tmp_path: Path, finish: Finish
) -> None:
    first = _make(textured, tmp_path, finish)
    before = {f: f.read_bytes() for f in (*first.layers, *first.textures)}
    second = _make(textured, tmp_path, finish)
    assert second == first
    assert {f: f.read_bytes() for f in (*second.layers, *second.textures)} == before
    assert sorted(p.name for p in first.root.parent.iterdir()) == [
        "lantern.usda",
        "lantern_geometry.usdc",
        "lantern_look.usda",
        "lantern_textures",
    ]


@pytest.mark.parametrize(
    ("obstacle", "code"),
    [("lantern.usda", "layer-in-the-way"), ("lantern_look.usda", "target-unwritable")],
)
def test_a_failure_leaves_the_earlier_files_as_they_were(
    textured: Any, tmp_path: Path, finish: Finish, obstacle: str, code: str
) -> None:
    files = _make(textured, tmp_path, finish)
    # A folder that cannot be replaced by a file stands in the way of the last step.
    (files.root.with_name(obstacle)).unlink()
    (files.root.with_name(obstacle) / "in the way").mkdir(parents=True)
    before = _tree(files.root.parent)
    textured.mesh("New", [(0, 0, 0), (1, 0, 0), (0, 1, 0)], [(0, 1, 2)])
    native = textured.save()
    with pytest.raises(StagewrightError) as error:
        finish(author_asset(native, files.root, name="lantern", materials=[]))
    assert error.value.code == code
    assert _tree(files.root.parent) == before


_FULL_DISK = """
import resource, signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (512, 512))
"""


@pytest.mark.skipif(os.name != "posix", reason="needs a limit on the size of files")
def test_a_full_disk_leaves_the_earlier_files_as_they_were(
    textured: Any, tmp_path: Path, finish: Finish
) -> None:
    files = _make(textured, tmp_path, finish)
    before = _tree(files.root.parent)
    textured.mesh("New", [(0, 0, 0), (1, 0, 0), (0, 1, 0)], [(0, 1, 2)])
    child = subprocess.run(
        [*_author(_FULL_DISK), str(textured.save()), str(files.root)],
        env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"},
        stderr=subprocess.PIPE,
        text=True,
    )
    assert child.returncode == 1
    assert "Make room on the disk" in child.stderr
    assert _tree(files.root.parent) == before


_KILLED = """
import os, pathlib
left = {moves}
rename = pathlib.Path.rename
def move(*paths):
    global left
    if not left:
        os._exit(9)
    left -= 1
    return rename(*paths)
pathlib.Path.rename = move
"""


@pytest.mark.parametrize("again", [False, True], ids=["first", "second"])
def test_an_export_that_was_killed_can_be_repeated(
    textured: Any, tmp_path: Path, finish: Finish, again: bool
) -> None:
    """Whatever was in its place by then, the next export knows it for its own."""
    textured.save()
    for moves in range(30):
        root = tmp_path / str(moves) / "lantern.usda"
        if again:
            finish(author_asset(textured.path, root, name="lantern", materials=[]))
        killed = [*_author(_KILLED.format(moves=moves)), str(textured.path), str(root)]
        code = subprocess.run(killed, env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"}).returncode
        files = finish(author_asset(textured.path, root, name="lantern", materials=[]))
        assert all(file.is_file() for file in files.layers)
        if code == 0:
            break
        assert code == 9
    assert moves > 3 and code == 0


def test_another_layer_beside_a_killed_export_is_never_replaced(
    textured: Any, tmp_path: Path, finish: Finish
) -> None:
    textured.save()
    root = tmp_path / "out" / "lantern.usda"
    killed = [*_author(_KILLED.format(moves=0)), str(textured.path), str(root)]
    assert subprocess.run(killed).returncode == 9
    other = root.with_name("lantern_geometry.usdc")
    other.write_text("mine")
    with pytest.raises(StagewrightError) as error:
        finish(author_asset(textured.path, root, name="lantern", materials=[]))
    assert (error.value.code, other.read_text()) == ("layer-in-the-way", "mine")


def test_closing_the_job_leaves_nothing_behind(textured: Any, tmp_path: Path) -> None:
    textured.save()
    root = tmp_path / "out" / "lantern.usda"
    job = author_asset(textured.path, root, name="lantern", materials=[])
    for event in job:
        if event.step == "asset.write":
            break
    job.close()
    assert list(root.parent.iterdir()) == []


def _tree(folder: Any) -> Any:
    return {p.relative_to(folder): p.read_bytes() if p.is_file() else None
            for p in folder.rglob("*")}  # fmt: skip


def _error(job: Any, finish: Finish) -> Any:
    with pytest.raises(StagewrightError) as error:
        finish(job)
    assert error.value.message.endswith(".") and error.value.cure.endswith(".")
    return error.value


def test_bad_exports_are_refused_with_their_name(
    native: Any, tmp_path: Path, finish: Finish
) -> None:
    def make(
        path: Any, root: Any = tmp_path / "out" / "lantern.usda", name: str = "lantern"
    ) -> Any:
        return _error(author_asset(path, root, name=name, materials=[]), finish)

    broken = tmp_path / "broken.usdc"
    broken.write_bytes(b"PXR-USDC and no more")
    assert make(broken).code == "native-unreadable"
    assert "broken.usdc" in make(broken).message
    assert make(tmp_path / "none.usdc").code == "native-unreadable"
    assert make(native.save()).code == "nothing-to-export"
    native.object("Plate")
    native.stage.DefinePrim("/other")
    assert make(native.save()).code == "native-layout"
    assert "other" in make(native.path).message
    native.stage.RemovePrim("/other")
    native.save()
    assert make(native.path, name="../up").code == "asset-name"
    (tmp_path / "file").write_text("")
    assert make(native.path, tmp_path / "file" / "lantern.usda").code == "target-unwritable"
    assert not (tmp_path / "out").exists()
