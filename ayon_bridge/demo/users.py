# SPDX-License-Identifier: GPL-3.0-or-later
"""Users of the demo server, how they prove themselves, and what each role may do.

As on AYON: a user API key goes as ``X-Api-Key``, a login's token as
``Authorization: Bearer``; a service user counts as admin and may act as another
(``X-as-user``); the header is ignored from anybody else.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .store import SERVER, Document, RefusalError, Store

ROLES: Mapping[str, Document] = {
    "admin": {"isAdmin": True},
    "manager": {"isManager": True},
    "artist": {},
    "service": {"isService": True},
}
_PREVIEW = 4


@dataclass(frozen=True)
class User:
    """Who sent a request."""

    name: str
    data: Mapping[str, Any]

    @property
    def is_admin(self) -> bool:
        """Whether everything is allowed; so for a service user."""
        return bool(self.data.get("isAdmin") or self.data.get("isService"))

    @property
    def is_manager(self) -> bool:
        """Whether projects, folders and link types may be changed."""
        return self.is_admin or bool(self.data.get("isManager"))

    def require_admin(self) -> None:
        """Refuse the request of anybody but an admin."""
        if not self.is_admin:
            raise RefusalError(403, "You are not allowed to do this")

    def require_manager(self) -> None:
        """Refuse the request of an artist."""
        if not self.is_manager:
            raise RefusalError(403, "You are not allowed to do this")


def add_user(store: Store, name: str, role: str) -> str:
    """Make a user with a role of :data:`ROLES`; returns an API key."""
    put_user(store, name, {"data": {**ROLES[role], "apiKeys": []}})
    return add_api_key(store, name, {"label": "demo", "key": secrets.token_hex(16)})


def put_user(store: Store, name: str, body: Document) -> None:
    """Make a user (``PUT users/{name}``)."""
    if store.get(SERVER, "user", name) is not None:
        raise RefusalError(409, f"User with name '{name}' already exists.", "unique-violation")
    data = {**body.get("data", {})}
    if body.get("password"):
        data["password"] = _hash(body["password"])
    user = {"name": name, "attrib": body.get("attrib", {}), "data": data, "active": True}
    store.insert(SERVER, "user", name, user)


def patch_user(store: Store, name: str, body: Document) -> None:
    """Change a user's attributes and data (``PATCH users/{name}``)."""
    user = find_user(store, name)
    for part in ("attrib", "data"):
        user[part] = {**user[part], **body.get(part, {})}
    store.update(SERVER, "user", name, user)


def find_user(store: Store, name: str) -> Document:
    """A user's document; refuses with 404."""
    user = store.get(SERVER, "user", name)
    if user is None:
        raise RefusalError(404, f"User {name} not found")
    return user


def add_api_key(store: Store, name: str, body: Document) -> str:
    """Give a user an API key; returns it.

    AYON 1.16 fails for a user whose ``data`` has no list ``apiKeys`` yet, and so does this.
    """
    user = find_user(store, name)
    if user["data"].get("apiKeys") is None:
        raise RefusalError(500, "'NoneType' object is not iterable")
    key: str = body["key"]
    entry = {
        "id": secrets.token_hex(16),
        "key": _hash(key),
        "label": body.get("label", ""),
        "preview": f"{key[:_PREVIEW]}***{key[-_PREVIEW:]}",
        "expires": body.get("expires"),
    }
    user["data"]["apiKeys"].append(entry)
    store.update(SERVER, "user", name, user)
    return key


def log_in(store: Store, name: str, password: str) -> Document:
    """Answer of ``POST auth/login``: a token and the user."""
    user = store.get(SERVER, "user", name)
    if user is None or user["data"].get("password") != _hash(password):
        raise RefusalError(401, "Invalid login/password combination")
    token = secrets.token_hex(32)
    store.insert(SERVER, "session", token, {"user": name})
    return {"detail": f"Logged in as {name}", "error": None, "token": token, "user": user}


def authenticate(store: Store, headers: Mapping[str, str]) -> User | None:
    """Who sent a request with these headers (names in lower case); None for nobody known."""
    name = _by_key(store, headers.get("x-api-key", "")) or _by_token(
        store, headers.get("authorization", "")
    )
    if name is None:
        return None
    user = find_user(store, name)
    other = headers.get("x-as-user")
    if other and user["data"].get("isService"):
        user = find_user(store, other)
    return User(user["name"], user["data"])


def _by_key(store: Store, key: str) -> str | None:
    if not key:
        return None
    wanted = _hash(key)
    for user in store.all(SERVER, "user"):
        if any(each["key"] == wanted for each in user["data"].get("apiKeys") or []):
            return str(user["name"])
    return None


def _by_token(store: Store, header: str) -> str | None:
    session = store.get(SERVER, "session", header.removeprefix("Bearer ").strip())
    return session["user"] if session else None


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
