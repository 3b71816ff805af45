# SPDX-License-Identifier: GPL-3.0-or-later
"""Addresses that find entities by their URIs, and files by these.

``ayon+entity://show/assets/lantern?product=usdMain&version=v002&representation=usd``
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from ..anatomy import fill
from . import entities
from .entities import KINDS, folder_path
from .project import find_project, site_roots
from .routing import Answer, Request, route
from .store import Document, RefusalError

_SCHEMES = ("ayon+entity", "ayon")
_KEYS = ("product", "version", "representation")
_REFERENCE = re.compile(r"\{@(\w+)\}")


@route("POST", "/api/resolve")
def _resolve(request: Request) -> Answer:
    rooted = bool(request.json.get("resolveRoots"))
    if rooted and not request.headers.get("x-ayon-site-id"):
        raise RefusalError(400, "Site id is needed to resolve roots")
    found = []
    for uri in request.json.get("uris", []):
        try:
            found.append({"uri": uri, "entities": _entities(request, uri, rooted), "error": None})
        except ValueError as error:
            if rooted:  # the whole request, as on AYON 1.16
                raise RefusalError(500, str(error)) from error
            found.append({"uri": uri, "entities": [], "error": str(error)})
    return Answer(data=found)


@route("POST", "/api/projects/{project}/uris")
def _uris(request: Request) -> Answer:
    kind = KINDS[request.json["entityType"]]
    made = [{"id": key, "uri": _uri(request, kind.name, key)} for key in request.json["ids"]]
    return Answer(data={"uris": made})


def _entities(request: Request, uri: str, rooted: bool) -> list[Document]:
    parts = urlsplit(uri)
    if parts.scheme not in _SCHEMES:
        raise ValueError(f"Invalid scheme: {parts.scheme}")
    asked = dict(parse_qsl(parts.query, strict_parsing=bool(parts.query)))
    if unknown := set(asked) - set(_KEYS):
        raise ValueError(f"Invalid keys: {sorted(unknown)}")
    project = _project(request, parts.netloc)
    name = project["name"]
    rows: list[Document] = [
        {"folderId": each["id"]}
        for each in request.store.all(name, "folder")
        if folder_path(request.store, project, each) == parts.path
    ]
    parent = "folder"
    for kind in (each for each in _KEYS if each in asked):
        wanted = asked[kind]
        rows = [
            {**row, f"{kind}Id": each["id"]}
            for row in rows
            for each in request.store.all(name, kind)
            if each[f"{parent}Id"] == row[f"{parent}Id"] and _is_called(each, kind, wanted)
        ]
        parent = kind
    for row in rows:
        row |= {"projectName": name, "target": parent}
        if "representationId" in row:
            row["filePath"] = _file(request, project, row["representationId"], rooted)
    return rows


def _project(request: Request, name: str) -> Document:
    try:
        return find_project(request.store, name)
    except RefusalError as error:
        raise ValueError(error.detail) from error


def _is_called(entity: Document, kind: str, wanted: str) -> bool:
    if kind == "version":
        return f"v{entity['version']:03d}" == wanted
    return str(entity["name"]).lower() == wanted.lower()


def _file(request: Request, project: Document, key: str, rooted: bool) -> str | None:
    """The template filled with the context; a reference in it is left as it is."""
    entity = entities.find(request.store, project, KINDS["representation"], key)
    template, context = entity["attrib"].get("template"), entity["data"].get("context")
    if not template or not context:
        return None
    roots: Any = {name: f"{{root[{name}]}}" for name in project["config"]["roots"]}
    if rooted:
        site = request.headers["x-ayon-site-id"]
        platform = request.headers.get("x-ayon-platform", "linux")
        roots = site_roots(request.store, project, platform, site)
    # What `fill` would refuse is carried past it.
    plain = _REFERENCE.sub("\x01\\1\x02", template)
    text = fill(plain, {**context, "root": roots}).text
    return text.replace("\x01", "{@").replace("\x02", "}").replace("//", "/")


def _uri(request: Request, kind: str, key: str) -> str:
    names: dict[str, str] = {}
    while kind != "folder":
        entity = entities.find(request.store, request.project, KINDS[kind], key)
        names[kind] = f"v{entity['version']:03d}" if kind == "version" else str(entity["name"])
        kind = _KEYS[_KEYS.index(kind) - 1] if kind != "product" else "folder"
        key = entity[f"{kind}Id"]
    folder = entities.find(request.store, request.project, KINDS["folder"], key)
    path = folder_path(request.store, request.project, folder)
    query = urlencode({kind: names[kind] for kind in _KEYS if kind in names})
    return f"ayon+entity://{request.project['name']}{path}" + (f"?{query}" if query else "")
