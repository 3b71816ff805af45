# SPDX-License-Identifier: GPL-3.0-or-later
"""PNG images as arrays: 8 and 16 bits, grey or colour, with text.

The format is that of the PNG specification, third edition (W3C, 2025).
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..jobs.errors import StagewrightError
from ..jobs.files import written_whole

Array = NDArray[Any]

MAX_PIXELS = 8192 * 8192
MAX_TEXT = 1 << 20
_MAX_FILE = 1 << 30
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_CHANNELS = {0: 1, 2: 3, 4: 2, 6: 4}  # by colour type
_COLOUR_TYPES = {channels: kind for kind, channels in _CHANNELS.items()}


def write_png(path: Path, pixels: Array, text: Mapping[str, str] | None = None) -> None:
    """Write an image; the file appears whole or not at all.

    Args:
        path: the file to write or replace.
        pixels: as :func:`png_bytes` takes them.
        text: Latin-1 keywords (1 to 79 characters) and their Latin-1 values.

    Raises:
        ValueError: other pixels.
        OSError: the disk is full or the folder cannot be written.
    """
    content = png_bytes(pixels, text)
    with written_whole(path) as partial:
        partial.write_bytes(content)


def png_bytes(pixels: Array, text: Mapping[str, str] | None = None) -> bytes:
    """What the file of an image holds.

    Args:
        pixels: uint8 or uint16, (rows, columns) or (rows, columns, 1 to 4), the first
            row on top.
        text: Latin-1 keywords (1 to 79 characters) and their Latin-1 values.

    Raises:
        ValueError: other pixels.
    """
    image = pixels[:, :, None] if pixels.ndim == 2 else pixels
    if image.ndim != 3 or image.shape[2] not in _COLOUR_TYPES or 0 in image.shape:
        raise ValueError(f"pixels of shape {pixels.shape}")
    if image.dtype not in (np.uint8, np.uint16):
        raise ValueError(f"pixels of type {pixels.dtype}")
    rows, columns, channels = image.shape
    depth = image.dtype.itemsize * 8
    header = struct.pack(">IIBBBBB", columns, rows, depth, _COLOUR_TYPES[channels], 0, 0, 0)
    chunks = [(b"IHDR", header)]
    for keyword, value in (text or {}).items():
        chunks.append((b"tEXt", keyword.encode("latin-1") + b"\0" + value.encode("latin-1")))
    chunks += [(b"IDAT", zlib.compress(_filtered(image), 1)), (b"IEND", b"")]
    parts = [_SIGNATURE]
    for kind, data in chunks:
        crc = zlib.crc32(data, zlib.crc32(kind))
        parts += [struct.pack(">I", len(data)), kind, data, struct.pack(">I", crc)]
    return b"".join(parts)


def _filtered(image: Array) -> bytes:
    """All rows by the filter Up: the cheapest that helps smooth images."""
    rows = image.shape[0]
    data = np.ascontiguousarray(image.astype(image.dtype.newbyteorder(">")))
    lines = data.view(np.uint8).reshape(rows, -1)
    filtered = np.full((rows, lines.shape[1] + 1), 2, np.uint8)
    filtered[0, 1:] = lines[0]
    np.subtract(lines[1:], lines[:-1], out=filtered[1:, 1:])
    return filtered.tobytes()


def png_size(path: Path) -> tuple[int, int]:
    """Rows and columns of an image, by its first bytes alone.

    Raises:
        StagewrightError: ``no-file``, ``bad-image``.
    """
    try:
        with path.open("rb") as stream:
            head = stream.read(24)
    except OSError as error:
        raise _unreadable(path, error) from None
    if len(head) != 24 or head[:8] != _SIGNATURE or head[12:16] != b"IHDR":
        raise _bad(path)
    columns, rows = struct.unpack(">II", head[16:])
    return rows, columns


def read_png(path: Path, max_pixels: int = MAX_PIXELS) -> tuple[Array, dict[str, str]]:
    """Read an image and its text.

    Args:
        path: the file.
        max_pixels: larger images are refused before any memory is taken.

    Returns:
        Pixels as uint8 or uint16, (rows, columns, 1 to 4), and the ``tEXt`` entries
        (the last of a keyword, each at most ``MAX_TEXT`` bytes).

    Raises:
        StagewrightError: ``no-file``, ``bad-image``, ``image-too-large`` or
            ``image-unsupported`` (palettes, interlacing, fewer than 8 bits).
    """
    header: tuple[int, ...] = ()
    text: dict[str, str] = {}
    packed: list[bytes] = []
    for kind, data in _chunks(path):
        if kind == b"IHDR" and len(data) == 13:
            header = struct.unpack(">IIBBBBB", data)
            _check_header(path, header, max_pixels)
        elif kind == b"tEXt" and len(data) <= MAX_TEXT:
            keyword, _, value = data.partition(b"\0")
            text[keyword.decode("latin-1")] = value.decode("latin-1")
        elif kind == b"IDAT":
            packed.append(data)
    if not header or not packed:
        raise _bad(path)
    columns, rows, depth, colour = header[:4]
    channels = _CHANNELS[colour]
    stride = channels * depth // 8
    size = rows * (1 + columns * stride)
    try:
        # One byte more than needed tells a bomb from an image.
        lines = zlib.decompressobj().decompress(b"".join(packed), size + 1)
    except zlib.error:
        raise _bad(path) from None
    if len(lines) != size:
        raise _bad(path)
    raw = np.frombuffer(lines, np.uint8).reshape(rows, -1)
    if np.any(raw[:, 0] > 4):
        raise _bad(path)
    data8 = _unfiltered(raw[:, 0], raw[:, 1:].reshape(rows, columns, stride))
    if depth == 16:
        pixels = data8.view(">u2").astype(np.uint16)
    else:
        pixels = data8
    return pixels.reshape(rows, columns, channels), text


def _chunks(path: Path) -> Iterator[tuple[bytes, bytes]]:
    try:
        if path.stat().st_size > _MAX_FILE:
            raise _too_large(path)
        content = path.read_bytes()
    except OSError as error:
        raise _unreadable(path, error) from None
    if content[:8] != _SIGNATURE:
        raise _bad(path)
    at = 8
    while at + 12 <= len(content):
        (length,) = struct.unpack_from(">I", content, at)
        kind, end = content[at + 4 : at + 8], at + 8 + length
        if end + 4 > len(content):
            raise _bad(path)
        if struct.unpack_from(">I", content, end)[0] != zlib.crc32(content[at + 4 : end]):
            raise _bad(path)
        yield kind, content[at + 8 : end]
        if kind == b"IEND":
            return
        at = end + 4
    raise _bad(path)


def _check_header(path: Path, header: tuple[int, ...], max_pixels: int) -> None:
    columns, rows, depth, colour, _, _, interlace = header
    if columns == 0 or rows == 0:
        raise _bad(path)
    if columns * rows > max_pixels:
        raise _too_large(path)
    if colour not in _CHANNELS or depth not in (8, 16) or interlace:
        raise StagewrightError(
            "image-unsupported",
            f"The image {path.name} has a palette, is interlaced, or has less than 8 bits.",
            "Save it as a plain 8- or 16-bit PNG.",
        )


def _unfiltered(filters: Array, raw: Array) -> Array:
    """Undo the filters along anti-diagonals, whose pixels do not depend on each other.

    Args:
        filters: uint8 (rows,), 0 to 4.
        raw: uint8 (rows, columns, bytes of a pixel).
    """
    rows, columns, stride = raw.shape
    out = np.zeros((rows + 1, columns + 1, stride), np.int16)
    for diagonal in range(rows + columns - 1):
        y = np.arange(max(0, diagonal - columns + 1), min(rows, diagonal + 1))
        x = diagonal - y
        left, up, corner = out[y + 1, x], out[y, x + 1], out[y, x]
        kind = filters[y][:, None]
        guess = left + up - corner
        by_left, by_up, by_corner = abs(guess - left), abs(guess - up), abs(guess - corner)
        nearest = np.where(by_up <= by_corner, up, corner)
        paeth = np.where((by_left <= by_up) & (by_left <= by_corner), left, nearest)
        expected = np.choose(kind, [np.zeros_like(left), left, up, (left + up) >> 1, paeth])
        out[y + 1, x + 1] = (raw[y, x] + expected) & 255
    return np.ascontiguousarray(out[1:, 1:].astype(np.uint8))


def _bad(path: Path) -> StagewrightError:
    return StagewrightError(
        "bad-image",
        f"{path.name} is not a whole PNG image.",
        "Export it again as PNG.",
    )


def _unreadable(path: Path, error: OSError) -> StagewrightError:
    return StagewrightError(
        "no-file",
        f"The image {path} cannot be read: {error.strerror}.",
        "Check its path and its permissions.",
    )


def _too_large(path: Path) -> StagewrightError:
    return StagewrightError(
        "image-too-large",
        f"The image {path.name} is larger than can be read.",
        "Scale it down first.",
    )
