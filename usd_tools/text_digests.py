# SPDX-License-Identifier: GPL-3.0-or-later
"""Which prims of two layers are surely the same: those that USD writes as the same text.

USD writes a prim several times as fast as Python looks at its specs one after the other.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from pxr import Sdf

_LARGEST = 100 << 20  # bytes of files, beyond which their text would take too much memory

# Where a prim begins: nothing else begins a line so, but lines within a text of several.
_PRIM = re.compile(r'^( *)(?:def|over|class) (?:[^\s"]+ )?"([^"]+)"', re.MULTILINE)

_LINES = ('"""', "'''")


def are_small(layers: Iterable[Sdf.Layer]) -> bool:
    """Whether the text of what ``layers`` hold fits into memory with ease."""
    files = [Path(layer.realPath) for layer in layers if layer.realPath]
    return sum(file.stat().st_size for file in files if file.is_file()) <= _LARGEST


def digests(layer: Sdf.Layer) -> dict[str, int]:
    """A number for each prim, by path, the same where the text of it and of all below is the same.

    Prims within variants count to the prim that has the variants; a path that comes twice (in
    two variants) is left out. A layer with texts of several lines has none: what they hold may
    look like prims.
    """
    text = layer.ExportToString()
    if any(mark in text for mark in _LINES):
        return {}
    starts = list(_PRIM.finditer(text))
    ends = [start.start() for start in starts[1:]] + [len(text)]
    found: dict[str, int] = {}
    twice: set[str] = set()
    # Prims that go on: their indents, their paths, and the hashes of what they have said.
    open_prims: list[tuple[int, str, list[int]]] = []

    def close(indent: int) -> None:
        while open_prims and open_prims[-1][0] >= indent:
            _, path, said = open_prims.pop()
            if path in found:
                twice.add(path)
            found[path] = hash(tuple(said))
            if open_prims:
                open_prims[-1][2].append(found[path])

    for start, end in zip(starts, ends, strict=True):
        indent = len(start[1])
        close(indent)
        above = open_prims[-1][1] if open_prims else ""
        open_prims.append((indent, f"{above}/{start[2]}", [hash(text[start.start() : end])]))
    close(0)
    return {path: number for path, number in found.items() if path not in twice}
