# SPDX-License-Identifier: GPL-3.0-or-later
"""Projects of the demo server, with the anatomy that a new one has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..anatomy import DEFAULT_ANATOMY, WORK_ANATOMY
from ..entities import now
from ..names import PROJECT_CODE, PROJECT_NAME
from .store import SERVER, Document, RefusalError, Store

PLATFORMS = ("windows", "linux", "darwin")

ATTRIBUTES: Mapping[str, tuple[str, Any]] = {
    "fps": ("float", 25.0),
    "resolutionWidth": ("integer", 1920),
    "resolutionHeight": ("integer", 1080),
    "pixelAspect": ("float", 1.0),
    "clipIn": ("integer", 1),
    "clipOut": ("integer", 1),
    "frameStart": ("integer", 1001),
    "frameEnd": ("integer", 1001),
    "handleStart": ("integer", 0),
    "handleEnd": ("integer", 0),
    "description": ("string", None),
    "comment": ("string", None),
    "source": ("string", None),
    "machine": ("string", None),
    "families": ("list_of_strings", None),
    "intent": ("string", None),
    "productGroup": ("string", None),
    "path": ("string", None),
    "template": ("string", None),
}
_SCOPE = ("project", "folder", "task", "product", "version", "representation", "workfile")

LINK_TYPES = (
    ("generative", "workfile", "version"),
    ("reference", "version", "version"),
    ("reference", "version", "workfile"),
)


def attributes() -> Document:
    """Answer of ``GET attributes``."""
    return {
        "attributes": [
            {
                "name": name,
                "scope": list(_SCOPE),
                "builtin": True,
                "position": position,
                "data": {"type": kind, "title": name, "default": default, "inherit": True},
            }
            for position, (name, (kind, default)) in enumerate(ATTRIBUTES.items())
        ]
    }


def anatomy_preset() -> Document:
    """Answer of ``GET anatomy/presets/__primary__``."""
    publish = {
        "name": "default",
        "directory": DEFAULT_ANATOMY.directory,
        "file": DEFAULT_ANATOMY.file,
    }
    work = {
        "name": "default",
        "directory": WORK_ANATOMY.directory,
        "file": WORK_ANATOMY.file,
    }
    folder_types = ("Folder", "Library", "Asset", "Episode", "Sequence", "Shot")
    task_types = ("Generic", "Modeling", "Lookdev", "Layout", "Animation", "Lighting", "FX")
    statuses = ("Not ready", "Ready to start", "In progress", "Pending review", "Approved")
    return {
        "roots": [
            {
                "name": "work",
                "windows": "C:/projects",
                "linux": "/mnt/share/projects",
                "darwin": "/Volumes/projects",
            }
        ],
        "templates": {
            "version_padding": 3,
            "version": "v{version:0>{@version_padding}}",
            "frame_padding": 4,
            "frame": "{frame:0>{@frame_padding}}",
            "work": [work],
            "publish": [publish],
            "hero": [],
            "delivery": [],
            "others": [],
        },
        "attributes": {name: default for name, (_, default) in ATTRIBUTES.items()},
        "folder_types": [{"name": name, "icon": "folder"} for name in folder_types],
        "task_types": [{"name": name, "icon": "task_alt"} for name in task_types],
        "link_types": [
            {"link_type": name, "input_type": a, "output_type": b} for name, a, b in LINK_TYPES
        ],
        "statuses": [{"name": name, "state": "not_started"} for name in statuses],
        "tags": [],
    }


def create_project(store: Store, body: Document) -> None:
    """Make a project (``POST projects``)."""
    name, code = str(body.get("name", "")), str(body.get("code", ""))
    for field, value, pattern in (("name", name, PROJECT_NAME), ("code", code, PROJECT_CODE)):
        if not pattern.fullmatch(value):
            raise invalid(field, f"string does not match regex {pattern.pattern}")
    for field, value in (("name", name), ("code", code)):
        if not store.claim(SERVER, "project", name, field, value.lower()):
            raise RefusalError(
                409, f"Project with {field} '{value}' already exists.", "unique-violation"
            )
    anatomy = body.get("anatomy") or anatomy_preset()
    templates = anatomy["templates"]
    grouped = {
        key: {each["name"]: {**each} for each in value}
        for key, value in templates.items()
        if isinstance(value, list)
    }
    common = {key: value for key, value in templates.items() if not isinstance(value, list)}
    roots = {
        root["name"]: {each: root[each] for each in PLATFORMS} for root in anatomy.get("roots", [])
    }
    links = [
        {
            "name": f"{each['link_type']}|{each['input_type']}|{each['output_type']}",
            "linkType": each["link_type"],
            "inputType": each["input_type"],
            "outputType": each["output_type"],
            "data": {},
        }
        for each in anatomy.get("link_types", [])
    ]
    project = {
        "name": name,
        "code": code,
        "library": bool(body.get("library", False)),
        "folderTypes": anatomy["folder_types"],
        "taskTypes": anatomy["task_types"],
        "linkTypes": links,
        "statuses": anatomy["statuses"],
        "tags": anatomy.get("tags", []),
        "config": {"roots": roots, "templates": {"common": common, **grouped}},
        "attrib": anatomy.get("attributes", {}),
        "ownAttrib": [],
        "data": body.get("data", {}),
        "active": True,
        "createdAt": now(),
        "updatedAt": now(),
    }
    store.insert(SERVER, "project", name, project)


def find_project(store: Store, name: str) -> Document:
    """A project's document, whatever the case of its name; refuses with 404."""
    for project in store.all(SERVER, "project"):
        if project["name"].lower() == name.lower():
            return project
    raise RefusalError(404, "Project not found")


def site_roots(store: Store, project: Document, platform: str, site: str) -> dict[str, str]:
    """The roots of a project for a platform, with a site's overrides."""
    roots = {name: paths.get(platform, "") for name, paths in project["config"]["roots"].items()}
    overrides = store.get(project["name"], "roots", site) if site else None
    return roots | (overrides or {})


def invalid(field: str, text: str) -> RefusalError:
    """The refusal of a body's field, as FastAPI tells it."""
    return RefusalError(400, f"{field}: {text}", "", [{"loc": ["body", field], "msg": text}])
