# SPDX-License-Identifier: GPL-3.0-or-later
"""Curves and hair."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from .values import Primvar, Property
from .xform import Purpose

Basis = Literal["linear", "bezier", "bspline", "catmullRom"]
Wrap = Literal["nonperiodic", "periodic", "pinned"]


@dataclass(frozen=True, eq=False, kw_only=True)
class CurvesRecord:
    """What all curves have.

    Attributes:
        path: absolute path of the prim.
        data: name of their data-block in Blender.
        counts: (c,) int32 control points of each curve.
        points: (n, 3) float32, object space.
        widths: diameters as a Primvar called ``widths``, or None.
        primvars: attributes.
        material: path of the material bound to them, or "".
        velocities: (n, 3) float32 per second, or None.
        purpose: ``guide`` for what Blender shows in no render.
        properties: custom properties of the data-block.
    """

    path: str
    data: str
    counts: NDArray[np.int32]
    points: NDArray[np.float32]
    widths: Primvar | None = None
    primvars: tuple[Primvar, ...] = ()
    material: str = ""
    velocities: NDArray[np.float32] | None = None
    purpose: Purpose = "default"
    properties: Mapping[str, Property] = field(default_factory=dict)


@dataclass(frozen=True, eq=False, kw_only=True)
class BasisCurvesRecord(CurvesRecord):
    """Polylines and cubic curves of one basis.

    Attributes:
        basis: ``linear`` for polylines.
        wrap: as UsdGeomBasisCurves has it; ``periodic`` closes every curve.
    """

    basis: Basis
    wrap: Wrap


@dataclass(frozen=True, eq=False, kw_only=True)
class NurbsCurvesRecord(CurvesRecord):
    """Rational B-splines; closed ones repeat their first points at the end.

    Attributes:
        orders: (c,) int32, degree + 1.
        knots: float64, ``counts + orders`` of them for each curve.
        ranges: (c, 2) float64, the parameters at both ends.
        weights: (n,) float64.
    """

    orders: NDArray[np.int32]
    knots: NDArray[np.float64]
    ranges: NDArray[np.float64]
    weights: NDArray[np.float64]
