# SPDX-License-Identifier: GPL-3.0-or-later
"""What the nodes of a texture graph do, and the graph as a job."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from ..jobs.compose import part
from ..jobs.errors import StagewrightError
from ..jobs.events import Job, Progress
from ..jobs.memory import require_memory
from .canvas import smoothstep
from .edited_files import Array
from .grammar import understand
from .graph import IMAGE_KINDS, KINDS, Node, TextureGraph
from .image_makers import ImageMaker, Services, require_services
from .images import encoded, image_size, linear, read_image
from .make import draw
from .photo import PhotoRequest, delighted, maps_of, sha256_of
from .photo_tools import Maps, enlarge, inpaint, outpaint, read_mask, vary
from .picture import shown
from .stored_set import fingerprint, map_files, read_about, read_set
from .surface import normals, occlusion
from .texture_set import TextureSet, require_free, write_set
from .tiling import make_tile

_HELD = 56
"""Memory that a pixel of a set takes."""
_TAKEN = {
    "text_to_texture": 270,
    "delight": 80,
    "photo_to_pbr": 130,
    "tile": 100,
    "inpaint": 150,
    "outpaint": 150,
    "vary": 150,
    "upscale": 140,
    "blend": 150,
    "adjust": 100,
}
"""What it takes more while a node makes it, measured."""

Image = Array
Values = Mapping[str, Any]


def memory_of(graph: TextureGraph, sources: Path) -> int:
    """About how many bytes a graph takes at the peak: what is made is held to the end.

    Args:
        graph: the steps.
        sources: the folder of the files that it names.

    Raises:
        StagewrightError: what the files are refused for.
    """
    sizes: dict[str, tuple[int, int]] = {}
    held = peak = 0
    for node in graph.order():
        rows, columns = sizes[node.id] = _size_of(node, sizes, sources)
        held += _HELD * rows * columns
        peak = max(peak, held + _TAKEN.get(node.kind, 0) * rows * columns)
    return peak


def _size_of(node: Node, sizes: Mapping[str, tuple[int, int]], sources: Path) -> tuple[int, int]:
    """Rows and columns of what a node gives, or more."""
    if "size" in KINDS[node.kind].settings:
        return node["size"], node["size"]
    if node.kind == "photo":
        return image_size(sources / node["file"])
    if node.kind == "stored_set":
        sidecar = sources / node["file"]
        return image_size(map_files(sidecar, read_about(sidecar))["basecolor"])
    rows, columns = sizes[next(iter(node.inputs.values()))]
    if node.kind == "upscale":
        return rows * node["factor"], columns * node["factor"]
    if node.kind == "outpaint":
        return rows + 2 * node["pixels"], columns + 2 * node["pixels"]
    return rows, columns


def make_graph(
    graph: TextureGraph,
    sources: Path,
    folder: Path,
    name: str,
    preview: Path | None = None,
    *,
    services: Services = MappingProxyType({}),
    force: bool = False,
) -> Job[Mapping[str, Any]]:
    """Do all the steps of a graph and write the set that they end in.

    Args:
        graph: the steps.
        sources: the folder of the photos and masks that it names.
        folder: created if need be.
        name: what the files' names begin with.
        preview: file for pictures of images that are being made, and in the end of the set.
        services: who makes images for it (see :data:`.image_makers.Services`).
        force: replace files of that name that another request has made.

    Returns:
        ``files``, the sidecar last; ``steps``, the nodes' kinds; ``models``, what made images.

    Raises:
        StagewrightError: ``no-service``, ``no-file``, ``photo-changed``, ``set-changed``,
            ``bad-set``, ``out-of-memory``; what the steps refuse;
            ``file-exists``, ``write-failed``.
    """
    if not force:
        require_free(graph, folder, name)
    require_services(graph.services_of(graph.nodes), services)
    require_memory(memory_of(graph, sources), f"{name}, made in {len(graph.nodes)} steps,")
    maker = ImageMaker(services, preview)
    run = {**_RUN, **dict.fromkeys(IMAGE_KINDS, maker.run)}
    values: dict[str, Any] = {}
    steps = graph.order()
    for number, node in enumerate(steps):
        where = (0.9 * number / len(steps), 0.9 * (number + 1) / len(steps))
        yield Progress("graph.node", where[0], f"{node.id}: {node.kind.replace('_', ' ')}")
        given = {key: values[source] for key, source in node.inputs.items()}
        values[node.id] = yield from part(run[node.kind](node, given, sources), *where)
    yield from shown(values[graph.output.id], preview)
    yield Progress("graph.write", 0.9, f"Writing to {folder}")
    about = {"steps": [node.kind for node in steps], "models": maker.models}
    files = write_set(values[graph.output.id], folder, name, graph, about)
    return {"files": [str(path) for path in files], **about}


def _text(node: Node, given: Values, sources: Path) -> Job[TextureSet]:
    sliders = {
        name.removeprefix("slider:"): float(value)
        for name, value in node.settings.items()
        if name.startswith("slider:")
    }
    yield from ()
    return draw(understand(node["prompt"], sliders), node["size"], node["seed"])


def _photo(node: Node, given: Values, sources: Path) -> Job[Image]:
    yield from ()
    image = read_image(_checked(sources / node["file"], node["sha256"]))
    return image if image.shape[2] == 3 else np.repeat(image, 3, 2)


def _stored(node: Node, given: Values, sources: Path) -> Job[TextureSet]:
    yield from ()
    sidecar = sources / node["file"]
    if fingerprint(sidecar) != node["sha256"]:
        raise StagewrightError(
            "set-changed",
            f"{node['file']} is not the set that the graph was made with, or was changed.",
            "Give the very set, or change the graph.",
        )
    return read_set(sidecar)[0]


def _delight(node: Node, given: Values, sources: Path) -> Job[Image]:
    yield from ()
    return delighted(given["image"], node["strength"])


def _to_pbr(node: Node, given: Values, sources: Path) -> Job[TextureSet]:
    yield from ()
    request = PhotoRequest(
        photo="",
        sha256="",
        tile_size_m=node["tile_size_m"],
        relief=node["relief"],
        detail=node["detail"],
        roughness=node["roughness"],
        contrast=node["contrast"],
    )
    return maps_of(given["image"], request)


def _tile(node: Node, given: Values, sources: Path) -> Job[TextureSet | Image]:
    yield from ()
    maps, vectors = _maps(given["source"])
    return _like(given["source"], make_tile(maps, node["method"], vectors).maps)


def _inpaint(node: Node, given: Values, sources: Path) -> Job[TextureSet | Image]:
    hole = read_mask(_checked(sources / node["mask"], node["sha256"]))
    maps, vectors = _maps(given["source"])
    job = inpaint(maps, vectors, hole, wraps=node["repeats"], seed=node["seed"])
    return _like(given["source"], (yield from job))


def _outpaint(node: Node, given: Values, sources: Path) -> Job[TextureSet | Image]:
    maps, vectors = _maps(given["source"])
    job = outpaint(maps, vectors, node["pixels"], wraps=node["repeats"], seed=node["seed"])
    return _like(given["source"], (yield from job))


def _vary(node: Node, given: Values, sources: Path) -> Job[TextureSet | Image]:
    maps, vectors = _maps(given["source"])
    job = vary(maps, vectors, node["strength"], wraps=node["repeats"], seed=node["seed"])
    return _like(given["source"], (yield from job))


def _upscale(node: Node, given: Values, sources: Path) -> Job[TextureSet | Image]:
    maps, vectors = _maps(given["source"])
    made = yield from enlarge(maps, vectors, node["factor"], wraps=node["repeats"])
    return _like(given["source"], made, node["factor"])


def _blend(node: Node, given: Values, sources: Path) -> Job[TextureSet]:
    """Mix two sets, or let the one above fill where the relief is lowest.

    The relief's ends and the tile's size are those of ``below``; normals and occlusion are
    made anew from the blended height.
    """
    yield from ()
    below, above = given["below"], given["above"]
    if below.height.shape != above.height.shape:
        raise StagewrightError(
            "different-sizes",
            f"{node.id} blends sets of different sizes.",
            "Give both the same size.",
        )
    share = np.full(below.height.shape, node["amount"], np.float32)
    if node["by"] == "height":
        level = np.float32(np.quantile(below.height, node["amount"]))
        share = 1 - smoothstep(float(level) - 0.05, float(level) + 0.05, below.height)
        share = share * np.float32(min(1.0, 20 * node["amount"]))
    mixed = replace(
        below,
        basecolor=_between(below.basecolor, above.basecolor, share),
        roughness=_between(below.roughness, above.roughness, share),
        metallic=_between(below.metallic, above.metallic, share),
        opacity=_with_missing(below.opacity, above.opacity, share, 1.0),
    )
    if below.emission is not None or above.emission is not None:
        mixed = _lit(mixed, below, above, share)
    depths = (_depth(below), _depth(above))
    return _relieved(mixed, _between(depths[0], depths[1], share))


def _lit(mixed: TextureSet, below: TextureSet, above: TextureSet, share: Array) -> TextureSet:
    """A blend with the glow of both: light adds as it is, not as it is encoded."""
    both = [each for each in (below, above) if each.emission is not None]
    strength = max(each.emission_strength for each in both)
    glows = [
        None if e.emission is None else linear(e.emission) * np.float32(e.emission_strength)
        for e in (below, above)
    ]
    light = _with_missing(glows[0], glows[1], share, 0.0)
    assert light is not None
    shown = encoded(light / np.float32(max(strength, 1e-6)))
    return replace(mixed, emission=shown, emission_strength=strength)


def _with_missing(
    below: Array | None, above: Array | None, share: Array, missing: float
) -> Array | None:
    """:func:`_between` maps that a set may lack; None where both do."""
    known = below if below is not None else above
    if known is None:
        return None
    absent = np.full_like(known, missing)
    return _between(absent if below is None else below, absent if above is None else above, share)


def _adjust(node: Node, given: Values, sources: Path) -> Job[TextureSet]:
    yield from ()
    textures: TextureSet = given["set"]
    gray = textures.basecolor.mean(2, keepdims=True)
    colour = gray + (textures.basecolor - gray) * np.float32(node["saturation"])
    colour = np.clip(colour + np.float32(node["brightness"]), 0, 1)
    rough = np.clip(textures.roughness + np.float32(node["roughness"]), 0, 1)
    adjusted = replace(textures, basecolor=colour, roughness=rough)
    if node["relief"] == 1:
        return adjusted
    return _relieved(adjusted, _depth(textures) * np.float32(node["relief"]))


def _output(node: Node, given: Values, sources: Path) -> Job[TextureSet]:
    yield from ()
    textures: TextureSet = given["set"]
    return textures


_RUN: Mapping[str, Callable[[Node, Values, Path], Job[Any]]] = {
    "text_to_texture": _text,
    "photo": _photo,
    "stored_set": _stored,
    "delight": _delight,
    "photo_to_pbr": _to_pbr,
    "tile": _tile,
    "inpaint": _inpaint,
    "outpaint": _outpaint,
    "upscale": _upscale,
    "vary": _vary,
    "blend": _blend,
    "adjust": _adjust,
    "output": _output,
}


def _checked(file: Path, sha256: str) -> Path:
    if sha256_of(file) != sha256:
        raise StagewrightError(
            "photo-changed",
            f"{file.name} is not the file that the graph was made with, or was changed.",
            "Give the very file, or change the graph.",
        )
    return file


def _maps(value: TextureSet | Image) -> tuple[Maps, frozenset[str]]:
    """The maps of a set, or an image alone, and which of them are vectors."""
    if not isinstance(value, TextureSet):
        return {"image": value}, frozenset()
    maps = {n: m if m.ndim == 3 else m[:, :, None] for n, m in value.maps.items()}
    return maps, frozenset({"normal"})


def _like(source: TextureSet | Image, maps: Maps, finer: int = 1) -> TextureSet | Image:
    """Changed maps as what they came from; a set's size grows with its pixels."""
    if not isinstance(source, TextureSet):
        return maps["image"]
    rows = len(maps["height"]) / len(source.height) / finer
    made: dict[str, Any] = {
        n: maps[n] if m.ndim == 3 else maps[n][:, :, 0] for n, m in source.maps.items()
    }
    return replace(source, **made, tile_size_m=source.tile_size_m * rows)


def _depth(textures: TextureSet) -> Array:
    """The height in metres, from its lowest point."""
    return (textures.height * textures.height_range_m).astype(np.float32)


def _relieved(textures: TextureSet, depth: Array) -> TextureSet:
    """A set with another relief, in metres."""
    low, high = float(np.min(depth)), float(np.max(depth))
    span = max(high - low, 1e-6)
    return replace(
        textures,
        height=((depth - np.float32(low)) / np.float32(span)).astype(np.float32),
        height_range_m=span,
        normal=normals(depth, textures.tile_size_m),
        ao=occlusion(depth, textures.tile_size_m),
    )


def _between(one: Array, other: Array, share: Array) -> Array:
    part_of = share[:, :, None] if one.ndim == 3 else share
    return (one + (other - one) * part_of).astype(np.float32)
