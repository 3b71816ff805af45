# SPDX-License-Identifier: GPL-3.0-or-later
"""The artist's operators: what they are called, when they refuse, and what they do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import bpy
import pytest

from stagewright.jobs.errors import StagewrightError
from stagewright.pipeline.blender import blender_program

from .scenes import add_square
from .test_jobs_in_blender import copies, crate, worker  # noqa: F401

pytestmark = pytest.mark.usefixtures("addon")


def classes() -> list[type]:
    return [
        cls
        for cls in bpy.types.Operator.__subclasses__()
        if cls.is_registered and str(getattr(cls, "bl_idname", "")).startswith("stagewright.")
    ]


def refusal(operator: Any, **arguments: Any) -> str:
    """What a call of the operator is refused with."""
    with pytest.raises(RuntimeError) as caught:
        operator(**arguments)
    return str(caught.value)


def test_every_operator_tells_what_it_does() -> None:
    assert len(set(dir(bpy.ops.stagewright))) == len(classes()) > 0
    for name in dir(bpy.ops.stagewright):
        rna = getattr(bpy.ops.stagewright, name).get_rna_type()
        described = {rna.name: rna.description}
        described |= {
            p.name: p.description
            for p in rna.properties
            if p.identifier != "rna_type" and not p.is_hidden
        }
        for label, description in described.items():
            assert label[:1].isupper(), f"{name}: {label}"
            assert description and not description.endswith("."), f"{name}: {label}"


def test_every_property_tells_what_it_is_for() -> None:
    for settings in (bpy.context.scene.stagewright, bpy.context.scene.collection.stagewright):
        for item in settings.bl_rna.properties:
            if item.identifier not in {"rna_type", "name"}:
                assert item.description and not item.description.endswith("."), item.identifier


def test_operators_refuse_with_a_reason() -> None:
    ops = bpy.ops.stagewright
    assert "Save the file" in refusal(ops.publish)
    assert "Save the file" in refusal(ops.export_usd, filepath="/nowhere/a.usda")
    bpy.context.scene.stagewright.name = "crate"
    assert "holds no objects" in refusal(ops.publish)
    add_square("Crate")
    bpy.context.scene.stagewright.task = ""
    assert "Name the task" in refusal(ops.publish)
    assert "Nothing was published" in refusal(ops.open_report)
    assert "Nothing was published" in refusal(ops.open_folder)
    assert "No job is running" in refusal(ops.cancel_job)
    assert "No job has ended" in refusal(ops.dismiss_job)


def test_a_published_version_that_was_moved_away_is_told() -> None:
    identity = bpy.context.scene.collection.stagewright
    identity.path = "/nowhere/v001/crate.usda"
    for operator in (bpy.ops.stagewright.open_report, bpy.ops.stagewright.open_folder):
        assert "/nowhere/v001" in refusal(operator)


def test_selecting_makes_the_object_the_only_one_selected_and_active() -> None:
    first, second = add_square("First"), add_square("Second")
    first.select_set(True)
    bpy.context.view_layer.objects.active = first
    assert bpy.ops.stagewright.select_object(name="Second") == {"FINISHED"}
    assert bpy.context.selected_objects == [second]
    assert bpy.context.view_layer.objects.active == second


def test_selecting_leaves_edit_mode_and_reveals_what_is_hidden() -> None:
    first, second = add_square("First"), add_square("Second")
    bpy.context.view_layer.objects.active = first
    bpy.ops.object.mode_set(mode="EDIT")
    second.hide_set(True)
    assert bpy.ops.stagewright.select_object(name="Second") == {"FINISHED"}
    assert first.mode == "OBJECT"
    assert not second.hide_get()
    assert bpy.context.view_layer.objects.active == second


def test_selecting_can_be_undone() -> None:
    add_square("First").select_set(True)
    add_square("Second")
    bpy.ops.ed.undo_push(message="before")
    bpy.ops.stagewright.select_object("EXEC_DEFAULT", True, name="Second")
    bpy.ops.ed.undo()
    assert [o.name for o in bpy.context.selected_objects] == ["First"]


def test_selecting_what_was_deleted_or_is_elsewhere_changes_nothing() -> None:
    first = add_square("First")
    first.select_set(True)
    assert bpy.ops.stagewright.select_object(name="Gone") == {"CANCELLED"}
    add_square("Second")
    collection = bpy.data.collections.new("Excluded")
    bpy.context.scene.collection.children.link(collection)
    collection.objects.link(bpy.data.objects["Second"])
    bpy.context.scene.collection.objects.unlink(bpy.data.objects["Second"])
    bpy.context.view_layer.layer_collection.children["Excluded"].exclude = True
    assert bpy.ops.stagewright.select_object(name="Second") == {"CANCELLED"}
    assert bpy.context.selected_objects == [first]


def test_allowing_a_check_twice_takes_it_back() -> None:
    settings = bpy.context.scene.stagewright
    settings.allow = "unit"
    bpy.ops.stagewright.allow_check(check="missing-texture")
    assert settings.allowed() == ["unit", "missing-texture"]
    bpy.ops.stagewright.allow_check(check="unit")
    assert settings.allow == "missing-texture"


def test_publish_without_a_window_waits_for_the_result(
    worker: Any,  # noqa: F811
    crate: bpy.types.Collection,  # noqa: F811
    tmp_path: Path,
) -> None:
    worker("work")
    library = tmp_path / "library"
    assert bpy.ops.stagewright.publish(library=str(library)) == {"FINISHED"}
    assert crate.stagewright.version == "v001"
    assert copies() == []


def test_publish_without_a_window_raises_what_went_wrong(
    worker: Any,  # noqa: F811
    crate: bpy.types.Collection,  # noqa: F811
    tmp_path: Path,
) -> None:
    worker("refuse")
    message = refusal(bpy.ops.stagewright.publish, library=str(tmp_path / "library"))
    assert "A check failed. Mend it." in message


def test_export_without_a_window_waits_for_the_result(
    worker: Any,  # noqa: F811
    crate: bpy.types.Collection,  # noqa: F811
    tmp_path: Path,
) -> None:
    kept = worker("work")
    target = tmp_path / "out" / "crate.usda"
    assert bpy.ops.stagewright.export_usd(filepath=str(target)) == {"FINISHED"}
    assert str(target) in kept.with_suffix(".json").read_text()
    assert bpy.context.window_manager.stagewright.subject == "crate"


def test_a_collection_exports_itself_whatever_the_settings_choose(
    worker: Any,  # noqa: F811
    crate: bpy.types.Collection,  # noqa: F811
    tmp_path: Path,
) -> None:
    kept = worker("work")
    lids = bpy.data.collections.new("Lids")
    bpy.context.scene.collection.children.link(lids)
    lid = add_square("Lid 001")
    bpy.context.scene.collection.objects.unlink(lid)
    lids.objects.link(lid)
    layer = bpy.context.view_layer.layer_collection.children["Lids"]
    bpy.context.view_layer.active_layer_collection = layer
    bpy.ops.collection.exporter_add(name="STAGEWRIGHT_FH_usd")
    target = tmp_path / "lids.usda"
    lids.exporters[0].export_properties.filepath = str(target)
    assert bpy.ops.collection.exporter_export(index=0) == {"FINISHED"}
    argv = json.loads(kept.with_suffix(".json").read_text())
    assert {str(target), "--collection=Lids", "--name=Lids"} <= set(argv)
    assert lid["stagewright_prim"]["prim"] == "Lid_001"


def test_the_library_of_the_preferences_is_used(
    worker: Any,  # noqa: F811
    crate: bpy.types.Collection,  # noqa: F811
    tmp_path: Path,
) -> None:
    worker("work")
    entry = bpy.context.preferences.addons["stagewright"].preferences
    entry.library = str(tmp_path / "mine")
    entry.project = "lighthouse"
    bpy.ops.stagewright.publish()
    assert crate.stagewright.project == "lighthouse"
    assert (tmp_path / "mine" / "v001").is_dir()


def has_worker() -> bool:
    try:
        blender_program()
    except StagewrightError:
        return False
    return hasattr(bpy.ops.wm, "usd_export")


@pytest.mark.skipif(not has_worker(), reason="needs Blender's USD exporter and the launcher")
def test_a_real_publish_from_the_open_file_then_nothing_new(
    crate: bpy.types.Collection,  # noqa: F811
    tmp_path: Path,
) -> None:
    library = str(tmp_path / "library")
    assert bpy.ops.stagewright.publish(library=library) == {"FINISHED"}
    identity = crate.stagewright
    assert identity.version == "v001"
    assert Path(identity.path).is_file()
    assert bpy.context.window_manager.stagewright.done
    bpy.ops.stagewright.publish(library=library)
    assert identity.version == "v001"
    assert [path.name for path in Path(identity.path).parents[1].iterdir()] == ["v001"]
    assert copies() == []
