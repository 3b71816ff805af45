# SPDX-License-Identifier: GPL-3.0-or-later
"""What an image is a map of, as its sidecar or its name says."""

from __future__ import annotations

import itertools
import re
from pathlib import Path
from typing import Literal

from ..jobs.text_files import read_json

Kind = Literal["colour", "normal", "data"]

# Words that programs and libraries of textures end names with.
_WORDS: dict[str, Kind] = {
    **dict.fromkeys(
        "color colour basecolor albedo diffuse diff base emission emissive".split(), "colour"
    ),
    **dict.fromkeys("normal normals normalmap nrm nor norm nml".split(), "normal"),
    **dict.fromkeys(
        "height heightmap displacement disp bump roughness rough glossiness gloss metallic "
        "metalness metal ao occlusion opacity alpha mask specular".split(),
        "data",
    ),
}
_MAPS: dict[str, Kind] = {"basecolor": "colour", "emission": "colour", "normal": "normal"}


def kind_of(image: Path) -> Kind:
    """Whether an image holds colours, normals, or other data.

    A set's sidecar (see `texture_set.write_set`) says it, else the last word of its name that
    is one of the usual ones, as in ``bark_nor_gl_2k.png``; colours otherwise.
    """
    told = _by_sidecar(image)
    if told is not None:
        return told
    words = re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", image.stem)
    known = (_WORDS[word.lower()] for word in reversed(words) if word.lower() in _WORDS)
    return next(known, "colour")


def _by_sidecar(image: Path) -> Kind | None:
    parts = image.stem.split("_")
    for stem in itertools.accumulate(parts, "{}_{}".format):
        try:
            maps = read_json(image.parent / f"{stem}.json")["maps"]
            found = [name for name, file in maps.items() if file == image.name]
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            continue
        if found:
            return _MAPS.get(found[0], "data")
    return None
