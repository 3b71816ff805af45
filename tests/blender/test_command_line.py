# SPDX-License-Identifier: GPL-3.0-or-later
"""The launcher's command line against Blender's documented one, in child processes.

The program under test is the one that runs these tests: ``blender-headless``,
or the real Blender that BLENDER_EXECUTABLE names, which gives the same answers.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import bpy
import pytest

SHOW = "import json, sys; print('SHOW', json.dumps([{}]))"


def blender(
    *arguments: str | Path, env: dict[str, str] | None = None, cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [bpy.app.binary_path, *map(str, arguments)],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        env=os.environ | (env or {}),
        cwd=cwd,
        timeout=120,
    )


def shown(done: subprocess.CompletedProcess[str]) -> list[object]:
    return [
        value
        for line in done.stdout.splitlines()
        if line.startswith("SHOW ")
        for value in json.loads(line.removeprefix("SHOW "))
    ]


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    bpy.context.scene.name = "Saved"
    text = bpy.data.texts.new("note.py")
    text.write(SHOW.format("'text'"))
    path = tmp_path / "a file.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(path), copy=True)
    return path


def test_scripts_texts_and_files_run_in_the_order_they_stand_in(saved: Path) -> None:
    name = SHOW.format("__import__('bpy').context.scene.name")
    done = blender(
        "-b", "--factory-startup", "--python-expr", name, saved, "--python-expr", name,
        "--python-text", "note.py", "--", "--python-expr", name,
    )  # fmt: skip
    assert shown(done) == ["Scene", "Saved", "text"]
    assert done.returncode == 0


def test_script_sees_itself_as_main_with_blenders_arguments(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(SHOW.format("__name__, __file__, sys.argv, sys.modules['__main__'].__file__"))
    arguments = ["-b", "--factory-startup", "-P", "script.py", "--", "-x", "--json", "y z"]
    done = blender(*arguments, cwd=tmp_path)
    name, file, argv, main_file = shown(done)
    assert name == "__main__"
    assert file == main_file == str(script)
    assert argv == [bpy.app.binary_path, *arguments]


@pytest.mark.parametrize(
    ("arguments", "code", "goes_on"),
    [
        (["--python-expr", "1/0"], 0, True),
        (["--python-exit-code", "7", "--python-expr", "1/0"], 7, False),
        (["--python-expr", "1/0", "--python-exit-code", "7"], 0, True),
        (["--python-expr", "import sys; sys.exit(5)"], 5, False),
        (["no such file.blend"], 1, False),
    ],
)
def test_exit_code_and_what_still_runs(arguments: list[str], code: int, goes_on: bool) -> None:
    done = blender("-b", "--factory-startup", *arguments, "--python-expr", SHOW.format("'went on'"))
    assert done.returncode == code
    assert shown(done) == (["went on"] if goes_on else [])


def test_corrupt_file_ends_with_exit_code_1_and_runs_no_script(saved: Path) -> None:
    saved.write_bytes(b"not a blend file" * 100)
    done = blender("-b", "--factory-startup", saved, "--python-expr", SHOW.format("'went on'"))
    assert done.returncode == 1
    assert "a file.blend" in done.stdout + done.stderr
    assert shown(done) == []


def test_traceback_of_a_script_names_only_the_script(tmp_path: Path) -> None:
    script = tmp_path / "broken.py"
    script.write_text("def f():\n    raise KeyError('lost')\nf()\n")
    done = blender("-b", "--factory-startup", "--python-exit-code", "1", "-P", script)
    frames = [line for line in done.stderr.splitlines() if line.startswith("  File ")]
    assert [frame.split('"')[1] for frame in frames] == [str(script)] * 2
    assert "KeyError: 'lost'" in done.stderr


def test_preferences_are_read_unless_factory_startup(tmp_path: Path) -> None:
    env = {"BLENDER_USER_RESOURCES": str(tmp_path)}
    write = (
        "import bpy; bpy.context.preferences.filepaths.save_version = 7; bpy.ops.wm.save_userpref()"
    )
    read = SHOW.format("__import__('bpy').context.preferences.filepaths.save_version")
    assert blender("-b", "--python-expr", write, env=env).returncode == 0
    assert shown(blender("-b", "--python-expr", read, env=env)) == [7]
    factory = shown(blender("-b", "--factory-startup", "--python-expr", read, env=env))
    assert factory != [7]


def test_addons_are_enabled_for_the_session() -> None:
    enabled = SHOW.format("__import__('addon_utils').check('node_wrangler')[1]")
    done = blender(
        "-b", "--factory-startup", "--python-expr", enabled, "--addons", "node_wrangler",
        "--python-expr", enabled,
    )  # fmt: skip
    assert shown(done) == [False, True]


def test_extension_command_validates_a_folder(tmp_path: Path, root: Path) -> None:
    good = blender("--command", "extension", "validate", str(root))
    assert good.returncode == 0, good.stdout + good.stderr
    (tmp_path / "blender_manifest.toml").write_text('id = "x"\n')
    assert blender("--command", "extension", "validate", str(tmp_path)).returncode != 0


def test_unknown_command_ends_with_exit_code_1() -> None:
    done = blender("--factory-startup", "--command", "frobnicate", "--", "x")
    assert done.returncode == 1
    assert "frobnicate" in done.stdout + done.stderr


def test_version_is_blenders() -> None:
    done = blender("--version")
    assert done.stdout.startswith(f"Blender {bpy.app.version_string}")
    assert done.returncode == 0


def test_session_leaves_no_temporary_folder(tmp_path: Path) -> None:
    done = blender(
        "-b", "--factory-startup", "--python-expr", SHOW.format("__import__('bpy').app.tempdir")
    )
    (folder,) = shown(done)
    assert folder and not Path(str(folder)).exists()


def test_rendered_frame_has_its_number_in_the_name(tmp_path: Path, saved: Path) -> None:
    done = blender(
        "-b", "--factory-startup", saved, "-E", "CYCLES", "-o", tmp_path / "shot_####",
        "-F", "BMP", "--python-expr",
        "import bpy; r = bpy.context.scene.render; r.resolution_x = r.resolution_y = 8; "
        "bpy.context.scene.camera = bpy.data.objects.new('C', bpy.data.cameras.new('C')); "
        "bpy.context.scene.collection.objects.link(bpy.context.scene.camera)",
        "-f", "3,5..6",
    )  # fmt: skip
    names = sorted(p.name for p in tmp_path.glob("shot*"))
    assert names == ["shot_0003.bmp", "shot_0005.bmp", "shot_0006.bmp"], done.stdout + done.stderr


@pytest.mark.skipif(
    sys.platform == "win32" or not bpy.app.module, reason="the launcher's own, and a POSIX signal"
)
def test_a_request_to_terminate_while_blender_starts_ends_with_an_error_line() -> None:
    # A script that runs before the command stands for all that runs while Blender starts.
    stop = f"import os, signal; os.kill(os.getpid(), {int(signal.SIGTERM)}); print('went on')"
    done = blender(
        "-b", "--factory-startup", "--python-expr", stop,
        "--command", "stagewright", "usd", "check", "x.usda", "--json",
    )  # fmt: skip
    assert done.returncode == 130
    last = json.loads(done.stdout)
    assert (last["event"], last["code"]) == ("error", "cancelled")
    assert "went on" not in done.stderr
