# SPDX-License-Identifier: GPL-3.0-or-later
"""An AYON server as the home of one publication.

One query tells all that a publish has to know; one batch enters the version,
with folder, task and product where they are missing, all of it or nothing.
Ids of what is made are derived from its path, so that a publish that is run
again makes the same entities. What may fail without harm comes after the
batch: reviewable, comment, links. Until all is done, the record in the
version's folder bears the name :data:`UNFINISHED`, and the next publish of the
product goes on from there.
"""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..jobs.errors import StagewrightError
from ..jobs.events import Job, Message, Progress
from .anatomy import below, configured
from .connection import TRANSIENT, server_errors, status_error
from .entities import (
    FileInfo,
    Folder,
    Product,
    Project,
    Task,
    Version,
    derived_id,
    from_ayon,
    new_id,
    rooted,
    to_ayon,
)
from .files import file_errors
from .home import PublishRequest, not_found
from .names import folder_names
from .plan import Plan, check_product_type
from .version_record import RECORD, UNFINISHED, VersionRecord

if TYPE_CHECKING:
    from .server import Server

_QUERY = """query Publish(
    $project: String!, $paths: [String!], $tasks: [String!], $products: [String!]
) {
  me { name isAdmin isManager isService }
  project(name: $project) {
    name code config
    folders(paths: $paths) { edges { node {
      id name path folderType parentId
      tasks(names: $tasks) { edges { node { id name taskType folderId } } }
      products(names: $products) { edges { node {
        id name productType productBaseType folderId
        versions(latestOnly: true) { edges { node {
          id version productId author taskId thumbnailId createdAt allAttrib data
        } } }
      } } }
    } } }
  }
}"""
_LINK = "reference|version|version"
_REFUSED = {"no-right", "not-found", "refused", "too-large", "old-server"}

_Node = Mapping[str, Any]


