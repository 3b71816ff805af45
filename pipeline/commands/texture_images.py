# SPDX-License-Identifier: GPL-3.0-or-later
"""``stagewright texture tile|inpaint|outpaint|upscale|vary``: images to images."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ...jobs.events import Job
from .. import summaries
from ..host import SceneHost
from .common import add_force, add_verb, in_blender_if, number, whole


def _needs_openimageio(image: Path) -> bool:
    """Whether it is no PNG, and OpenImageIO, which comes with Blender, is not here."""
    return image.suffix.lower() != ".png" and find_spec("OpenImageIO") is None


def _holds_other_images(folder: Path) -> bool:
    """Whether scanned sets below it are no PNGs, and OpenImageIO is not here."""
    from ...texture_lab.scanned import ENDINGS

    images = (file for file in folder.rglob("*") if file.suffix.lower() in ENDINGS)
    return any(_needs_openimageio(image) for image in images)


IMAGES = in_blender_if(_needs_openimageio)
"""The action of arguments that are images: others than PNGs may be read inside Blender alone."""
SCANS = in_blender_if(_holds_other_images)
"""The same of a folder of images."""


def add_folder(verb: argparse.ArgumentParser, *, required: bool = True) -> None:
    """``-o DIR`` and ``--force``."""
    verb.add_argument(
        "-o", "--output", type=Path, required=required, metavar="DIR", help="the folder to write to"
    )
    add_force(verb)


def add(group: Any) -> None:
    """Add the verbs."""
    _add_tile(group)
    inpaint = _add(group, "inpaint", "Fill what a mask marks, with patches of the rest.", _inpaint)
    inpaint.add_argument(
        "--mask",
        type=Path,
        required=True,
        action=IMAGES,
        metavar="IMAGE",
        help="white where the images are to be filled",
    )
    outpaint = _add(group, "outpaint", "Continue images beyond their borders.", _outpaint)
    outpaint.add_argument(
        "--pixels",
        type=whole(1, 4096),
        default=64,
        help="how far, on all four sides (default: %(default)s)",
    )
    upscale = _add(group, "upscale", "Make images larger, edges staying sharp.", _upscale)
    upscale.add_argument(
        "--factor",
        type=int,
        choices=(2, 4, 8),
        default=2,
        help="how many times as large (default: %(default)s)",
    )
    vary = _add(group, "vary", "Make another piece of the same material.", _vary)
    vary.add_argument(
        "--strength",
        type=number(0.0, 1.0),
        default=1.0,
        help="how far things may move, 0 to 1 (default: %(default)s)",
    )
    for verb in (inpaint, outpaint, vary):
        verb.add_argument(
            "--seed",
            type=whole(0, 2**32 - 1),
            default=0,
            help="which of many results (default: %(default)s)",
        )


def _add(group: Any, name: str, text: str, handler: Any) -> argparse.ArgumentParser:
    """A verb for images that are maps of one material."""
    verb = add_verb(
        group,
        name,
        f"{text} Several images are maps of one material and changed alike.",
        handler=handler,
        summary=summaries.edited,
    )
    verb.add_argument("images", nargs="+", type=Path, action=IMAGES, metavar="IMAGE")
    verb.add_argument("--repeats", action="store_true", help="the result repeats, side by side")
    add_folder(verb)
    return verb


def _add_tile(group: Any) -> None:
    verb = add_verb(
        group,
        "tile",
        "Make images repeat; several are maps of one material and cut alike.",
        handler=_tile,
        summary=summaries.tiled,
    )
    verb.add_argument("images", nargs="+", type=Path, action=IMAGES, metavar="IMAGE")
    verb.add_argument(
        "--method",
        choices=("auto", "cut", "blend"),
        default="auto",
        help="a cut for structure, a blend for what is random (default: %(default)s)",
    )
    add_folder(verb)


def _tile(options: argparse.Namespace, host: SceneHost | None) -> Job[Mapping[str, Any]]:
    from ...texture_lab.tile_files import tile_files

    where = (options.output, options.method)
    return (yield from tile_files(options.images, *where, force=options.force))


def _inpaint(options: argparse.Namespace, host: SceneHost | None) -> Job[Mapping[str, Any]]:
    from ...texture_lab.photo_tools import inpaint, read_mask

    hole = read_mask(options.mask)
    return (yield from _changed(options, partial(inpaint, hole=hole, seed=options.seed)))


def _outpaint(options: argparse.Namespace, host: SceneHost | None) -> Job[Mapping[str, Any]]:
    from ...texture_lab.photo_tools import outpaint

    further = partial(outpaint, pixels=options.pixels, seed=options.seed)
    return (yield from _changed(options, further))


def _upscale(options: argparse.Namespace, host: SceneHost | None) -> Job[Mapping[str, Any]]:
    from ...texture_lab.photo_tools import enlarge

    return (yield from _changed(options, partial(enlarge, factor=options.factor)))


def _vary(options: argparse.Namespace, host: SceneHost | None) -> Job[Mapping[str, Any]]:
    from ...texture_lab.photo_tools import vary

    other = partial(vary, strength=options.strength, seed=options.seed)
    return (yield from _changed(options, other))


def _changed(options: argparse.Namespace, change: Any) -> Job[Mapping[str, Any]]:
    from ...texture_lab.photo_tools import change_files

    repeating = partial(change, wraps=options.repeats)
    return (yield from change_files(options.images, options.output, repeating, force=options.force))
