# SPDX-License-Identifier: GPL-3.0-or-later
"""Image files written."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray


def save_image(file: Path, pixels: NDArray[np.float32]) -> None:
    """Save scene-linear pixels, (height, width, channels) with the top row first.

    Args:
        file: its suffix tells the format (``.exr``).
        pixels: what it holds, in single precision.

    Raises:
        OSError: the file cannot be written.
    """
    import OpenImageIO

    height, width, channels = pixels.shape
    output = OpenImageIO.ImageOutput.create(str(file))
    spec = OpenImageIO.ImageSpec(width, height, channels, "float")
    if output is None or not output.open(str(file), spec):
        raise OSError(f"'{file}' cannot be written: {OpenImageIO.geterror()}")
    output.write_image(np.ascontiguousarray(pixels))
    output.close()
