# SPDX-License-Identifier: GPL-3.0-or-later
"""The library's SQLite database: opening, schema and migrations, rows.

A rollback journal, not WAL: WAL needs shared memory, which a shared drive does
not give (https://sqlite.org/wal.html). A row's columns are an entity's
attributes; columns that hold structures are JSON under AYON's names.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import TypeVar

from ..jobs.errors import StagewrightError
from ..jobs.events import Job, Progress
from .entities import (
    Folder,
    Product,
    Project,
    Representation,
    Task,
    Thumbnail,
    Version,
    Workfile,
    from_ayon,
    to_ayon,
    wire_name,
)

AnyEntity = Project | Folder | Task | Product | Version | Representation | Thumbnail | Workfile
E = TypeVar("E", Project, Folder, Task, Product, Version, Representation, Thumbnail, Workfile)
T = TypeVar("T")

BUSY_SECONDS = 10.0
"""How long a statement waits for another process's transaction."""

_TABLES: dict[type, str] = {
    Project: "projects",
    Folder: "folders",
    Task: "tasks",
    Product: "products",
    Version: "versions",
    Representation: "representations",
    Thumbnail: "thumbnails",
    Workfile: "workfiles",
}
_JSON_COLUMNS = {"attrib", "data", "files", "file"}

Migration = Sequence[str]

MIGRATIONS: Sequence[Migration] = (
    # 1: projects to representations. AYON compares names without regard to case.
    (
        """CREATE TABLE projects (
            name TEXT PRIMARY KEY NOT NULL, code TEXT NOT NULL,
            attrib TEXT NOT NULL, data TEXT NOT NULL, created_at TEXT NOT NULL)""",
        "CREATE UNIQUE INDEX projects_name ON projects (name COLLATE NOCASE)",
        "CREATE UNIQUE INDEX projects_code ON projects (code COLLATE NOCASE)",
        """CREATE TABLE folders (
            id TEXT PRIMARY KEY NOT NULL, project_name TEXT NOT NULL REFERENCES projects,
            name TEXT NOT NULL, path TEXT NOT NULL, folder_type TEXT NOT NULL,
            parent_id TEXT REFERENCES folders,
            attrib TEXT NOT NULL, data TEXT NOT NULL, created_at TEXT NOT NULL)""",
        "CREATE UNIQUE INDEX folders_path ON folders (project_name, path COLLATE NOCASE)",
        """CREATE TABLE tasks (
            id TEXT PRIMARY KEY NOT NULL, project_name TEXT NOT NULL REFERENCES projects,
            folder_id TEXT NOT NULL REFERENCES folders,
            name TEXT NOT NULL, task_type TEXT NOT NULL,
            attrib TEXT NOT NULL, data TEXT NOT NULL, created_at TEXT NOT NULL)""",
        "CREATE UNIQUE INDEX tasks_name ON tasks (folder_id, name COLLATE NOCASE)",
        """CREATE TABLE products (
            id TEXT PRIMARY KEY NOT NULL, project_name TEXT NOT NULL REFERENCES projects,
            folder_id TEXT NOT NULL REFERENCES folders, name TEXT NOT NULL,
            product_type TEXT NOT NULL, product_base_type TEXT NOT NULL,
            attrib TEXT NOT NULL, data TEXT NOT NULL, created_at TEXT NOT NULL)""",
        "CREATE UNIQUE INDEX products_name ON products (folder_id, name COLLATE NOCASE)",
        """CREATE TABLE versions (
            id TEXT PRIMARY KEY NOT NULL, project_name TEXT NOT NULL REFERENCES projects,
            product_id TEXT NOT NULL REFERENCES products, version INTEGER NOT NULL,
            task_id TEXT REFERENCES tasks, author TEXT NOT NULL,
            attrib TEXT NOT NULL, data TEXT NOT NULL, created_at TEXT NOT NULL)""",
        "CREATE UNIQUE INDEX versions_version ON versions (product_id, version)",
        """CREATE TABLE representations (
            id TEXT PRIMARY KEY NOT NULL, project_name TEXT NOT NULL REFERENCES projects,
            version_id TEXT NOT NULL REFERENCES versions,
            name TEXT NOT NULL, files TEXT NOT NULL,
            attrib TEXT NOT NULL, data TEXT NOT NULL, created_at TEXT NOT NULL)""",
        """CREATE UNIQUE INDEX representations_name
            ON representations (version_id, name COLLATE NOCASE)""",
    ),
    # 2: thumbnails of versions.
    (
        """CREATE TABLE thumbnails (
            id TEXT PRIMARY KEY NOT NULL, project_name TEXT NOT NULL REFERENCES projects,
            mime TEXT NOT NULL, file TEXT NOT NULL, created_at TEXT NOT NULL)""",
        "ALTER TABLE versions ADD COLUMN thumbnail_id TEXT REFERENCES thumbnails",
    ),
    # 3: versions that wait for the server.
    (
        """CREATE TABLE outbox (
            position INTEGER PRIMARY KEY, version_id TEXT NOT NULL UNIQUE REFERENCES versions,
            state TEXT NOT NULL)""",
    ),
    # 4: workfiles.
    (
        """CREATE TABLE workfiles (
            id TEXT PRIMARY KEY NOT NULL, project_name TEXT NOT NULL REFERENCES projects,
            path TEXT NOT NULL, task_id TEXT NOT NULL REFERENCES tasks,
            created_by TEXT NOT NULL,
            attrib TEXT NOT NULL, data TEXT NOT NULL, created_at TEXT NOT NULL)""",
        "CREATE UNIQUE INDEX workfiles_path ON workfiles (project_name, path)",
    ),
)


