# SPDX-License-Identifier: GPL-3.0-or-later
"""All that touches Blender."""

from __future__ import annotations

from . import beside, cli, jobs_ui, menus, preferences, properties, pump
from .ayon import asking, assets, browser, publish, server, sync, workfiles
from .fields import baking as field_baking
from .fields import live as field_live
from .fields import operators as field_operators
from .fields import panels as field_panels
from .fields import presets as field_presets
from .fields import settings as field_settings
from .fields import showing as field_showing
from .textures import changing as texture_changing
from .textures import history_ui as texture_history
from .textures import lab as texture_lab
from .textures import panel as texture_panel
from .textures import photo as texture_photo
from .textures import pictures as texture_pictures
from .textures import publish as texture_publish
from .textures import settings as texture_settings
from .usd import (
    bring_in,
    checking,
    checks,
    compare,
    compare_renders,
    export,
    inspector,
    inspector_panels,
    lists,
    look,
    looking,
    losses,
    mtlx,
    package,
    preview,
    repair,
    schemas,
    text_view,
    variants,
)

# Each has register() and unregister(); later ones build on earlier ones.
_PARTS = (
    preferences,
    properties,
    beside,
    pump,
    server,
    sync,
    losses,
    export,
    variants,
    publish,
    asking,
    browser,
    assets,
    workfiles,
    checks,
    looking,
    lists,
    inspector,
    inspector_panels,
    preview,
    checking,
    repair,
    compare,
    compare_renders,
    package,
    text_view,
    look,
    bring_in,
    mtlx,
    schemas,
    field_settings,
    field_operators,
    field_live,
    field_baking,
    field_showing,
    field_presets,
    field_panels,
    texture_lab,
    texture_pictures,
    texture_settings,
    texture_photo,
    texture_publish,
    texture_panel,
    texture_changing,
    texture_history,
    jobs_ui,
    menus,
    cli,
)


def register() -> None:
    """Add everything to Blender."""
    for part in _PARTS:
        part.register()


def unregister() -> None:
    """Take back everything that :func:`register` added, in reverse order."""
    for part in reversed(_PARTS):
        part.unregister()
