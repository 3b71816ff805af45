# SPDX-License-Identifier: GPL-3.0-or-later
"""An evaluated scene as plain data: what the file has to hold.

The record is read from Blender by ``addon.scene``, before anything is changed
for the export, and compared with the written stage by ``usd_tools.fidelity``.
Positions are world space, in Blender units, Blender's axes (Z up).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

_SCENE = "scene.json"
_POINTS = "points.npy"
_MATRICES = "matrices.npy"
_SURFACES = "surfaces.npz"


@dataclass(frozen=True, eq=False)
class ValuesRecord:
    """Values on the elements of a mesh.

    Attributes:
        name: Blender's name of the UV map or attribute.
        domain: Blender's name of the elements: ``POINT``, ``FACE`` or ``CORNER``.
        values: (n, k) float32.
    """

    name: str
    domain: str
    values: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class SurfaceRecord:
    """The faces of a mesh and what lies on them, in object space.

    Attributes:
        counts: (f,) int32, corners of each face.
        corners: (c,) int32, the vertex of each corner.
        normals: (c, 3) float32, of the corners.
        slots: (f,) int32, each face's index into ``materials``.
        materials: name of the material of each slot, or "".
        uv_maps: (c, 2) on CORNER, the map that renders first.
        attributes: colours and generic attributes.
    """

    counts: NDArray[np.int32]
    corners: NDArray[np.int32]
    normals: NDArray[np.float32]
    slots: NDArray[np.int32]
    materials: tuple[str, ...] = ()
    uv_maps: tuple[ValuesRecord, ...] = ()
    attributes: tuple[ValuesRecord, ...] = ()


@dataclass(frozen=True, eq=False)
class MeshRecord:
    """One mesh and where one object shows it at one frame.

    Attributes:
        object: name of the object that shows it. An instance from a
            collection or from Object Info carries the name of the instanced
            object; one whose prototype is made inside a node tree carries the
            name of the object with the node tree.
        instance: whether it is instanced.
        frame: the frame it was read at.
        points: (n, 3) float64, in its own space.
        faces: number of faces.
        materials: sorted names of the materials its faces use.
        surface: its faces; instances of one mesh share it. None leaves it uncompared.
        matrices: (k, 4, 4) float64 for row vectors, to the world: one for each
            time that it is shown.
    """

    object: str
    instance: bool
    frame: float
    points: NDArray[np.float64]
    faces: int
    materials: tuple[str, ...]
    surface: SurfaceRecord | None = None
    matrices: NDArray[np.float64] = field(default_factory=lambda: np.eye(4)[None])

    @property
    def world_points(self) -> NDArray[np.float64]:
        """(k, n, 3), as they stand in the world."""
        return self.points @ self.matrices[:, :3, :3] + self.matrices[:, 3:, :3]

    def taken(self, places: NDArray[np.int64]) -> MeshRecord:
        """The same in some of its places."""
        return replace(self, matrices=self.matrices[places])


@dataclass(frozen=True)
class ObjectRecord:
    """One object of the exported collection.

    Attributes:
        name: its name.
        type: Blender's type (``"CAMERA"``).
        hidden: the frames read at which renders do not show it.
    """

    name: str
    type: str
    hidden: tuple[float, ...] = ()


@dataclass(frozen=True)
class UseRecord:
    """What an object shows of published assets at one frame, in sum.

    Attributes:
        object: its name.
        frame: the frame it was read at.
        versions: sorted ids of the versions that it shows.
        points: number of points of all meshes, those of instances once for each.
        faces: number of their faces.
        center: mean of the points in the world.
        bounds: least and greatest corner of the points in the world.
    """

    object: str
    frame: float
    versions: tuple[str, ...]
    points: int
    faces: int
    center: tuple[float, ...]
    bounds: tuple[tuple[float, ...], tuple[float, ...]]


Setting = float | str | tuple[float, ...] | None


@dataclass(frozen=True)
class SettingsRecord:
    """What an object has besides its shape, at one frame.

    Lengths are metres, angles degrees, places in the world.

    Attributes:
        object: its name.
        frame: the frame it was read at.
        kind: ``place``, ``camera``, ``light`` or ``property``.
        values: by name; ``usd_tools.settings_fidelity`` says which there are. None
            leaves one uncompared.
    """

    object: str
    frame: float
    kind: str
    values: Mapping[str, Setting]


@dataclass(frozen=True)
class InputRecord:
    """What feeds one input of a Principled BSDF.

    Attributes:
        kind: ``constant``, ``image`` (an Image Texture wired to the input,
            straight or through Normal Map / Separate Color), or ``nodes``
            (anything else: maths, mixes, procedural textures).
        value: the constant (scalar or RGBA) or, for other kinds, ().
        image: file name of the image, or "".
        nodes: labels of the nodes in between, for messages.
        scale: strength of the Normal Map node in between.
        uv_map: name of the UV map that the image is read by, or "" for the
            one that renders.
        mapped: whether other nodes (Mapping, Noise) move the image's coordinates.
        channel: the one that is used (``r``, ``g``, ``b``, ``a``), or "" for the colour.
        raw: whether the image holds data, not colour; None for any other colour space.
        transform: scale (2), rotation in degrees and translation (2) of a Mapping
            node, in this order, or () when there is none or it does more.
    """

    kind: Literal["constant", "image", "nodes"]
    value: tuple[float, ...] = ()
    image: str = ""
    nodes: tuple[str, ...] = ()
    scale: float = 1.0
    uv_map: str = ""
    mapped: bool = False
    channel: str = ""
    raw: bool | None = None
    transform: tuple[float, ...] = ()


@dataclass(frozen=True)
class MaterialRecord:
    """A material at one frame.

    Attributes:
        name: its name.
        inputs: by Principled socket name (``"Base Color"``); empty when the surface is no
            Principled BSDF at the top level.
        frame: the frame it was read at.
    """

    name: str
    inputs: Mapping[str, InputRecord] = field(default_factory=dict)
    frame: float = 0.0


@dataclass(frozen=True)
class WorldRecord:
    """The light of the world at one frame.

    Attributes:
        name: its name.
        frame: the frame it was read at.
        light: the radiance (red, green, blue), or what its image is multiplied by; None
            where it is more than one of these, which leaves it uncompared.
        image: file name of its image, or "".
        middle: direction, from anywhere, in which the middle of the image is seen; () where
            it is placed in another way.
        top: direction of its upper border.
        wanted: whether the file is to hold it.
    """

    name: str
    frame: float
    light: tuple[float, ...] | None
    image: str = ""
    middle: tuple[float, ...] = ()
    top: tuple[float, ...] = ()
    wanted: bool = False


@dataclass(frozen=True, eq=False)
class SceneRecord:
    """Everything the file is compared with.

    Attributes:
        meshes: one record for each mesh, object and frame.
        objects: all objects of the exported collection.
        materials: the materials in use, at the frames where they differ from those before.
        aliases: names of real copies made for the export, to the name of the
            object they came from.
        frames: the frames read, ascending.
        meters_per_unit: metres in one Blender unit.
        settings: of objects, at the frames where they differ from those before.
        uses: of published assets, whose meshes, objects and materials are left out.
        world: the world, at the frames where it differs from the one before.
    """

    meshes: tuple[MeshRecord, ...]
    objects: tuple[ObjectRecord, ...]
    materials: tuple[MaterialRecord, ...]
    aliases: Mapping[str, str]
    frames: tuple[float, ...]
    meters_per_unit: float = 1.0
    settings: tuple[SettingsRecord, ...] = ()
    uses: tuple[UseRecord, ...] = ()
    world: tuple[WorldRecord, ...] = ()

    def save(self, folder: Path) -> None:
        """Write the record into ``folder`` (JSON, a .npy for all points, a .npz for surfaces)."""
        folder.mkdir(parents=True, exist_ok=True)
        empty = np.zeros((0, 3))
        np.save(folder / _POINTS, np.concatenate([empty, *(m.points for m in self.meshes)]))
        matrices = (m.matrices for m in self.meshes)
        np.save(folder / _MATRICES, np.concatenate([np.zeros((0, 4, 4)), *matrices]))
        surfaces = list(dict.fromkeys(m.surface for m in self.meshes if m.surface is not None))
        numbers = {surface: number for number, surface in enumerate(surfaces)}
        arrays: dict[str, NDArray[Any]] = {}
        described = [_describe(s, f"{n}", arrays) for n, s in enumerate(surfaces)]
        np.savez(folder / _SURFACES, **arrays)  # type: ignore[arg-type]
        meshes = [
            {
                "object": m.object,
                "instance": m.instance,
                "frame": m.frame,
                "points": len(m.points),
                "matrices": len(m.matrices),
                "faces": m.faces,
                "materials": m.materials,
                "surface": None if m.surface is None else numbers[m.surface],
            }
            for m in self.meshes
        ]
        data = {
            "meshes": meshes,
            "surfaces": described,
            "objects": [asdict(o) for o in self.objects],
            "materials": [asdict(m) for m in self.materials],
            "aliases": dict(self.aliases),
            "frames": self.frames,
            "meters_per_unit": self.meters_per_unit,
            "settings": [asdict(s) for s in self.settings],
            "uses": [asdict(u) for u in self.uses],
            "world": [asdict(w) for w in self.world],
        }
        (folder / _SCENE).write_text(json.dumps(data, ensure_ascii=False), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> SceneRecord:
        """The record that :meth:`save` wrote; the points are memory-mapped."""
        data: dict[str, Any] = json.loads((folder / _SCENE).read_text(encoding="utf-8"))
        points = np.load(folder / _POINTS, mmap_mode="r")
        matrices = np.load(folder / _MATRICES, mmap_mode="r")
        with np.load(folder / _SURFACES) as arrays:
            surfaces = [_surface(s, f"{n}", arrays) for n, s in enumerate(data["surfaces"])]
        meshes = []
        start = first = 0
        for fields in data["meshes"]:
            stop, last = start + fields["points"], first + fields["matrices"]
            fields |= {"points": points[start:stop], "matrices": matrices[first:last]}
            fields["materials"] = tuple(fields["materials"])
            if fields["surface"] is not None:
                fields["surface"] = surfaces[fields["surface"]]
            meshes.append(MeshRecord(**fields))
            start, first = stop, last
        return cls(
            meshes=tuple(meshes),
            objects=tuple(
                ObjectRecord(**o | {"hidden": tuple(o["hidden"])}) for o in data["objects"]
            ),
            materials=tuple(_material(m) for m in data["materials"]),
            aliases=data["aliases"],
            frames=tuple(data["frames"]),
            meters_per_unit=data["meters_per_unit"],
            settings=tuple(_settings(s) for s in data["settings"]),
            uses=tuple(_use(u) for u in data["uses"]),
            world=tuple(WorldRecord(**_tuples(w)) for w in data["world"]),
        )


_FACES = ("counts", "corners", "normals", "slots")


def _describe(
    surface: SurfaceRecord, key: str, arrays: dict[str, NDArray[Any]]
) -> Mapping[str, Any]:
    """What JSON keeps of a surface; its arrays are added to ``arrays``."""
    arrays |= {f"{key}.{name}": getattr(surface, name) for name in _FACES}
    described: dict[str, Any] = {"materials": surface.materials}
    for kind in ("uv_maps", "attributes"):
        found: tuple[ValuesRecord, ...] = getattr(surface, kind)
        described[kind] = [(item.name, item.domain) for item in found]
        arrays |= {f"{key}.{kind}.{n}": item.values for n, item in enumerate(found)}
    return described


def _surface(
    data: Mapping[str, Any], key: str, arrays: Mapping[str, NDArray[Any]]
) -> SurfaceRecord:
    fields: dict[str, Any] = {name: arrays[f"{key}.{name}"] for name in _FACES}
    for kind in ("uv_maps", "attributes"):
        fields[kind] = tuple(
            ValuesRecord(name, domain, arrays[f"{key}.{kind}.{n}"])
            for n, (name, domain) in enumerate(data[kind])
        )
    return SurfaceRecord(materials=tuple(data["materials"]), **fields)


def _settings(data: Mapping[str, Any]) -> SettingsRecord:
    return SettingsRecord(**dict(data) | {"values": _tuples(data["values"])})


def _tuples(data: Mapping[str, Any]) -> dict[str, Any]:
    """``data`` with tuples for lists, which JSON has instead."""
    return {k: tuple(v) if isinstance(v, list) else v for k, v in data.items()}


def _use(data: Mapping[str, Any]) -> UseRecord:
    low, high = (tuple(corner) for corner in data["bounds"])
    fixed = {"versions": tuple(data["versions"]), "center": tuple(data["center"])}
    return UseRecord(**dict(data) | fixed | {"bounds": (low, high)})


def _material(data: Mapping[str, Any]) -> MaterialRecord:
    inputs = {
        socket: InputRecord(**i | {k: tuple(i[k]) for k in ("value", "nodes", "transform")})
        for socket, i in data["inputs"].items()
    }
    return MaterialRecord(data["name"], inputs, data["frame"])
