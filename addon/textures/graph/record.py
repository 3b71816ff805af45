# SPDX-License-Identifier: GPL-3.0-or-later
"""A tree as the record that the lab makes sets of, and the other way round."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bpy
import numpy as np

from ....jobs.errors import StagewrightError
from ....texture_lab.graph import KINDS, Choice, Node, Setting, TextureGraph
from . import links
from .names import NODE_KINDS, TREE, idname, kind_of, property_of, title

_ID = 64
"""Letters that a record's names have at most."""


@dataclass(frozen=True)
class Step:
    """A node of a tree, but for the hash of the file that it names.

    Args:
        node: name of the tree's node.
        kind: one of ``KINDS``.
        inputs: nodes' names, by the names of what they feed.
        settings: all of them, without a file's.
        file: the photo or the mask; None where the kind has none.
    """

    node: str
    kind: str
    inputs: Mapping[str, str]
    settings: Mapping[str, Setting]
    file: Path | None


def output_of(tree: bpy.types.NodeTree, name: str = "") -> bpy.types.Node:
    """The output of that name; without one, the active one, or the first.

    Raises:
        StagewrightError: ``bad-graph``: there is none.
    """
    outputs = [node for node in tree.nodes if kind_of(node) == "output"]
    named = [node for node in outputs if node.name == name]
    active = [node for node in outputs if node == tree.nodes.active]
    found = next(iter([*named, *active, *outputs]), None)
    if found is None:
        raise StagewrightError(
            "bad-graph", f"{tree.name} has no output.", "Add an Output node and feed it."
        )
    if found.mute:
        raise links.refusal(found, "it is muted, so that nothing would be made", "Unmute it.")
    return found


def steps_of(output: bpy.types.Node) -> list[Step]:
    """An output and all the nodes that it needs.

    Raises:
        StagewrightError: ``bad-graph``, its message beginning with the node's name and a colon.
    """
    steps: dict[str, Step] = {}
    waiting = [output]
    while waiting:
        node = waiting.pop()
        if node.name not in steps:
            fed = _inputs(node)
            steps[node.name] = _step(node, {name: each.name for name, each in fed.items()})
            waiting += fed.values()
    return list(steps.values())


def graph_of(
    steps: Sequence[Step], files: Mapping[str, tuple[str, str]], size: int | None = None
) -> TextureGraph:
    """The record of steps.

    Args:
        steps: see :func:`steps_of`.
        files: names of the photos' and masks' files, and their hashes, by their nodes' names.
        size: of all drawn materials; as the nodes say if None.

    Raises:
        StagewrightError: ``bad-graph``.
    """
    ids = ids_of([step.node for step in steps])
    nodes = []
    for step in steps:
        settings = dict(step.settings)
        if step.node in files:
            settings[KINDS[step.kind].file], settings["sha256"] = files[step.node]
        if size is not None and "size" in settings:
            settings["size"] = size
        inputs = {name: ids[source] for name, source in step.inputs.items()}
        nodes.append(Node(ids[step.node], step.kind, inputs, settings))
    return TextureGraph(tuple(nodes))


def ids_of(names: Sequence[str]) -> Mapping[str, str]:
    """Names that a record takes: letters, digits and underscores; those that are such stay."""
    plain = {name for name in names if re.fullmatch(rf"\w{{1,{_ID}}}", name)}
    ids = {name: name for name in plain}
    for name in names:
        if name not in ids:
            stem = re.sub(r"\W+", "_", name)[: _ID - 4]
            numbers = (f"{stem}_{number}" for number in range(1, len(names) + 1))
            taken = set(ids.values())
            ids[name] = next(each for each in (stem, *numbers) if each not in taken)
    return ids


