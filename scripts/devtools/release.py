# SPDX-License-Identifier: GPL-3.0-or-later
"""The release command: everything that is handed out, tried as it is handed out."""

from __future__ import annotations

import os
from collections.abc import Mapping

from .ayon_package import build_ayon_addon
from .environment import Version, missing_environments, say
from .packaging import DIST, build
from .site import docs
from .testing import test

# They install the zip in a Blender of its own, and load the addon as AYON unpacks it.
INSTALLING = ("tests/blender/test_install.py", "tests/blender/test_ayon_addon.py")


def release(pythons: Mapping[Version, str]) -> int:
    """Make the extension's zip, the AYON addon and the site, and install them; the exit code.

    The tests of installation run on the very files in dist/, in every Blender that has its
    Python here.
    """
    for make in (build, build_ayon_addon, docs):
        if code := make(pythons):
            return code
    say("Trying what was made …")
    os.environ["STAGEWRIGHT_DIST"] = str(DIST)
    code = test(INSTALLING, pythons)
    untried = missing_environments(pythons)
    if not code:
        print("Ready in dist/ and site/" + "".join(f"; not tried: {line}" for line in untried))
    return code
