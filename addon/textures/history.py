# SPDX-License-Identifier: GPL-3.0-or-later
"""The sets that lie beside the .blend, newest first; panels read no disk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import bpy

from ...jobs.errors import StagewrightError
from ...jobs.text_files import read_json
from ...texture_lab.changes import TOOLS
from ...texture_lab.texture_set import preview_of
from .. import beside
from . import pictures
from .material import KEY as OURS

FOLDER = "textures"
"""The folder of sets (see `beside`)."""


@dataclass(frozen=True)
class Entry:
    """A set on disk.

    Args:
        sidecar: its JSON file.
        title: the words it was made of, or the photo's name, and how it was changed.
        about: what that holds.
        size: bytes of all its files.
        time: when it was written, nanoseconds.
    """

    sidecar: Path
    title: str
    about: Mapping[str, Any]
    size: int
    time: int

    @property
    def seed(self) -> int | None:
        """Which variation; photos have none."""
        seed: int | None = self.about["request"].get("seed")
        return seed

    @property
    def picture(self) -> str:
        """Name of its picture."""
        return f"set {self.sidecar} {self.time}"


Item = tuple[str, str, str, int, int]


class _Seen:
    """What lies in the folder, as it was read last."""

    entries: tuple[Entry, ...] = ()
    items: list[Item] = []  # noqa: RUF012 - Blender needs the very texts to stay
    foreign: frozenset[Path] = frozenset()


def entries() -> tuple[Entry, ...]:
    """The sets of this file, newest first."""
    return _Seen.entries


def items(self: Any, context: bpy.types.Context | None) -> list[Item]:
    """The same for an enumeration that shows pictures."""
    return _Seen.items


def chosen(context: bpy.types.Context) -> Entry | None:
    """The set that the gallery shows; the newest if the one that it showed is gone."""
    if not _Seen.entries:
        return None  # Blender warns of an enumeration without items at each look.
    name = context.window_manager.stagewright_texture_set
    found = (entry for entry in _Seen.entries if entry.sidecar.stem == name)
    return next(found, _Seen.entries[0])


def choose(sidecar: Path) -> None:
    """Let the gallery show a set, if it is one of this file."""
    if any(entry.sidecar == sidecar for entry in _Seen.entries):
        bpy.context.window_manager.stagewright_texture_set = sidecar.stem


def refresh() -> None:
    """Read the folder anew."""
    home = beside.home(FOLDER)
    sidecars = set(home.glob("*.json")) - _Seen.foreign
    found = sorted(filter(None, map(_read, sidecars)), key=lambda entry: entry.time)
    titles: dict[str, str] = {}
    for entry in found:
        titles[entry.sidecar.name] = _title(entry, titles)
    named = [replace(entry, title=titles[entry.sidecar.name]) for entry in found]
    _Seen.entries = tuple(reversed(named))
    for entry in _Seen.entries:
        shown = preview_of(entry.sidecar)
        pictures.load(
            entry.picture, shown if shown.exists() else home / entry.about["maps"]["basecolor"]
        )
    _Seen.items = [
        (entry.sidecar.stem, entry.title, entry.title, pictures.icon(entry.picture) or 0, number)
        for number, entry in enumerate(_Seen.entries)
    ]


def begin() -> None:
    """Take another file's sets, if that was never saved, for none of this one's."""
    used = {Path(material.get(OURS, "")) for material in bpy.data.materials}
    temporary = Path(bpy.app.tempdir) / FOLDER
    _Seen.foreign = frozenset(temporary.glob("*.json")) - used
    refresh()


def forget() -> None:
    """Know of no sets until the folder is read anew."""
    _Seen.entries, _Seen.items, _Seen.foreign = (), [], frozenset()


def users(entry: Entry) -> list[str]:
    """Names of the materials that show a set."""
    return [m.name for m in bpy.data.materials if m.get(OURS) == str(entry.sidecar)]


def delete(entry: Entry) -> None:
    """Delete a set's files.

    Raises:
        StagewrightError: ``texture-used``; ``not-deleted``.
    """
    taken = users(entry)
    if taken:
        raise StagewrightError(
            "texture-used",
            f"The material {taken[0]} shows this texture.",
            "Give it another one first.",
        )
    try:
        for path in _files(entry.sidecar, entry.about):
            path.unlink(missing_ok=True)
    except OSError as error:
        raise StagewrightError(
            "not-deleted",
            f"{entry.sidecar.stem} cannot be deleted: {error.strerror}.",
            "Close what has its files open.",
        ) from None
    finally:
        refresh()


def _read(sidecar: Path) -> Entry | None:
    """A set; None for a file that is none, or lacks its maps."""
    try:
        about = read_json(sidecar)
        about["request"].items()
        sizes = [path.stat().st_size for path in _files(sidecar, about) if path.exists()]
        whole = all((sidecar.parent / file).exists() for file in about["maps"].values())
        time = sidecar.stat().st_mtime_ns
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return Entry(sidecar, sidecar.stem, about, sum(sizes), time) if whole else None


def _title(entry: Entry, known: Mapping[str, str]) -> str:
    """What a set is called: of one made of others, by the names of those, and what was done."""
    request = entry.about["request"]
    steps = request.get("nodes")
    nodes = [n for n in steps if isinstance(n, dict)] if isinstance(steps, list) else []
    words = [request.get("prompt") or request.get("photo")]
    for settings in (node.get("settings") for node in nodes):
        if isinstance(settings, dict):
            file = str(settings.get("file", ""))
            words.append(settings.get("prompt") or known.get(file, file))
    words += [n["kind"] for n in nodes if n.get("inputs") and n.get("kind") in TOOLS]
    return ", ".join(str(word) for word in words if word) or entry.sidecar.stem


def _files(sidecar: Path, about: Mapping[str, Any]) -> list[Path]:
    """The files of a set, all in its folder whatever the sidecar says; the sidecar last."""
    maps = [sidecar.parent / Path(file).name for file in about["maps"].values()]
    return [*maps, preview_of(sidecar), sidecar]
