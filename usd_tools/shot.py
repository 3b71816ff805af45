# SPDX-License-Identifier: GPL-3.0-or-later
"""A shot's layer: what a scene has otherwise than the published asset that it shows.

The layer opens by itself, as the asset is its sublayer, and holds nothing but
overs: transforms, visibility, deformed points, cameras, lights and poses where
they differ. Shapes, materials and structure stay the asset's.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from pxr import Sdf, Usd, UsdGeom

from ..jobs.errors import StagewrightError
from ..jobs.events import Job, Message, Progress
from .asset import AssetFiles, layer_like
from .own_layers import refuse_foreign_layers
from .placing import move_into_place, staging
from .references import relate_references
from .sameness import close
from .stages import OBJECT_NAME, object_name, open_stage, write_layer

_TOPOLOGY = ("faceVertexCounts", "faceVertexIndices", "curveVertexCounts")
_INFLUENCES = ("primvars:skel:jointIndices", "primvars:skel:jointWeights")
_ANIMATION_SOURCE = "skel:animationSource"
# Evaluated anew, deformed points and normals come out a little different.
_TOLERANCE = 1e-5
# What tells of how the layer was made, not of the shot.
_UNTOLD = {OBJECT_NAME}
# What follows from the points, and comes along with them alone.
_OF_POINTS = {"normals", "extent", "velocities"}


def place_shot(
    geometry: Sdf.Layer, root: Path, *, name: str, asset: Path, whole: bool
) -> Job[AssetFiles]:
    """Write the layer of a shot.

    Args:
        geometry: the whole scene, below the default prim of ``asset``.
        root: the root layer to write; ``<stem>_overs.usdc`` comes beside it.
        name: name of the shot's layer in ``assetInfo``.
        asset: root layer of the published asset.
        whole: whether what the asset has and ``geometry`` has not is hidden.

    Returns:
        The files written.

    Raises:
        StagewrightError: ``shot-root`` when the default prims differ, ``shot-units`` when
            units or axes do, ``shot-over-asset`` when a layer of the asset would be
            replaced; ``layer-in-the-way``, ``asset-unreadable``, ``target-unwritable``.
    """
    stage = open_stage(asset)
    default = stage.GetDefaultPrim()
    if not default or default.GetName() != geometry.defaultPrim:
        raise StagewrightError(
            "shot-root",
            f"The default prim of {asset.name} is “{default.GetName() if default else ''}”, "
            f"not “{geometry.defaultPrim}”.",
            "Give the export the name of the asset's default prim.",
        )
    root = root.absolute()
    _refuse_own_layers(stage, root)
    refuse_foreign_layers(root, [root.with_name(_overs_name(root))])
    _refuse_other_units(stage, geometry, asset)
    yield Progress("shot.compare", 0.0, f"Comparing with {asset.name}")
    overs = layer_like(geometry, _metres(geometry))
    Sdf.CreatePrimInLayer(overs, default.GetPath())
    author = _Overs(stage, geometry, overs, Usd.Stage.Open(geometry))
    author.compare(geometry.GetPrimAtPath(default.GetPath()))
    if whole:
        author.hide_absent(default)
    for note in author.notes:
        yield Message(note, "warning")
    main = _root_layer(
        geometry, root, name=name, asset=asset, kind=str(Usd.ModelAPI(default).GetKind())
    )
    files = {_overs_name(root): overs, root.name: main}
    with staging(root) as folder:
        for file_name, layer in files.items():
            yield Progress("shot.write", 0.8, f"Writing {file_name}")
            write_layer(layer, folder / file_name)
        yield Progress("shot.move", 0.95, "Moving the files into place")
        move_into_place(folder, root.parent, list(files))
    layers = tuple(sorted(root.parent / file_name for file_name in files))
    return AssetFiles(root=root, layers=layers, textures=(), outward=(root,))


def _refuse_own_layers(stage: Usd.Stage, root: Path) -> None:
    """Refuse to write over the asset that the shot is over."""
    targets = {root.resolve(), root.with_name(_overs_name(root)).resolve()}
    for layer in stage.GetUsedLayers():
        if layer.realPath and Path(layer.realPath).resolve() in targets:
            raise StagewrightError(
                "shot-over-asset",
                f"{root.name} would be written over {Path(layer.realPath).name}, which it needs.",
                "Give the shot's layer another name or folder.",
            )


def _refuse_other_units(stage: Usd.Stage, geometry: Sdf.Layer, asset: Path) -> None:
    axis = str(geometry.pseudoRoot.GetInfo(UsdGeom.Tokens.upAxis) or "Y")
    own = UsdGeom.GetStageMetersPerUnit(stage), str(UsdGeom.GetStageUpAxis(stage))
    if not (abs(own[0] - _metres(geometry)) < 1e-9 and own[1] == axis):
        raise StagewrightError(
            "shot-units",
            f"{asset.name} has {own[1]} up and units of {own[0]:g} m, the scene {axis} and "
            f"{_metres(geometry):g} m.",
            "Export with the asset's up axis, in a scene of its unit scale.",
        )


def _overs_name(root: Path) -> str:
    return f"{root.stem}_overs.usdc"


def _metres(layer: Sdf.Layer) -> float:
    return float(layer.pseudoRoot.GetInfo(UsdGeom.Tokens.metersPerUnit))


def _root_layer(geometry: Sdf.Layer, root: Path, *, name: str, asset: Path, kind: str) -> Sdf.Layer:
    layer = layer_like(geometry, _metres(geometry))
    prim = Sdf.CreatePrimInLayer(layer, f"/{geometry.defaultPrim}")
    prim.kind = kind
    prim.assetInfo = {"identifier": Sdf.AssetPath(f"./{root.name}"), "name": name}
    layer.subLayerPaths.append(f"./{_overs_name(root)}")
    layer.subLayerPaths.append(Path(os.path.abspath(asset)).as_posix())
    relate_references(layer, root.parent)
    return layer


@dataclass
class _Overs:
    """Authors into ``overs`` what ``scene`` has otherwise than ``stage``.

    Attributes:
        shown: the stage of ``scene``.
        notes: what a layer of overs does not hold, for the artist.
    """

    stage: Usd.Stage
    scene: Sdf.Layer
    overs: Sdf.Layer
    shown: Usd.Stage
    notes: list[str] = field(default_factory=list)

    def compare(self, top: Sdf.PrimSpec) -> None:
        """Author the differences at and below a prim of the scene."""
        pending = [top]
        while pending:
            spec = pending.pop()
            prim = self.stage.GetPrimAtPath(spec.path)
            if not prim:
                self._note_new(spec)
            elif spec.specifier == Sdf.SpecifierClass:
                continue  # what is instanced is the asset's
            else:
                self._compare_prim(spec, prim)
                if not prim.IsInstance():
                    pending.extend(reversed(list(spec.nameChildren)))

    def hide_absent(self, top: Usd.Prim) -> None:
        """Hide the objects of the asset that the scene has not."""
        prims = iter(Usd.PrimRange(top))
        for prim in prims:
            if self.scene.GetPrimAtPath(prim.GetPath()):
                continue
            prims.PruneChildren()
            if not prim.GetAttribute(OBJECT_NAME).Get():
                continue
            self._author_visibility(prim.GetPath(), UsdGeom.Tokens.invisible)
            self.notes.append(f"{object_name(prim)} is not in the scene, so the shot hides it.")

    def _author_visibility(self, path: Sdf.Path, value: str) -> None:
        over = Sdf.CreatePrimInLayer(self.overs, path)
        name = UsdGeom.Tokens.visibility
        Sdf.AttributeSpec(over, name, Sdf.ValueTypeNames.Token).default = value

    def _note_new(self, spec: Sdf.PrimSpec) -> None:
        """A prim that the asset has not: poses come along, all else does not."""
        if spec.typeName == "SkelAnimation":
            Sdf.CreatePrimInLayer(self.overs, spec.path)
            Sdf.CopySpec(self.scene, spec.path, self.overs, spec.path)
            source = spec.path.GetParentPath().AppendProperty(_ANIMATION_SOURCE)
            if self.scene.GetRelationshipAtPath(source):
                Sdf.CopySpec(self.scene, source, self.overs, source)
            return
        named = spec.properties.get(OBJECT_NAME)
        if named is not None:
            self.notes.append(
                f"{named.default} is not in the published asset, so it is left out of the shot."
            )

    def _compare_prim(self, spec: Sdf.PrimSpec, prim: Usd.Prim) -> None:
        if any(self._differs(spec, prim, name) for name in _TOPOLOGY):
            self.notes.append(
                f"{object_name(prim)} has other faces or strands than in the published asset, "
                "so its shape stays as it was published."
            )
            return
        names = [a.name for a in spec.attributes if self._is_changed(spec, prim, a.name)]
        if self._is_moved(spec, prim):
            names += [a.name for a in spec.attributes if a.name.startswith("xformOp")]
            if UsdGeom.Tokens.xformOpOrder not in names:
                self._clear_ops(spec.path)  # in the scene it stands where its parent does
        if "points" in names:
            names += [a.name for a in spec.attributes if a.name in _OF_POINTS]
            self._block_skinning(spec, prim)
        for name in names:
            Sdf.CreatePrimInLayer(self.overs, spec.path)
            path = spec.path.AppendProperty(name)
            Sdf.CopySpec(self.scene, path, self.overs, path)
        if UsdGeom.Tokens.visibility not in spec.properties and _is_ever_hidden(prim):
            self._author_visibility(spec.path, UsdGeom.Tokens.inherited)

    def _is_changed(self, spec: Sdf.PrimSpec, prim: Usd.Prim, name: str) -> bool:
        """Whether an attribute that counts by itself differs."""
        counts = name not in _UNTOLD and name not in _OF_POINTS and not name.startswith("xformOp")
        return counts and self._differs(spec, prim, name)

    def _is_moved(self, spec: Sdf.PrimSpec, prim: Usd.Prim) -> bool:
        """Whether the transform to the parent differs, however its operations tell it."""
        ours = UsdGeom.Xformable(self.shown.GetPrimAtPath(spec.path))
        theirs = UsdGeom.Xformable(prim)
        if not ours or not theirs:
            return False
        samples = {*ours.GetTimeSamples(), *theirs.GetTimeSamples()}
        return not all(
            close(ours.GetLocalTransformation(t), theirs.GetLocalTransformation(t), _TOLERANCE)
            for t in _times(samples)
        )

    def _clear_ops(self, path: Sdf.Path) -> None:
        over = Sdf.CreatePrimInLayer(self.overs, path)
        order = Sdf.AttributeSpec(
            over,
            UsdGeom.Tokens.xformOpOrder,
            Sdf.ValueTypeNames.TokenArray,
            Sdf.VariabilityUniform,
        )
        order.default = []

    def _block_skinning(self, spec: Sdf.PrimSpec, prim: Usd.Prim) -> None:
        """Points that are written as they are must not be moved by the asset's skeleton."""
        for name in _INFLUENCES:
            attribute = prim.GetAttribute(name)
            if attribute.HasAuthoredValue() and name not in spec.properties:
                over = Sdf.CreatePrimInLayer(self.overs, spec.path)
                block = Sdf.AttributeSpec(over, name, attribute.GetTypeName())
                block.default = Sdf.ValueBlock()

    def _differs(self, spec: Sdf.PrimSpec, prim: Usd.Prim, name: str) -> bool:
        """Whether an attribute has other values, at any time that either has samples at."""
        if not isinstance(spec.properties.get(name), Sdf.AttributeSpec):
            return False
        ours = self.shown.GetAttributeAtPath(spec.path.AppendProperty(name))
        theirs = prim.GetAttribute(name)
        if not ours.HasAuthoredValue() or not theirs.IsDefined():
            return bool(ours.HasAuthoredValue())
        samples = {*ours.GetTimeSamples(), *theirs.GetTimeSamples()}
        return not all(close(ours.Get(t), theirs.Get(t), _TOLERANCE) for t in _times(samples))


def _is_ever_hidden(prim: Usd.Prim) -> bool:
    """Whether ``prim`` hides itself at any time."""
    visibility = UsdGeom.Imageable(prim).GetVisibilityAttr()
    if not visibility:
        return False
    times = _times(visibility.GetTimeSamples())
    return any(visibility.Get(time) == UsdGeom.Tokens.invisible for time in times)


def _times(samples: Iterable[float]) -> list[Usd.TimeCode]:
    return [Usd.TimeCode(t) for t in sorted(samples)] or [Usd.TimeCode.Default()]
