# SPDX-License-Identifier: GPL-3.0-or-later
"""The layers of a stage, and what is chosen in its session without touching a file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pxr import Ar, Sdf, Usd

from ...jobs.errors import StagewrightError
from ..dependencies import dependencies, files_of
from .tree import prim_at


@dataclass(frozen=True)
class LayerRow:
    """One layer of the root layer stack, strongest first.

    Attributes:
        identifier: as USD knows it.
        name: file name.
        depth: 0 for the root, 1 for its sublayers …
        offset: time offset from its parent layer.
        scale: time scale.
        muted: whether it is left out.
        resolved: whether it was found.
    """

    identifier: str
    name: str
    depth: int
    offset: float
    scale: float
    muted: bool
    resolved: bool


def layer_stack(stage: Usd.Stage) -> list[LayerRow]:
    """The session layer, the root layer and its sublayers, strongest first."""
    session = stage.GetSessionLayer()
    rows = [_row(stage, session, 0, Sdf.LayerOffset())] if session else []
    rows.append(_row(stage, stage.GetRootLayer(), 0, Sdf.LayerOffset()))
    return rows + list(_sublayers(stage, stage.GetRootLayer(), 1, ()))


def _row(stage: Usd.Stage, layer: Sdf.Layer, depth: int, offset: Sdf.LayerOffset) -> LayerRow:
    return LayerRow(
        identifier=layer.identifier,
        name=layer.GetDisplayName(),
        depth=depth,
        offset=offset.offset,
        scale=offset.scale,
        muted=stage.IsLayerMuted(layer.identifier),
        resolved=True,
    )


def _sublayers(
    stage: Usd.Stage, layer: Sdf.Layer, depth: int, above: tuple[str, ...]
) -> Iterator[LayerRow]:
    for path, offset in zip(layer.subLayerPaths, layer.subLayerOffsets, strict=True):
        identifier = layer.ComputeAbsolutePath(path)
        if identifier in above:
            continue  # a cycle, which USD reports as an error of composition
        # Found only if the stage has it open: a muted one is not read for this.
        found = Sdf.Layer.Find(identifier)
        if found is not None:
            yield _row(stage, found, depth, offset)
            yield from _sublayers(stage, found, depth + 1, (*above, identifier))
        else:
            muted = stage.IsLayerMuted(identifier)
            name = Path(path).name
            yield LayerRow(identifier, name, depth, offset.offset, offset.scale, muted, muted)


def composition_problems(stage: Usd.Stage) -> list[str]:
    """What USD could not compose, each a line, the session's own mentions of it left out."""
    told = (" ".join(str(error).split()) for error in stage.GetCompositionErrors())
    plain = (re.sub(r",@anon:[^@]*@", "", line) for line in told)
    return list(dict.fromkeys(plain))


def set_muted(stage: Usd.Stage, identifier: str, muted: bool) -> None:
    """Leave a layer out of the stage, or take it in again.

    Raises:
        StagewrightError: ``root-layer``: the root layer cannot be muted.
    """
    if identifier == stage.GetRootLayer().identifier:
        raise StagewrightError(
            "root-layer", "The root layer cannot be muted.", "Mute one of its sublayers."
        )
    (stage.MuteLayer if muted else stage.UnmuteLayer)(identifier)


def select_variant(stage: Usd.Stage, path: str, variant_set: str, variant: str) -> None:
    """Select a variant in the session layer; "" gives the selection back to the files.

    Raises:
        StagewrightError: ``no-prim``, ``no-variant``.
    """
    prim = prim_at(stage, path)
    names = prim.GetVariantSets().GetNames()
    if variant_set not in names:
        raise _no_variant(path, "variant set", variant_set, names)
    choice = prim.GetVariantSet(variant_set)
    if variant and variant not in choice.GetVariantNames():
        raise _no_variant(path, f"variant of {variant_set}", variant, choice.GetVariantNames())
    with Usd.EditContext(stage, stage.GetSessionLayer()):
        if variant:
            choice.SetVariantSelection(variant)
        else:
            choice.ClearVariantSelection()


def _no_variant(path: str, what: str, name: str, names: list[str]) -> StagewrightError:
    return StagewrightError(
        "no-variant",
        f"{path} has no {what} called {name}.",
        f"Choose one of {', '.join(names)}." if names else "Choose a prim that has variants.",
    )


def set_loaded(stage: Usd.Stage, path: str, loaded: bool) -> None:
    """Load or unload the payloads at and below ``path``.

    Raises:
        StagewrightError: ``no-prim``.
    """
    prim = prim_at(stage, path)
    (stage.Load if loaded else stage.Unload)(prim.GetPath())


@dataclass(frozen=True)
class DependencyRow:
    """A file that a used layer names.

    Attributes:
        layer: identifier of the layer.
        spec: path of the prim or property that names it.
        path: as authored.
        arc: whether it is a layer brought in by composition.
        files: the files found; none when broken.
    """

    layer: str
    spec: str
    path: str
    arc: bool
    files: tuple[str, ...]

    @property
    def broken(self) -> bool:
        """Whether no file was found."""
        return not self.files


def stage_dependencies(stage: Usd.Stage) -> list[DependencyRow]:
    """What the layers in use name, in the order of layers and specs."""
    return [
        DependencyRow(layer.identifier, str(d.spec), d.path, d.arc, found_files(layer, d.path))
        for layer in stage.GetUsedLayers(True)
        if not layer.anonymous
        for d in dependencies(layer)
    ]


def found_files(layer: Sdf.Layer, path: str) -> tuple[str, ...]:
    """The files that an asset path in ``layer`` stands for; none when it is broken."""
    found = files_of(path, Path(layer.realPath).parent)
    if found:
        return tuple(str(file) for file in found.values())
    # Search paths and packages are the resolver's to know.
    resolved = Sdf.ComputeAssetPathRelativeToLayer(layer, path)
    place = str(Ar.GetResolver().Resolve(resolved))
    return (place,) if place else ()
