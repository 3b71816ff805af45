# SPDX-License-Identifier: GPL-3.0-or-later
"""The held-out set, kept in ``.cache/map_sets`` until its sources change: it takes minutes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from . import held_out
from .cycles import CACHE
from .sample import Sample

_ARRAYS = ("photo", "basecolor", "normal", "roughness", "metallic", "ao", "height")
_SOURCES = ("sample.py", "photographer.py", "held_out.py")


def samples(quick: bool) -> Iterator[Sample]:
    """What ``held_out.samples`` yields."""
    sources = (Path(__file__).with_name(name).read_bytes() for name in _SOURCES)
    digest = hashlib.sha256(b"".join(sources)).hexdigest()[:16]
    path = CACHE / f"held-out-{digest}-{'quick' if quick else 'all'}.npz"
    if not path.is_file():
        _keep(list(held_out.samples(quick)), path)
    with np.load(path) as file:
        for at, about in enumerate(
            zip(file["family"], file["light"], file["highlight"], strict=True)
        ):
            family, light, highlight = about
            maps = (file[f"{name}{at}"] for name in _ARRAYS)
            yield Sample(str(family), str(light), *maps, bool(highlight))


def _keep(made: list[Sample], path: Path) -> None:
    arrays = {f"{name}{at}": getattr(s, name) for at, s in enumerate(made) for name in _ARRAYS}
    about = {name: [getattr(s, name) for s in made] for name in ("family", "light", "highlight")}
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".tmp.npz")
    np.savez_compressed(draft, **arrays, **about)
    draft.replace(path)
