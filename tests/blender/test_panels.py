# SPDX-License-Identifier: GPL-3.0-or-later
"""What the window shows, and that drawing it touches neither disk nor network."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import addon_utils
import bpy
import pytest

from stagewright.addon import jobs_ui, menus, preferences, pump, target
from stagewright.addon.ayon.publish import STAGEWRIGHT_PT_publish
from stagewright.addon.usd.checks import LIMIT, STAGEWRIGHT_PT_checks
from stagewright.addon.usd.export import STAGEWRIGHT_PT_export
from stagewright.jobs.errors import StagewrightError
from stagewright.jobs.events import Job, Message, Progress, Waiting
from stagewright.usd_tools.findings import CheckReport, Finding

from .recorder import Recorder, draw
from .scenes import add_square

pytestmark = pytest.mark.usefixtures("addon")

_watching: list[list[str]] = []


def _on_audit(event: str, arguments: tuple[Any, ...]) -> None:
    if _watching and event.split(".")[0] in {"open", "os", "socket", "subprocess", "shutil"}:
        _watching[-1].append(f"{event} {arguments}")


sys.addaudithook(_on_audit)


@contextmanager
def no_input_or_output(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Fail if a file or the network is touched inside."""
    touched: list[str] = []

    def watched(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            touched.append(f"{function.__name__} {arguments}")
            return function(*arguments, **options)

        return call

    with monkeypatch.context() as patch:
        # Asking about a file raises no audit event.
        for name in ("stat", "lstat", "access"):
            patch.setattr(os, name, watched(getattr(os, name)))
        for name in ("exists", "isfile", "isdir"):
            patch.setattr(os.path, name, watched(getattr(os.path, name)))
        _watching.append(touched)
        try:
            yield
        finally:
            _watching.pop()
    assert touched == []


def panels() -> list[type]:
    found = [cls for cls in bpy.types.Panel.__subclasses__() if hasattr(cls, "bl_category")]
    return [cls for cls in found if cls.bl_category == "Stagewright" and cls.is_registered]


def draw_everything() -> list[Recorder]:
    drawn = [draw(cls) for cls in panels() if getattr(cls, "poll", lambda _: True)(bpy.context)]
    drawn.append(draw(STAGEWRIGHT_PT_checks, "draw_header_preset"))
    drawn.append(draw(menus.STAGEWRIGHT_MT_main))
    for function in (menus._draw_export, menus._draw_object, jobs_ui._draw_status_bar):
        recorder = Recorder()
        function(type("Part", (), {"layout": recorder})(), bpy.context)
        drawn.append(recorder)
    entry = preferences.current()
    recorder = Recorder()
    cls = preferences.STAGEWRIGHT_AP_preferences
    values = {p.identifier: getattr(entry, p.identifier) for p in entry.bl_rna.properties}
    part = type("Part", (), {**values, "layout": recorder, "bl_rna": entry.bl_rna})()
    cls.draw(part, bpy.context)
    return [*drawn, recorder]


def findings(count: int) -> CheckReport:
    made = [Finding("missing-texture", "error", "oak.png is missing.", "Find it.", "Crate")]
    made += [Finding("lost", "loss", f"Light {n} is lost.", object="Lamp") for n in range(count)]
    made.append(Finding("unit", "info", "The scene is in metres."))
    return CheckReport(tuple(made), "0.25.2", greatest_distance=1e-7, compared=3)


def forever() -> Job[dict[str, Any]]:
    yield Progress("one", 0.25, "Doing the first thing")
    while True:
        yield Waiting()


def failing() -> Job[dict[str, Any]]:
    yield Progress("one", 0.25, "Doing the first thing")
    raise StagewrightError("no-luck", "The lamp is out.", "Light it.")


def succeeding() -> Job[dict[str, Any]]:
    yield Message("Published crate v001.")
    return {}


def nothing() -> None:
    """An empty file."""


def a_scene() -> None:
    add_square("Crate")
    bpy.context.scene.stagewright.name = "crate"
    bpy.context.scene.collection.stagewright.remember(
        {
            "project": "local",
            "folder": "/assets/crate",
            "product": "usdMain",
            "version": "v003",
            "versionId": "id",
            "identifier": "crate.usda",
            "path": "/nowhere/crate.usda",
        }
    )


def results() -> None:
    a_scene()
    bpy.context.window_manager.stagewright.show(findings(20), "crate")


def running_jobs() -> None:
    results()
    pump.start(forever(), "publish", "Publish crate")
    pump.start(forever(), "export", "Export crate.usda")


def ended_jobs() -> None:
    results()
    pump.start(failing(), "publish", "Publish crate")
    pump.start(succeeding(), "export", "Export crate.usda")
    pump.tick()


STATES = [nothing, a_scene, results, running_jobs, ended_jobs]


@pytest.mark.parametrize("state", STATES)
def test_drawing_touches_neither_disk_nor_network(
    state: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    state()
    assert panels()
    with no_input_or_output(monkeypatch):
        draw_everything()


@pytest.mark.parametrize("touch", [Path("/nowhere").exists, lambda: open(os.devnull).close()])
def test_touching_the_disk_would_be_noticed(
    touch: Callable[[], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(AssertionError), no_input_or_output(monkeypatch):
        touch()


def test_only_the_first_panel_is_open_and_all_are_in_one_tab() -> None:
    on_top = [
        cls
        for cls in panels()
        if cls.bl_space_type == "VIEW_3D" and not hasattr(cls, "bl_parent_id")
    ]
    in_order = sorted(on_top, key=lambda cls: cls.bl_order)
    labels = [cls.bl_label for cls in in_order]
    assert (labels[0], labels[-1]) == ("Export", "Jobs")
    assert len(set(labels)) == len(labels)
    closed = ["DEFAULT_CLOSED" in getattr(cls, "bl_options", ()) for cls in in_order]
    assert closed == [False] + [True] * (len(labels) - 1)


def test_a_greyed_button_says_why() -> None:
    text = " ".join(draw(STAGEWRIGHT_PT_publish).texts)
    assert "Save the file, choose a collection, or give the asset a name" in text
    bpy.context.scene.stagewright.name = "crate"
    assert "holds no objects" in " ".join(draw(STAGEWRIGHT_PT_export).texts)
    add_square("Crate")
    for panel in (STAGEWRIGHT_PT_publish, STAGEWRIGHT_PT_export):
        text = " ".join(draw(panel).texts)
        assert "Save the file" not in text and "holds no objects" not in text


def test_selected_only_with_nothing_selected_is_told() -> None:
    scene = bpy.context.scene
    scene.stagewright.name, scene.stagewright.selected = "crate", True
    bpy.ops.mesh.primitive_cube_add()
    assert target.problem(scene) == ""
    bpy.context.object.select_set(False)
    assert "Nothing is selected" in target.problem(scene)


def test_a_running_job_shows_its_progress_and_a_cancel_button_instead_of_the_button() -> None:
    a_scene()
    task = pump.start(forever(), "publish", "Publish crate")
    drawn = draw(STAGEWRIGHT_PT_publish)
    assert drawn.progress_factors == [0.25]
    assert "Doing the first thing" in drawn.texts
    names = [name for name, _ in drawn.buttons]
    assert "stagewright.publish" not in names
    cancel = next(arguments for name, arguments in drawn.buttons if name.endswith("cancel_job"))
    assert cancel.job_id == task.number
    assert "stagewright.publish" in [name for name, _ in draw(menus.STAGEWRIGHT_MT_main).buttons]


def test_a_failure_shows_its_sentence_and_its_cure() -> None:
    a_scene()
    pump.start(failing(), "publish", "Publish crate")
    pump.tick()
    for panel in (STAGEWRIGHT_PT_publish, jobs_ui.STAGEWRIGHT_PT_jobs):
        assert {"The lamp is out.", "Light it."} <= set(draw(panel).texts)


def test_every_finding_has_a_button_that_names_its_object() -> None:
    results()
    drawn = draw(STAGEWRIGHT_PT_checks)
    selected = [
        arguments.name for name, arguments in drawn.buttons if name.endswith("select_object")
    ]
    # The first one is shown once more, in full.
    assert selected == ["Crate", *["Lamp"] * 20, "Crate"]
    assert "Find it." in drawn.texts
    assert "1 error and 20 losses" in " ".join(drawn.texts)


def test_only_the_chosen_severities_are_listed() -> None:
    results()
    bpy.context.window_manager.stagewright.severities = {"info"}
    texts = draw(STAGEWRIGHT_PT_checks).texts
    assert "The scene is in metres." in texts
    assert "Light 3 is lost." not in texts


def test_a_very_long_list_is_cut_and_says_so() -> None:
    bpy.context.window_manager.stagewright.show(findings(LIMIT + 40), "crate")
    assert len(bpy.context.window_manager.stagewright.findings) == LIMIT
    assert "… 42 more in the report" in draw(STAGEWRIGHT_PT_checks).texts


def test_findings_are_forgotten_when_another_file_is_opened(tmp_path: Path) -> None:
    results()
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "a.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "a.blend"))
    assert not bpy.context.window_manager.stagewright.done
    assert len(bpy.context.window_manager.stagewright.findings) == 0


def test_settings_and_identity_are_saved_with_the_file(tmp_path: Path) -> None:
    collection = bpy.data.collections.new("Lantern")
    bpy.context.scene.collection.children.link(collection)
    bpy.context.scene.stagewright.collection = collection
    a_scene()
    bpy.context.scene.stagewright.comment = "brighter"
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "a.blend"))
    bpy.ops.wm.read_homefile(use_empty=True)
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "a.blend"))
    scene = bpy.context.scene
    assert scene.stagewright.collection.name == "Lantern"
    assert scene.stagewright.comment == "brighter"
    assert scene.collection.stagewright.version == "v003"
    assert scene.collection.stagewright.version_id == "id"


