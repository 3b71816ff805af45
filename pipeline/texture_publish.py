# SPDX-License-Identifier: GPL-3.0-or-later
"""A texture set as a look in USD, and as a published product with all that is known of it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import __version__
from ..ayon_bridge.entities import Version
from ..ayon_bridge.home import Publication, PublishRequest, RepresentationFiles
from ..ayon_bridge.library import Library
from ..ayon_bridge.outbox import MARK
from ..jobs.compose import part
from ..jobs.events import Job, Progress
from ..jobs.process import run_child
from ..texture_lab.picture import picture
from ..texture_lab.png import write_png
from ..texture_lab.stored_set import map_files, read_about, read_set
from ..usd_tools.asset import AssetFiles, content_hash
from ..usd_tools.contents import contents
from ..usd_tools.findings import CheckReport
from ..usd_tools.identity import stamp_identity
from ..usd_tools.texture_look import TextureMaps, author_texture_asset
from .committing import commit
from .export import CheckedAsset
from .homes import To, publish_at
from .publish import (
    REPORT,
    THUMBNAIL,
    USD,
    identity_of,
    last_version,
    result_of,
    stop_on_errors,
)
from .report import write_report
from .settings import asset_name, user_name
from .work import work_folder

if TYPE_CHECKING:
    from ..ayon_bridge.server import Server

PRODUCT_TYPE = "textureSet"
"""As AYON's Substance Painter host calls it."""
SET = "set"
"""Name of the representation that opens with the sidecar."""


@dataclass(frozen=True)
class TextureOrder:
    """What to publish, and where to.

    Args:
        sidecar: of the set.
        library: folder of the library, which is made when there is none.
        project: AYON project name.
        project_code: its code, used when the project is new.
        folder: path of the AYON folder.
        task: AYON task name; "" for none.
        product: AYON product name.
        comment: the artist's words.
        allow: names of checks whose errors are let through.
        force: publish though nothing has changed.
        break_lock: take over a lock without proof of its owner's death.
        to: see :func:`.homes.publish_at`.
    """

    sidecar: Path
    library: Path
    project: str
    project_code: str
    folder: str
    task: str
    product: str
    comment: str = ""
    allow: tuple[str, ...] = ()
    force: bool = False
    break_lock: bool = False
    to: To = "library"


def make_look(
    sidecar: Path, root: Path, work: Path, allow: Sequence[str] = ()
) -> Job[CheckedAsset]:
    """Write a set as an asset (a card of one tile with the material) and check it.

    Args:
        sidecar: of the set.
        root: the root layer to write; everything else comes beside it.
        work: a folder for everything in between.
        allow: names of checks whose errors are let through.

    Raises:
        StagewrightError: ``bad-set`` and what the maps or the asset are refused for.
    """
    yield Progress("look.read", 0.0, f"Reading {sidecar.name}")
    textures, about = read_set(sidecar)
    rows, columns = textures.height.shape
    height = textures.tile_size_m
    maps = TextureMaps(
        asset_name(root.stem),
        map_files(sidecar, about),
        (height * columns / rows, height),
        textures.height_range_m,
        about["normals"] == "directx",
        _properties(about),
        textures.emission_strength,
    )
    files = yield from part(author_texture_asset(maps, root), 0.2, 0.6)
    arguments = {"root": str(root), "record": None, "allow": list(allow)}
    checked = run_child("usd_tools.check:check_task", arguments, folder=work)
    return CheckedAsset(files, CheckReport.from_json((yield from part(checked, 0.6, 1.0))))


def publish_textures(order: TextureOrder) -> Job[dict[str, Any]]:
    """Publish a set: its look, its maps, its sidecar, a picture and a report.

    Returns:
        As :func:`~.publish.publish_scene`.

    Raises:
        StagewrightError: as :func:`make_look`; ``checks-failed``; what the library refuses.
    """
    about = read_about(order.sidecar)
    request = _request(order, about)

    def publish(home: Library | Server, queued: bool) -> Job[dict[str, Any]]:
        return _publish(order, request, home, about, queued=queued)

    return (
        yield from publish_at(
            order.to, order.library, request, publish, break_lock=order.break_lock
        )
    )


