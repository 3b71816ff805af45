# SPDX-License-Identifier: GPL-3.0-or-later
"""What a check found, as the XML of JUnit that build servers show."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..jobs.errors import StagewrightError
from ..jobs.files import written_whole
from ..usd_tools.findings import CheckReport, Finding

# Characters that XML 1.0 cannot hold, not even escaped.
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write_junit(path: Path, value: Mapping[str, Any]) -> None:
    """Write a test case for each finding; errors that are not allowed fail.

    A file in which nothing was found has one test case, which passes.

    Args:
        path: the file to write or replace.
        value: the result of ``stagewright usd check``.

    Raises:
        StagewrightError: ``not-written``.
    """
    report = CheckReport.from_json(value)
    told = [finding for finding in report.findings if finding.severity != "info"]
    failing = set(report.blocking)
    suite = ElementTree.Element(
        "testsuite",
        name=_text(value["path"]),
        tests=str(max(len(told), 1)),
        failures=str(len(failing)),
        errors="0",
        skipped="0",
    )
    group = f"stagewright.{value['profile']}"
    for finding in told:
        name = " ".join(filter(None, (finding.check, finding.prim or finding.layer)))
        case = ElementTree.SubElement(suite, "testcase", classname=group, name=_text(name))
        if finding in failing:
            failure = ElementTree.SubElement(
                case, "failure", type=finding.check, message=_text(finding.message)
            )
            failure.text = _text(finding.cure)
        else:
            ElementTree.SubElement(case, "system-out").text = _text(_sentence(finding))
    if not told:
        ElementTree.SubElement(suite, "testcase", classname=group, name="check")
    root = ElementTree.Element("testsuites", name="stagewright usd check")
    root.append(suite)
    ElementTree.indent(root)
    try:
        with written_whole(path) as partial:
            partial.write_bytes(
                ElementTree.tostring(root, encoding="utf-8", xml_declaration=True) + b"\n"
            )
    except OSError as error:
        raise StagewrightError(
            "not-written",
            f"{path.name} cannot be written ({error.strerror}).",
            "Choose a folder you may write to, or make room there.",
        ) from error


def _sentence(finding: Finding) -> str:
    return f"{finding.severity}: {finding.message} {finding.cure}".rstrip()


def _text(text: str) -> str:
    return _NO_XML.sub("�", text)
