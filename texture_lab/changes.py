# SPDX-License-Identifier: GPL-3.0-or-later
"""Sets that are there, changed: graphs that begin with them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from ..jobs.errors import StagewrightError
from .graph import KINDS, Node, Setting, TextureGraph
from .photo import PhotoRequest
from .request import Normals, TextureRequest
from .requests import AnyRequest, request_from_json
from .stored_set import fingerprint, read_about

TOOLS = ("vary", "upscale", "tile", "blend")
"""Kinds of nodes that change a set, by settings alone."""


@dataclass(frozen=True)
class Origin:
    """A set that is there, as a graph begins with it.

    Args:
        node: makes it: of its words, or reads its files.
        repeats: whether it repeats.
        normals: the direction of its normal map's green.
    """

    node: Node
    repeats: bool
    normals: Normals


def origin_of(sidecar: Path) -> Origin:
    """A set, by the words that it was made of; a set of anything else by its files.

    Raises:
        StagewrightError: ``bad-set``.
    """
    about = read_about(sidecar)
    try:
        request: AnyRequest | None = request_from_json(json.dumps(about["request"]))
    except StagewrightError:  # Another version made it.
        request = None
    wraps = request is not None and repeats(request)
    if isinstance(request, TextureRequest):
        settings: dict[str, Setting] = {
            "prompt": request.prompt,
            "size": request.size,
            "seed": request.seed,
            **{f"slider:{name}": value for name, value in request.parameters.items()},
        }
        node = Node("set", "text_to_texture", settings=settings)
    else:
        settings = {"file": sidecar.name, "sha256": fingerprint(sidecar), "repeats": wraps}
        node = Node("set", "stored_set", settings=settings)
    return Origin(node, wraps, about["normals"])


def changed(
    tool: str, settings: Mapping[str, Setting], source: Origin, above: Origin | None = None
) -> TextureGraph:
    """The graph that changes a set.

    Args:
        tool: one of ``TOOLS``.
        settings: of that kind of node; ``repeats`` is added where it has such.
        source: the set.
        above: the set that is laid over it, to ``blend``.

    Raises:
        StagewrightError: ``bad-graph``.
    """
    known = KINDS[tool].settings
    wraps = {"repeats": source.repeats} if "repeats" in known else {}
    nodes = [source.node]
    inputs = {"source": source.node.id}
    if above is not None:
        nodes.append(replace(above.node, id="above"))
        inputs = {"below": source.node.id, "above": "above"}
    nodes.append(Node("changed", tool, inputs, {**settings, **wraps}))
    nodes.append(Node("out", "output", {"set": "changed"}, {"normals": source.normals}))
    return TextureGraph(tuple(nodes))


def repeats(request: AnyRequest) -> bool:
    """Whether the set of a request repeats, as far as its request says."""
    if isinstance(request, TextureRequest):
        return True
    if isinstance(request, PhotoRequest):
        return bool(request.tile)
    found: dict[str, bool] = {}
    for node in request.order():
        if node.kind in ("text_to_texture", "tile"):
            found[node.id] = True
        elif "repeats" in KINDS[node.kind].settings:
            found[node.id] = node["repeats"]
        else:
            found[node.id] = bool(node.inputs) and all(found[n] for n in node.inputs.values())
    return found[request.output.id]
