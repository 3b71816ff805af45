# SPDX-License-Identifier: GPL-3.0-or-later
"""The addon for AYON: its zip, what Blender makes of it, and its plugins.

AYON's own packages are not here: small modules stand in for the names that are imported.
"""

from __future__ import annotations

import ast
import importlib
import io
import json
import os
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import bpy
import pytest

from stagewright import __version__
from stagewright.scripts.devtools.ayon_package import ayon_zip
from stagewright.scripts.devtools.environment import BLENDERS, Environment
from stagewright.scripts.devtools.packaging import build_zip

from .scenes import add_square

PYTHON = sys.version_info[:2]
STAND_INS = {
    "ayon_core": "",
    "ayon_core.addon": "class AYONAddon: pass\nclass IPluginPaths: pass",
    "ayon_core.pipeline": (
        "class OptionalPyblishPluginMixin:\n    def is_active(self, data): return self.active"
    ),
    "ayon_core.pipeline.publish": "class PublishValidationError(Exception): pass",
    "ayon_applications": (
        "class LaunchTypes:\n"
        "    local = farm_render = farm_publish = remote = automated = 'any'\n"
        "class PreLaunchHook: pass"
    ),
    "pyblish": "",
    "pyblish.api": "ExtractorOrder = 2\nclass InstancePlugin: pass",
    "ayon_server": "",
    "ayon_server.addons": (
        "class BaseServerAddon:\n    def get_settings_model(self): return self.settings_model"
    ),
    "ayon_server.settings": (
        "class BaseSettingsModel:\n    def __init__(self, **values): self.__dict__.update(values)\n"
        "def SettingsField(default=None, **about): return default"
    ),
}


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if PYTHON not in BLENDERS:
        pytest.skip("builds with the tool of a bpy wheel, which needs Python 3.13 or 3.11")
    if released := os.environ.get("STAGEWRIGHT_DIST"):
        return Path(released, "ayon", f"stagewright-{__version__}.zip")
    environment = Environment(BLENDERS[PYTHON], PYTHON, sys.executable)
    folder = tmp_path_factory.mktemp("zip")
    return ayon_zip(build_zip(environment, folder), folder / "ayon")


