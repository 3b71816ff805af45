# SPDX-License-Identifier: GPL-3.0-or-later
"""``stagewright publish`` in a Blender that has the extension, for render farms.

    blender -b -P scripts/publish.py -- FILE.blend --library DIR --json
    blender -b FILE.blend -P scripts/publish.py -- --server --project show
    blender -b -P scripts/publish.py -- --from list.csv --library DIR

Everything after ``--`` is as for ``stagewright publish``; without a FILE, the one that is
open is published as it was saved. Exit codes are those of the command: 0 done, 1 failed,
2 the command line or the list is wrong, 130 cancelled.
"""

import importlib
import os
import sys

import addon_utils
import bpy


def extension() -> str:
    """Name of the extension's module, which is enabled if it is not."""
    names = [module.__name__ for module in addon_utils.modules(refresh=False)]
    found = [name for name in names if name.rpartition(".")[2] == "stagewright"]
    name = next(iter(found), "stagewright")
    if not addon_utils.check(name)[1]:
        addon_utils.enable(name)
    return name


def main() -> int:
    """Publish; returns the exit code."""
    words = sys.argv[sys.argv.index("--") + 1 :] if "--" in sys.argv else []
    names_a_file = any(word.endswith(".blend") or word.startswith("--from") for word in words)
    if bpy.data.filepath and not names_a_file:
        words = [bpy.data.filepath, *words]
    if not bpy.app.module:
        # For the Blenders that a list starts: the same one.
        os.environ.setdefault("BLENDER_EXECUTABLE", bpy.app.binary_path)
    run = importlib.import_module(f"{extension()}.addon.cli").execute
    return int(run(["publish", *words]))


sys.exit(main())
