# SPDX-License-Identifier: GPL-3.0-or-later
"""AYON's entities as frozen dataclasses.

Attributes are AYON's fields in snake_case; :func:`to_ayon` and
:func:`from_ayon` are the one place that knows AYON's camelCase. Ids are made by
the client (:func:`new_id`) before anything is written, so that every retry can
tell what is already there.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar, cast

from .anatomy import below

E = TypeVar("E")


def new_id() -> str:
    """A new entity id: 32 hexadecimal digits, as AYON's."""
    return uuid.uuid4().hex


def derived_id(project_name: str, kind: str, path: str) -> str:
    """The id of what every publish from there makes alike, wherever it is made.

    Args:
        project_name: its project.
        kind: what it is ("folder").
        path: where it is, from the project down, beginning with a slash.
    """
    key = f"stagewright:{project_name}/{kind}{path}"
    return uuid.uuid5(uuid.NAMESPACE_URL, key.casefold()).hex


def now() -> str:
    """The time of this moment, UTC, ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def version_name(version: int) -> str:
    """The name AYON gives a version: 3 is "v003"."""
    return f"v{version:03d}"


@dataclass(frozen=True, kw_only=True)
class Entity:
    """What all entities have.

    Attributes:
        project_name: the project it belongs to.
        attrib: values of the attributes that AYON knows (fps, comment, ...).
        data: anything else, as plain JSON data.
        created_at: UTC, ISO 8601.
    """

    project_name: str
    attrib: Mapping[str, Any] = field(default_factory=dict)
    data: Mapping[str, Any] = field(default_factory=dict)
    created_at: str = field(default_factory=now)


@dataclass(frozen=True, kw_only=True)
class Project:
    """A project; ``code`` is the short form that file names carry."""

    name: str
    code: str
    attrib: Mapping[str, Any] = field(default_factory=dict)
    data: Mapping[str, Any] = field(default_factory=dict)
    created_at: str = field(default_factory=now)


@dataclass(frozen=True, kw_only=True)
class Folder(Entity):
    """A folder (asset, shot, ...); ``path`` is ``"/assets/chair"``."""

    id: str = field(default_factory=new_id)
    name: str
    path: str
    folder_type: str = "Folder"
    parent_id: str | None = None


@dataclass(frozen=True, kw_only=True)
class Task(Entity):
    """A task of a folder (modeling, lookdev, ...)."""

    id: str = field(default_factory=new_id)
    name: str
    folder_id: str
    task_type: str = "Generic"


@dataclass(frozen=True, kw_only=True)
class Product(Entity):
    """What is published again and again from a folder ("usdMain")."""

    id: str = field(default_factory=new_id)
    name: str
    folder_id: str
    product_type: str
    product_base_type: str


@dataclass(frozen=True, kw_only=True)
class Version(Entity):
    """One publish of a product; ``version`` counts from 1."""

    id: str = field(default_factory=new_id)
    version: int
    product_id: str
    author: str
    task_id: str | None = None
    thumbnail_id: str | None = None

    @property
    def name(self) -> str:
        """The name AYON gives the version, "v003"."""
        return version_name(self.version)


@dataclass(frozen=True, kw_only=True)
class FileInfo:
    """A published file.

    Attributes:
        id: 32 hexadecimal digits.
        name: file name.
        path: rootless, ``"{root[work]}/show/.../chair.usda"``.
        size: in bytes.
        hash: hexadecimal digest of the content.
        hash_type: algorithm of ``hash``.
    """

    id: str = field(default_factory=new_id)
    name: str
    path: str
    size: int
    hash: str
    hash_type: str = "sha256"


@dataclass(frozen=True, kw_only=True)
class Representation(Entity):
    """One form of a version ("usd"), with every file that belongs to it."""

    id: str = field(default_factory=new_id)
    name: str
    version_id: str
    files: tuple[FileInfo, ...]


@dataclass(frozen=True, kw_only=True)
class Thumbnail:
    """The picture of a version."""

    id: str = field(default_factory=new_id)
    project_name: str
    mime: str
    file: FileInfo
    created_at: str = field(default_factory=now)


@dataclass(frozen=True, kw_only=True)
class Workfile(Entity):
    """A file that somebody works in.

    Attributes:
        id: 32 hexadecimal digits.
        path: rootless, ``"{root[work]}/show/.../chair_modeling_v001.blend"``.
        task_id: the task that is worked on.
        created_by: name of the user who made it.
        attrib: ``extension``, and ``description``: what its author said of it.
        data: ``version``, its number; ``host_name``.
    """

    id: str = field(default_factory=new_id)
    path: str
    task_id: str
    created_by: str = ""


@dataclass(frozen=True)
class Link:
    """One version was made with another.

    Attributes:
        input: id of the version that was used.
        output: id of the version that was made.
    """

    input: str
    output: str


@dataclass(frozen=True, kw_only=True)
class Comment:
    """What somebody said of a version."""

    version_id: str
    author: str
    body: str
    created_at: str


def rooted(representation: Representation, root: Path) -> Representation:
    """A representation with ``attrib.path`` and ``data.context.root`` as on this machine.

    Args:
        representation: with rootless paths.
        root: the folder that they are below.
    """
    path = representation.attrib["path"]
    context = representation.data["context"]
    # Representations of early libraries tell no root; theirs is "work".
    roots = dict.fromkeys(context.get("root") or ("work",), root.as_posix())
    return replace(
        representation,
        attrib={**representation.attrib, "path": below(root, path).as_posix()},
        data={**representation.data, "context": {**context, "root": roots}},
    )


def to_ayon(entity: object) -> dict[str, Any]:
    """The entity as plain JSON data under AYON's field names.

    Args:
        entity: an instance of one of the dataclasses of this module.
    """
    assert is_dataclass(entity)
    return {wire_name(each.name): _plain(getattr(entity, each.name)) for each in fields(entity)}


def from_ayon(kind: type[E], data: Mapping[str, Any]) -> E:
    """The entity that ``data`` describes; fields unknown here are left out.

    Args:
        kind: one of the dataclasses of this module.
        data: fields under AYON's names.

    Raises:
        TypeError: a field without a default is missing.
    """
    assert is_dataclass(kind)
    known = {
        each.name: _entity_value(each.name, data[wire_name(each.name)])
        for each in fields(kind)
        if wire_name(each.name) in data
    }
    return kind(**known)


def wire_name(name: str) -> str:
    """AYON's name of an attribute: ``folder_type`` is ``folderType``."""
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def _plain(value: object) -> object:
    if isinstance(value, FileInfo):
        return to_ayon(value)
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    return value


def _entity_value(name: str, value: object) -> object:
    if name == "file":
        return from_ayon(FileInfo, cast(Mapping[str, Any], value))
    if name == "files":
        return tuple(from_ayon(FileInfo, each) for each in cast(list[Mapping[str, Any]], value))
    return value
