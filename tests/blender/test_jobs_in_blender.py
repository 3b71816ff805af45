# SPDX-License-Identifier: GPL-3.0-or-later
"""The pump, stepped by hand, and the worker Blender, while the artist does what artists do."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bpy
import pytest

from stagewright.addon import pump
from stagewright.addon import worker as worker_module
from stagewright.addon.ayon import publish
from stagewright.jobs.errors import StagewrightError
from stagewright.jobs.events import Job, Message, Progress, Waiting

from . import stand_in
from .scenes import add_material, add_square

pytestmark = [
    pytest.mark.usefixtures("addon"),
    pytest.mark.skipif(os.name != "posix", reason="the worker's stand-in is a script"),
]


@pytest.fixture
def worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """Put the stand-in in the worker's place, and say what it does."""
    program = tmp_path / "blender"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{stand_in.__file__}" "$@"\n')
    program.chmod(0o755)
    monkeypatch.setenv("BLENDER_EXECUTABLE", str(program))
    kept = tmp_path / "kept.blend"

    def does(behaviour: str) -> Path:
        monkeypatch.setenv("STAND_IN", f"{behaviour} {kept}")
        return kept

    return does


@pytest.fixture
def crate(tmp_path: Path) -> bpy.types.Collection:
    """A saved file with a collection to publish."""
    collection = bpy.data.collections.new("Crate")
    bpy.context.scene.collection.children.link(collection)
    item = add_square("Crate")
    bpy.context.scene.collection.objects.unlink(item)
    collection.objects.link(item)
    settings = bpy.context.scene.stagewright
    settings.collection = collection
    settings.comment = "first one"
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "crate.blend"))
    return collection


def start(tmp_path: Path) -> pump.Task:
    """What the publish operator does in a window."""
    scene = bpy.context.scene
    words = publish._command_line(scene, tmp_path / "library")
    words += publish.target.command_line(scene)
    job = publish._publish(words, publish.target.key(scene), "crate")
    return pump.start(job, "publish", "Publish crate")


def tick_until(done: Callable[[], bool]) -> None:
    for _ in range(3000):
        pump.tick()
        if done():
            return
        signal.sigtimedwait([], 0.01)
    raise AssertionError("the job goes on and on")


def finish(task: pump.Task) -> pump.Task:
    tick_until(lambda: not task.running)
    return task


def pid_of(task: pump.Task) -> int:
    pids: list[int] = []

    def told() -> bool:
        word, _, number = task.message.partition(" ")
        if word == "pid":
            pids.append(int(number))
        return bool(pids)

    # One event per tick, lest the number be gone before it is read.
    budget, pump.BUDGET = pump.BUDGET, 0.0
    try:
        tick_until(told)
    finally:
        pump.BUDGET = budget
    return pids[0]


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def copies() -> list[Path]:
    """Folders of copies of the file."""
    return list(Path(bpy.app.tempdir).glob("stagewright-*"))


def test_a_publish_leaves_its_identity_on_the_collection(
    worker: Callable[[str], Path], crate: bpy.types.Collection, tmp_path: Path
) -> None:
    worker("work")
    task = finish(start(tmp_path))
    assert task.failure is None
    assert task.message.startswith("Published crate v001: no findings")
    identity = crate.stagewright
    assert (identity.version, identity.version_id) == ("v001", "0123")
    assert (identity.project, identity.folder) == ("local", "/assets/Crate")
    assert identity.path == str(tmp_path / "library" / "v001" / "crate_v001.usda")
    assert copies() == []


def test_the_identity_is_one_undo_step(
    worker: Callable[[str], Path], crate: bpy.types.Collection, tmp_path: Path
) -> None:
    bpy.ops.ed.undo_push(message="before")
    worker("work")
    finish(start(tmp_path))
    bpy.ops.ed.undo()
    assert bpy.data.collections["Crate"].stagewright.version == ""
    bpy.ops.ed.redo()
    assert bpy.data.collections["Crate"].stagewright.version == "v001"


def test_the_worker_is_told_all_that_the_scene_chooses(
    worker: Callable[[str], Path], crate: bpy.types.Collection, tmp_path: Path
) -> None:
    kept = worker("work")
    bpy.context.scene.stagewright.frames = "RANGE"
    bpy.context.scene.stagewright.allow = "missing-texture, unit"
    finish(start(tmp_path))
    words = json.loads(kept.with_suffix(".json").read_text())
    assert words[words.index("--command") :][:3] == ["--command", "stagewright", "publish"]
    assert Path(words[words.index("publish") + 1]).name == "crate.blend"
    assert words[-1] == "--json"
    assert words[words.index("--frames") :][:3] == ["--frames", "1", "250"]
    assert {
        f"--library={tmp_path / 'library'}",
        "--collection=Crate",
        "--comment=first one",
        "--allow=missing-texture",
        "--allow=unit",
    } <= set(words)


