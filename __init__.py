# SPDX-License-Identifier: GPL-3.0-or-later
"""Stagewright: from a Blender scene to a checked, published USD asset.

The repository root is the package ``stagewright``. Importing it needs no
``bpy``: Blender calls :func:`register`, which imports the add-on inside.
"""

__version__ = "0.1.0"


def register() -> None:
    """Register the add-on with Blender."""
    from . import addon

    addon.register()


def unregister() -> None:
    """Take back everything :func:`register` added."""
    from . import addon

    addon.unregister()
