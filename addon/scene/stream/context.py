# SPDX-License-Identifier: GPL-3.0-or-later
"""What the readers of one stream share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import bpy
import numpy as np
from numpy.typing import NDArray

from ....usd_tools.direct.records import MATERIALS, PROTOTYPES
from .names import usd_name


@dataclass
class StreamContext:
    """The state of one export.

    Attributes:
        root: path of the root prim (``/lantern``).
        animated: whether more than one frame is read.
        folder: where files go that hold what a layer cannot, or None.
        users: how many of the exported objects use a data-block, by its session_uid.
        materials: names of the materials in use, to the paths of their prims,
            in the order in which they were met.
        read_prototypes: paths of the prototypes read at this frame.
        instances: whether what is read instances other geometry.
        paths: of children, by the path of the parent and what they stand for.
        children: names taken below each path.
        duplis: instances on elements and of particles at this frame, see
            :mod:`.duplis`; None until they are asked for.
        shapes: paths reserved for data, by the path of the object and the data's name.
        images: paths of the files of images, by their session_uid.
        notes: what could not be held, for the artist; taken after each object.
        told: the notes that were taken.
    """

    root: str
    animated: bool = False
    folder: Path | None = None
    users: Counter[int] = field(default_factory=Counter)
    materials: dict[str, str] = field(default_factory=dict)
    read_prototypes: set[str] = field(default_factory=set)
    instances: bool = False
    paths: dict[tuple[str, object], str] = field(default_factory=dict)
    children: dict[str, set[str]] = field(default_factory=dict)
    duplis: dict[tuple[int, str], list[tuple[int, NDArray[np.float64], int]]] | None = None
    shapes: dict[tuple[str, str], str] = field(default_factory=dict)
    images: dict[int, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    told: set[str] = field(default_factory=set)

    def child(self, parent: str, name: str, key: object) -> str:
        """The path of the child of ``parent`` that stands for ``key``, the same at every call."""
        path = self.paths.get((parent, key))
        if path is None:
            path = self.shapes.pop((parent, name), "")
            if not path:
                unique = usd_name(name, self.children.setdefault(parent, set()))
                return self.reserve(parent, unique, key)
            self.paths[parent, key] = path
        return path

    def reserve(self, parent: str, name: str, key: object) -> str:
        """Let the child of ``parent`` that stands for ``key`` be called ``name``; its path."""
        self.children.setdefault(parent, set()).add(name)
        path = self.paths[parent, key] = f"{parent}/{name}"
        return path

    def reserve_shape(self, parent: str, data: str, name: str) -> None:
        """Let the first child of ``parent`` that shows ``data`` be called ``name``."""
        self.children.setdefault(parent, set()).add(name)
        self.shapes[parent, data] = f"{parent}/{name}"

    def prototype(self, name: str, key: object) -> str:
        """The path of the prototype that stands for ``key``."""
        self.instances = True
        return self.child(f"{self.root}/{PROTOTYPES}", name, key)

    def is_first(self, path: str) -> bool:
        """Whether the prototype ``path`` is met for the first time at this frame."""
        if path in self.read_prototypes:
            return False
        self.read_prototypes.add(path)
        return True

    def take_notes(self) -> list[str]:
        """The notes since they were taken last, each once for all frames."""
        notes = [note for note in dict.fromkeys(self.notes) if note not in self.told]
        self.told.update(notes)
        self.notes = []
        return notes

    def material_paths(self, materials: Sequence[bpy.types.Material | None]) -> list[str]:
        """Paths of the prims of ``materials``, "" for None."""
        return ["" if m is None else self._material(m.original) for m in materials]

    def _material(self, material: bpy.types.Material) -> str:
        name = material.name_full
        if name not in self.materials:
            self.materials[name] = self.child(f"{self.root}/{MATERIALS}", material.name, name)
        return self.materials[name]
