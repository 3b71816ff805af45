# SPDX-License-Identifier: GPL-3.0-or-later
"""``stagewright usd compare-render``: what differs between two pictures."""

from __future__ import annotations

import argparse
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ...jobs.errors import StagewrightError
from ...jobs.events import Job
from .. import summaries
from ..host import SceneHost
from ..render_compare import CompareRequest, compare_files
from .common import add_verb, in_blender_if, number

_OUTPUTS = {"page": "html", "difference": "diff", "flip": "flip_map"}


def add_to(group: Any) -> None:
    """Add the verb to the group ``usd``."""
    verb = add_verb(
        group,
        "compare-render",
        "Tell how much two pictures differ (FLIP, PSNR, SSIM); exit code 1 when their mean FLIP "
        "is above the threshold.",
        handler=_compare,
        summary=summaries.compared,
        found_errors=lambda value: not value["passes"],
    )
    for name in ("first", "second"):
        verb.add_argument(
            name,
            type=Path,
            action=in_blender_if(_needs_blender),
            metavar=name.upper(),
            help="a PNG; inside Blender, or where OpenImageIO is, also EXR, HDR, TIFF, JPEG …",
        )
    verb.add_argument(
        "--threshold",
        type=number(0, 1),
        default=0.02,
        help="greatest mean FLIP that passes (default: %(default)s)",
    )
    verb.add_argument(
        "--exposure",
        type=number(-64, 64),
        default=0.0,
        metavar="STOPS",
        help="how scene-linear files (EXR, HDR) are exposed before they are cut off at white "
        "and compared as sRGB (default: %(default)s)",
    )
    verb.add_argument("--html", type=Path, metavar="OUT.html", help="write a page that shows all")
    verb.add_argument("--diff", type=Path, metavar="OUT.png", help="write the difference")
    verb.add_argument("--flip-map", type=Path, metavar="OUT.png", help="write the FLIP map")
    verb.add_argument(
        "--gain",
        type=number(above=0),
        default=1.0,
        help="what the difference is multiplied by to be seen (default: %(default)s)",
    )
    verb.add_argument("--overwrite", action="store_true", help="replace files that exist")


def _needs_blender(picture: Path) -> bool:
    """Whether only Blender can read it: it brings what reads all but PNG."""
    return picture.suffix.lower() != ".png" and find_spec("OpenImageIO") is None


def _compare(options: argparse.Namespace, host: SceneHost | None) -> Job[dict[str, Any]]:
    outputs = {
        key: path.absolute()
        for key, name in _OUTPUTS.items()
        if (path := getattr(options, name)) is not None
    }
    for path in outputs.values():
        if path.exists() and not options.overwrite:
            raise StagewrightError(
                "exists",
                f'"{path}" exists.',
                "Choose another name, or replace it with --overwrite.",
            )
    request = CompareRequest(
        options.first.absolute(),
        options.second.absolute(),
        options.exposure,
        options.gain,
        options.threshold,
        outputs,
    )
    return (yield from compare_files(request))
