# SPDX-License-Identifier: GPL-3.0-or-later
"""The GraphQL queries that ayon-python-api sends: parsed and answered.

One shape: ``project(name)`` with lists of nodes in pages (``edges``,
``pageInfo``), filtered by arguments. Grammar: https://spec.graphql.org.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .entities import KINDS, PLURALS, Kind, folder_path, shown
from .project import find_project
from .store import SERVER, Document, RefusalError, Store
from .users import User

_TOKEN = re.compile(r"""\s*(?:,\s*)*(\$?\w+|-?\d+|"(?:[^"\\]|\\.)*"|[{}()\[\]:!=])""")
PAGE = 300


@dataclass(frozen=True)
class Field:
    """A field that a query asks for, with its arguments and the fields below it."""

    name: str
    arguments: Mapping[str, Any]
    fields: tuple[Field, ...] = field(default=())

    def child(self, name: str) -> Field | None:
        """The field of this name below."""
        return next((each for each in self.fields if each.name == name), None)


class _Parser:
    """A recursive-descent parser of one query."""

    def __init__(self, query: str, variables: Mapping[str, Any]) -> None:
        self.tokens = _TOKEN.findall(query)
        self.position = 0
        self.variables = variables

    def next(self) -> str:
        if self.position >= len(self.tokens):
            raise RefusalError(400, "Syntax Error: Unexpected <EOF>.")
        self.position += 1
        return str(self.tokens[self.position - 1])

    def peek(self) -> str:
        return self.tokens[self.position] if self.position < len(self.tokens) else ""

    def query(self) -> tuple[Field, ...]:
        while self.peek() != "{":
            if self.next() == "(":
                while self.next() != ")":
                    pass
        return self.selection()

    def selection(self) -> tuple[Field, ...]:
        found: list[Field] = []
        self.next()
        while self.peek() != "}":
            name = self.next()
            arguments = self.arguments() if self.peek() == "(" else {}
            fields = self.selection() if self.peek() == "{" else ()
            found.append(Field(name, arguments, fields))
        self.next()
        return tuple(found)

    def arguments(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        self.next()
        while self.peek() != ")":
            name = self.next()
            self.next()  # the colon
            found[name] = self.value()
        self.next()
        return found

    def value(self) -> Any:
        token = self.next()
        if token == "[":
            values = []
            while self.peek() != "]":
                values.append(self.value())
            self.next()
            return values
        if token.startswith("$"):
            return self.variables.get(token[1:])
        return json.loads(token)


def answer(store: Store, user: User, query: str, variables: Mapping[str, Any]) -> Document:
    """Answer of ``POST /graphql``."""
    try:
        fields = _Parser(query, variables).query()
        return {"data": {each.name: _root(store, user, each) for each in fields}}
    except RefusalError as error:
        message = {"message": error.detail, "extensions": {"status": error.status}}
        return {"data": None, "errors": [message]}


def _root(store: Store, user: User, asked: Field) -> Any:
    if asked.name == "project":
        project = find_project(store, str(asked.arguments.get("name")))
        return {each.name: _of_project(store, project, each) for each in asked.fields}
    if asked.name == "me":
        return {each.name: _me(user, each) for each in asked.fields}
    if asked.name == "projects":
        name = asked.arguments.get("name")
        found = [p for p in store.all(SERVER, "project") if name in (None, p["name"])]
        return _page(asked, found, lambda node, part: _plain(node, part))
    if asked.name in ("users", "events"):
        names = asked.arguments.get("names")
        found = store.all(SERVER, asked.name[:-1])
        kept = [each for each in found if names is None or each["name"] in names]
        return _page(asked, kept, lambda node, part: _plain(node, part))
    raise RefusalError(400, f"Cannot query field '{asked.name}' on type 'Query'.")


def _me(user: User, asked: Field) -> Any:
    if asked.name == "name":
        return user.name
    return bool(user.data.get(asked.name))


def _of_project(store: Store, project: Document, asked: Field) -> Any:
    kind = next((each for each in KINDS.values() if each.plural == asked.name), None)
    if kind is not None:
        found = _filtered(store, project, kind, asked.arguments)
        return _page(asked, found, lambda node, part: _node(store, project, kind, node, part))
    if asked.name == "activities":
        kept = store.all(project["name"], "activity")
        for argument, key in (("entityIds", "entityId"), ("activityTypes", "activityType")):
            wanted = asked.arguments.get(argument)
            kept = [each for each in kept if wanted is None or each[key] in wanted]
        return _page(asked, kept, _plain)
    return _plain(project, asked)


def _filtered(
    store: Store, project: Document, kind: Kind, arguments: Mapping[str, Any]
) -> list[Document]:
    """The entities that meet the arguments which are filters."""
    fields = {"ids": "id", "names": "name", "versions": "version", "paths": "path"}
    fields |= {f"{each}s": each for each in (*kind.parents, *kind.types)}
    fields |= {"productTypes": "productType"}
    found = store.all(project["name"], kind.name)
    for name, values in arguments.items():
        if values is None or name not in fields:
            continue
        of = fields[name]
        if of == "path" and kind.name == "folder":
            found = [each for each in found if folder_path(store, project, each) in values]
        elif of == "parentId":
            wanted = [None if value == "root" else value for value in values]
            found = [each for each in found if each[of] in wanted]
        else:
            found = [each for each in found if each[of] in values]
    if arguments.get("heroOnly"):
        found = [each for each in found if each["version"] < 0]
    if arguments.get("latestOnly"):
        newest: dict[str, Document] = {}
        for each in found:
            last = newest.setdefault(each["productId"], each)
            if each["version"] > last["version"]:
                newest[each["productId"]] = each
        found = [each for each in newest.values() if each["version"] >= 0]
    return found


def _page(asked: Field, nodes: list[Document], value: Callable[[Document, Field], Any]) -> Document:
    """A page of nodes: ``first``, ``last``, ``after``; a cursor is a position."""
    first = int(asked.arguments.get("first") or PAGE)
    start = int(asked.arguments.get("after") or 0)
    if asked.arguments.get("last"):
        start, first = 0, int(asked.arguments["last"])
        nodes = nodes[::-1]
    shown_nodes = nodes[start : start + first]
    end = start + len(shown_nodes)
    edges = asked.child("edges")
    result: Document = {}
    if edges is not None:
        node = edges.child("node")
        result["edges"] = [
            {
                "node": {part.name: value(each, part) for part in node.fields},
                "cursor": str(start + index + 1),
            }
            if node is not None
            else {part.name: value(each, part) for part in edges.fields}
            for index, each in enumerate(shown_nodes)
        ]
    result["pageInfo"] = {
        "endCursor": str(end),
        "hasNextPage": end < len(nodes),
        "startCursor": str(start),
        "hasPreviousPage": start > 0,
    }
    return result


def _node(store: Store, project: Document, kind: Kind, entity: Document, asked: Field) -> Any:
    """One field of an entity: a value, or an entity it belongs to."""
    if asked.name == "links":
        return _page(asked, links_of(store, project, kind, entity["id"], asked.arguments), _plain)
    below = PLURALS.get(asked.name)
    if below is not None and f"{kind.name}Id" in below.parents:
        own = {**asked.arguments, f"{kind.name}Ids": [entity["id"]]}
        children = _filtered(store, project, below, own)
        return _page(asked, children, lambda node, part: _node(store, project, below, node, part))
    if asked.name == "hasReviewables":
        made = store.all(project["name"], "activity")
        types = {each["activityType"] for each in made if each["entityId"] == entity["id"]}
        return "reviewable" in types
    if asked.name == "hasProducts":
        products = store.all(project["name"], "product")
        return any(each["folderId"] == entity["id"] for each in products)
    if asked.name == "hasChildren":
        folders = store.all(project["name"], "folder")
        return any(each["parentId"] == entity["id"] for each in folders)
    if asked.fields and f"{asked.name}Id" in entity:
        parent = KINDS[asked.name]
        found = store.get(project["name"], parent.name, entity[f"{asked.name}Id"] or "")
        if found is None:
            return None
        return {each.name: _node(store, project, parent, found, each) for each in asked.fields}
    return _plain(shown(store, project, kind, entity), asked)


def links_of(
    store: Store, project: Document, kind: Kind, key: str, arguments: Mapping[str, Any]
) -> list[Document]:
    """Links from ("in") and to ("out") an entity, as GraphQL shows them."""
    found: list[Document] = []
    for link in store.all(project["name"], "link"):
        for direction, near, far in (("out", "input", "output"), ("in", "output", "input")):
            if link[near] != key or arguments.get("direction") not in (None, direction):
                continue
            if link["linkType"] not in (arguments.get("linkTypes") or [link["linkType"]]):
                continue
            extra = {
                "entityId": link[far],
                "entityType": link[f"{far}Type"],
                "direction": direction,
                "projectName": project["name"],
                "description": "",
            }
            found.append({**link, **extra})
    return found


def _plain(node: Document, asked: Field) -> Any:
    """A field's value; attributes and data are JSON strings, as AYON sends them."""
    if asked.name == "allAttrib":
        return json.dumps(node.get("attrib", {}))
    value = node.get(asked.name)
    if asked.fields:
        if isinstance(value, list):
            return [{part.name: each.get(part.name) for part in asked.fields} for each in value]
        if isinstance(value, dict):
            return {part.name: value.get(part.name) for part in asked.fields}
        return value
    if asked.name in ("data", "context", "config", "activityData", "traits"):
        return None if value is None else json.dumps(value)
    return value
