# SPDX-License-Identifier: GPL-3.0-or-later
"""Text and JSON that come from outside: of bounded size and depth, or a plain error."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from .errors import StagewrightError
from .files import reason, require_file

MAX_TEXT = 64 << 20
"""Bytes of the largest text that is read."""


def parse_json(text: str | bytes) -> Any:
    """The value of a JSON text.

    Raises:
        ValueError: it is none, or nested too deep for Python to read.
    """
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deep") from None


def read_text(path: Path) -> str:
    """The text in a file, UTF-8.

    Raises:
        OSError: it cannot be read.
        ValueError: it is larger than ``MAX_TEXT``, or no UTF-8.
    """
    with path.open("rb") as stream:
        content = stream.read(MAX_TEXT + 1)
    if len(content) > MAX_TEXT:
        raise ValueError(f"it is larger than {MAX_TEXT >> 20} MiB")
    return content.decode("utf-8")


def read_json(path: Path) -> Any:
    """The value of a JSON file; raises as :func:`read_text` and :func:`parse_json`."""
    return parse_json(read_text(path))


def require_text(path: Path) -> str:
    """The text in a file that a person named.

    Raises:
        StagewrightError: ``no-file``: it is not there, or :func:`read_text` cannot read it.
    """
    require_file(path)
    try:
        return read_text(path)
    except (OSError, ValueError) as error:
        raise StagewrightError(
            "no-file", f"{path.name} cannot be read: {reason(error)}.", "Give a file of text."
        ) from None
