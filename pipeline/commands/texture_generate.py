# SPDX-License-Identifier: GPL-3.0-or-later
"""``stagewright texture make --backend …``: sets of images that large models make."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...jobs.errors import StagewrightError
from ...jobs.events import Job
from ...jobs.text_files import require_text
from ...texture_lab.services import MAKERS, NAMES, Services
from .. import settings
from ..host import SceneHost
from ..texture_services import PREFIX, services
from .common import add_verb
from .texture_images import IMAGES

EMBEDDED = "embedded"

_SETTINGS = ("negative", "steps", "guidance", "model", "strength")
_MAPS = {"tile_size": "tile_size_m", "relief": "relief"}
_FILES = ("image", "mask", "workflow")


def add_options(make: argparse.ArgumentParser) -> None:
    """What ``make`` takes besides, for backends that are large models."""
    make.add_argument(
        "--backend",
        choices=(EMBEDDED, *MAKERS),
        default=EMBEDDED,
        help="who makes it: drawn here, or an image of a large model and its maps "
        "(default: %(default)s)",
    )
    group = make.add_argument_group("images of large models")
    add_server(group)
    group.add_argument("--negative", metavar="WORDS", help="what it shall not be")
    group.add_argument("--steps", type=int, help="of the sampler (default: 20)")
    group.add_argument("--guidance", type=float, help="how closely words are followed (default: 7)")
    group.add_argument("--model", metavar="NAME", help="which one (default: the one there)")
    group.add_argument(
        "--lora", action="append", metavar="NAME:WEIGHT", help="add to the model (may be repeated)"
    )
    group.add_argument(
        "--image", type=Path, action=IMAGES, metavar="FILE", help="what to begin with"
    )
    group.add_argument(
        "--mask",
        type=Path,
        metavar="FILE.png",
        help="white where the image is made anew; beside the image",
    )
    group.add_argument(
        "--strength", type=float, help="how much of the image is made anew (default: 0.6)"
    )
    group.add_argument(
        "--workflow",
        type=Path,
        metavar="FILE.json",
        help="a workflow of ComfyUI's (API format), with %%prompt%%, %%seed%% … in it",
    )
    group.add_argument("--no-repeat", action="store_true", help="it need not repeat")
    group.add_argument("--tile-size", type=float, help="metres that it shows (default: 1)")
    group.add_argument("--relief", type=float, help="metres from low to high (default: 0.01)")


def add_server(verb: Any) -> None:
    """``--server URL``."""
    verb.add_argument(
        "--server",
        default="",
        metavar="URL",
        help=f"address of who makes the images (default: {PREFIX}COMFYUI …)",
    )
    verb.add_argument(
        "--python",
        default="",
        metavar="FILE",
        help=f"a Python that has diffusers (default: {PREFIX}DIFFUSERS)",
    )
    verb.add_argument(
        "--models",
        default="",
        metavar="DIR",
        help=f"the folder of diffusers' models (default: {PREFIX}MODELS)",
    )


def add_server_verbs(group: Any) -> None:
    """``stagewright texture check`` and ``suggest``."""
    asked = add_verb(
        group,
        "suggest",
        "Ask a chat server for words: a material for an idea, or of a picture.",
        handler=_suggest,
        summary=_suggested,
    )
    asked.add_argument("idea", nargs="?", default="", metavar="IDEA", help="what you have in mind")
    asked.add_argument("--image", type=Path, action=IMAGES, metavar="FILE", help="a picture of it")
    add_server(asked)
    verb = add_verb(
        group,
        "check",
        "Tell what a backend has, and what it lacks and where to get it.",
        handler=_check,
        summary=_checked,
    )
    verb.add_argument("backend", choices=tuple(NAMES), metavar="BACKEND", help=", ".join(NAMES))
    add_server(verb)


def make(options: argparse.Namespace) -> Job[Mapping[str, Any]]:
    """Make the set of ``texture make``."""
    from ...texture_lab.graph_nodes import make_graph
    from ...texture_lab.image_makers import generated
    from ...texture_lab.photo import sha256_of

    if options.set:
        raise _wrong("--set is for materials that are drawn", "Say it in the prompt")
    chosen = {name: getattr(options, name) for name in _SETTINGS}
    node: dict[str, Any] = {name: value for name, value in chosen.items() if value is not None}
    node |= {
        "service": options.backend,
        "prompt": options.prompt,
        "seed": options.seed,
        "loras": ",".join(options.lora or ()),
        "repeats": not options.no_repeat,
    }
    if options.workflow is not None:
        node["workflow"] = require_text(options.workflow)
    photo = None
    if options.image is None:
        node["size"] = options.size
        if options.mask or options.strength is not None:
            raise _wrong("--mask and --strength are for --image", "Give the image, too")
    else:
        photo = options.image.name, sha256_of(options.image)
        if options.mask is not None:
            if options.mask.resolve().parent != options.image.resolve().parent:
                raise _wrong("the mask lies in another folder", "Put it beside the image")
            node |= {"mask": options.mask.name, "sha256": sha256_of(options.mask)}
    maps = {_MAPS[n]: getattr(options, n) for n in _MAPS if getattr(options, n) is not None}
    graph = generated(node, photo=photo, pbr=maps, normals=options.normals)
    name = options.name or f"{settings.asset_name(options.prompt[:40]).lower()}_{options.seed}"
    sources = options.image.parent if options.image else Path()
    where = (sources, options.output, name)
    known = services_of(options)
    return (yield from make_graph(graph, *where, services=known, force=options.force))


def refuse_for_drawn(options: argparse.Namespace) -> None:
    """Refuse options of large models where the material is drawn.

    Raises:
        StagewrightError: ``bad-arguments``.
    """
    given = [n for n in (*_SETTINGS, *_MAPS, *_FILES, "lora") if getattr(options, n) is not None]
    given += [
        name for name in ("server", "python", "models", "no_repeat") if getattr(options, name)
    ]
    if given:
        option = given[0].replace("_", "-")
        raise _wrong(f"--{option} is for large models", "Choose one with --backend")


def _suggest(options: argparse.Namespace, host: SceneHost | None) -> Job[Mapping[str, Any]]:
    from ...texture_lab.tasks import suggest

    known = services_of(options)
    return (yield from suggest(options.idea, known, str(options.image or "")))


def _suggested(value: Mapping[str, Any]) -> str:
    words = shlex.quote(value["prompt"])
    return f"{value['prompt']}\nMake it: stagewright texture make {words} -o DIR"


def services_of(options: argparse.Namespace) -> Services:
    """The services that are known, those of the options before others."""
    told = dict.fromkeys(NAMES, options.server)
    return services({**told, "diffusers": options.python, "models": options.models})


def _check(options: argparse.Namespace, host: SceneHost | None) -> Job[Mapping[str, Any]]:
    from ...texture_lab.image_makers import check_service

    return (yield from check_service(options.backend, services_of(options)))


def _checked(value: Mapping[str, Any]) -> str:
    lines = [f"  has: {line}" for line in value["found"]]
    return "\n".join(["Reached.", *lines, *(f"  lacks: {line}" for line in value["missing"])])


def _wrong(why: str, cure: str) -> StagewrightError:
    return StagewrightError("bad-arguments", f"The command line is wrong: {why}.", f"{cure}.")
