# SPDX-License-Identifier: GPL-3.0-or-later
"""Addresses below a project: its entities, batches, links, pictures, comments."""

from __future__ import annotations

import json
from typing import Any

from ..entities import new_id, now
from . import entities, uri_routes  # noqa: F401 - its addresses come before those of any kind
from .entities import KINDS, PLURALS, Kind
from .project import invalid, site_roots
from .routing import NO_CONTENT, Answer, Request, add_event, route
from .store import SERVER, Document, RefusalError

_PROJECT = "/api/projects/{project}"
_PICTURES = ("image/png", "image/jpeg")
_REVIEWABLES = (*_PICTURES, "image/webp", "video/mp4")


@route("GET", _PROJECT)
def _get_project(request: Request) -> Answer:
    return Answer(data=request.project)


@route("DELETE", _PROJECT)
def _delete_project(request: Request) -> Answer:
    request.sender.require_manager()
    name = request.project["name"]
    request.store.drop_project(name)
    request.store.delete(SERVER, "project", name)
    return NO_CONTENT


@route("GET", f"{_PROJECT}/siteRoots")
def _site_roots(request: Request) -> Answer:
    site = request.headers.get("x-ayon-site-id", "")
    platform = request.query.get("platform") or request.headers.get("x-ayon-platform", "linux")
    return Answer(data=site_roots(request.store, request.project, platform, site))


@route("PUT", f"{_PROJECT}/roots/{{site}}")
def _put_roots(request: Request) -> Answer:
    project, site = request.project["name"], request.names["site"]
    request.store.delete(project, "roots", site)
    request.store.insert(project, "roots", site, request.json)
    return NO_CONTENT


@route("GET", f"{_PROJECT}/links/types")
def _link_types(request: Request) -> Answer:
    return Answer(data={"types": request.project["linkTypes"]})


@route("PUT", f"{_PROJECT}/links/types/{{type}}")
def _put_link_type(request: Request) -> Answer:
    request.sender.require_manager()
    project, name = request.project, request.names["type"]
    words = name.split("|")
    if len(words) != 3:
        raise RefusalError(400, "Link type name must be in format 'link_type|input|output'")
    made = dict(zip(("linkType", "inputType", "outputType"), words, strict=True))
    kept = [each for each in project["linkTypes"] if each["name"] != name]
    project["linkTypes"] = [*kept, {"name": name, **made, "data": request.json.get("data", {})}]
    request.store.update(SERVER, "project", project["name"], project)
    return NO_CONTENT


@route("POST", f"{_PROJECT}/links")
def _create_link(request: Request) -> Answer:
    project, body = request.project, request.json
    name = body.get("linkType") or body.get("link") or ""
    words = name.split("|")
    if len(words) != 3 or name not in {each["name"] for each in project["linkTypes"]}:
        raise RefusalError(400, "Link type not found")
    if body["input"] == body["output"]:
        raise RefusalError(400, "Cannot link an entity to itself")
    for kind, key in ((words[1], body["input"]), (words[2], body["output"])):
        if request.store.get(project["name"], kind, key) is None:
            raise RefusalError(404, f"{kind.capitalize()} {key} not found")
    link = {
        "id": body.get("id") or new_id(),
        "input": body["input"],
        "output": body["output"],
        "linkType": words[0],
        "inputType": words[1],
        "outputType": words[2],
        "name": body.get("name") or "",
        "data": body.get("data") or {},
        "author": request.sender.name,
    }
    ends = json.dumps([link["input"], link["output"], name, link["name"]])
    known = request.store.get(project["name"], "link", link["id"]) is not None
    if known or not request.store.claim(project["name"], "link", link["id"], "ends", ends):
        raise RefusalError(409, "Link already exists.", "unique-violation")
    request.store.insert(project["name"], "link", link["id"], link)
    add_event(request, "link.created", project["name"], f"Link {name} created")
    return Answer(201, {"id": link["id"]})


@route("DELETE", f"{_PROJECT}/links/{{link}}")
def _delete_link(request: Request) -> Answer:
    request.store.delete(request.project["name"], "link", request.names["link"])
    return NO_CONTENT


@route("POST", f"{_PROJECT}/operations")
def _operations(request: Request) -> Answer:
    return Answer(data=_run_batch(request))


