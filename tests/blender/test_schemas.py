# SPDX-License-Identifier: GPL-3.0-or-later
"""Schemas without code in Blender's window."""

from __future__ import annotations

import shutil
from pathlib import Path

import bpy
import pytest

from stagewright.addon.usd.schemas import STAGEWRIGHT_PT_schemas, _Shown
from stagewright.pipeline.cli import main
from stagewright.usd_tools.schemas import OWN

from .recorder import draw

pytestmark = pytest.mark.usefixtures("addon")


def test_the_panel_lists_schemas_and_whether_stages_know_them() -> None:
    assert bpy.ops.stagewright.list_schemas() == {"FINISHED"}
    names = [row.name for row in _Shown.rows]
    assert "StagewrightPublishAPI" in names
    text = " ".join(draw(STAGEWRIGHT_PT_schemas).texts)
    assert "StagewrightPublishAPI" in text
    late = [row.name for row in _Shown.rows if not row.ready]
    assert ("restart to use" in text) == bool(late)


def test_a_schema_is_made_and_added(tmp_path: Path) -> None:
    source = tmp_path / "schema.usda"
    text = (OWN / "schema.usda").read_text("utf-8")
    text = text.replace("StagewrightPublishAPI", "PanelAPI").replace('"stagewright"', '"panel"')
    source.write_text(text.replace('"PublishAPI"', '"API"'), "utf-8")
    assert bpy.ops.stagewright.add_schema(filepath=str(source)) == {"FINISHED"}
    assert (tmp_path / "schema_plugin/plugInfo.json").is_file()
    assert "PanelAPI" in [row.name for row in _Shown.rows]
    with pytest.raises(RuntimeError, match="schema_plugin"):
        bpy.ops.stagewright.add_schema(filepath=str(source))
    shutil.rmtree(tmp_path / "schema_plugin")
    with pytest.raises(RuntimeError, match="schema_plugin"):
        bpy.ops.stagewright.add_schema(filepath=str(tmp_path / "schema_plugin/plugInfo.json"))


def test_the_commands_answer(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    words = ["usd", "schema", "generate", str(OWN / "schema.usda"), "-o", str(tmp_path / "made")]
    assert main(words) == 0
    assert main(words) == 1
    assert "--overwrite" in capfd.readouterr().err
    assert main(["usd", "schema", "list"]) == 0
    assert "StagewrightPublishAPI (singleApplyAPI, stagewright)" in capfd.readouterr().err
    assert main(["usd", "schema", "register", str(tmp_path)]) == 1
