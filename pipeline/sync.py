# SPDX-License-Identifier: GPL-3.0-or-later
"""Bring to the AYON server what was published into a library without it.

Versions go in the order of their publishes, under the ids that they have; those that
need none of the others go together (:mod:`..ayon_bridge.together`). What
names a version, a folder or a number is written anew for the server's storage:
the identity in the root layer, the report, and references to other versions.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Literal

from ..ayon_bridge.anatomy import below
from ..ayon_bridge.connection import TRANSIENT
from ..ayon_bridge.entities import FileInfo, Representation, Version
from ..ayon_bridge.home import Publication, PublishRequest, RepresentationFiles
from ..ayon_bridge.library import Library
from ..ayon_bridge.outbox import MARK, record_of, settle, waiting
from ..ayon_bridge.publication import StagedPublication
from ..ayon_bridge.server import Server
from ..ayon_bridge.together import AT_ONCE, enter_together
from ..ayon_bridge.version_record import VersionRecord
from ..jobs.compose import part
from ..jobs.errors import StagewrightError
from ..jobs.events import Job, Progress, Waiting
from ..usd_tools.identity import stamp_identity
from ..usd_tools.references import move_references, outward_paths
from ..usd_tools.stages import default_prim
from .committing import commit, film_of
from .order import USD
from .publish import REPORT, identity_of
from .report import rename_report

Choice = Literal["renumber", "keep", "skip"]
"""What to do with a version whose number is taken on the server."""

LOCK_SECONDS = 60.0
"""How long to wait for another publish of the same product."""

_PAUSES = 10
_LAYERS = {".usd", ".usda", ".usdc"}


@dataclass(frozen=True)
class SyncOrder:
    """What to bring to the server.

    Attributes:
        library: folder of the library.
        on_conflict: what to do with a version whose number is taken there: give it
            the next one, keep it waiting, or leave it in the library for good.
        only: ids of the versions to send; empty for all that wait.
    """

    library: Path
    on_conflict: Choice = "keep"
    only: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Passage:
    """A version on its way; ``row`` is what is told of it."""

    library: Library
    server: Server
    folder: Path
    record: VersionRecord
    row: dict[str, Any]

    @property
    def version(self) -> Version:
        """The version as it is in the library."""
        return self.record.version

    @property
    def context(self) -> Mapping[str, Any]:
        """What the version belongs to, by the keys of AYON's templates."""
        context: Mapping[str, Any] = self.record.representations[0].data["context"]
        return context

    @property
    def picture(self) -> str | None:
        """Name of its picture in the version's folder."""
        picture = self.record.thumbnail
        return self.name_of(picture.file) if picture else None

    def name_of(self, file: FileInfo) -> str:
        """Name of a file in the version's folder."""
        return below(self.library.root, file.path).relative_to(self.folder).as_posix()


def sync(order: SyncOrder) -> Job[dict[str, Any]]:
    """Send what waits, in its order.

    Returns:
        Plain JSON data: ``rows``, one for each version, with ``versionId``, ``folder``,
        ``product``, ``queued`` and ``version`` (its names in the library and on the
        server), ``state`` ("sent", "waiting", "skipped") and ``message``.

    Raises:
        StagewrightError: ``no-library``, ``no-server``, and as long as the server cannot
            be reached, why.
    """
    rows: list[dict[str, Any]] = []
    with Library.open_existing(order.library) as library, Server.open() as server:
        versions = [each for each in waiting(library) if each.id in (order.only or {each.id})]
        left: list[_Passage] = []
        for version in versions:
            row = {"versionId": version.id, "folder": "", "product": "", "queued": version.name}
            rows.append(row | {"version": "", "state": "waiting", "message": ""})
            try:
                folder, record = record_of(library, version)
            except StagewrightError as error:
                rows[-1]["message"] = str(error)
                continue
            passage = _Passage(library, server, folder, record, rows[-1])
            passage.row["folder"] = passage.context["folder"]["path"]
            passage.row["product"] = passage.context["product"]["name"]
            left.append(passage)
        total = len(left)
        while left:
            start = 1 - len(left) / total
            yield Progress("sync.version", start, f"Sending {left[0].version.name}")
            wave = _next_wave(left)
            job = _send(wave, order.on_conflict)
            done = yield from part(job, start, start + len(wave) / total)
            left = [each for each in left if each.version.id not in done]
    return {"rows": rows}


