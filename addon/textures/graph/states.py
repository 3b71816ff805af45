# SPDX-License-Identifier: GPL-3.0-or-later
"""What nodes show of the last run; it is of the window, not of the file."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from .. import pictures


@dataclass(frozen=True)
class State:
    """What a node shows.

    Args:
        picture: name of its picture, "" for none.
        text: what it is at, or why it failed.
        failed: whether it did.
    """

    picture: str = ""
    text: str = ""
    failed: bool = False

    @property
    def icon(self) -> int | None:
        """Its picture; None where there is none yet."""
        return pictures.icon(self.picture) if self.picture else None


_states: dict[tuple[int, str], State] = {}


def of(node: Any) -> State | None:
    """What a node shows, if it was ever run."""
    return _states.get((node.id_data.session_uid, node.name))


def begin(tree: int, pictured: Iterable[tuple[str, str]]) -> None:
    """A new run: nodes of the tree of this session_uid, each with its picture's name."""
    for node, picture in pictured:
        _states[tree, node] = State(picture)


def say(tree: int, node: str, text: str, *, failed: bool = False) -> None:
    """Let a node tell what it is at, or why it failed, and the others of its tree nothing."""
    quiet(tree)
    known = _states.get((tree, node), State())
    _states[tree, node] = replace(known, text=text, failed=failed)


def quiet(tree: int) -> None:
    """Let the nodes of a tree show their pictures alone."""
    for key, state in _states.items():
        if key[0] == tree:
            _states[key] = replace(state, text="", failed=False)


def forget() -> None:
    """Let no node show anything."""
    _states.clear()
