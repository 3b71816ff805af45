# SPDX-License-Identifier: GPL-3.0-or-later
"""``stagewright texture …``: materials from words."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...jobs.events import Job
from .. import summaries
from ..host import SceneHost
from .common import add_group, add_verb


def add(verbs: Any) -> None:
    """Add the group."""
    group = add_group(verbs, "texture", "Make tileable PBR textures from words.")
    make = add_verb(
        group,
        "make",
        "Make the six maps of a material from words.",
        handler=_make,
        summary=summaries.textured,
    )
    make.add_argument("prompt", metavar="PROMPT", help='the words: "mossy red brick wall, wet"')
    make.add_argument("--size", type=int, default=1024, help="pixels (default: %(default)s)")
    make.add_argument("--seed", type=int, default=0, help="which variation (default: %(default)s)")
    make.add_argument(
        "--normals",
        default="opengl",
        help="opengl: green is up; directx: green is down (default: %(default)s)",
    )
    make.add_argument(
        "--set",
        action="append",
        default=[],
        type=_assignment,
        metavar="SLIDER=VALUE",
        help="set a slider of the material (may be repeated)",
    )
    _add_output(make)
    rerun = add_verb(
        group,
        "rerun",
        "Make the set of a map again, from what the map says of itself.",
        handler=_rerun,
        summary=summaries.textured,
    )
    rerun.add_argument("picture", type=Path, metavar="FILE.png", help="any map of the set")
    _add_output(rerun)


def _add_output(verb: argparse.ArgumentParser) -> None:
    verb.add_argument(
        "-o", "--output", type=Path, required=True, metavar="DIR", help="the folder to write to"
    )
    verb.add_argument("--name", default="", help="what the files' names begin with")


def _assignment(text: str) -> tuple[str, float]:
    name, _, value = text.partition("=")
    return name, float(value)


def _make(options: argparse.Namespace, host: SceneHost | None) -> Job[Mapping[str, Any]]:
    from ...texture_lab.make import make
    from ...texture_lab.request import TextureRequest

    parameters = dict(options.set)
    request = TextureRequest(
        options.prompt, options.size, options.seed, parameters, options.normals
    )
    return (yield from make(request, options.output, options.name))


def _rerun(options: argparse.Namespace, host: SceneHost | None) -> Job[Mapping[str, Any]]:
    from ...texture_lab.make import rerun

    return (yield from rerun(options.picture, options.output, options.name))