class ServerShelf:
    """A server as a :class:`.shelf.Shelf`. Made by :meth:`.server.Server.publication`."""

    record_name = UNFINISHED

    def __init__(
        self, server: Server, request: PublishRequest, answer: _Node | None = None
    ) -> None:
        """Asks the server what there is, unless :func:`ask` has done so."""
        self._server = server
        self._request = request
        self._answer = answer
        self._is_fresh = False  # the answer is younger than the last refusal
        config = json.loads(self._ask()["project"]["config"] or "{}")
        self.anatomy = configured(config, "publish")
        self.root = self._find_root(config)
        self.author: str = self._ask()["me"]["name"]

    def refuse_early(self) -> None:
        """Refuse what :meth:`plan` would."""
        self._plan()

    def plan(self, request: PublishRequest, *, fresh: bool = False) -> Job[Plan]:
        """Find what the request's version belongs to; what is missing is made with the version.

        Raises:
            StagewrightError: ``not-found`` for folders and tasks that this user may not
                make; ``product-type-differs``.
        """
        yield Progress("server.plan", message="Asking the AYON server")
        if fresh and not self._is_fresh:
            self._answer = None
        self._is_fresh = False
        return self._plan()

    def withdraw(self, plan: Plan) -> Job[None]:
        """Nothing is made before the version is."""
        yield from ()

    def last_version(self, product: Product) -> Version | None:
        """The newest version of a product."""
        found = [node for each in self._products() for node in _nodes(each["versions"])]
        if not found:
            return None
        node = found[0]
        values = {**node, "projectName": product.project_name, "author": node["author"] or ""}
        values |= {
            "attrib": json.loads(node["allAttrib"]),
            "data": json.loads(node["data"] or "{}"),
        }
        return from_ayon(Version, values)

    def files_of(self, version: Version) -> list[FileInfo]:
        """Every file of a version."""
        found = self._server.get_representations(version.project_name, version_ids=[version.id])
        return [file for each in found for file in each.files]

    def has(self, version: Version) -> bool:
        """Whether the server has the version."""
        return bool(self._server.get_versions(version.project_name, version_ids=[version.id]))

    def unfinished(self, product: Product, folders: Mapping[int, Path]) -> list[Path]:
        """The version folders that are empty or hold an unfinished record."""
        return [
            each
            for each in folders.values()
            if each.is_dir() and ((each / UNFINISHED).exists() or not any(each.iterdir()))
        ]

    def enter(self, record: VersionRecord, folder: Path, *, again: bool = False) -> Job[None]:
        """Enter a version in one batch, then what may come after it."""
        if not (again and self.has(record.version)):
            yield from self._enter_batch(record)
        yield from self.finish(record, folder, again=again)

    def finish(self, record: VersionRecord, folder: Path, *, again: bool = False) -> Job[None]:
        """Send what may come after the batch."""
        self._answer = None
        done = yield from self._enter_extras(record, again)
        if done:
            yield Progress("server.finish", message=f"Finishing {record.version.name}")
            with file_errors(folder):
                os.replace(folder / UNFINISHED, folder / RECORD)

    # The query and what it tells.

    def _ask(self) -> _Node:
        if self._answer is None:
            self._answer = ask(self._server, [self._request])
        return self._answer

    def _find_root(self, config: _Node) -> Path:
        name, system = self.anatomy.root_name, platform.system().lower()
        project = self._request.project_name
        if self._server.site:
            folder = self._server.roots(project).get(name)
        else:
            folder = ((config.get("roots") or {}).get(name) or {}).get(system)
        if not folder or not Path(folder).is_dir():
            raise StagewrightError(
                "no-root",
                f'The root "{name}" of the project "{project}", "{folder or ""}", is not on this '
                "machine.",
                "Mount that drive, or set this machine's own root in AYON.",
            )
        return Path(folder)

    def _folders(self) -> dict[str, _Node]:
        return {each["path"]: each for each in _nodes(self._ask()["project"]["folders"])}

    def _products(self) -> list[_Node]:
        folder = self._folders().get(self._request.folder_path)
        return _called(self._request.product_name, folder["products"]) if folder else []

    def _plan(self) -> Plan:
        request = self._request
        node = self._ask()["project"]
        project = Project(name=node["name"], code=node["code"])
        known = self._folders()
        made: list[Folder | Task | Product] = []
        folder: Folder | None = None
        path = ""
        for name in folder_names(request.folder_path):
            path += f"/{name}"
            if path in known:
                folder = from_ayon(Folder, {**known[path], "projectName": project.name})
                continue
            folder = Folder(
                project_name=project.name,
                id=self._id("folder", path),
                name=name,
                path=path,
                folder_type=request.folder_type if path == request.folder_path else "Folder",
                parent_id=folder.id if folder else None,
            )
            made.append(folder)
        assert folder is not None
        task = self._task(folder, made)
        self._check_right(made)
        product = self._product(folder, made)
        return Plan(project, folder, product, task, tuple(made))

    def _task(self, folder: Folder, made: list[Folder | Task | Product]) -> Task | None:
        request = self._request
        if request.task_name is None:
            return None
        node = self._folders().get(folder.path)
        for found in _called(request.task_name, node["tasks"]) if node else []:
            return from_ayon(Task, {**found, "projectName": folder.project_name})
        task = Task(
            project_name=folder.project_name,
            id=self._id("task", f"{folder.path}/{request.task_name}"),
            name=request.task_name,
            folder_id=folder.id,
            task_type=request.task_type,
        )
        made.append(task)
        return task

    def _product(self, folder: Folder, made: list[Folder | Task | Product]) -> Product:
        request = self._request
        for found in self._products():
            base = found.get("productBaseType") or found["productType"]
            values = {**found, "projectName": folder.project_name, "productBaseType": base}
            product = from_ayon(Product, values)
            check_product_type(product, folder, request)
            return product
        product = Product(
            project_name=folder.project_name,
            id=self._id("product", f"{folder.path}/{request.product_name}"),
            name=request.product_name,
            folder_id=folder.id,
            product_type=request.product_type,
            product_base_type=request.product_type,
        )
        made.append(product)
        return product

    def _check_right(self, made: list[Folder | Task | Product]) -> None:
        """Refuse before the long work what the batch would refuse after it."""
        me = self._ask()["me"]
        if made and not (me["isAdmin"] or me["isManager"] or me["isService"]):
            first = made[0]
            kind = "folder" if isinstance(first, Folder) else "task"
            name = first.path if isinstance(first, Folder) else first.name
            raise StagewrightError(
                "not-found",
                f'There is no {kind} "{name}" on the AYON server, and "{me["name"]}" may not '
                "make it.",
                "Check its spelling, or have it made by whoever manages the project.",
            )

    def _id(self, kind: str, path: str) -> str:
        return derived_id(self._request.project_name, kind, path)

    # The batch.

    def _enter_batch(self, record: VersionRecord) -> Job[None]:
        version = record.version
        operations = yield from self.operations(record)
        yield Progress("server.batch", message=f"Entering {version.name}")
        try:
            refused = self.send(record, operations)
        except StagewrightError as error:
            # The answer may be lost, and the work done.
            if error.code in TRANSIENT and self.has(version):
                return
            raise
        if refused is None or (refused.get("status") == 409 and self.has(version)):
            return  # the latter: the client has sent it twice
        raise self.refusal(record, refused)

    def operations(self, record: VersionRecord) -> Job[list[dict[str, Any]]]:
        """The operations of a batch that enter the version; its picture is sent before."""
        version = record.version
        thumbnail: str | None = None
        if record.thumbnail is not None:
            picture = record.thumbnail.file.path
            yield Progress("server.thumbnail", message="Sending the picture")
            thumbnail = self._call(
                "the picture",
                lambda connection: connection.create_thumbnail(
                    version.project_name, str(below(self.root, picture))
                ),
            )
        version = replace(version, thumbnail_id=thumbnail)
        representations = (rooted(each, self.root) for each in record.representations)
        return [_operation(each) for each in (*self._plan().made, version, *representations)]

    def send(self, record: VersionRecord, operations: list[dict[str, Any]]) -> _Node | None:
        """Send a batch; returns what the server says of the operation that it refuses."""
        version = record.version
        results = self._call(
            f"the version {version.name}",
            lambda connection: _batch(connection, version.project_name, operations),
        )
        refused = [each for each in results if not each["success"]]
        told = (each for each in refused if each.get("detail"))
        return next(told, refused[0] if refused else None)

    def refusal(self, record: VersionRecord, refused: _Node) -> StagewrightError:
        """The error of a version whose operation was refused."""
        version, product = record.version, self._request.product_name
        status, detail = int(refused.get("status") or 500), str(refused.get("detail") or "")
        error = status_error(self._server.url, f"the version {version.name}", status, detail)
        if error.code != "name-taken" or self._is_blocked():
            return error
        return StagewrightError(
            "version-taken",
            f'Somebody else has published {version.name} of "{product}" meanwhile.',
            "Publish again.",
        )

    def _is_blocked(self) -> bool:
        """Whether something bears the id, or the name, of what is to be made, and is not it."""
        missing = len(self._plan().made)
        self._answer = None
        if not missing:
            return False
        self._is_fresh = True
        return len(self._plan().made) == missing

    # What comes after the batch.

    def _enter_extras(self, record: VersionRecord, again: bool) -> Job[bool]:
        """Send what belongs to the version, too; returns whether it is done with."""
        version = record.version
        project = version.project_name
        jobs: list[tuple[str, str, Callable[[Any], Any]]] = []
        if record.reviewable is not None and not (again and self._is_reviewable(version)):
            path = str(below(self.root, record.reviewable.path))
            jobs.append(
                (
                    "server.reviewable",
                    "the reviewable",
                    lambda connection: connection.upload_reviewable(project, version.id, path),
                )
            )
        if comment := version.attrib.get("comment"):
            key = self._id("comment", version.id)
            jobs.append(
                (
                    "server.comment",
                    "the comment",
                    lambda connection: connection.create_activity(
                        project, version.id, "version", "comment", body=comment, activity_id=key
                    ),
                )
            )
        for each in version.data.get("inputVersionIds") or ():
            body = {
                "id": self._id("link", each + version.id),
                "input": each,
                "output": version.id,
                "linkType": _LINK,
            }
            jobs.append(
                (
                    "server.link",
                    "a link to what the version is made of",
                    partial(_post, path=f"projects/{project}/links", body=body),
                )
            )
        for step, what, call in jobs:
            yield Progress(step, message=f"Sending {what}")
            try:
                self._call(what, call)
            except StagewrightError as error:
                if error.code == "name-taken":
                    continue  # sent before
                yield Message(f"{version.name} is published without {what}: {error}", "warning")
                if error.code not in _REFUSED:
                    return False
        return True

    def _is_reviewable(self, version: Version) -> bool:
        query = """query Reviewable($project: String!, $ids: [String!]) {
          project(name: $project) { versions(ids: $ids) { edges { node { hasReviewables } } } }
        }"""
        variables = {"project": version.project_name, "ids": [version.id]}
        found = self._server.query(f"the version {version.name}", query, variables)
        return any(each["hasReviewables"] for each in _nodes(found["project"]["versions"]))

    def _call(self, what: str, call: Callable[[Any], Any]) -> Any:
        with server_errors(self._server.url, what):
            return call(self._server.connection)