def _next_wave(left: Sequence[_Passage]) -> list[_Passage]:
    """The next versions that can be sent together, none of which needs another to be there."""
    wave: list[_Passage] = []
    products, ids = set[str](), set[str]()
    for each in left:
        version = each.version
        inputs = version.data.get("inputVersionIds") or ()
        waits = version.product_id in products or not ids.isdisjoint(inputs)
        here = version.project_name == left[0].version.project_name
        if not waits and here and len(wave) < AT_ONCE:
            wave.append(each)
        products.add(version.product_id)
        ids.add(version.id)
    return wave


def _send(wave: Sequence[_Passage], on_conflict: Choice) -> Job[set[str]]:
    """Send versions together; what stands in the way of one, others need not wait for.

    Returns:
        Ids of the versions that are dealt with; the others are to be tried again.
    """
    server, project = wave[0].server, wave[0].version.project_name
    done: set[str] = set()
    opened: list[tuple[_Passage, StagedPublication]] = []
    with ExitStack() as ending:
        requests = [_request(each) for each in wave]
        publications = server.publications(requests, StagedPublication)
        for passage, publication in zip(wave, publications, strict=True):
            ending.enter_context(closing(publication))
            try:
                # Who holds a lock does not wait for another: two would wait for each other.
                yield from _open(publication, LOCK_SECONDS if not opened else 0.0)
            except StagewrightError as error:
                if error.code == "library-locked" and opened:
                    continue
                done.add(_settle(passage, error, on_conflict))
            else:
                opened.append((passage, publication))
        known = server.get_versions(project, version_ids=[each.version.id for each, _ in opened])
        there = {each.id: each for each in known}
        ready: list[_Ready] = []
        for passage, publication in opened:
            if passage.version.id in there:
                done.add(_sent(passage, there[passage.version.id]))
                continue
            try:
                ready.append((yield from _prepare(passage, publication, on_conflict)))
            except StagewrightError as error:
                done.add(_settle(passage, error, on_conflict))
        errors = yield from enter_together([each.publication for each in ready])
        for each, refused in zip(ready, errors, strict=True):
            try:
                if refused is None:
                    version = each.publication.record.version
                elif refused.code == "version-taken" and on_conflict == "renumber":
                    version = yield from _renumber(each)
                else:
                    raise refused
            except StagewrightError as error:
                done.add(_settle(each.passage, error, on_conflict))
            else:
                done.add(_sent(each.passage, version))
    return done


def _sent(passage: _Passage, version: Version) -> str:
    settle(passage.library, passage.version, "sent")
    passage.row.update(state="sent", version=version.name)
    return passage.version.id


def _settle(passage: _Passage, error: StagewrightError, on_conflict: Choice) -> str:
    """Say why a version is not sent; what is no fault of its own is raised."""
    if error.code in TRANSIENT:
        raise error
    if error.code == "version-taken":
        error = _taken(passage)
    passage.row["message"] = str(error)
    if error.code == "version-taken" and on_conflict == "skip":
        settle(passage.library, passage.version, "skipped")
        passage.row.update(state="skipped", message=error.message)
    return passage.version.id


def _taken(passage: _Passage) -> StagewrightError:
    return StagewrightError(
        "version-taken",
        f'The AYON server has {passage.version.name} of "{passage.row["product"]}" '
        "from somebody else.",
        "Send it with --on-conflict renumber, or leave it here with --on-conflict skip.",
    )


@dataclass(frozen=True)
class _Ready:
    """A version whose files are in their place on the server's storage."""

    passage: _Passage
    publication: StagedPublication
    representations: Sequence[RepresentationFiles]

    def describe(self, representations: Sequence[RepresentationFiles]) -> None:
        """Write which version it is into its root layer and its report."""
        folder = self.publication.staging
        _describe(self.publication, {each.name: folder / each.main for each in representations})


def _prepare(passage: _Passage, publication: StagedPublication, on_conflict: Choice) -> Job[_Ready]:
    """Do all but enter the version."""
    complaint = yield from passage.record.complaint(passage.library.root)
    if complaint:
        raise StagewrightError(
            "file-changed", f"{complaint[:1].upper()}{complaint[1:]}.", "Publish it again."
        )
    if on_conflict != "renumber" and publication.number != passage.version.version:
        raise _taken(passage)
    ready = _Ready(passage, publication, (yield from _stage(passage, publication)))
    ready.describe(ready.representations)
    film = film_of(ready.representations) or passage.picture
    yield from publication.seal(ready.representations, passage.picture, film)
    yield from publication.move()
    return ready


def _renumber(ready: _Ready) -> Job[Version]:
    """Enter a version by itself, under the next number."""
    publication, picture = ready.publication, ready.passage.picture
    representations = yield from publication.renumber(ready.representations)
    return (yield from commit(publication, representations, ready.describe, picture=picture))


