# SPDX-License-Identifier: GPL-3.0-or-later
"""Publish the file that is open in a background Blender.

    blender -b FILE.blend --python-exit-code 1 -P examples/publish_file.py -- --library DIR

The Stagewright extension is enabled in the preferences, or for this run alone
with ``--addons`` in front of ``-P``. What is set in the file's Stagewright tab
(collection, project, folder, task, product) holds; the .blend is saved
afterwards, so that it keeps the note of the version.
"""

import argparse
import sys

import bpy


def main() -> None:
    """Publish, and say which version it was."""
    arguments = sys.argv[sys.argv.index("--") + 1 :] if "--" in sys.argv else []
    parser = argparse.ArgumentParser(prog="publish_file.py")
    parser.add_argument("--library", default="", help="the library's folder")
    parser.add_argument("--force", action="store_true", help="publish though nothing changed")
    options = parser.parse_args(arguments)
    # An error of the publish is raised as a RuntimeError, with its cure.
    bpy.ops.stagewright.publish(library=options.library, force=options.force)
    scene = bpy.context.scene
    collection = scene.stagewright.collection or scene.collection
    print(f"Published {collection.stagewright.version}: {collection.stagewright.path}")
    bpy.ops.wm.save_mainfile()


main()
