# SPDX-License-Identifier: GPL-3.0-or-later
"""What AYON asks this addon for: its plugins and its hooks."""

import os

from ayon_core.addon import AYONAddon, IPluginPaths

from .version import __version__

ROOT = os.path.dirname(os.path.abspath(__file__))
PACKAGE = os.path.join(ROOT, "package")
"""The folder that the package ``stagewright`` is in."""


class StagewrightAddon(AYONAddon, IPluginPaths):
    """Stagewright in AYON."""

    name = "stagewright"
    title = "Stagewright"
    version = __version__

    def initialize(self, settings):
        """Nothing has to be prepared."""

    def get_plugin_paths(self):
        """All plugins are for publishing; see below."""
        return {}

    def get_publish_plugin_paths(self, host_name):
        """Folders of the plugins of a publish, for every host."""
        return [os.path.join(ROOT, "plugins", "publish")]

    def get_launch_hook_paths(self, app):
        """Folders of hooks that are run before a program starts."""
        return [os.path.join(ROOT, "hooks")] if app.host_name == "blender" else []
