# SPDX-License-Identifier: GPL-3.0-or-later
# mypy: disable-error-code="valid-type"
"""USD schemas without code: which there are, and others added."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import bpy
from bpy.props import BoolProperty, StringProperty
from bpy_extras.io_utils import ImportHelper

from ...jobs.errors import StagewrightError
from ...usd_tools.schemas import OWN
from ..drawing import SidebarPanel, draw_text
from .looking import load_library


class _Shown:
    """The schemas that the panel draws."""

    rows: tuple[Any, ...] = ()


def _problem() -> str:
    return "" if bpy.app.build_options.usd else "This Blender was built without USD"


def _list() -> None:
    load_library()
    from ...usd_tools.schema_plugins import register as register_plugin
    from ...usd_tools.schema_plugins import registered

    register_plugin(OWN)
    _Shown.rows = registered()


class _Schemas:
    """What the operators have in common."""

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Whether this Blender has USD."""
        why = _problem()
        if why:
            cls.poll_message_set(why)  # type: ignore[attr-defined]
        return not why


class STAGEWRIGHT_OT_list_schemas(_Schemas, bpy.types.Operator):
    """List the schemas without code that USD knows in this Blender"""

    bl_idname = "stagewright.list_schemas"
    bl_label = "List Schemas"
    bl_options = {"INTERNAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """List them."""
        try:
            _list()
        except StagewrightError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        return {"FINISHED"}


class STAGEWRIGHT_OT_add_schema(_Schemas, bpy.types.Operator, ImportHelper):
    """Add the schemas of a plugInfo.json, or make a plugin of a schema.usda beside it first"""

    bl_idname = "stagewright.add_schema"
    bl_label = "Add Schema"
    bl_options = {"REGISTER"}

    if TYPE_CHECKING:
        filepath: str  # a property of ImportHelper

    filter_glob: StringProperty(default="plugInfo.json;*.usda", options={"HIDDEN"})
    overwrite: BoolProperty(
        name="Replace", description="Make the plugin again where there is one", default=False
    )

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Make the plugin if need be, and register it."""
        path = Path(bpy.path.abspath(self.filepath)).absolute()
        try:
            load_library()
            from ...usd_tools.schema_plugins import register as register_plugin

            folder = path.parent if path.suffix == ".json" else self._made(path)
            late = [row.name for row in register_plugin(folder) if not row.ready]
            _list()
        except StagewrightError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        if late:
            told = f"Set PXR_PLUGINPATH_NAME to {folder}/ and restart Blender to use them"
            self.report({"WARNING"}, f"{', '.join(late)}: USD is at work already. {told}")
        else:
            self.report({"INFO"}, f"Added the schemas in {folder}, until Blender ends")
        return {"FINISHED"}

    def _made(self, source: Path) -> Path:
        from ...usd_tools.schema import generate

        folder = source.with_name(f"{source.stem}_plugin")
        if folder.exists() and not self.overwrite:
            raise StagewrightError(
                "exists",
                f"There is a folder {folder} already.",
                "Add its plugInfo.json, or tick Replace.",
            )
        return generate(source, folder).folder


class STAGEWRIGHT_PT_schemas(SidebarPanel, bpy.types.Panel):
    """USD schemas without code"""

    bl_label = "USD Schemas"
    bl_options = {"DEFAULT_CLOSED"}
    bl_order = 10

    def draw(self, context: bpy.types.Context) -> None:
        """Draw the schemas, and whether stages know them."""
        layout = self.layout
        row = layout.row(align=True)
        row.operator("stagewright.list_schemas", text="List", icon="FILE_REFRESH")
        row.operator("stagewright.add_schema", text="Add…", icon="ADD")
        for schema in _Shown.rows:
            state = "" if schema.ready else ": restart to use"
            icon = "CHECKMARK" if schema.ready else "ERROR"
            draw_text(layout, context, f"{schema.name}{state}", icon)


_CLASSES = (STAGEWRIGHT_OT_list_schemas, STAGEWRIGHT_OT_add_schema, STAGEWRIGHT_PT_schemas)


def register() -> None:
    """Add the panel and its operators; let Blender's USD know Stagewright's schemas."""
    for cls in _CLASSES:
        bpy.utils.register_class(cls)
    # USD looks once, at its first stage. In the bpy module its folder is not on the path yet.
    if bpy.app.build_options.usd and not bpy.app.module:
        from pxr import Plug

        Plug.Registry().RegisterPlugins(f"{OWN}/")


def unregister() -> None:
    """Take the panel away; USD lets no plugin go, which does no harm."""
    _Shown.rows = ()
    for cls in reversed(_CLASSES):
        bpy.utils.unregister_class(cls)
