# SPDX-License-Identifier: GPL-3.0-or-later
"""Two image files compared: figures, pictures of what differs, and a page that shows them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..jobs.errors import StagewrightError
from ..jobs.events import Job, Progress
from ..jobs.files import written_whole
from ..texture_lab.images import read_picture
from ..texture_lab.png import png_bytes
from ..usd_tools.flip import Picture
from ..usd_tools.render_compare import compare, difference, displayed, heat
from .compare_page import ComparedFile, compare_page


@dataclass(frozen=True)
class CompareRequest:
    """What to compare, and what to write of it.

    Attributes:
        first: an image file, PNG or anything that OpenImageIO reads.
        second: the other one.
        exposure: stops, for files of scene-linear light.
        gain: what the picture of the difference is multiplied by.
        threshold: greatest mean of the FLIP map that passes.
        outputs: files to write, by what they show: ``page``, ``difference``, ``flip``.
    """

    first: Path
    second: Path
    exposure: float = 0.0
    gain: float = 1.0
    threshold: float = 0.02
    outputs: Mapping[str, Path] | None = None


def compare_files(request: CompareRequest) -> Job[dict[str, Any]]:
    """Compare two image files, and write what is asked for.

    Returns:
        The figures (see ``usd_tools.render_compare.Figures``); ``passes``; ``first`` and
        ``second`` with ``path``, ``light`` and the part of pixels ``cut_off`` at white; and
        ``written``, the files.

    Raises:
        StagewrightError: those of ``texture_lab.images.read_picture``; ``sizes-differ``;
            ``not-written``.
    """
    yield Progress("compare.read", 0.0, "Reading the images")
    first, told_first = _seen(request.first, request.exposure)
    second, told_second = _seen(request.second, request.exposure)
    yield Progress("compare.judge", 0.3, "Comparing them")
    figures, flip = compare(first, second)
    result: dict[str, Any] = {
        **figures.to_json(),
        "passes": figures.flip <= request.threshold,
        "threshold": request.threshold,
        "exposure": request.exposure,
        "first": told_first.to_json(),
        "second": told_second.to_json(),
        "written": [],
    }
    if not request.outputs:
        return result
    yield Progress("compare.write", 0.7, "Writing what differs")
    shown = {"difference": difference(first, second, request.gain), "flip": heat(flip)}
    for name, path in request.outputs.items():
        if name == "page":
            pictures = {"first": first, "second": second, **shown}
            encoded = {key: _png(picture) for key, picture in pictures.items()}
            page = compare_page((told_first, told_second), result, encoded, request.gain)
            _write(path, page.encode("utf-8"))
        else:
            _write(path, _png(shown[name]))
        result["written"].append(str(path))
    return result


def _seen(path: Path, exposure: float) -> tuple[Picture, ComparedFile]:
    """The picture as a display shows it, in three channels, and what to tell of the file."""
    read = read_picture(path)
    pixels, cut_off = displayed(read.pixels, exposure) if read.light else (read.pixels, 0.0)
    colours = np.broadcast_to(np.minimum(pixels, 1.0), (*pixels.shape[:2], 3))
    return np.ascontiguousarray(colours), ComparedFile(path, read.light, cut_off)


def _png(picture: Picture) -> bytes:
    return png_bytes((picture * 255 + 0.5).astype(np.uint8))


def _write(path: Path, content: bytes) -> None:
    try:
        with written_whole(path) as partial:
            partial.write_bytes(content)
    except OSError as error:
        raise StagewrightError(
            "not-written",
            f"{path.name} cannot be written ({error.strerror}).",
            "Choose a folder you may write to, or make room there.",
        ) from error
