# SPDX-License-Identifier: GPL-3.0-or-later
"""From words to a material: a family, its sliders, its colours and what happened to it."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass

from ..jobs.errors import StagewrightError
from .families import FAMILIES
from .family import Family, Values
from .surface import Color, color
from .weather import WEATHER

COLORS = {
    "white": "e9e7e2", "black": "1c1c1e", "grey": "85868a", "gray": "85868a",
    "red": "a3241f", "green": "3f7a35", "blue": "2c5596", "yellow": "d8b32e",
    "orange": "d6701e", "brown": "6b4527", "purple": "5f3580", "violet": "6a3f94",
    "pink": "dc9aa4", "turquoise": "2fa8a2", "teal": "1f7a78", "cyan": "3fb2c4",
    "beige": "d4c3a2", "cream": "eee3c8", "ivory": "ece5d0", "burgundy": "64182a",
    "maroon": "5a1a1c", "crimson": "9c1830", "navy": "1c2a52", "gold": "d4a640",
    "golden": "d4a640", "silver": "c2c5c9", "copper": "b8703c", "bronze": "8c6434",
    "olive": "6c6a30", "lime": "9cc43c", "magenta": "b02a80", "tan": "c09a6c",
    "charcoal": "38393c", "indigo": "34307a", "ochre": "b8842c", "mustard": "c29a2a",
    "lavender": "ac9cc8", "salmon": "e08a70", "mint": "a4d4b4", "scarlet": "b4201a",
    "terracotta": "b4623e", "khaki": "9c9064", "rose": "c46a74", "sepia": "70502c",
}  # fmt: skip
_SAME_COLOR = {"gray": "grey", "golden": "gold"}
MODIFIERS = {
    "wet": ("wet", "damp", "rainy", "soaked", "rain", "moist", "puddle", "soggy"),
    "mossy": ("moss", "mossy", "lichen", "overgrown", "algae"),
    "worn": ("worn", "old", "weathered", "aged", "faded", "scratched", "peeling", "chipped",
             "vintage", "used", "distressed", "ancient", "battered",
             "eroded", "rustic"),
    "dusty": ("dusty", "dirty", "sooty", "grimy", "dust", "stained", "dirt", "grubby", "filthy"),
    "rusty": ("rusty", "rusted", "corroded"),
    "cracked": ("cracked", "crack", "broken", "fractured", "shattered", "crackled"),
    "painted": ("painted", "paint", "lacquered"),
    "polished": ("polished", "glossy", "shiny", "gloss", "lacquered", "varnished"),
}  # fmt: skip
_LARGE = ("large", "big", "wide", "huge", "chunky", "thick", "giant", "coarse", "broad")
_SMALL = ("small", "tiny", "fine", "mini", "narrow", "thin", "little", "micro")
_SHADES = {"dark": 0.55, "deep": 0.7, "light": 1.3, "pale": 1.35, "bright": 1.2}
_NUMBERS = {
    word: number
    for number, word in enumerate(
        "two three four five six seven eight nine ten eleven twelve".split(), 2
    )
}
# Words that many materials have; a word of its own family counts before them.
_COMMON = frozenset(
    "tile wood oak pine birch walnut metal steel stone rock iron copper gold silver brass bronze "
    "cloth fabric textile cotton canvas silk satin wool plate panel roof ground earth slab paving "
    "patio castle desert beach dirt road board garden autumn brushed mesh chain screen hide rubble "
    "straw scale leaf sheet timber aluminium aluminum titanium chrome vent cane frozen "
    "ripple sea lake pond hull".split()
)
_EMPTY = frozenset(
    "a an the of and with in on at for to from by my our your some very texture material surface "
    "seamless tileable pattern pbr look style or wall floor like close up photo 4k".split()
)


@dataclass(frozen=True)
class Material:
    """What the words mean.

    Args:
        family: the family of materials.
        values: its sliders and colours.
        weather: what happened to it, in the order it is applied.
        found: what was understood, for people and reports: modifiers, ``colour:red``,
            ``size:large``, ``count:8``.
        paint: the paint's colour, if it is painted.
    """

    family: Family
    values: Values
    weather: tuple[str, ...]
    found: tuple[str, ...]
    paint: Color


def understand(prompt: str, parameters: Mapping[str, float] | None = None) -> Material:
    """The material that the words describe.

    Args:
        prompt: free text, English.
        parameters: values of sliders that replace those of the words.

    Raises:
        StagewrightError: ``no-match``, which names the nearest family; ``bad-request``: the
            family has no such slider.
    """
    words = [_singular(word) for word in re.findall(r"[a-z0-9]+", prompt.lower())]
    family = _family(words)
    colors = list(dict.fromkeys(_SAME_COLOR.get(w, w) for w in words if w in COLORS))
    weather = tuple(name for name in WEATHER if any(w in MODIFIERS[name] for w in words))
    found = [*weather, *(f"colour:{name}" for name in colors)]
    sliders = {slider.name: slider.default for slider in family.sliders}
    _resize(family, sliders, words, found)
    _say(family, sliders, parameters or {})
    shade = 1.0
    for word in words:
        shade *= _SHADES.get(word, 1.0)
    painted = "painted" in weather
    paint = color(COLORS[colors[0]] if colors else "d8d4c8") * shade
    main = color(family.color if painted or not colors else COLORS[colors[0]]) * shade
    accent = color(COLORS[colors[1]] if len(colors) > 1 else family.accent)
    if len(colors) > 1 and "checker" in sliders:
        sliders["checker"] = 1.0
    return Material(family, Values(sliders, main.clip(0, 1), accent), weather, tuple(found), paint)


def _resize(family: Family, sliders: dict[str, float], words: list[str], found: list[str]) -> None:
    """What counts and size words do to the slider of repeats."""
    slider = next(slider for slider in family.sliders if slider.name == family.repeats)
    counts = [int(w) if w.isdigit() else _NUMBERS[w] for w in words if w.isdigit() or w in _NUMBERS]
    counts = [count for count in counts if 2 <= count <= 200]
    value = slider.default
    if counts:
        value = counts[0]
        found.append(f"count:{counts[0]}")
    if any(word in _LARGE for word in words):
        value /= 1.7
        found.append("size:large")
    elif any(word in _SMALL for word in words):
        value *= 1.8
        found.append("size:small")
    sliders[slider.name] = slider.clamped(value)


def _say(family: Family, sliders: dict[str, float], parameters: Mapping[str, float]) -> None:
    known = {slider.name: slider for slider in family.sliders}
    for name, value in parameters.items():
        if name not in known:
            raise StagewrightError(
                "bad-request",
                f"The material {family.name} has no slider called {name}.",
                f"Its sliders are {', '.join(known)}.",
            )
        sliders[name] = known[name].clamped(value)


def _family(words: list[str]) -> Family:
    """The family of the most telling phrase.

    Its own words count before common ones, long before short, those before ``with`` rather
    than after, and the last (the head noun) before others.
    """
    best: tuple[tuple[bool, int, bool, int], Family] | None = None
    end = words.index("with") if "with" in words else len(words)
    used: set[int] = set()
    for family in FAMILIES.values():
        for phrase in family.words:
            wanted = [_singular(word) for word in re.findall(r"[a-z0-9]+", phrase)]
            for at in range(len(words) - len(wanted) + 1):
                if all(map(_alike, words[at : at + len(wanted)], wanted)):
                    used.update(range(at, at + len(wanted)))
                    common = len(wanted) == 1 and wanted[0] in _COMMON
                    rank = (not common, len(wanted), at < end, at)
                    if best is None or rank > best[0]:
                        best = rank, family
    told = {word for words in MODIFIERS.values() for word in words}
    told |= {*COLORS, *_LARGE, *_SMALL, *_SHADES, *_NUMBERS, *_EMPTY}
    strange = [w for i, w in enumerate(words) if i not in used and w not in told and len(w) > 1]
    # A picture of many things, one of which happens to be a material.
    if best is not None and not (len(strange) >= 3 and len(strange) > 2 * len(used)):
        return best[1]
    raise StagewrightError(
        "no-match",
        f"No material matches these words; nearest: {_nearest(words)}.",
        "Name a material: brick, planks, fabric, leather, concrete, marble …",
    )


def _nearest(words: list[str]) -> str:
    """The family whose words are spelled most like these."""

    def likeness(family: Family) -> float:
        pairs = [(a, b) for a in words for b in family.words]
        return max((difflib.SequenceMatcher(None, a, b).ratio() for a, b in pairs), default=0)

    return max(FAMILIES.values(), key=likeness).name


def _alike(word: str, wanted: str) -> bool:
    """Whether they are equal, or a slip of the keyboard apart."""
    if word == wanted:
        return True
    long = min(len(word), len(wanted)) >= 6 and word[0] == wanted[0]
    return long and difflib.SequenceMatcher(None, word, wanted).ratio() >= 0.9


def _singular(word: str) -> str:
    if word == "leaves":
        return "leaf"
    if word.endswith(("ches", "shes", "sses", "xes")):
        return word[:-2]
    return word[:-1] if word.endswith("s") and not word.endswith(("ss", "us")) else word
