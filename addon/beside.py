# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that the add-on makes: they lie beside the .blend, in a folder for each kind.

Of a file that is not saved yet they lie in Blender's temporary folder, and go along when it is.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Container
from pathlib import Path

import bpy
from bpy.app.handlers import persistent

Take = Callable[[Path, Path], None]
_takers: dict[str, Take] = {}


def home(kind: str) -> Path:
    """The folder where new files of a kind go."""
    base = bpy.path.abspath("//") if bpy.data.filepath else bpy.app.tempdir
    return Path(base) / kind


def free_stem(folder: Path, stem: str, suffix: str, taken: Container[str] = ()) -> str:
    """``stem``, or that with a number: no file of the suffix is called so, nor what is taken."""
    numbered = (f"{stem}_{number:03}" for number in itertools.count(1))
    names = itertools.chain([stem], numbered)
    return next(n for n in names if n not in taken and not (folder / f"{n}{suffix}").exists())


def goes_along(kind: str, take: Take) -> None:
    """Let ``take`` copy files of a kind when the .blend is saved elsewhere for the first time.

    It is called with the temporary folder of the kind, and the one to copy to.
    """
    _takers[kind] = take


def stays(kind: str) -> None:
    """Take that back."""
    del _takers[kind]


@persistent
def _before_save(path: str, *_: object) -> None:
    for kind, take in _takers.items() if path else ():
        take(Path(bpy.app.tempdir) / kind, Path(path).parent / kind)


def register() -> None:
    """Add the handler."""
    bpy.app.handlers.save_pre.append(_before_save)


def unregister() -> None:
    """Take it away."""
    bpy.app.handlers.save_pre.remove(_before_save)
