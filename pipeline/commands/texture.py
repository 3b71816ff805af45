# SPDX-License-Identifier: GPL-3.0-or-later
"""``stagewright texture …``: materials from words."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...jobs.compose import part
from ...jobs.errors import StagewrightError, naming
from ...jobs.events import Job, Message, Progress
from ...jobs.text_files import require_text
from .. import settings, summaries
from ..host import SceneHost
from ..targets import require_suffix
from ..work import work_folder
from . import texture_generate, texture_images
from .common import (
    add_allow,
    add_force,
    add_group,
    add_place,
    add_verb,
    checks_block,
    place_of,
    require_usd,
)
from .texture_images import IMAGES, SCANS, add_folder


def add(verbs: Any) -> None:
    """Add the group."""
    group = add_group(verbs, "texture", "Make tileable PBR textures from words.")
    make = add_verb(
        group,
        "make",
        "Make the six maps of a material from words.",
        handler=_make,
        summary=summaries.again,
    )
    make.add_argument("prompt", metavar="PROMPT", help='the words: "mossy red brick wall, wet"')
    make.add_argument("--size", type=int, default=1024, help="pixels (default: %(default)s)")
    make.add_argument("--seed", type=int, default=0, help="which variation (default: %(default)s)")
    make.add_argument(
        "--normals",
        default="opengl",
        help="opengl: green is up; directx: green is down (default: %(default)s)",
    )
    make.add_argument(
        "--set",
        action="append",
        default=[],
        type=_assignment,
        metavar="SLIDER=VALUE",
        help="set a slider of the material (may be repeated)",
    )
    texture_generate.add_options(make)
    _add_output(make)
    rerun = add_verb(
        group,
        "rerun",
        "Make the set of a map again, from what the map says of itself.",
        handler=_rerun,
        summary=summaries.again,
    )
    rerun.add_argument("picture", type=Path, metavar="FILE.png", help="any map of the set")
    rerun.add_argument(
        "--photo",
        type=Path,
        action=IMAGES,
        help="the photo of a set of one (default: that of its name beside the map)",
    )
    texture_generate.add_server(rerun)
    _add_output(rerun)
    _add_graph(group)
    _add_batch(group)
    _add_maps(group)
    texture_images.add(group)
    texture_generate.add_server_verbs(group)
    _add_onward(group)


def _add_onward(group: Any) -> None:
    look = add_verb(
        group,
        "look",
        "Write a set as a USD asset: its material, on a card of one tile.",
        handler=_look,
        summary=summaries.exported,
        found_errors=checks_block,
    )
    publish = add_verb(
        group,
        "publish",
        "Publish a set: its look, its maps, and all that is known of it.",
        handler=_publish,
        summary=summaries.published,
        found_errors=checks_block,
    )
    packed = add_verb(
        group,
        "pack",
        "Write occlusion, roughness and metallic of a set into the channels of one image.",
        handler=_pack,
        summary=lambda value: f"Wrote {value['path']}",
    )
    packed.add_argument("sidecar", type=Path, metavar="SET.json", help="the set's sidecar")
    packed.add_argument(
        "--order",
        default="orm",
        help="what red, green and blue are: o, r, m or h for height (default: %(default)s)",
    )
    add_force(packed)
    for verb in (look, publish):
        verb.add_argument("sidecar", type=Path, metavar="SET.json", help="the set's sidecar")
        add_allow(verb)
    look.add_argument(
        "-o", "--output", type=Path, required=True, metavar="OUT.usda", help="the root layer"
    )
    add_place(
        publish,
        folder=f"{settings.FOLDER_ROOT}/NAME",
        task=settings.TEXTURE_TASK,
        product=settings.TEXTURE_PRODUCT,
    )


def _add_graph(group: Any) -> None:
    verb = add_verb(
        group,
        "graph",
        "Make a set in several steps, as a graph's JSON tells.",
        handler=_graph,
        summary=summaries.graphed,
    )
    verb.add_argument("graph", type=Path, metavar="GRAPH.json", help="the graph")
    verb.add_argument(
        "--sources",
        type=Path,
        metavar="DIR",
        help="the folder of the photos and masks it names (default: the graph's)",
    )
    texture_generate.add_server(verb)
    _add_output(verb)


def _add_batch(group: Any) -> None:
    verb = add_verb(
        group,
        "batch",
        "Make a set of each line of a file; those that are there already are passed over.",
        handler=_batch,
        summary=summaries.batched,
        found_errors=lambda value: bool(value["refused"]),
    )
    verb.add_argument("listing", type=Path, metavar="FILE", help="prompts or requests, one a line")
    verb.add_argument("--size", type=int, default=1024, help="pixels (default: %(default)s)")
    verb.add_argument("--seed", type=int, default=0, help="which variation (default: %(default)s)")
    verb.add_argument(
        "--processes",
        type=int,
        default=os.cpu_count() or 1,
        help="how many work at a time (default: as many as there are cores)",
    )
    verb.add_argument(
        "--scheduler",
        metavar="ADDRESS",
        help="let the workers of this Dask cluster do it, such as tcp://farm:8786",
    )
    add_folder(verb)


def _add_maps(group: Any) -> None:
    verb = add_verb(
        group,
        "maps",
        "Make the six maps of each photo, estimated by a network or by classical means.",
        handler=_maps,
        summary=summaries.photographed,
        found_errors=lambda value: "sets" not in value and not value["made"],
    )
    verb.add_argument("photos", nargs="*", type=Path, action=IMAGES, metavar="PHOTO")
    verb.add_argument(
        "--compare",
        type=Path,
        action=SCANS,
        metavar="DIR",
        help="make nothing: score both ways on the scanned sets of this folder",
    )
    verb.add_argument(
        "--tile",
        nargs="?",
        const="auto",
        default="",
        choices=("auto", "cut", "blend"),
        help="make it repeat: by a cut, by a blend, or by what fits (default: as it is)",
    )
    verb.add_argument(
        "--backend",
        choices=("network", "classical"),
        default="classical",
        help="controls to steer, or a network trained on synthetic materials (default: classical)",
    )
    verb.add_argument(
        "--tile-size",
        type=float,
        default=1.0,
        help="metres that the photo shows from top to bottom (default: %(default)s)",
    )
    verb.add_argument(
        "--relief",
        type=float,
        help="metres from the lowest to the highest point (default: as estimated; 0.01 by "
        "classical means)",
    )
    classical = verb.add_argument_group("controls of the classical way")
    controls = (
        ("delight", "how much of the light is taken out, 0 to 1 (default: 0.7)"),
        ("detail", "-1: large shapes count more in the relief; 1: small ones (default: 0)"),
        ("roughness", "in the middle, 0 to 1 (default: 0.7)"),
        ("contrast", "how much roughness follows the brightness, 0 to 1 (default: 0.3)"),
    )
    for name, text in controls:
        classical.add_argument(f"--{name}", type=float, help=text)
    verb.add_argument("--normals", choices=("opengl", "directx"), default="opengl")
    _add_output(verb, required=False)


def _add_output(verb: argparse.ArgumentParser, *, required: bool = True) -> None:
    add_folder(verb, required=required)
    verb.add_argument("--name", default="", help="what the files' names begin with")


def _assignment(text: str) -> tuple[str, float]:
    name, _, value = text.partition("=")
    return name, float(value)


def _make(options: argparse.Namespace, host: SceneHost | None) -> Job[Mapping[str, Any]]:
    from ...texture_lab.make import make
    from ...texture_lab.request import TextureRequest

    if options.backend != texture_generate.EMBEDDED:
        return (yield from texture_generate.make(options))
    texture_generate.refuse_for_drawn(options)
    parameters = dict(options.set)
    request = TextureRequest(
        options.prompt, options.size, options.seed, parameters, options.normals
    )
    return (yield from make(request, options.output, options.name, force=options.force))


def _rerun(options: argparse.Namespace, host: SceneHost | None) -> Job[Mapping[str, Any]]:
    from ...texture_lab.rerun import rerun

    where = (options.output, options.name, options.photo)
    known = texture_generate.services_of(options)
    return (yield from rerun(options.picture, *where, services=known, force=options.force))


def _pack(options: argparse.Namespace, host: SceneHost | None) -> Job[Mapping[str, Any]]:
    from ...texture_lab.packing import pack

    yield Progress("texture.pack", 0.0, f"Packing {options.sidecar.name}")
    return {"path": str(pack(options.sidecar, options.order, force=options.force))}


def _look(options: argparse.Namespace, host: SceneHost | None) -> Job[Mapping[str, Any]]:
    require_usd()
    from ..texture_publish import make_look

    require_suffix(options.output, "a look", (".usda",))
    with work_folder() as work:
        made = yield from make_look(options.sidecar, options.output, work, options.allow)
    return made.to_json()


def _publish(options: argparse.Namespace, host: SceneHost | None) -> Job[Mapping[str, Any]]:
    require_usd()
    from ..texture_publish import TextureOrder, publish_textures

    place = place_of(
        options,
        folder=f"{settings.FOLDER_ROOT}/{settings.asset_name(options.sidecar.stem)}",
        task=settings.TEXTURE_TASK,
        product=settings.TEXTURE_PRODUCT,
    )
    order = TextureOrder(options.sidecar, allow=tuple(options.allow), **place)
    return (yield from publish_textures(order))


def _graph(options: argparse.Namespace, host: SceneHost | None) -> Job[Mapping[str, Any]]:
    from ...texture_lab.graph import TextureGraph
    from ...texture_lab.graph_nodes import make_graph

    text = require_text(options.graph)
    sources = options.sources or options.graph.parent
    name = options.name or options.graph.stem
    with naming(options.graph.name):
        graph = TextureGraph.from_json(text)
    where = (sources, options.output, name)
    known = texture_generate.services_of(options)
    return (yield from make_graph(graph, *where, services=known, force=options.force))


def _batch(options: argparse.Namespace, host: SceneHost | None) -> Job[Mapping[str, Any]]:
    from ..textures import make_sets, processes, read_requests

    requests = read_requests(options.listing, options.size, options.seed)
    where = options.output
    if not options.scheduler:
        with processes(max(options.processes, 1)) as crew:
            return (yield from make_sets(requests, where, crew, force=options.force))
    from ..farm import cluster
    from ..texture_farm import Farm

    with cluster(options.scheduler) as client:
        crew = [Farm(client)] * sum(client.nthreads().values())
        return (yield from make_sets(requests, where, crew, force=options.force))


def _maps(options: argparse.Namespace, host: SceneHost | None) -> Job[Mapping[str, Any]]:
    from ...texture_lab.photo import make_maps, request_of
    from ...texture_lab.scanned import compare_sets

    if options.compare:
        return (yield from compare_sets(options.compare))
    if not options.photos or options.output is None:
        raise StagewrightError(
            "bad-arguments",
            "Neither photos with -o nor --compare is given.",
            "Name photos and the folder to write to, or a folder of scanned sets.",
        )

    if options.name and len(options.photos) > 1:
        raise StagewrightError(
            "bad-arguments", "--name is for one photo.", "Leave it out, or give one photo."
        )
    steered = {n: getattr(options, n) for n in _CONTROLS if getattr(options, n) is not None}
    if steered and options.backend == "network":
        raise StagewrightError(
            "bad-arguments",
            f"--{next(iter(steered))} steers the classical way, not the network.",
            "Leave it out, or choose --backend classical.",
        )
    stems = [photo.stem.casefold() for photo in options.photos]
    if len(set(stems)) != len(stems):
        raise StagewrightError(
            "same-name",
            "Two of the photos have one name, so that their maps would replace one another.",
            "Rename one, or make them one after the other in folders of their own.",
        )
    chosen = {
        "tile": options.tile,
        "tile_size_m": options.tile_size,
        "relief": options.relief,
        "backend": options.backend,
        "normals": options.normals,
        **steered,
    }
    made: list[Mapping[str, Any]] = []
    refused: list[dict[str, str]] = []
    for index, photo in enumerate(options.photos):
        share = 1 / len(options.photos)
        try:
            request = request_of(photo, **chosen)
            job = make_maps(photo, request, options.output, options.name, force=options.force)
            made.append((yield from part(job, index * share, (index + 1) * share)))
        except StagewrightError as error:
            # One damaged photo among thousands must not stop the others.
            if len(options.photos) == 1:
                raise
            refused.append({"photo": str(photo), "code": error.code, "message": error.message})
            yield Message(f"{error.message} {error.cure}", "warning")
    return {"made": made, "refused": refused}


_CONTROLS = ("delight", "detail", "roughness", "contrast")
