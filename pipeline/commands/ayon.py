# SPDX-License-Identifier: GPL-3.0-or-later
"""The verbs that speak with AYON."""

from __future__ import annotations

import argparse
import getpass
import sys
from collections.abc import Mapping
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, get_args

from ...ayon_bridge.home import Home, not_found
from ...jobs.errors import StagewrightError
from ...jobs.events import Job, Message, Waiting
from .. import published, settings
from ..host import SceneHost
from ..published import Kind
from .common import add_group, add_library, add_verb, require_usd


def add(verbs: Any) -> None:
    """Add the verbs."""
    group = add_group(verbs, "ayon", "Work with an AYON server.")
    verb = add_verb(
        group,
        "demo-server",
        "Run a small AYON server of our own on this machine, to try things out.",
        handler=_demo_server,
        summary=_served,
    )
    verb.add_argument("--port", type=int, default=5000, help="default: %(default)s; 0: any free")
    verb.add_argument("--database", type=Path, metavar="FILE", help="keep the data in this file")
    verb.add_argument(
        "--fault",
        action="append",
        default=[],
        metavar="FAULT",
        help='let requests fail: "METHOD PATH ACTION=VALUE TIMES", with the actions status, '
        "slow, hang, drop, lost, html, redirect and die (may be repeated)",
    )
    verb.add_argument("--requests", type=int, help="end after this many requests")

    login = add_verb(
        group,
        "login",
        "Keep a server's address and a user's API key, which is asked for, in the user's folder.",
        handler=_login,
        summary=_logged_in,
    )
    login.add_argument("--server", required=True, metavar="URL", help="the server's address")
    add_verb(
        group, "logout", "Forget the server and the key.", handler=_logout, summary=_logged_out
    )
    browse = add_verb(
        group,
        "browse",
        "List projects, a project's folders, a folder's products and versions, or all that is "
        "known of a product's versions: comments, what they are made of, what is made of them.",
        handler=_browse,
        summary=_rows,
    )
    browse.add_argument("project", nargs="?", help="list its folders")
    browse.add_argument("folder", nargs="?", help="list its products and versions")
    browse.add_argument("product", nargs="?", help="tell all of its versions")
    browse.add_argument(
        "--search",
        default="",
        metavar="WORDS",
        help="list the newest versions in the project of whose folder, product, type, comment or "
        "author all the words are part",
    )
    add_library(browse)
    load = add_verb(
        group,
        "load",
        "Find a version's file on this machine, and tell what Blender can load it as.",
        handler=_load,
        summary=_found,
    )
    for name in ("project", "folder", "product"):
        load.add_argument(name)
    load.add_argument("--version", type=int, help="its number (default: the newest)")
    load.add_argument("--as", dest="kind", choices=get_args(Kind), default="", help="which file")
    add_library(load)

    sync = add_verb(
        group,
        "sync",
        "Send what was published into the library while there was no server.",
        handler=_sync,
        summary=_synced,
        found_errors=_some_wait,
    )
    add_library(sync)
    sync.add_argument(
        "--on-conflict",
        choices=("renumber", "keep", "skip"),
        default="keep",
        help="what becomes of a version whose number the server has from somebody else: it gets "
        "the next one, waits on, or stays in the library for good (default: %(default)s)",
    )
    sync.add_argument(
        "--only",
        action="append",
        default=[],
        metavar="VERSION-ID",
        help="send this version alone (may be repeated)",
    )


def _sync(options: argparse.Namespace, host: SceneHost | None) -> Job[dict[str, Any]]:
    require_usd()
    from ..sync import SyncOrder, sync

    library = options.library or settings.default_library()
    return (yield from sync(SyncOrder(library, options.on_conflict, tuple(options.only))))


def _some_wait(value: Mapping[str, Any]) -> bool:
    return any(row["state"] == "waiting" for row in value["rows"])


def _synced(value: Mapping[str, Any]) -> str:
    lines = []
    for row in value["rows"]:
        named = f"{row['folder']} {row['product']} {row['queued']}"
        became = {"sent": f"sent as {row['version']}", "skipped": "stays in the library"}
        waits = f"waits on, {row['versionId']}. {row['message']}"
        lines.append(f"{named}: {became.get(row['state'], waits)}")
    return "\n".join(lines) or "Nothing waits for the server."


def _login(options: argparse.Namespace, host: SceneHost | None) -> Job[dict[str, Any]]:
    from ..places import log_in

    # Not an option: those can be read in the list of processes, and in the shell's history.
    if sys.stdin.isatty():
        key = getpass.getpass("API key: ")
    else:
        key = sys.stdin.readline().strip()
    return (yield from log_in(options.server, key))


