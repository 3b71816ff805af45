# SPDX-License-Identifier: GPL-3.0-or-later
"""What the steps of graphs gave, kept on disk: what did not change is not made again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ..jobs.files import written_whole
from .edited_files import Array
from .graph import Node, TextureGraph
from .picture import PREVIEW_SIZE, picture, write_picture
from .texture_set import TextureSet

MAX_BYTES = 4 * 1024**3
"""Room that kept steps may take; those of other graphs that were of no use for longest go first."""


def keys_of(graph: TextureGraph) -> Mapping[str, str]:
    """Names for what the nodes give, by the nodes' ids: equal work has equal names.

    A name is the SHA-256 of a node's kind, all its settings and the names of what feeds it, so
    that a change renames everything after it, and nothing else.
    """
    keys: dict[str, str] = {}
    for node in graph.order():
        fed = {name: keys[source] for name, source in node.inputs.items()}
        work = [graph.generator, node.kind, fed, dict(node.filled().settings)]
        keys[node.id] = hashlib.sha256(json.dumps(work, sort_keys=True).encode()).hexdigest()
    return keys


def picture_of(folder: Path, key: str) -> Path:
    """Where the small picture of a step lies (see ``Preview``)."""
    return folder / f"{key}.npy"


_NUMBERS = ("tile_size_m", "height_range_m", "emission_strength")
"""What a set has beside its maps."""


@dataclass(frozen=True)
class Steps:
    """What the nodes of one graph gave, then and now.

    Args:
        folder: where they are kept, those of other graphs too.
        keys: see :func:`keys_of`.
    """

    folder: Path
    keys: Mapping[str, str]

    def needed(self, graph: TextureGraph) -> list[Node]:
        """The nodes that the output needs, but for those before one that is kept; in order."""
        by_id = {node.id: node for node in graph.nodes}
        wanted, waiting = set(), [graph.output.id]
        while waiting:
            name = waiting.pop()
            if name not in wanted and not self.file(name).exists():
                waiting += by_id[name].inputs.values()
            wanted.add(name)
        return [node for node in graph.order() if node.id in wanted]

    def file(self, name: str) -> Path:
        """Where what a node gives is kept."""
        return self.folder / f"{self.keys[name]}.npz"

    def picture(self, name: str) -> Path:
        """Where its picture lies."""
        return picture_of(self.folder, self.keys[name])

    def load(self, name: str) -> TextureSet | Array:
        """What a node gave."""
        file = self.file(name)
        with np.load(file) as kept:
            values = dict(kept)
        file.touch()
        if "image" in values:
            return values["image"]
        numbers = dict(zip(_NUMBERS, values.pop("numbers").tolist(), strict=True))
        return TextureSet(**values, **numbers)

    def models(self) -> Mapping[str, str]:
        """What made the images of nodes, as far as it was kept."""
        files = {name: self._model(name) for name in self.keys}
        return {name: file.read_text("utf-8") for name, file in files.items() if file.exists()}

    def keep(self, name: str, value: TextureSet | Array, model: str = "") -> None:
        """Keep what a node gave, its picture, and the name of the model that made it, if any.

        Raises:
            OSError: there is no room.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        write_picture(_picture(value), self.picture(name))
        if model:
            self._model(name).write_text(model, "utf-8")
        with written_whole(self.file(name)) as partial:
            np.savez(partial, **_arrays(value))
        self._trim()

    def _model(self, name: str) -> Path:
        return self.folder / f"{self.keys[name]}.txt"

    def _trim(self) -> None:
        kept = sorted(self.folder.glob("*.npz"), key=lambda file: file.stat().st_mtime_ns)
        room = sum(file.stat().st_size for file in kept) - MAX_BYTES
        own = {self.file(name) for name in self.keys}
        for file in kept:
            if room > 0 and file not in own:
                room -= file.stat().st_size
                file.unlink()


def _arrays(value: TextureSet | Array) -> dict[str, Any]:
    if not isinstance(value, TextureSet):
        return {"image": value}
    return {**value.maps, "numbers": np.array([getattr(value, name) for name in _NUMBERS])}


def _picture(value: TextureSet | Array) -> Array:
    if isinstance(value, TextureSet):
        small: dict[str, Any] = {name: _small(each) for name, each in value.maps.items()}
        return picture(replace(value, **small))
    image = _small(value)
    opaque = np.ones((*image.shape[:2], 1), np.float32)
    return np.concatenate([image, opaque], axis=2)


def _small(values: Array) -> Array:
    """Means of square blocks, at most ``PREVIEW_SIZE`` of them along a side."""
    side = -(-max(values.shape[:2]) // PREVIEW_SIZE)
    rows, columns = (max(length // side, 1) for length in values.shape[:2])
    blocks = values[: rows * side, : columns * side].reshape(
        rows, min(side, values.shape[0]), columns, min(side, values.shape[1]), -1
    )
    means = blocks.mean((1, 3), dtype=np.float32)
    return means if values.ndim == 3 else means[:, :, 0]
