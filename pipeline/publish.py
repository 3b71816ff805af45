# SPDX-License-Identifier: GPL-3.0-or-later
"""The main job: an open scene exported, checked and published as a version."""

from __future__ import annotations

import getpass
import platform
import tempfile
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..ayon_bridge.library import Library
from ..ayon_bridge.publication import Publication, PublishRequest
from ..jobs.errors import StagewrightError
from ..jobs.events import Job, Message
from ..usd_tools.asset import content_hash
from ..usd_tools.findings import CheckReport
from ..usd_tools.identity import Identity, stamp_identity
from .console import part
from .export import CheckedAsset, export_asset
from .host import SceneHost, SceneRequest
from .report import write_report


@dataclass(frozen=True)
class PublishOrder:
    """What to publish, where to, and how.

    Attributes:
        scene: what to export.
        blend: the file it comes from; its name is recorded, not its path.
        library: folder of the library; made when there is none.
        project: AYON project name.
        project_code: its code, used when the project is new.
        folder: path of the AYON folder (``"/assets/lantern"``).
        task: AYON task name.
        product: AYON product name.
        comment: the artist's words.
        allow: names of checks whose errors are let through.
        force: publish though nothing has changed.
        break_lock: take over a lock without proof of its owner's death.
    """

    scene: SceneRequest
    blend: Path
    library: Path
    project: str
    project_code: str
    folder: str
    task: str
    product: str
    comment: str = ""
    allow: tuple[str, ...] = ()
    force: bool = False
    break_lock: bool = False