def _open(publication: Publication, seconds: float) -> Job[None]:
    """Open a publication, once nobody else publishes the product."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return (yield from publication.open())
        except StagewrightError as error:
            if error.code != "library-locked" or time.monotonic() >= deadline:
                raise
        yield Progress("sync.wait", message="Waiting for another publish")
        for _ in range(_PAUSES):
            yield Waiting()


def _request(passage: _Passage) -> PublishRequest:
    """The request that the version was published by, for the server."""
    version, context = passage.version, passage.context
    task = context.get("task") or {}
    usd = _main(passage.record.representations[0])
    attrib = {key: value for key, value in version.attrib.items() if key != "comment"}
    ours = ("contentHash", MARK)
    return PublishRequest(
        project_name=version.project_name,
        project_code=context["project"]["code"],
        folder_path=context["folder"]["path"],
        folder_type=context["folder"]["type"],
        product_name=context["product"]["name"],
        product_type=context["product"]["type"],
        task_name=task.get("name"),
        task_type=task.get("type") or "Generic",
        author=version.author,
        comment=version.attrib.get("comment", ""),
        content_hash=version.data["contentHash"],
        extension=PurePosixPath(usd.name).suffix[1:],
        attrib=attrib,
        data={key: value for key, value in version.data.items() if key not in ours},
        force=True,
        version=version.version,
        version_id=version.id,
    )


def _main(representation: Representation) -> FileInfo:
    """The file that a representation opens; its first, as it was published."""
    return representation.files[0]


def _stage(passage: _Passage, publication: Publication) -> Job[list[RepresentationFiles]]:
    """Copy the version's files, and let them name what is on the server."""
    sources: dict[str, Path] = {}
    made: list[RepresentationFiles] = []
    for each in passage.record.representations:
        output = each.data["context"].get("output")
        extension = PurePosixPath(_main(each).name).suffix[1:]
        main = publication.file_name(extension, output)
        names = [main, *(passage.name_of(file) for file in each.files[1:])]
        files = dict(zip(names, each.files, strict=True))
        sources |= {n: below(passage.library.root, f.path) for n, f in files.items()}
        made.append(
            RepresentationFiles(name=each.name, main=main, files=names, output=output, id=each.id)
        )
    outward = {
        name: paths
        for name, source in sources.items()
        if source.suffix in _LAYERS and (paths := outward_paths(source))
    }
    moved = _moved(passage, sorted({path for paths in outward.values() for path in paths}))
    picture = passage.record.thumbnail
    if picture is not None:
        sources[passage.name_of(picture.file)] = below(passage.library.root, picture.file.path)
    mains = {each.main for each in made}
    as_they_are = {n for n, s in sources.items() if n not in mains and s.suffix not in _LAYERS}
    yield from publication.stage(sources, as_they_are)
    for name in outward:
        staged = publication.staging / name
        move_references(staged, passage.folder, publication.folder, moved)
    return made


def _moved(passage: _Passage, paths: Sequence[str]) -> dict[str, str]:
    """Where the files of other versions that the version names are on the server's storage.

    Raises:
        StagewrightError: ``input-not-synced`` when the server has not all of them.
    """
    inputs = passage.version.data.get("inputVersionIds") or []
    project, moved = passage.version.project_name, dict[str, str]()
    if inputs:
        known = passage.server.get_representations(project, version_ids=inputs)
        theirs = {each.id: passage.server.main_file(each) for each in known}
        for each in passage.library.get_representations(project, version_ids=inputs):
            if each.id not in theirs:
                continue
            ours = passage.library.main_file(each)
            for file in each.files:
                here = passage.library.path_of(file)
                inside = here.relative_to(ours.parent)
                there = theirs[each.id].parent / inside if here != ours else theirs[each.id]
                moved[here.as_posix()] = there.as_posix()
    for path in paths:
        if path not in moved and Path(path).is_relative_to(passage.library.root):
            raise StagewrightError(
                "input-not-synced",
                f'{passage.version.name} of "{passage.context["product"]["name"]}" refers to '
                f'"{path}", which is not on the AYON server.',
                "Send that first, or publish it to the server.",
            )
    return moved


def _describe(publication: Publication, mains: Mapping[str, Path]) -> None:
    """Write which version it is into the root layer and the report."""
    identity = identity_of(publication, default_prim(mains[USD]))
    stamp_identity(mains[USD], identity)
    if REPORT in mains:
        rename_report(mains[REPORT], identity)
