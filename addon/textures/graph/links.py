# SPDX-License-Identifier: GPL-3.0-or-later
"""What feeds what, past reroutes and muted nodes."""

from __future__ import annotations

from typing import Any

from ....jobs.errors import StagewrightError
from ....texture_lab.graph import KINDS, Value
from .names import kind_of


def source(socket: Any) -> Any | None:
    """The node that feeds an input; None where nothing does.

    Raises:
        StagewrightError: ``bad-graph``, naming the node: a muted one that has nothing to pass
            on, or links in a circle.
    """
    passed = set()
    while True:
        link = next((link for link in socket.links if not link.is_muted), None)
        if link is None:
            return None
        node = link.from_node
        if node.name in passed:
            raise refusal(node, "its links go in a circle", "Take one of them away.")
        passed.add(node.name)
        if node.bl_idname != "NodeReroute" and not node.mute:
            return node
        if node.mute and not _passes_on(node):
            raise refusal(node, "it is muted, and nothing can take its place", "Unmute it.")
        socket = node.inputs[0]


def fits(link: Any) -> bool:
    """Whether a link gives what is needed at its end, as far as can be told."""
    kind = KINDS.get(kind_of(link.to_node))
    if kind is None:
        return True
    name = list(kind.inputs)[list(link.to_node.inputs).index(link.to_socket)]
    wanted = kind.inputs[name]
    given = _given(link.from_node, frozenset())
    return given is None or wanted in ("same", given)


def refusal(node: Any, why: str, cure: str) -> StagewrightError:
    """Of a graph, for one of its nodes."""
    return StagewrightError("bad-graph", f"{node.name}: {why}.", cure)


def _passes_on(node: Any) -> bool:
    kind = KINDS.get(kind_of(node))
    first = next(iter(kind.inputs.values()), None) if kind else None
    return first is not None and kind is not None and kind.result in ("same", first)


def _given(node: Any, passed: frozenset[str]) -> Value | None:
    """An image or a set; None where nothing feeds it, or a circle does."""
    kind = KINDS.get(kind_of(node))
    if kind is not None and kind.result != "same":
        return kind.result
    links = node.inputs[0].links if node.inputs else ()
    if node.name in passed or not links:
        return None
    return _given(links[0].from_node, passed | {node.name})
