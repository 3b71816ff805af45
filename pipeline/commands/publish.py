# SPDX-License-Identifier: GPL-3.0-or-later
"""``stagewright publish``: the main job."""

from __future__ import annotations

import argparse
import os
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
    home = verb.add_mutually_exclusive_group()
    add_library(home)
    home.add_argument(
        "--server",
        action="store_true",
        help="publish to the AYON server; project, folder and task are those of AYON's "
        "environment, if there is one and the options below do not tell otherwise",
    )
    verb.add_argument("--project", help=f"default: {settings.PROJECT}")
    verb.add_argument("--project-code", default="", help="the code of a project that is new")
    verb.add_argument(
        "--folder", help=f"path of the AYON folder (default: {settings.FOLDER_ROOT}/NAME)"
    )
    verb.add_argument("--task", help=f"default: {settings.TASK}")
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
            library=None if options.server else options.library or settings.default_library(),
            project=_place(options, "project", settings.PROJECT),
            project_code=options.project_code,
            folder=_place(options, "folder", f"{settings.FOLDER_ROOT}/{scene.name}"),
            task=_place(options, "task", settings.TASK),
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


_AYON_PLACE = {
    "project": "AYON_PROJECT_NAME",
    "folder": "AYON_FOLDER_PATH",
    "task": "AYON_TASK_NAME",
}
"""What AYON's launcher tells the programs that it starts."""


def _place(options: argparse.Namespace, name: str, otherwise: str) -> str:
    """What an option, or for its server AYON's environment, says."""
    told = os.environ.get(_AYON_PLACE[name]) if options.server else None
    given: str | None = getattr(options, name)
    return given if given is not None else told or otherwise
