# SPDX-License-Identifier: GPL-3.0-or-later
"""The addon's side on the AYON server: its settings."""

from typing import Type

from ayon_server.addons import BaseServerAddon

from .settings import DEFAULT_VALUES, StagewrightSettings


class StagewrightAddon(BaseServerAddon):
    """Stagewright on an AYON server."""

    settings_model: Type[StagewrightSettings] = StagewrightSettings

    async def get_default_settings(self):
        """The settings of a project that has changed none."""
        return self.get_settings_model()(**DEFAULT_VALUES)
