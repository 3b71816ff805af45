# SPDX-License-Identifier: GPL-3.0-or-later
"""Benches on whole grids: operators, renormalise, travel time, sampling."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import lattice_cases as cases
import numpy as np
from sides import Row, Verdict, compare

SIDES = "field_tasks/lattice_sides"


def norms(ours: Any, peer: Any, unit: str) -> list[tuple[str, float, float, str]]:
    """Largest and mean errors; NaN is not judged."""
    return [
        ("L_inf", float(np.nanmax(ours)), float(np.nanmax(peer)), unit),
        ("L1", float(np.nanmean(ours)), float(np.nanmean(peer)), unit),
    ]


def operators(task: str) -> Callable[[bool], Iterator[Row]]:
    """An operator into a buffer, beside a copy of the grid on one thread; wall alone is judged."""

    def bench(quick: bool) -> Iterator[Row]:
        n = 128 if quick else 256
        x, y, z = cases.axes(n)
        radius = np.sqrt(x * x + y * y + z * z)
        judged = radius > n / 8

        def judge(one: Any, _: Any) -> Verdict:
            ours = one["values"]
            if task == "gradient":
                exact = np.stack(np.broadcast_arrays(x / radius, y / radius, z / radius), -1)
                error = np.abs(ours - exact)[judged].max()
            else:
                factor = 2 if task == "laplacian" else 1
                error = np.abs(ours * radius - factor)[judged].max()
            return Verdict(bool(error < 40 / n))

        case = {"task": task, "n": n}
        yield from compare(
            SIDES, case, f"{n}^3 float32", "copy", judge, 7 if quick else 11, wall_only=True
        )

    return bench


def renormalize(quick: bool) -> Iterator[Row]:
    """Distorted level sets and masks, beside the narrow band of scikit-fmm."""
    n = 64 if quick else 256
    for shape in ("sphere", "torus", "box"):
        exact = cases.exact_distance(shape, n)
        near = np.abs(exact) < 3
        for kind in ("exact", "smooth", "x0.2-x5", "mask"):

            def judge(
                one: Any,
                other: Any,
                exact: Any = exact,
                near: Any = near,
            ) -> Verdict:
                ours, peer = one["values"], other["values"]
                errors = [np.abs(answer - exact)[near] for answer in (ours, peer)]
                agree = bool(np.abs(ours - peer)[near].max() < 2)
                return Verdict(agree, qualities=norms(*errors, "h"))

            case = {"task": "renormalize", "n": n, "shape": shape, "kind": kind}
            size = f"{n}^3 {shape} {kind}"
            yield from compare(SIDES, case, size, "scikit-fmm", judge, 5)


def travel_time(quick: bool) -> Iterator[Row]:
    """Fronts through media of varying speed, beside scikit-fmm of order 2."""
    n = 48 if quick else 128
    for name in ("constant", "linear", "layered 10:1", "maze"):
        exact = cases.front(name, n)[2]

        def judge(
            one: Any,
            other: Any,
            exact: Any = exact,
        ) -> Verdict:
            ours, peer = one["values"], other["values"]
            unit = (n - 1) / 2
            both = np.isfinite(ours) & np.isfinite(peer)
            same = bool(np.all(np.isfinite(ours) == np.isfinite(peer)))
            agree = same and bool(np.abs(ours[both] - peer[both]).max() * unit < 2)
            if exact is None:
                return Verdict(agree)
            errors = [np.abs(answer - exact) * unit for answer in (ours, peer)]
            return Verdict(agree, qualities=norms(*errors, "h/F"))

        case = {"task": "travel-time", "n": n, "front": name}
        yield from compare(SIDES, case, f"{n}^3 {name}", "scikit-fmm", judge, 5)


def sample(quick: bool) -> Iterator[Row]:
    """Two million random points, linear, beside map_coordinates."""
    n = 128 if quick else 256

    def judge(one: Any, other: Any) -> Verdict:
        return Verdict(bool(np.abs(one["values"] - other["values"]).max() < 1e-4))

    case = {"task": "sample", "n": n}
    yield from compare(SIDES, case, f"2M points in {n}^3", "scipy", judge, 5)


TASKS: dict[str, Callable[[bool], Iterator[Row]]] = {
    **{name: operators(name) for name in ("laplacian", "gradient", "mean-curvature")},
    "renormalize": renormalize,
    "travel-time": travel_time,
    "sample": sample,
}
