# SPDX-License-Identifier: GPL-3.0-or-later
"""All that touches Blender."""


def register() -> None:
    """Register everything with Blender."""


def unregister() -> None:
    """Take back everything that :func:`register` added."""
