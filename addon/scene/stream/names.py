# SPDX-License-Identifier: GPL-3.0-or-later
"""Names and paths of prims."""

from __future__ import annotations

from collections.abc import Collection


def usd_name(name: str, taken: Collection[str] = ()) -> str:
    """``name`` as a name of a prim or property, numbered when ``taken`` holds it.

    Letters of all scripts are allowed, as Unicode's identifiers have them.
    """
    fitting = name
    if not fitting.isidentifier():
        fitting = "".join(c if f"a{c}".isidentifier() else "_" for c in name)
        if not fitting.isidentifier():  # empty, or begins with a digit
            fitting = f"_{fitting}"
    unique, number = fitting, 1
    while unique in taken:
        unique, number = f"{fitting}_{number}", number + 1
    return unique
