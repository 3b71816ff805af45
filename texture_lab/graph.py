# SPDX-License-Identifier: GPL-3.0-or-later
"""Textures made in several steps, as a record: nodes, what feeds them, and all their settings.

The record is all that determines the result, seeds and the hashes of files included; it goes into
the maps as requests do. See :mod:`.graph_nodes` for what the nodes do.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from graphlib import CycleError, TopologicalSorter
from types import MappingProxyType
from typing import Any, Literal, get_args

from ..jobs.errors import StagewrightError
from ..jobs.text_files import parse_json
from .photo import GENERATOR as PHOTO_GENERATOR
from .request import GENERATOR, MAX_PROMPT, MAX_SEED, MAX_SIZE, MIN_SIZE, Normals
from .services import MAKERS

Setting = str | int | float | bool
Value = Literal["image", "set", "same", "none"]

MAX_NODES = 200


@dataclass(frozen=True)
class Range:
    """The numbers that a setting may have; whole ones where ``default`` is one."""

    default: int | float
    low: float
    high: float

    def allows(self, value: object) -> bool:
        """Whether a setting may have this value."""
        if isinstance(value, bool) or not isinstance(value, int | float):
            return False
        whole = isinstance(value, int) or not isinstance(self.default, int)
        return whole and math.isfinite(value) and self.low <= value <= self.high


@dataclass(frozen=True)
class Choice:
    """The words that a setting may have; the first is the default."""

    words: tuple[Setting, ...]

    @property
    def default(self) -> Setting:
        """What it is if nothing is said."""
        return self.words[0]

    def allows(self, value: object) -> bool:
        """Whether a setting may have this value."""
        return any(type(value) is type(word) and value == word for word in self.words)


@dataclass(frozen=True)
class Text:
    """Any text that a pattern describes wholly."""

    pattern: str
    default: str = ""

    def allows(self, value: object) -> bool:
        """Whether a setting may have this value."""
        return isinstance(value, str) and bool(re.fullmatch(self.pattern, value, re.DOTALL))


@dataclass(frozen=True)
class Kind:
    """What a node may be.

    Args:
        inputs: names of what feeds it, and what they are; ``same``: an image or a set.
        result: what it gives; ``same`` as its first input.
        settings: by name.
        free: prefix of settings whose names are free, numbers all of them; "" for none.
        about: what it does, for a person.
    """

    inputs: Mapping[str, Value]
    result: Value
    settings: Mapping[str, Range | Choice | Text] = field(default_factory=dict)
    free: str = ""
    about: str = ""

    @property
    def file(self) -> str:
        """The setting that names a file, whose hash is ``sha256``; "" for none."""
        files = (name for name, each in self.settings.items() if each in (_FILE, _MAYBE_FILE))
        return next(files, "")


_SEED = Range(0, 0, MAX_SEED)
_REPEATS = Choice((False, True))
_SHA256 = Text(r"[0-9a-f]{64}")
_FILE = Text(r"[^/\\\0]+")
_MAYBE_FILE = Text(r"[^/\\\0]*")
_NAMES = Text(r"[^\0]{0,500}")

IMAGE_KINDS = ("text_to_image", "image_to_image")
"""Kinds whose images a large model makes: whatever their ``service`` is."""

_IMAGE: Mapping[str, Range | Choice | Text] = {
    "service": Choice(tuple(MAKERS)),
    "prompt": Text(rf"(?=.*\S).{{1,{MAX_PROMPT}}}"),
    "negative": Text(rf".{{0,{MAX_PROMPT}}}"),
    "seed": _SEED,
    "steps": Range(20, 1, 150),
    "guidance": Range(7.0, 0, 30),
    "model": _NAMES,
    "loras": _NAMES,
    "repeats": _REPEATS,
    "workflow": Text(r".{0,500000}"),
}

KINDS: Mapping[str, Kind] = {
    "text_to_texture": Kind(
        {},
        "set",
        {
            "prompt": Text(rf"(?=.*\S).{{1,{MAX_PROMPT}}}"),
            "size": Range(1024, MIN_SIZE, MAX_SIZE),
            "seed": _SEED,
        },
        free="slider:",
        about="Draw a material that words describe",
    ),
    "photo": Kind({}, "image", {"file": _FILE, "sha256": _SHA256}, about="A photo, or any image"),
    "delight": Kind(
        {"image": "image"},
        "image",
        {"strength": Range(0.7, 0, 1)},
        about="Take out the light that changes slowly over a photo",
    ),
    "text_to_image": Kind(
        {},
        "image",
        {**_IMAGE, "size": Range(1024, 64, 4096)},
        about="Let a model make an image of words",
    ),
    "stored_set": Kind(
        {},
        "set",
        {"file": _FILE, "sha256": _SHA256, "repeats": _REPEATS},
        about="A set that was made before",
    ),
    "image_to_image": Kind(
        {"image": "image"},
        "image",
        {
            **_IMAGE,
            "strength": Range(0.6, 0, 1),
            "mask": _MAYBE_FILE,
            "sha256": Text(r"([0-9a-f]{64})?"),
        },
        about="Let a model make an image of another one, or of a part",
    ),
    "photo_to_pbr": Kind(
        {"image": "image"},
        "set",
        {
            "tile_size_m": Range(1.0, 1e-4, 1e4),
            "relief": Range(0.01, 0, 1e3),
            "detail": Range(0.0, -1, 1),
            "roughness": Range(0.7, 0, 1),
            "contrast": Range(0.3, 0, 1),
        },
        about="Make the maps of a photo",
    ),
    "tile": Kind(
        {"source": "same"},
        "same",
        {"method": Choice(("auto", "cut", "blend"))},
        about="Cut it so that it repeats",
    ),
    "inpaint": Kind(
        {"source": "same"},
        "same",
        {"mask": _FILE, "sha256": _SHA256, "seed": _SEED, "repeats": _REPEATS},
        about="Fill what a mask marks with patches of the rest",
    ),
    "outpaint": Kind(
        {"source": "same"},
        "same",
        {"pixels": Range(64, 1, 4096), "seed": _SEED, "repeats": _REPEATS},
        about="Continue it beyond its borders",
    ),
    "upscale": Kind(
        {"source": "same"},
        "same",
        {"factor": Choice((2, 4, 8)), "repeats": _REPEATS},
        about="Make it larger and keep edges sharp",
    ),
    "vary": Kind(
        {"source": "same"},
        "same",
        {"strength": Range(1.0, 0, 1), "seed": _SEED, "repeats": _REPEATS},
        about="Another piece of the same material",
    ),
    "blend": Kind(
        {"below": "set", "above": "set"},
        "set",
        {"amount": Range(0.5, 0, 1), "by": Choice(("amount", "height"))},
        about="Mix two materials, or fill the hollows of one with the other",
    ),
    "adjust": Kind(
        {"set": "set"},
        "set",
        {
            "brightness": Range(0.0, -1, 1),
            "saturation": Range(1.0, 0, 4),
            "roughness": Range(0.0, -1, 1),
            "relief": Range(1.0, 0.01, 100),
        },
        about="Change colours, roughness and relief",
    ),
    "output": Kind(
        {"set": "set"},
        "none",
        {"normals": Choice(get_args(Normals))},
        about="The texture set that is written",
    ),
}


@dataclass(frozen=True)
class Node:
    """One step.

    Args:
        id: letters, digits and underscores; its name in this graph.
        kind: one of ``KINDS``.
        inputs: names of nodes, by the names of what they feed.
        settings: those that differ from the defaults, or all.
    """

    id: str
    kind: str
    inputs: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, Setting] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Freeze what it holds."""
        object.__setattr__(self, "inputs", MappingProxyType(dict(self.inputs)))
        object.__setattr__(self, "settings", MappingProxyType(dict(self.settings)))

    def __getitem__(self, name: str) -> Any:
        """A setting, or its default."""
        return self.settings.get(name, KINDS[self.kind].settings[name].default)

    def filled(self) -> Node:
        """The same with all its settings, and all that need not be whole as floats."""
        kind = KINDS[self.kind]
        plain = {name: _plain(self[name], setting) for name, setting in kind.settings.items()}
        free = {n: float(v) for n, v in self.settings.items() if n not in kind.settings}
        return replace(self, settings=plain | free)