def _logged_in(value: Mapping[str, Any]) -> str:
    return f"{value['user']} is logged in to {value['server']}; the key is in {value['path']}."


def _logout(options: argparse.Namespace, host: SceneHost | None) -> Job[dict[str, Any]]:
    from ...ayon_bridge import credentials

    yield Waiting()
    return {"forgotten": credentials.forget()}


def _logged_out(value: Mapping[str, Any]) -> str:
    return "The key is forgotten." if value["forgotten"] else "There was no key."


def _browse(options: argparse.Namespace, host: SceneHost | None) -> Job[dict[str, Any]]:
    yield Waiting()
    library = str(options.library or "")
    if options.search:
        if options.project is None or options.folder is not None:
            raise StagewrightError(
                "bad-arguments", "A search is one in a project.", "Name a project, and no folder."
            )
        value = yield from published.products(library, options.project)
        found = published.search(_versions(value), options.search)
        return {"rows": [f"{each.folder} {_named(each)}" for each in found]}
    with published.open_home(library) as home:
        if options.project is None:
            return {"rows": [each.name for each in home.get_projects()]}
        if options.folder is None:
            return {"rows": [each.path for each in home.get_folders(options.project)]}
        if options.product is not None:
            place = options.project, options.folder, options.product
            product = published.find_product(home, *place).id
        else:
            return {"rows": _of_folder(home, options.project, options.folder)}
    value = yield from published.versions_of_product(library, options.project, product)
    return {**value, "rows": [line for each in _versions(value) for line in _told(each, value)]}


def _of_folder(home: Home, project: str, path: str) -> list[str]:
    folder = home.get_folder_by_path(project, path)
    if folder is None:
        raise not_found("folder", path)
    products = home.get_products(project, folder_ids=[folder.id])
    versions = home.get_versions(project, None, [each.id for each in products])
    names = {each.id: each.name for each in products}
    return sorted(f"{names[each.product_id]} {each.name}" for each in versions)


def _versions(value: Mapping[str, Any]) -> list[published.PublishedVersion]:
    return [published.PublishedVersion.from_json(each) for each in value["versions"]]


def _named(version: published.PublishedVersion) -> str:
    return f"{version.product} {version.version}  {version.comment}".rstrip()


def _told(version: published.PublishedVersion, value: Mapping[str, Any]) -> list[str]:
    """A version with what is said of it and what it is linked to, a line each."""
    key = version.version_id
    lines = [f"{version.product} {version.version}  {version.author}, {version.created_at[:10]}"]
    said = value["comments"].get(key, ())
    lines += [f"  {each['author']}: {each['body']}" for each in said]
    for title, ends in (("made with", "inputs"), ("used by", "outputs")):
        for each in value[ends].get(key, ()):
            lines.append(f"  {title} {each['folder']} {each['product']} {each['version']}")
    return lines


def _load(options: argparse.Namespace, host: SceneHost | None) -> Job[dict[str, Any]]:
    yield Waiting()
    library = str(options.library or "")
    with published.open_home(library) as home:
        place = options.project, options.folder, options.product
        product = published.find_product(home, *place)
        found = home.get_versions(options.project, product_ids=[product.id])
    if options.version is not None:
        found = [each for each in found if each.version == options.version]
    if not found:
        number = f" v{options.version:03d}" if options.version is not None else ""
        raise not_found("version", f"{options.folder} {product.name}{number}")
    key = found[-1].id
    value = yield from published.one_version(library, options.project, key, options.kind)
    version = published.PublishedVersion.from_json(value)
    return {**value, "path": str(version.files[options.kind or version.kinds[0]])}


def _found(value: Mapping[str, Any]) -> str:
    return f"{value['path']}\n{value['product']} {value['version']}, id {value['version_id']}"


def _rows(value: Mapping[str, Any]) -> str:
    return "\n".join(value["rows"])


def _served(value: Mapping[str, Any]) -> str:
    return f"Answered {value['requests']} requests."


def _demo_server(options: argparse.Namespace, host: SceneHost | None) -> Job[dict[str, Any]]:
    from ...ayon_bridge.demo.faults import parse_all
    from ...ayon_bridge.demo.server import Access, DemoServer

    lines: SimpleQueue[Access] = SimpleQueue()
    faults = parse_all(options.fault)
    count = 0
    with DemoServer(options.port, options.database, faults, lines.put) as server:
        yield Message(f"AYON_SERVER_URL={server.url}")
        for role, key in server.add_users().items():
            yield Message(f"AYON_API_KEY={key}  # {role}")
        while count != options.requests:
            try:
                line = lines.get_nowait()
            except Empty:
                yield Waiting()
                continue
            count += 1
            yield Message(f"{line.method} {line.path} {line.status or 'no answer'}")
    return {"requests": count}
