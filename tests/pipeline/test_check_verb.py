# SPDX-License-Identifier: GPL-3.0-or-later
"""``stagewright usd check``: profiles, exit codes, JUnit's XML, and the commands that mend."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import pytest

from stagewright.pipeline.cli import main
from stagewright.pipeline.junit import write_junit
from stagewright.usd_tools.findings import CheckReport, Finding

ROOT = """#usda 1.0
(
    defaultPrim = "A"
)
def Xform "A" (
    assetInfo = {
        string name = "A"
    }
)
{
    asset picture = @PLACE/wood.exr@
    def Mesh "Mesh"
    {
        int[] faceVertexCounts = [3]
        int[] faceVertexIndices = [0, 1, 2]
        point3f[] points = [(0, 0, 0), (1, 0, 0), (1, 1, 0)]
    }
}
"""
# The header of an OpenEXR file of one pixel, without its pixels.
EXR = (
    b"\x76\x2f\x31\x01\x02\0\0\0dataWindow\0box2i\0\x10\0\0\0" + bytes(16) + b"\0"
)  # fmt: skip


@pytest.fixture(name="asset")
def asset_fixture(tmp_path: Path) -> Path:
    (tmp_path / "wood.exr").write_bytes(EXR)
    asset = tmp_path / "my asset.usda"
    asset.write_text(ROOT.replace("PLACE", tmp_path.as_posix()))
    return asset


def check(*words: str | Path) -> tuple[int, dict[str, Any]]:
    done = subprocess.run(
        [sys.executable, "-c", MAIN, "usd", "check", *map(str, words), "--json"],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, json.loads(done.stdout.splitlines()[-1])["value"]


MAIN = "import sys; from stagewright.pipeline.cli import main; sys.exit(main())"


def errors(value: dict[str, Any]) -> set[str]:
    return {f["check"] for f in value["findings"] if f["severity"] == "error"}


def test_a_profile_decides_what_is_an_error(asset: Path) -> None:
    code, value = check(asset)
    assert (code, value["profile"]) == (1, "asset")
    assert {"absolute-path", "stage-metadata"} <= errors(value)
    code, value = check(asset, "--profile", "shot", "--allow", "stage-metadata-checker")
    assert code == 0 and errors(value) == {"stage-metadata-checker"}
    assert {"absolute-path", "stage-metadata"} <= {
        f["check"] for f in value["findings"] if f["severity"] == "warning"
    }


def test_what_can_be_mended_is_mended_by_the_commands_that_it_names(
    asset: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["usd", "check", str(asset)]) == 1
    said = capfd.readouterr().err
    commands = [line.split(": ", 1)[1] for line in said.splitlines() if "mend it: " in line]
    assert len(commands) == 5  # up axis, units, kind, path, extents
    for line in commands:
        program, *words = shlex.split(line)
        assert program == "stagewright" and main(words) == 0
    assert main(["usd", "check", str(asset)]) == 0
    assert "mend it" not in capfd.readouterr().err.rpartition("Corrected")[2]
    assert "@./wood.exr@" in asset.read_text()
    assert asset.with_name("my asset.usda.bak").exists()


def test_junit_has_a_case_for_each_finding_and_fails_what_is_an_error(asset: Path) -> None:
    out = asset.with_name("out.xml")
    code, value = check(asset, "--junit", out)
    suite = ElementTree.parse(out).getroot().find("testsuite")
    assert code == 1 and suite is not None
    told = [f for f in value["findings"] if f["severity"] != "info"]
    cases = suite.findall("testcase")
    assert len(cases) == int(suite.get("tests", 0)) == len(told)
    failed = [case.find("failure") for case in cases if case.find("failure") is not None]
    wrong = [f for f in told if f["severity"] == "error"]
    assert len(failed) == int(suite.get("failures", 0)) == len(wrong) > 0
    assert {e.get("message") for e in failed if e is not None} == {f["message"] for f in wrong}
    assert {case.get("classname") for case in cases} == {"stagewright.asset"}


def test_junit_of_a_clean_file_passes_and_odd_characters_stay_xml(tmp_path: Path) -> None:
    out = tmp_path / "out.xml"
    clean = CheckReport((Finding("validators", "info", "ran"),), "0.25.2")
    about = {"path": "a.usda", "profile": "shot"}
    write_junit(out, {**about, **clean.to_json()})
    suite = ElementTree.parse(out).getroot()[0]
    assert (suite.get("tests"), suite.get("failures"), len(suite)) == ("1", "0", 1)
    odd = CheckReport((Finding("x", "error", 'a\x00b\x1b <&"ü\ufffe', "c", prim="/A"),), "0.25.2")
    write_junit(out, {**about, **odd.to_json()})
    case = ElementTree.parse(out).getroot()[0][0]
    assert case.get("name") == "x /A"
    assert case[0].get("message") == 'a\ufffdb\ufffd <&"ü\ufffd'


def test_allowed_errors_do_not_fail(asset: Path) -> None:
    names = ("absolute-path", "stage-metadata", "stage-metadata-checker")
    allowed = [word for name in names for word in ("--allow", name)]
    out = asset.with_name("out.xml")
    code, value = check(asset, *allowed, "--junit", out)
    assert code == 0 and errors(value) == set(names)
    assert ElementTree.parse(out).getroot()[0].get("failures") == "0"
