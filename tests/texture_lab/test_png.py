# SPDX-License-Identifier: GPL-3.0-or-later
"""PNG files against a second reader, other writers' filters, and broken files."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest

from stagewright.jobs.errors import StagewrightError
from stagewright.texture_lab.png import read_png, write_png


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_round_trip(tmp_path: Path, kind: type, channels: int) -> None:
    limit = np.iinfo(kind).max
    pixels = np.random.default_rng(1).integers(0, limit, (7, 13, channels), kind, True)
    path = tmp_path / "ä b.png"
    write_png(path, pixels, {"prompt": "red brick"})
    back, text = read_png(path)
    assert back.dtype == kind and np.array_equal(back, pixels)
    assert text == {"prompt": "red brick"}
    assert [entry.name for entry in tmp_path.iterdir()] == ["ä b.png"]


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _file(lines: bytes, columns: int, rows: int, depth: int = 8, colour: int = 2) -> bytes:
    header = struct.pack(">IIBBBBB", columns, rows, depth, colour, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + _chunk(b"IHDR", header)
        + _chunk(b"IDAT", zlib.compress(lines))
        + _chunk(b"IEND", b"")
    )


def _filter(kind: int, pixels: np.ndarray, y: int) -> bytes:
    """A row by the specification's own words, byte by byte."""
    row = pixels[y].reshape(-1).tolist()
    above = pixels[y - 1].reshape(-1).tolist() if y else [0] * len(row)
    out = bytearray([kind])
    for i, value in enumerate(row):
        a = row[i - 3] if i >= 3 else 0
        b = above[i]
        c = above[i - 3] if i >= 3 else 0
        p = a + b - c
        paeth = min((abs(p - a), 0, a), (abs(p - b), 1, b), (abs(p - c), 2, c))[2]
        out.append((value - [0, a, b, (a + b) // 2, paeth][kind]) % 256)
    return bytes(out)


def test_all_filters_are_undone(tmp_path: Path) -> None:
    pixels = np.random.default_rng(2).integers(0, 256, (15, 9, 3), np.uint8)
    lines = b"".join(_filter(y % 5, pixels, y) for y in range(15))
    path = tmp_path / "filters.png"
    path.write_bytes(_file(lines, 9, 15))
    assert np.array_equal(read_png(path)[0], pixels)


def test_broken_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "broken.png"
    write_png(path, np.zeros((8, 8, 3), np.uint8))
    whole = path.read_bytes()
    flipped = bytearray(whole)
    flipped[45] ^= 1
    bomb = _file(bytes(10_000_000), 8, 8)
    cases = [b"", b"GIF89a", whole[:-20], whole[:40], bytes(flipped), bomb, _file(b"\0", 8, 8)]
    for case in [*cases, _file(b"\7" + bytes(24), 8, 1), _file(b"", 0, 8)]:
        path.write_bytes(case)
        with pytest.raises(StagewrightError) as caught:
            read_png(path)
        assert caught.value.code == "bad-image"


def test_what_is_not_read_says_so(tmp_path: Path) -> None:
    path = tmp_path / "image.png"
    for content, code in [
        (_file(b"", 100_000, 100_000), "image-too-large"),
        (_file(b"\0\0", 1, 1, colour=3), "image-unsupported"),
        (_file(b"\0\0", 1, 1, depth=1, colour=0), "image-unsupported"),
    ]:
        path.write_bytes(content)
        with pytest.raises(StagewrightError) as caught:
            read_png(path)
        assert caught.value.code == code
    with pytest.raises(StagewrightError, match="absent"):
        read_png(tmp_path / "absent.png")


def test_a_failed_write_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ValueError):
        write_png(tmp_path / "a.png", np.zeros((4, 4), np.float32))
    with pytest.raises(OSError):
        write_png(tmp_path / "no" / "a.png", np.zeros((4, 4), np.uint8))
    assert not list(tmp_path.iterdir())
