# SPDX-License-Identifier: GPL-3.0-or-later
"""Check an asset before it is published."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

# Before all else that needs pxr: it says what to do where there is none.
from .runtime import pxr_version, require_pxr

# isort: split
from pxr import UsdGeom

from ..jobs.errors import StagewrightError
from ..jobs.events import Job, Progress
from .extents import check_extents
from .fidelity import Fidelity, compare
from .files_check import AssetWalk, check_files, walk
from .findings import CheckReport, Finding
from .references import used_paths
from .scene_record import SceneRecord
from .stages import open_stage
from .validators import validate


def check_asset(
    root: Path, record: SceneRecord | None, allow: Sequence[str] = ()
) -> Job[CheckReport]:
    """Check the files, the composition and the contents of an asset.

    Args:
        root: the asset's root layer.
        record: the scene to compare it with, or None to leave that out.
        allow: names of checks whose errors do not stop a publish.

    Returns:
        All findings, worst first.

    Raises:
        StagewrightError: ``foreign-pxr``, or ``asset-missing`` without a root layer.
    """
    require_pxr()
    root = root.absolute()
    if not root.is_file():
        raise StagewrightError(
            "asset-missing", f"There is no asset {root.name}.", "Export the asset again."
        )
    yield Progress("check.files", 0.0, "Looking for every file")
    found = walk(root)
    findings = list(check_files(root, found))
    fidelity = Fidelity((), None, 0)
    if root not in found.unreadable:
        yield Progress("check.validators", 0.2, "Running USD's validators")
        stage = open_stage(root)
        findings += _stage_metadata(found)
        findings += check_extents(stage)
        missing = {f.layer for f in findings}
        used = [str(path) for path in used_paths(stage)]
        findings += [
            f
            for f in validate(stage, root.parent)
            # The file itself is reported already, by name and with its cure; what is
            # within a published asset was told as that was published.
            if (f.check != "composition" or not any(name in f.message for name in missing if name))
            and not any(f.prim.startswith(f"{path}/") for path in used)
        ]
        if record is not None:
            fidelity = yield from compare(root, record)
            findings += fidelity.findings
    aliases = record.aliases if record is not None else {}
    named = {replace(f, object=aliases.get(f.object, f.object)) for f in findings}
    report = CheckReport(
        findings=(),
        pxr_version=pxr_version(),
        allowed=tuple(sorted(set(allow))),
        greatest_distance=fidelity.greatest_distance,
        compared=fidelity.compared,
    )
    return report.with_findings(named)


def check_task(root: str, record: str | None, allow: list[str]) -> Job[dict[str, Any]]:
    """:func:`check_asset` with JSON data, for a child process.

    Args:
        root: path of the root layer.
        record: folder of the saved :class:`~.scene_record.SceneRecord`, or None.
        allow: names of checks.
    """
    scene = SceneRecord.load(Path(record)) if record else None
    report = yield from check_asset(Path(root), scene, allow)
    return report.to_json()


def _stage_metadata(found: AssetWalk) -> Iterator[Finding]:
    """What the layers do not say about their stage, and the root about its asset."""
    for index, (file, layer) in enumerate(found.layers.items()):
        lacking = [
            field
            for field in ("defaultPrim", UsdGeom.Tokens.upAxis, UsdGeom.Tokens.metersPerUnit)
            if not layer.pseudoRoot.HasInfo(field)
        ]
        prim = layer.GetPrimAtPath(f"/{layer.defaultPrim}") if layer.defaultPrim else None
        if layer.defaultPrim and prim is None:
            lacking.append(f"the prim /{layer.defaultPrim} that defaultPrim names")
        elif prim is not None and index == 0:
            lacking += ["kind"] * (not prim.HasInfo("kind"))
            lacking += ["assetInfo name"] * (not prim.assetInfo.get("name"))
        for field in lacking:
            yield Finding(
                "stage-metadata",
                "error",
                f"{file.name} lacks {field}.",
                "Export the asset again.",
                layer=file.name,
            )
