# SPDX-License-Identifier: GPL-3.0-or-later
"""Textures from words, measured: ``python bench/textures.py [--json] [--quick] [--only TASK]``.

The tasks live in ``bench/texture_tasks``; the values are those a user would ask for: how many
prompts are understood, how long a set takes, and how different the families are.
"""

from __future__ import annotations

from rows import print_rows

if __name__ == "__main__":
    print_rows(__doc__, "texture_tasks", ("words", "speed", "variety", "tiling", "maps"))
