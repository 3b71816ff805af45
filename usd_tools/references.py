# SPDX-License-Identifier: GPL-3.0-or-later
"""References of an assembly to published assets.

They stand in a small layer of text of their own, a sublayer of the assembly's
geometry: which versions a set is built of is read, compared and changed there
without touching anything else. Paths in it are relative wherever they can be,
so that a library that is moved as a whole stays whole.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from pxr import Gf, Kind, Sdf, Tf, Usd, UsdGeom, UsdUtils

from ..jobs.errors import StagewrightError
from .dependencies import dependencies, is_absolute
from .identity import OURS, VERSION_ID
from .placing import replace_file
from .stages import write_layer

_UNITS = "unitsResolve"


def references_name(root: Path) -> str:
    """File name of the layer of references of the asset of the root layer ``root``."""
    return f"{root.stem}_references.usda"


def reference_paths(layer: Sdf.Layer) -> Mapping[Sdf.Path, str]:
    """The asset path of each prim of ``layer`` that references another layer."""
    return dict(_references(layer))


def _references(layer: Sdf.Layer) -> Iterator[tuple[Sdf.Path, str]]:
    stack = list(layer.rootPrims)
    while stack:
        prim = stack.pop()
        for reference in prim.referenceList.GetAddedOrExplicitItems():
            if reference.assetPath:
                yield prim.path, reference.assetPath
        stack.extend(prim.nameChildren)


def arrange_references(references: Sdf.Layer, geometry: Sdf.Layer) -> None:
    """Make prims above references groups, and bring assets into the units and axes of the set.

    USD itself converts neither: a prim gets an operation ``unitsResolve`` that does.

    Args:
        references: holds the references, by paths of this machine; changed.
        geometry: holds the transforms of the same prims; changed.
    """
    made: dict[str, Gf.Matrix4d | None] = {}
    found = reference_paths(references)
    for path, asset in found.items():
        parent = path.GetParentPath()
        while parent.pathElementCount > 1:
            Sdf.CreatePrimInLayer(references, parent).kind = Kind.Tokens.group
            parent = parent.GetParentPath()
        if asset not in made:
            made[asset] = _conversion(Path(asset), geometry)
        matrix = made[asset]
        if matrix is not None:
            _add_op(geometry.GetPrimAtPath(path), matrix)


def _conversion(asset: Path, geometry: Sdf.Layer) -> Gf.Matrix4d | None:
    """From the units and axes of an asset to those of ``geometry``; None where they agree."""
    try:
        theirs = Sdf.Layer.OpenAsAnonymous(str(asset), metadataOnly=True)
    except Tf.ErrorException:
        theirs = None
    if theirs is None:
        return None  # the check of files tells that it is missing or damaged
    scale = _metres(theirs) / _metres(geometry)
    axes = _axis(theirs), _axis(geometry)
    turn = {("Y", "Z"): 90.0, ("Z", "Y"): -90.0}.get(axes, 0.0)
    if abs(scale - 1.0) < 1e-9 and not turn:
        return None
    rotation = Gf.Matrix4d().SetRotate(Gf.Rotation(Gf.Vec3d.XAxis(), turn))
    return Gf.Matrix4d().SetScale(scale) * rotation


def _metres(layer: Sdf.Layer) -> float:
    return float(layer.pseudoRoot.GetInfo(UsdGeom.Tokens.metersPerUnit) or 0.01)


def _axis(layer: Sdf.Layer) -> str:
    return str(layer.pseudoRoot.GetInfo(UsdGeom.Tokens.upAxis) or "Y")


def _add_op(prim: Sdf.PrimSpec, matrix: Gf.Matrix4d) -> None:
    """Let ``prim`` be transformed by ``matrix`` before all else."""
    name = f"xformOp:transform:{_UNITS}"
    Sdf.AttributeSpec(prim, name, Sdf.ValueTypeNames.Matrix4d).default = matrix
    order = prim.attributes.get(UsdGeom.Tokens.xformOpOrder)
    if order is None:
        order = Sdf.AttributeSpec(
            prim,
            UsdGeom.Tokens.xformOpOrder,
            Sdf.ValueTypeNames.TokenArray,
            Sdf.VariabilityUniform,
        )
    order.default = [*(order.default or ()), name]


def resolve_references(layer: Sdf.Layer, folder: Path) -> None:
    """Make paths in ``layer`` that lead out of its ``folder`` those of this machine."""

    def resolve(path: str) -> str:
        inside = not path.startswith("..")
        return path if inside else Path(os.path.normpath(folder / path)).as_posix()

    UsdUtils.ModifyAssetPaths(layer, resolve)


def relate_references(layer: Sdf.Layer, folder: Path) -> None:
    """Make absolute paths in ``layer`` relative to ``folder`` wherever it can be."""

    def relate(path: str) -> str:
        if not is_absolute(path):
            return path
        try:
            relative = Path(os.path.relpath(path, folder)).as_posix()
        except ValueError:  # on Windows: another drive
            return path
        return relative if relative.startswith(".") else f"./{relative}"

    UsdUtils.ModifyAssetPaths(layer, relate)


def outward_paths(file: Path) -> list[str]:
    """The files that the layer ``file`` names outside of its folder, by paths of this machine."""
    layer = Sdf.Layer.OpenAsAnonymous(str(file))
    found = {each.path for each in dependencies(layer)}
    outward = sorted(path for path in found if path.startswith("..") or is_absolute(path))
    return [Path(os.path.normpath(file.parent / path)).as_posix() for path in outward]


def move_references(
    file: Path, before: Path, folder: Path, moved: Mapping[str, str] | None = None
) -> None:
    """Rewrite the layer ``file``, made for the folder ``before``, for ``folder``.

    Args:
        file: the layer.
        before: the folder that its relative paths start from.
        folder: the folder that they are to start from.
        moved: where files that it names are now, by where they were.

    Raises:
        StagewrightError: ``asset-unreadable`` or ``target-unwritable``.
    """
    try:
        layer = Sdf.Layer.OpenAsAnonymous(str(file))
    except Tf.ErrorException as error:
        raise StagewrightError(
            "asset-unreadable", f"{file.name} cannot be read.", "Export the asset again."
        ) from error
    resolve_references(layer, before)
    if moved:
        places = moved
        UsdUtils.ModifyAssetPaths(layer, lambda path: places.get(path, path))
    relate_references(layer, folder)
    replace_file(file, lambda path: write_layer(layer, path))


def is_reference(prim: Usd.Prim) -> bool:
    """Whether ``prim`` is a use of a published asset, not the stage's own root."""
    if not prim.HasAuthoredMetadata("assetInfo") or prim.GetParent().IsPseudoRoot():
        return False
    return bool(prim.GetAssetInfoByKey("version"))


def used_paths(stage: Usd.Stage) -> Iterator[Sdf.Path]:
    """Paths of the prims that are uses of published assets, the outermost alone."""
    prims = iter(Usd.PrimRange.Stage(stage, Usd.TraverseInstanceProxies()))
    for prim in prims:
        if is_reference(prim):
            prims.PruneChildren()
            yield prim.GetPath()


def version_of(prim: Usd.Prim) -> str:
    """AYON's id of the version that ``prim`` is a use of, or ""."""
    return str(prim.GetAssetInfoByKey(VERSION_ID) or "")


def referenced_versions(files: Iterable[Path]) -> list[str]:
    """AYON's ids of the published versions that the layers ``files`` name, sorted."""
    found = set()
    for file in files:
        layer = Sdf.Layer.OpenAsAnonymous(str(file))
        for dependency in dependencies(layer):
            if not dependency.arc or not dependency.path.startswith(".."):
                continue
            asset = Sdf.Layer.OpenAsAnonymous(str(file.parent / dependency.path))
            prim = asset.GetPrimAtPath(f"/{asset.defaultPrim}")
            found.add(str(prim.assetInfo.get(OURS, {}).get("versionId", "")))
    return sorted(found - {""})
