# SPDX-License-Identifier: GPL-3.0-or-later
"""The files that an asset carries beside its layers: textures and volumes."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath

from pxr import Usd

from ..jobs.errors import StagewrightError
from .dependencies import file_name, files_of
from .direct.records.material import UDIM

# Custom data of a texture's attribute that keeps the name it came under, where
# it had to be stored under another.
SOURCE_NAME = ("stagewright", "file")

_DIGITS = 8


@dataclass(frozen=True)
class CarriedFile:
    """A texture or volume, and where it goes in the asset.

    Attributes:
        source: name of the file (or UDIM set) it came from.
        stored: name in the asset's folder; differs from ``source`` where two
            different files had one name, or two names stood for one content.
        files: source of each file, by stored file name; empty when missing.
    """

    source: str
    stored: str
    files: Mapping[str, Path]


def plan(paths: Iterable[str], folder: Path) -> dict[str, CarriedFile]:
    """Decide under which name each file is carried.

    Equal content is carried once, under the first of its names. Of different
    files with one name, the first keeps it and the others get the start of
    their SHA-256 before the extension. Both orders are by name and content, so
    they depend on the files alone, not on where they lie or who asks first.

    Args:
        paths: asset paths as authored, UDIM sets with ``<UDIM>``.
        folder: what relative paths start from.

    Raises:
        StagewrightError: ``texture-unreadable``, a file that is there cannot be read.
    """
    found = {path: files_of(path, folder) for path in set(paths)}
    digests = {path: _digest(files) for path, files in found.items()}
    names: dict[str, str] = {}
    taken: set[str] = set()
    plans: dict[str, CarriedFile] = {}
    for path in sorted(found, key=lambda path: (file_name(path), digests[path], path)):
        name, digest, files = file_name(path), digests[path], found[path]
        # Missing files have no content to tell them apart: their name does.
        content = digest or f"missing {name}"
        if content not in names:
            # Names are compared without case, for the disks that do the same.
            stored = name if _free(name, files, taken) else _with_suffix(name, digest[:_DIGITS])
            names[content] = stored
            taken |= {other.casefold() for other in _stored_names(stored, files)}
        stored = names[content]
        copies = dict(zip(_stored_names(stored, files), files.values(), strict=False))
        plans[path] = CarriedFile(name, stored, copies if files else {})
    return plans


def copy(source: Path, target: Path) -> None:
    """Copy one file's bytes; raises StagewrightError (``target-unwritable``)."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
    except OSError as error:
        raise StagewrightError(
            "target-unwritable",
            f"The texture {source.name} cannot be copied beside the asset ({error.strerror}).",
            "Make room on the disk, or choose a folder you may write to.",
        ) from error


def _stored_names(stored: str, files: Mapping[str, Path]) -> list[str]:
    """File names of a stored texture: one, or one per UDIM tile."""
    return [stored.replace(UDIM, tile) if tile else stored for tile in files] or [stored]


def _free(name: str, files: Mapping[str, Path], taken: set[str]) -> bool:
    return not any(other.casefold() in taken for other in _stored_names(name, files))


def _with_suffix(name: str, suffix: str) -> str:
    """``paint.png`` to ``paint_1a2b3c4d.png``, ``a.<UDIM>.png`` to ``a_1a2b3c4d.<UDIM>.png``."""
    if UDIM in name:
        stem, extension = name.split(UDIM, 1)
        return f"{stem.rstrip('._')}_{suffix}.{UDIM}{extension}"
    path = PurePath(name)
    return f"{path.stem}_{suffix}{path.suffix}"


def _digest(files: Mapping[str, Path]) -> str:
    """SHA-256 of the tiles and their bytes; "" when there are none."""
    if not files:
        return ""
    total = hashlib.sha256()
    for tile, file in files.items():
        try:
            with file.open("rb") as stream:
                total.update(tile.encode() + hashlib.file_digest(stream, "sha256").digest())
        except OSError as error:
            raise StagewrightError(
                "texture-unreadable",
                f"The texture {file.name} cannot be read ({error.strerror}).",
                "Give yourself the right to read it, or choose another image in Blender.",
            ) from error
    return total.hexdigest()


def image_name(attribute: Usd.Attribute) -> str:
    """Name of the image file in Blender, before it was stored under another."""
    tool, field = SOURCE_NAME
    before = attribute.GetCustomData().get(tool, {}).get(field)
    value = attribute.Get()
    return str(before or file_name(value.path if value else ""))
