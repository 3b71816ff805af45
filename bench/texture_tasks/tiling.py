# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether crops that do not repeat become tiles that do.

The crops are cut from textures of the families, off their period; the metric's own tests show that
it passes what repeats by construction and fails what is mirrored.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from stagewright.texture_lab.families import FAMILIES
from stagewright.texture_lab.grammar import understand
from stagewright.texture_lab.make import draw
from stagewright.texture_lab.tiling import make_tile
from stagewright.texture_lab.tiling_metric import MIRROR, PERCENTILES, WEAKEST

_SIZE, _ROWS, _COLUMNS = 512, 430, 397


def tiling(quick: bool) -> Iterator[dict[str, Any]]:
    """The metric's three parts over all crops."""
    reports = {}
    for name in sorted(FAMILIES)[:: 7 if quick else 2]:
        made = draw(understand(name.replace("_", " "), {}), _SIZE, 3)
        maps = {"basecolor": made.basecolor, "height": made.height}
        crop = {k: np.roll(m, (37, 91), (0, 1))[:_ROWS, :_COLUMNS] for k, m in maps.items()}
        reports[name] = make_tile(crop).report
    low, high = PERCENTILES
    seams = {n: all(low <= v <= high for v in r.seam_percentiles) for n, r in reports.items()}
    weakest = {n: r.weakest_band for n, r in reports.items()}
    mirrors = {n: r.mirror_excess for n, r in reports.items()}
    yield _row(
        "seam-percentile-ok",
        np.mean(list(seams.values())),
        1.0,
        [n for n in seams if not seams[n]],
        reports,
    )
    worst = min(weakest, key=lambda n: weakest[n])
    low_bands = [n for n in weakest if weakest[n] < WEAKEST]
    yield _row("weakest-band", weakest[worst], WEAKEST, low_bands, reports)
    worst = max(mirrors, key=lambda n: mirrors[n])
    high_mirrors = [n for n in mirrors if mirrors[n] > MIRROR]
    yield _row("mirror-excess", mirrors[worst], MIRROR, high_mirrors, reports)


def _row(
    task: str, value: Any, goal: float, missed: list[str], reports: dict[str, Any]
) -> dict[str, Any]:
    return {
        "task": task,
        "size": f"{len(reports)} crops",
        "value": float(value),
        "baseline": goal,
        "unit": "",
        "agree": not missed,
        "note": " ".join(missed),
    }


TASKS = {"tiling": tiling}
