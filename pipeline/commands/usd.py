# SPDX-License-Identifier: GPL-3.0-or-later
"""``stagewright usd …``: export and check USD files."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ...jobs.errors import StagewrightError
from ...jobs.events import Job
from ...usd_tools.profiles import PROFILES
from .. import summaries
from ..host import ImportChoice, SceneHost, SceneRequest
from ..work import work_folder
from . import usd_files, usd_inspect, usd_mtlx, usd_render, usd_schema
from .common import (
    add_allow,
    add_blend,
    add_group,
    add_scene_options,
    add_verb,
    checks_block,
    in_blender_if,
    refuse_existing,
    require_usd,
    scene_request,
)

# The work itself is imported when it is asked for: USD alone takes half a second,
# and a command that is handed to Blender never needs it here.


def add(verbs: Any) -> None:
    """Add the group."""
    group = add_group(verbs, "usd", "Export, check, inspect, compare, repair and pack USD files.")
    _add_export(group)
    _add_losses(group)
    _add_check(group)
    _add_import(group)
    _add_thumbnail(group)
    usd_inspect.add_to(group)
    usd_files.add_to(group)
    usd_mtlx.add_to(group)
    usd_render.add_to(group)
    usd_schema.add_to(group)


def _add_export(group: Any) -> None:
    verb = add_verb(
        group,
        "export",
        "Export a .blend to a USD asset on disk, and check it.",
        needs_scene=True,
        handler=_export,
        summary=summaries.exported,
        found_errors=checks_block,
    )
    add_blend(verb)
    add_scene_options(verb)
    verb.add_argument(
        "-o",
        "--output",
        type=Path,
        required=True,
        metavar="OUT.usda",
        help="the root layer to write; its layers and textures go beside it",
    )
    verb.add_argument("--overwrite", action="store_true", help="replace OUT.usda if it exists")
    verb.add_argument(
        "--save", action="store_true", help="keep the names of prims in FILE, and save it"
    )


def _export(options: argparse.Namespace, host: SceneHost) -> Job[dict[str, Any]]:
    require_usd()
    from ...usd_tools.asset import asset_layers
    from ...usd_tools.own_layers import refuse_foreign_layers
    from ..export import export_asset

    request = scene_request(options)
    root = options.output.absolute()
    _require_layer(root)
    refuse_existing(root, options.overwrite)
    if not request.over:
        refuse_foreign_layers(root, asset_layers(root))  # before hours of work
    host.open(options.blend)
    with work_folder() as work:
        asset = yield from export_asset(host, request, root, work, options.allow)
    if options.save:
        host.remember(options.blend, request, None)
    return asset.to_json()


def _require_layer(root: Path) -> None:
    if root.suffix.lower() not in (".usda", ".usdc", ".usd"):
        raise StagewrightError(
            "layer-suffix",
            f"A USD layer is not called “{root.name}”.",
            "Give the file one of the endings .usda, .usdc, .usd.",
        )


def _add_losses(group: Any) -> None:
    verb = add_verb(
        group,
        "losses",
        "List what an export of a .blend by Stagewright's writer would not hold.",
        needs_scene=True,
        handler=_losses,
        summary=summaries.losses,
    )
    add_blend(verb)
    add_scene_options(verb)


def _losses(options: argparse.Namespace, host: SceneHost) -> Job[dict[str, Any]]:
    request = scene_request(options)
    host.open(options.blend)
    with work_folder() as work:
        found = yield from host.losses(request, work)
    return {"losses": [asdict(finding) for finding in found]}


def _add_import(group: Any) -> None:
    verb = add_verb(
        group,
        "import",
        "Import a USD file into a new .blend, as a collection.",
        needs_scene=True,
        reads=("source",),
        handler=_import,
        summary=summaries.imported,
    )
    verb.add_argument("source", type=Path, metavar="FILE", help="the USD file")
    verb.add_argument(
        "-o", "--output", type=Path, required=True, metavar="OUT.blend", help="the file to write"
    )
    verb.add_argument("--name", help="name of the collection (default: the file's)")
    verb.add_argument(
        "--prim",
        action="append",
        default=[],
        metavar="PATH",
        help="import this prim and all below it (may be repeated; default: everything)",
    )
    verb.add_argument("--cameras", action="store_true", help="import cameras, too")
    verb.add_argument(
        "--purpose",
        action="append",
        default=[],
        choices=("proxy", "guide"),
        help="import prims of this purpose, too (may be repeated)",
    )
    verb.add_argument(
        "--meters-per-unit",
        type=float,
        default=1.0,
        metavar="METRES",
        help="the unit scale of the scene that it is for (default: %(default)s)",
    )
    verb.add_argument("--overwrite", action="store_true", help="replace OUT.blend if it exists")


def _import(options: argparse.Namespace, host: SceneHost) -> Job[dict[str, Any]]:
    if not 1e-6 <= options.meters_per_unit <= 1e6:
        raise StagewrightError(
            "bad-arguments",
            f"No scene has units of {options.meters_per_unit:g} metres.",
            "Give 0.000001 to 1000000, such as 0.01 for centimetres.",
        )
    blend = options.output.absolute()
    refuse_existing(blend, options.overwrite)
    name = options.name or options.source.stem
    choice = ImportChoice(
        prims=tuple(options.prim),
        cameras=options.cameras,
        purposes=frozenset(options.purpose),
        meters_per_unit=options.meters_per_unit,
    )
    path = yield from host.import_usd(options.source.absolute(), blend, name, choice)
    return {"path": str(path), "collection": name}


def _add_thumbnail(group: Any) -> None:
    verb = add_verb(
        group,
        "thumbnail",
        "Render a picture of a USD file, or a turntable.",
        needs_scene=True,
        reads=("source",),
        handler=_thumbnail,
        summary=summaries.pictured,
    )
    verb.add_argument("source", type=Path, metavar="FILE", help="the USD file")
    verb.add_argument(
        "-o",
        "--output",
        type=Path,
        required=True,
        metavar="OUT.png",
        help="the picture; of a turntable its pictures are called OUT_0001.png …",
    )
    verb.add_argument("--size", type=int, default=512, help="width and height in pixels")
    verb.add_argument(
        "--turntable", type=int, default=0, metavar="FRAMES", help="pictures all around the asset"
    )
    verb.add_argument("--overwrite", action="store_true", help="replace OUT.png if it exists")


def _thumbnail(options: argparse.Namespace, host: SceneHost) -> Job[dict[str, Any]]:
    if not 1 <= options.size <= 16384 or not 0 <= options.turntable <= 10_000:
        raise StagewrightError(
            "bad-arguments",
            "A picture has 1 to 16384 pixels a side, a turntable at most 10000 pictures.",
            "Give other numbers.",
        )
    target = options.output.absolute()
    if not options.turntable:
        refuse_existing(target, options.overwrite)
    source = options.source.absolute()
    files = yield from host.picture_usd(source, target, options.size, options.turntable)
    return {"path": str(files[0]), "files": [str(file) for file in files]}


def _add_check(group: Any) -> None:
    verb = add_verb(
        group,
        "check",
        "Check a USD file; exit code 1 when there are errors that are not allowed.",
        reads=("root",),
        handler=_check,
        summary=summaries.checked,
        found_errors=checks_block,
    )
    verb.add_argument("root", type=Path, metavar="FILE", help="the root layer, or a .usdz")
    verb.add_argument(
        "--profile",
        choices=PROFILES,
        default="asset",
        help="what the file is: "
        + "; ".join(f"{name}: {profile.about}" for name, profile in PROFILES.items())
        + " (default: %(default)s)",
    )
    verb.add_argument(
        "--junit", type=Path, metavar="OUT.xml", help="write what was found as JUnit's XML, too"
    )
    verb.add_argument(
        "--against",
        type=Path,
        action=in_blender_if(lambda blend: True),
        metavar="FILE.blend",
        help="compare it with this scene, too, and list what it has lost",
    )
    verb.add_argument(
        "--collection", default="", help="the collection to compare with (default: the whole scene)"
    )
    verb.add_argument(
        "--world", action="store_true", help="FILE is to hold the scene's world, too (--against)"
    )
    add_allow(verb)


def _check(options: argparse.Namespace, host: SceneHost | None) -> Job[dict[str, Any]]:
    require_usd()
    root = options.root.absolute()
    if host is None or options.against is None:
        from ...usd_tools.check import check_task

        value = yield from check_task(str(root), None, options.allow, options.profile)
    else:
        from ..export import check_against

        host.open(options.against)
        request = SceneRequest(options.collection, root.stem, world=options.world)
        with work_folder() as work:
            report = yield from check_against(
                host, request, root, work, options.allow, options.profile
            )
        value = report.to_json()
    value = {"path": str(root), "profile": options.profile, **value}
    if options.junit is not None:
        from ..junit import write_junit

        write_junit(options.junit.absolute(), value)
    return value
