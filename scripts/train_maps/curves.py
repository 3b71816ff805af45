# SPDX-License-Identifier: GPL-3.0-or-later
"""The curves of a training: ``python scripts/train_maps/curves.py log.csv curves.svg``."""

from __future__ import annotations

import csv
import sys
from pathlib import Path

_CURVES = {
    "normal_deg": "normals, degrees",
    "roughness_rmse": "roughness, RMSE",
    "ao_rmse": "occlusion, RMSE",
    "metallic_accuracy": "metallic, balanced accuracy",
    "basecolor_psnr": "base colour, dB",
}
_WIDE, _HIGH, _GAP = 220, 130, 44


def drawn(log: Path) -> str:
    """An SVG picture: each validation score over the minutes."""
    rows = list(csv.DictReader(log.read_text("utf-8").splitlines()))
    minutes = [float(row["seconds"]) / 60 for row in rows]
    parts = []
    for at, (name, title) in enumerate(_CURVES.items()):
        values = [float(row[name]) for row in rows]
        low, high = min(values), max(values)
        left = _GAP + at * (_WIDE + _GAP)
        points = " ".join(
            f"{left + _WIDE * m / minutes[-1]:.1f},"
            f"{_GAP + _HIGH * (high - v) / max(high - low, 1e-9):.1f}"
            for m, v in zip(minutes, values, strict=True)
        )
        parts += [
            f'<rect x="{left}" y="{_GAP}" width="{_WIDE}" height="{_HIGH}" '
            'fill="none" stroke="#999"/>',
            f'<polyline points="{points}" fill="none" stroke="#1565c0" stroke-width="2"/>',
            f'<text x="{left}" y="{_GAP - 10}">{title}: {values[-1]:.3g}</text>',
            f'<text x="{left - 4}" y="{_GAP + 8}" text-anchor="end">{high:.3g}</text>',
            f'<text x="{left - 4}" y="{_GAP + _HIGH}" text-anchor="end">{low:.3g}</text>',
            f'<text x="{left + _WIDE}" y="{_GAP + _HIGH + 16}" text-anchor="end">'
            f"{minutes[-1]:.1f} min</text>",
        ]
    size = (_GAP + len(_CURVES) * (_WIDE + _GAP), 2 * _GAP + _HIGH)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{size[0]}" height="{size[1]}" '
        'font-family="sans-serif" font-size="12">' + "".join(parts) + "</svg>\n"
    )


if __name__ == "__main__":
    Path(sys.argv[2]).write_text(drawn(Path(sys.argv[1])), "utf-8")
