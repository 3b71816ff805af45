# SPDX-License-Identifier: GPL-3.0-or-later
# mypy: disable-error-code="valid-type"
"""What belongs to the machine and its user, not to a file."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import bpy
from bpy.props import StringProperty

from ..jobs.errors import StagewrightError
from ..pipeline import settings

PACKAGE = __package__.rpartition(".addon")[0]


class STAGEWRIGHT_AP_preferences(bpy.types.AddonPreferences):
    """The add-on's preferences."""

    bl_idname = PACKAGE

    library: StringProperty(
        name="Library",
        description="Folder that published versions go to; empty for one in your user data",
        subtype="DIR_PATH",
    )
    project: StringProperty(
        name="Project",
        description="AYON project of scenes that name none",
        default=settings.PROJECT,
    )
    project_code: StringProperty(
        name="Project Code",
        description="Code that the project gets if it is new; made from its name if empty",
    )

    def draw(self, context: bpy.types.Context) -> None:
        """Draw the preferences."""
        layout = self.layout
        layout.use_property_split = True
        layout.prop(self, "library", placeholder=_drawn["library"])
        layout.prop(self, "project")
        layout.prop(self, "project_code")
        row = layout.row()
        row.active = False
        row.label(text=f"Versions are published as {_drawn['author']}")


# Both may look at the disk, so they are found once, for draw() to show.
_drawn = {"library": "", "author": ""}


def current() -> bpy.types.AddonPreferences | None:
    """The preferences, or None where the add-on was enabled without an entry there."""
    entry = bpy.context.preferences.addons.get(PACKAGE)
    return entry.preferences if entry else None


def library_path() -> Path:
    """The library's folder."""
    preferences = current()
    if preferences is None or not preferences.library:
        return settings.default_library()
    return Path(bpy.path.abspath(preferences.library))


def default_library_text() -> str:
    """The folder of the library where none is chosen, for draw()."""
    return _drawn["library"]


def project() -> tuple[str, str]:
    """Name and code (or "") of the project of scenes that name none."""
    preferences = current()
    if preferences is None:
        return settings.PROJECT, ""
    return preferences.project, preferences.project_code


def register() -> None:
    """Add the preferences."""
    _drawn["author"] = settings.user_name()
    with suppress(StagewrightError):  # told when a publish asks for the library
        _drawn["library"] = str(settings.default_library())
    bpy.utils.register_class(STAGEWRIGHT_AP_preferences)


def unregister() -> None:
    """Take the preferences away."""
    bpy.utils.unregister_class(STAGEWRIGHT_AP_preferences)
