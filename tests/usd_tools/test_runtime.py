# SPDX-License-Identifier: GPL-3.0-or-later
"""One USD library per process, and the right one."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

import pxr
import pytest
from pxr import Usd

from stagewright.jobs.errors import StagewrightError
from stagewright.usd_tools.asset import author_asset
from stagewright.usd_tools.runtime import is_blenders_pxr, pxr_version, require_pxr


def test_blenders_library_is_told_from_usd_core_by_its_build() -> None:
    assert is_blenders_pxr() == ("bpy" in Path(pxr.__file__).parts)
    assert pxr_version() == "{}.{}.{}".format(*Usd.GetVersion())
    require_pxr()


def test_usd_core_inside_blender_is_refused_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if is_blenders_pxr():
        pytest.skip("this process runs on Blender's own library")
    monkeypatch.setitem(sys.modules, "bpy", ModuleType("bpy"))
    job = author_asset(tmp_path / "a.usdc", tmp_path / "b.usda", name="b", materials=[])
    with pytest.raises(StagewrightError) as error:
        next(job)
    assert error.value.code == "foreign-pxr"
    assert pxr_version() in error.value.message
    assert "usd-core" in error.value.cure