@route("POST", f"{_PROJECT}/operations/background")
def _background(request: Request) -> Answer:
    task: Document = {
        "id": new_id(),
        "status": "completed",
        "progress": 100,
        "result": _run_batch(request),
    }
    request.store.insert(request.project["name"], "background", task["id"], task)
    return Answer(data=task)


@route("GET", f"{_PROJECT}/operations/background/{{task}}")
def _background_status(request: Request) -> Answer:
    task = request.store.get(request.project["name"], "background", request.names["task"])
    if task is None:
        raise RefusalError(404, "Background task not found")
    return Answer(data=task)


class _FailedBatchError(Exception):
    """A batch of which nothing may stay."""


def _run_batch(request: Request) -> Document:
    """Run operations in their order: all of them or, without ``canFail``, none."""
    body = request.json
    results: list[Document] = []
    try:
        with request.store.transaction():
            for operation in body.get("operations", []):
                results.append(_run_operation(request, operation))
                request.in_batch()
                if not results[-1]["success"] and not body.get("canFail"):
                    raise _FailedBatchError
    except _FailedBatchError:
        for each in results[:-1]:
            each["success"] = False
    return {"operations": results, "success": all(each["success"] for each in results)}


def _run_operation(request: Request, operation: Document) -> Document:
    kind_name, action = operation["entityType"], operation["type"]
    result: Document = {
        "id": operation.get("id") or new_id(),
        "type": action,
        "entityType": kind_name,
        "entityId": operation.get("entityId"),
    }
    try:
        if operation.get("asUser"):
            request.sender.require_admin()
        if kind_name not in KINDS:
            raise RefusalError(400, f"Unknown entity type {kind_name}")
        with request.store.transaction():
            key = _operate(request, action, KINDS[kind_name], operation)
    except RefusalError as error:
        refused = {"errorCode": error.error or None, "detail": error.detail}
        return {**result, "success": False, "status": error.status, **refused}
    return {
        **result,
        "entityId": key,
        "success": True,
        "status": 201 if action == "create" else 204,
    }


def _operate(request: Request, action: str, kind: Kind, operation: Document) -> str:
    data: Document = operation.get("data") or {}
    key = operation.get("entityId") or ""
    store, project, user = request.store, request.project, request.sender
    if action == "create":
        key = entities.create(store, project, kind, {"id": key or None, **data}, user)
    elif action == "update":
        entities.update(store, project, kind, key, data, user)
    elif action == "delete":
        entities.delete(store, project, kind, key, user)
    else:
        raise RefusalError(400, f"Unknown operation type {action}")
    add_event(request, f"entity.{kind.name}.{action}d", project["name"], f"{kind.name} {action}d")
    return key


@route("POST", f"{_PROJECT}/thumbnails")
def _create_thumbnail(request: Request) -> Answer:
    return _put_thumbnail(request, new_id())


@route("PUT", f"{_PROJECT}/thumbnails/{{thumbnail}}")
def _update_thumbnail(request: Request) -> Answer:
    request.sender.require_manager()
    return _put_thumbnail(request, request.names["thumbnail"])


def _put_thumbnail(request: Request, key: str) -> Answer:
    mime = request.headers.get("content-type", "")
    if mime not in _PICTURES:
        raise RefusalError(415, "Thumbnail must be in png or jpeg format")
    request.store.put_content(request.project["name"], key, mime, request.body)
    return Answer(201, {"id": key})


@route("GET", f"{_PROJECT}/thumbnails/{{thumbnail}}")
def _get_thumbnail(request: Request) -> Answer:
    request.sender.require_manager()
    return _picture(request, request.names["thumbnail"])


@route("GET", f"{_PROJECT}/{{plural}}/{{entity}}/thumbnail")
def _entity_thumbnail(request: Request) -> Answer:
    return _picture(request, _entity(request)[1].get("thumbnailId"))


@route("GET", f"{_PROJECT}/files/{{file}}")
def _get_file(request: Request) -> Answer:
    return _picture(request, request.names["file"])


def _picture(request: Request, key: str | None) -> Answer:
    found = request.store.content(request.project["name"], key) if key else None
    if key is None or found is None:
        raise RefusalError(404, "Thumbnail not found")
    mime, content = found
    return Answer(content=content, content_type=mime, headers={"X-Thumbnail-Id": key})


