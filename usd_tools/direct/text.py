# SPDX-License-Identifier: GPL-3.0-or-later
"""Values as usda text, which USD's own parser reads exactly as they were."""

from __future__ import annotations

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
            for array types a tuple of strings, or an array with one axis more.
        type_name: ``"float3"``, ``"token[]"``.
    """
    if type_name in ("token", "string"):
        return quoted(value)
    if type_name == "asset":
        return f"@@@{value}@@@" if "@" in value else f"@{value}@"
    if type_name in ("token[]", "string[]"):
        return f"[{', '.join(map(quoted, value))}]"
    if isinstance(value, np.ndarray):
        items = (value.astype(np.int8) if value.dtype == np.bool_ else value).tolist()
        if value.ndim > 1:
            items = [tuple(item) for item in items]
        return repr(items if type_name.endswith("[]") else tuple(items))
    # Python's shortest text gives the same double again, and so the same float.
    return repr(int(value) if isinstance(value, bool) else value)
