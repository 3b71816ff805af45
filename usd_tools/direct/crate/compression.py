# SPDX-License-Identifier: GPL-3.0-or-later
"""Compressed bytes and integers, as crate files have them.

Python reaches USD's own compression only by way of a file, which is worth it
for many numbers. Few are coded here, and packed as LZ4 blocks that hold nothing
but literals: as small as the coding of differences makes them.
"""

from __future__ import annotations

import struct
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pxr import Sdf, Tf

from ....jobs.errors import StagewrightError
from ..arrays import vt_array

# From so many numbers on USD compresses them.
_MANY = 1 << 14
_BOOTSTRAP = 88
_LENGTHS = np.array([0, 1, 2, 4])


def packed(content: bytes) -> bytes:
    """``content`` as one chunk of USD's fast compression: a single LZ4 run of literals."""
    count = len(content)
    if count < 15:
        return b"\0" + bytes((count << 4,)) + content
    more, last = divmod(count - 15, 255)
    return b"".join((b"\0\xf0", b"\xff" * more, bytes((last,)), content))


def packed_integers(values: NDArray[Any]) -> bytes:
    """The size in bytes, and the coding, of (n,) int32 or uint32, of which there are some."""
    if len(values) >= _MANY:
        body, _ = compressed_by_usd(np.ascontiguousarray(values).view(np.int32), "int[]")
        return body[8:]
    coded = packed(coded_integers(values))
    return struct.pack("<Q", len(coded)) + coded


def coded_integers(values: NDArray[Any]) -> bytes:
    """(n,) int32 or uint32, n > 0, as differences of 0, 1, 2 or 4 bytes.

    First comes the difference that takes no byte, then for each number two bits
    that tell how many it takes, then the differences.
    """
    numbers = np.ascontiguousarray(values).view(np.int32)
    steps = np.empty_like(numbers)
    steps[0] = numbers[0]
    np.subtract(numbers[1:], numbers[:-1], out=steps[1:])  # wraps around, as the sum does
    found, counts = np.unique(steps, return_counts=True)
    common = found[counts == np.max(counts)][-1]
    codes = np.zeros(-(-len(steps) // 4) * 4, np.uint8)
    filled = codes[: len(steps)]
    filled[:] = 3
    filled -= (steps.astype(np.int16) == steps).view(np.uint8)
    filled -= (steps.astype(np.int8) == steps).view(np.uint8)
    filled[steps == common] = 0
    quads = codes.reshape(-1, 4)
    bits = quads[:, 0] | quads[:, 1] << 2 | quads[:, 2] << 4 | quads[:, 3] << 6
    taken = np.arange(4) < _LENGTHS[filled][:, None]
    tail = steps.view(np.uint8).reshape(-1, 4)[taken]
    return common.tobytes() + bits.tobytes() + tail.tobytes()


def compressed_by_usd(values: NDArray[Any], type_name: str) -> tuple[bytes, bool]:
    """The number of values and their content, as USD writes an array, and whether compressed.

    Args:
        values: (n,) numbers; there have to be many, for speed.
        type_name: ``int[]``, ``int64[]``, ``float[]``, ``double[]``.

    Raises:
        StagewrightError: ``target-unwritable``, for the folder of temporary files.
    """
    layer = Sdf.Layer.CreateAnonymous(".usdc")
    prim = Sdf.CreatePrimInLayer(layer, "/a")
    Sdf.AttributeSpec(prim, "v", Sdf.ValueTypeNames.Find(type_name)).default = vt_array(
        values, type_name
    )
    try:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "values.usdc"
            layer.Export(str(file))
            content = file.read_bytes()
    except (OSError, Tf.ErrorException) as error:
        raise StagewrightError(
            "target-unwritable",
            f"The folder of temporary files, {tempfile.gettempdir()}, cannot be written.",
            "Make room on its disk.",
        ) from error
    # What the prims have comes before it, and the first section, the tokens, after it.
    start = content.index(struct.pack("<Q", len(values)), _BOOTSTRAP)
    (contents,) = struct.unpack_from("<q", content, 16)
    (end,) = struct.unpack_from("<q", content, contents + 8 + 16)
    return content[start:end], end - start != 8 + values.nbytes
