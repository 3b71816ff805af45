# SPDX-License-Identifier: GPL-3.0-or-later
"""One file being looked at: its stage, what was chosen in it, whether it has changed on disk."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pxr import Sdf, Tf, Usd

from ...jobs.errors import StagewrightError
from ..placing import move_into_place, staging
from ..repair import save_overrides
from ..stages import file_of, open_stage, reading, write_layer
from ..stamps import Stamp, stamp_of
from .layers import (
    LayerRow,
    composition_problems,
    layer_stack,
    select_variant,
    set_loaded,
    set_muted,
)
from .outline import Outline
from .properties import PrimDetails, prim_details


class Session:
    """A stage that is looked at, and never written.

    All that panels show is kept as plain data, and is renewed by each choice.

    Attributes:
        path: the root layer.
        stage: the stage; choices are made in its session layer.
        outline: the open part of its tree.
        layers: its layer stack.
        problems: what USD could not compose of it.
        details: the prim that was looked at last.
        time: time code of values; None for the earliest.
        version: another one after each choice and each reload.
    """

    def __init__(self, path: Path, *, load: bool = True) -> None:
        """Open ``path``, with its payloads if ``load``.

        Raises:
            StagewrightError: ``asset-unreadable``.
        """
        self.path = path
        self.version = 0
        self.time: float | None = None
        self.details: PrimDetails | None = None
        self.layers: list[LayerRow] = []
        self.problems: list[str] = []
        _detach([f"{path.parent}{os.sep}"])
        self.stage = open_stage(path, load=load)
        self._stamps: dict[Path, Stamp | None] = {}
        with reading(path):
            self._detach_used()
            self.outline = Outline(self.stage)
            self._renew()

    def look_at(self, path: str) -> None:
        """Read all about the prim at ``path``.

        Raises:
            StagewrightError: ``no-prim``.
        """
        self.details = prim_details(self.stage, path, self.time)

    def set_time(self, time: float | None) -> None:
        """Read values at ``time``, or at the earliest time."""
        self.time = time
        if self.details is not None:
            self.look_at(self.details.path)

    def reveal(self, path: str) -> None:
        """Open the tree down to ``path``, and read all about it.

        Raises:
            StagewrightError: ``no-prim``.
        """
        self.look_at(path)
        self.outline.reveal(path)

    def select_variant(self, path: str, variant_set: str, variant: str) -> None:
        """As :func:`~.layers.select_variant`."""
        select_variant(self.stage, path, variant_set, variant)
        self._refresh()

    def set_loaded(self, path: str, loaded: bool) -> None:
        """As :func:`~.layers.set_loaded`."""
        set_loaded(self.stage, path, loaded)
        self._refresh()

    def set_muted(self, identifier: str, muted: bool) -> None:
        """As :func:`~.layers.set_muted`."""
        set_muted(self.stage, identifier, muted)
        self._refresh()

    def _refresh(self) -> None:
        self.version += 1
        self._detach_used()
        self.outline.refresh()
        self._renew()

    def save_overrides(self, target: Path) -> None:
        """As :func:`~..repair.save_overrides`."""
        save_overrides(self.stage, target)

    def chosen(self) -> bool:
        """Whether anything is chosen here that the files do not say."""
        stage = self.stage
        rules = stage.GetLoadRules() == Usd.StageLoadRules.LoadAll()
        return not (stage.GetSessionLayer().empty and not stage.GetMutedLayers() and rules)

    def as_file(self, folder: Path) -> Path:
        """A file that shows what is shown here: the root itself, or one made in ``folder``.

        Raises:
            StagewrightError: ``target-unwritable``.
        """
        if not self.chosen():
            return self.path
        target = folder / f"{self.path.stem}_chosen.usdc"
        # Muted layers and payloads left out are nothing that a layer could say.
        with staging(target) as place:
            write_layer(self.stage.Flatten(False), place / target.name)
            move_into_place(place, folder, [target.name])
        return target

    def reload(self) -> None:
        """Read what has changed on disk; choices in the session stay.

        Raises:
            StagewrightError: ``asset-unreadable``: the file is gone or damaged; what was read
                before stays as it was.
        """
        try:
            whole = Sdf.Layer.OpenAsAnonymous(str(self.path)) is not None
            if whole:
                self.stage.Reload()
                self._stamps.clear()
        except Tf.ErrorException:
            whole = False
        if not whole:
            raise StagewrightError(
                "asset-unreadable",
                f"{self.path.name} cannot be read again: it is damaged, or gone.",
                "Shown is what was read before; restore the file, and reload.",
            )
        self._refresh()

    def changed(self) -> list[Path]:
        """The files in use that are not as they were when they were read."""
        return [file for file, stamp in self._stamps.items() if stamp_of(file) != stamp]

    def state(self) -> dict[str, Any]:
        """What another process needs to see the same, as JSON data."""
        rules = self.stage.GetLoadRules().GetRules()
        return {
            "path": str(self.path),
            "session": self.stage.GetSessionLayer().ExportToString(),
            "muted": list(self.stage.GetMutedLayers()),
            "rules": [[str(path), str(rule).rpartition(".")[2]] for path, rule in rules],
        }

    def _detach_used(self) -> None:
        """Detach layers from elsewhere, which are read again for it."""
        used = self.stage.GetUsedLayers(True)
        _detach([layer.realPath for layer in used if layer.realPath and not layer.IsDetached()])

    def _renew(self) -> None:
        self.layers = layer_stack(self.stage)
        self.problems = composition_problems(self.stage)
        if self.details is not None:
            try:
                self.look_at(self.details.path)
            except StagewrightError:
                self.details = None  # gone with a variant, or a muted layer
        places = (layer.realPath for layer in self.stage.GetUsedLayers(True))
        used = {file_of(place) for place in places if place}
        # A file that was read before the change keeps the stamp it was read with.
        self._stamps = {file: self._stamps.get(file) or stamp_of(file) for file in used}


def _detach(patterns: list[str]) -> None:
    """Let layers whose identifier has one of ``patterns`` in it be read as a whole.

    USD maps crate files into memory: when another program makes such a file
    shorter, the next value that is read ends the process.
    """
    if patterns:
        Sdf.Layer.SetDetachedLayerRules(Sdf.Layer.GetDetachedLayerRules().Include(patterns))


def unopened(path: Path, *, load: bool) -> dict[str, Any]:
    """What :meth:`Session.state` will be when ``path`` has been opened."""
    rules = [] if load else [["/", "NoneRule"]]
    return {"path": str(path), "session": "#usda 1.0\n", "muted": [], "rules": rules}


def opened(state: Mapping[str, Any]) -> Usd.Stage:
    """The stage of a session's ``state``.

    Raises:
        StagewrightError: ``asset-unreadable``.
    """
    stage = open_stage(Path(state["path"]), load=False)
    stage.GetSessionLayer().ImportFromString(state["session"])
    stage.MuteAndUnmuteLayers(state["muted"], [])
    rules = Usd.StageLoadRules()
    rules.SetRules([(path, getattr(Usd.StageLoadRules, rule)) for path, rule in state["rules"]])
    stage.SetLoadRules(rules)
    return stage
