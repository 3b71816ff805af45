# SPDX-License-Identifier: GPL-3.0-or-later
"""Where publishes go: the interface that the local library and an AYON server share.

Methods and arguments carry the names of ayon-python-api where it has them.
Entities come back as the dataclasses of :mod:`.entities`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from ..jobs.errors import StagewrightError
from ..jobs.events import Job
from .anatomy import Anatomy
from .entities import (
    Comment,
    Folder,
    Link,
    Product,
    Project,
    Representation,
    Task,
    Version,
    Workfile,
    new_id,
)
from .names import (
    check_name,
    check_project_code,
    check_project_name,
    check_type_name,
    folder_names,
)


@dataclass(frozen=True, kw_only=True)
class PublishRequest:
    """What to publish and where.

    Names are checked as AYON checks them when the request is made, before
    anything is touched. Project, folders, task and product that do not exist
    yet are made.

    Attributes:
        project_name: project to publish to.
        project_code: code of the project, should it be made; empty for one that is
            derived from the name and free.
        folder_path: the folder, from the project down ("/assets/chair").
        folder_type: type of the folder, should it be made.
        product_name: product to add a version to ("usdMain").
        product_type: its type, a folder name in the publish layout ("usd").
        author: user name that the version carries.
        content_hash: tells whether anything changed since the last version.
        extension: of the root file, without a dot.
        task_name: task the work was done in, if any.
        task_type: type of the task, should it be made.
        comment: what a person says about this version.
        attrib: values of AYON's attributes on the version (fps, frameStart, ...).
        data: other JSON data on the version.
        force: publish even when nothing changed.
        version: least number that the version is to have; it gets the next free one.
        version_id: id of the version.

    Raises:
        StagewrightError: ``bad-name``.
    """

    project_name: str
    project_code: str
    folder_path: str
    product_name: str
    author: str
    content_hash: str
    product_type: str = "usd"
    folder_type: str = "Asset"
    extension: str = "usda"
    task_name: str | None = None
    task_type: str = "Generic"
    comment: str = ""
    attrib: Mapping[str, Any] = field(default_factory=dict)
    data: Mapping[str, Any] = field(default_factory=dict)
    force: bool = False
    version: int = 1
    version_id: str = field(default_factory=new_id)

    def __post_init__(self) -> None:
        """Refuse names that AYON refuses."""
        check_project_name(self.project_name)
        if self.project_code:
            check_project_code(self.project_code)
        folder_names(self.folder_path)
        check_type_name("folder type", self.folder_type)
        check_name("product", self.product_name)
        check_name("product type", self.product_type)
        if self.task_name is not None:
            check_name("task", self.task_name)
            check_type_name("task type", self.task_type)


@dataclass(frozen=True, kw_only=True)
class RepresentationFiles:
    """One representation of a version and its staged files.

    Attributes:
        name: name of the representation ("usd").
        main: the file that the representation opens; its name is one that
            :meth:`Publication.file_name` gave.
        files: every file that belongs to it, ``main`` included, relative to the
            staging folder with forward slashes.
        output: the ``{output}`` that ``main`` was named with.
        id: id of the representation.
    """

    name: str
    main: str
    files: Sequence[str]
    output: str | None = None
    id: str = field(default_factory=new_id)

    def __post_init__(self) -> None:
        """Refuse a name that AYON refuses."""
        check_name("representation", self.name)


@dataclass(frozen=True)
class EntityIds:
    """Ids of what a publication publishes; a project's id is its name."""

    project: str
    folder: str
    product: str
    version: str
    task: str | None = None


@dataclass(frozen=True)
class ThumbnailContent:
    """A picture: its bytes and their MIME type."""

    id: str
    content_type: str
    content: bytes


class Publication(Protocol):
    """One publish, from the lock to the version.

    ``open``, ``stage``, ``commit`` run in this order; between ``stage`` and
    ``commit`` the caller may change and add files in ``staging``. ``close`` ends
    it in any case: what was not committed is taken back.
    """

    @property
    def unchanged(self) -> Version | None:
        """The last version, when it has the request's content and ``force`` is off."""

    @property
    def last(self) -> Version | None:
        """The last version; known once open."""

    @property
    def number(self) -> int:
        """Number of the version to come; known once open."""

    @property
    def version_name(self) -> str:
        """Name of the version to come, "v003"; known once open."""

    @property
    def ids(self) -> EntityIds:
        """Ids of the entities; known once open."""

    @property
    def staging(self) -> Path:
        """Folder that the files of the version are gathered in; known once open."""

    @property
    def folder(self) -> Path:
        """Folder that the version will be; known once open."""

    @property
    def root_name(self) -> str:
        """Name of the root file, by the anatomy; known once open."""

    def file_name(self, extension: str, output: str | None = None) -> str:
        """Name of a file of the version, by the anatomy; known once open."""

    def open(self) -> Job[None]:
        """Lock the product, repair what a dead publish left, plan the version."""

    def stage(self, files: Mapping[str, Path]) -> Job[None]:
        """Claim the version and copy files (relative name: source) into ``staging``."""

    def commit(
        self,
        representations: Sequence[RepresentationFiles],
        *,
        thumbnail: str | None = None,
        reviewable: str | None = None,
    ) -> Job[Version]:
        """Make the version out of what is staged; the pictures name staged files."""

    def renumber(
        self, representations: Sequence[RepresentationFiles]
    ) -> Job[list[RepresentationFiles]]:
        """Stage the version anew under the next number, after ``version-taken``."""

    def close(self) -> None:
        """Unlock the product, taking back what was not committed."""


