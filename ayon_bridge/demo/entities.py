# SPDX-License-Identifier: GPL-3.0-or-later
"""Entities of the demo server's projects: made, changed and deleted by AYON's rules."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..entities import new_id, now, version_name
from ..names import NAME
from .project import invalid
from .store import Document, RefusalError, Store
from .users import User


@dataclass(frozen=True)
class Kind:
    """What the server knows about an entity type.

    Attributes:
        name: AYON's ``entityType``.
        required: fields without which there is no entity.
        optional: further fields, with their defaults.
        unique: fields that together are unique in a project; names in any case.
        parents: kind of the entity that a field refers to.
        types: list of the project that a field's value comes from.
        artist: what a plain artist may do.
    """

    name: str
    required: tuple[str, ...]
    optional: Mapping[str, Any]
    unique: tuple[str, ...]
    parents: Mapping[str, str]
    types: Mapping[str, str]
    artist: tuple[str, ...] = ("create", "update")

    @property
    def plural(self) -> str:
        """The kind in addresses ("folders")."""
        return f"{self.name}s"


_STATUS = {"status": "statuses"}
_COMMON: Mapping[str, Any] = {"label": None, "thumbnailId": None}

KINDS: Mapping[str, Kind] = {
    each.name: each
    for each in (
        Kind(
            "folder",
            ("name",),
            {"folderType": "Folder", "parentId": None, **_COMMON},
            ("parentId", "name"),
            {"parentId": "folder"},
            {"folderType": "folderTypes", **_STATUS},
            artist=(),
        ),
        Kind(
            "task",
            ("name", "taskType", "folderId"),
            {"assignees": [], **_COMMON},
            ("folderId", "name"),
            {"folderId": "folder"},
            {"taskType": "taskTypes", **_STATUS},
            artist=("update",),
        ),
        Kind(
            "product",
            ("name", "productType", "folderId"),
            {"productBaseType": None},
            ("folderId", "name"),
            {"folderId": "folder"},
            _STATUS,
        ),
        Kind(
            "version",
            ("version", "productId"),
            {"taskId": None, "author": None, "thumbnailId": None},
            ("version", "productId"),
            {"productId": "product", "taskId": "task"},
            _STATUS,
        ),
        Kind(
            "representation",
            ("name", "versionId"),
            {"files": [], "traits": None},
            ("versionId", "name"),
            {"versionId": "version"},
            _STATUS,
        ),
        Kind(
            "workfile",
            ("path", "taskId"),
            {"thumbnailId": None},
            ("path",),
            {"taskId": "task"},
            _STATUS,
        ),
    )
}
PLURALS = {kind.plural: kind for kind in KINDS.values()}
_FILE_FIELDS = ("id", "name", "path", "size", "hash", "hashType")


def check_right(kind: Kind, action: str, user: User) -> None:
    """Refuse what the user's role may not do."""
    if not user.is_manager and action not in kind.artist:
        raise RefusalError(403, f"You are not allowed to {action} {kind.plural}")


def create(store: Store, project: Document, kind: Kind, body: Document, user: User) -> str:
    """Make an entity; returns its id."""
    check_right(kind, "create", user)
    for field in kind.required:
        if body.get(field) is None:
            raise invalid(field, "field required")
    entity: Document = {"id": body.get("id") or new_id()}
    entity |= {field: body[field] for field in kind.required}
    entity |= {field: body.get(field, default) for field, default in kind.optional.items()}
    entity |= {
        "attrib": {k: v for k, v in (body.get("attrib") or {}).items() if v is not None},
        "data": body.get("data") or {},
        "tags": body.get("tags") or [],
        "active": body.get("active", True),
        "status": body.get("status") or project["statuses"][0]["name"],
        "createdAt": now(),
        "updatedAt": now(),
        "createdBy": user.name,
        "updatedBy": user.name,
    }
    if kind.name == "version" and not entity["author"]:
        entity["author"] = user.name
    if kind.name == "version" and entity["author"] != user.name and not user.is_admin:
        raise RefusalError(403, "Only admins can create versions for other users")
    _check(store, project, kind, entity)
    if store.get(project["name"], kind.name, entity["id"]) is not None:
        raise _taken(kind, "id", entity["id"])
    _claim(store, project, kind, entity)
    store.insert(project["name"], kind.name, entity["id"], entity)
    return str(entity["id"])


