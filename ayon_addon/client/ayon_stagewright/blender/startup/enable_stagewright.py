# SPDX-License-Identifier: GPL-3.0-or-later
"""Enable Stagewright in the Blender that AYON has started."""

import os
import sys

_PACKAGE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "package")


def register():
    """Enable the add-on for this session, unless it is installed as an extension."""
    import addon_utils

    installed = [module.__name__ for module in addon_utils.modules(refresh=False)]
    enabled = [name for name in installed if addon_utils.check(name)[1]]
    if any(name.split(".")[-1] == "stagewright" for name in enabled):
        return
    folder = os.path.normpath(_PACKAGE)
    if folder not in sys.path:
        sys.path.append(folder)
    addon_utils.enable("stagewright", default_set=False)


def unregister():
    """Disable it again."""
    import addon_utils

    addon_utils.disable("stagewright", default_set=False)
