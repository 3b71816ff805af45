# SPDX-License-Identifier: GPL-3.0-or-later
"""From an open scene to a checked USD asset on disk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..jobs.compose import part
from ..jobs.events import Job
from ..jobs.process import run_child
from ..usd_tools.asset import AssetFiles, author_asset, place_asset
from ..usd_tools.findings import CheckReport
from ..usd_tools.scene_record import SceneRecord
from ..usd_tools.shot import place_shot
from ..usd_tools.structure import has_variants
from .host import DirectExport, Engine, NativeExport, SceneHost, SceneRequest


@dataclass(frozen=True)
class CheckedAsset:
    """An asset's files and what the checks say of them."""

    files: AssetFiles
    checks: CheckReport

    def to_json(self) -> dict[str, Any]:
        """The result of an export, as plain JSON data."""
        files = [*self.files.layers, *self.files.textures]
        return {
            "path": str(self.files.root),
            "files": [str(path) for path in files],
            "checks": self.checks.to_json(),
        }


def export_asset(
    host: SceneHost, request: SceneRequest, root: Path, work: Path, allow: Sequence[str]
) -> Job[CheckedAsset]:
    """Export the host's scene to the root layer ``root`` and check what was written.

    Args:
        host: a Blender with the file open.
        request: what to export.
        root: the ``.usda`` to write; its layers and textures go beside it.
        work: a folder for everything in between.
        allow: names of checks whose errors are let through.
    """
    export = yield from part(host.export(request, work), 0.0, 0.6)
    files = yield from part(_authored(export, request, root), 0.6, 0.8)
    checks = yield from part(_checked(export.record, root, work, allow), 0.8, 1.0)
    return CheckedAsset(files, checks)


def check_against(
    host: SceneHost,
    request: SceneRequest,
    root: Path,
    work: Path,
    allow: Sequence[str],
    profile: str,
) -> Job[CheckReport]:
    """Check any USD file, whoever wrote it, and compare it with the host's scene.

    Args:
        host: a Blender with the file open.
        request: the part of the scene that the USD file is to hold.
        root: the root layer.
        work: a folder for everything in between.
        allow: names of checks whose errors are let through.
        profile: one of ``usd_tools.profiles.PROFILES``.
    """
    # A file without variants shows at once what collections of the scene make variants.
    engine: Engine = "stagewright" if has_variants(root) else "native"
    record = yield from part(host.record(replace(request, engine=engine)), 0.0, 0.5)
    return (yield from part(_checked(record, root, work, allow, profile), 0.5, 1.0))


def _checked(
    record: SceneRecord, root: Path, work: Path, allow: Sequence[str], profile: str = ""
) -> Job[CheckReport]:
    """The checks, in a process of their own."""
    scene = work / "scene"
    record.save(scene)
    arguments = {
        "root": str(root),
        "record": str(scene),
        "allow": list(allow),
        "profile": profile,
    }
    value: Mapping[str, Any] = yield from run_child(
        "usd_tools.check:check_task", arguments, folder=work
    )
    return CheckReport.from_json(value)


def _authored(
    export: NativeExport | DirectExport, request: SceneRequest, root: Path
) -> Job[AssetFiles]:
    if isinstance(export, NativeExport):
        return author_asset(
            export.layer,
            root,
            name=request.name,
            materials=export.record.materials,
            meters_per_unit=export.record.meters_per_unit,
        )
    if request.over:
        return place_shot(
            export.geometry,
            root,
            name=request.name,
            asset=Path(request.over),
            whole=not request.selected,
        )
    return place_asset(
        export.geometry,
        export.look,
        root,
        name=request.name,
        base=export.base,
        structure=export.structure,
        references=export.references,
    )