def fill(tree: bpy.types.NodeTree, graph: TextureGraph, folder: Path) -> None:
    """Make a tree of a record, in place of what the tree holds.

    Args:
        tree: one of the lab's.
        graph: the record.
        folder: where its photos and masks lie.

    Raises:
        StagewrightError: ``bad-graph``: a kind that trees lack, or a name or a number too large for
            Blender; the tree is as it was.
    """
    _refuse(graph)
    tree.nodes.clear()
    order = graph.order()
    depth: dict[str, int] = {}
    rows: dict[int, int] = {}
    for node in order:
        made = tree.nodes.new(idname(node.kind))
        made.name = node.id
        depth[node.id] = 1 + max((depth[name] for name in node.inputs.values()), default=-1)
        row = rows[depth[node.id]] = rows.get(depth[node.id], -1) + 1
        made.location = 260.0 * depth[node.id], -420.0 * row
        _give(made, node, folder)
        for place, name in enumerate(KINDS[node.kind].inputs):
            tree.links.new(tree.nodes[node.inputs[name]].outputs[0], made.inputs[place])
    tree.nodes.active = tree.nodes[graph.output.id]


def new_tree(name: str) -> bpy.types.NodeTree:
    """A tree without nodes."""
    return bpy.data.node_groups.new(name, TREE)


def _inputs(node: Any) -> dict[str, Any]:
    """What feeds each of its inputs."""
    kind = KINDS.get(kind_of(node))
    if kind is None:
        cure = "Put its contents in its place; groups and nodes of other makers cannot run here."
        raise links.refusal(node, "it is no node of the Texture Lab", cure)
    fed = {}
    for place, name in enumerate(kind.inputs):
        found = links.source(node.inputs[place])
        if found is None:
            why = f"nothing feeds its input {title(name)}"
            raise links.refusal(node, why, "Link something to it.")
        fed[name] = found
    return fed


def _step(node: Any, inputs: Mapping[str, str]) -> Step:
    name = kind_of(node)
    kind = KINDS[name]
    settings: dict[str, Setting] = {}
    file = None
    for key, setting in kind.settings.items():
        if key == "sha256":
            continue
        value = _plain(getattr(node, property_of(key)), setting)
        if key == kind.file and value:
            file = Path(bpy.path.abspath(str(value)))
            continue
        if not setting.allows(value):
            raise links.refusal(node, f"it has no usable {title(key)}", f"Set its {title(key)}.")
        settings[key] = value
        if key == kind.file:
            settings["sha256"] = ""
    for item in node.sliders if kind.free else ():
        settings[f"{kind.free}{item.name}"] = _decimal(item.value)
    return Step(node.name, name, inputs, settings, file)


def _plain(value: Any, setting: Any) -> Setting:
    if isinstance(setting, Choice):
        return next(word for word in setting.words if word == value or str(word) == value)
    return _decimal(value) if isinstance(value, float) else value


def _decimal(value: float) -> float:
    """The shortest number that Blender, which keeps 32 bits, has as the same: 0.7, not 0.69999."""
    return float(str(np.float32(value)))


def _give(made: Any, node: Node, folder: Path) -> None:
    """Let a new node have the settings of a record's."""
    kind = KINDS[node.kind]
    for key, setting in kind.settings.items():
        if key == kind.file:
            setattr(made, property_of(key), str(folder / node[key]) if node[key] else "")
        elif key != "sha256":
            value = node[key]
            worded = isinstance(setting, Choice) and not isinstance(value, bool)
            setattr(made, property_of(key), str(value) if worded else value)
    for key, number in node.settings.items():
        if key not in kind.settings:
            item = made.sliders.add()
            item.name = key.removeprefix(kind.free)
            item.value = number


def _refuse(graph: TextureGraph) -> None:
    for node in graph.nodes:
        if node.kind not in NODE_KINDS:
            raise StagewrightError(
                "bad-graph",
                f"{node.id}: a {title(node.kind)} cannot be in a tree.",
                "Make the set again from its own record.",
            )
        large = [k for k, v in node.settings.items() if isinstance(v, int) and v > 2**31 - 1]
        if large or len(node.id.encode()) > 63:
            what = f"its {large[0]}" if large else "its name"
            raise StagewrightError(
                "bad-graph",
                f"{node.id}: {what} is too large for Blender.",
                "Choose a smaller one in the file.",
            )
