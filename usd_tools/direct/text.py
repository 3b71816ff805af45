# SPDX-License-Identifier: GPL-3.0-or-later
"""Single values as usda text, which USD's own parser reads exactly as they were."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

_ESCAPES = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n", "\r": r"\r", "\t": r"\t"})


def quoted(text: str) -> str:
    """A string or token."""
    return f'"{text.translate(_ESCAPES)}"'


def value_text(value: Any, type_name: str) -> str:
    """A value of the Sdf value type ``type_name``.

    Args:
        value: a bool, number or string; a tuple for vectors and quaternions
            (w, x, y, z); an array of one of their shapes, (4, 4) for matrices;
            a tuple of strings for token[] and string[].
        type_name: ``"float3"``; an array type other than token[] and string[]
            is no single value.
    """
    if type_name in ("token", "string"):
        return quoted(value)
    if type_name == "asset":
        return f"@@@{value}@@@" if "@" in value else f"@{value}@"
    if type_name in ("token[]", "string[]"):
        return f"[{', '.join(map(quoted, value))}]"
    if isinstance(value, np.ndarray):
        value = value.tolist()
    return _number(value) if not isinstance(value, list | tuple) else _group(value)


def _group(values: Iterable[Any]) -> str:
    return (
        f"({', '.join(_group(v) if isinstance(v, list | tuple) else _number(v) for v in values)})"
    )


def _number(value: Any) -> str:
    # The shortest text that gives the same double, and so the same float.
    return repr(float(value)) if isinstance(value, float) else str(int(value))
