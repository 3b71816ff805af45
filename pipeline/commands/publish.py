# SPDX-License-Identifier: GPL-3.0-or-later
"""``stagewright publish``: the main job."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from ...jobs.events import Job
from .. import settings, summaries
from ..host import SceneHost
from ..order import PRODUCT_TYPES, PublishOrder
from .common import (
    add_place,
    add_scene_options,
    add_verb,
    checks_block,
    place_of,
    require_usd,
    scene_request,
)
from .publish_list import add_list_options


def add(verbs: Any) -> None:
    """Add the verb."""
    verb = add_verb(
        verbs,
        "publish",
        "Export a .blend, check it, and publish it as a new version.",
        needs_scene=True,
        handler=_publish,
        summary=summaries.published,
        found_errors=checks_block,
    )
    files = verb.add_mutually_exclusive_group(required=True)
    files.add_argument("blend", type=Path, nargs="?", metavar="FILE", help="the .blend file")
    add_list_options(verb, files)
    add_scene_options(verb)
    add_place(
        verb,
        folder=f"{settings.FOLDER_ROOT}/NAME",
        task=settings.TASK,
        product=f"{settings.PRODUCT}, with --over {settings.SHOT_PRODUCT}",
    )
    verb.add_argument(
        "--type",
        choices=PRODUCT_TYPES,
        default="",
        help="AYON's type of the product, which is then called after it (modelMain); a product "
        "keeps the type that it was made with (default: usd, with --over animation)",
    )
    verb.add_argument(
        "--turntable",
        type=_pictures,
        default=0,
        metavar="FRAMES",
        help="film the asset turning once, as many pictures long (48 are two seconds): an MP4 for "
        "AYON's review instead of the picture; where Blender has no FFmpeg, the picture",
    )
    verb.add_argument("--known", type=Path, help=argparse.SUPPRESS)  # see ..joint
    verb.add_argument(
        "--save",
        action="store_true",
        help="keep the published identity and the names of prims in FILE, and save it",
    )


def _pictures(text: str) -> int:
    if not text.isdecimal() or int(text) > 1000:
        raise argparse.ArgumentTypeError(f"{text} is no number of pictures from 0 to 1000")
    return int(text)


def order_of(options: argparse.Namespace) -> PublishOrder:
    """What the options of the verb order."""
    scene = scene_request(options)
    usual = settings.SHOT_PRODUCT if options.over else settings.PRODUCT
    return PublishOrder(
        scene=scene,
        blend=options.blend,
        allow=tuple(options.allow),
        turntable=options.turntable,
        product_type=options.type,
        known=options.known,
        **place_of(
            options,
            folder=f"{settings.FOLDER_ROOT}/{scene.name}",
            task=settings.TASK,
            product=f"{options.type}Main" if options.type else usual,
        ),
    )


def _publish(options: argparse.Namespace, host: SceneHost) -> Job[dict[str, Any]]:
    require_usd()
    from ..publish import publish_scene

    order = order_of(options)
    scene = order.scene
    host.open(options.blend)
    result = yield from publish_scene(host, order)
    if options.save:
        # The file stays the asset that a shot's layer is over.
        host.remember(options.blend, scene, None if scene.over else result["identity"])
    return result
