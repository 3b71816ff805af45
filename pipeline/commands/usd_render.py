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
from .common import add_verb

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
            action=_Picture,
            metavar=name.upper(),
            help="a PNG; inside Blender, or where OpenImageIO is, also EXR, HDR, TIFF, JPEG …",
        )
    verb.add_argument(
        "--threshold",
        type=float,
        default=0.02,
        help="greatest mean FLIP that passes (default: %(default)s)",
    )
    verb.add_argument(
        "--exposure",
        type=float,
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
        type=float,
        default=1.0,
        help="what the difference is multiplied by to be seen (default: %(default)s)",
    )
    verb.add_argument("--overwrite", action="store_true", help="replace files that exist")


class _Picture(argparse.Action):
    """An image: Blender brings what reads all but PNG, unless this Python does."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        """Keep the path, and whether the command has to run inside Blender."""
        setattr(namespace, self.dest, values)
        if values.suffix.lower() != ".png" and find_spec("OpenImageIO") is None:
            namespace.needs_scene = True


def _compare(options: argparse.Namespace, host: SceneHost | None) -> Job[dict[str, Any]]:
    if options.gain <= 0 or not -64 <= options.exposure <= 64:
        raise StagewrightError(
            "bad-arguments",
            "A gain is above 0, an exposure -64 to 64 stops.",
            "Give other numbers.",
        )
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
