# SPDX-License-Identifier: GPL-3.0-or-later
"""The part of a stage's tree that is open, as lines to draw: plain data, read once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from pxr import Sdf, Usd

from .tree import PrimRow, children, row, search

LIMIT = 10_000
"""Lines that a search, or the opening of one prim, may add."""


@dataclass(frozen=True)
class Line:
    """One line of the outline.

    Attributes:
        row: the prim.
        depth: levels below the first one; 0 in the result of a search.
        opened: whether the lines below it are shown.
    """

    row: PrimRow
    depth: int
    opened: bool = False


class Outline:
    """The open prims of a stage, line by line; the stage is read as lines are opened.

    Attributes:
        lines: what is shown.
        query: the search that ``lines`` are the result of; "" for the tree.
        cut: whether there is more than :data:`LIMIT` allows.
    """

    def __init__(self, stage: Usd.Stage) -> None:
        self._stage = stage
        self._opened: set[str] = set()
        self.lines: list[Line] = []
        self.query = ""
        self.cut = False
        self.refresh()

    def refresh(self) -> None:
        """Read the stage again; what was open stays so where it is still there.

        Raises:
            StagewrightError: ``bad-query``.
        """
        self.cut = False
        self.lines = self._found() if self.query else list(self._level("/", 0))

    def find(self, query: str) -> None:
        """Show what fits ``query`` (see :func:`~.tree.search`); "" shows the tree again.

        Raises:
            StagewrightError: ``bad-query``; the lines stay as they were.
        """
        before, self.query = self.query, query.strip()
        try:
            self.refresh()
        except BaseException:
            self.query = before
            raise

    def toggle(self, index: int) -> None:
        """Open or close the line at ``index``."""
        line = self.lines[index]
        path = line.row.path
        if line.opened:
            self._opened.discard(path)
            below = []
        else:
            self._opened.add(path)
            below = list(self._level(path, line.depth + 1))
        end = self._end(index)
        self.lines[index:end] = [Line(line.row, line.depth, not line.opened), *below]

    def reveal(self, path: str) -> None:
        """Leave the search, and open all prims above ``path``."""
        self.query = ""
        above = Sdf.Path(path).GetPrefixes()[:-1]
        self._opened.update(map(str, above))
        self.refresh()

    def index(self, path: str) -> int:
        """The line of the prim at ``path``; -1 if it is not shown."""
        return next((n for n, line in enumerate(self.lines) if line.row.path == path), -1)

    def _found(self) -> list[Line]:
        prims = list(islice(search(self._stage, self.query), LIMIT + 1))
        self.cut = len(prims) > LIMIT
        return [Line(row(prim), 0) for prim in prims[:LIMIT]]

    def _level(self, path: str, depth: int) -> Iterator[Line]:
        for number, below in enumerate(children(self._stage, path)):
            if number == LIMIT:
                self.cut = True
                return
            opened = below.has_children and below.path in self._opened
            yield Line(below, depth, opened)
            if opened:
                yield from self._level(below.path, depth + 1)

    def _end(self, index: int) -> int:
        """The line after all that lie below the one at ``index``."""
        depth, end = self.lines[index].depth, index + 1
        if not self.lines[index].opened:
            return end
        while end < len(self.lines) and self.lines[end].depth > depth:
            end += 1
        return end
