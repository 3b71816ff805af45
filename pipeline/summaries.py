# SPDX-License-Identifier: GPL-3.0-or-later
"""Results in words, for a terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from ..usd_tools.findings import CheckReport


def checks_line(report: CheckReport) -> str:
    """One line that counts the findings: ``2 losses, 1 warning``."""
    counts = Counter[str](f.severity for f in report.findings)
    words = {"error": "errors", "loss": "losses", "warning": "warnings"}
    told = [
        f"{counts[kind]} {kind if counts[kind] == 1 else plural}"
        for kind, plural in words.items()
        if counts[kind]
    ]
    line = ", ".join(told) or "no findings"
    if report.greatest_distance is not None:
        line += (
            f"; {report.compared} meshes compared, off by {report.greatest_distance:.2g} at most"
        )
    return line


def _checks(value: Mapping[str, Any]) -> list[str]:
    report = CheckReport.from_json(value["checks"])
    shown = [f for f in report.findings if f.severity != "info"]
    lines = [f"  {f.severity}: {f.message} {f.cure}".rstrip() for f in shown]
    return [*lines, f"Checks: {checks_line(report)}."]


def published(value: Mapping[str, Any]) -> str:
    """The summary of ``stagewright publish``."""
    if value["unchanged"]:
        return (
            f"Nothing changed since {value['version']}: {value['path']}\n"
            "Use --force to publish it again all the same."
        )
    lines = [*_checks(value), f"Published {value['version']}: {value['path']}"]
    return "\n".join([*lines, f"Report: {value['report']}"])


def exported(value: Mapping[str, Any]) -> str:
    """The summary of ``stagewright export``."""
    return "\n".join([*_checks(value), f"Exported {value['path']}"])


def checked(value: Mapping[str, Any]) -> str:
    """The summary of ``stagewright check``."""
    return "\n".join(_checks({"checks": value}))


def verified(value: Mapping[str, Any]) -> str:
    """The summary of ``stagewright verify``."""
    problems = [problem["text"] for problem in value["problems"]]
    return "\n".join(problems) if problems else "Every published version has its files."
