# SPDX-License-Identifier: GPL-3.0-or-later
"""Many files by real Blenders: a list, a farm's script, a cluster."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import bpy
import pytest

from stagewright.ayon_bridge.library import Library

from .scenes import add_square, empty_scene

SCRIPT = Path(__file__).parents[2] / "scripts" / "publish.py"

pytestmark = pytest.mark.skipif(
    not hasattr(bpy.ops.wm, "usd_export"), reason="needs Blender's USD exporter"
)


def save(folder: Path, *names: str) -> None:
    for size, name in enumerate(names, 1):
        empty_scene()
        add_square(name, float(size))
        bpy.ops.wm.save_as_mainfile(filepath=str(folder / f"{name}.blend"), compress=False)


def run_script(*words: object) -> tuple[int, list[dict[str, Any]]]:
    done = subprocess.run(
        [bpy.app.binary_path, "--background", *map(str, words)],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=300,
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    assert lines, done.stderr[-2000:]
    return done.returncode, [json.loads(line) for line in lines]


def published(library: Path) -> list[str]:
    with Library.open_existing(library) as opened:
        return [each.path for each in opened.get_folders("local")]


def test_the_farms_script_publishes_the_open_file(tmp_path: Path) -> None:
    save(tmp_path, "crate")
    words = ["-P", SCRIPT, "--", "--library", tmp_path / "library", "--json"]
    code, lines = run_script(tmp_path / "crate.blend", *words)
    assert code == 0 and lines[-1]["value"]["version"] == "v001"
    assert published(tmp_path / "library") == ["/assets", "/assets/crate"]
    code, lines = run_script("-P", SCRIPT, "--", tmp_path / "none.blend", "--json")
    assert (code, lines[-1]["code"]) == (1, "no-blend")
    code, lines = run_script("-P", SCRIPT, "--", "--json")
    assert (code, lines[-1]["code"]) == (2, "bad-arguments")


def test_a_cluster_of_blenders_publishes_a_list(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("distributed")
    save(tmp_path, "crate", "barrel", "plank")
    listed = tmp_path / "list.csv"
    listed.write_text("file,comment\ncrate.blend,one\nbarrel.blend,two\nplank.blend,three\n")
    # Worker processes are plain Pythons: this one's program is Blender's launcher.
    python = Path(sys.executable).with_name("python")
    monkeypatch.delenv("PYTHONPATH", raising=False)
    main = "import sys; from stagewright.pipeline.cli import main; sys.exit(main())"
    cluster = (
        "import sys, subprocess, distributed\n"
        "if __name__ == '__main__':\n"
        "    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, processes=True,\n"
        "                                  dashboard_address=None) as cluster:\n"
        f"        words = [sys.executable, '-c', {main!r}, *sys.argv[1:]]\n"
        "        sys.exit(subprocess.call([*words, '--scheduler', cluster.scheduler_address]))\n"
    )
    program = tmp_path / "cluster.py"
    program.write_text(cluster)
    words = ["publish", "--from", listed, "--library", tmp_path / "library", "--json"]
    done = subprocess.run(
        [str(python), str(program), *map(str, words)], capture_output=True, text=True, timeout=300
    )
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    assert done.returncode == 0, (lines[-1:], done.stderr[-2000:])
    assert [row["state"] for row in lines[-1]["value"]["rows"]] == ["published"] * 3
    assert len(published(tmp_path / "library")) == 4
