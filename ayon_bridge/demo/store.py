# SPDX-License-Identifier: GPL-3.0-or-later
"""What the demo server keeps: JSON documents in SQLite, with unique values.

One transaction per request, so that a request either counts or leaves nothing,
however the server ends.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import RLock
from typing import Any

Document = dict[str, Any]

_SCHEMA = (
    """CREATE TABLE IF NOT EXISTS documents (
        project TEXT NOT NULL, kind TEXT NOT NULL, id TEXT NOT NULL, body TEXT NOT NULL,
        PRIMARY KEY (project, kind, id))""",
    """CREATE TABLE IF NOT EXISTS uniques (
        project TEXT NOT NULL, kind TEXT NOT NULL, field TEXT NOT NULL, value TEXT NOT NULL,
        id TEXT NOT NULL, PRIMARY KEY (project, kind, field, value))""",
    """CREATE TABLE IF NOT EXISTS contents (
        project TEXT NOT NULL, id TEXT NOT NULL, mime TEXT NOT NULL, content BLOB NOT NULL,
        PRIMARY KEY (project, id))""",
)

SERVER = ""
"""The project of what belongs to none: users, projects, events."""


class RefusalError(Exception):
    """A request that the server refuses.

    Args:
        status: the HTTP status.
        detail: what the client is told.
        error: AYON's name of the cause ("unique-violation"), if it has one.
        errors: what is wrong with which field of the body (``loc``, ``msg``).
    """

    def __init__(
        self, status: int, detail: str, error: str = "", errors: list[Document] | None = None
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.error = error
        self.errors = errors or []

    def body(self) -> Document:
        """The response's JSON."""
        body: Document = {"code": self.status, "detail": self.detail}
        if self.error:
            body["error"] = self.error
        if self.errors:
            body["errors"] = self.errors
        return body


class Store:
    """Documents by project, kind and id. Safe to use from many threads."""

    def __init__(self, path: Path | None = None) -> None:
        """Open the database ``path``, made when missing; in memory without one."""
        self._lock = RLock()
        self._connection = sqlite3.connect(
            path or ":memory:", isolation_level=None, check_same_thread=False
        )
        for statement in _SCHEMA:
            self._connection.execute(statement)

    def close(self) -> None:
        """Close the database."""
        with self._lock:
            self._connection.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All the block writes or, when it raises, nothing of it; may be nested."""
        with self._lock:
            self._connection.execute("SAVEPOINT step")
            try:
                yield
            except BaseException:
                self._connection.execute("ROLLBACK TO step")
                self._connection.execute("RELEASE step")
                raise
            self._connection.execute("RELEASE step")

    def get(self, project: str, kind: str, key: str) -> Document | None:
        """One document."""
        with self._lock:
            row = self._connection.execute(
                "SELECT body FROM documents WHERE project = ? AND kind = ? AND id = ?",
                (project, kind, key),
            ).fetchone()
        return json.loads(row[0]) if row else None

    def all(self, project: str, kind: str) -> list[Document]:
        """All documents of a kind, in the order they were made."""
        with self._lock:
            rows = self._connection.execute(
                "SELECT body FROM documents WHERE project = ? AND kind = ? ORDER BY rowid",
                (project, kind),
            ).fetchall()
        return [json.loads(row[0]) for row in rows]

    def insert(self, project: str, kind: str, key: str, body: Document) -> None:
        """Add a document; the caller has looked that the key is free."""
        with self._lock:
            self._connection.execute(
                "INSERT INTO documents VALUES (?, ?, ?, ?)",
                (project, kind, key, json.dumps(body)),
            )

    def update(self, project: str, kind: str, key: str, body: Document) -> None:
        """Replace a document."""
        with self._lock:
            self._connection.execute(
                "UPDATE documents SET body = ? WHERE project = ? AND kind = ? AND id = ?",
                (json.dumps(body), project, kind, key),
            )

    def delete(self, project: str, kind: str, key: str) -> None:
        """Remove a document with its unique values."""
        with self._lock:
            for table in ("documents", "uniques"):
                self._connection.execute(
                    f"DELETE FROM {table} WHERE project = ? AND kind = ? AND id = ?",
                    (project, kind, key),
                )

    def drop_project(self, project: str) -> None:
        """Remove all that belongs to a project."""
        with self._lock:
            for table in ("documents", "uniques", "contents"):
                self._connection.execute(f"DELETE FROM {table} WHERE project = ?", (project,))

    def claim(self, project: str, kind: str, key: str, field: str, value: str) -> bool:
        """Make a value of a field this document's own; False when another has it."""
        with self._lock:
            self._connection.execute(
                "DELETE FROM uniques WHERE project = ? AND kind = ? AND field = ? AND id = ?",
                (project, kind, field, key),
            )
            try:
                self._connection.execute(
                    "INSERT INTO uniques VALUES (?, ?, ?, ?, ?)", (project, kind, field, value, key)
                )
            except sqlite3.IntegrityError:
                return False
        return True

    def put_content(self, project: str, key: str, mime: str, content: bytes) -> None:
        """Keep bytes; replaces those of the same key."""
        with self._lock:
            self._connection.execute(
                "INSERT OR REPLACE INTO contents VALUES (?, ?, ?, ?)",
                (project, key, mime, content),
            )

    def content(self, project: str, key: str) -> tuple[str, bytes] | None:
        """MIME type and bytes."""
        with self._lock:
            row = self._connection.execute(
                "SELECT mime, content FROM contents WHERE project = ? AND id = ?", (project, key)
            ).fetchone()
        return (row[0], row[1]) if row else None
