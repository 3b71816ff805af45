# SPDX-License-Identifier: GPL-3.0-or-later
"""``stagewright usd mtlx list|validate|import|export``: MaterialX documents."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ...jobs.events import Job, Progress
from ..host import SceneHost
from ..summaries import count
from .common import add_group, add_verb, refuse_existing


def add_to(group: Any) -> None:
    """Add the verbs to the group ``usd``."""
    verbs = add_group(group, "mtlx", "List, check, import and export MaterialX documents.")
    _add_list(verbs)
    _add_validate(verbs)
    _add_import(verbs)
    _add_export(verbs)


def _lacks_materialx() -> bool:
    """Whether a Blender has to do it, which brings the library."""
    return find_spec("MaterialX") is None


def _add_list(verbs: Any) -> None:
    verb = add_verb(
        verbs,
        "list",
        "List the materials of a document, and what Blender would not show as it is.",
        needs_scene=_lacks_materialx(),
        handler=_list,
        summary=lambda value: "\n".join(_material_lines(value["materials"])),
    )
    verb.add_argument("file", type=Path, metavar="FILE.mtlx", help="the document")


def _list(options: argparse.Namespace, host: SceneHost | None) -> Job[dict[str, Any]]:
    yield Progress("mtlx.read", 0.0, f"Reading {options.file.name}")
    from ...usd_tools.mtlx.document import read_document
    from ...usd_tools.mtlx.surfaces import import_network

    document = read_document(options.file.absolute())
    found = [import_network(network, document.library) for network in document.networks]
    rows = [
        {
            "name": each.record.data,
            "surface": each.surface,
            "notes": [asdict(note) for note in each.notes],
        }
        for each in found
    ]
    return {"materials": rows}


def _add_validate(verbs: Any) -> None:
    verb = add_verb(
        verbs,
        "validate",
        "Check a document by MaterialX's validator; exit code 1 when something is wrong.",
        needs_scene=_lacks_materialx(),
        handler=_validate,
        summary=_validated,
        found_errors=lambda value: bool(value["problems"]),
    )
    verb.add_argument("file", type=Path, metavar="FILE.mtlx", help="the document")


def _validate(options: argparse.Namespace, host: SceneHost | None) -> Job[dict[str, Any]]:
    yield Progress("mtlx.validate", 0.0, f"Checking {options.file.name}")
    from ...usd_tools.mtlx.document import validate

    problems = validate(options.file.absolute())
    return {"path": str(options.file), "problems": [asdict(note) for note in problems]}


def _validated(value: Mapping[str, Any]) -> str:
    lines = [f"{problem['node']}: {problem['message']}" for problem in value["problems"]]
    return "\n".join(lines) or f"{Path(value['path']).name} is valid."


def _add_import(verbs: Any) -> None:
    verb = add_verb(
        verbs,
        "import",
        "Import the materials of a document into a .blend.",
        needs_scene=True,
        handler=_import,
        summary=_imported,
    )
    verb.add_argument("file", type=Path, metavar="FILE.mtlx", help="the document")
    where = verb.add_mutually_exclusive_group(required=True)
    where.add_argument("-o", "--output", type=Path, metavar="OUT.blend", help="a new file")
    where.add_argument(
        "--into", type=Path, metavar="SCENE.blend", help="add them to this file, and save it"
    )
    _add_materials(verb)
    verb.add_argument("--overwrite", action="store_true", help="replace OUT.blend if it exists")


def _add_materials(verb: argparse.ArgumentParser) -> None:
    verb.add_argument(
        "--material",
        action="append",
        default=[],
        metavar="NAME",
        help="this material alone (may be repeated; default: all)",
    )


def _import(options: argparse.Namespace, host: SceneHost) -> Job[dict[str, Any]]:
    into = options.into is not None
    blend = (options.into if into else options.output).absolute()
    if not into:
        refuse_existing(blend, options.overwrite)
    names = tuple(options.material)
    made = yield from host.import_mtlx(options.file.absolute(), blend, names, into)
    return {"path": str(blend), "materials": made}


def _imported(value: Mapping[str, Any]) -> str:
    lines = [f"Wrote {value['path']} ({count(len(value['materials']), 'material')})"]
    return "\n".join([*lines, *_material_lines(value["materials"])])


def _add_export(verbs: Any) -> None:
    verb = add_verb(
        verbs,
        "export",
        "Export materials of a .blend as a document of OpenPBR surfaces; exit code 1 when "
        "MaterialX's validator finds something wrong with it.",
        needs_scene=True,
        handler=_export,
        summary=_exported,
        found_errors=lambda value: bool(value["problems"]),
    )
    verb.add_argument("blend", type=Path, metavar="FILE.blend", help="the .blend file")
    verb.add_argument(
        "-o",
        "--output",
        type=Path,
        required=True,
        metavar="OUT.mtlx",
        help="the document; packed images go into OUT_textures beside it",
    )
    _add_materials(verb)
    verb.add_argument("--overwrite", action="store_true", help="replace OUT.mtlx if it exists")


def _export(options: argparse.Namespace, host: SceneHost) -> Job[dict[str, Any]]:
    target = options.output.absolute()
    refuse_existing(target, options.overwrite)
    host.open(options.blend)
    return (yield from host.export_mtlx(target, tuple(options.material)))


def _exported(value: Mapping[str, Any]) -> str:
    lines = [f"Wrote {value['path']} ({count(len(value['materials']), 'material')})"]
    lines += [note for row in value["materials"] for note in row["notes"]]
    lines += [f"invalid: {each['node']}: {each['message']}" for each in value["problems"]]
    return "\n".join(lines)


def _material_lines(rows: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    for row in rows:
        yield f"{row['name']} ({row['surface'] or 'no known surface'})"
        for note in row["notes"]:
            yield f"  {note['kind']}: {note['message']}"
