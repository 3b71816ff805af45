# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings of the addon, as AYON's pages show them and its publish reads them."""

from typing import List

from ayon_server.settings import BaseSettingsModel, SettingsField


class ValidateUSDModel(BaseSettingsModel):
    """The check of any host's USD files."""

    enabled: bool = SettingsField(True, title="Enabled")
    optional: bool = SettingsField(True, title="Optional")
    active: bool = SettingsField(True, title="Active")
    families: List[str] = SettingsField(default_factory=list, title="Families")
    profile: str = SettingsField("shot", title="Profile")
    allow: List[str] = SettingsField(default_factory=list, title="Checks whose errors may pass")
    python: str = SettingsField("", title="Python 3.11 or newer with usd-core and numpy")


class ExtractUSDAssetModel(BaseSettingsModel):
    """The export of Blender scenes by Stagewright instead of Blender's exporter."""

    enabled: bool = SettingsField(True, title="Enabled")
    optional: bool = SettingsField(True, title="Optional")
    active: bool = SettingsField(True, title="Active")
    families: List[str] = SettingsField(default_factory=list, title="Families")
    allow: List[str] = SettingsField(default_factory=list, title="Checks whose errors may pass")
    bake: int = SettingsField(0, ge=0, le=16384, title="Width of baked images; 0 bakes none")


class PublishModel(BaseSettingsModel):
    """The plugins of a publish."""

    ValidateUSD: ValidateUSDModel = SettingsField(
        default_factory=ValidateUSDModel, title="Validate USD"
    )
    ExtractUSDAsset: ExtractUSDAssetModel = SettingsField(
        default_factory=ExtractUSDAssetModel, title="Extract USD Asset"
    )


class HooksModel(BaseSettingsModel):
    """What is done before a program starts."""

    enabled: bool = SettingsField(True, title="Give AYON's Blender this extension")


class StagewrightSettings(BaseSettingsModel):
    """All settings."""

    hooks: HooksModel = SettingsField(default_factory=HooksModel, title="Hooks")
    publish: PublishModel = SettingsField(default_factory=PublishModel, title="Publish")


DEFAULT_VALUES = {
    "publish": {
        "ValidateUSD": {"families": ["usd"]},
        "ExtractUSDAsset": {"families": ["usd"]},
    },
}
