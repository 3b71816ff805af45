# SPDX-License-Identifier: GPL-3.0-or-later
"""The one command line: ``stagewright …`` and ``blender --command stagewright …``."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .. import __version__
from ..jobs.drive import drain, interrupt_on_termination
from ..jobs.errors import StagewrightError
from ..jobs.events import Job, failure_of
from . import settings, summaries
from .blender import run_in_blender
from .console import claim_stdout, json_sink, terminal_sink
from .host import SceneHost, SceneRequest


def main(arguments: Sequence[str] | None = None, host: SceneHost | None = None) -> int:
    """Run one command and return its exit code.

    Args:
        arguments: the command line without the program's name; this process's own
            when None.
        host: the Blender this runs in, if any. Without one, the commands that
            need a scene are handed to Blender as they are.

    Returns:
        0 done; 1 the command failed, and said why; 2 the command line is wrong;
        130 cancelled.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        options = _parser().parse_args(words)
    except SystemExit as end:
        # Blender would print a traceback for the exception.
        return end.code if isinstance(end.code, int) else 2
    json_fd = claim_stdout() if options.json else None
    sink = terminal_sink(options.summary, sys.stderr) if json_fd is None else json_sink(json_fd)
    if options.needs_scene and host is None:
        try:
            return run_in_blender(words, json_fd)
        except StagewrightError as error:
            sink(failure_of(error))
            return 1
    interrupt_on_termination()
    try:
        drain(options.handler(options, host), sink)
    except StagewrightError as error:
        return 130 if error.code == "cancelled" else 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="stagewright", description="From a Blender scene to a checked, published USD asset."
    )
    parser.add_argument("--version", action="version", version=f"Stagewright {__version__}")
    verbs = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    _add_publish(verbs)
    _add_export(verbs)
    _add_check(verbs)
    _add_library(verbs)
    return parser


def _add_verb(verbs: Any, name: str, text: str, **defaults: Any) -> argparse.ArgumentParser:
    verb: argparse.ArgumentParser = verbs.add_parser(name, help=text, description=text)
    verb.add_argument("--json", action="store_true", help="print one JSON line per event")
    verb.set_defaults(**{"needs_scene": False, **defaults})
    return verb


def _add_scene_options(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("blend", type=Path, metavar="FILE", help="the .blend file")
    verb.add_argument(
        "--collection", default="", help="the collection to export (default: the whole scene)"
    )
    verb.add_argument("--name", help="the asset's name (default: the collection's or the file's)")
    frames = verb.add_mutually_exclusive_group()
    frames.add_argument(
        "--frames",
        nargs=2,
        type=int,
        metavar=("FIRST", "LAST"),
        help="frames to export (default: the scene's range if anything moves)",
    )
    frames.add_argument("--static", action="store_true", help="export the current frame alone")
    _add_allow(verb)


def _add_allow(verb: argparse.ArgumentParser) -> None:
    verb.add_argument(
        "--allow",
        action="append",
        default=[],
        metavar="CHECK",
        help="let the errors of this check pass, and record that (may be repeated)",
    )


def _add_publish(verbs: Any) -> None:
    verb = _add_verb(
        verbs,
        "publish",
        "Export a .blend, check it, and publish it as a new version.",
        needs_scene=True,
        handler=_publish,
        summary=summaries.published,
    )
    _add_scene_options(verb)
    verb.add_argument("--library", type=Path, help="the library's folder")
    verb.add_argument("--project", default=settings.PROJECT)
    verb.add_argument("--project-code", help="the code of a project that is new")
    verb.add_argument(
        "--folder", help=f"path of the AYON folder (default: {settings.FOLDER_ROOT}/NAME)"
    )
    verb.add_argument("--task", default=settings.TASK)
    verb.add_argument("--product", default=settings.PRODUCT)
    verb.add_argument("--comment", default="")
    verb.add_argument("--force", action="store_true", help="publish though nothing has changed")
    verb.add_argument(
        "--break-lock",
        action="store_true",
        help="take over the lock of a publish that is known to be dead",
    )
    verb.add_argument(
        "--save", action="store_true", help="keep the published identity in FILE, and save it"
    )


def _add_export(verbs: Any) -> None:
    verb = _add_verb(
        verbs,
        "export",
        "Export a .blend to a USD asset on disk, and check it.",
        needs_scene=True,
        handler=_export,
        summary=summaries.exported,
    )
    _add_scene_options(verb)
    verb.add_argument("root", type=Path, metavar="OUT.usda", help="the root layer to write")


def _add_check(verbs: Any) -> None:
    verb = _add_verb(verbs, "check", "Check a USD file.", handler=_check, summary=summaries.checked)
    verb.add_argument("root", type=Path, metavar="FILE", help="the root layer")
    _add_allow(verb)


def _add_library(verbs: Any) -> None:
    verb = _add_verb(
        verbs,
        "verify",
        "Compare every published version of a library with its files.",
        handler=_verify,
        summary=summaries.verified,
    )
    verb.add_argument("--library", type=Path, help="the library's folder")


def _scene_request(options: argparse.Namespace) -> SceneRequest:
    label = options.name or options.collection or options.blend.stem
    name = settings.asset_name(label)
    if options.frames:
        first, last = options.frames
        return SceneRequest(options.collection, name, (first, last))
    return SceneRequest(options.collection, name, None if options.static else "auto")


# The work itself is imported when it is asked for: USD alone takes half a second,
# and a command that is handed to Blender never needs it here.


def _publish(options: argparse.Namespace, host: SceneHost) -> Job[dict[str, Any]]:
    from .publish import PublishOrder, publish_scene

    scene = _scene_request(options)
    host.open(options.blend)
    result = yield from publish_scene(
        host,
        PublishOrder(
            scene=scene,
            blend=options.blend,
            library=options.library or settings.default_library(),
            project=options.project,
            project_code=options.project_code or settings.project_code(options.project),
            folder=options.folder or f"{settings.FOLDER_ROOT}/{scene.name}",
            task=options.task,
            product=options.product,
            comment=options.comment,
            allow=tuple(options.allow),
            force=options.force,
            break_lock=options.break_lock,
        ),
    )
    if options.save:
        host.remember(options.blend, options.collection, result["identity"])
    return result


def _export(options: argparse.Namespace, host: SceneHost) -> Job[dict[str, Any]]:
    from .export import export_asset

    request = _scene_request(options)
    host.open(options.blend)
    with tempfile.TemporaryDirectory(prefix="stagewright-") as folder:
        asset = yield from export_asset(
            host, request, options.root.absolute(), Path(folder), options.allow
        )
    return asset.to_json()


def _check(options: argparse.Namespace, host: SceneHost | None) -> Job[dict[str, Any]]:
    from ..usd_tools.check import check_task

    report = yield from check_task(str(options.root.absolute()), None, options.allow)
    return report


def _verify(options: argparse.Namespace, host: SceneHost | None) -> Job[dict[str, Any]]:
    from ..ayon_bridge.library import Library

    with Library.open(options.library or settings.default_library()) as library:
        problems = yield from library.verify()
    return {"problems": [{"kind": p.kind, "path": str(p.path), "text": p.text} for p in problems]}
