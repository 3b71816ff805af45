# SPDX-License-Identifier: GPL-3.0-or-later
"""How near the maps of a photo are to the truth, beside naive answers and the classical way.

On two sets that no training saw: procedural materials of patterns of their own (``-heldout``) and
Blender's shader nodes photographed by Cycles (``-cycles``). Means over families; the note names
the worst. The weights were chosen on other materials, before either set was scored.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from map_sets import cycles, kept
from map_sets.sample import Sample

from stagewright.jobs.drive import drain
from stagewright.texture_lab import png
from stagewright.texture_lab.map_scores import Maps, Scores, balanced_accuracy, compare
from stagewright.texture_lab.photo import PhotoRequest, delighted, estimated_maps, maps_of
from stagewright.texture_lab.scanned import maps_in


@dataclass(frozen=True)
class _Scored:
    """One sample's scores by the network and the classical way."""

    sample: Sample
    network: Scores
    classical: Scores


def heldout(quick: bool) -> Iterator[dict[str, Any]]:
    """The held-out procedural set."""
    yield from _rows("heldout", _scored(kept.samples(quick)))


def cycles_set(quick: bool) -> Iterator[dict[str, Any]]:
    """Blender's nodes through Cycles."""
    yield from _rows("cycles", _scored(cycles.samples(quick)))


def _scored(samples: Iterable[Sample]) -> list[_Scored]:
    scored = []
    for sample in samples:
        truth = Maps(
            sample.basecolor, sample.normal, sample.roughness, sample.metallic, sample.ao,
            sample.height,
        )  # fmt: skip
        request = PhotoRequest("photo", "", tile_size_m=float(len(sample.photo)))
        network, _ = drain(estimated_maps(sample.photo, request), _quiet)
        classical = maps_of(delighted(sample.photo, request.delight), request)
        scored.append(
            _Scored(sample, compare(maps_in(network), truth), compare(maps_in(classical), truth))
        )
    return scored


def _rows(name: str, scored: list[_Scored]) -> Iterator[dict[str, Any]]:
    families = sorted({s.sample.family for s in scored})
    size = f"{len(families)} families, {len(scored)} photos"

    def mean(value: Callable[[_Scored], float], kept: list[_Scored] = scored) -> float:
        by_family = [[value(s) for s in kept if s.sample.family == f] for f in families]
        return float(np.mean([np.mean(v) for v in by_family if v]))

    def worst(value: Callable[[_Scored], float], sign: int = 1) -> str:
        means = {f: np.mean([value(s) for s in scored if s.sample.family == f]) for f in families}
        family = max(means, key=lambda f: sign * means[f])
        return f"worst {family} {means[family]:.3g}"

    def row(
        task: str, value: float, goal: float, unit: str, note: str, sign: int = 1
    ) -> dict[str, Any]:
        return {
            "task": f"{task}-{name}", "size": size, "value": value, "baseline": goal, "unit": unit,
            "agree": sign * value <= sign * goal, "note": note,
        }  # fmt: skip

    flat = mean(lambda s: s.network.normal_flat_deg)
    classical = mean(lambda s: s.classical.normal_deg)
    note = f"flat {flat:.2f}, classical {classical:.2f}; {worst(lambda s: s.network.normal_deg)}"
    goal = 9.5 if name == "heldout" else min(flat, classical)
    yield row("normal-error", mean(lambda s: s.network.normal_deg), goal, "deg", note)
    classical = mean(lambda s: s.classical.normal_best_deg)
    goal = 0.55 * flat if name == "heldout" else min(flat, classical)
    note = f"classical {classical:.2f}, at the best strength"
    yield row("normal-best", mean(lambda s: s.network.normal_best_deg), goal, "deg", note)

    for which, part, bright in (("roughness", 0.75, 0.6), ("ao", 0.7, None)):

        def error(s: _Scored, which: str = which) -> float:
            return float(getattr(s.network, f"{which}_rmse"))

        def by_hand(s: _Scored, which: str = which) -> float:
            return float(getattr(s.classical, f"{which}_rmse"))

        constant = _best_constant(scored, which, families)
        oracle = mean(lambda s, w=which: getattr(s.network, f"{w}_mean_rmse"))  # type: ignore[misc]
        classical = mean(by_hand)
        note = (
            f"best constant {constant:.3f}, photo's own mean {oracle:.3f}, "
            f"classical {classical:.3f}; {worst(error)}"
        )
        goal = part * constant if name == "heldout" else min(constant, classical)
        yield row(f"{which}-rmse", mean(error), goal, "", note)
        lit = [s for s in scored if s.sample.highlight]
        if bright and lit:
            constant = _best_constant(lit, which, families)
            goal = bright * constant if name == "heldout" else constant
            note = f"{len(lit)} photos with a highlight; best constant {constant:.3f}"
            yield row(f"{which}-highlight", mean(error, lit), goal, "", note)

    accuracy = balanced_accuracy(s.network for s in scored)
    note = "balanced; a constant, and the classical way, give 0.5"
    yield row("metallic-accuracy", accuracy, 0.9 if name == "heldout" else 0.5, "", note, -1)

    for which, unit, goal in (
        ("basecolor_psnr", "dB", 26.0), ("basecolor_ssim", "", 0.0),
        ("height_correlation", "", 0.0), ("relit_psnr", "dB", 0.0),
    ):  # fmt: skip
        classical = mean(lambda s, w=which: getattr(s.classical, w))  # type: ignore[misc]

        def score(s: _Scored, which: str = which) -> float:
            return float(getattr(s.network, which))

        note = f"classical {classical:.3g}; {worst(score, -1)}"
        goal = goal if goal and name == "heldout" else classical
        yield row(which.replace("_", "-"), mean(score), goal, unit, note, -1)