@route("POST", f"{_PROJECT}/versions/{{version}}/reviewables")
def _upload_reviewable(request: Request) -> Answer:
    project = request.project
    entities.find(request.store, project, KINDS["version"], request.names["version"])
    mime = request.headers.get("content-type", "")
    if mime not in _REVIEWABLES:
        raise RefusalError(400, f"Invalid file type {mime}")
    file_id = new_id()
    request.store.put_content(project["name"], file_id, mime, request.body)
    name = request.headers.get("x-file-name", "")
    data = {"reviewableLabel": request.query.get("label") or name, "fileId": file_id, "mime": mime}
    activity = _add_activity(request, "version", request.names["version"], "reviewable", "", data)
    add_event(request, "reviewable.created", project["name"], f"Reviewable {name} uploaded")
    info = {"codec": mime.partition("/")[2]}
    return Answer(201, {"fileId": file_id, "activityId": activity, "mediaInfo": info})


@route("POST", f"{_PROJECT}/{{kind}}/{{entity}}/activities")
def _create_activity(request: Request) -> Answer:
    body, kind = request.json, request.names["kind"]
    if kind not in KINDS:
        raise RefusalError(400, f"Unknown entity type {kind}")
    entities.find(request.store, request.project, KINDS[kind], request.names["entity"])
    if not body.get("activityType"):
        raise invalid("activityType", "field required")
    key = _add_activity(
        request,
        kind,
        request.names["entity"],
        body["activityType"],
        body.get("body") or "",
        body.get("data") or {},
    )
    add_event(request, "activity.created", request.project["name"], "Activity created")
    return Answer(201, {"id": key})


def _add_activity(
    request: Request, kind: str, entity: str, activity: str, body: str, data: dict[str, Any]
) -> str:
    key = request.json.get("id") if activity == "comment" else None
    made: Document = {
        "activityId": key or new_id(),
        "activityType": activity,
        "activityData": data,
        "body": body,
        "entityId": entity,
        "entityType": kind,
        "referenceType": "origin",
        "createdAt": now(),
        "updatedAt": now(),
        "author": {"name": request.sender.name},
    }
    if request.store.get(request.project["name"], "activity", made["activityId"]) is not None:
        raise RefusalError(409, "Activity already exists.", "unique-violation")
    request.store.insert(request.project["name"], "activity", made["activityId"], made)
    return str(made["activityId"])


@route("POST", f"{_PROJECT}/{{plural}}")
def _create_entity(request: Request) -> Answer:
    project, kind = request.project, _kind(request)
    key = entities.create(request.store, project, kind, request.json, request.sender)
    add_event(request, f"entity.{kind.name}.created", project["name"], f"{kind.name} created")
    return Answer(201, {"id": key})


@route("GET", f"{_PROJECT}/{{plural}}/{{entity}}")
def _get_entity(request: Request) -> Answer:
    kind, entity = _entity(request)
    return Answer(data=entities.shown(request.store, request.project, kind, entity))


@route("PATCH", f"{_PROJECT}/{{plural}}/{{entity}}")
def _patch_entity(request: Request) -> Answer:
    project, kind, key = request.project, _kind(request), request.names["entity"]
    entities.update(request.store, project, kind, key, request.json, request.sender)
    thumbnail = "thumbnailId" in request.json
    topic = f"entity.{kind.name}.{'thumbnail_changed' if thumbnail else 'updated'}"
    add_event(request, topic, project["name"], f"{kind.name} updated")
    return NO_CONTENT


@route("DELETE", f"{_PROJECT}/{{plural}}/{{entity}}")
def _delete_entity(request: Request) -> Answer:
    project, kind = request.project, _kind(request)
    entities.delete(request.store, project, kind, request.names["entity"], request.sender)
    add_event(request, f"entity.{kind.name}.deleted", project["name"], f"{kind.name} deleted")
    return NO_CONTENT


def _kind(request: Request) -> Kind:
    kind = PLURALS.get(request.names["plural"])
    if kind is None:
        raise RefusalError(404, "Not Found")
    return kind


def _entity(request: Request) -> tuple[Kind, Document]:
    kind = _kind(request)
    return kind, entities.find(request.store, request.project, kind, request.names["entity"])