def connect(path: Path, migrations: Sequence[Migration] = MIGRATIONS) -> sqlite3.Connection:
    """Open a library's database, making it or bringing it up to date first.

    Args:
        path: the database file; made when missing.
        migrations: statements that lead from each schema version to the next.

    Raises:
        StagewrightError: ``library-newer``, ``library-corrupt``, ``unwritable``, ...
    """
    with database_errors(path):
        # Transactions are begun and ended by name: Python's own would end at odd places.
        connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)
        try:
            connection.row_factory = sqlite3.Row
            connection.execute("PRAGMA foreign_keys = ON")
            connection.execute("PRAGMA journal_mode = DELETE")
            # EXTRA is FULL, and the journal's removal reaches the drive too: a version
            # that was reported as published survives a power cut.
            connection.execute("PRAGMA synchronous = EXTRA")
            _migrate(connection, path, migrations)
        except BaseException:
            connection.close()
            raise
    return connection


def schema_version(connection: sqlite3.Connection) -> int:
    """The schema version that the database is at; 0 for an empty one."""
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    return version


def _migrate(connection: sqlite3.Connection, path: Path, migrations: Sequence[Migration]) -> None:
    while (version := schema_version(connection)) != len(migrations):
        if version > len(migrations):
            raise StagewrightError(
                "library-newer",
                f'The library "{path.parent}" has schema version {version}, and this '
                f"Stagewright knows versions up to {len(migrations)}.",
                "Update Stagewright, or choose another library.",
            )
        connection.execute("BEGIN IMMEDIATE")
        try:
            # Another process may have migrated while this one waited.
            if schema_version(connection) == version:
                for statement in migrations[version]:
                    connection.execute(statement)
                connection.execute(f"PRAGMA user_version = {version + 1}")
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise


def transaction(connection: sqlite3.Connection, statements: Job[T]) -> Job[T]:
    """Run a job that executes statements as one transaction: all of it or nothing.

    Args:
        connection: what the job executes its statements on.
        statements: yields before each statement; its value is returned.
    """
    yield Progress("library.begin", message="Writing to the database")
    connection.execute("BEGIN IMMEDIATE")
    try:
        value = yield from statements
        yield Progress("library.commit", message="Writing to the database")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    return value


def insert(connection: sqlite3.Connection, entity: AnyEntity) -> None:
    """Add an entity's row."""
    wire = to_ayon(entity)
    row = {each.name: wire[wire_name(each.name)] for each in fields(entity)}
    for column in _JSON_COLUMNS & row.keys():
        row[column] = json.dumps(row[column], ensure_ascii=False)
    marks = ", ".join("?" * len(row))
    connection.execute(
        f"INSERT INTO {_TABLES[type(entity)]} ({', '.join(row)}) VALUES ({marks})",
        tuple(row.values()),
    )


def select(
    connection: sqlite3.Connection,
    kind: type[E],
    where: str,
    parameters: Sequence[object] = (),
) -> list[E]:
    """The entities whose rows meet an SQL condition.

    Args:
        connection: the database.
        kind: class of the entities.
        where: the condition, with ``?`` for parameters; may end in ORDER BY.
        parameters: values of the ``?``.
    """
    rows = connection.execute(f"SELECT * FROM {_TABLES[kind]} WHERE {where}", parameters)
    return [_entity(kind, row) for row in rows]


def _entity(kind: type[E], row: sqlite3.Row) -> E:
    values = {column: row[column] for column in row.keys()}  # noqa: SIM118 - a Row gives values
    for column in _JSON_COLUMNS & values.keys():
        values[column] = json.loads(values[column])
    wire = {wire_name(column): value for column, value in values.items()}
    return from_ayon(kind, wire)


@contextmanager
def database_errors(path: Path) -> Iterator[None]:
    """Turn an error of SQLite in the block into a StagewrightError that names ``path``."""
    try:
        yield
    except sqlite3.Error as error:
        raise _explanation(error, path) from error


def _explanation(error: sqlite3.Error, path: Path) -> StagewrightError:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # the rest is detail
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return StagewrightError(
            "library-busy",
            f'Another process is still writing to the library "{path.parent}".',
            "Try again in a moment.",
        )
    if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM):
        return StagewrightError(
            "unwritable",
            f'There is no permission to write "{path}".',
            "Ask for write permission there, or choose another library.",
        )
    if code == sqlite3.SQLITE_FULL:
        return StagewrightError(
            "disk-full",
            f'There is no space left to write "{path}".',
            "Free some space on that drive, then publish again.",
        )
    if code == sqlite3.SQLITE_IOERR:
        return StagewrightError(
            "file-error",
            f'The drive failed to read or write "{path}".',
            "Check the drive and its free space, then try again.",
        )
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return StagewrightError(
            "library-corrupt",
            f'"{path}" is damaged or not a library database.',
            "Bring it back from a backup; the published files beside it are untouched.",
        )
    return StagewrightError(
        "library-error",
        f'The library database "{path}" refused a statement: {error}.',
        "Report this with the message above.",
    )
