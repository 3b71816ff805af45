# SPDX-License-Identifier: GPL-3.0-or-later
"""Give AYON's Blender this extension."""

import os

from ayon_applications import LaunchTypes, PreLaunchHook
from ayon_stagewright.addon import ROOT

SCRIPTS = "BLENDER_SYSTEM_SCRIPTS"


class AddStagewright(PreLaunchHook):
    """Let Blender find the script that enables Stagewright as it starts."""

    app_groups = {"blender"}
    launch_types = {
        LaunchTypes.local,
        LaunchTypes.farm_render,
        LaunchTypes.farm_publish,
        LaunchTypes.remote,
        LaunchTypes.automated,
    }

    def execute(self):
        """Add a folder of scripts; whatever else is in the variable stays."""
        settings = self.data["project_settings"].get("stagewright", {})
        if not settings.get("hooks", {}).get("enabled", True):
            return
        environment = self.launch_context.env
        folders = [each for each in environment.get(SCRIPTS, "").split(os.pathsep) if each]
        ours = os.path.join(ROOT, "blender")
        if ours not in folders:
            environment[SCRIPTS] = os.pathsep.join(folders + [ours])
        for folder in environment.get("PYTHONPATH", "").split(os.pathsep):
            if folder and os.path.isdir(os.path.join(folder, "pxr")):
                self.log.warning(
                    "%s holds a USD library that is not Blender's own. Stagewright refuses to run "
                    "with it: take usd-core out of what AYON gives to Blender.",
                    folder,
                )
