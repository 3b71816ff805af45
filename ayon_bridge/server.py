# SPDX-License-Identifier: GPL-3.0-or-later
"""An AYON server as the home of projects, folders, products and versions."""

from __future__ import annotations

import json
import platform
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import Any, Self, TypeVar

from ayon_api.exceptions import GraphQlQueryFailed

from .anatomy import Anatomy, configured, in_roots
from .connection import Connection, server_errors
from .credentials import Credentials, find
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
    from_ayon,
    wire_name,
)
from .home import PublishRequest, ThumbnailContent, not_found
from .names import check_name, check_project_code, check_project_name, check_type_name
from .publication import StagedPublication
from .server_shelf import ServerShelf, ask
from .together import AT_ONCE

T = TypeVar("T", Folder, Task, Product, Version, Representation, Workfile)


class Server:
    """A connection to an AYON server. Implements :class:`.home.Home`.

    Use it as a context manager, or call :meth:`close`. Every method raises the
    errors of :mod:`.connection`.
    """

    def __init__(self, credentials: Credentials) -> None:
        """Sends nothing; the first request tells whether the key is good."""
        self.url = credentials.url.rstrip("/")
        self.site = credentials.site
        self.connection = Connection(credentials)
        self._roots: dict[str, Mapping[str, str]] = {}

    @classmethod
    def open(cls) -> Self:
        """The server that the environment or the user's file names.

        Raises:
            StagewrightError: ``no-server``, ``bad-server``, ``bad-key``.
        """
        return cls(find())

    def close(self) -> None:
        """Close the connection."""
        self.connection.close_session()

    def __enter__(self) -> Self:
        """The server itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the connection."""
        self.close()

    def publication(
        self, request: PublishRequest, *, break_lock: bool = False
    ) -> StagedPublication:
        """A publication of the request, whose author is the key's user.

        Args:
            request: what to publish.
            break_lock: take over the product's lock without proof that its holder died.

        Raises:
            StagewrightError: ``not-found`` for the project, ``no-root``, and as every method.
        """
        shelf = ServerShelf(self, request)
        request = replace(request, author=shelf.author)
        return StagedPublication(shelf, request, break_lock=break_lock)

    def publications(self, requests: Sequence[PublishRequest]) -> list[StagedPublication]:
        """Publications of requests of one project; a query tells about many of them.

        They are entered by :func:`.together.enter_together`.

        Raises:
            StagewrightError: as :meth:`publication`.
        """
        made: list[StagedPublication] = []
        for start in range(0, len(requests), AT_ONCE):
            chunk = requests[start : start + AT_ONCE]
            answer = ask(self, chunk)
            for each in chunk:
                shelf = ServerShelf(self, each, answer)
                request = replace(each, author=shelf.author)
                made.append(StagedPublication(shelf, request, break_lock=False))
        return made

    def query(self, what: str, query: str, variables: dict[str, Any] | None = None) -> Any:
        """The data of a GraphQL query.

        Args:
            what: what is asked for, for the messages of errors.
            query: the query.
            variables: its variables.
        """
        with server_errors(self.url, what):
            answer = self.connection.query_graphql(query, variables)
            if answer.errors:
                raise GraphQlQueryFailed(answer.errors, query, variables)
            return answer.data["data"]

    def roots(self, project_name: str) -> Mapping[str, str]:
        """Folders of this machine that a project's roots are, by their names; asked for once."""
        if project_name not in self._roots:
            system = platform.system().lower()
            self._roots[project_name] = self._ask(
                f'the roots of the project "{project_name}"',
                lambda: self.connection.get_project_roots_by_platform(project_name, system) or {},
            )
        return self._roots[project_name]

    def main_file(self, representation: Representation) -> Path:
        """Where the file that a representation opens lies on this machine.

        ``attrib.path`` is where it lies for whoever published it.
        """
        path = str(representation.attrib.get("path", ""))
        name = PurePosixPath(path.replace("\\", "/")).name
        listed = (each.path for each in representation.files if each.name == name)
        return in_roots(next(listed, path), self.roots(representation.project_name))

    def user_name(self) -> str:
        """The name of the user whom the key belongs to."""
        name: str = self.query("the user", "query { me { name } }")["me"]["name"]
        return name

    def get_projects(self) -> list[Project]:
        """All projects that the user may see."""
        found = self._ask("the projects", lambda: list(self.connection.get_projects()))
        return sorted((_project(each) for each in found), key=lambda each: each.name)

    def get_project(self, project_name: str) -> Project | None:
        """The project of this name."""
        return next((each for each in self.get_projects() if each.name == project_name), None)

    def create_project(self, project_name: str, project_code: str) -> Project:
        """Make a project; raises StagewrightError ``bad-name`` or ``name-taken``."""
        check_project_name(project_name)
        check_project_code(project_code)
        with server_errors(self.url, f'the project "{project_name}"'):
            anatomy = self.connection.get_project_anatomy_preset()
            body = {"name": project_name, "code": project_code, "anatomy": anatomy}
            self.connection.post("projects", **body).raise_for_status()
        made = self.get_project(project_name)
        assert made is not None
        return made

    def get_folders(
        self,
        project_name: str,
        folder_ids: Iterable[str] | None = None,
        folder_paths: Iterable[str] | None = None,
        parent_ids: Iterable[str] | None = None,
    ) -> list[Folder]:
        """Folders that meet every filter given."""
        found = self._list(
            Folder,
            project_name,
            lambda asked: self.connection.get_folders(
                project_name,
                folder_ids=folder_ids,
                folder_paths=folder_paths,
                parent_ids=parent_ids,
                fields=asked,
            ),
        )
        return sorted(found, key=lambda each: each.path)

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
        """Make a folder."""
        check_name("folder", name)
        check_type_name("folder type", folder_type)
        key = self._ask(
            f'the folder "{name}"',
            lambda: self.connection.create_folder(
                project_name, name, folder_type=folder_type, parent_id=parent_id
            ),
        )
        return self.get_folders(project_name, folder_ids=[key])[0]

    def get_tasks(
        self,
        project_name: str,
        task_ids: Iterable[str] | None = None,
        task_names: Iterable[str] | None = None,
        folder_ids: Iterable[str] | None = None,
    ) -> list[Task]:
        """Tasks that meet every filter given."""
        found = self._list(
            Task,
            project_name,
            lambda asked: self.connection.get_tasks(
                project_name,
                task_ids=task_ids,
                task_names=task_names,
                folder_ids=folder_ids,
                fields=asked,
            ),
        )
        return sorted(found, key=lambda each: each.name)

    def create_task(self, project_name: str, name: str, task_type: str, folder_id: str) -> Task:
        """Make a task."""
        check_name("task", name)
        check_type_name("task type", task_type)
        key = self._ask(
            f'the task "{name}"',
            lambda: self.connection.create_task(project_name, name, task_type, folder_id),
        )
        return self.get_tasks(project_name, task_ids=[key])[0]

    def get_products(
        self,
        project_name: str,
        product_ids: Iterable[str] | None = None,
        product_names: Iterable[str] | None = None,
        folder_ids: Iterable[str] | None = None,
    ) -> list[Product]:
        """Products that meet every filter given."""
        found = self._list(
            Product,
            project_name,
            lambda asked: self.connection.get_products(
                project_name,
                product_ids=product_ids,
                product_names=product_names,
                folder_ids=folder_ids,
                fields=asked,
            ),
        )
        return sorted(found, key=lambda each: each.name)

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
        """Versions that meet every filter given, oldest first, hero versions left out."""
        found = self._list(
            Version,
            project_name,
            lambda asked: self.connection.get_versions(
                project_name,
                version_ids=version_ids,
                product_ids=product_ids,
                versions=versions,
                hero=False,
                standard=True,
                fields=asked,
            ),
        )
        return sorted(found, key=lambda each: each.version)

    def get_version_by_name(
        self, project_name: str, version: int, product_id: str
    ) -> Version | None:
        """The version of this number."""
        return _only(self.get_versions(project_name, None, [product_id], [version]))

    def get_last_version_by_product_id(self, project_name: str, product_id: str) -> Version | None:
        """The newest version of a product."""
        found = self._list(
            Version,
            project_name,
            lambda asked: self.connection.get_last_versions(
                project_name, [product_id], fields=asked
            ).values(),
        )
        return _only(found)

    def get_last_versions(
        self, project_name: str, product_ids: Iterable[str] | None = None
    ) -> dict[str, Version]:
        """The newest version of each product that has one, by the product's id."""
        found = self._list(
            Version,
            project_name,
            lambda asked: self.connection.get_versions(
                project_name, product_ids=product_ids, latest=True, hero=False, fields=asked
            ),
        )
        return {each.product_id: each for each in found}

    def get_representations(
        self,
        project_name: str,
        representation_ids: Iterable[str] | None = None,
        representation_names: Iterable[str] | None = None,
        version_ids: Iterable[str] | None = None,
    ) -> list[Representation]:
        """Representations that meet every filter given."""
        found = self._list(
            Representation,
            project_name,
            lambda asked: self.connection.get_representations(
                project_name,
                representation_ids=representation_ids,
                representation_names=representation_names,
                version_ids=version_ids,
                fields=asked,
            ),
        )
        return sorted(found, key=lambda each: each.name)

    def get_thumbnail(
        self, project_name: str, entity_type: str, entity_id: str
    ) -> ThumbnailContent | None:
        """The picture of a version (``entity_type`` "version")."""
        if entity_type != "version":
            return None
        found = self._ask(
            "the picture",
            lambda: self.connection.get_version_thumbnail(project_name, entity_id),
        )
        if not found.is_valid or not found.content:
            return None
        return ThumbnailContent(str(found.id), str(found.content_type), bytes(found.content))

    def get_versions_links(
        self, project_name: str, version_ids: Iterable[str] | None = None
    ) -> list[Link]:
        """Links between versions, from or to those of the ids if any are given."""
        found = self._ask(
            "the links of versions",
            lambda: self.connection.get_versions_links(project_name, version_ids),
        )
        ends = [
            (key, each["entityId"], each["direction"])
            for key, links in found.items()
            for each in links
            if each["entityType"] == "version"
        ]
        links = {Link(far, near) if way == "in" else Link(near, far) for near, far, way in ends}
        return sorted(links, key=lambda each: (each.output, each.input))

    def get_comments(
        self, project_name: str, version_ids: Iterable[str] | None = None
    ) -> list[Comment]:
        """Comments on versions, oldest first."""
        asked = {"entityId", "author.name", "body", "createdAt"}
        found = self._ask(
            "the comments on versions",
            lambda: list(
                self.connection.get_activities(
                    project_name,
                    activity_types=["comment"],
                    entity_ids=version_ids,
                    entity_type="version",
                    fields=asked,
                )
            ),
        )
        made = [
            Comment(
                version_id=each["entityId"],
                author=(each.get("author") or {}).get("name") or "",
                body=each["body"],
                created_at=each["createdAt"],
            )
            for each in found
        ]
        return sorted(made, key=lambda each: each.created_at)

    def get_workfiles_info(
        self,
        project_name: str,
        workfile_ids: Iterable[str] | None = None,
        task_ids: Iterable[str] | None = None,
        paths: Iterable[str] | None = None,
    ) -> list[Workfile]:
        """Workfiles that meet every filter given, by their paths."""
        found = self._list(
            Workfile,
            project_name,
            lambda asked: self.connection.get_workfiles_info(
                project_name,
                workfile_ids=workfile_ids,
                task_ids=task_ids,
                paths=paths,
                fields=asked,
            ),
        )
        return sorted(found, key=lambda each: each.path)

    def create_workfile_entity(
        self,
        project_name: str,
        path: str,
        task_id: str,
        attrib: Mapping[str, Any],
        data: Mapping[str, Any],
        author: str,
    ) -> Workfile:
        """Enter a workfile, which is there at the rootless ``path``."""
        made = Workfile(project_name=project_name, path=path, task_id=task_id)
        body = {"id": made.id, "path": path, "taskId": task_id}
        with server_errors(self.url, f'the workfile "{path}"'):
            self.connection.post(
                f"projects/{project_name}/workfiles", **body, attrib=attrib, data=data
            ).raise_for_status()
        return self.get_workfiles_info(project_name, workfile_ids=[made.id])[0]

    def work_anatomy(self, project_name: str) -> Anatomy:
        """The templates of the project's workfiles."""
        query = "query Config($project: String!) { project(name: $project) { config } }"
        what = f'the project "{project_name}"'
        found = self.query(what, query, {"project": project_name})["project"]
        if found is None:
            raise not_found("project", project_name)
        return configured(json.loads(found["config"] or "{}"), "work")

    def _ask(self, what: str, ask: Callable[[], Any]) -> Any:
        with server_errors(self.url, what):
            return ask()

    def _list(
        self, kind: type[T], project_name: str, ask: Callable[[set[str]], Iterable[Any]]
    ) -> list[T]:
        """Entities of a project; those that the server has set inactive are left out."""
        found = self._ask(f'the project "{project_name}"', lambda: list(ask(_fields(kind))))
        return [_entity(kind, project_name, each) for each in found if each]


def _fields(kind: type[T]) -> set[str]:
    """What to ask for: ayon-python-api's own choice leaves out what entities here hold."""
    return {wire_name(each.name) for each in fields(kind)} - {"projectName"}


def _project(found: dict[str, Any]) -> Project:
    return from_ayon(Project, {**found, "data": found.get("data") or {}})


def _entity(kind: type[T], project_name: str, found: dict[str, Any]) -> T:
    values = {key: value for key, value in found.items() if value is not None}
    values["projectName"] = project_name
    if kind is Product:
        values.setdefault("productBaseType", values["productType"])
    if kind is Version:
        values.setdefault("author", "")
    return from_ayon(kind, values)


def _only(found: list[T]) -> T | None:
    return found[0] if found else None
