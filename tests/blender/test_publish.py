# SPDX-License-Identifier: GPL-3.0-or-later
"""The main job as a user runs it: a process, its JSON lines, its exit code."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterable
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest

from .scenes import add_material, add_square, empty_scene, instance_cubes

STAGEWRIGHT = shutil.which("stagewright", path=str(Path(sys.executable).parent))
EXAMPLE = Path(__file__).parents[2] / "examples" / "lantern.blend"

# What Blender's exporter loses of the example, by check and object.
EXAMPLE_LOSSES = [
    ("material-input", "Flame"),  # emission from a colour attribute
    ("material-input", "Rope"),  # base colour from a colour attribute
    ("material-input", "Rope"),  # sheen
    ("material-input", "Tank"),  # base colour times occlusion
    ("object-light", "Fill Sun"),  # half its angle
    ("object-light", "Fill Sun"),  # a quarter of its strength
    ("object-light", "Flame Glow"),  # the specular factor
    ("object-missing", "Front Orthographic"),
]

pytestmark = pytest.mark.skipif(
    not hasattr(bpy.ops.wm, "usd_export") or STAGEWRIGHT is None,
    reason="needs Blender's USD exporter and the stagewright command",
)


def stagewright(*arguments: object, **options: Any) -> subprocess.CompletedProcess[str]:
    argv = [str(STAGEWRIGHT), *map(str, arguments)]
    return subprocess.run(argv, capture_output=True, text=True, check=False, timeout=300, **options)


def events(done: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert lines, done.stderr
    return lines


def publish(blend: Path, library: Path, *arguments: object) -> dict[str, Any]:
    done = stagewright("publish", blend, "--library", library, *arguments, "--json")
    last = events(done)[-1]
    assert last["event"] == "result", (last, done.stderr[-2000:])
    assert done.returncode == 0
    return last["value"]


def refused(*arguments: object, **options: Any) -> dict[str, Any]:
    done = stagewright(*arguments, "--json", **options)
    last = events(done)[-1]
    assert last["event"] == "error", last
    assert done.returncode == 1
    assert last["message"].count("\n") == 0 and last["cure"]
    return last


def save_crate(folder: Path) -> Path:
    """A file with a square, cubes made in a node tree, and an image texture beside it."""
    empty_scene()
    item = add_square("Crate")
    material = add_material("Oak", Alpha=0.5)
    texture = material.node_tree.nodes.new("ShaderNodeTexImage")
    image = bpy.data.images.new("oak", 4, 4)
    image.filepath_raw = str(folder / "oak.png")
    image.file_format = "PNG"
    image.save()
    bpy.data.images.remove(image)
    texture.image = bpy.data.images.load(str(folder / "oak.png"))
    shader = material.node_tree.nodes["Principled BSDF"]
    material.node_tree.links.new(texture.outputs["Color"], shader.inputs["Base Color"])
    item.data.materials.append(material)
    instance_cubes(item, 0.2, material)
    path = folder / "crate.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(path), compress=False)
    return path


@pytest.fixture
def blend(tmp_path: Path) -> Path:
    return save_crate(tmp_path)


def files_below(folder: Path) -> dict[str, bytes]:
    found = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in found}


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What publishing the crate answered, with the ``library`` it went to."""
    folder = tmp_path_factory.mktemp("published")
    blend = save_crate(folder)
    return publish(blend, folder / "library") | {"blend": blend, "library": folder / "library"}


def test_a_publish_is_a_whole_version_that_usd_opens(published: dict[str, Any]) -> None:
    from pxr import Usd, UsdGeom, UsdShade, UsdUtils

    assert published["version"] == "v001" and not published["unchanged"]
    layers, assets, unresolved = UsdUtils.ComputeAllDependencies(published["path"])
    assert not unresolved
    assert len(layers) == 3 and len(assets) == 1
    stage = Usd.Stage.Open(published["path"])
    shown = stage.Traverse(Usd.TraverseInstanceProxies())
    meshes = [p for p in shown if p.IsA(UsdGeom.Mesh)]
    points = sorted(len(UsdGeom.Mesh(m).GetPointsAttr().Get()) for m in meshes)
    assert points == [4, 8, 8, 8, 8]
    material, _ = UsdShade.MaterialBindingAPI(meshes[0]).ComputeBoundMaterial()
    surface = UsdShade.Shader(material.ComputeSurfaceSource()[0])
    assert surface.GetInput("opacity").Get() == pytest.approx(0.5)
    root = stage.GetDefaultPrim()
    assert root.GetName() == "crate"
    assert root.GetAssetInfoByKey("version") == "v001"
    assert Usd.ModelAPI(root).GetKind() == "component"


