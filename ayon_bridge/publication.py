# SPDX-License-Identifier: GPL-3.0-or-later
"""A publish that survives being killed at any point, into the library or to a server.

Files first, entities last: the version's files are gathered in a hidden
staging folder beside the final one, which is claimed by making it, empty; they
are hashed and brought onto the drive, the staging folder is renamed over the
claim, and one transaction, or one batch, enters the version into its home. Until then
there is no version; from the rename on, the next publish of the product can
finish the work (:mod:`.repair`). Every step yields before it begins.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any
from uuid import NAMESPACE_URL, uuid5

from ..jobs.errors import StagewrightError
from ..jobs.events import Job, Progress
from .anatomy import below
from .entities import FileInfo, Representation, Thumbnail, Version, rooted, version_name
from .files import (
    copy_file,
    file_errors,
    files_below,
    hash_file,
    make_folder,
    share_file,
    sync_file,
    sync_folder,
)
from .home import EntityIds, PublishRequest, RepresentationFiles
from .lock import Lock, acquire, refuse_if_held
from .plan import Plan
from .repair import repair, version_folders
from .version_record import RECORD, UNFINISHED, VersionRecord

if TYPE_CHECKING:
    from .shelf import Shelf

_MIME = {".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg"}


class StagedPublication:
    """One publish. Implements :class:`.home.Publication`."""

    enters = True

    def __init__(self, shelf: Shelf, request: PublishRequest, *, break_lock: bool) -> None:
        """Nothing is touched before :meth:`open` runs."""
        self.shelf = shelf
        self.request = request
        self._break_lock = break_lock
        self._lock: Lock | None = None
        self._plan: Plan | None = None
        self._number = 1
        self._folder: Path | None = None
        self._version_id = request.version_id
        self._made_folders: list[Path] = []
        self._claimed = False
        self._record: VersionRecord | None = None
        self._recorded = False
        self._last: Version | None = None
        self._unchanged: Version | None = None

    # What is known once open.

    @property
    def unchanged(self) -> Version | None:
        """The last version, when it has the request's content and ``force`` is off."""
        return self._unchanged

    @property
    def last(self) -> Version | None:
        """The last version."""
        return self._last

    @property
    def version_name(self) -> str:
        """Name of the version to come, "v003"."""
        return version_name(self._number)

    @property
    def number(self) -> int:
        """Number of the version to come."""
        return self._number

    @property
    def ids(self) -> EntityIds:
        """Ids of the entities."""
        known = self._planned
        return EntityIds(
            project=known.project.name,
            folder=known.folder.id,
            product=known.product.id,
            version=self._version_id,
            task=known.task.id if known.task else None,
        )

    @property
    def folder(self) -> Path:
        """Folder that the version will be."""
        assert self._folder is not None, "open() has to run first"
        return self._folder

    @property
    def staging(self) -> Path:
        """Folder that the files of the version are gathered in."""
        return self.folder.with_name(f".{self.version_name}.staging-{self._version_id[:8]}")

    @property
    def record(self) -> VersionRecord:
        """All entities of the version, once it is sealed."""
        assert self._record is not None, "seal() has to run first"
        return self._record

    @property
    def root_name(self) -> str:
        """Name of the root file."""
        return self.file_name(self.request.extension)

    def file_name(self, extension: str, output: str | None = None) -> str:
        """Name of a file of the version, by the anatomy.

        Args:
            extension: without a dot.
            output: the anatomy's ``{output}``, to tell files of one version apart.
        """
        values = self._values() | {"ext": extension, "output": output}
        return self.shelf.anatomy.fill_file(values)

    def refuse_early(self) -> None:
        """Refuse before the long work what :meth:`open` would refuse after it.

        Changes nothing; only :meth:`open` keeps others out.

        Raises:
            StagewrightError: ``library-locked`` when another publish of the product is alive;
                what the home refuses.
        """
        self.shelf.refuse_early()
        if not self._break_lock:
            refuse_if_held(self._lock_path, self._subject)

    def main_files(self, version: Version) -> dict[str, Path]:
        """Main files of the last version's representations, or of the one just made, by name.

        Those that are on this machine.
        """
        if self._recorded and version.id == self._version_id:
            root = self.shelf.root
            made = {
                e.name: Path(rooted(e, root).attrib["path"]) for e in self.record.representations
            }
        else:
            known = self.shelf.representations(version)
            made = {each.name: self.shelf.main_file(each) for each in known}
        return {name: path for name, path in made.items() if path.is_file()}

    def complete(self, *, content_hash: str, data: Mapping[str, Any]) -> None:
        """Complete the request by what is known only after the long work.

        Args:
            content_hash: as in the request.
            data: as in the request; added to what that has.
        """
        merged = {**self.request.data, **data}
        self.request = replace(self.request, content_hash=content_hash, data=merged)

    # The three jobs, in their order.

    def open(self) -> Job[None]:
        """Lock the product, repair what a dead publish left, plan the version.

        It may be closed, and opened again.

        Raises:
            StagewrightError: ``library-locked``, ``library-busy``,
                ``name-differs-in-case``, ``product-type-differs``, ...
        """
        self._lock = yield from acquire(self._lock_path, self._subject, break_lock=self._break_lock)
        self._plan = yield from self.shelf.plan(self.request)
        parent = self._version_folder().parent
        yield from repair(self.shelf, self._plan.product, parent)
        self._last = self.shelf.last_version(self._plan.product)
        if max(version_folders(parent), default=0) > (self._last.version if self._last else 0):
            # What was looked up before is no longer all that there is.
            self._plan = yield from self.shelf.plan(self.request, fresh=True)
        self._take_number()
        last = self._last
        if last is not None and not self.request.force and self._is_content_of(last):
            self._unchanged = last

    def stage(self, files: Mapping[str, Path], shared: Collection[str] = ()) -> Job[None]:
        """Claim the version and copy files into the staging folder.

        Args:
            files: source of every file, by its name in the version, relative with
                forward slashes.
            shared: names of those that stay as they are; where the last version has the
                same file, and the drive can, both versions share it.

        Raises:
            StagewrightError: ``missing-file``, ``unwritable``, ``disk-full``, ...
        """
        _check_relative(files)
        yield from make_folder(self.folder.parent, self._made_folders)
        yield Progress("library.claim", message=f"Claiming {self.version_name}")
        with file_errors(self.folder):
            self.folder.mkdir()  # fails when it exists: nobody else can have claimed it
        self._claimed = True
        yield Progress("library.staging", message=f"Claiming {self.version_name}")
        with file_errors(self.staging):
            self.staging.mkdir()
        for source in files.values():
            if not source.is_file():
                raise StagewrightError(
                    "missing-file",
                    f'The file "{source}" to publish does not exist.',
                    "Put it back, then publish again.",
                )
        total = max(1, sum(source.stat().st_size for source in files.values()))
        known = self._files_of_last() if shared else {}
        done = 0
        for name, source in files.items():
            target = self.staging / name
            yield from make_folder(target.parent, [])
            if name in shared:
                done = yield from share_file(source, target, known, done, total)
            else:
                done = yield from copy_file(source, target, done, total)

    def commit(
        self,
        representations: Sequence[RepresentationFiles],
        *,
        thumbnail: str | None = None,
        reviewable: str | None = None,
    ) -> Job[Version]:
        """Make the version out of what is staged.

        Args:
            representations: which staged files are what.
            thumbnail: name of a staged PNG or JPEG picture.
            reviewable: name of a staged picture or film to look at on the server.

        Returns:
            The published version.

        Raises:
            StagewrightError: ``library-lock-lost`` when somebody broke the lock
                meanwhile; ``version-taken`` when the number belongs to another by now:
                :meth:`renumber`, then commit again; ``missing-file``, ``disk-full``, ...
        """
        record = yield from self.seal(representations, thumbnail, reviewable)
        yield from self.move()
        yield from self.enter()
        yield Progress("library.unlock", 1.0, f"Published {self.version_name}")
        return record.version

    def renumber(
        self, representations: Sequence[RepresentationFiles]
    ) -> Job[list[RepresentationFiles]]:
        """Stage the version anew under the next free number, after its own was taken.

        What the caller has written into files about the version has to be written anew.

        Args:
            representations: those that were to be committed.

        Returns:
            The same, with the names that their files have now.
        """
        refused = self.folder
        self._plan = yield from self.shelf.plan(self.request, fresh=True)
        self._take_number()
        yield Progress("library.claim", message=f"Claiming {self.version_name}")
        with file_errors(self.folder):
            self.folder.mkdir()
        yield Progress("library.rename", message=f"Making {self.version_name}")
        with file_errors(refused):
            os.rename(refused, self.staging)
        yield Progress("library.remove", message=f"Describing {self.version_name}")
        (self.staging / self.shelf.record_name).unlink(missing_ok=True)
        self._record = None
        renamed: dict[str, str] = {}
        for each in representations:
            name = self.file_name(PurePosixPath(each.main).suffix[1:], each.output)
            yield Progress("library.rename", message=f"Making {name}")
            with file_errors(self.staging / each.main):
                os.rename(self.staging / each.main, self.staging / name)
            renamed[each.main] = name
        return [
            replace(
                each,
                main=renamed[each.main],
                files=[renamed.get(name, name) for name in each.files],
            )
            for each in representations
        ]

    # The parts of commit.

    def seal(
        self,
        representations: Sequence[RepresentationFiles],
        thumbnail: str | None = None,
        reviewable: str | None = None,
    ) -> Job[VersionRecord]:
        """Hash what is staged, write its record, and have all of it on the drive."""
        self._check_lock()
        infos: dict[str, FileInfo] = {}
        names = files_below(self.staging)
        total = max(1, sum((self.staging / name).stat().st_size for name in names))
        done = 0
        for name in names:
            path = self.staging / name
            size, digest = yield from hash_file(path, done, total)
            done += size
            rootless = f"{self._rootless_folder}/{name}"
            infos[name] = FileInfo(name=path.name, path=rootless, size=size, hash=digest)
            yield Progress("library.sync", done / total, f"Writing {path.name}")
            sync_file(path)
        self._record = self._entities(representations, thumbnail, reviewable, infos)
        yield Progress("library.record", message=f"Describing {self.version_name}")
        record = self.staging / self.shelf.record_name
        self._record.write(record)
        yield Progress("library.sync", message=f"Writing {record.name}")
        sync_file(record)
        folders = [each for each in self.staging.rglob("*") if each.is_dir()]
        for folder in (*sorted(folders, reverse=True), self.staging):
            yield Progress("library.sync", message=f"Writing {folder.name}")
            sync_folder(folder)
        return self._record

    def move(self) -> Job[None]:
        """Rename the staging folder over the claimed one."""
        self._check_lock()
        if sys.platform == "win32":  # where no folder is renamed over another
            yield Progress("library.rename", message=f"Making {self.version_name}")
            with file_errors(self.folder):
                self.folder.rmdir()
        yield Progress("library.rename", message=f"Making {self.version_name}")
        with file_errors(self.folder):
            os.rename(self.staging, self.folder)
        for folder in (self.folder, *reversed(self._made_folders)):
            yield Progress("library.sync", message=f"Writing {folder.parent.name}")
            sync_folder(folder.parent)

    def enter(self) -> Job[None]:
        """Enter the version into its home."""
        self._check_lock()
        yield from self.shelf.enter(self.record, self.folder)
        self._recorded = True

    def finish(self) -> Job[None]:
        """Do what comes after the version was entered with others (:mod:`.together`)."""
        self._recorded = True
        yield from self.shelf.finish(self.record, self.folder)

    def close(self) -> None:
        """Unlock the product, taking back what was not committed.

        Versions published before are never touched.
        """
        if self._lock is None:
            return
        try:
            # What cannot be taken back now, the next publish of the product repairs; the
            # error that ended this one matters more.
            with suppress(OSError, StagewrightError):
                if self._lock.is_held() and not self._is_recorded():
                    self._take_back()
        finally:
            self._lock.release()
            self._lock = None

    def _is_content_of(self, version: Version) -> bool:
        """Whether a version has the request's content, and its files are there."""
        if version.data.get("contentHash") != self.request.content_hash:
            return False
        made = self.shelf.representations(version)
        paths = (below(self.shelf.root, file.path) for each in made for file in each.files)
        return all(path.is_file() for path in paths)

    def _files_of_last(self) -> dict[str, Path]:
        """Files of the last version, by their sha256."""
        made = self.shelf.representations(self._last) if self._last else []
        files = (file for each in made for file in each.files if file.hash_type == "sha256")
        return {file.hash: below(self.shelf.root, file.path) for file in files}

    def _is_recorded(self) -> bool:
        """Whether the home has the version; an error at its end leaves that open."""
        if self._recorded or self._record is None:
            return self._recorded
        return self.shelf.has(self._record.version)

    def _take_back(self) -> None:
        if self._claimed:
            if self._record is not None and not self.staging.exists() and self.folder.exists():
                # Hidden at once, so that a kill while removing leaves no torn version.
                os.rename(self.folder, self.staging)
            if self.staging.exists():
                shutil.rmtree(self.staging)
            if self.folder.exists():
                self.folder.rmdir()
        for folder in reversed(self._made_folders):
            with suppress(OSError):  # not empty: somebody else works there by now
                folder.rmdir()
        if self._plan is not None:
            for _ in self.shelf.withdraw(self._plan):
                pass

    def _check_lock(self) -> None:
        if self._lock is None or not self._lock.is_held():
            raise StagewrightError(
                "library-lock-lost",
                f'Somebody broke the lock of "{self.request.product_name}" during the publish.',
                "Publish again.",
            )

    @property
    def _planned(self) -> Plan:
        assert self._plan is not None, "open() has to run first"
        return self._plan

    @property
    def _subject(self) -> str:
        return f'the product "{self.request.product_name}" of "{self.request.folder_path}"'

    @cached_property
    def _lock_path(self) -> Path:
        # By name, not by folder: AYON knows a product by folder path and name, in any case.
        key = "/".join(
            (self.request.project_name, self.request.folder_path, self.request.product_name)
        )
        name = uuid5(NAMESPACE_URL, key.casefold()).hex
        return self.shelf.root / ".stagewright" / "locks" / name

    def _version_folder(self) -> Path:
        return Path(self.shelf.anatomy.fill_directory(self._values()))

    @property
    def _rootless_folder(self) -> str:
        return self.shelf.anatomy.fill_directory(self._values() | {"root": self._rootless})

    @property
    def _rootless(self) -> dict[str, str]:
        name = self.shelf.anatomy.root_name
        return {name: f"{{root[{name}]}}"}

    def _take_number(self) -> None:
        """Choose the next free number."""
        self._last = self.shelf.last_version(self._planned.product)
        taken = version_folders(self._version_folder().parent)
        least = max(self._last.version if self._last else 0, *taken, 0) + 1
        self._number = max(least, self.request.version)
        self._folder = self._version_folder()

    def _values(self) -> dict[str, Any]:
        """Values for the anatomy's templates."""
        known, request = self._planned, self.request
        task = known.task
        return {
            "root": {self.shelf.anatomy.root_name: self.shelf.root.as_posix()},
            "project": {"name": known.project.name, "code": known.project.code},
            "hierarchy": known.folder.path.strip("/").rpartition("/")[0],
            "folder": {
                "name": known.folder.name,
                "type": known.folder.folder_type,
                "path": known.folder.path,
            },
            "task": {"name": task.name, "type": task.task_type} if task else None,
            "product": {"name": known.product.name, "type": known.product.product_type},
            "version": self._number,
            "username": request.author,
            "user": {"name": request.author},
        }

    def _entities(
        self,
        representations: Sequence[RepresentationFiles],
        thumbnail: str | None,
        reviewable: str | None,
        infos: Mapping[str, FileInfo],
    ) -> VersionRecord:
        request, known = self.request, self._planned
        picture = self._thumbnail(thumbnail, infos) if thumbnail else None
        version = Version(
            project_name=request.project_name,
            id=self._version_id,
            version=self._number,
            product_id=known.product.id,
            task_id=known.task.id if known.task else None,
            thumbnail_id=picture.id if picture else None,
            author=request.author,
            attrib={
                "families": [request.product_type],
                "comment": request.comment,
                **request.attrib,
            },
            data={"contentHash": request.content_hash, **request.data},
        )
        made = tuple(self._representation(each, infos) for each in representations)
        seen = _staged(infos, reviewable) if reviewable else None
        return VersionRecord(version, made, picture, seen)

    def _representation(
        self, staged: RepresentationFiles, infos: Mapping[str, FileInfo]
    ) -> Representation:
        anatomy = self.shelf.anatomy
        values = (
            self._values()
            | {
                "root": self._rootless,  # the home fills it in, wherever it lies then
                "representation": staged.name,
                "ext": PurePosixPath(staged.main).suffix[1:],
                "output": staged.output,
            }
        )
        filled = anatomy.fill_path(values)
        if filled.text != f"{self._rootless_folder}/{staged.main}":
            raise ValueError(f"{staged.main} is not the anatomy's name for {staged.name}")
        # As AYON's integrator: the values the template used, and these in any case.
        asked = ("project", "hierarchy", "folder", "task", "product", "version")
        context = {key: values[key] for key in (*asked, "representation", "username", "user")}
        if staged.output is not None:
            context["output"] = staged.output
        names = sorted({staged.main, *staged.files}, key=lambda name: (name != staged.main, name))
        return Representation(
            project_name=self.request.project_name,
            id=staged.id,
            name=staged.name,
            version_id=self._version_id,
            files=tuple(_staged(infos, name) for name in names),
            attrib={"path": filled.text, "template": anatomy.path},
            data={"context": filled.used | context},
        )

    def _thumbnail(self, name: str, infos: Mapping[str, FileInfo]) -> Thumbnail:
        mime = _MIME.get(PurePosixPath(name).suffix.lower())
        if mime is None:
            raise ValueError(f"{name} is neither a PNG nor a JPEG picture")
        return Thumbnail(
            project_name=self.request.project_name, mime=mime, file=_staged(infos, name)
        )


def _staged(infos: Mapping[str, FileInfo], name: str) -> FileInfo:
    try:
        return infos[name]
    except KeyError:
        raise StagewrightError(
            "missing-file",
            f'The file "{name}" is not among the files to publish.',
            "Export the asset again, then publish it.",
        ) from None


def _check_relative(names: Mapping[str, Path]) -> None:
    """Refuse names that would land outside the staging folder or on each other."""
    for name in names:
        parts = name.split("/")
        if (
            "\\" in name
            or ":" in name
            or not all(parts)
            or {".", "..", RECORD, UNFINISHED} & set(parts)
        ):
            raise ValueError(f"{name!r} is not a relative file name")
    if len({name.casefold() for name in names}) != len(names):
        raise ValueError("two files differ in case alone")
