# SPDX-License-Identifier: GPL-3.0-or-later
"""The one command line: ``stagewright …`` and ``blender --command stagewright …``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

from .. import __version__
from ..jobs.drive import drain, interrupt_on_termination
from ..jobs.errors import StagewrightError, cancelled
from ..jobs.events import Job, failure_of
from ..usd_tools.findings import CheckReport
from . import settings, summaries
from .blender import EXECUTABLE, run_in_blender
from .console import claim_stdout, json_sink, terminal_sink
from .host import SceneHost, SceneRequest
from .work import work_folder

_EPILOG = f"""\
exit codes:
  0    done
  1    failed, or errors or problems were found
  2    the command line is wrong
  130  cancelled

environment:
  {EXECUTABLE}   the Blender to open files with; the Stagewright extension must
                       be installed and enabled there (default: the one beside
                       this Python)
  STAGEWRIGHT_LIBRARY  the library's folder"""

_EXIT_CODES = {"bad-arguments": 2, "cancelled": 130}


def main(arguments: Sequence[str] | None = None, host: SceneHost | None = None) -> int:
    """Run one command and return its exit code.

    Args:
        arguments: the command line without the program's name; this process's own
            when None.
        host: the Blender this runs in, if any. Without one, the commands that
            need a scene are handed to Blender as they are.

    Returns:
        0 done; 1 the command failed, and said why, or found errors or problems;
        2 the command line is wrong; 130 cancelled.
    """
    interrupt_on_termination()
    words = list(sys.argv[1:] if arguments is None else arguments)
    # Before the words are understood: what is wrong with them is told as JSON, too.
    json_fd = claim_stdout() if "--json" in words else None
    try:
        options = _parse(words)
        if options.needs_scene and host is None:
            return run_in_blender(words, json_fd)
    except SystemExit:
        return 0  # after --help or --version; Blender would print a traceback
    except (StagewrightError, KeyboardInterrupt) as error:
        reason = error if isinstance(error, StagewrightError) else cancelled()
        sink = terminal_sink(str, sys.stderr) if json_fd is None else json_sink(json_fd)
        sink(failure_of(reason))
        return _EXIT_CODES.get(reason.code, 1)
    sink = terminal_sink(options.summary, sys.stderr) if json_fd is None else json_sink(json_fd)
    try:
        value = drain(options.handler(options, host), sink)
    except StagewrightError as error:
        return _EXIT_CODES.get(error.code, 1)
    return int(_found_errors(value))


def _found_errors(value: Mapping[str, Any]) -> bool:
    """Whether a command that came to its end found something that must be mended."""
    if "problems" in value:
        return bool(value["problems"])
    return bool(CheckReport.from_json(value.get("checks", value)).blocking)


class _Parser(argparse.ArgumentParser):
    """A parser whose refusals are errors like all others."""

    def error(self, message: str) -> NoReturn:
        """Refuse the command line; raises StagewrightError ``bad-arguments``."""
        raise StagewrightError(
            "bad-arguments",
            f"The command line is wrong: {message}.",
            f"See {self.prog} --help.",
        )


def _parse(words: Sequence[str]) -> argparse.Namespace:
    """The options that ``words`` give; raises StagewrightError ``bad-arguments``."""
    parser = _parser()
    options = parser.parse_args(words)
    first, last = getattr(options, "frames", None) or (0, 0)
    if first > last:
        parser.error(f"argument --frames: {first} comes after {last}")
    return options


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="stagewright",
        description="From a Blender scene to a checked, published USD asset.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
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
    verb.add_argument("--library", type=_folder, help="the library's folder")
    verb.add_argument("--project", default=settings.PROJECT)
    verb.add_argument("--project-code", default="", help="the code of a project that is new")
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


def _folder(text: str) -> Path:
    if not text:  # an unset variable in a script, not the current folder
        raise argparse.ArgumentTypeError("the folder has no name")
    return Path(text)


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
    verb.add_argument("--overwrite", action="store_true", help="replace OUT.usda if it exists")


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
    verb.add_argument("--library", type=_folder, help="the library's folder")


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
            project_code=options.project_code,
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
    root = options.root.absolute()
    if root.exists() and not options.overwrite:
        raise StagewrightError(
            "exists", f'"{root}" exists.', "Choose another name, or replace it with --overwrite."
        )
    host.open(options.blend)
    with work_folder() as work:
        asset = yield from export_asset(host, request, root, work, options.allow)
    return asset.to_json()


def _check(options: argparse.Namespace, host: SceneHost | None) -> Job[dict[str, Any]]:
    from ..usd_tools.check import check_task

    report = yield from check_task(str(options.root.absolute()), None, options.allow)
    return report


def _verify(options: argparse.Namespace, host: SceneHost | None) -> Job[dict[str, Any]]:
    from ..ayon_bridge.library import Library

    with Library.open_existing(options.library or settings.default_library()) as library:
        problems = yield from library.verify()
    return {"problems": [{"kind": p.kind, "path": str(p.path), "text": p.text} for p in problems]}
