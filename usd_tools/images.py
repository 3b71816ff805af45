# SPDX-License-Identifier: GPL-3.0-or-later
"""Resolution of image files, read from their headers alone."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import BinaryIO

# JPEG markers of a frame header (ITU-T T.81, table B.1): SOF0 to SOF15 without
# the three of them that are DHT, JPG and DAC.
_JPEG_FRAMES = set(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


def image_size(file: Path) -> tuple[int, int] | None:
    """Width and height in pixels of a PNG, JPEG or OpenEXR file; None for others."""
    try:
        with file.open("rb") as stream:
            head = stream.read(8)
            if head == b"\x89PNG\r\n\x1a\n":
                stream.read(8)  # length and name of the first chunk, IHDR
                return _pair(stream.read(8), ">II")
            if head[:2] == b"\xff\xd8":
                stream.seek(2)
                return _jpeg_size(stream)
            if head[:4] == b"\x76\x2f\x31\x01":
                return _exr_size(stream)
    except (OSError, struct.error, ValueError):
        return None  # a damaged image has no resolution to tell
    return None


def _pair(data: bytes, layout: str) -> tuple[int, int]:
    first, second = struct.unpack(layout, data)
    return first, second


def _jpeg_size(stream: BinaryIO) -> tuple[int, int] | None:
    while stream.read(1) == b"\xff":
        (marker,) = struct.unpack("B", stream.read(1))
        if marker == 0xFF:  # fill bytes may precede a marker
            stream.seek(-1, 1)
            continue
        (length,) = struct.unpack(">H", stream.read(2))
        if marker in _JPEG_FRAMES:
            stream.read(1)  # sample precision
            height, width = _pair(stream.read(4), ">HH")
            return width, height
        stream.seek(length - 2, 1)
    return None


def _exr_size(stream: BinaryIO) -> tuple[int, int] | None:
    """From the attribute ``dataWindow`` of the first part's header."""
    while name := _exr_text(stream):
        _exr_text(stream)  # type
        (size,) = struct.unpack("<I", stream.read(4))
        if name == b"dataWindow":
            left, top, right, bottom = struct.unpack("<iiii", stream.read(16))
            return right - left + 1, bottom - top + 1
        stream.seek(size, 1)
    return None


def _exr_text(stream: BinaryIO) -> bytes:
    text = b""
    while (byte := stream.read(1)) not in (b"", b"\0"):
        text += byte
        if len(text) > 255:
            raise ValueError("no OpenEXR header")
    return text