def update(
    store: Store, project: Document, kind: Kind, key: str, body: Document, user: User
) -> None:
    """Change an entity: ``data`` merges, an attribute set to None goes."""
    check_right(kind, "update", user)
    entity = find(store, project, kind, key)
    known = {*kind.required, *kind.optional, "tags", "active", "status"}
    entity |= {field: value for field, value in body.items() if field in known}
    attrib = {**entity["attrib"], **(body.get("attrib") or {})}
    entity["attrib"] = {name: value for name, value in attrib.items() if value is not None}
    entity["data"] = {**entity["data"], **(body.get("data") or {})}
    entity |= {"updatedAt": now(), "updatedBy": user.name}
    _check(store, project, kind, entity)
    _claim(store, project, kind, entity)
    store.update(project["name"], kind.name, key, entity)


def delete(store: Store, project: Document, kind: Kind, key: str, user: User) -> None:
    """Remove an entity and all below it."""
    check_right(kind, "delete", user)
    find(store, project, kind, key)
    _remove(store, project["name"], kind, key)


def find(store: Store, project: Document, kind: Kind, key: str) -> Document:
    """An entity's document; refuses with 404."""
    entity = store.get(project["name"], kind.name, key)
    if entity is None:
        raise RefusalError(404, f"{kind.name.capitalize()} not found")
    return entity


def shown(store: Store, project: Document, kind: Kind, entity: Document) -> Document:
    """An entity with what the server works out: a folder's path, a version's name."""
    extra: Document = {"projectName": project["name"], "entityType": kind.name}
    if kind.name == "folder":
        path = folder_path(store, project, entity)
        extra |= {"path": path, "parents": path.strip("/").split("/")[:-1]}
        extra["hasVersions"] = False
    if kind.name == "version":
        number = entity["version"]
        extra["name"] = version_name(number) if number >= 0 else "HERO"
    if kind.name == "representation":
        extra["context"] = entity["data"].get("context")
    if kind.name == "workfile":
        extra["name"] = entity["path"].rpartition("/")[2]
    return {**entity, **extra}


def folder_path(store: Store, project: Document, folder: Document) -> str:
    """The path from the project down: "/assets/chair"."""
    names = [folder["name"]]
    parent_id = folder["parentId"]
    while parent_id is not None:
        parent = store.get(project["name"], "folder", parent_id)
        assert parent is not None
        names.append(parent["name"])
        parent_id = parent["parentId"]
    return "/" + "/".join(reversed(names))


def _check(store: Store, project: Document, kind: Kind, entity: Document) -> None:
    """Refuse values that AYON refuses: bad names, unknown types and parents."""
    if kind.name != "workfile" and "name" in entity and not NAME.fullmatch(entity["name"]):
        raise invalid("name", f"string does not match regex ^{NAME.pattern}$")
    for field, plural in kind.types.items():
        if entity[field] not in {each["name"] for each in project[plural]}:
            table = "statuses" if plural == "statuses" else f"{_column(field)}s"
            raise _absent(field, entity[field], table)
    for field, parent in kind.parents.items():
        value = entity[field]
        if value is not None and store.get(project["name"], parent, value) is None:
            raise _absent(field, value, KINDS[parent].plural)
    if kind.name == "representation":
        for file in entity["files"]:
            for field in ("id", "path"):
                if not file.get(field):
                    raise invalid("files", f"{field}: field required")
        entity["files"] = [_file(each) for each in entity["files"]]


def _file(file: Document) -> Document:
    known = {field: file.get(field) for field in _FILE_FIELDS}
    known["hashType"] = file.get("hash_type") or file.get("hashType") or "md5"
    return known


def _claim(store: Store, project: Document, kind: Kind, entity: Document) -> None:
    values = [entity[field] for field in kind.unique]
    words = [
        value.lower() if field == "name" else value
        for field, value in zip(kind.unique, values, strict=True)
    ]
    field = ", ".join(_column(each) for each in kind.unique)
    if not store.claim(project["name"], kind.name, entity["id"], field, json.dumps(words)):
        raise _taken(kind, field, ", ".join(str(each) for each in values))
    if kind.name == "version" and entity["version"] < 0:
        product = str(entity["productId"])
        if not store.claim(project["name"], kind.name, entity["id"], "hero", product):
            raise _taken(kind, "hero of product_id", product)


def _remove(store: Store, project: str, kind: Kind, key: str) -> None:
    for child in KINDS.values():
        for field, parent in child.parents.items():
            if parent == kind.name:
                for entity in store.all(project, child.name):
                    if entity[field] == key:
                        _remove(store, project, child, entity["id"])
    store.delete(project, kind.name, key)


def _column(field: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in field)


def _taken(kind: Kind, field: str, value: str) -> RefusalError:
    name = kind.name.capitalize()
    return RefusalError(409, f"{name} with {field} '{value}' already exists.", "unique-violation")


def _absent(field: str, value: object, table: str) -> RefusalError:
    detail = f"{_column(field)} '{value}' is not present in table \"{table}\"."
    return RefusalError(409, detail, "foreign-key-violation")
