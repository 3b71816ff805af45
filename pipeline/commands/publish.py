# SPDX-License-Identifier: GPL-3.0-or-later
"""``stagewright publish``: the main job."""

from __future__ import annotations

import argparse
from typing import Any

from ...jobs.events import Job
from .. import settings, summaries
from ..host import SceneHost
from .common import (
    add_library,
    add_scene_options,
    add_verb,
    checks_block,
    require_usd,
    scene_request,
)


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
    add_scene_options(verb)
    add_library(verb)
    verb.add_argument("--project", default=settings.PROJECT)
    verb.add_argument("--project-code", default="", help="the code of a project that is new")
    verb.add_argument(
        "--folder", help=f"path of the AYON folder (default: {settings.FOLDER_ROOT}/NAME)"
    )
    verb.add_argument("--task", default=settings.TASK)
    verb.add_argument(
        "--product",
        help=f"default: {settings.PRODUCT}, with --over {settings.SHOT_PRODUCT}",
    )
    verb.add_argument("--comment", default="")
    verb.add_argument("--force", action="store_true", help="publish though nothing has changed")
    verb.add_argument(
        "--break-lock",
        action="store_true",
        help="take over the lock of a publish that is known to be dead",
    )
    verb.add_argument(
        "--save",
        action="store_true",
        help="keep the published identity and the names of prims in FILE, and save it",
    )


def _publish(options: argparse.Namespace, host: SceneHost) -> Job[dict[str, Any]]:
    require_usd()
    from ..publish import PublishOrder, publish_scene

    scene = scene_request(options)
    host.open(options.blend)
    result = yield from publish_scene(
        host,
        PublishOrder(
            scene=scene,
            blend=options.blend,
            library=options.library or settings.default_library(),
            project=options.project,
            project_code=options.project_code,
            folder=options.folder or f"{settings.FOLDER_ROOT}/{scene.name}",
            task=options.task,
            product=options.product
            or (settings.SHOT_PRODUCT if options.over else settings.PRODUCT),
            comment=options.comment,
            allow=tuple(options.allow),
            force=options.force,
            break_lock=options.break_lock,
        ),
    )
    if options.save:
        # The file stays the asset that a shot's layer is over.
        host.remember(options.blend, scene, None if scene.over else result["identity"])
    return result