def test_a_publish_holds_what_the_scene_shows(published: dict[str, Any]) -> None:
    checks = published["checks"]
    assert checks["compared"] == 5
    assert checks["greatest_distance"] < 1e-5
    assert not [f for f in checks["findings"] if f["severity"] in {"error", "loss"}]


def test_the_database_lists_every_file_of_the_version(published: dict[str, Any]) -> None:
    library, folder = Path(published["library"]), Path(published["folder"])
    with closing(sqlite3.connect(library / "stagewright.db")) as database:
        rows = database.execute("SELECT files FROM representations").fetchall()
    listed = {file["path"]: file for (files,) in rows for file in json.loads(files)}
    found = {n: d for n, d in files_below(folder).items() if not n.startswith(".")}
    prefix = "{root[work]}/" + folder.relative_to(library).as_posix()
    assert {f"{prefix}/{name}" for name in found} - set(listed) == {f"{prefix}/thumbnail.png"}
    for name, data in found.items():
        if name != "thumbnail.png":
            file = listed[f"{prefix}/{name}"]
            assert (file["size"], file["hash"]) == (len(data), sha256(data).hexdigest())


def test_the_report_and_the_picture_are_there(published: dict[str, Any]) -> None:
    page = Path(published["report"]).read_text(encoding="utf-8")
    assert "crate" in page and "v001" in page and "data:image/png;base64," in page
    assert not re.search(r"""(src|href)=["'](?!data:|#)""", page)
    assert Path(published["thumbnail"]).read_bytes().startswith(b"\x89PNG")


def test_no_written_file_names_this_machine(
    published: dict[str, Any], find_secrets: Callable[[Iterable[Path]], list[str]]
) -> None:
    folder = Path(published["folder"])
    written = [path for path in folder.rglob("*") if path.suffix != ".png"]
    assert len(written) > 4
    assert find_secrets(written) == []


def test_a_publish_leaves_the_file_as_it_was_and_notices_no_change(
    published: dict[str, Any],
) -> None:
    before = published["blend"].read_bytes()
    again = publish(published["blend"], published["library"])
    assert (again["version"], again["unchanged"]) == ("v001", True)
    assert again["path"] == published["path"] and again["identity"] == published["identity"]
    assert published["blend"].read_bytes() == before


def test_a_forced_publish_is_a_new_version_and_is_saved_with_the_file(
    published: dict[str, Any], addon: None
) -> None:
    old = files_below(Path(published["folder"]))
    value = publish(published["blend"], published["library"], "--force", "--save")
    assert (value["version"], value["unchanged"]) == ("v002", False)
    assert files_below(Path(published["folder"])) == old
    bpy.ops.wm.open_mainfile(filepath=str(published["blend"]))
    kept = bpy.context.scene.collection.stagewright
    assert (kept.version, kept.version_id) == ("v002", value["identity"]["versionId"])


def test_two_processes_write_the_same_bytes(blend: Path, tmp_path: Path) -> None:
    written = []
    for name, seed in (("one", "1"), ("two", "2")):
        root = tmp_path / name / "crate.usda"
        env = os.environ | {"PYTHONHASHSEED": seed}
        done = stagewright("usd", "export", blend, "-o", root, "--json", env=env)
        assert done.returncode == 0 and events(done)[-1]["value"]["path"] == str(root)
        written.append(files_below(root.parent))
    assert written[0] == written[1]
    assert {"crate.usda", "crate_look.usda", "crate_geometry.usdc"} <= set(written[0])


def test_a_missing_texture_stops_the_publish_and_can_be_allowed(
    blend: Path, tmp_path: Path
) -> None:
    (tmp_path / "oak.png").unlink()
    library = tmp_path / "library"
    error = refused("publish", blend, "--library", library)
    assert error["code"] == "checks-failed" and "oak.png" in error["message"]
    found = [f for f in error["details"]["checks"]["findings"] if f["severity"] == "error"]
    assert {f["check"] for f in found} == {"missing-texture"}
    assert not list(library.rglob("*.usda"))
    value = publish(blend, library, "--allow", "missing-texture")
    assert value["checks"]["allowed"] == ["missing-texture"]


