# SPDX-License-Identifier: GPL-3.0-or-later
"""Workfiles: where the anatomy puts them, which there are, and a new one's number.

Every function is a job for a process of its own: it takes and returns plain JSON data.
A workfile is claimed by an exclusive create, written by Blender, and entered last: what
was saved and never entered is found in its folder all the same.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..ayon_bridge.anatomy import Anatomy, in_roots
from ..ayon_bridge.entities import Folder, Project, Task
from ..ayon_bridge.files import file_errors
from ..ayon_bridge.library import Library
from ..ayon_bridge.names import folder_names
from ..jobs.errors import StagewrightError
from ..jobs.events import Job, Progress
from .published import open_home
from .settings import user_name

if TYPE_CHECKING:
    from ..ayon_bridge.server import Server

EXTENSION = "blend"
_ASSET, _GENERIC = "Asset", "Generic"
# Longer than any number is padded to, so that it stands as it is in a filled template.
_MARK = 987654321098765


@dataclass(frozen=True)
class _Place:
    """Where the workfiles of a task are.

    Attributes:
        anatomy: its templates.
        roots: folders of this machine by the names of the roots.
        values: for the templates, but root, version and extension.
        task: the task.
    """

    anatomy: Anatomy
    roots: Mapping[str, str]
    values: Mapping[str, Any]
    task: Task

    def rootless(self, version: int) -> str:
        """Path of a workfile, below ``{root[work]}``."""
        root = {self.anatomy.root_name: f"{{root[{self.anatomy.root_name}]}}"}
        values = {**self.values, "root": root, "version": version, "ext": EXTENSION}
        return self.anatomy.fill_path(values).text

    def path(self, version: int) -> Path:
        """The same on this machine."""
        return in_roots(self.rootless(version), self.roots)

    def number(self, name: str) -> int | None:
        """The number that a file's name tells; None for what is no workfile of this task."""
        stem = self.path(_MARK).stem
        pattern = re.escape(stem).replace(str(_MARK), r"(\d+)") + r"(?!\d).*\." + EXTENSION
        match = re.fullmatch(pattern, name)
        return int(match[1]) if match else None


def listed(library: str, project: str, folder: str, task: str) -> Job[dict[str, Any]]:
    """The workfiles of a task, newest first.

    Returns:
        ``workfiles``: each with ``path``, ``name``, ``version``, ``comment``, ``author``,
        ``time`` (UTC, ISO 8601) and ``here``, whether it is on this machine.
    """
    yield _asking(library)
    with open_home(library) as home:
        place = _find(home, project, folder, task)
        return {"workfiles": _rows(home, place) if place else []}


def claim(library: str, project: str, folder: str, task: str) -> Job[dict[str, Any]]:
    """Claim the next version of a task's workfile: an empty file that nobody else gets.

    Folders and the task are made where they are missing, and the user may make them.

    Returns:
        ``path``, ``rootless``, ``task_id`` and ``version``, to be given to :func:`enter`.

    Raises:
        StagewrightError: ``bad-name``; ``no-root``; ``unwritable``; as every request.
    """
    yield _asking(library)
    if library:
        Library.open(Path(library)).close()  # a new one is made by its first workfile, too
    with open_home(library) as home:
        place = _find(home, project, folder, task) or _make(home, project, folder, task)
        _require_root(place, project)
        number = max((row["version"] for row in _rows(home, place)), default=0) + 1
        while True:
            path = place.path(number)
            with file_errors(path):
                path.parent.mkdir(parents=True, exist_ok=True)
                try:
                    path.open("x").close()
                except FileExistsError:
                    number += 1
                    continue
            return {
                "path": str(path),
                "rootless": place.rootless(number),
                "task_id": place.task.id,
                "version": number,
            }


def enter(
    library: str,
    project: str,
    rootless: str,
    task_id: str,
    version: int,
    comment: str,
    host: str,
) -> Job[dict[str, Any]]:
    """Enter a workfile that is saved; returns nothing."""
    yield _asking(library)
    with open_home(library) as home:
        home.create_workfile_entity(
            project,
            rootless,
            task_id,
            attrib={"extension": f".{EXTENSION}", "description": comment},
            data={"host_name": "blender", "host_version": host, "version": version},
            author=user_name(),
        )
    return {}


