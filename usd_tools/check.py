# SPDX-License-Identifier: GPL-3.0-or-later
"""Check an asset before it is published."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

# Before all else that needs pxr: it says what to do where there is none.
from .runtime import pxr_version, require_pxr

# isort: split
from pxr import Sdf, Usd, UsdGeom

from ..jobs.errors import StagewrightError
from ..jobs.events import Job, Progress
from .extents import check_extents
from .fidelity import Fidelity, compare
from .files_check import AssetWalk, check_files, walk
from .findings import CheckReport, Finding
from .kind_check import check_kinds
from .materialx_check import check_materialx
from .profiles import PROFILES, Profile
from .references import used_paths
from .scene_record import SceneRecord
from .stages import open_stage, reading
from .texture_check import check_colour_spaces, check_images
from .topology_check import check_topology
from .usdz_check import check_arkit, check_package, unpacked
from .validators import validate


def check_asset(
    root: Path,
    record: SceneRecord | None,
    allow: Sequence[str] = (),
    profile: Profile | None = None,
) -> Job[CheckReport]:
    """Check the files, the composition and the contents of an asset.

    Args:
        root: the asset's root layer, or a .usdz.
        record: the scene to compare it with, or None to leave that out.
        allow: names of checks whose errors do not stop a publish.
        profile: what the file is to be, which asks for more checks and says how
            findings count; None checks what a publish has to hold.

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
    fidelity = Fidelity((), None, 0)
    look = _package_findings if root.suffix.lower() == ".usdz" else _findings
    try:
        with reading(root):
            findings = yield from look(root, profile)
    except StagewrightError as error:
        if error.code != "asset-unreadable":
            raise
        findings = [Finding("composition", "error", error.message, error.cure, layer=root.name)]
    unreadable = any(f.check == "composition" and f.layer == root.name for f in findings)
    if record is not None and not unreadable:
        fidelity = yield from compare(root, record)
        findings += fidelity.findings
    aliases = record.aliases if record is not None else {}
    judged = profile.judge(findings) if profile is not None else findings
    named = {replace(f, object=aliases.get(f.object, f.object)) for f in judged}
    report = CheckReport(
        findings=(),
        pxr_version=pxr_version(),
        allowed=tuple(sorted(set(allow))),
        greatest_distance=fidelity.greatest_distance,
        compared=fidelity.compared,
    )
    return report.with_findings(named)


def _package_findings(package: Path, profile: Profile | None) -> Job[list[Finding]]:
    """Findings about a .usdz: its layout, and its files as they lie in a folder.

    Nothing in a package can be mended: it is packed again.
    """
    yield Progress("check.package", 0.0, f"Unpacking {package.name}")
    layout = list(check_package(package))
    try:
        with unpacked(package) as root:
            inside = yield from _findings(root, profile)
            return layout + [replace(finding, fix=()) for finding in inside]
    except (OSError, zipfile.BadZipFile):
        return layout  # says so


def _findings(root: Path, profile: Profile | None) -> Job[list[Finding]]:
    """Findings about the files that the layer ``root`` needs, and about what they compose to."""
    yield Progress("check.files", 0.0, "Looking for every file")
    found = walk(root)
    findings = list(check_files(root, found))
    if root in found.unreadable:
        return findings
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
    if profile is not None:
        yield Progress("check.profile", 0.6, "Looking at shapes, textures and materials")
        findings += _of_profile(stage, found, profile)
    return findings


def _of_profile(stage: Usd.Stage, found: AssetWalk, profile: Profile) -> Iterator[Finding]:
    """What USD's validators lack."""
    yield from check_topology(stage)
    yield from check_kinds(stage)
    yield from check_images(found.files, profile.largest_texture)
    yield from check_colour_spaces(stage)
    yield from check_materialx(stage, found.files)
    if profile.arkit:
        files = [*found.layers, *found.files]
        yield from check_arkit(stage, [os.path.relpath(file, found.folder) for file in files])


def check_task(
    root: str, record: str | None, allow: list[str], profile: str = ""
) -> Job[dict[str, Any]]:
    """:func:`check_asset` with JSON data, for a child process.

    Args:
        root: path of the root layer.
        record: folder of the saved :class:`~.scene_record.SceneRecord`, or None.
        allow: names of checks.
        profile: one of :data:`~.profiles.PROFILES`, or "" for what a publish has to hold.
    """
    scene = SceneRecord.load(Path(record)) if record else None
    report = yield from check_asset(Path(root), scene, allow, PROFILES.get(profile))
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
                fix=_metadata_fix(layer, field) if index == 0 else (),
            )


def _metadata_fix(layer: Sdf.Layer, field: str) -> tuple[str, ...]:
    """Says in the root layer what holds anyway, or all that it can be."""
    words = {
        "kind": "--kind=component",
        UsdGeom.Tokens.upAxis: f"--up-axis={UsdGeom.GetFallbackUpAxis()}",
        UsdGeom.Tokens.metersPerUnit: f"--meters-per-unit={UsdGeom.LinearUnits.centimeters:g}",
    }
    if len(layer.rootPrims) == 1:
        words["defaultPrim"] = f"--default-prim={layer.rootPrims[0].name}"
    return ("set", words[field]) if field in words else ()
