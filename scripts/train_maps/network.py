# SPDX-License-Identifier: GPL-3.0-or-later
"""The network in torch; ``texture_lab.maps_network`` runs the same one in numpy.

The photo is folded four by four pixels into channels, so that all convolutions run at a quarter
of its size (the idea of W. Shi et al., 2016, used at both ends); residual blocks without
normalisation, four sizes, sums for the skips, and the mean over the picture added at the bottom.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

FOLD = 4
WIDTHS = (64, 128, 176, 224)
DOWN = (1, 1, 2, 1)  # residual blocks on the way down, the last at the bottom
UP = (2, 1, 1)
# base colour 3 (added to the photo), slopes 2, roughness, metallic (logit), occlusion, height,
# and the expected errors of normals, roughness, metallic and occlusion.
OUTPUTS = 13


class Block(nn.Module):
    """Two convolutions, added to what came in."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(width, width, 3, padding=1)
        self.second = nn.Conv2d(width, width, 3, padding=1)
        nn.init.zeros_(self.second.weight)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, width, rows, columns) in and out."""
        return x + self.second(F.relu(self.first(F.relu(x))))


class MapsNetwork(nn.Module):
    """sRGB photos to raw maps."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3 * FOLD**2, WIDTHS[0], 3, padding=1)
        self.down = nn.ModuleList(
            nn.Sequential(*(Block(w) for _ in range(count)))
            for w, count in zip(WIDTHS, DOWN, strict=True)
        )
        self.shrink = nn.ModuleList(
            nn.Conv2d(a, b, 2, stride=2) for a, b in zip(WIDTHS, WIDTHS[1:], strict=False)
        )
        self.whole = nn.Linear(WIDTHS[-1], WIDTHS[-1])
        self.grow = nn.ModuleList(
            nn.Conv2d(b, a, 1) for a, b in zip(WIDTHS, WIDTHS[1:], strict=False)
        )
        self.up = nn.ModuleList(
            nn.Sequential(*(Block(w) for _ in range(count)))
            for w, count in zip(WIDTHS, UP, strict=False)
        )
        self.head = nn.Conv2d(WIDTHS[0], OUTPUTS * FOLD**2, 3, padding=1)
        nn.init.normal_(self.head.weight, std=0.01)

    def forward(self, photo: Tensor) -> Tensor:
        """(batch, 3, n, n), n a multiple of 32, to (batch, OUTPUTS, n, n)."""
        x = self.stem(F.pixel_unshuffle(photo - 0.5, FOLD))
        kept = []
        for level, blocks in enumerate(self.down):
            x = blocks(x)
            if level < len(self.shrink):
                kept.append(x)
                x = self.shrink[level](x)
        x = x + self.whole(x.mean((2, 3)))[..., None, None]
        for level in reversed(range(len(self.up))):
            wide = F.interpolate(self.grow[level](x), scale_factor=2.0, mode="nearest")
            x = self.up[level](kept[level] + wide)
        return F.pixel_shuffle(self.head(F.relu(x)), FOLD)


def maps_of(raw: Tensor, photo: Tensor) -> dict[str, Tensor]:
    """The maps in raw outputs, each (batch, channels, n, n); the height of unit deviation."""
    slopes = raw[:, 3:5]
    return {
        "basecolor": photo + raw[:, :3],
        "normal": F.normalize(torch.cat([slopes, torch.ones_like(slopes[:, :1])], 1), dim=1),
        "roughness": raw[:, 5:6] + 0.6,
        "metallic": raw[:, 6:7],
        "ao": raw[:, 7:8] + 0.9,
        "height": raw[:, 8:9],
        "errors": raw[:, 9:13],
    }