@pytest.mark.parametrize("content", [None, b"not a blend", b"BLENDER-v405" + b"\0" * 64])
def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "broken.blend"
    if content is not None:
        path.write_bytes(content)
    library = tmp_path / "library"
    error = refused("publish", path, "--library", library)
    assert error["code"] == ("no-blend" if content is None else "bad-blend")
    assert "broken.blend" in error["message"]


def test_an_empty_scene_is_refused(tmp_path: Path) -> None:
    empty_scene()
    path = tmp_path / "empty.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(path))
    assert refused("publish", path, "--library", tmp_path / "l")["code"] == "nothing-to-export"


@pytest.mark.parametrize("option", ["--product", "--project", "--folder", "--task"])
def test_a_name_that_ayon_refuses_is_refused_before_the_work(
    blend: Path, tmp_path: Path, option: str
) -> None:
    error = refused("publish", blend, "--library", tmp_path / "l", option, "bad name/ü")
    assert "bad name" in error["message"]


def test_a_library_that_cannot_be_written_is_refused(blend: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    error = refused("publish", blend, "--library", tmp_path / "file" / "library")
    assert "library" in error["message"]


def test_a_wrong_command_line_exits_with_2() -> None:
    done = stagewright("publish")
    assert done.returncode == 2 and "FILE" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_terminated_publish_says_so_and_leaves_nothing(blend: Path, tmp_path: Path) -> None:
    library = tmp_path / "library"
    argv = [str(STAGEWRIGHT), "publish", str(blend), "--library", str(library), "--json"]
    process = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(json.loads(line))
        if len(lines) == 1:
            process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 130
    assert (lines[-1]["event"], lines[-1]["code"]) == ("error", "cancelled")
    assert not list(library.rglob("v001"))


@pytest.mark.parametrize(
    ("engine", "expected", "meshes"), [("native", EXAMPLE_LOSSES, 84), ("stagewright", [], 57)]
)
def test_the_example_is_published_with_its_known_losses(
    tmp_path: Path, engine: str, expected: list[tuple[str, str]], meshes: int
) -> None:
    words = ("--collection", "Lantern", "--engine", engine)
    value = publish(EXAMPLE, tmp_path / "library", *words)
    picture = bpy.data.images.load(value["thumbnail"])
    assert tuple(picture.size) == (512, 512)
    alpha = np.array(picture.pixels).reshape(512, 512, 4)[..., 3]
    rows, columns = np.nonzero(alpha > 0.5)
    filled = max(np.ptp(rows), np.ptp(columns)) + 1
    assert 0.6 * 512 <= filled <= 0.9 * 512
    assert not alpha[[0, 0, -1, -1], [0, -1, 0, -1]].any()
    findings = value["checks"]["findings"]
    assert not [f for f in findings if f["severity"] == "error"]
    losses = sorted((f["check"], f["object"]) for f in findings if f["severity"] == "loss")
    assert losses == expected
    # Every mesh of the scene; a point instancer's are one, wherever they are.
    assert value["checks"]["compared"] == meshes
    assert value["checks"]["greatest_distance"] < 1e-6


def test_a_path_that_moved_since_the_last_version_is_a_warning(tmp_path: Path) -> None:
    empty_scene()
    item = add_square("Crate")
    add_square("Floor")
    path = tmp_path / "crate.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(path), compress=False)
    words = ("--engine", "stagewright")
    first = publish(path, tmp_path / "library", *words)
    assert not [f for f in first["checks"]["findings"] if f["check"].startswith("path-")]
    item.parent = bpy.data.objects["Floor"]
    bpy.ops.wm.save_as_mainfile(filepath=str(path), compress=False)
    second = publish(path, tmp_path / "library", *words)
    (warning,) = [f for f in second["checks"]["findings"] if f["check"].startswith("path-")]
    assert (warning["check"], warning["severity"]) == ("path-changed", "warning")
    assert (warning["object"], warning["prim"]) == ("Crate", "/crate/Floor/Crate")
