# SPDX-License-Identifier: GPL-3.0-or-later
"""What an AYON server has to publish to, for whoever has to choose."""

from __future__ import annotations

from typing import Any

from ..ayon_bridge import credentials
from ..ayon_bridge.server import Server
from ..jobs.events import Job, Progress
from .published import tasks_by_folder


def look(project: str) -> Job[dict[str, Any]]:
    """Ask the server for its projects, and for a project's folders and tasks.

    Args:
        project: AYON project name; one that the server has not is passed over.

    Returns:
        Plain JSON data: ``server``, ``user``, ``projects``, ``project``, and ``folders``,
        which has the names of the tasks by the path of the folder.

    Raises:
        StagewrightError: ``no-server``, and as every request.
    """
    yield Progress("server.look", None, "Asking the AYON server")
    with Server.open() as server:
        user = server.user_name()
        projects = [each.name for each in server.get_projects()]
        folders: dict[str, list[str]] = {}
        if project in projects:
            folders = tasks_by_folder(server, project)
        return {
            "server": server.url,
            "user": user,
            "projects": projects,
            "project": project,
            "folders": folders,
        }


def log_in(url: str, key: str) -> Job[dict[str, Any]]:
    """Keep a server's address and a user's API key, once the server has taken the key.

    Raises:
        StagewrightError: ``bad-server``, ``bad-key``, and as every request.
    """
    yield Progress("server.login", None, "Asking the AYON server")
    found = credentials.Credentials(url, key)
    with Server(found) as server:
        user = server.user_name()
    return {"server": found.url, "user": user, "path": str(credentials.save(found))}
