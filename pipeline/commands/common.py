# SPDX-License-Identifier: GPL-3.0-or-later
"""What the verbs of several groups share."""

from __future__ import annotations

import argparse
import math
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal, get_args

from ...jobs.errors import StagewrightError
from ...usd_tools.findings import CheckReport
from .. import settings
from ..host import DEFAULT_ENGINE, Engine, SceneRequest


def add_group(verbs: Any, name: str, text: str) -> Any:
    """A group of verbs (``stagewright usd …``); returns where its verbs are added."""
    group = verbs.add_parser(name, help=text, description=text)
    return group.add_subparsers(title="commands", required=True, metavar="COMMAND")


def add_verb(verbs: Any, name: str, text: str, **defaults: Any) -> argparse.ArgumentParser:
    """A verb with ``--json``.

    Args:
        verbs: what ``add_subparsers`` returned.
        name: the word typed.
        text: what it does, one sentence.
        defaults: ``handler`` (options and host to the verb's job) and ``summary``
            (its result to text); ``needs_scene`` when it runs inside Blender
            only; ``found_errors``, whether a result makes the exit code 1; ``reads``,
            names of its arguments that are USD files from anywhere.
    """
    verb: argparse.ArgumentParser = verbs.add_parser(name, help=text, description=text)
    verb.add_argument("--json", action="store_true", help="print one JSON line per event")
    verb.set_defaults(**{"needs_scene": False, "found_errors": _no_errors, "reads": (), **defaults})
    return verb


def _no_errors(value: Mapping[str, Any]) -> bool:
    return False


def checks_block(value: Mapping[str, Any]) -> bool:
    """Whether the checks of a result found errors that are not allowed."""
    return bool(CheckReport.from_json(value.get("checks", value)).blocking)


def refuse_existing(path: Path, overwrite: bool) -> None:
    """Stop where a file would be replaced without having been told to.

    Raises:
        StagewrightError: ``exists``.
    """
    if path.exists() and not overwrite:
        raise StagewrightError(
            "exists", f'"{path}" exists.', "Choose another name, or replace it with --overwrite."
        )


def add_blend(verb: argparse.ArgumentParser) -> None:
    """``FILE``."""
    verb.add_argument("blend", type=Path, metavar="FILE", help="the .blend file")


def add_scene_options(verb: argparse.ArgumentParser) -> None:
    """Which part of the .blend is exported."""
    verb.add_argument(
        "--collection", default="", help="the collection to export (default: the whole scene)"
    )
    verb.add_argument("--name", help="the asset's name (default: the collection's or the file's)")
    frames = verb.add_mutually_exclusive_group()
    frames.add_argument(
        "--frames",
        nargs=2,
        type=int,
        action=_FrameRange,
        metavar=("FIRST", "LAST"),
        help="frames to export (default: the scene's range if anything moves)",
    )
    frames.add_argument("--static", action="store_true", help="export the current frame alone")
    verb.add_argument(
        "--step",
        type=float,
        default=1.0,
        help="frames from one sample to the next, such as 0.5 for motion blur "
        "(default: %(default)s; with --engine stagewright)",
    )
    verb.add_argument(
        "--world",
        action="store_true",
        help="export the scene's world, too, as a dome light (with --engine stagewright)",
    )
    verb.add_argument(
        "--up-axis",
        choices=("Y", "Z"),
        default="Z",
        help="the axis that is up (default: %(default)s; with --engine stagewright)",
    )
    verb.add_argument(
        "--selected",
        action="store_true",
        help="export only what was selected when FILE was saved",
    )
    verb.add_argument(
        "--engine",
        choices=get_args(Engine),
        default=DEFAULT_ENGINE,
        help="who writes the USD: Blender's exporter, or Stagewright's (default: %(default)s)",
    )
    verb.add_argument(
        "--bake",
        type=int,
        default=0,
        metavar="SIZE",
        help="bake what USD cannot hold of materials into images of SIZE pixels "
        "(with --engine stagewright)",
    )
    verb.add_argument(
        "--over",
        type=Path,
        metavar="ASSET.usda",
        help="write a shot's layer: what FILE has otherwise than this published asset "
        "(with --engine stagewright)",
    )
    add_allow(verb)