def _rows(home: Library | Server, place: _Place) -> list[dict[str, Any]]:
    """What is entered, and what lies in the folder and is not."""
    found: dict[str, dict[str, Any]] = {}
    for each in home.get_workfiles_info(place.task.project_name, task_ids=[place.task.id]):
        path = in_roots(each.path, place.roots)
        number = each.data.get("version") or place.number(path.name)
        if path.suffix != f".{EXTENSION}" or number is None:
            continue  # another program's
        found[str(path)] = {
            "path": str(path),
            "name": path.name,
            "version": int(number),
            "comment": str(each.attrib.get("description") or ""),
            "author": each.created_by,
            "time": each.created_at,
            "here": path.is_file(),
        }
    folder = place.path(1).parent
    with _missing_is_empty(), os.scandir(folder) as entries:
        for entry in entries:
            number = place.number(entry.name)
            lying = str(folder / entry.name)
            if number is None or lying in found:
                continue
            time = datetime.fromtimestamp(entry.stat().st_mtime, UTC)
            found[lying] = {
                "path": lying,
                "name": entry.name,
                "version": number,
                "comment": "",
                "author": "",
                "time": time.isoformat(timespec="seconds"),
                "here": True,
            }
    return sorted(found.values(), key=lambda row: (row["version"], row["name"]), reverse=True)


@contextmanager
def _missing_is_empty() -> Iterator[None]:
    try:
        yield
    except (FileNotFoundError, NotADirectoryError):
        return


def _find(home: Library | Server, project: str, folder: str, task: str) -> _Place | None:
    """The place of a task's workfiles; None where folder or task are missing.

    Raises:
        StagewrightError: ``not-found`` for the project of a server.
    """
    found = home.get_project(project)
    made = home.get_folder_by_path(project, folder) if found else None
    tasks = home.get_tasks(project, task_names=[task], folder_ids=[made.id]) if made else []
    if found is None or made is None or not tasks:
        return None
    return _place(home, found, made, tasks[0])


def _place(home: Library | Server, project: Project, folder: Folder, task: Task) -> _Place:
    values = {
        "project": {"name": project.name, "code": project.code},
        "hierarchy": folder.path.strip("/").rpartition("/")[0],
        "folder": {"name": folder.name, "type": folder.folder_type, "path": folder.path},
        "task": {"name": task.name, "type": task.task_type, "short": task.name[:4]},
        "user": {"name": user_name()},
        "username": user_name(),
        "app": "blender",
    }
    return _Place(home.work_anatomy(project.name), home.roots(project.name), values, task)


def _make(home: Library | Server, project: str, folder: str, task: str) -> _Place:
    """Make what is missing of the folders and the task."""
    found = home.get_project(project)
    if found is None:
        raise StagewrightError(
            "not-found",
            f'There is no project "{project}".',
            "Check its spelling, or publish into it first.",
        )
    parent: Folder | None = None
    path = ""
    for name in folder_names(folder):
        path += f"/{name}"
        known = home.get_folder_by_path(project, path)
        kind = _ASSET if path == folder else "Folder"
        parent = known or home.create_folder(project, name, kind, parent.id if parent else None)
    assert parent is not None
    tasks = home.get_tasks(project, task_names=[task], folder_ids=[parent.id])
    made = tasks[0] if tasks else home.create_task(project, task, _GENERIC, parent.id)
    return _place(home, found, parent, made)


def _require_root(place: _Place, project: str) -> None:
    name = place.anatomy.root_name
    folder = place.roots.get(name)
    if not folder or not Path(folder).is_dir():
        raise StagewrightError(
            "no-root",
            f'The root "{name}" of the project "{project}", "{folder or ""}", is not on this '
            "machine.",
            "Mount that drive, or set this machine's own root in AYON.",
        )


def _asking(library: str) -> Progress:
    where = "Reading the library" if library else "Asking the AYON server"
    return Progress("work.open", None, where)
