# SPDX-License-Identifier: GPL-3.0-or-later
"""The page of two pictures: one file that opens from disk, with everything in it."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from .summaries import exposure_lines, figure_rows

_STYLE = """
:root { color-scheme: dark; }
* { box-sizing: border-box; }
body { margin: 0; background: #1d1d1d; color: #e6e6e6;
  font: 14px/1.5 system-ui, "Segoe UI", "Helvetica Neue", sans-serif; }
main { max-width: 110rem; margin: 0 auto; padding: 1.2rem 1.5rem 3rem; }
h1 { font-size: 1.15rem; margin: 0 0 .2rem; overflow-wrap: anywhere; }
.verdict { margin: 0 0 1rem; color: #9fd3a8; } .verdict.fails { color: #f2918a; }
nav { display: flex; flex-wrap: wrap; gap: .3rem; margin: 1rem 0 .6rem; }
nav label { padding: .3rem .9rem; border: 1px solid #444; border-radius: 6px; cursor: pointer; }
nav input { position: absolute; opacity: 0; }
nav input:checked + span { color: #ffb55c; }
nav label:focus-within { outline: 2px solid #ffb55c; }
.stage { display: grid; gap: .5rem; }
.stage.side { grid-template-columns: 1fr 1fr; }
.stage figure { margin: 0; position: relative; }
.stage img { width: 100%; display: block; image-rendering: auto; background: #000; }
figcaption { color: #a8a8a8; padding: .2rem 0; overflow-wrap: anywhere; }
.over { position: absolute; inset: 0; }
input[type=range] { width: 100%; margin: .4rem 0; }
table { border-collapse: collapse; margin-top: 1rem; }
td, th { text-align: left; padding: .2rem 1.6rem .2rem 0; font-weight: 400; }
th { color: #a8a8a8; } td { font-variant-numeric: tabular-nums; }
[hidden] { display: none !important; }
"""

# The wipe lays the first picture over the second and cuts it off. Each picture is in the page
# once, however often it is shown.
_SCRIPT = """
document.querySelectorAll('img').forEach(image => {
  image.src = 'data:image/png;base64,' + pictures[image.dataset.picture]; });
const first = document.getElementById('cover'), range = document.getElementById('wipe');
range.addEventListener('input', () => {
  first.style.clipPath = `inset(0 ${100 - range.value}% 0 0)`; });
document.querySelectorAll('nav input').forEach(button => button.addEventListener('change', () => {
  document.querySelectorAll('section').forEach(part => { part.hidden = part.id !== button.value; });
}));
const flip = document.getElementById('alternate').querySelectorAll('figure');
document.getElementById('alternate').addEventListener('click', () =>
  flip.forEach(figure => { figure.hidden = !figure.hidden; }));
"""

_WAYS = (
    ("wiped", "Wipe"),
    ("beside", "Side by side"),
    ("alternate", "Alternate"),
    ("differs", "Difference"),
    ("flipped", "FLIP"),
)


@dataclass(frozen=True)
class ComparedFile:
    """One of the files that are compared.

    Attributes:
        path: where it is.
        light: whether it holds scene-linear light, which was exposed and cut off at white.
        cut_off: the part of its pixels that were.
    """

    path: Path
    light: bool
    cut_off: float

    def to_json(self) -> dict[str, Any]:
        """Plain JSON data."""
        return {"path": str(self.path), "light": self.light, "cut_off": self.cut_off}


def compare_page(
    files: tuple[ComparedFile, ComparedFile],
    result: Mapping[str, Any],
    pictures: Mapping[str, bytes],
    gain: float,
) -> str:
    """The page, as text.

    Args:
        files: the first and the second.
        result: what ``render_compare.compare_files`` tells.
        pictures: PNG files by ``first``, ``second``, ``difference`` and ``flip``.
        gain: what the difference was multiplied by.
    """
    names = [escape(file.path.name) for file in files]
    first, second, differs, flip = map(_image, ("first", "second", "difference", "flip"))
    data = {key: base64.b64encode(picture).decode("ascii") for key, picture in pictures.items()}
    verdict = "passes" if result["passes"] else "fails"
    sections = {
        "wiped": f'<div class="stage"><figure>{second}<div id="cover" class="over" '
        f'style="clip-path: inset(0 50% 0 0)">{first}</div></figure></div>'
        '<input type="range" id="wipe" min="0" max="100" value="50" step="0.1" '
        f'aria-label="Wipe"><figcaption>{names[0]} on the left, {names[1]} on the right'
        "</figcaption>",
        "beside": f'<div class="stage side">{_figure(first, names[0])}'
        f"{_figure(second, names[1])}</div>",
        "alternate": f'<div class="stage">{_figure(first, names[0] + " (click to change)")}'
        f"{_figure(second, names[1] + ' (click to change)', hidden=True)}</div>",
        "differs": f'<div class="stage">{_figure(differs, f"The difference, {gain:g} times")}'
        "</div>",
        "flipped": f'<div class="stage">{_figure(flip, "FLIP, black is 0 and pale yellow is 1")}'
        "</div>",
    }
    buttons = "".join(
        f'<label><input type="radio" name="way" value="{key}"{_mark(key == "wiped", "checked")}>'
        f"<span>{name}</span></label>"
        for key, name in _WAYS
    )
    parts = "".join(
        f'<section id="{key}"{_mark(key != "wiped", "hidden")}>{content}</section>'
        for key, content in sections.items()
    )
    rows = "".join(
        f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>"
        for name, value in figure_rows(result)
    )
    told = "".join(f"<p>{escape(line)}</p>" for line in exposure_lines(result))
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{names[0]} and {names[1]}</title>\n<style>{_STYLE}</style>\n</head>\n"
        f"<body>\n<main>\n<h1>{names[0]} and {names[1]}</h1>\n"
        f'<p class="verdict {verdict}">FLIP {result["flip"]:.4f} {verdict} the threshold of '
        f"{result['threshold']:g}.</p>\n<nav>{buttons}</nav>\n{parts}\n"
        f"<table>{rows}</table>\n{told}\n</main>\n"
        f"<script>\nconst pictures = {json.dumps(data)};\n{_SCRIPT}</script>\n</body>\n</html>\n"
    )


def _image(name: str) -> str:
    return f'<img alt="{name}" data-picture="{name}">'


def _figure(image: str, caption: str, *, hidden: bool = False) -> str:
    return f"<figure{_mark(hidden, 'hidden')}>{image}<figcaption>{caption}</figcaption></figure>"


def _mark(condition: bool, name: str) -> str:
    return f" {name}" if condition else ""
