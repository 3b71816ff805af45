# SPDX-License-Identifier: GPL-3.0-or-later
"""Bring to the AYON server what was published into a library without it.

Versions go in the order of their publishes, under the ids that they have. What
names a version, a folder or a number is written anew for the server's storage:
the identity in the root layer, the report, and references to other versions.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Literal

from ..ayon_bridge.anatomy import below
from ..ayon_bridge.connection import TRANSIENT
from ..ayon_bridge.entities import FileInfo, Representation, Version
from ..ayon_bridge.home import Publication, PublishRequest, RepresentationFiles
from ..ayon_bridge.library import Library
from ..ayon_bridge.outbox import MARK, State, record_of, settle, waiting
from ..ayon_bridge.server import Server
from ..ayon_bridge.version_record import VersionRecord
from ..jobs.compose import part
from ..jobs.errors import StagewrightError
from ..jobs.events import Job, Progress, Waiting
from ..usd_tools.identity import stamp_identity
from ..usd_tools.references import move_references, outward_paths
from ..usd_tools.stages import default_prim
from .committing import commit
from .publish import REPORT, USD, identity_of
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
    """A version on its way."""

    library: Library
    server: Server
    folder: Path
    record: VersionRecord

    @property
    def version(self) -> Version:
        """The version as it is in the library."""
        return self.record.version

    @property
    def context(self) -> Mapping[str, Any]:
        """What the version belongs to, by the keys of AYON's templates."""
        context: Mapping[str, Any] = self.record.representations[0].data["context"]
        return context

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
        for index, version in enumerate(versions):
            yield Progress("sync.version", index / len(versions), f"Sending {version.name}")
            start, stop = (n / len(versions) for n in (index, index + 1))
            job = _row(library, server, version, order.on_conflict)
            rows.append((yield from part(job, start, stop)))
    return {"rows": rows}


def _row(
    library: Library, server: Server, version: Version, on_conflict: Choice
) -> Job[dict[str, Any]]:
    """Send one version; what stands in its way, others need not wait for."""
    row = {"versionId": version.id, "folder": "", "product": "", "queued": version.name}
    row |= {"version": "", "state": "waiting", "message": ""}
    try:
        folder, record = record_of(library, version)
        passage = _Passage(library, server, folder, record)
        row["folder"] = passage.context["folder"]["path"]
        row["product"] = passage.context["product"]["name"]
        sent = yield from _send(passage, on_conflict)
    except StagewrightError as error:
        if error.code in TRANSIENT:
            raise
        if error.code == "version-taken" and on_conflict == "skip":
            return row | _settled(library, version, "skipped", error.message)
        return row | {"message": str(error)}
    return row | _settled(library, version, "sent", "") | {"version": sent.name}


def _settled(library: Library, version: Version, state: State, message: str) -> dict[str, str]:
    settle(library, version, state)
    return {"state": state, "message": message}


def _send(passage: _Passage, on_conflict: Choice) -> Job[Version]:
    """Publish the version to the server, unless it has it already."""
    version, server = passage.version, passage.server
    complaint = yield from passage.record.complaint(passage.library.root)
    if complaint:
        raise StagewrightError(
            "file-changed", f"{complaint[:1].upper()}{complaint[1:]}.", "Publish it again."
        )
    with closing((yield from _opened(passage))) as publication:
        found = server.get_versions(version.project_name, version_ids=[version.id])
        if found:
            return found[0]
        if on_conflict != "renumber" and publication.number != version.version:
            raise StagewrightError(
                "version-taken",
                f'The AYON server has {version.name} of "{passage.context["product"]["name"]}" '
                "from somebody else.",
                "Send it with --on-conflict renumber, or leave it here with --on-conflict skip.",
            )
        representations = yield from _stage(passage, publication)
        names = [each.name for each in representations]

        def describe(representations: Sequence[RepresentationFiles]) -> None:
            mains = (publication.staging / each.main for each in representations)
            _describe(publication, dict(zip(names, mains, strict=True)))

        picture = passage.record.thumbnail
        return (
            yield from commit(
                publication,
                representations,
                describe,
                picture=passage.name_of(picture.file) if picture else None,
                renumber=on_conflict == "renumber",
            )
        )


def _opened(passage: _Passage) -> Job[Publication]:
    """The publication, once nobody else publishes the product."""
    deadline = time.monotonic() + LOCK_SECONDS
    while True:
        publication = passage.server.publication(_request(passage))
        try:
            yield from publication.open()
            return publication
        except StagewrightError as error:
            publication.close()
            if error.code != "library-locked" or time.monotonic() > deadline:
                raise
        except BaseException:
            publication.close()
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
