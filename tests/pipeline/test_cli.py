# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line as a program meets it: its JSON lines and its exit codes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from stagewright.ayon_bridge.library import Library

MAIN = "import sys; from stagewright.pipeline.cli import main; sys.exit(main())"


def environment(changes: dict[str, str]) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name != "BLENDER_EXECUTABLE"}
    return kept | {"PYTHONPATH": os.pathsep.join(sys.path)} | changes


def run(*words: str | Path, **changes: str) -> tuple[int, dict[str, Any]]:
    """The exit code and the last JSON line."""
    done = subprocess.run(
        [sys.executable, "-c", MAIN, *map(str, words), "--json"],
        stdout=subprocess.PIPE,
        text=True,
        env=environment(changes),
        check=False,
    )
    return done.returncode, json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["publish"], "FILE"),
        (["frobnicate"], "frobnicate"),
        (["publish", "x.blend", "--frames", "10", "1"], "10 comes after 1"),
    ],
)
def test_a_wrong_command_line_is_an_error_line_and_exit_code_2(words: list[str], said: str) -> None:
    code, last = run(*words)
    assert (code, last["event"], last["code"]) == (2, "error", "bad-arguments")
    assert said in last["message"]


def test_a_blender_that_is_not_there_is_named() -> None:
    code, last = run("publish", "x.blend", BLENDER_EXECUTABLE="/no/such/blender")
    assert (code, last["code"]) == (1, "no-blender")
    assert "/no/such/blender" in last["message"]


def test_verifying_makes_no_library(tmp_path: Path) -> None:
    missing = tmp_path / "mistyped"
    code, last = run("verify", "--library", missing)
    assert (code, last["code"]) == (1, "no-library")
    assert not missing.exists()


def test_verifying_ends_with_1_when_there_are_problems(tmp_path: Path) -> None:
    with Library.open(tmp_path) as library:
        library.create_project("show", "sh")
    assert run("verify", "--library", tmp_path)[0] == 0
    (tmp_path / "show" / "v001").mkdir(parents=True)
    code, last = run("verify", "--library", tmp_path)
    assert (code, last["event"]) == (1, "result")
    assert len(last["value"]["problems"]) == 1


ASSET = """#usda 1.0
(
    defaultPrim = "a"
    metersPerUnit = 1
    upAxis = "Z"
)
def Xform "a" (
    kind = "component"
    assetInfo = { string name = "a" }
) {}
"""


def test_checking_ends_with_1_when_there_are_errors(tmp_path: Path) -> None:
    pytest.importorskip("pxr")
    root = tmp_path / "a.usda"
    root.write_text(ASSET)
    code, last = run("usd", "check", root)
    assert (code, last["event"]) == (0, "result"), last
    root.write_text(ASSET.replace('name = "a"', 'other = "a"'))
    code, last = run("usd", "check", root)
    assert (code, last["event"]) == (1, "result"), last


BUSY = """
import sys
from stagewright.jobs.events import Progress
from stagewright.pipeline import cli
from stagewright.pipeline.commands import library

def work(options, host):
    while True:
        yield Progress("turn")

library._verify = work
sys.exit(cli.main(["verify", "--json"]))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="has no SIGTERM")
def test_a_request_to_terminate_ends_with_an_error_line_and_130() -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", BUSY], stdout=subprocess.PIPE, text=True, env=environment({})
    )
    assert process.stdout
    process.stdout.readline()
    process.send_signal(signal.SIGTERM)
    last = json.loads(process.communicate()[0].splitlines()[-1])
    assert (process.returncode, last["event"], last["code"]) == (130, "error", "cancelled")


def refused_export(target: Path, *words: str) -> str:
    """The code by which an export to ``target`` is refused, before any scene is asked for."""
    source = f"""
import sys
from stagewright.pipeline.cli import main
words = ["usd", "export", "x.blend", "-o", {str(target)!r}, "--json", *{words!r}]
sys.exit(main(words, object()))
"""
    done = subprocess.run(
        [sys.executable, "-c", source], capture_output=True, text=True, env=environment({})
    )
    assert done.returncode == 1
    return str(json.loads(done.stdout)["code"])


def test_an_export_replaces_nothing_unasked(tmp_path: Path) -> None:
    asset = tmp_path / "a.usda"
    asset.write_text("precious")
    assert refused_export(asset) == "exists"
    assert asset.read_text() == "precious"


@pytest.mark.parametrize(
    "words",
    [("--bake", "64"), ("--world",), ("--step", "0.5"), ("--up-axis", "Y"), ("--over", "b.usda")],
)
def test_what_blenders_exporter_does_not_do_is_refused(tmp_path: Path, words: list[str]) -> None:
    target = tmp_path / "a.usda"
    assert refused_export(target, "--engine", "native", *words) == "native-option"


def test_an_export_is_a_layer(tmp_path: Path) -> None:
    assert {refused_export(tmp_path / f"a{end}") for end in ("", ".usdz", ".obj")} == {
        "layer-suffix"
    }


@pytest.mark.parametrize("name", ["a_look.usda", "a_geometry.usdc", "a_references.usda"])
def test_an_export_replaces_no_layers_of_others(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("precious")
    # What may replace the root may not replace what happens to be called like its parts.
    for words in ((), ("--overwrite",)):
        assert refused_export(tmp_path / "a.usda", *words) == "layer-in-the-way"
    assert (tmp_path / name).read_text() == "precious"


@pytest.mark.parametrize("words", [["usd", "check", "x.usda"], ["usd", "export", "x", "-o", "y"]])
def test_without_a_usd_library_it_says_what_to_install(words: list[str], tmp_path: Path) -> None:
    # Before the real one on the path, also in processes of the command's own.
    (tmp_path / "pxr.py").write_text("raise ModuleNotFoundError(\"No module named 'pxr'\")")
    source = f"""
import sys
sys.path.insert(0, {str(tmp_path)!r})
from stagewright.pipeline.cli import main
sys.exit(main([*{words!r}, "--json"], object()))
"""
    done = subprocess.run(
        [sys.executable, "-c", source], capture_output=True, text=True, env=environment({})
    )
    error = json.loads(done.stdout)
    assert (done.returncode, error["code"]) == (1, "no-usd")
    assert f"{sys.executable} -m pip install usd-core" in error["cure"]