@pytest.fixture(scope="module")
def client(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The client as AYON unpacks it on a machine."""
    folder = tmp_path_factory.mktemp("client")
    with zipfile.ZipFile(archive) as packed:
        with zipfile.ZipFile(io.BytesIO(packed.read("private/client.zip"))) as inside:
            inside.extractall(folder)
    return folder


@pytest.fixture
def ayon(client: Path) -> Iterator[None]:
    """Stand-ins for AYON's packages, and the client on the search path."""
    before = {name.split(".")[0] for name in sys.modules}
    for name, source in STAND_INS.items():
        module = ModuleType(name)
        exec(source, module.__dict__)
        sys.modules[name] = module
        parent, _, child = name.rpartition(".")
        if parent:
            setattr(sys.modules[parent], child, module)
    sys.path.insert(0, str(client))
    yield
    sys.path.remove(str(client))
    tops = {"ayon_stagewright", *(name.split(".")[0] for name in STAND_INS)}
    for name in [name for name in sys.modules if name.split(".")[0] in tops - before]:
        del sys.modules[name]


def plugin(client: Path, name: str) -> Any:
    """A plugin's module, as pyblish loads it: by its file."""
    path = client / "ayon_stagewright" / "plugins" / "publish" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Log:
    def __init__(self) -> None:
        self.lines: list[str] = []

    def info(self, text: str, *values: object) -> None:
        self.lines.append(text % values if values else text)

    debug = warning = info


def test_the_zip_is_laid_out_as_the_server_expects(archive: Path, root: Path) -> None:
    with zipfile.ZipFile(archive) as packed:
        names = set(packed.namelist())
        facts: dict[str, Any] = {}
        exec(packed.read("package.py"), facts)
        requirements = tomllib.loads(packed.read("private/pyproject.toml").decode())
    assert names == {
        "package.py",
        "server/__init__.py",
        "server/settings.py",
        "private/client.zip",
        "private/pyproject.toml",
    }
    assert (facts["name"], facts["version"]) == ("stagewright", __version__)
    assert archive.name == f"stagewright-{__version__}.zip"
    assert facts["client_dir"] == "ayon_stagewright"
    assert set(requirements["ayon"]["runtimeDependencies"]) == {"usd-core", "numpy"}


def test_equal_sources_give_equal_bytes(archive: Path, tmp_path: Path) -> None:
    extension = archive.parents[1] / archive.name
    assert ayon_zip(extension, tmp_path).read_bytes() == archive.read_bytes()


def test_the_client_is_python_3_9_and_needs_neither_usd_nor_numpy(client: Path) -> None:
    ours = [p for p in client.rglob("*.py") if "package" not in p.parts]
    assert len(ours) > 6
    for path in ours:
        ast.parse(path.read_text(), feature_version=(3, 9))
    program = (
        "import sys\nfrom types import ModuleType\n"
        f"for name, source in {STAND_INS!r}.items():\n"
        "    module = sys.modules[name] = ModuleType(name)\n"
        "    exec(source, module.__dict__)\n"
        "    parent, _, last = name.rpartition('.')\n"
        "    if parent: setattr(sys.modules[parent], last, module)\n"
        "for name in ('pxr', 'numpy', 'bpy', 'stagewright'): sys.modules[name] = None\n"
        f"sys.path.insert(0, {str(client)!r})\n"
        "import ayon_stagewright, ayon_stagewright.checking, ayon_stagewright.hooks\n"
        "import importlib.util\n"
        f"for path in {[str(p) for p in ours if p.parent.name in ('publish', 'hooks')]!r}:\n"
        "    spec = importlib.util.spec_from_file_location('plugin', path)\n"
        "    spec.loader.exec_module(importlib.util.module_from_spec(spec))\n"
        "print(ayon_stagewright.__version__)\n"
    )
    python = Path(sys.executable).with_name("python")
    done = subprocess.run([python, "-c", program], capture_output=True, text=True)
    assert done.stdout.strip() == __version__, done.stderr


@pytest.mark.usefixtures("ayon")
def test_the_servers_settings_name_the_plugins_attributes(client: Path, root: Path) -> None:
    sys.path.insert(0, str(root / "ayon_addon"))
    try:
        server = importlib.import_module("server")
        models = importlib.import_module("server.settings")
    finally:
        sys.path.remove(str(root / "ayon_addon"))
    assert server.StagewrightAddon.settings_model is models.StagewrightSettings
    for name, file in (("ValidateUSD", "validate_usd"), ("ExtractUSDAsset", "extract_usd_asset")):
        cls = getattr(plugin(client, file), name)
        assert hasattr(models.PublishModel, name)
        for key in getattr(models, f"{name}Model").__annotations__:
            assert key == "enabled" or hasattr(cls, key), f"{name}.{key}"
    for name in ("server", "server.settings"):
        del sys.modules[name]


@pytest.mark.usefixtures("ayon")
def test_the_hook_leaves_what_is_there_and_warns_of_a_second_usd(
    client: Path, tmp_path: Path
) -> None:
    spec = importlib.util.spec_from_file_location(
        "hook", client / "ayon_stagewright" / "hooks" / "pre_add_extension.py"
    )
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    hook = module.AddStagewright()
    hook.log = Log()
    (tmp_path / "pxr").mkdir()
    env = {"BLENDER_SYSTEM_SCRIPTS": "/theirs", "PYTHONPATH": str(tmp_path)}
    hook.launch_context = SimpleNamespace(env=env)
    hook.data = {"project_settings": {"stagewright": {"hooks": {"enabled": True}}}}
    hook.execute()
    hook.execute()
    theirs, ours = env["BLENDER_SYSTEM_SCRIPTS"].split(os.pathsep)
    assert theirs == "/theirs" and (Path(ours) / "startup" / "enable_stagewright.py").is_file()
    assert any(str(tmp_path) in line for line in hook.log.lines)
    env.clear()
    hook.data = {"project_settings": {"stagewright": {"hooks": {"enabled": False}}}}
    hook.execute()
    assert env == {}


def test_ayons_blender_has_the_extension_from_its_client(client: Path) -> None:
    show = (
        "import stagewright, bpy, json; print('SHOW', json.dumps([stagewright.__file__, "
        "'publish' in dir(bpy.ops.stagewright)]))"
    )
    env = os.environ | {"BLENDER_SYSTEM_SCRIPTS": str(client / "ayon_stagewright" / "blender")}
    done = subprocess.run(
        [bpy.app.binary_path, "-b", "--factory-startup", "--python-expr", show],
        capture_output=True, text=True, env=env, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    lines = [line for line in done.stdout.splitlines() if line.startswith("SHOW ")]
    assert lines, done.stdout + done.stderr
    file, has_operators = json.loads(lines[0].removeprefix("SHOW "))
    assert has_operators
    assert bpy.app.module or Path(file).is_relative_to(client)


@pytest.mark.usefixtures("ayon", "addon")
@pytest.mark.skipif(not hasattr(bpy.ops.wm, "usd_export"), reason="needs Blender's USD exporter")
def test_a_publish_of_ayons_takes_our_asset_and_judges_it(client: Path, tmp_path: Path) -> None:
    collection = bpy.data.collections.new("Crate")
    bpy.context.scene.collection.children.link(collection)
    collection.objects.link(add_square("Crate"))
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "crate.blend"))
    staging, published = tmp_path / "staging", tmp_path / "published"
    staging.mkdir()
    data = {
        "folderPath": "/assets/crate",
        "stagingDir": str(staging),
        "publishDir": str(published),
        "transientData": {"instance_node": collection},
        "representations": [{"name": "usd", "ext": "usd", "files": "x.usd", "stagingDir": "x"}],
    }
    instance = SimpleNamespace(name="usdMain", data=data)
    extract = plugin(client, "extract_usd_asset").ExtractUSDAsset()
    extract.log = Log()
    extract.process(instance)
    (usd,) = data["representations"]
    assert (usd["name"], usd["files"]) == ("usd", "usdMain.usda")
    assert all(Path(target).is_relative_to(published) for _, target in data["transfers"])
    names = {Path(source).name for source, _ in data["transfers"]}
    assert any(name.endswith(".usdc") for name in names)
    # What the integrator does: the root under another name, the rest beside it.
    published.mkdir()
    for source, target in data["transfers"]:
        Path(target).parent.mkdir(parents=True, exist_ok=True)
        Path(target).write_bytes(Path(source).read_bytes())
    root = published / "shw_crate_usdMain_v001.usda"
    root.write_bytes((Path(usd["stagingDir"]) / usd["files"]).read_bytes())
    from pxr import UsdUtils

    layers, _, unresolved = UsdUtils.ComputeAllDependencies(str(root))
    assert len(layers) == 3 and not unresolved
    module = plugin(client, "validate_usd")
    check = module.ValidateUSD()
    check.log = Log()
    check.python = str(Path(sys.executable).with_name("python"))
    check.process(instance)
    assert any("judged by USD 0." in line for line in check.log.lines), check.log.lines
    (Path(usd["stagingDir"]) / "crate_geometry.usdc").unlink(missing_ok=True)
    for path in Path(usd["stagingDir"]).glob("*.usdc"):
        path.unlink()
    with pytest.raises(Exception, match="not as it should be"):
        check.process(instance)
    assert sys.modules["ayon_core.pipeline.publish"].PublishValidationError


@pytest.mark.usefixtures("ayon")
def test_a_host_without_a_python_says_what_to_do(
    client: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    checking = importlib.import_module("ayon_stagewright.checking")
    monkeypatch.setattr(sys, "executable", "/opt/maya/bin/maya.bin")
    monkeypatch.delenv("STAGEWRIGHT_PYTHON", raising=False)
    with pytest.raises(checking.NotCheckedError, match="STAGEWRIGHT_PYTHON"):
        checking.check(str(tmp_path / "a.usda"))
    with pytest.raises(checking.NotCheckedError, match="cannot be started"):
        checking.check(str(tmp_path / "a.usda"), python="/no/python")
