# SPDX-License-Identifier: GPL-3.0-or-later
"""Field tools beside their peers: ``python bench/fields.py [--json] [--quick] [--only TASK]``.

The tasks live in ``bench/field_tasks``: each is a function that takes ``quick`` and yields rows.
scikit-fmm, scipy and scikit-image are the dependency group ``bench``; OpenVDB and Blender's nodes
come with the ``bpy`` module. A peer that is not installed is told as absent.
"""

from __future__ import annotations

from rows import print_rows

if __name__ == "__main__":
    print_rows(__doc__, "field_tasks", ("geometry", "lattice", "quality"))