@dataclass(frozen=True)
class TextureGraph:
    """A texture made in several steps, ending in one ``output``.

    Args:
        nodes: in any order.
        generator: the versions of what the nodes do.

    Raises:
        StagewrightError: ``bad-graph``, naming the node.
    """

    nodes: tuple[Node, ...]
    generator: str = f"{GENERATOR}.{PHOTO_GENERATOR}"

    def __post_init__(self) -> None:
        """Refuse what cannot be made."""
        _require(0 < len(self.nodes) <= MAX_NODES, f"it has not 1 to {MAX_NODES} nodes")
        by_id = {node.id: node for node in self.nodes}
        _require(len(by_id) == len(self.nodes), "two nodes have one name")
        _require(self.generator == TextureGraph.generator, "another version of Stagewright made it")
        for node in self.nodes:
            _check_node(node, by_id)
        ends = [node for node in self.nodes if node.kind == "output"]
        _require(len(ends) == 1, "it has not one output")
        types: dict[str, Value] = {}
        for node in self.order():
            _check_types(node, types)

    def filled(self) -> TextureGraph:
        """The same with all settings of its nodes."""
        return replace(self, nodes=tuple(node.filled() for node in self.nodes))

    def order(self) -> list[Node]:
        """The nodes, each after those that feed it.

        Raises:
            StagewrightError: ``bad-graph``: they feed one another in a circle.
        """
        by_id = {node.id: node for node in sorted(self.nodes, key=lambda node: node.id)}
        sorter = TopologicalSorter(
            {name: sorted(node.inputs.values()) for name, node in by_id.items()}
        )
        try:
            return [by_id[name] for name in sorter.static_order()]
        except CycleError as error:
            raise _refusal(f"its nodes feed one another: {', '.join(error.args[1])}") from None

    @property
    def output(self) -> Node:
        """The node that everything ends in."""
        return next(node for node in self.nodes if node.kind == "output")

    @property
    def normals(self) -> Normals:
        """The direction of the normal map's green."""
        normals: Normals = self.output["normals"]
        return normals

    @staticmethod
    def services_of(nodes: Iterable[Node]) -> frozenset[str]:
        """Names of the services that nodes ask for images."""
        return frozenset(node["service"] for node in nodes if node.kind in IMAGE_KINDS)

    def to_json(self) -> str:
        """ASCII JSON with sorted keys: equal graphs are equal texts."""
        nodes = [
            {
                "id": node.id,
                "kind": node.kind,
                "inputs": dict(node.inputs),
                "settings": dict(node.settings),
            }
            for node in sorted(self.nodes, key=lambda node: node.id)
        ]
        return json.dumps({"nodes": nodes, "generator": self.generator}, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> TextureGraph:
        """The graph of :meth:`to_json`.

        Raises:
            StagewrightError: ``bad-graph``.
        """
        try:
            value = parse_json(text)
            nodes = tuple(Node(**node) for node in value.pop("nodes"))
            return cls(nodes, **value)
        except (ValueError, TypeError, KeyError, AttributeError):
            raise _refusal("it is not what Stagewright writes") from None


def graph_in(text: str) -> TextureGraph:
    """The graph that a record is, or that the sidecar of a set tells.

    Raises:
        StagewrightError: ``bad-graph``.
    """
    try:
        value = parse_json(text)
    except ValueError:
        value = None  # What is wrong with it is told by the reader of graphs.
    told = isinstance(value, dict) and "request" in value
    return TextureGraph.from_json(json.dumps(value["request"]) if told else text)


def _plain(value: Setting, setting: Range | Choice | Text) -> Setting:
    real = isinstance(setting, Range) and isinstance(setting.default, float)
    return float(value) if real else value


def _check_node(node: Node, by_id: Mapping[str, Node]) -> None:
    _require(
        isinstance(node.id, str) and bool(re.fullmatch(r"\w{1,64}", node.id)), "a node has no name"
    )
    kind = KINDS.get(node.kind) if isinstance(node.kind, str) else None
    if kind is None:
        raise _refusal(f"{node.id} is of no kind that there is")
    _require(set(node.inputs) == set(kind.inputs), f"{node.id} has not the inputs it needs")
    for name in node.inputs.values():
        _require(name in by_id, f"what feeds {node.id} is not there")
    for name, value in node.settings.items():
        if kind.free and name.startswith(kind.free):
            _require(Range(0.0, -1e9, 1e9).allows(value), f"{name} of {node.id} is no number")
            continue
        _require(name in kind.settings, f"{node.id} has no setting {name}")
        fine = kind.settings[name].allows(value)
        _require(fine, f"{name} of {node.id} is not what it can be")
    for name, setting in kind.settings.items():
        fine = name in node.settings or setting.allows(setting.default)
        _require(fine, f"{node.id} has no {name}")


def _check_types(node: Node, types: dict[str, Value]) -> None:
    """Whether what feeds it is what it needs; its own type goes into ``types``."""
    kind = KINDS[node.kind]
    for name, wanted in kind.inputs.items():
        given = types[node.inputs[name]]
        fine = given == wanted or (wanted == "same" and given in ("image", "set"))
        _require(fine, f"{node.id} needs another thing than {node.inputs[name]}")
    same = kind.result == "same"
    types[node.id] = types[next(iter(node.inputs.values()))] if same else kind.result


def _require(fine: bool, why: str) -> None:
    if not fine:
        raise _refusal(why)


def _refusal(why: str) -> StagewrightError:
    return StagewrightError(
        "bad-graph", f"The texture graph cannot be used: {why}.", "Correct it and try again."
    )