class Home(Protocol):
    """Projects with their folders, products and versions."""

    def publication(self, request: PublishRequest, *, break_lock: bool = False) -> Publication:
        """A publication of the request, not begun yet."""

    def get_projects(self) -> list[Project]:
        """All projects."""

    def get_project(self, project_name: str) -> Project | None:
        """The project of this name."""

    def create_project(self, project_name: str, project_code: str) -> Project:
        """Make a project."""

    def get_folders(
        self,
        project_name: str,
        folder_ids: Iterable[str] | None = None,
        folder_paths: Iterable[str] | None = None,
        parent_ids: Iterable[str] | None = None,
    ) -> list[Folder]:
        """Folders that meet every filter given."""

    def get_folder_by_path(self, project_name: str, folder_path: str) -> Folder | None:
        """The folder of this path."""

    def create_folder(
        self,
        project_name: str,
        name: str,
        folder_type: str = "Folder",
        parent_id: str | None = None,
    ) -> Folder:
        """Make a folder."""

    def get_tasks(
        self,
        project_name: str,
        task_ids: Iterable[str] | None = None,
        task_names: Iterable[str] | None = None,
        folder_ids: Iterable[str] | None = None,
    ) -> list[Task]:
        """Tasks that meet every filter given."""

    def create_task(self, project_name: str, name: str, task_type: str, folder_id: str) -> Task:
        """Make a task."""

    def get_products(
        self,
        project_name: str,
        product_ids: Iterable[str] | None = None,
        product_names: Iterable[str] | None = None,
        folder_ids: Iterable[str] | None = None,
    ) -> list[Product]:
        """Products that meet every filter given."""

    def get_product_by_name(
        self, project_name: str, product_name: str, folder_id: str
    ) -> Product | None:
        """The product of this name in a folder."""

    def get_versions(
        self,
        project_name: str,
        version_ids: Iterable[str] | None = None,
        product_ids: Iterable[str] | None = None,
        versions: Iterable[int] | None = None,
    ) -> list[Version]:
        """Versions that meet every filter given, oldest first."""

    def get_version_by_name(
        self, project_name: str, version: int, product_id: str
    ) -> Version | None:
        """The version of this number."""

    def get_last_version_by_product_id(self, project_name: str, product_id: str) -> Version | None:
        """The newest version of a product."""

    def get_last_versions(
        self, project_name: str, product_ids: Iterable[str] | None = None
    ) -> dict[str, Version]:
        """The newest version of each product that has one, by the product's id."""

    def get_representations(
        self,
        project_name: str,
        representation_ids: Iterable[str] | None = None,
        representation_names: Iterable[str] | None = None,
        version_ids: Iterable[str] | None = None,
    ) -> list[Representation]:
        """Representations that meet every filter given."""

    def get_thumbnail(
        self, project_name: str, entity_type: str, entity_id: str
    ) -> ThumbnailContent | None:
        """The picture of a version (``entity_type`` "version")."""

    def get_versions_links(
        self, project_name: str, version_ids: Iterable[str] | None = None
    ) -> list[Link]:
        """Links between versions, from or to those of the ids if any are given."""

    def get_comments(
        self, project_name: str, version_ids: Iterable[str] | None = None
    ) -> list[Comment]:
        """Comments on versions, oldest first."""

    def get_workfiles_info(
        self,
        project_name: str,
        workfile_ids: Iterable[str] | None = None,
        task_ids: Iterable[str] | None = None,
        paths: Iterable[str] | None = None,
    ) -> list[Workfile]:
        """Workfiles that meet every filter given, by their paths."""

    def create_workfile_entity(
        self,
        project_name: str,
        path: str,
        task_id: str,
        attrib: Mapping[str, Any],
        data: Mapping[str, Any],
        author: str,
    ) -> Workfile:
        """Enter a workfile, which is there at the rootless ``path``.

        A server takes the key's user for its author, whoever is named.
        """

    def work_anatomy(self, project_name: str) -> Anatomy:
        """The templates of the project's workfiles."""

    def roots(self, project_name: str) -> Mapping[str, str]:
        """Folders of this machine that a project's roots are, by their names."""

    def main_file(self, representation: Representation) -> Path:
        """Where the file that a representation opens lies on this machine."""


def not_found(kind: str, name: str) -> StagewrightError:
    """The error for an entity that does not exist."""
    return StagewrightError(
        "not-found", f'There is no {kind} "{name}".', "Check its spelling, or make it first."
    )
