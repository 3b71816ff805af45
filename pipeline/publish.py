# SPDX-License-Identifier: GPL-3.0-or-later
"""The main job: an open scene exported, checked and published as a version."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

from .. import __version__
from ..ayon_bridge.entities import Version
from ..ayon_bridge.home import Publication, RepresentationFiles
from ..ayon_bridge.outbox import MARK
from ..jobs.compose import part
from ..jobs.errors import StagewrightError
from ..jobs.events import Job, Message
from ..usd_tools.asset import AssetFiles, content_hash
from ..usd_tools.contents import contents
from ..usd_tools.findings import CheckReport
from ..usd_tools.identity import Identity, stamp_identity
from ..usd_tools.path_changes import path_changes
from ..usd_tools.references import move_references, referenced_versions
from ..usd_tools.sameness import same_asset
from .committing import FILM, commit
from .export import CheckedAsset, export_asset
from .homes import publish_at
from .host import SceneHost
from .order import USD, PublishOrder, request_of
from .report import write_report
from .work import work_folder

REPORT = "report"
THUMBNAIL = "thumbnail.png"


def publish_scene(host: SceneHost, order: PublishOrder) -> Job[dict[str, Any]]:
    """Export the scene open in ``host``, check it and publish it.

    Returns:
        Plain JSON data: ``version``, ``path`` of the root layer, ``folder``,
        ``report``, ``thumbnail``, ``unchanged``, ``queued``, ``entered``, ``checks``,
        ``identity``.

    Raises:
        StagewrightError: ``checks-failed`` with the checks in its details when
            an error was found that is not allowed; whatever the export or the
            library refuses.
    """
    request = request_of(order)

    def publish(publication: Publication, queued: bool) -> Job[dict[str, Any]]:
        return _publish(host, order, publication, queued=queued)

    return (
        yield from publish_at(
            order.to,
            order.library,
            request,
            publish,
            break_lock=order.break_lock,
            known=order.known,
        )
    )


def _publish(
    host: SceneHost,
    order: PublishOrder,
    publication: Publication,
    *,
    queued: bool,
) -> Job[dict[str, Any]]:
    with work_folder() as work:
        root = work / "asset" / f"{order.scene.name}.usda"
        asset = yield from part(export_asset(host, order.scene, root, work, order.allow), 0.0, 0.6)
        stop_on_errors(asset.checks)
        facts = _facts(host, asset) | ({MARK: True} if queued else {})
        publication.complete(content_hash=content_hash(asset.files), data=facts)
        unchanged = yield from part(unchanged_version(publication, asset.files), 0.6, 0.62)
        if unchanged is not None:
            return result_of(publication, unchanged, asset.checks, unchanged=True)
        last = publication.last
        before = publication.main_files(last).get(USD) if last is not None else None
        if before is not None:
            changes = path_changes(before, asset.files.root)
            asset = replace(asset, checks=asset.checks.with_findings(changes))
        # Without the lock: the picture takes longest, and a kill then leaves nothing.
        end = 0.7 if order.turntable else 0.85
        picture = yield from part(_picture(host, order, work / THUMBNAIL), 0.62, end)
        film = yield from part(_film(host, order, work / "film.mp4", picture), end, 0.85)
        with closing(publication):
            yield from part(publication.open(), 0.85, 0.86)
            pictures = picture, film
            version = yield from part(_publish_files(publication, asset, pictures, host), 0.86, 1.0)
        return result_of(publication, version, asset.checks, unchanged=False)


def _facts(host: SceneHost, asset: CheckedAsset) -> dict[str, Any]:
    """What the version keeps about how it was made."""
    checks = asset.checks
    return {
        "host": host.version,
        "stagewright": __version__,
        "allowedChecks": list(checks.allowed),
        "losses": sum(f.severity == "loss" for f in checks.findings),
        "inputVersionIds": referenced_versions(asset.files.outward),
    }


def stop_on_errors(checks: CheckReport) -> None:
    """Refuse an asset with errors that are not allowed (``checks-failed``)."""
    if not checks.blocking:
        return
    first, *others = checks.blocking
    more = f" (and {len(others)} more)" if others else ""
    raise StagewrightError(
        "checks-failed",
        f"The checks stop the publish: {first.message}{more}",
        f"{first.cure} Or let it pass with --allow {first.check}.".strip(),
        {"checks": checks.to_json()},
    )


def unchanged_version(publication: Publication, files: AssetFiles) -> Job[Version | None]:
    """The last version, as the product's lock sees it, if the asset has not changed since.

    With ``force`` it counts as changed.
    """
    with closing(publication):
        yield from publication.open()
        last = publication.last
        if last is None or publication.request.force or publication.unchanged is not None:
            return publication.unchanged
        root = publication.main_files(last).get(USD)
        return last if root is not None and same_asset(root, files) else None


def _picture(host: SceneHost, order: PublishOrder, path: Path) -> Job[Path | None]:
    """Render the asset's picture; None where there is nothing to see, or Cycles fails."""
    try:
        return (yield from host.thumbnail(order.scene, path))
    except StagewrightError as error:
        if error.code not in {"nothing-to-render", "render-failed"}:
            raise
        yield Message(f"The version gets no picture: {error.message}", "warning")
        return None


