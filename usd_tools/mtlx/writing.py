# SPDX-License-Identifier: GPL-3.0-or-later
"""Materials as a MaterialX document, by the network that goes into USD files, too."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pxr import Sdf, Usd, UsdShade

from ...jobs.errors import StagewrightError
from ...jobs.events import Event
from ...jobs.files import written_whole
from ..direct.records import MATERIALS, MaterialRecord, Record, StageRecord
from ..direct.stream_writer import write_stream
from .library import Library, materialx, standard_library
from .records import Network, Node, Port
from .shade import read_material

_ROOT = "root"
_SPACE = "lin_rec709"


def networks_of(records: Iterable[MaterialRecord]) -> list[Network]:
    """The OpenPBR networks of materials, as the USD writer authors them."""
    placed = [
        replace(record, path=f"/{_ROOT}/{MATERIALS}/material_{number}")
        for number, record in enumerate(records)
    ]

    def stream() -> Generator[Record | Event, None, None]:
        yield StageRecord(_ROOT)
        yield from placed

    layer = Sdf.Layer.CreateAnonymous(".usda")
    for _ in write_stream(stream(), layer):
        pass
    stage, library = Usd.Stage.Open(layer), Library()
    found = []
    for record in placed:
        network = read_material(UsdShade.Material(stage.GetPrimAtPath(record.path)), library)
        found.append(replace(network, name=record.data))
    return found


def write_document(networks: Sequence[Network], target: Path) -> None:
    """Write networks as one document, whose paths are relative where files lie near it.

    Raises:
        StagewrightError: ``target-unwritable`` or ``no-materialx``.
    """
    mx = materialx()
    document = mx.createDocument()
    document.setColorSpace(_SPACE)
    for network in networks:
        _add(document, network, target.parent)
    try:
        with written_whole(target) as partial:
            partial.write_text(mx.writeToXmlString(document), "utf-8")
    except OSError as error:
        raise StagewrightError(
            "target-unwritable",
            f"{target.name} cannot be written ({error.strerror}).",
            "Make room on the disk, or choose a folder you may write to.",
        ) from error


def _add(document: Any, network: Network, folder: Path) -> None:
    mx = materialx()
    name = _free(document, mx.createValidName(network.name))
    material = document.addNode("surfacematerial", name, "material")
    if name != network.name:
        material.setAttribute("uiname", network.name)
    body = document.addNodeGraph(_free(document, f"NG_{name}"))
    shaders = {
        network.surface: ("surfaceshader", f"SR_{name}"),
        network.displacement: ("displacementshader", f"DS_{name}"),
    }
    for node in network.graph.nodes.values():
        if node.name not in shaders:
            made = _portable(node)
            kind = _type(made)
            child = body.addNode(made.category, _plain(node.name), kind)
            for key, port in made.inputs.items():
                _fill(child.addInput(key, port.type), port, folder)
    for node_name, (kind, shader_name) in shaders.items():
        if not node_name:
            continue
        node = network.graph.nodes[node_name]
        shader = document.addNode(node.category, _free(document, shader_name), kind)
        for key, port in node.inputs.items():
            made = shader.addInput(key, port.type)
            if port.node:
                output = body.addOutput(body.createValidChildName(f"out_{key}"), port.type)
                _connect(output, port)
                made.setNodeGraphString(body.getName())
                made.setOutputString(output.getName())
            else:
                _fill(made, port, folder)
        material.addInput(kind, kind).setNodeName(shader.getName())
    if not body.getChildren():
        document.removeChild(body.getName())


def _free(document: Any, name: str) -> str:
    """``name``, numbered where the document or MaterialX's library has one of it."""
    free, number = name, 1
    while document.getChild(free) or standard_library().getChild(free):
        free, number = f"{name}_{number}", number + 1
    return free


def _type(node: Node) -> str:
    """The type of what a node gives."""
    definition = standard_library().getNodeDef(node.definition)
    return "float" if definition is None else str(definition.getType())


def _portable(node: Node) -> Node:
    """The UVs that USD calls ``st`` are MaterialX's first ones."""
    geomprop = node.inputs.get("geomprop", Port("string"))
    if node.definition == "ND_geompropvalue_vector2" and geomprop.value == "st":
        return Node(node.name, "texcoord", "ND_texcoord_vector2")
    return node


def _plain(name: str) -> str:
    """A node's name within its graph, without what tells USD's two networks apart."""
    return name.rpartition("/")[2].removeprefix("OpenPBR_")


def _fill(made: Any, port: Port, folder: Path) -> None:
    if port.node:
        _connect(made, port)
    elif port.value is not None:
        made.setValueString(_text(port, folder))
    if port.colorspace and port.type == "filename":
        made.setColorSpace(port.colorspace)


def _connect(made: Any, port: Port) -> None:
    made.setNodeName(_plain(port.node))
    if port.output != "out":
        made.setOutputString(port.output)


def _text(port: Port, folder: Path) -> str:
    value = port.value
    if isinstance(value, str):
        if port.type != "filename" or not Path(value).is_relative_to(folder.parent):
            return value
        return Path(os.path.relpath(value, folder)).as_posix()
    assert value is not None
    if port.type == "boolean":
        return "true" if value[0] else "false"
    if port.type == "integer":
        return str(int(value[0]))
    return ", ".join(f"{number:.9g}" for number in value)
