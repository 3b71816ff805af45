# SPDX-License-Identifier: GPL-3.0-or-later
"""Addresses that belong to no project: server, users, events, settings."""

from __future__ import annotations

from .. import entities as ayon
from . import project as projects
from . import users
from .graphql import answer
from .routing import NO_CONTENT, Answer, Request, add_event, route
from .store import SERVER, RefusalError

VERSION = "1.16.0"


@route("GET", "/", anybody=True)
def _index(request: Request) -> Answer:
    return Answer(content=b"<html>Stagewright's AYON demo server</html>", content_type="text/html")


@route("GET", "/api/info", anybody=True)
def _info(request: Request) -> Answer:
    info = {"version": VERSION, "uptime": 1, "motd": "", "loginPageBrand": ""}
    if request.user is not None:
        user = users.find_user(request.store, request.user.name)
        info |= {"user": user, "attributes": projects.attributes()["attributes"], "sites": []}
    return Answer(data=info)


@route("POST", "/api/auth/login", anybody=True)
def _login(request: Request) -> Answer:
    body = request.json
    return Answer(data=users.log_in(request.store, body.get("name", ""), body.get("password", "")))


@route("POST", "/api/auth/logout")
def _logout(request: Request) -> Answer:
    token = request.headers.get("authorization", "").removeprefix("Bearer ")
    request.store.delete(SERVER, "session", token)
    return Answer(data={"detail": "Logged out"})


@route("GET", "/api/users/me")
def _me(request: Request) -> Answer:
    return Answer(data=users.find_user(request.store, request.sender.name))


@route("GET", "/api/users/{user}")
def _get_user(request: Request) -> Answer:
    request.sender.require_manager()
    return Answer(data=users.find_user(request.store, request.names["user"]))


@route("PUT", "/api/users/{user}")
def _put_user(request: Request) -> Answer:
    request.sender.require_admin()
    users.put_user(request.store, request.names["user"], request.json)
    return NO_CONTENT


@route("PATCH", "/api/users/{user}")
def _patch_user(request: Request) -> Answer:
    request.sender.require_admin()
    users.patch_user(request.store, request.names["user"], request.json)
    return NO_CONTENT


@route("DELETE", "/api/users/{user}")
def _delete_user(request: Request) -> Answer:
    request.sender.require_admin()
    users.find_user(request.store, request.names["user"])
    request.store.delete(SERVER, "user", request.names["user"])
    return NO_CONTENT


@route("POST", "/api/users/{user}/apikeys")
def _add_api_key(request: Request) -> Answer:
    if request.sender.name != request.names["user"]:
        request.sender.require_admin()
    body = request.json
    for field in ("key", "label", "expires"):
        if body.get(field) is None:
            raise projects.invalid(field, "field required")
    users.add_api_key(request.store, request.names["user"], body)
    return Answer(201, {"message": "API key created"})


@route("GET", "/api/attributes")
def _attributes(request: Request) -> Answer:
    return Answer(data=projects.attributes())


@route("GET", "/api/anatomy/presets/{preset}")
def _preset(request: Request) -> Answer:
    return Answer(data=projects.anatomy_preset())


@route("GET", "/api/projects")
def _list_projects(request: Request) -> Answer:
    fields = ("name", "code", "active", "createdAt", "updatedAt")
    found = request.store.all(SERVER, "project")
    shown = [{field: each[field] for field in fields} for each in found]
    return Answer(data={"detail": "Showing projects", "count": len(shown), "projects": shown})


@route("POST", "/api/projects")
def _create_project(request: Request) -> Answer:
    request.sender.require_manager()
    projects.create_project(request.store, request.json)
    add_event(request, "entity.project.created", request.json["name"], "Project created")
    return Answer(201)


@route("POST", "/api/events")
def _dispatch_event(request: Request) -> Answer:
    request.sender.require_manager()
    body = request.json
    if not body.get("topic"):
        raise projects.invalid("topic", "field required")
    body.pop("sender", None)
    more = {key: value for key, value in body.items() if value is not None}
    topic, project = more.pop("topic"), more.pop("project", None)
    event_id = add_event(
        request, topic, project, more.pop("description", ""), **{"hash": ayon.new_id()} | more
    )
    return Answer(201, {"id": event_id})


@route("GET", "/api/events/{event}")
def _get_event(request: Request) -> Answer:
    event = request.store.get(SERVER, "event", request.names["event"])
    if event is None:
        raise RefusalError(404, "Event not found")
    return Answer(data=event)


@route("GET", "/api/settings")
def _settings(request: Request) -> Answer:
    raise RefusalError(404, "Bundle not found")


@route("POST", "/graphql")
def _graphql(request: Request) -> Answer:
    query, variables = request.json.get("query", ""), request.json.get("variables") or {}
    return Answer(data=answer(request.store, request.sender, query, variables))
