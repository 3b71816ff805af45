# SPDX-License-Identifier: GPL-3.0-or-later
"""What a USD file is checked for: as an asset, as a shot, or as a package for phones."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from .findings import Finding, Severity


@dataclass(frozen=True)
class Profile:
    """How findings count.

    Attributes:
        about: what it is for, one sentence.
        severities: of checks that count otherwise than by themselves; None leaves one out.
        largest_texture: pixels a side, beyond which a texture is a finding.
        arkit: whether what ARKit's viewers do not show is a finding.
    """

    about: str
    severities: Mapping[str, Severity | None] = field(default_factory=dict)
    largest_texture: int = 8192
    arkit: bool = False

    def judge(self, findings: Iterable[Finding]) -> Iterator[Finding]:
        """The findings that count, as they count."""
        for finding in findings:
            severity = self.severities.get(finding.check, finding.severity)
            if severity is not None:
                yield replace(finding, severity=severity)


PROFILES: Mapping[str, Profile] = {
    "asset": Profile("An asset to publish: whole, and in a folder of its own."),
    "shot": Profile(
        "A shot or a set: it may use assets from anywhere, and need not say what it is called.",
        {"outside-path": None, "absolute-path": "warning", "stage-metadata": "warning"},
    ),
    "usdz": Profile(
        "A package for AR Quick Look, or a file that becomes one.",
        {"stage-metadata": "warning"},
        largest_texture=4096,
        arkit=True,
    ),
}
