# SPDX-License-Identifier: GPL-3.0-or-later
"""Contact sheets of what the network makes of photos, beside the truth.

``python bench/map_sheets.py FOLDER`` writes ``maps-heldout.png`` and ``maps-cycles.png``: a line
for each family with the photo, then base colour, normals, roughness, metallic and occlusion, the
truth above the estimate.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from map_sets import cycles, kept
from map_sets.sample import Field, Sample

from stagewright.jobs.drive import drain
from stagewright.texture_lab import png
from stagewright.texture_lab.photo import PhotoRequest, estimated_maps

_SIDE = 64
_NAMES = ("basecolor", "normal", "roughness", "metallic", "ao")


def sheet(samples: Iterable[Sample]) -> Field:
    """One photo of each family, two families a line."""
    first: dict[str, Sample] = {}
    for sample in samples:
        first.setdefault(sample.family, sample)
    strips = [_strip(s) for s in first.values()]
    strips += [np.zeros_like(strips[0])] * (len(strips) % 2)
    return np.concatenate(
        [np.concatenate(strips[at : at + 2], 1) for at in range(0, len(strips), 2)], 0
    )


def _strip(sample: Sample) -> Field:
    request = PhotoRequest("photo", "", tile_size_m=float(len(sample.photo)))
    made, _ = drain(estimated_maps(sample.photo, request), lambda event: None)
    photo = _small(sample.photo, 2 * _SIDE)
    rows = [
        np.concatenate([_picture(source, name) for name in _NAMES], 1) for source in (sample, made)
    ]
    return np.pad(np.concatenate([photo, np.concatenate(rows, 0)], 1), ((0, 4), (0, 8), (0, 0)))


def _picture(source: Any, name: str) -> Field:
    values = getattr(source, name)
    values = values / 2 + 0.5 if name == "normal" else values
    return _small(values if values.ndim == 3 else np.repeat(values[..., None], 3, 2), _SIDE)


def _small(image: Field, side: int) -> Field:
    """The mean of the pixels that fall on each one of ``side`` times ``side``."""
    rows, columns = ((np.arange(n) * side // n) for n in image.shape[:2])
    total = np.zeros((side, side, 3))
    np.add.at(total, (rows[:, None], columns[None]), image)
    count = np.bincount(rows)[:, None, None] * np.bincount(columns)[None, :, None]
    return np.asarray(total / count, np.float32)


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    for name, samples in (("heldout", kept.samples), ("cycles", cycles.samples)):
        pixels = (np.clip(sheet(samples(True)), 0, 1) * 255 + 0.5).astype(np.uint8)
        png.write_png(folder / f"maps-{name}.png", pixels)
