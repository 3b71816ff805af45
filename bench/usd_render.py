# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures of scenes beside pictures of their USD files: ``python bench/usd_render.py [--json]``.

Run it by a Python that has the ``bpy`` module. Both pictures are by Cycles, under the same lights:
the scene as it is, and the file that the direct writer made of it, brought into an empty Blender by
its own importer.
"""

from __future__ import annotations

from rows import print_rows

if __name__ == "__main__":
    print_rows(__doc__, "usd_export_tasks", ("render",))
