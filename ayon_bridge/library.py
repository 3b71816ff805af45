# SPDX-License-Identifier: GPL-3.0-or-later
"""The library: a folder of published versions with a database of AYON's entities.

Layout::

    <library>/stagewright.db        entities (SQLite)
    <library>/.stagewright/locks/   who is publishing right now
    <library>/<project>/...         versions, where the anatomy puts them

The library's folder is the anatomy's ``{root[work]}``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from ..jobs.errors import StagewrightError
from ..jobs.events import Job
from .anatomy import DEFAULT_ANATOMY, WORK_ANATOMY, Anatomy, below
from .database import E, connect, database_errors, insert, select, transaction
from .entities import (
    Comment,
    FileInfo,
    Folder,
    Link,
    Product,
    Project,
    Representation,
    Task,
    Thumbnail,
    Version,
    Workfile,
    rooted,
)
from .files import file_errors
from .home import PublishRequest, ThumbnailContent, not_found
from .names import check_name, check_project_code, check_project_name, check_type_name
from .publication import StagedPublication
from .shelf import LibraryShelf
from .verify import Problem, verify

T = TypeVar("T")

DATABASE = "stagewright.db"


class Library:
    """An open library. Implements :class:`.home.Home`.

    Use it as a context manager, or call :meth:`close`. One per process and
    thread: SQLite connections do not survive a fork.
    """

    def __init__(self, root: Path, *, anatomy: Anatomy = DEFAULT_ANATOMY) -> None:
        """Open the library in the folder ``root``, which exists."""
        self.root = root
        self.anatomy = anatomy
        self.database = root / DATABASE
        self.connection = connect(self.database)

    @classmethod
    def open(cls, root: Path) -> Self:
        """Open a library; makes it when there is none, and migrates an older one.

        Args:
            root: folder of the library.

        Raises:
            StagewrightError: ``library-newer``, ``library-corrupt``, ``unwritable``, ...
        """
        root = Path(root).absolute()
        with file_errors(root):
            root.mkdir(parents=True, exist_ok=True)
        return cls(root)

    @classmethod
    def open_existing(cls, root: Path) -> Self:
        """Open a library, migrating an older one; makes nothing.

        Args:
            root: folder of the library.

        Raises:
            StagewrightError: ``no-library`` when there is none; as :meth:`open`.
        """
        root = Path(root).absolute()
        if not (root / DATABASE).is_file():
            raise StagewrightError(
                "no-library", f'There is no library in "{root}".', "Check the folder's name."
            )
        return cls(root)

    def close(self) -> None:
        """Close the database."""
        self.connection.close()

    def __enter__(self) -> Self:
        """The library itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the database."""
        self.close()

    def publication(
        self, request: PublishRequest, *, break_lock: bool = False
    ) -> StagedPublication:
        """A publication of the request; touches nothing before its ``open`` runs.

        Args:
            request: what to publish.
            break_lock: take over the product's lock without proof that its holder died.
        """
        return StagedPublication(LibraryShelf(self), request, break_lock=break_lock)

    def verify(self) -> Job[list[Problem]]:
        """Compare the database with the files; returns what does not agree."""
        return (yield from verify(self))

    def path_of(self, file: FileInfo) -> Path:
        """Where a published file lies."""
        return below(self.root, file.path)

    def main_file(self, representation: Representation) -> Path:
        """Where the file that a representation opens lies on this machine."""
        return Path(representation.attrib["path"])

    def transaction(self, statements: Job[T]) -> Job[T]:
        """Run a job that executes statements as one transaction; returns its value."""
        with database_errors(self.database):
            return (yield from transaction(self.connection, statements))

    def select(self, kind: type[E], where: str, *parameters: object) -> list[E]:
        """The entities whose rows meet an SQL condition, with ``?`` for parameters."""
        with database_errors(self.database):
            return select(self.connection, kind, where, parameters)

    def get_projects(self) -> list[Project]:
        """All projects."""
        return self.select(Project, "1 ORDER BY name")

    def get_project(self, project_name: str) -> Project | None:
        """The project of this name."""
        return _only(self.select(Project, "name = ?", project_name))

    def create_project(self, project_name: str, project_code: str) -> Project:
        """Make a project; raises StagewrightError ``bad-name`` or ``name-taken``."""
        check_project_name(project_name)
        check_project_code(project_code)
        taken = self.select(
            Project,
            "name = ? COLLATE NOCASE OR code = ? COLLATE NOCASE",
            project_name,
            project_code,
        )
        if taken:
            raise _taken("project", f"{taken[0].name} ({taken[0].code})")
        return self._insert(Project(name=project_name, code=project_code))

    def get_folders(
        self,
        project_name: str,
        folder_ids: Iterable[str] | None = None,
        folder_paths: Iterable[str] | None = None,
        parent_ids: Iterable[str] | None = None,
    ) -> list[Folder]:
        """Folders that meet every filter given."""
        return self._filter(
            Folder, project_name, "path", id=folder_ids, path=folder_paths, parent_id=parent_ids
        )

    def get_folder_by_path(self, project_name: str, folder_path: str) -> Folder | None:
        """The folder of this path."""
        return _only(self.get_folders(project_name, folder_paths=[folder_path]))

    def create_folder(
        self,
        project_name: str,
        name: str,
        folder_type: str = "Folder",
        parent_id: str | None = None,
    ) -> Folder:
        """Make a folder; raises StagewrightError ``bad-name``, ``not-found`` or ``name-taken``."""
        check_name("folder", name)
        check_type_name("folder type", folder_type)
        if self.get_project(project_name) is None:
            raise not_found("project", project_name)
        parent_path = ""
        if parent_id is not None:
            parent = _only(self.get_folders(project_name, folder_ids=[parent_id]))
            if parent is None:
                raise not_found("folder", parent_id)
            parent_path = parent.path
        path = f"{parent_path}/{name}"
        taken = self.select(
            Folder, "project_name = ? AND path = ? COLLATE NOCASE", project_name, path
        )
        if taken:
            raise _taken("folder", taken[0].path)
        return self._insert(
            Folder(
                project_name=project_name,
                name=name,
                path=path,
                folder_type=folder_type,
                parent_id=parent_id,
            )
        )

    def get_tasks(
        self,
        project_name: str,
        task_ids: Iterable[str] | None = None,
        task_names: Iterable[str] | None = None,
        folder_ids: Iterable[str] | None = None,
    ) -> list[Task]:
        """Tasks that meet every filter given."""
        return self._filter(
            Task, project_name, "name", id=task_ids, name=task_names, folder_id=folder_ids
        )

    def create_task(self, project_name: str, name: str, task_type: str, folder_id: str) -> Task:
        """Make a task; raises StagewrightError ``bad-name``, ``not-found`` or ``name-taken``."""
        check_name("task", name)
        check_type_name("task type", task_type)
        if not self.get_folders(project_name, folder_ids=[folder_id]):
            raise not_found("folder", folder_id)
        taken = self.select(Task, "folder_id = ? AND name = ? COLLATE NOCASE", folder_id, name)
        if taken:
            raise _taken("task", taken[0].name)
        return self._insert(
            Task(project_name=project_name, name=name, task_type=task_type, folder_id=folder_id)
        )

    def get_products(
        self,
        project_name: str,
        product_ids: Iterable[str] | None = None,
        product_names: Iterable[str] | None = None,
        folder_ids: Iterable[str] | None = None,
    ) -> list[Product]:
        """Products that meet every filter given."""
        return self._filter(
            Product,
            project_name,
            "name",
            id=product_ids,
            name=product_names,
            folder_id=folder_ids,
        )

    def get_product_by_name(
        self, project_name: str, product_name: str, folder_id: str
    ) -> Product | None:
        """The product of this name in a folder."""
        return _only(self.get_products(project_name, None, [product_name], [folder_id]))

    def get_versions(
        self,
        project_name: str,
        version_ids: Iterable[str] | None = None,
        product_ids: Iterable[str] | None = None,
        versions: Iterable[int] | None = None,
    ) -> list[Version]:
        """Versions that meet every filter given, oldest first."""
        return self._filter(
            Version,
            project_name,
            "version",
            id=version_ids,
            product_id=product_ids,
            version=versions,
        )

    def get_version_by_name(
        self, project_name: str, version: int, product_id: str
    ) -> Version | None:
        """The version of this number."""
        return _only(self.get_versions(project_name, None, [product_id], [version]))

    def get_last_version_by_product_id(self, project_name: str, product_id: str) -> Version | None:
        """The newest version of a product."""
        return _only(
            self.select(
                Version,
                "project_name = ? AND product_id = ? ORDER BY version DESC LIMIT 1",
                project_name,
                product_id,
            )
        )

    def get_last_versions(
        self, project_name: str, product_ids: Iterable[str] | None = None
    ) -> dict[str, Version]:
        """The newest version of each product that has one, by the product's id."""
        found = self.get_versions(project_name, product_ids=product_ids)
        return {each.product_id: each for each in found}  # oldest first, so the last one stays

    def get_representations(
        self,
        project_name: str,
        representation_ids: Iterable[str] | None = None,
        representation_names: Iterable[str] | None = None,
        version_ids: Iterable[str] | None = None,
    ) -> list[Representation]:
        """Representations that meet every filter given.

        ``attrib.path`` and ``data.context.root`` name the library's folder of today.
        """
        found = self._filter(
            Representation,
            project_name,
            "name",
            id=representation_ids,
            name=representation_names,
            version_id=version_ids,
        )
        return [rooted(each, self.root) for each in found]

    def get_thumbnail(
        self, project_name: str, entity_type: str, entity_id: str
    ) -> ThumbnailContent | None:
        """The picture of a version (``entity_type`` "version")."""
        if entity_type != "version":
            return None
        version = _only(self.get_versions(project_name, version_ids=[entity_id]))
        if version is None or version.thumbnail_id is None:
            return None
        (thumbnail,) = self.select(Thumbnail, "id = ?", version.thumbnail_id)
        path = self.path_of(thumbnail.file)
        with file_errors(path):
            return ThumbnailContent(thumbnail.id, thumbnail.mime, path.read_bytes())

    def get_versions_links(
        self, project_name: str, version_ids: Iterable[str] | None = None
    ) -> list[Link]:
        """Links between versions, as they keep them: ``inputVersionIds`` of the output."""
        wanted = None if version_ids is None else set(version_ids)
        found = self.select(
            Version,
            "project_name = ? AND json_array_length(data, '$.inputVersionIds') > 0 ORDER BY id",
            project_name,
        )
        links = [Link(each, made.id) for made in found for each in made.data["inputVersionIds"]]
        return [each for each in links if wanted is None or {each.input, each.output} & wanted]

    def get_comments(
        self, project_name: str, version_ids: Iterable[str] | None = None
    ) -> list[Comment]:
        """What the authors of versions said of them, oldest first."""
        found = self.get_versions(project_name, version_ids=version_ids)
        return [
            Comment(
                version_id=each.id,
                author=each.author,
                body=each.attrib["comment"],
                created_at=each.created_at,
            )
            for each in sorted(found, key=lambda each: each.created_at)
            if each.attrib.get("comment")
        ]

    def get_workfiles_info(
        self,
        project_name: str,
        workfile_ids: Iterable[str] | None = None,
        task_ids: Iterable[str] | None = None,
        paths: Iterable[str] | None = None,
    ) -> list[Workfile]:
        """Workfiles that meet every filter given, by their paths."""
        return self._filter(
            Workfile, project_name, "path", id=workfile_ids, task_id=task_ids, path=paths
        )

    def create_workfile_entity(
        self,
        project_name: str,
        path: str,
        task_id: str,
        attrib: Mapping[str, Any],
        data: Mapping[str, Any],
        author: str,
    ) -> Workfile:
        """Enter a workfile; raises StagewrightError ``not-found`` or ``name-taken``."""
        if not self.get_tasks(project_name, task_ids=[task_id]):
            raise not_found("task", task_id)
        if self.get_workfiles_info(project_name, paths=[path]):
            raise _taken("workfile", path)
        return self._insert(
            Workfile(
                project_name=project_name,
                path=path,
                task_id=task_id,
                attrib=attrib,
                data=data,
                created_by=author,
            )
        )

    def work_anatomy(self, project_name: str) -> Anatomy:
        """The templates of workfiles; those of a new AYON project."""
        return WORK_ANATOMY

    def roots(self, project_name: str) -> Mapping[str, str]:
        """The library's folder, which all is below."""
        return {self.anatomy.root_name: self.root.as_posix()}

    def _filter(
        self,
        kind: type[E],
        project_name: str,
        order: str,
        **columns: Iterable[str] | Iterable[int] | None,
    ) -> list[E]:
        """Rows of a project whose columns hold one of the values given, in order."""
        where = "project_name = ?"
        parameters: list[object] = [project_name]
        for column, values in columns.items():
            if values is not None:
                wanted = list(values)
                where += f" AND {column} IN ({', '.join('?' * len(wanted))})"
                parameters += wanted
        return self.select(kind, f"{where} ORDER BY {order}", *parameters)

    def _insert(self, entity: E) -> E:
        with database_errors(self.database):
            insert(self.connection, entity)
        return entity


def _only(entities: list[E]) -> E | None:
    return entities[0] if entities else None


def _taken(kind: str, name: str) -> StagewrightError:
    return StagewrightError(
        "name-taken", f'There is already the {kind} "{name}".', "Choose another name."
    )
