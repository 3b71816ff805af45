# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests, answers, and which function answers which address."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ..entities import new_id, now
from .project import find_project, invalid
from .store import SERVER, Document, RefusalError, Store
from .users import User


@dataclass(frozen=True)
class Answer:
    """What goes back: JSON data, or content with its type."""

    status: int = 200
    data: Any = None
    content: bytes | None = None
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)


NO_CONTENT = Answer(204)


@dataclass(frozen=True)
class Request:
    """A request that was let in.

    Attributes:
        store: what the server keeps.
        user: who asks; None for nobody known.
        query: the address's query.
        headers: with names in lower case.
        body: as it came.
        in_batch: called between two operations of a batch.
        names: the variable parts of the address.
    """

    store: Store
    user: User | None
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    in_batch: Callable[[], None]
    names: Mapping[str, str] = field(default_factory=dict)

    @property
    def sender(self) -> User:
        """Who asks, where not anybody may."""
        assert self.user is not None
        return self.user

    @property
    def json(self) -> Document:
        """The body's JSON object; refuses with 400."""
        try:
            data = json.loads(self.body or b"{}")
        except ValueError:
            data = None
        if not isinstance(data, dict):
            raise invalid("body", "value is not a valid dict")
        return data

    @property
    def project(self) -> Document:
        """The project of the address; refuses with 404."""
        return find_project(self.store, self.names["project"])


Handler = Callable[[Request], Answer]
_ROUTES: list[tuple[str, re.Pattern[str], Handler, bool]] = []


def route(method: str, pattern: str, *, anybody: bool = False) -> Callable[[Handler], Handler]:
    """Register what answers a method and an address such as "/api/projects/{project}".

    Args:
        method: the HTTP method.
        pattern: the address, its variable parts in braces.
        anybody: answer those, too, who have not proved who they are.
    """
    regex = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", pattern)

    def register(handler: Handler) -> Handler:
        _ROUTES.append((method, re.compile(regex), handler, anybody))
        return handler

    return register


def dispatch(method: str, path: str, request: Request) -> Answer:
    """Answer a request; refuses with 401, 404 and 405."""
    known = False
    for registered, regex, handler, anybody in _ROUTES:
        match = regex.fullmatch(path)
        if match is None:
            continue
        if registered == method:
            if not anybody and request.user is None:
                raise RefusalError(401, "Unauthorized")
            return handler(replace(request, names=match.groupdict()))
        known = True
    raise RefusalError(*((405, "Method Not Allowed") if known else (404, "Not Found")))


def add_event(
    request: Request, topic: str, project: str | None, description: str, **more: Any
) -> str:
    """Record an event; returns its id."""
    event = {
        "id": new_id(),
        "topic": topic,
        "project": project,
        "user": request.sender.name,
        "sender": request.headers.get("x-sender"),
        "description": description,
        "status": "finished",
        "summary": {},
        "payload": {},
        "createdAt": now(),
        "updatedAt": now(),
        "name": topic,
        **more,
    }
    request.store.insert(SERVER, "event", event["id"], event)
    return str(event["id"])
