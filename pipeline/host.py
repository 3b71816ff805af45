# SPDX-License-Identifier: GPL-3.0-or-later
"""What the use cases ask of Blender; ``addon.scene.host`` answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

from ..jobs.events import Job
from ..usd_tools.findings import Finding
from ..usd_tools.scene_record import SceneRecord

Engine = Literal["native", "stagewright"]
"""Who writes the USD: Blender's own exporter, or the direct writer."""
DEFAULT_ENGINE: Engine = "stagewright"


@dataclass(frozen=True)
class SceneRequest:
    """Which part of the open scene to export, and how.

    Attributes:
        collection: name of the collection, or "" for the whole scene.
        name: name of the asset's root prim, a USD identifier.
        frames: first and last frame; ``"auto"`` takes the scene's range when
            anything moves; None exports the current frame alone.
        scene: name of the scene, or "" for the one the file was saved with.
        view_layer: name of the view layer, or "" for the scene's active one.
        engine: who writes the USD, or wrote what is compared.
        selected: export the selected objects alone, as the file was saved.
        bake: width of the images that inputs of materials are baked into which USD
            cannot hold; 0 bakes none.
        step: frames from one sample to the next; a part of one samples motion finer.
        world: whether the scene's world comes along, as a dome light.
        up_axis: ``"Z"``, as Blender has it, or ``"Y"``: the root prim is turned.
        over: root layer of a published asset: what the scene has otherwise is written
            as a layer over it. "" writes the whole asset.
    """

    collection: str
    name: str
    frames: tuple[int, int] | Literal["auto"] | None = "auto"
    scene: str = ""
    view_layer: str = ""
    engine: Engine = DEFAULT_ENGINE
    selected: bool = False
    bake: int = 0
    step: float = 1.0
    world: bool = False
    up_axis: Literal["Y", "Z"] = "Z"
    over: str = ""


@dataclass(frozen=True)
class ImportChoice:
    """What of a USD file to import.

    Attributes:
        prims: paths of prims to import with all that is below; empty for everything.
        cameras: whether cameras are imported.
        purposes: which purposes besides ``default`` and ``render``.
        meters_per_unit: metres in one unit of the scene that it is for; the importer
            takes them for metres.
    """

    prims: tuple[str, ...] = ()
    cameras: bool = False
    purposes: frozenset[Literal["proxy", "guide"]] = frozenset()
    meters_per_unit: float = 1.0


@dataclass(frozen=True, eq=False)
class NativeExport:
    """What came out of Blender's exporter: its layer, and the scene it shows."""

    layer: Path
    record: SceneRecord


@dataclass(frozen=True, eq=False)
class DirectExport:
    """What the direct writer made: layers that are not in their places yet, and their scene.

    Attributes:
        geometry: an ``Sdf.Layer`` with everything but the look, in a file below ``base``.
        look: an ``Sdf.Layer`` with materials and their bindings.
        references: an ``Sdf.Layer`` with references to published assets.
        base: the folder that relative paths in them start from.
        structure: variant sets and collections, a ``usd_tools.structure.Structure``.
        record: the scene.
    """

    geometry: Any
    look: Any
    references: Any
    base: Path
    structure: Any
    record: SceneRecord


class SceneHost(Protocol):
    """A Blender with a scene, free to be changed."""

    version: str

    def open(self, blend: Path) -> None:
        """Open the file ``blend``."""

    def export(self, request: SceneRequest, folder: Path) -> Job[NativeExport | DirectExport]:
        """Export by the engine of ``request``; files in between go into ``folder``."""
        ...

    def record(self, request: SceneRequest) -> Job[SceneRecord]:
        """Read what a file has to hold; nothing is changed."""
        ...

    def import_usd(self, source: Path, blend: Path, name: str, choice: ImportChoice) -> Job[Path]:
        """Import the USD file ``source`` into a new file ``blend``, as the collection ``name``."""
        ...

    def picture_usd(self, source: Path, target: Path, size: int, frames: int) -> Job[list[Path]]:
        """Render the USD file ``source``: the PNG ``target``, or ``frames`` of them around it."""
        ...

    def import_mtlx(
        self, source: Path, blend: Path, names: tuple[str, ...], into: bool
    ) -> Job[list[dict[str, Any]]]:
        """Import materials of the MaterialX document ``source``.

        They go ``into`` the file ``blend``, or are written as a new one of that name.
        Returns for each its ``name``, ``surface`` and ``notes``.
        """
        ...

    def export_mtlx(self, target: Path, names: tuple[str, ...]) -> Job[dict[str, Any]]:
        """Write materials of the open file as the MaterialX document ``target``.

        Returns ``path``, ``materials`` with ``name`` and ``notes``, and ``problems``.
        """
        ...

    def thumbnail(self, request: SceneRequest, path: Path) -> Job[Path]:
        """Render the PNG ``path``; call it after :meth:`export`."""
        ...

    def film(self, request: SceneRequest, path: Path, frames: int) -> Job[Path]:
        """Film the asset turning once, ``frames`` pictures, into the MP4 ``path``.

        Call it after :meth:`export`.

        Raises:
            StagewrightError: ``no-film`` where this Blender cannot, and as :meth:`thumbnail`.
        """
        ...

    def losses(self, request: SceneRequest, folder: Path) -> Job[tuple[Finding, ...]]:
        """What an export of ``request`` would not hold; nothing is changed."""
        ...

    def remember(
        self, blend: Path, request: SceneRequest, identity: Mapping[str, Any] | None
    ) -> None:
        """Keep names of prims, and the published ``identity`` if any, in the file ``blend``."""
