# SPDX-License-Identifier: GPL-3.0-or-later
"""Every Python block of docs/cookbook.md runs, in the order of the page, in an empty folder."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import bpy
import pytest

pytestmark = pytest.mark.usefixtures("addon")

PAGE = Path(__file__).resolve().parents[2] / "docs" / "cookbook.md"


def test_the_cookbook_does_what_it_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PWD", str(tmp_path))  # which Blender takes relative paths from
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.S)
    assert len(blocks) == 8
    names: dict[str, Any] = {}
    for block in blocks:
        exec(compile(block, PAGE.name, "exec"), names)
    assert (tmp_path / "crate.blend").is_file()
    assert (tmp_path / "out" / "crate.usda").is_file()
    assert len(list((tmp_path / "maps").glob("*.png"))) == 6
    assert bpy.data.objects["Crate"].active_material.name == "Planks"
    assert names["note"].version == "v001"
    version = Path(names["note"].path)
    assert tmp_path / "library" in version.parents and version.is_file()
    program = str(Path(sys.prefix, "bin", "stagewright"))
    if Path(program).is_file():
        assert names["errors_of"](str(version), program) == []
        broken = tmp_path / "broken.usda"
        broken.write_text("no usd")
        assert "broken.usda" in names["errors_of"](str(broken), program)[0]