def test_the_copy_is_the_file_as_it_stood_and_its_relative_paths_still_hold(
    worker: Callable[[str], Path], crate: bpy.types.Collection, tmp_path: Path
) -> None:
    image = bpy.data.images.new("oak", 4, 4)
    image.filepath_raw = str(tmp_path / "textures" / "oak.png")
    image.file_format = "PNG"
    image.save()
    image.source = "FILE"
    image.filepath = "//textures/oak.png"
    image.use_fake_user = True
    bpy.data.objects["Crate"].location.x = 5.0
    kept = worker("work")
    preferences = bpy.context.preferences
    kept_preferences = (preferences.filepaths.file_preview_type, preferences.is_dirty)
    task = start(tmp_path)
    bpy.data.objects["Crate"].location.x = 9.0
    before = (bpy.data.filepath, image.filepath)
    finish(task)
    assert (bpy.data.filepath, image.filepath) == before
    assert (preferences.filepaths.file_preview_type, preferences.is_dirty) == kept_preferences
    bpy.ops.wm.open_mainfile(filepath=str(kept))
    assert bpy.data.objects["Crate"].location.x == 5.0
    # Relative to where the copy was, which was beside where it is now neither.
    assert Path(bpy.data.images["oak"].filepath).parts[-2:] == ("textures", "oak.png")
    assert bpy.data.images["oak"].filepath != "//textures/oak.png"


def edit_everything(number: int) -> None:
    """Between two steps: move, delete, add, undo."""
    item = bpy.data.objects.get("Crate")
    if number == 0 and item:
        item.location.x += 1.0
    elif number == 1 and item:
        bpy.data.objects.remove(item)
    elif number % 3 == 2:
        add_square(f"Late {number}")
        bpy.ops.ed.undo_push(message="late")
    elif number < 6 and bpy.ops.ed.undo.poll():  # Later it would undo the publish itself.
        bpy.ops.ed.undo()


def test_the_scene_may_be_edited_between_any_two_steps(
    worker: Callable[[str], Path],
    crate: bpy.types.Collection,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pump, "BUDGET", 0.0)
    bpy.ops.ed.undo_push(message="before")
    worker("work")
    task = start(tmp_path)
    steps = 0
    while task.running:
        edit_everything(steps)
        pump.tick()
        steps += 1
        signal.sigtimedwait([], 0.005)
    assert steps > 7
    assert task.failure is None
    assert bpy.data.collections["Crate"].stagewright.version == "v001"


def test_a_renamed_collection_is_found(
    worker: Callable[[str], Path], crate: bpy.types.Collection, tmp_path: Path
) -> None:
    worker("work")
    task = start(tmp_path)
    crate.name = "Box"
    finish(task)
    assert bpy.data.collections["Box"].stagewright.version == "v001"


def test_a_deleted_collection_is_told(
    worker: Callable[[str], Path], crate: bpy.types.Collection, tmp_path: Path
) -> None:
    worker("work")
    task = start(tmp_path)
    bpy.data.collections.remove(crate)
    bpy.data.collections.new("Crate")
    finish(task)
    assert task.failure is None
    assert "Published crate v001" in task.message
    assert "no longer here" in task.message
    assert bpy.data.collections["Crate"].stagewright.version == ""


def test_a_job_outlives_the_loading_of_another_file(
    worker: Callable[[str], Path], crate: bpy.types.Collection, tmp_path: Path
) -> None:
    worker("work")
    task = start(tmp_path)
    bpy.ops.wm.read_homefile(use_empty=True)
    finish(task)
    assert "Published crate v001" in task.message
    assert "no longer here" in task.message
    assert (tmp_path / "library" / "v001" / "crate_v001.usda").exists()
    assert copies() == []


def test_the_whole_scene_can_be_published(
    worker: Callable[[str], Path], crate: bpy.types.Collection, tmp_path: Path
) -> None:
    kept = worker("work")
    bpy.context.scene.stagewright.collection = None
    finish(start(tmp_path))
    assert bpy.context.scene.collection.stagewright.version == "v001"
    assert bpy.context.scene.collection.stagewright.folder == "/assets/crate"
    words = json.loads(kept.with_suffix(".json").read_text())
    assert not any(word.startswith("--collection") for word in words)


def test_a_publish_that_found_nothing_new_notes_the_version_there_is(
    worker: Callable[[str], Path], crate: bpy.types.Collection, tmp_path: Path
) -> None:
    worker("unchanged")
    task = finish(start(tmp_path))
    assert "Nothing changed since v001" in task.message
    assert crate.stagewright.version == "v001"


def test_what_stops_a_publish_is_listed(
    worker: Callable[[str], Path], crate: bpy.types.Collection, tmp_path: Path
) -> None:
    worker("refuse")
    task = finish(start(tmp_path))
    assert task.failure is not None
    assert (task.failure.message, task.failure.cure) == ("A check failed.", "Mend it.")
    checks = bpy.context.window_manager.stagewright
    assert [(f.name, f.object) for f in checks.findings] == [("oak.png is missing.", "Crate")]
    assert crate.stagewright.version == ""
    assert copies() == []


