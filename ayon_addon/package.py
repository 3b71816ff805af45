# SPDX-License-Identifier: GPL-3.0-or-later
"""What an AYON server reads of this addon."""

name = "stagewright"
title = "Stagewright"
version = "0.1.0"
client_dir = "ayon_stagewright"
project_can_override_addon_version = True

ayon_server_version = ">=1.16.0"
ayon_required_addons = {"core": ">=1.8.0"}
ayon_compatible_addons = {"applications": ">=1.0.0", "blender": ">=1.1.0"}
