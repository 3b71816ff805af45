# SPDX-License-Identifier: GPL-3.0-or-later
"""Uses of published assets."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ReferenceRecord:
    """A prim that is a use of a published asset.

    Attributes:
        path: path of a prim that an XformRecord has made, without children.
        asset: path of the asset's root layer on this machine.
    """

    path: str
    asset: str
