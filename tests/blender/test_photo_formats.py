# SPDX-License-Identifier: GPL-3.0-or-later
"""Photos in the inks of printers, as cameras' software and scanners save them."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

import bpy
import numpy as np
import pytest
from numpy.typing import NDArray

from stagewright.jobs.drive import drain
from stagewright.jobs.errors import StagewrightError
from stagewright.texture_lab.images import image_size, read_image
from stagewright.texture_lab.photo import make_maps, request_of
from stagewright.texture_lab.stored_set import read_set

bpy.utils.expose_bundled_modules()

BLOCK = 8
INKS = np.array(
    [
        [(0, 0, 0, 0), (255, 0, 0, 0), (0, 255, 0, 0), (0, 0, 255, 0)],
        [(0, 0, 0, 255), (60, 120, 180, 40), (255, 255, 0, 0), (30, 0, 10, 128)],
        [(0, 0, 0, 128), (10, 200, 200, 10), (200, 200, 200, 0), (128, 128, 0, 64)],
    ],
    np.uint8,
)
"""Cyan, magenta, yellow and black of blocks, 255 being all of it."""


def seen() -> NDArray[np.float64]:
    """What they look like, (3, 4, 3): each ink takes its own colour out, black takes all."""
    ink = INKS / 255
    light: NDArray[np.float64] = (1 - ink[:, :, :3]) * (1 - ink[:, :, 3:])
    return light


def tiff(path: Path) -> Path:
    """An uncompressed TIFF of inks (TIFF 6.0, section 16)."""
    pixels = INKS.repeat(BLOCK, 0).repeat(BLOCK, 1)
    rows, columns = pixels.shape[:2]
    at = 8 + 2 + 10 * 12 + 4  # header, count, entries, no further directory
    entries = [
        (256, 4, 1, columns),
        (257, 4, 1, rows),
        (258, 3, 4, at),  # bits of each sample
        (259, 3, 1, 1),  # not compressed
        (262, 3, 1, 5),  # separated: inks
        (273, 4, 1, at + 8),  # where the pixels are
        (277, 3, 1, 4),
        (278, 4, 1, rows),
        (279, 4, 1, pixels.nbytes),
        (332, 3, 1, 1),  # CMYK
    ]
    content = struct.pack("<2sHIH", b"II", 42, 8, len(entries))
    for tag, kind, count, value in entries:
        content += struct.pack("<HHII", tag, kind, count, value)
    content += struct.pack("<I4H", 0, 8, 8, 8, 8)
    path.write_bytes(content + pixels.tobytes())
    return path


def jpeg(path: Path) -> Path:
    """A baseline JPEG of inks as Photoshop saves it, inverted; of blocks without detail.

    ITU-T T.81; the marker APP14 is Adobe's.
    """
    rows, columns = (BLOCK * length for length in INKS.shape[:2])
    parts = [b"\xff\xd8", _segment(0xEE, b"Adobe\0\x64\0\0\0\0\0")]
    parts.append(_segment(0xDB, bytes([0]) + bytes([1]) * 64))
    components = b"".join(bytes([number, 0x11, 0]) for number in (1, 2, 3, 4))
    parts.append(_segment(0xC0, struct.pack(">BHHB", 8, rows, columns, 4) + components))
    lengths = [0, 0, 0, 12, *[0] * 12]  # twelve codes of four bits: categories of differences
    parts.append(_segment(0xC4, bytes([0x00, *lengths, *range(12)])))
    parts.append(_segment(0xC4, bytes([0x10, 1, *[0] * 15, 0])))  # one bit ends a block
    scans = b"".join(bytes([number, 0x00]) for number in (1, 2, 3, 4))
    parts.append(_segment(0xDA, bytes([4]) + scans + bytes([0, 63, 0])))
    bits = "".join(_block_bits())
    bits += "1" * (-len(bits) % 8)
    data = int(bits, 2).to_bytes(len(bits) // 8, "big").replace(b"\xff", b"\xff\0")
    path.write_bytes(b"".join([*parts, data, b"\xff\xd9"]))
    return path


def _segment(marker: int, content: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content


def _block_bits() -> Iterator[str]:
    """The bits of all blocks: differences of their means, and that there is nothing else."""
    before = [0, 0, 0, 0]
    for inks in INKS.reshape(-1, 4):
        for component, ink in enumerate(inks):
            mean = 8 * ((255 - int(ink)) - 128)
            change = mean - before[component]
            before[component] = mean
            category = abs(change).bit_length()
            yield f"{category:04b}"
            if category:
                low = change if change > 0 else change + (1 << category) - 1
                yield f"{low:0{category}b}"
            yield "0"


@pytest.mark.parametrize("write", [tiff, jpeg])
def test_a_photo_in_inks_has_its_colours(tmp_path: Path, write: object) -> None:
    assert callable(write)
    photo: Path = write(tmp_path / f"print ü.{'tif' if write is tiff else 'jpg'}")
    assert image_size(photo) == (24, 32)
    image = read_image(photo)
    assert image.shape == (24, 32, 3)
    middles = image[BLOCK // 2 :: BLOCK, BLOCK // 2 :: BLOCK]
    assert abs(middles - seen()).max() < 1.5 / 255


def test_maps_of_a_photo_in_inks(tmp_path: Path) -> None:
    photo = jpeg(tmp_path / "print.jpg")
    value = drain(make_maps(photo, request_of(photo, delight=0.0), tmp_path, "p"), print)
    textures, _ = read_set(Path(value["files"][-1]))
    middles = textures.basecolor[BLOCK // 2 :: BLOCK, BLOCK // 2 :: BLOCK]
    assert abs(middles - seen()).max() < 2.5 / 255


@pytest.mark.parametrize("length", [40, 300])
def test_a_photo_in_inks_that_was_cut_short_is_told(tmp_path: Path, length: int) -> None:
    photo = tiff(tmp_path / "print.tif")
    photo.write_bytes(photo.read_bytes()[:length])
    with pytest.raises(StagewrightError, match=r"print\.tif"):
        read_image(photo)
