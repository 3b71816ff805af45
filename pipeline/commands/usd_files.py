# SPDX-License-Identifier: GPL-3.0-or-later
"""``stagewright usd replace|set|package|localize|flatten``: repair and pack USD files."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...jobs.errors import StagewrightError
from ...jobs.events import Job
from ...jobs.text_files import read_json
from ..host import SceneHost
from ..summaries import count
from .common import add_verb, refuse_existing, require_usd


def add_to(group: Any) -> None:
    """Add the verbs to the group ``usd``."""
    _add_replace(group)
    _add_set(group)
    _add_package(group)
    _add_localize(group)
    _add_flatten(group)


def _add_replace(group: Any) -> None:
    verb = add_verb(
        group,
        "replace",
        "Change the asset paths of a file and all layers it needs; shows them, and "
        "writes with --apply.",
        reads=("file",),
        handler=_replace,
        summary=_replaced,
    )
    verb.add_argument("file", type=Path, metavar="FILE", help="the root layer")
    how = verb.add_mutually_exclusive_group(required=True)
    how.add_argument("--find", metavar="TEXT", help="text to replace by --with")
    how.add_argument(
        "--remap",
        type=Path,
        metavar="TABLE.json",
        help='a table of paths or folders: {"old": "new"}',
    )
    how.add_argument("--relative", action="store_true", help="absolute paths to relative ones")
    how.add_argument("--absolute", action="store_true", help="relative paths to absolute ones")
    how.add_argument(
        "--search-in",
        type=Path,
        action="append",
        metavar="DIR",
        help="look for missing files by name below DIR (may be repeated)",
    )
    verb.add_argument("--with", dest="replacement", default="", metavar="TEXT")
    verb.add_argument("--regex", action="store_true", help="--find is a regular expression")
    verb.add_argument(
        "--apply", action="store_true", help="write the layers; each keeps a backup NAME.bak"
    )


def _replace(options: argparse.Namespace, host: SceneHost | None) -> Job[dict[str, Any]]:
    require_usd()
    from ...usd_tools.repair import apply_edits, plan_edits

    edits = plan_edits(options.file, _rule(options))
    changed = (yield from apply_edits(edits)) if options.apply else []
    return {
        "edits": [edit.to_json() for edit in edits],
        "changed": [str(file) for file in changed],
        "applied": options.apply,
    }


def _rule(options: argparse.Namespace) -> Any:
    from ...usd_tools import repair

    if options.find is not None:
        return repair.replace_text(options.find, options.replacement, regex=options.regex)
    if options.remap:
        return repair.remap(_table(options.remap))
    if options.search_in:
        return repair.search_missing(options.search_in)
    return repair.make_relative if options.relative else repair.make_absolute


def _table(file: Path) -> dict[str, str]:
    try:
        table = read_json(file)
        if not isinstance(table, dict) or not all(isinstance(v, str) for v in table.values()):
            raise ValueError("it is no table of texts")
    except (OSError, ValueError) as error:
        raise StagewrightError(
            "bad-table",
            f"{file.name} cannot be read as a table of paths: {error}.",
            'Write it as JSON: {"/old/folder": "/new/folder"}.',
        ) from error
    return table


def _replaced(value: Mapping[str, Any]) -> str:
    lines = []
    for edit in value["edits"]:
        lost = "" if edit["found"] else "  [not there]"
        name = Path(edit["layer"]).name
        lines.append(f"{name}: {edit['before']} → {edit['after']}{lost}")
    if not lines:
        return "No path would change."
    if value["applied"]:
        lines.append(f"Changed {count(len(value['changed']), 'file')}; backups are beside them.")
    else:
        lines.append(f"{count(len(lines), 'path')} would change. Write them with --apply.")
    return "\n".join(lines)


def _add_set(group: Any) -> None:
    verb = add_verb(
        group,
        "set",
        "Correct what a layer says about its stage; a backup NAME.bak is kept.",
        reads=("file",),
        handler=_set,
        summary=lambda value: f"Corrected {value['path']}",
    )
    verb.add_argument("file", type=Path, metavar="FILE", help="the layer")
    verb.add_argument("--up-axis", choices=("Y", "Z"), default="")
    verb.add_argument("--meters-per-unit", type=float, default=0.0)
    verb.add_argument("--default-prim", default="", metavar="NAME")
    verb.add_argument(
        "--kind", choices=("component", "assembly", "group", "subcomponent"), default=""
    )
    verb.add_argument(
        "--extents",
        action="store_true",
        help="give all meshes, also in the layers it needs, the boxes of their points",
    )


def _set(options: argparse.Namespace, host: SceneHost | None) -> Job[dict[str, Any]]:
    require_usd()
    from ...usd_tools.repair import mend_extents, set_stage_metadata
    from ...usd_tools.stages import open_stage

    chosen = {
        "up_axis": options.up_axis,
        "meters_per_unit": options.meters_per_unit,
        "default_prim": options.default_prim,
        "kind": options.kind,
    }
    if not any(chosen.values()) and not options.extents:
        raise StagewrightError(
            "bad-arguments", "There is nothing to set.", "See stagewright usd set --help."
        )
    open_stage(options.file.absolute())  # says why, if it cannot be read
    if any(chosen.values()):
        yield from set_stage_metadata(options.file.absolute(), **chosen)
    if options.extents:
        yield from mend_extents(options.file)
    return {"path": str(options.file)}


def _add_output(verb: argparse.ArgumentParser, metavar: str, text: str) -> None:
    verb.add_argument("file", type=Path, metavar="FILE", help="the root layer")
    verb.add_argument("-o", "--output", type=Path, required=True, metavar=metavar, help=text)


def _add_overwrite(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--overwrite", action="store_true", help="replace the output if it exists")


def _refuse_existing(options: argparse.Namespace) -> Path:
    target: Path = options.output.absolute()
    refuse_existing(target, options.overwrite)
    return target


def _lost_something(value: Mapping[str, Any]) -> bool:
    return bool(value["missing"])


def _collected(value: Mapping[str, Any]) -> str:
    return f"Wrote {value['path']} ({count(len(value['files']), 'file')})"


def _add_package(group: Any) -> None:
    verb = add_verb(
        group,
        "package",
        "Pack a file and all that it needs into a .usdz; exit code 1 when something is missing.",
        reads=("file",),
        handler=_package,
        summary=_collected,
        found_errors=_lost_something,
    )
    _add_output(verb, "OUT.usdz", "the package to write")
    _add_overwrite(verb)
    verb.add_argument(
        "--arkit",
        action="store_true",
        help="one layer, as ARKit's viewers want it; tells what they will not show",
    )


def _package(options: argparse.Namespace, host: SceneHost | None) -> Job[dict[str, Any]]:
    require_usd()
    from ...usd_tools.package import package

    target = _refuse_existing(options)
    result = yield from package(options.file.absolute(), target, arkit=options.arkit)
    return result.to_json()


def _add_localize(group: Any) -> None:
    verb = add_verb(
        group,
        "localize",
        "Copy a file and all that it needs into a folder; exit code 1 when something is missing.",
        reads=("file",),
        handler=_localize,
        summary=_collected,
        found_errors=_lost_something,
    )
    _add_output(verb, "DIR", "a new or empty folder")


def _localize(options: argparse.Namespace, host: SceneHost | None) -> Job[dict[str, Any]]:
    require_usd()
    from ...usd_tools.package import localize

    result = yield from localize(options.file.absolute(), options.output.absolute())
    return result.to_json()


def _add_flatten(group: Any) -> None:
    verb = add_verb(
        group,
        "flatten",
        "Write a stage as one layer.",
        reads=("file",),
        handler=_flatten,
        summary=_collected,
    )
    _add_output(verb, "OUT.usda", "the layer to write")
    _add_overwrite(verb)
    verb.add_argument(
        "--layers",
        action="store_true",
        help="merge the layer stack alone; references, payloads and variants stay",
    )


def _flatten(options: argparse.Namespace, host: SceneHost | None) -> Job[dict[str, Any]]:
    require_usd()
    from ...usd_tools.package import flatten

    target = _refuse_existing(options)
    file = options.file.absolute()
    result = yield from flatten(file, target, "layers" if options.layers else "stage")
    return result.to_json()
