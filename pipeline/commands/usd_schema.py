# SPDX-License-Identifier: GPL-3.0-or-later
"""``stagewright usd schema generate|register|list|apply``: schemas without code."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ...jobs.errors import StagewrightError
from ...jobs.events import Job, Progress
from ..host import SceneHost
from .common import add_group, add_verb, refuse_existing, require_usd

_VARIABLE = "PXR_PLUGINPATH_NAME"


def add_to(group: Any) -> None:
    """Add the verbs to the group ``usd``."""
    verbs = add_group(group, "schema", "Make, register and list schemas without code.")
    _add_generate(verbs)
    _add_register(verbs)
    _add_list(verbs)
    _add_apply(verbs)


def _add_generate(verbs: Any) -> None:
    verb = add_verb(
        verbs,
        "generate",
        "Make a plugin of a schema.usda, as usdGenSchema does for schemas without code.",
        handler=_generate,
        summary=_generated,
    )
    verb.add_argument("file", type=Path, metavar="SCHEMA.usda", help="the classes")
    verb.add_argument(
        "-o",
        "--output",
        type=Path,
        required=True,
        metavar="DIR",
        help="gets generatedSchema.usda and plugInfo.json",
    )
    verb.add_argument("--overwrite", action="store_true", help="replace the two if they exist")


def _generate(options: argparse.Namespace, host: SceneHost | None) -> Job[dict[str, Any]]:
    require_usd()
    from ...usd_tools.schema import FILES, generate

    folder = options.output.absolute()
    for name in FILES:
        refuse_existing(folder / name, options.overwrite)
    yield Progress("schema.generate", 0.0, f"Reading {options.file.name}")
    made = generate(options.file.absolute(), folder)
    return {"path": str(folder), "library": made.library, "schemas": list(made.schemas)}


def _generated(value: Mapping[str, Any]) -> str:
    schemas = value["schemas"]
    told = f"Made {value['library']} in {value['path']}: {', '.join(schemas)}"
    return f"{told}\nUse it with: {_VARIABLE}={value['path']}/"


def _add_register(verbs: Any) -> None:
    verb = add_verb(
        verbs,
        "register",
        "Try a plugin out, and tell how programs get to know it; exit code 1 when USD does "
        "not take one of its schemas.",
        handler=_register,
        summary=_registered,
        found_errors=lambda value: not all(row["ready"] for row in value["schemas"]),
    )
    verb.add_argument("folder", type=Path, metavar="DIR", help="the plugin's folder")


def _register(options: argparse.Namespace, host: SceneHost | None) -> Job[dict[str, Any]]:
    require_usd()
    from ...usd_tools.schema_plugins import register

    folder = options.folder.absolute()
    yield Progress("schema.register", 0.0, f"Registering {folder.name}")
    rows = register(folder)
    return {
        "schemas": [asdict(row) for row in rows],
        "environment": {_VARIABLE: f"{folder.as_posix()}/"},
    }


def _registered(value: Mapping[str, Any]) -> str:
    rows = [_row(row) for row in value["schemas"]]
    path = value["environment"][_VARIABLE]
    return "\n".join([*rows, f"Programs know it that are started with {_VARIABLE}={path}"])


def _add_list(verbs: Any) -> None:
    add_verb(
        verbs,
        "list",
        "List the schemas without code that USD finds here, and the one of Stagewright.",
        handler=_list,
        summary=lambda value: "\n".join(map(_row, value["schemas"])),
    )


def _list(options: argparse.Namespace, host: SceneHost | None) -> Job[dict[str, Any]]:
    require_usd()
    yield Progress("schema.list", 0.0, "Looking for schemas")
    from ...usd_tools.schema_plugins import register, registered
    from ...usd_tools.schemas import OWN

    register(OWN)
    return {"schemas": [asdict(row) for row in registered()]}


def _row(row: Mapping[str, Any]) -> str:
    state = "" if row["ready"] else "  [restart to use]"
    return f"{row['name']} ({row['kind']}, {row['plugin']}){state}"


def _add_apply(verbs: Any) -> None:
    verb = add_verb(
        verbs,
        "apply",
        "Write what assetInfo of a published asset says as properties of StagewrightPublishAPI, "
        "too.",
        handler=_apply,
        summary=lambda value: f"Wrote {len(value['properties'])} properties into {value['path']}",
    )
    verb.add_argument("file", type=Path, metavar="ASSET.usda", help="the root layer")


def _apply(options: argparse.Namespace, host: SceneHost | None) -> Job[dict[str, Any]]:
    require_usd()
    from ...usd_tools.schema_plugins import apply_publish_schema

    file = options.file.absolute()
    if not file.is_file():
        raise StagewrightError("asset-missing", f'There is no file "{file}".', "Check the path.")
    yield Progress("schema.apply", 0.0, f"Reading {file.name}")
    return {"path": str(file), "properties": apply_publish_schema(file)}
