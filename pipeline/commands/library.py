# SPDX-License-Identifier: GPL-3.0-or-later
"""The verbs of the local library."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

from ...jobs.events import Job
from .. import settings, summaries
from ..host import SceneHost
from .common import add_library, add_verb


def add(verbs: Any) -> None:
    """Add the verbs."""
    verb = add_verb(
        verbs,
        "verify",
        "Compare every published version of a library with its files.",
        handler=_verify,
        summary=summaries.verified,
        found_errors=_has_problems,
    )
    add_library(verb)


def _has_problems(value: Mapping[str, Any]) -> bool:
    return bool(value["problems"])


def _verify(options: argparse.Namespace, host: SceneHost | None) -> Job[dict[str, Any]]:
    from ...ayon_bridge.library import Library

    with Library.open_existing(options.library or settings.default_library()) as library:
        problems = yield from library.verify()
    return {"problems": [{"kind": p.kind, "path": str(p.path), "text": p.text} for p in problems]}
