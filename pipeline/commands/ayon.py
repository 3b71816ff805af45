# SPDX-License-Identifier: GPL-3.0-or-later
"""The verbs that speak with AYON."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from ...jobs.events import Job, Message, Waiting
from ..host import SceneHost
from .common import add_group, add_verb


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
