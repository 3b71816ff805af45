# SPDX-License-Identifier: GPL-3.0-or-later
"""The zip: what it holds, and that Blender is as before once it is gone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import bpy
import pytest

from stagewright import __version__
from stagewright.scripts.devtools.environment import BLENDERS, Environment
from stagewright.scripts.devtools.packaging import build_zip, builder

PYTHON = sys.version_info[:2]


@pytest.fixture(scope="module")
def environment() -> Environment:
    if PYTHON not in BLENDERS:
        pytest.skip("builds with the tool of a bpy wheel, which needs Python 3.13 or 3.11")
    return Environment(BLENDERS[PYTHON], PYTHON, sys.executable)


@pytest.fixture(scope="module")
def archive(environment: Environment, tmp_path_factory: pytest.TempPathFactory) -> Path:
    if released := os.environ.get("STAGEWRIGHT_DIST"):
        return Path(released, f"stagewright-{__version__}.zip")
    return build_zip(environment, tmp_path_factory.mktemp("zip"))


@pytest.fixture(scope="module")
def answer(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    user = tmp_path_factory.mktemp("user")
    script = Path(__file__).with_name("install.py")
    done = subprocess.run(
        [bpy.app.binary_path, "-b", "--python-exit-code", "1", "-P", script, "--", archive],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        env=os.environ | {"BLENDER_USER_RESOURCES": str(user)},
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (line,) = (x for x in done.stdout.splitlines() if x.startswith("INSTALLED "))
    answer: dict[str, Any] = json.loads(line.removeprefix("INSTALLED "))
    return answer


def test_blenders_validator_accepts_the_zip(environment: Environment, archive: Path) -> None:
    done = subprocess.run(
        [*builder(environment), "validate", str(archive)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_zip_holds_what_runs_in_blender_and_nothing_else(archive: Path, root: Path) -> None:
    names = zipfile.ZipFile(archive).namelist()
    top = {name.partition("/")[0] for name in names}
    rooms = {"addon", "ayon_bridge", "field_tools", "jobs", "pipeline", "texture_lab", "usd_tools"}
    assert top == rooms | {"wheels", "__init__.py", "blender_manifest.toml", "LICENSE", "README.md"}
    assert [n for n in names if any(p.startswith(".") for p in n.split("/"))] == []
    assert {Path(n).suffix for n in names if n.startswith("wheels/")} == {".whl"}
    wheels = {Path(n).name.partition("-")[0].lower() for n in names if n.startswith("wheels/")}
    assert wheels == {"ayon_python_api", "unidecode", "websocket_client"}
    for room in rooms:
        expected = {str(p.relative_to(root)) for p in (root / room).rglob("*.py")}
        assert expected == {n for n in names if n.startswith(f"{room}/") and n.endswith(".py")}


def test_without_the_networks_weights_it_is_a_small_download(archive: Path) -> None:
    with zipfile.ZipFile(archive) as packed:
        sizes = {entry.filename: entry.compress_size for entry in packed.infolist()}
    weights = sizes.pop("texture_lab/maps.npz")
    assert weights < 8 << 20 and sum(sizes.values()) < 6 << 20


def test_installing_adds_the_add_on_and_its_wheels(answer: dict[str, Any]) -> None:
    assert "add-on bl_ext.user_default.stagewright" in answer["installed"]
    assert "command stagewright" in answer["installed"]
    assert {"ayon_api", "unidecode", "websocket"} <= set(answer["wheels"])
    assert answer["folders"] == [False, True, False]


def test_disabling_takes_back_all_that_enabling_added(answer: dict[str, Any]) -> None:
    assert answer["disabled"] == []
    assert answer["enabled"] == answer["installed"]


def test_uninstalling_leaves_nothing_behind(answer: dict[str, Any]) -> None:
    assert answer["removed"] == []


def test_blenders_policy_check_stays_silent(answer: dict[str, Any]) -> None:
    assert answer["warnings"] == []
