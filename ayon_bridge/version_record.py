# SPDX-License-Identifier: GPL-3.0-or-later
"""All entities of one version, in the database and in the version's own folder.

A version carries its entities in a small hidden file. It is written before
the folder gets its name, so a version that is on the drive but not yet in the
database can be entered there, under the ids that its files already carry.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ..jobs.events import Job
from ..jobs.text_files import read_json
from .anatomy import below
from .entities import FileInfo, Representation, Thumbnail, Version, from_ayon, to_ayon
from .files import file_errors, hash_file

RECORD = ".stagewright.json"
UNFINISHED = ".stagewright.unfinished.json"
"""Name of the record until all is done that a server has to be told."""


@dataclass(frozen=True)
class VersionRecord:
    """A version with what belongs to it."""

    version: Version
    representations: tuple[Representation, ...]
    thumbnail: Thumbnail | None = None
    reviewable: FileInfo | None = None

    def files(self) -> Iterator[FileInfo]:
        """Every file of the version, once."""
        pictures = [self.thumbnail.file] if self.thumbnail else []
        pictures += [self.reviewable] if self.reviewable else []
        listed = (file for each in self.representations for file in each.files)
        yield from {file.path: file for file in (*listed, *pictures)}.values()

    def write(self, path: Path) -> None:
        """Write the record into the version's folder, under one of its two names."""
        data = {
            "version": to_ayon(self.version),
            "representations": [to_ayon(each) for each in self.representations],
            "thumbnail": to_ayon(self.thumbnail) if self.thumbnail else None,
            "reviewable": to_ayon(self.reviewable) if self.reviewable else None,
        }
        text = json.dumps(data, ensure_ascii=False, indent=1)
        with file_errors(path):
            path.write_text(text + "\n", encoding="utf-8")

    @classmethod
    def read(cls, folder: Path) -> VersionRecord | None:
        """The record in a version's folder; None when it holds none that can be read."""
        path = folder / UNFINISHED
        try:
            data = read_json(path if path.exists() else folder / RECORD)
            reviewable = data.get("reviewable")
            return cls(
                version=from_ayon(Version, data["version"]),
                representations=tuple(
                    from_ayon(Representation, each) for each in data["representations"]
                ),
                thumbnail=from_ayon(Thumbnail, data["thumbnail"]) if data["thumbnail"] else None,
                reviewable=from_ayon(FileInfo, reviewable) if reviewable else None,
            )
        except (OSError, ValueError, TypeError, KeyError):
            return None

    def complaint(self, root: Path) -> Job[str]:
        """What is wrong with the version's files ('"x.usda" is missing'); empty when nothing."""
        for file in self.files():
            wrong = yield from compare(root, file)
            if wrong:
                return wrong
        return ""


def compare(root: Path, file: FileInfo) -> Job[str]:
    """What is wrong with a published file ('"x.usda" is missing'); empty when nothing."""
    path = below(root, file.path)
    if not path.is_file():
        return f'"{path}" is missing'
    size, digest = yield from hash_file(path)
    if size != file.size:
        return f'"{path}" has {size} bytes instead of {file.size}'
    if digest != file.hash:
        return f'"{path}" has changed since it was published'
    return ""
