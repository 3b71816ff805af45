# SPDX-License-Identifier: GPL-3.0-or-later
"""Which USD library this process runs on.

A process holds one ``pxr``: Blender's bundled one inside Blender, usd-core
elsewhere, and in a Blender that was built without USD. The two share the Python
name, and the order of ``sys.path`` decides which is imported, so a wrong one is
told at once.
"""

from __future__ import annotations

import sys

from ..jobs.errors import StagewrightError

try:
    from pxr import Sdf, Usd
except ModuleNotFoundError as error:
    raise StagewrightError(
        "no-usd",
        "There is no USD library in this Python.",
        f"Install it with “{sys.executable} -m pip install usd-core”, "
        "or use a Blender that was built with USD.",
    ) from error

_BLENDER_NAMESPACE = "pxrBlender_"


def pxr_version() -> str:
    """Version of the imported USD library, as OpenUSD counts (``"0.26.3"``)."""
    return ".".join(str(part) for part in Usd.GetVersion())


def is_blenders_pxr() -> bool:
    """Whether the imported ``pxr`` was built for Blender.

    Blender compiles its USD into a C++ namespace of its own, ``pxrBlender_…``,
    which shows in the signature that a refused call is told.
    """
    try:
        Sdf.Path.AppendChild(0, 0)
    except TypeError as error:
        return _BLENDER_NAMESPACE in str(error)
    return False


def require_pxr() -> None:
    """Make sure that the imported ``pxr`` belongs into this process.

    Raises:
        StagewrightError: ``foreign-pxr``, inside Blender with another USD
            library than Blender's own.
    """
    blender = sys.modules.get("bpy")
    if blender is not None and blender.app.build_options.usd and not is_blenders_pxr():
        raise StagewrightError(
            "foreign-pxr",
            f"Blender runs with a USD library that is not its own (pxr {pxr_version()}).",
            "Remove usd-core from Blender's Python, or from PYTHONPATH, and start Blender again.",
        )