def _best_constant(scored: list[_Scored], which: str, families: list[str]) -> float:
    """The mean over families of the error of the one number that suits the whole set best."""
    maps = {f: [getattr(s.sample, which) for s in scored if s.sample.family == f] for f in families}
    means = [np.mean([m.mean() for m in maps[f]]) for f in families if maps[f]]
    tries = np.mean(means) + np.linspace(-0.1, 0.1, 41)
    errors = [
        np.mean(
            [
                np.mean([np.sqrt(((m - t) ** 2).mean()) for m in maps[f]])
                for f in families
                if maps[f]
            ]
        )
        for t in tries
    ]
    return float(min(errors))


def speed(quick: bool) -> Iterator[dict[str, Any]]:
    """Seconds at 1K: the maps alone with everything loaded, and the command with six PNGs."""
    size = 256 if quick else 1024
    rng = np.random.default_rng(1)
    photo = np.clip(rng.normal(0.5, 0.15, (size, size, 3)), 0, 1).astype(np.float32)
    request = PhotoRequest("photo", "")
    times = []
    for _ in range(2 if quick else 5):
        start = time.perf_counter()
        drain(estimated_maps(photo, request), _quiet)
        times.append(time.perf_counter() - start)
    yield _seconds("maps-1k-warm-s", size, float(np.median(times[1:])), 2.0)
    code = "import sys; from stagewright.pipeline.cli import main; sys.exit(main(sys.argv[1:]))"
    times = []
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "photo.png"
        png.write_png(file, (photo * 255).astype(np.uint8))
        for turn in range(1 if quick else 3):
            words = ["texture", "maps", str(file), "--backend", "network", "-o", f"{folder}/{turn}"]
            start = time.perf_counter()
            subprocess.run([sys.executable, "-c", code, *words], check=True, capture_output=True)
            times.append(time.perf_counter() - start)
    yield _seconds("maps-1k-cold-s", size, float(np.median(times)), 4.0)


def _seconds(task: str, size: int, value: float, goal: float) -> dict[str, Any]:
    return {
        "task": task, "size": f"{size}^2", "value": value, "baseline": goal, "unit": "s",
        "agree": value <= goal, "note": "numpy alone",
    }  # fmt: skip


def _quiet(event: object) -> None:
    """Nobody reads the progress."""


TASKS = {"maps": heldout, "maps-cycles": cycles_set, "maps-speed": speed}