class _FrameRange(argparse.Action):
    """Two frames, in their order."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        """Keep the frames, or refuse them."""
        first, last = values
        if first > last:
            parser.error(f"argument --frames: {first} comes after {last}")
        setattr(namespace, self.dest, (first, last))


def in_blender_if(needed: Callable[[Path], bool]) -> type[argparse.Action]:
    """The action of an argument of paths that makes a command run inside Blender.

    Args:
        needed: whether a path among those given is one that only Blender reads or writes.
    """

    class InBlender(argparse.Action):
        """Paths, and what they ask for."""

        def __call__(
            self,
            parser: argparse.ArgumentParser,
            namespace: argparse.Namespace,
            values: Any,
            option_string: str | None = None,
        ) -> None:
            """Keep them, and whether the command runs inside Blender."""
            setattr(namespace, self.dest, values)
            paths = values if isinstance(values, list) else [values]
            namespace.needs_scene = namespace.needs_scene or any(map(needed, paths))

    return InBlender


def add_allow(verb: argparse.ArgumentParser) -> None:
    """``--allow CHECK``."""
    verb.add_argument(
        "--allow",
        action="append",
        default=[],
        metavar="CHECK",
        help="let the errors of this check pass, and record that (may be repeated)",
    )


def add_library(verb: argparse.ArgumentParser) -> None:
    """``--library DIR``."""
    verb.add_argument("--library", type=_folder, help="the library's folder")


def _folder(text: str) -> Path:
    if not text:  # an unset variable in a script, not the current folder
        raise argparse.ArgumentTypeError("the folder has no name")
    return Path(text)


def number(
    low: float = -math.inf, high: float = math.inf, *, above: float = -math.inf
) -> Callable[[str], float]:
    """The type of an option: a finite number from ``low`` to ``high``, or above another one."""

    def read(text: str) -> float:
        value = float(text)
        if not (math.isfinite(value) and low <= value <= high and value > above):
            limits = [f"above {above:g}"] if above > -math.inf else []
            limits += [f"at least {low:g}"] if low > -math.inf else []
            limits += [f"at most {high:g}"] if high < math.inf else []
            wanted = " and ".join(limits) or "finite"
            raise argparse.ArgumentTypeError(f"{text} is not a number that is {wanted}")
        return value

    return read


def whole(low: int, high: int) -> Callable[[str], int]:
    """The type of an option: a whole number from ``low`` to ``high``."""

    def read(text: str) -> int:
        value = int(text)
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(f"{text} is not {low} to {high}")
        return value

    return read


def add_force(verb: argparse.ArgumentParser) -> None:
    """``--force``."""
    verb.add_argument("--force", action="store_true", help="replace files that are there already")


def add_place(verb: argparse.ArgumentParser, *, folder: str, task: str, product: str) -> None:
    """Where a publish goes to, and how; the arguments say what is the default, for the help."""
    add_library(verb)
    to = verb.add_mutually_exclusive_group()
    to.add_argument(
        "--server",
        dest="to",
        action="store_const",
        const="server",
        default="library",
        help="publish to the AYON server; project, folder and task are those of AYON's "
        "environment, if there is one and the options below do not tell otherwise; while the "
        "server cannot be reached, as --queue",
    )
    to.add_argument(
        "--queue",
        dest="to",
        action="store_const",
        const="queue",
        help="publish into the library; `stagewright ayon sync` sends it to the server later",
    )
    verb.add_argument("--project", help=f"default: {settings.PROJECT}")
    verb.add_argument("--project-code", default="", help="the code of a project that is new")
    verb.add_argument("--folder", help=f"path of the AYON folder (default: {folder})")
    verb.add_argument("--task", help=f"default: {task}")
    verb.add_argument("--product", help=f"default: {product}")
    verb.add_argument("--comment", default="")
    verb.add_argument("--force", action="store_true", help="publish though nothing has changed")
    verb.add_argument(
        "--break-lock",
        action="store_true",
        help="take over the lock of a publish that is known to be dead",
    )


def place_of(
    options: argparse.Namespace, *, folder: str, task: str, product: str
) -> dict[str, Any]:
    """What the options of :func:`add_place` say; the arguments where they say nothing."""
    return {
        "library": options.library or settings.default_library(),
        "project": _place(options, "project", settings.PROJECT),
        "project_code": options.project_code,
        "folder": _place(options, "folder", folder),
        "task": _place(options, "task", task),
        "product": options.product or product,
        "comment": options.comment,
        "force": options.force,
        "break_lock": options.break_lock,
        "to": options.to,
    }


_AYON_PLACE = {
    "project": "AYON_PROJECT_NAME",
    "folder": "AYON_FOLDER_PATH",
    "task": "AYON_TASK_NAME",
}
"""What AYON's launcher tells the programs that it starts."""


def _place(options: argparse.Namespace, name: str, otherwise: str) -> str:
    """What an option, or for its server AYON's environment, says."""
    told = os.environ.get(_AYON_PLACE[name]) if options.to != "library" else None
    given: str | None = getattr(options, name)
    return given if given is not None else told or otherwise


def require_usd() -> None:
    """Refuse what needs USD before the modules that import it.

    Raises:
        StagewrightError: ``no-usd`` or ``foreign-pxr``.
    """
    from ...usd_tools.runtime import require_pxr

    require_pxr()


def scene_request(options: argparse.Namespace) -> SceneRequest:
    """What the options of :func:`add_scene_options` ask to export.

    A layer over an asset has the name of that one's default prim.

    Raises:
        StagewrightError: ``bad-name``; ``asset-unreadable`` for an asset to be over;
            ``native-option`` for what Blender's exporter does not do.
    """
    if options.engine == "native":
        _refuse_for_native(options)
    if not 0.01 <= options.step <= 1000:
        raise StagewrightError(
            "bad-arguments", f"A step of {options.step:g} frames is none.", "Give 0.01 to 1000."
        )
    label = options.name or options.collection or options.blend.stem
    if options.over is not None:
        from ...usd_tools.stages import default_prim

        label = default_prim(options.over)
    frames: tuple[int, int] | Literal["auto"] | None = None if options.static else "auto"
    return SceneRequest(
        collection=options.collection,
        name=settings.asset_name(label),
        frames=options.frames or frames,
        engine=options.engine,
        selected=options.selected,
        bake=options.bake,
        step=options.step,
        world=options.world,
        up_axis=options.up_axis,
        over=str(options.over.absolute()) if options.over else "",
    )


# What only Stagewright's writer does, and what the options are where it is not asked for.
_NOT_NATIVE = {"over": None, "bake": 0, "world": False, "step": 1.0, "up_axis": "Z"}


def _refuse_for_native(options: argparse.Namespace) -> None:
    for name, unasked in _NOT_NATIVE.items():
        if getattr(options, name) != unasked:
            option = f"--{name.replace('_', '-')}"
            raise StagewrightError(
                "native-option",
                f"Blender's exporter does not do what {option} asks for.",
                f"Leave out {option}, or --engine native.",
            )
