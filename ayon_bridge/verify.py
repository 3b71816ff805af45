# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a library's database and its files agree."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ..jobs.events import Job, Progress
from .database import database_errors
from .entities import Project, Representation, Thumbnail, Version
from .repair import STAGING_NAME, VERSION_NAME
from .version_record import RECORD, UNFINISHED, VersionRecord, compare

if TYPE_CHECKING:
    from .library import Library


@dataclass(frozen=True)
class Problem:
    """Something that does not agree.

    Attributes:
        kind: ``wrong-file``: a version's file is missing or not as it was
            published. ``no-files``: a version has no files at all.
            ``unknown-version``: a version folder that the database does not know.
            ``leftover``: an interrupted publish; the next one of that product
            repairs it. ``damaged-database``: SQLite's own check failed.
        path: file or folder.
        text: what is wrong, for a person.
    """

    kind: Literal["wrong-file", "no-files", "unknown-version", "leftover", "damaged-database"]
    path: Path
    text: str


def verify(library: Library) -> Job[list[Problem]]:
    """Compare the database with the files below the library, both ways."""
    problems = _damage(library)
    for project in library.get_projects():
        for version in library.get_versions(project.name):
            yield Progress("library.verify", message=f"Verifying {version.name}")
            problems += yield from _version_problems(library, version)
        problems += yield from _folder_problems(library, project)
    return problems


def _damage(library: Library) -> list[Problem]:
    with database_errors(library.database):
        rows = library.connection.execute("PRAGMA integrity_check").fetchall()
        texts = [row[0] for row in rows if row[0] != "ok"]
        orphans = library.connection.execute("PRAGMA foreign_key_check").fetchall()
    texts += [f"a row of {row[0]} belongs to nothing" for row in orphans]
    return [Problem("damaged-database", library.database, text) for text in texts]


def _version_problems(library: Library, version: Version) -> Job[list[Problem]]:
    representations = library.get_representations(version.project_name, version_ids=[version.id])
    record = VersionRecord(version, tuple(representations), _thumbnail(library, version))
    if not any(each.files for each in representations):
        return [Problem("no-files", library.database, f"version {version.id} has no files")]
    problems = []
    for file in record.files():
        wrong = yield from compare(library.root, file)
        if wrong:
            problems.append(Problem("wrong-file", library.path_of(file), wrong))
    return problems


def _thumbnail(library: Library, version: Version) -> Thumbnail | None:
    if version.thumbnail_id is None:
        return None
    return library.select(Thumbnail, "id = ?", version.thumbnail_id)[0]


def _folder_problems(library: Library, project: Project) -> Job[list[Problem]]:
    known = {
        library.path_of(file).parts
        for each in library.select(Representation, "project_name = ?", project.name)
        for file in each.files
    }
    folders = {Path(*parts[:end]) for parts in known for end in range(1, len(parts))}
    problems = []
    for parent, names, files in os.walk(library.root / project.name):
        yield Progress("library.verify", message=f"Verifying {project.name}")
        path = Path(parent)
        if STAGING_NAME.fullmatch(path.name):
            problems.append(Problem("leftover", path, f'"{path}" was never finished'))
            names.clear()
        elif {RECORD, UNFINISHED} & set(files) or (
            VERSION_NAME.fullmatch(path.name) and not names and not files
        ):
            names.clear()
            if path in folders:
                continue
            if files:
                text = f'the database does not know "{path}"'
                problems.append(Problem("unknown-version", path, text))
            else:
                problems.append(Problem("leftover", path, f'"{path}" is empty'))
    return problems
