# SPDX-License-Identifier: GPL-3.0-or-later
"""The database: schema, migrations, and files that are no database."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from stagewright.ayon_bridge.database import MIGRATIONS, connect, schema_version
from stagewright.ayon_bridge.library import Library
from stagewright.jobs.errors import StagewrightError

# What a library of schema 1 holds, written by hand: a version with one file.
ROWS_OF_SCHEMA_1 = """
INSERT INTO projects VALUES ('show', 'shw', '{}', '{}', 't0');
INSERT INTO folders VALUES ('f1', 'show', 'chair', '/chair', 'Asset', NULL, '{}', '{}', 't1');
INSERT INTO tasks VALUES ('t1', 'show', 'f1', 'lookdev', 'Lookdev', '{}', '{}', 't2');
INSERT INTO products VALUES
    ('p1', 'show', 'f1', 'usdMain', 'usd', 'usd', '{}', '{}', 't3');
INSERT INTO versions VALUES
    ('v1', 'show', 'p1', 1, 't1', 'artist', '{"fps": 24}', '{"contentHash": "x"}', 't4');
INSERT INTO representations VALUES
    ('r1', 'show', 'v1', 'usd',
     '[{"id": "i1", "name": "a.usda", "path": "{root[work]}/a.usda", "size": 3,
        "hash": "ab", "hashType": "sha256"}]',
     '{"path": "{root[work]}/a.usda"}', '{"context": {}}', 't5');
"""


def make_schema_1(path: Path) -> None:
    connection = connect(path, MIGRATIONS[:1])
    connection.executescript(ROWS_OF_SCHEMA_1)
    connection.close()


def all_rows(path: Path) -> dict[str, list[tuple[object, ...]]]:
    connection = sqlite3.connect(path)
    tables = connection.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name"
    ).fetchall()
    rows = {name: connection.execute(f"SELECT * FROM {name}").fetchall() for (name,) in tables}
    connection.close()
    return rows


def test_a_new_library_has_the_newest_schema_and_a_rollback_journal(library: Library) -> None:
    assert schema_version(library.connection) == len(MIGRATIONS) == 4
    assert library.connection.execute("PRAGMA journal_mode").fetchone()[0] == "delete"
    assert library.connection.execute("PRAGMA foreign_keys").fetchone()[0] == 1
    assert library.connection.execute("PRAGMA synchronous").fetchone()[0] == 3  # EXTRA


def test_a_library_of_schema_1_is_migrated_with_its_rows(tmp_path: Path) -> None:
    database = tmp_path / "stagewright.db"
    make_schema_1(database)
    before = all_rows(database)
    with Library.open(tmp_path) as library:
        (version,) = library.get_versions("show")
        assert (version.id, version.version, version.author) == ("v1", 1, "artist")
        assert (version.attrib, version.data) == ({"fps": 24}, {"contentHash": "x"})
        assert version.thumbnail_id is None
        (representation,) = library.get_representations("show", version_ids=["v1"])
        assert representation.files[0].size == 3
    after = all_rows(database)
    assert after.pop("thumbnails") == after.pop("outbox") == after.pop("workfiles") == []
    assert after.pop("versions") == [(*before.pop("versions")[0], None)]
    assert after == before


def test_a_migration_that_fails_leaves_the_schema_before_it(tmp_path: Path) -> None:
    database = tmp_path / "stagewright.db"
    make_schema_1(database)
    before = all_rows(database)
    failing = (*MIGRATIONS[:1], ("CREATE TABLE half (id)", "INSERT INTO nowhere VALUES (1)"))
    with pytest.raises(StagewrightError):
        connect(database, failing)
    assert all_rows(database) == before
    connection = connect(database)
    assert schema_version(connection) == 4
    connection.close()


KILLED_MIGRATION = """
import os, signal, sqlite3, sys
from pathlib import Path
from stagewright.ayon_bridge import database

seen = 0
def count(statement):
    global seen
    seen += 1
    if seen == int(sys.argv[2]):
        os.kill(os.getpid(), signal.SIGKILL)

plain_connect = sqlite3.connect
def traced(*arguments, **named):
    connection = plain_connect(*arguments, **named)
    connection.set_trace_callback(count)
    return connection

database.sqlite3.connect = traced
database.connect(Path(sys.argv[1]))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL on Windows")
def test_a_killed_migration_leaves_one_schema_or_the_other(tmp_path: Path) -> None:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    schemas: Counter[int] = Counter()
    for statement in range(1, 100):
        database = tmp_path / f"{statement}.db"
        make_schema_1(database)
        before = all_rows(database)
        killed = subprocess.run(
            [sys.executable, "-c", KILLED_MIGRATION, database, str(statement)], env=environment
        )
        after = all_rows(database)
        schemas["thumbnails" in after] += 1
        if "thumbnails" not in after:
            assert after == before
        connection = connect(database)
        assert schema_version(connection) == 4
        assert connection.execute("SELECT id, author FROM versions").fetchone()[:] == (
            "v1",
            "artist",
        )
        connection.close()
        if killed.returncode != -signal.SIGKILL:
            assert killed.returncode == 0
            break
    assert schemas[False] >= 5 and schemas[True] >= 1


def test_a_library_of_a_newer_version_is_refused_untouched(tmp_path: Path) -> None:
    with Library.open(tmp_path) as library:
        library.connection.execute("PRAGMA user_version = 9")
    content = (tmp_path / "stagewright.db").read_bytes()
    with pytest.raises(StagewrightError) as caught:
        Library.open(tmp_path)
    assert caught.value.code == "library-newer"
    assert str(tmp_path) in caught.value.message
    assert "9" in caught.value.message and str(len(MIGRATIONS)) in caught.value.message
    assert "Update Stagewright" in caught.value.cure
    assert (tmp_path / "stagewright.db").read_bytes() == content


@pytest.mark.parametrize(
    "content", [b"not a database" * 100, b"SQLite format 3\x00" + b"\xff" * 99]
)
def test_a_file_that_is_no_database_is_named(tmp_path: Path, content: bytes) -> None:
    database = tmp_path / "stagewright.db"
    database.write_bytes(content)
    with pytest.raises(StagewrightError) as caught:
        Library.open(tmp_path)
    assert caught.value.code == "library-corrupt"
    assert str(database) in caught.value.message
    assert database.read_bytes() == content


def test_a_damaged_page_is_told_when_it_is_met(tmp_path: Path) -> None:
    database = tmp_path / "stagewright.db"
    make_schema_1(database)
    connect(database).close()
    page = 4096
    content = database.read_bytes()
    database.write_bytes(content[:page] + b"\xff" * (len(content) - page))
    with pytest.raises(StagewrightError) as caught, Library.open(tmp_path) as library:
        library.get_projects()
    assert caught.value.code == "library-corrupt"


def test_a_file_in_the_place_of_the_library_is_named(tmp_path: Path) -> None:
    (tmp_path / "library").write_text("a file")
    with pytest.raises(StagewrightError, match="library"):
        Library.open(tmp_path / "library")


def test_a_transaction_that_does_not_end_is_waited_for_then_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stagewright.ayon_bridge.database.BUSY_SECONDS", 0.05)
    with Library.open(tmp_path) as library:
        other = sqlite3.connect(library.database, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StagewrightError) as caught:
            library.create_project("show", "shw")
        assert caught.value.code == "library-busy"
        other.execute("ROLLBACK")
        other.close()
        assert library.create_project("show", "shw").name == "show"