def test_cancelling_ends_the_worker_and_removes_the_copy(
    worker: Callable[[str], Path], crate: bpy.types.Collection, tmp_path: Path
) -> None:
    worker("hang")
    task = start(tmp_path)
    pid = pid_of(task)
    assert is_alive(pid) and len(copies()) == 1
    bpy.ops.stagewright.cancel_job(job_id=task.number)
    assert task.status == "Cancelling"
    finish(task)
    assert task.failure is not None and task.failure.code == "cancelled"
    assert not is_alive(pid)
    assert copies() == []


def test_a_killed_worker_is_told_at_once(
    worker: Callable[[str], Path], crate: bpy.types.Collection, tmp_path: Path
) -> None:
    worker("hang")
    task = start(tmp_path)
    os.kill(pid_of(task), signal.SIGKILL)
    finish(task)
    assert task.failure is not None and task.failure.code == "child-died"
    assert "SIGKILL" in task.failure.message
    assert copies() == []


def test_the_last_words_of_a_worker_that_dies_are_told(
    worker: Callable[[str], Path], crate: bpy.types.Collection, tmp_path: Path
) -> None:
    worker("die")
    task = finish(start(tmp_path))
    assert task.failure is not None
    assert "the last words" in task.failure.message


def test_stopping_the_pump_ends_the_worker(
    worker: Callable[[str], Path], crate: bpy.types.Collection, tmp_path: Path
) -> None:
    worker("hang")
    pid = pid_of(start(tmp_path))
    pump.stop()
    assert not is_alive(pid)
    assert copies() == []


def test_an_image_with_changes_in_memory_stops_the_job_before_it_starts(
    worker: Callable[[str], Path], crate: bpy.types.Collection, tmp_path: Path
) -> None:
    kept = worker("work")
    image = bpy.data.images.new("Painted", 4, 4)
    image.pixels[0] = 0.5
    image.update()
    assert image.is_dirty
    add_square("Other")  # An image that no material uses is nobody's business.
    finish(start(tmp_path))
    kept.unlink()
    material = add_material("Oak")
    node = material.node_tree.nodes.new("ShaderNodeTexImage")
    node.image = image
    with pytest.raises(StagewrightError) as caught:
        start(tmp_path)
    assert caught.value.code == "unsaved-image"
    assert "“Painted”" in caught.value.message
    assert "pack" in caught.value.cure
    assert not kept.exists()


def test_a_file_that_cannot_be_copied_is_told(
    worker: Callable[[str], Path],
    crate: bpy.types.Collection,
    tmp_path: Path,
) -> None:
    worker("work")
    (tmp_path / "blocked").touch()
    with pytest.raises(StagewrightError) as caught:
        worker_module._save_copy(tmp_path / "blocked" / "crate.blend")
    assert caught.value.code == "not-saved"


def counting(steps: int, name: str, log: list[str]) -> Job[dict[str, Any]]:
    for number in range(steps):
        log.append(f"{name}{number}")
        yield Progress(name, number / steps, f"{name} {number}")
        yield Waiting()
    yield Message(f"{name} is done.")
    return {"name": name}


def test_all_jobs_go_on_side_by_side() -> None:
    log: list[str] = []
    first = pump.start(counting(3, "a", log), "publish", "A")
    second = pump.start(counting(3, "b", log), "export", "B")
    while first.running or second.running:
        pump.tick()
    assert log == ["a0", "b0", "a1", "b1", "a2", "b2"]
    assert (first.value, second.message) == ({"name": "a"}, "b is done.")


def test_the_timer_rests_when_nothing_runs() -> None:
    task = pump.start(counting(2, "a", []), "publish", "A")
    returned = pump.tick()
    assert returned == pump.INTERVAL
    while task.running:
        returned = pump.tick()
    assert returned is None
    assert pump.tick() is None


def test_a_new_job_replaces_the_last_one_of_its_kind() -> None:
    first = pump.start(counting(0, "a", []), "publish", "A")
    while first.running:
        pump.tick()
    assert pump.last("publish") is first
    second = pump.start(counting(1, "b", []), "publish", "B")
    assert pump.tasks() == (second,)
    pump.dismiss(second.number)
    assert pump.tasks() == (second,), "a running job cannot be dismissed"
    while second.running:
        pump.tick()
    bpy.ops.stagewright.dismiss_job(job_id=second.number)
    assert pump.tasks() == ()


def test_an_unexpected_exception_ends_its_own_job_alone(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def stumbling() -> Job[dict[str, Any]]:
        yield Progress("one")
        raise ZeroDivisionError("by zero")

    other = pump.start(counting(3, "a", []), "publish", "A")
    task = pump.start(stumbling(), "export", "B")
    while other.running:
        pump.tick()
    assert task.failure is not None and task.failure.code == "unexpected"
    assert other.failure is None
    assert "ZeroDivisionError" in capsys.readouterr().err
