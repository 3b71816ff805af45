# SPDX-License-Identifier: GPL-3.0-or-later
"""What holds for the whole stage, and where in time the others are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

MATERIALS = "_materials"
"""Name of the scope below the root that holds the materials."""
PROTOTYPES = "_prototypes"
"""Name of the abstract scope below the root that holds what is instanced."""


@dataclass(frozen=True)
class StageRecord:
    """What holds for the whole stage.

    Attributes:
        root: name of the root prim; every path begins with it.
        meters_per_unit: metres in one scene unit.
        up_axis: ``"Z"`` or ``"Y"``; the root prim is turned for ``"Y"``.
        frames: first and last frame of an animation, or None.
        frames_per_second: of the scene; one time code is one frame.
    """

    root: str
    meters_per_unit: float = 1.0
    up_axis: Literal["Z", "Y"] = "Z"
    frames: tuple[float, float] | None = None
    frames_per_second: float = 24.0


@dataclass(frozen=True)
class FrameRecord:
    """The frame at which all records up to the next one were read."""

    frame: float


@dataclass(frozen=True)
class PresenceRecord:
    """Whether what has been written at ``path`` is there at this frame, and was before.

    A shape that is not met again stays: its values hold.
    """

    path: str
    present: bool
    before: bool = False
