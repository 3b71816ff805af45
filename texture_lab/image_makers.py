# SPDX-License-Identifier: GPL-3.0-or-later
"""The nodes of a texture graph whose images large models make, and who makes them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..jobs.errors import StagewrightError
from ..jobs.events import Job, Message
from ..jobs.threads import in_thread
from .graph import IMAGE_KINDS, Node, TextureGraph
from .image_order import STEP, ImageOrder, MadeImage, loras_of
from .images import Image
from .patches import Mask
from .photo import sha256_of
from .photo_tools import read_mask
from .services import NAMES, Services, require_services
from .tiling import make_tile


class ImageMaker:
    """Makes the images of a graph's nodes; see :data:`.graph.IMAGE_KINDS`.

    Attributes:
        models: what made them, by the nodes' names, where it is known.
    """

    def __init__(self, services: Services, preview: Path | None = None) -> None:
        """Ask ``services``; pictures of what is being made go to the file ``preview``."""
        self._services = services
        self._preview = preview
        self.models: dict[str, str] = {}

    def run(self, node: Node, given: Mapping[str, Any], sources: Path) -> Job[Image]:
        """Make the image of a node (see :mod:`.graph_nodes`).

        What shall repeat and does not is cut into a tile, which is smaller.

        Raises:
            StagewrightError: ``no-service``, ``bad-request``, ``photo-changed``,
                ``mask-size``; what the service refuses or fails at.
        """
        order = _order_of(node, given, sources)
        made = yield from self._make(node, order)
        self.models[node.id] = made.model
        rows, columns = order.height, order.width
        if order.image is not None:
            rows, columns = given["image"].shape[:2]
        image = made.image
        if made.image.shape[:2] == (order.height, order.width):
            image = image[:rows, :columns]
        if not order.repeats or (made.repeats and image.shape == made.image.shape):
            return image
        tile = make_tile({"image": image}).maps["image"]
        yield Message(
            f"{NAMES[node['service']]} cannot make images repeat here: it was cut to "
            f"{tile.shape[1]} x {tile.shape[0]} pixels that do."
        )
        return tile

    def _make(self, node: Node, order: ImageOrder) -> Job[MadeImage]:
        require_services(TextureGraph.services_of([node]), self._services)
        service = self._services[node["service"]]
        # Imported here: whoever draws needs no servers.
        if node["service"] == "comfyui":
            from .servers import comfyui

            server = comfyui.comfyui_at(service["url"], service.get("key", ""))
            return (yield from comfyui.make_image(server, order, self._preview))
        if node["service"] == "diffusers":
            from .diffusion import client

            return (yield from client.make_image(service, order))
        from .servers import sdapi, sdcpp

        server = sdapi.sdapi_at(service["url"], service.get("key", ""))
        able = yield from in_thread(lambda: sdcpp.capabilities(server))
        if able:
            return (yield from sdcpp.make_image(server, order, able))
        return (yield from sdapi.make_image(server, order, self._preview))


def check_service(name: str, services: Services) -> Job[Mapping[str, Any]]:
    """What a service has and lacks: ``found`` and ``missing``, sentences; ``models``, names.

    Raises:
        StagewrightError: ``no-service``; it cannot be reached, or is something else.
    """
    require_services(frozenset({name}), services)
    service = services[name]
    if name == "comfyui":
        from .servers import comfyui

        server = comfyui.comfyui_at(service["url"], service.get("key", ""))
        return (yield from comfyui.check(server))
    if name == "diffusers":
        from .diffusion import client

        return (yield from client.check(service))
    if name == "chat":
        from .servers import chat

        return (yield from chat.check(chat.chat_at(service["url"], service.get("key", ""))))
    from .servers import sdapi, sdcpp

    server = sdapi.sdapi_at(service["url"], service.get("key", ""))
    able = yield from in_thread(lambda: sdcpp.capabilities(server))
    return sdcpp.check(able) if able else (yield from sdapi.check(server))


def _order_of(node: Node, given: Mapping[str, Any], sources: Path) -> ImageOrder:
    image: Image | None = given.get("image")
    mask: Mask | None = None
    if image is None:
        rows = columns = node["size"]
    else:
        rows, columns = image.shape[:2]
        border = ((0, -rows % STEP), (0, -columns % STEP))
        if node["mask"]:
            mask = _mask(node, sources, (rows, columns))
            mask = np.pad(mask, border, mode="edge")
        image = np.pad(image, (*border, (0, 0)), mode="edge")
        rows, columns = image.shape[:2]
    if rows % STEP:
        raise StagewrightError(
            "bad-request",
            f"{node.id} asks for {rows} pixels; models make multiples of {STEP}.",
            f"Choose {rows // STEP * STEP}.",
        )
    return ImageOrder(
        prompt=node["prompt"],
        negative=node["negative"],
        width=columns,
        height=rows,
        seed=node["seed"],
        steps=node["steps"],
        guidance=float(node["guidance"]),
        model=node["model"],
        loras=loras_of(node["loras"]),
        repeats=node["repeats"],
        image=image,
        mask=mask,
        strength=float(node["strength"]) if image is not None else 1.0,
        workflow=node["workflow"],
    )


def _mask(node: Node, sources: Path, shape: tuple[int, int]) -> Mask:
    file = sources / node["mask"]
    if sha256_of(file) != node["sha256"]:
        raise StagewrightError(
            "photo-changed",
            f"{file.name} is not the mask that the graph was made with, or was changed.",
            "Give the very file, or change the graph.",
        )
    mask = read_mask(file)
    if mask.shape != shape:
        raise StagewrightError(
            "mask-size",
            f"The mask has {mask.shape[1]} x {mask.shape[0]} pixels, the image "
            f"{shape[1]} x {shape[0]}.",
            "Give a mask of the image's size.",
        )
    return mask


def generated(
    settings: Mapping[str, Any],
    *,
    photo: tuple[str, str] | None = None,
    pbr: Mapping[str, Any] | None = None,
    normals: str = "opengl",
) -> TextureGraph:
    """The graph from words, or words and a photo, to a set: made, delighted, estimated.

    Args:
        settings: of the node that makes the image.
        photo: a file's name and hash, to begin with.
        pbr: settings of ``photo_to_pbr``.
        normals: the direction of the normal map's green.

    Raises:
        StagewrightError: ``bad-graph``, naming the setting.
    """
    nodes = []
    inputs = {}
    if photo is not None:
        nodes.append(Node("photo", "photo", settings={"file": photo[0], "sha256": photo[1]}))
        inputs = {"image": "photo"}
    kind = IMAGE_KINDS[photo is not None]
    nodes += [
        Node("image", kind, inputs, settings),
        Node("delight", "delight", {"image": "image"}),
        Node("maps", "photo_to_pbr", {"image": "delight"}, pbr or {}),
        Node("output", "output", {"set": "maps"}, {"normals": normals}),
    ]
    return TextureGraph(tuple(nodes))
