# SPDX-License-Identifier: GPL-3.0-or-later
"""One USD library per process, and the right one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

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


def test_a_python_without_usd_is_told_what_to_install() -> None:
    program = (
        "import sys\nsys.modules['pxr'] = None\n"
        "from stagewright.jobs.errors import StagewrightError\n"
        "try:\n    import stagewright.usd_tools.check\n"
        "except StagewrightError as error:\n    print(error.code, error.cure)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.startswith("no-usd") and "usd-core" in done.stdout, done.stderr


def test_usd_core_inside_blender_is_refused_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if is_blenders_pxr():
        pytest.skip("this process runs on Blender's own library")
    monkeypatch.setitem(sys.modules, "bpy", _blender(with_usd=True))
    job = author_asset(tmp_path / "a.usdc", tmp_path / "b.usda", name="b", materials=[])
    with pytest.raises(StagewrightError) as error:
        next(job)
    assert error.value.code == "foreign-pxr"
    assert pxr_version() in error.value.message
    assert "usd-core" in error.value.cure


def test_usd_core_serves_a_blender_that_was_built_without_usd(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if is_blenders_pxr():
        pytest.skip("this process runs on Blender's own library")
    monkeypatch.setitem(sys.modules, "bpy", _blender(with_usd=False))
    require_pxr()


def _blender(*, with_usd: bool) -> ModuleType:
    blender = ModuleType("bpy")
    blender.app = SimpleNamespace(build_options=SimpleNamespace(usd=with_usd))  # type: ignore[attr-defined]
    return blender
