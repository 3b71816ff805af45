# SPDX-License-Identifier: GPL-3.0-or-later
"""The USD exporter beside Blender's own: ``python bench/usd_export.py [--json] [--only TASK]``.

Run it by a Python that has the ``bpy`` module. Both sides export the same scene, each in a process
of its own, and what they wrote is compared on flattened values before a time is told.
"""

from __future__ import annotations

from rows import print_rows

if __name__ == "__main__":
    print_rows(__doc__, "usd_export_tasks", ("export",))
