# SPDX-License-Identifier: GPL-3.0-or-later
"""A tree's set, made beside the artist's work as all sets are."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bpy

from ....jobs.compose import changed
from ....jobs.errors import StagewrightError
from ....jobs.events import Event, Job, Progress, Waiting
from ....jobs.files import written_whole
from ....texture_lab.graph import TextureGraph
from ....texture_lab.graph_steps import keys_of, picture_of
from ... import beside
from .. import making, pictures, services
from ..history import FOLDER
from . import states
from .record import Step, graph_of, ids_of

_CHUNK = 1 << 20
"""Bytes of a file that are read at a time."""


@dataclass(frozen=True)
class Run:
    """A set to be made of a tree as it was when asked for; no object of Blender is held.

    Args:
        tree: its session_uid.
        output: name of its output node.
        steps: its nodes.
        size: of drawn materials; as the nodes say if None.
        item: session_uid of the object that takes the material.
        displace: whether the height moves its surface.
    """

    tree: int
    output: str
    steps: Sequence[Step]
    size: int | None
    item: int
    displace: bool


def make(run: Run) -> Job[Mapping[str, Any]]:
    """Make the set and give it to the object.

    Raises:
        StagewrightError: those of :func:`.making.make` and :func:`record.graph_of`; shown by the
            node whose name they begin with, or else by the output.
    """
    states.begin(run.tree, [(step.node, "") for step in run.steps])
    try:
        return (yield from _made(run))
    except StagewrightError as error:
        fail(run.tree, [step.node for step in run.steps], run.output, error)
        raise
    except KeyboardInterrupt:
        states.quiet(run.tree)
        raise


def fail(tree: int, nodes: Sequence[str], output: str, error: StagewrightError) -> None:
    """Let the node that an error names show it, or the output."""
    named = {id_: name for name, id_ in ids_of(nodes).items()} | {name: name for name in nodes}
    name, _, why = error.message.partition(": ")
    if name in named and why:
        states.say(tree, named[name], f"{why} {error.cure}", failed=True)
    else:
        states.say(tree, output, str(error), failed=True)


def gathered(steps: Sequence[Step], folder: Path, size: int | None) -> Job[TextureGraph]:
    """The record of steps, their photos and masks copied to where the set will lie.

    Raises:
        StagewrightError: ``no-file``, ``write-failed``, ``bad-graph``.
    """
    files = {}
    for step in steps:
        if step.file is not None:
            yield Progress("graph.file", 0.0, f"{step.node}: reading {step.file.name}")
            files[step.node] = yield from _taken(step.node, step.file, folder)
    return graph_of(steps, files, size)


def _made(run: Run) -> Job[Mapping[str, Any]]:
    graph = yield from gathered(run.steps, beside.home(FOLDER), run.size)
    ids = ids_of([step.node for step in run.steps])
    keys = keys_of(graph)
    states.begin(run.tree, [(name, keys[id_]) for name, id_ in ids.items()])
    item = next((item for item in bpy.data.objects if item.session_uid == run.item), None)
    if item is None:
        raise StagewrightError(
            "object-gone", "The object is gone.", "Choose another object and run it again."
        )
    names = {id_: name for name, id_ in ids.items()}

    def shown(event: Event | Waiting) -> Event | Waiting:
        if isinstance(event, Progress):
            name = names.get(event.message.partition(": ")[0])
            if event.step == "graph.node" and name:
                states.say(run.tree, name, "Running")
        return event

    # Trees without such nodes run offline, whatever the preferences name.
    asked = graph.services_of(graph.nodes)
    makers = services.known() if asked else {}
    commission = making.of_graph(graph, item, services=makers, keep=pictures.steps())
    for picture in (picture_of(pictures.steps(), key) for key in keys.values()):
        if picture.exists():
            pictures.show(picture.stem, picture)
    value = yield from changed(making.make(commission, item, run.displace), shown)
    states.quiet(run.tree)
    return value


def _taken(node: str, file: Path, folder: Path) -> Job[tuple[str, str]]:
    """Name of a file's copy in a folder, and its hash; a file that lies there is its own copy."""
    try:
        digest = yield from _hash(file)
        if file.parent == folder:
            return file.name, digest
        target = folder / file.name
        if target.exists() and (yield from _hash(target)) != digest:
            target = folder / f"{file.stem}_{digest[:8]}{file.suffix}"
        if not target.exists():
            folder.mkdir(parents=True, exist_ok=True)
            with written_whole(target) as partial, partial.open("wb") as stream:
                yield from _hash(file, stream)
    except OSError as error:
        raise StagewrightError(
            "no-file",
            f"{node}: {file.name} cannot be read or copied to {folder} ({error.strerror}).",
            "Check its path, and whether there is room.",
        ) from None
    return target.name, digest


def _hash(file: Path, copy: Any = None) -> Job[str]:
    """The SHA-256 of a file, read in parts so that the window goes on; written to a copy."""
    found = hashlib.sha256()
    with file.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            found.update(chunk)
            if copy is not None:
                copy.write(chunk)
            yield Progress("graph.file", 0.0, f"Reading {file.name}")
    return found.hexdigest()
