# SPDX-License-Identifier: GPL-3.0-or-later
"""What checks find, as plain data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from dataclasses import fields as dataclass_fields
from typing import Any, Literal

Severity = Literal["error", "loss", "warning", "info"]
_RANKS = {"error": 0, "loss": 1, "warning": 2, "info": 3}


@dataclass(frozen=True)
class Finding:
    """One thing that a check has found.

    Attributes:
        check: name of the check, as ``--allow`` takes it (``"missing-texture"``).
        severity: ``error`` stops a publish; ``loss`` names something of the
            scene that the file does not hold; ``warning`` and ``info`` inform.
        message: one sentence that names the thing.
        cure: one sentence that says what to do.
        object: Blender's name of the object concerned, or "".
        prim: path of the prim concerned, or "".
        layer: file name of the layer or texture concerned, or "".
        value: the number measured (a distance in scene units), or None.
        fix: words of the command that mends it, after ``stagewright usd``; the
            root layer comes after the first of them (``("set", "--up-axis=Y")``).
    """

    check: str
    severity: Severity
    message: str
    cure: str = ""
    object: str = ""
    prim: str = ""
    layer: str = ""
    value: float | None = None
    fix: tuple[str, ...] = ()


@dataclass(frozen=True)
class CheckReport:
    """All findings about one asset.

    Attributes:
        findings: sorted by severity, check, object and prim.
        pxr_version: version of the USD library that judged (``"0.26.3"``).
        allowed: names of checks whose errors were let through.
        greatest_distance: greatest distance between a point of the scene and
            its counterpart in the file, in scene units; None if not compared.
        compared: number of meshes compared point by point.
    """

    findings: tuple[Finding, ...]
    pxr_version: str
    allowed: tuple[str, ...] = ()
    greatest_distance: float | None = None
    compared: int = 0

    def with_findings(self, findings: Iterable[Finding]) -> CheckReport:
        """The report with more findings among its own."""
        return replace(self, findings=tuple(sorted({*self.findings, *findings}, key=_order)))

    @property
    def blocking(self) -> tuple[Finding, ...]:
        """Errors that were not allowed: they stop a publish."""
        return tuple(
            f for f in self.findings if f.severity == "error" and f.check not in self.allowed
        )

    def to_json(self) -> dict[str, Any]:
        """Plain JSON data, read back by :meth:`from_json`."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> CheckReport:
        """The report that :meth:`to_json` wrote."""
        names = {field.name for field in dataclass_fields(cls)}
        fields = {name: value for name, value in data.items() if name in names}
        fields["findings"] = tuple(
            Finding(**{**f, "fix": tuple(f.get("fix", ()))}) for f in data["findings"]
        )
        fields["allowed"] = tuple(data["allowed"])
        return cls(**fields)


def _order(finding: Finding) -> tuple[Any, ...]:
    rank = _RANKS[finding.severity]
    return rank, finding.check, finding.object, finding.prim, finding.message
