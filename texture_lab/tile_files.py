# SPDX-License-Identifier: GPL-3.0-or-later
"""Images made to repeat, from files to files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ..jobs.events import Job, Progress
from .edited_files import Array, edit_files
from .tiling import Method, Tile, make_tile


def tile_files(
    images: Sequence[Path], folder: Path, method: Method, *, force: bool = False
) -> Job[Mapping[str, Any]]:
    """Make images repeat and write them as PNGs of 16 bits; all are cut alike.

    Which of them are normal maps, and stay so, is told by their sidecars or names.

    Args:
        images: of equal size; how well it repeats is measured on the first.
        folder: created if need be; the files keep their names, ending in ``.png``.
        method: see :func:`.tiling.make_tile`.
        force: replace files that are there already.

    Returns:
        ``files``, ``size`` (columns, rows), ``methods``, ``seamless`` and ``report``.

    Raises:
        StagewrightError: what the images are refused for, ``same-name``, ``file-exists``,
            ``tile-shape``, ``write-failed``.
    """

    def edit(maps: Mapping[str, Array], vectors: frozenset[str]) -> Job[tuple[Any, Tile]]:
        yield Progress("tile.cut", 0.0, "Looking for a period")
        tile = make_tile(maps, method, vectors)
        return tile.maps, tile

    value, tile = yield from edit_files(images, folder, edit, force=force)
    return {
        **value,
        "methods": list(tile.methods),
        "seamless": tile.report.is_seamless,
        "report": asdict(tile.report),
    }
