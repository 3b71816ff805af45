# SPDX-License-Identifier: GPL-3.0-or-later
"""``blender --command stagewright …``: the pipeline's command line inside Blender."""

from __future__ import annotations

from typing import Any

import bpy

_handle: Any = None


def execute(arguments: list[str]) -> int:
    """Run ``stagewright ARGUMENTS``; returns the exit code."""
    # Imported here: registering the add-on must stay fast.
    from ..pipeline.cli import main
    from .scene.host import BlenderHost

    bpy.utils.expose_bundled_modules()
    return main(arguments, BlenderHost())


def register() -> None:
    """Add the command to Blender."""
    global _handle
    _handle = bpy.utils.register_cli_command("stagewright", execute)


def unregister() -> None:
    """Take the command away."""
    global _handle
    bpy.utils.unregister_cli_command(_handle)
    _handle = None