def _publish(
    order: TextureOrder,
    request: PublishRequest,
    home: Library | Server,
    about: Mapping[str, Any],
    *,
    queued: bool,
) -> Job[dict[str, Any]]:
    with work_folder() as work:
        root = work / "asset" / f"{asset_name(order.sidecar.stem)}.usda"
        root.parent.mkdir()
        asset = yield from part(make_look(order.sidecar, root, work, order.allow), 0.0, 0.6)
        stop_on_errors(asset.checks)
        request = replace(request, content_hash=content_hash(asset.files))
        before_this = last_version(home, request, asset.files, break_lock=order.break_lock)
        last, unchanged = yield from part(before_this, 0.6, 0.65)
        if last is not None and unchanged:
            return result_of(home, last, asset.checks, unchanged=True)
        yield Progress("look.picture", 0.65, "Drawing its picture")
        shown = work / THUMBNAIL
        seen = picture(read_set(order.sidecar)[0])
        write_png(shown, (seen[:, :, :3] * 255 + 0.5).astype("u1"))
        if queued:
            request = replace(request, data={**request.data, MARK: True})
        with closing(home.publication(request, break_lock=order.break_lock)) as publication:
            yield from part(publication.open(), 0.7, 0.75)
            version = yield from part(_publish_files(publication, asset, about, shown), 0.75, 1.0)
        return result_of(home, version, asset.checks, unchanged=False)


def _request(order: TextureOrder, about: Mapping[str, Any]) -> PublishRequest:
    return PublishRequest(
        project_name=order.project,
        project_code=order.project_code,
        folder_path=order.folder,
        product_name=order.product,
        product_type=PRODUCT_TYPE,
        task_name=order.task or None,
        author=user_name(),
        comment=order.comment,
        content_hash="",
        attrib={"source": order.sidecar.name},
        data={"stagewright": __version__, "allowedChecks": list(order.allow), "textureSet": about},
        force=order.force,
    )


def _publish_files(
    publication: Publication, asset: CheckedAsset, about: Mapping[str, Any], shown: Path
) -> Job[Version]:
    """Stage the look, the maps, the sidecar, the picture and the report; make the version."""
    files = asset.files
    names = {path: path.relative_to(files.root.parent).as_posix() for path in _all(files)}
    names[files.root] = publication.root_name
    sidecar, report = publication.file_name("json", SET), publication.file_name("html", REPORT)
    yield from publication.stage({name: path for path, name in names.items()} | {THUMBNAIL: shown})
    stored = {Path(name).name: name for path, name in names.items() if path in files.textures}
    moved = {map_name: stored[Path(file).name] for map_name, file in about["maps"].items()}
    text = json.dumps({**about, "maps": moved}, indent=1, sort_keys=True)
    representations = [
        RepresentationFiles(name=USD, main=publication.root_name, files=list(names.values())),
        RepresentationFiles(name=SET, main=sidecar, files=[sidecar, *stored.values()], output=SET),
        RepresentationFiles(name=REPORT, main=report, files=[report], output=REPORT),
    ]

    def describe(representations: Sequence[RepresentationFiles]) -> None:
        usd, told, page = (publication.staging / each.main for each in representations)
        identity = identity_of(publication, files.root.stem)
        stamp_identity(usd, identity)
        told.write_text(text + "\n", "utf-8")
        write_report(
            page,
            identity=identity,
            contents=contents(usd),
            checks=asset.checks,
            picture=shown,
            made_with=f"USD {asset.checks.pxr_version}, Stagewright {__version__}",
        )

    return (yield from commit(publication, representations, describe, picture=THUMBNAIL))


def _all(files: AssetFiles) -> list[Path]:
    return [*files.layers, *files.textures]


def _properties(about: Mapping[str, Any]) -> dict[str, bool | int | float | str]:
    """What the material keeps of how it was made."""
    plain = {k: v for k, v in about["request"].items() if isinstance(v, str | int | float)}
    sizes = {name: about[name] for name in ("tile_size_m", "height_range_m")}
    return {**plain, **sizes, "request": json.dumps(about["request"], sort_keys=True)}
