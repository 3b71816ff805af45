# SPDX-License-Identifier: GPL-3.0-or-later
"""Remeshing beside Blender's Voxel Remesh: ``python bench/fields_blender.py [--json]``.

Run it by a Python that has the ``bpy`` module. Both remesh the same evaluated mesh with voxels of
one size. Surfaces are sampled and compared with each other both ways; edges are those of the
original that turn by more than 30 degrees, sampled, and their distance to the new surface is taken.
"""

from __future__ import annotations

from rows import print_rows

if __name__ == "__main__":
    print_rows(__doc__, "blender_tasks", ("remesh",))