def surroundings() -> dict[str, Any]:
    """All that registering may add something to."""
    handlers = {
        name: list(getattr(bpy.app.handlers, name))
        for name in dir(bpy.app.handlers)
        if isinstance(getattr(bpy.app.handlers, name), list)
    }
    menus_and_headers = (
        "TOPBAR_MT_file_export",
        "VIEW3D_MT_object",
        "STATUSBAR_HT_header",
        "TEXT_MT_context_menu",
    )
    drawn = {
        name: list(getattr(getattr(bpy.types, name).draw, "_draw_funcs", ()))
        for name in menus_and_headers
    }
    properties = {
        name: set(dir(getattr(bpy.types, name)))
        for name in ("Scene", "Collection", "WindowManager", "Object")
    }
    return {
        "types": {name for name in dir(bpy.types) if "stagewright" in name.lower()},
        "operators": set(dir(bpy.ops.stagewright)),
        "classes": {c for c in bpy.types.Operator.__subclasses__() if c.is_registered},
        "handlers": handlers,
        "drawn": {name: [f for f in functions if "stagewright" in f.__module__]
                  for name, functions in drawn.items()},
        "properties": properties,
        "timer": bpy.app.timers.is_registered(pump.tick),
    }  # fmt: skip


def test_enabling_and_disabling_again_and_again_leaves_nothing_behind() -> None:
    with_it = surroundings()
    addon_utils.disable("stagewright")
    without_it = surroundings()
    assert without_it["types"] == set()
    assert without_it["operators"] == set()
    assert not any(without_it["drawn"].values())
    assert with_it["types"] and all(with_it["drawn"].values())
    for _ in range(50):
        addon_utils.enable("stagewright")
        assert surroundings() == with_it
        addon_utils.disable("stagewright")
        assert surroundings() == without_it


def test_disabling_ends_the_jobs_and_the_timer() -> None:
    ended: list[str] = []

    def job() -> Job[dict[str, Any]]:
        try:
            yield from forever()
        finally:
            ended.append("job")
        return {}

    pump.start(job(), "publish", "Publish crate")
    assert bpy.app.timers.is_registered(pump.tick)
    addon_utils.disable("stagewright")
    assert ended == ["job"]
    assert not bpy.app.timers.is_registered(pump.tick)
    assert pump.tasks() == ()
