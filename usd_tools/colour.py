# SPDX-License-Identifier: GPL-3.0-or-later
"""The sRGB curve (IEC 61966-2-1), both ways."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def decoded(values: NDArray[Any]) -> NDArray[np.float32]:
    """Display values, 0 to 1, to light; any shape."""
    v = np.asarray(values, np.float32)
    high = ((v + np.float32(0.055)) / np.float32(1.055)) ** np.float32(2.4)
    return np.where(v <= 0.04045, v / np.float32(12.92), high)


def encoded(light: NDArray[Any]) -> NDArray[np.float32]:
    """Light to display values; what is below 0 or above 1 is cut off; any shape."""
    c = np.clip(np.asarray(light, np.float32), 0.0, 1.0)
    high = np.float32(1.055) * c ** np.float32(1 / 2.4) - np.float32(0.055)
    return np.where(c <= 0.0031308, np.float32(12.92) * c, high)