def _film(
    host: SceneHost, order: PublishOrder, path: Path, picture: Path | None
) -> Job[Path | None]:
    """Film the asset turning, if that is asked for; None where Blender cannot."""
    if not order.turntable or picture is None:
        return None
    try:
        return (yield from host.film(order.scene, path, order.turntable))
    except StagewrightError as error:
        if error.code not in {"no-film", "render-failed"}:
            raise
        yield Message(f"The picture is to be reviewed: {error.message}", "warning")
        return None


def _publish_files(
    publication: Publication,
    asset: CheckedAsset,
    pictures: tuple[Path | None, Path | None],
    host: SceneHost,
) -> Job[Version]:
    """Stage the asset, its picture, film and report, and make the version of them."""
    files = asset.files
    picture, film = pictures
    carried = [*files.layers, *files.textures]
    names = {path: path.relative_to(files.root.parent).as_posix() for path in carried}
    names[files.root] = publication.root_name
    staged = {name: path for path, name in names.items()}
    shown = {THUMBNAIL: picture} if picture else {}
    film_name = publication.file_name("mp4", FILM)
    shown |= {film_name: film} if film else {}
    textures = {names[path] for path in files.textures}
    yield from publication.stage({**staged, **shown}, textures)
    for layer in files.outward:
        move_references(publication.staging / names[layer], files.root.parent, publication.folder)
    report = publication.file_name("html", REPORT)
    representations = [
        RepresentationFiles(name=USD, main=publication.root_name, files=list(staged)),
        RepresentationFiles(name=REPORT, main=report, files=[report], output=REPORT),
    ]
    if film:
        name = f"{FILM}_mp4"
        representations.append(
            RepresentationFiles(name=name, main=film_name, files=[film_name], output=FILM)
        )

    def describe(representations: Sequence[RepresentationFiles]) -> None:
        usd, report, *_ = (publication.staging / each.main for each in representations)
        identity = identity_of(publication, files.root.stem)
        stamp_identity(usd, identity)
        write_report(
            report,
            identity=identity,
            contents=contents(usd),
            checks=asset.checks,
            picture=picture,
            made_with=f"{host.version}, USD {asset.checks.pxr_version}, Stagewright {__version__}",
        )

    thumbnail = THUMBNAIL if picture else None
    return (yield from commit(publication, representations, describe, picture=thumbnail))


def identity_of(publication: Publication, name: str) -> Identity:
    """What the root layer of an asset called ``name`` says of the version to come."""
    ids = publication.ids
    return Identity(
        name=name,
        version=publication.version_name,
        identifier=publication.root_name,
        project=ids.project,
        folder=ids.folder,
        product=ids.product,
        version_id=ids.version,
    )


def result_of(
    publication: Publication, version: Version, checks: CheckReport, *, unchanged: bool
) -> dict[str, Any]:
    """What a publish comes to, as plain JSON data."""
    paths = publication.main_files(version)
    root, request = paths[USD], publication.request
    picture = root.with_name(THUMBNAIL)
    return {
        "version": version.name,
        "path": str(root),
        "folder": str(root.parent),
        "report": str(paths.get(REPORT, "")),
        "thumbnail": str(picture) if picture.is_file() else "",
        "unchanged": unchanged,
        "queued": bool(version.data.get(MARK)),
        "entered": unchanged or publication.enters,
        "checks": checks.to_json(),
        "identity": {
            "project": version.project_name,
            "folder": request.folder_path,
            "product": request.product_name,
            "version": version.name,
            "versionId": version.id,
            "identifier": root.name,
            "path": str(root),
        },
    }