def ask(server: Server, requests: Sequence[PublishRequest]) -> _Node:
    """What there is of what the requests, all of one project, are about; one query.

    Raises:
        StagewrightError: ``not-found`` for the project.
    """
    project = requests[0].project_name
    paths: set[str] = set()
    for each in requests:
        names = folder_names(each.folder_path)
        paths |= {"/" + "/".join(names[:end]) for end in range(1, len(names) + 1)}
    variables = {
        "project": project,
        "paths": sorted(paths),
        "tasks": sorted({each.task_name for each in requests if each.task_name}),
        "products": sorted({each.product_name for each in requests}),
    }
    answer: _Node = server.query(f'the project "{project}"', _QUERY, variables)
    if answer["project"] is None:
        raise not_found("project", project)
    return answer


def _called(name: str, connection: _Node) -> list[_Node]:
    """The nodes of this name; a query for several publishes answers those of others, too."""
    nodes = _nodes(connection)
    return [each for each in nodes if each["name"].casefold() == name.casefold()]


_SENT = {
    Folder: ("name", "folderType", "parentId"),
    Task: ("name", "taskType", "folderId"),
    Product: ("name", "productType", "productBaseType", "folderId"),
    # Without its author, who is the user of the key: naming one is an admin's right.
    Version: ("version", "productId", "taskId", "thumbnailId", "attrib", "data"),
}


def _post(connection: Any, path: str, body: Mapping[str, Any]) -> None:
    connection.post(path, **body).raise_for_status()


def _batch(connection: Any, project: str, operations: list[dict[str, Any]]) -> list[Any]:
    """Results of a batch; ``send_batch_operations`` would lose the status of a refusal."""
    answer = connection.post(f"projects/{project}/operations", operations=operations, canFail=False)
    answer.raise_for_status()
    results: list[Any] = answer.data["operations"]
    return results


def _operation(entity: Any) -> dict[str, Any]:
    """The operation of a batch that makes an entity."""
    wire = to_ayon(entity)
    sent = _SENT.get(type(entity), ("name", "versionId", "files", "attrib", "data"))
    data = {name: wire[name] for name in sent}
    for file in data.get("files", ()):
        file["hash_type"] = file.pop("hashType")
    return {
        "id": new_id(),
        "type": "create",
        "entityType": type(entity).__name__.lower(),
        "entityId": entity.id,
        "data": data,
    }


def _nodes(connection: _Node) -> list[_Node]:
    return [each["node"] for each in connection["edges"]]
