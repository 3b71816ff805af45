# SPDX-License-Identifier: GPL-3.0-or-later
"""One photo of a material whose maps are known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Field = NDArray[np.float32]

# ITU-T T.81, annex K: the tables of quality 50.
_LUMA = np.array(
    """16 11 10 16 24 40 51 61 12 12 14 19 26 58 60 55 14 13 16 24 40 57 69 56 14 17 22 29 51 87
    80 62 18 22 37 56 68 109 103 77 24 35 55 64 81 104 113 92 49 64 78 87 103 121 120 101 72 92 95
    98 112 100 103 99""".split(),
    np.float32,
).reshape(8, 8)
_CHROMA = np.full((8, 8), 99, np.float32)
_CHROMA[:4, :4] = [[17, 18, 24, 47], [18, 21, 26, 66], [24, 26, 56, 99], [47, 66, 99, 99]]
_YCC = np.array([[0.299, 0.587, 0.114], [-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]])


@dataclass(frozen=True)
class Sample:
    """A photo and the truth under it, pixel by pixel.

    Args:
        family: the material's name; scores are means over families.
        light: what it was photographed under.
        photo: (rows, columns, 3), sRGB as a camera wrote it, 0 to 1.
        basecolor: (rows, columns, 3), sRGB, 0 to 1.
        normal: (rows, columns, 3), unit; x right, y up the image, z out.
        roughness, metallic, ao: (rows, columns), 0 to 1.
        height: (rows, columns), in pixels' widths, any zero.
        highlight: whether a light is mirrored in the photo.
    """

    family: str
    light: str
    photo: Field
    basecolor: Field
    normal: Field
    roughness: Field
    metallic: Field
    ao: Field
    height: Field
    highlight: bool


def jpeg(photo: NDArray[np.floating[Any]], quality: int) -> Field:
    """What remains of an sRGB image (rows, columns, 3), 0 to 1, after JPEG at that quality.

    Only the lossy steps: YCbCr, chroma at half size, quantised cosines of 8x8 blocks. The sides
    must be multiples of 16.
    """
    scale = (5000 / quality if quality < 50 else 200 - 2 * quality) / 100
    ycc = photo * 255 @ _YCC.T
    planes = []
    for at, table in ((0, _LUMA), (1, _CHROMA), (2, _CHROMA)):
        plane = ycc[..., at] - (128 if at == 0 else 0)
        if at:
            rows, columns = plane.shape
            plane = plane.reshape(rows // 2, 2, columns // 2, 2).mean((1, 3))
        plane = _quantised(plane, np.maximum(np.round(table * scale), 1))
        planes.append(np.kron(plane, np.ones((2, 2))) if at else plane + 128)
    back = np.stack(planes, -1) @ np.linalg.inv(_YCC).T
    return np.clip(np.round(back) / 255, 0, 1).astype(np.float32)


def _quantised(plane: NDArray[Any], table: NDArray[Any]) -> NDArray[Any]:
    k = np.arange(8)
    cosines = np.cos((2 * k[None] + 1) * k[:, None] * np.pi / 16) / 2
    cosines[0] /= np.sqrt(2)
    rows, columns = plane.shape
    blocks = plane.reshape(rows // 8, 8, columns // 8, 8).swapaxes(1, 2)
    kept = np.round(cosines @ blocks @ cosines.T / table) * table
    back: NDArray[Any] = (cosines.T @ kept @ cosines).swapaxes(1, 2).reshape(rows, columns)
    return back
