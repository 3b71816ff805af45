# SPDX-License-Identifier: GPL-3.0-or-later
# mypy: disable-error-code="valid-type"
"""The inspector's lists, what is chosen in them, and what the artist can do there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import bpy
from bpy.app.handlers import persistent
from bpy.props import (
    BoolProperty,
    CollectionProperty,
    FloatProperty,
    IntProperty,
    PointerProperty,
    StringProperty,
)
from bpy_extras.io_utils import ImportHelper

from ...jobs.errors import StagewrightError
from . import looking
from .lists import STAGEWRIGHT_PG_line, resize

if TYPE_CHECKING:  # USD takes half a second
    from ...usd_tools.inspect.session import Session


def _tell(label: str, work: Callable[[Session], object]) -> None:
    """Ask the stage from a property's update, which can raise nothing."""
    try:
        looking.ask(label, work)
    except StagewrightError as error:
        looking.note(error)


def _search(self: STAGEWRIGHT_PG_inspector, context: bpy.types.Context) -> None:
    query = self.query
    _tell("Search", lambda now: now.outline.find(query))


def _choose(self: STAGEWRIGHT_PG_inspector, context: bpy.types.Context) -> None:
    now, path = looking.session(), self.chosen()
    if now is not None and path and (now.details is None or now.details.path != path):
        _tell("Read the prim", lambda now: now.look_at(path))


def _set_time(self: STAGEWRIGHT_PG_inspector, context: bpy.types.Context) -> None:
    time = self.time if self.use_time else None
    _tell("Read values", lambda now: now.set_time(time))


class STAGEWRIGHT_PG_inspector(bpy.types.PropertyGroup):
    """What is shown of the USD file that is looked at."""

    query: StringProperty(
        name="Search",
        description="A part of the name or a pattern (m*sh), type:Mesh, path:/a/**, "
        "kind:component, in:LAYER, is:instance, payload, variants, reference, inactive, abstract",
        update=_search,
    )
    lines: CollectionProperty(type=STAGEWRIGHT_PG_line)
    line: IntProperty(name="Prim", description="Prim shown below", default=-1, update=_choose)
    properties: CollectionProperty(type=STAGEWRIGHT_PG_line)
    property: IntProperty(name="Property", description="Property shown in full below")
    layers: CollectionProperty(type=STAGEWRIGHT_PG_line)
    layer: IntProperty(name="Layer")
    files: CollectionProperty(type=STAGEWRIGHT_PG_line)
    file: IntProperty(name="File")
    use_time: BoolProperty(
        name="At Time",
        description="Show values at a time code, not at the earliest one",
        update=_set_time,
    )
    time: FloatProperty(
        name="Time", description="Time code of the values", step=100, update=_set_time
    )

    def chosen(self) -> str:
        """Path of the prim in the chosen line, or ""."""
        now = looking.session()
        if now is None or not 0 <= self.line < len(now.outline.lines):
            return ""
        return now.outline.lines[self.line].row.path

    def fit(self, now: Session | None) -> None:
        """Let the lists be as long as what they show, and choose what is shown below."""
        details = now.details if now else None
        resize(self.lines, len(now.outline.lines) if now else 0)
        resize(self.layers, len(now.layers) if now else 0)
        resize(self.files, len(looking.files()))
        resize(self.properties, len(details.properties) if details else 0)
        self.line = now.outline.index(details.path) if now and details else -1


class Asking:
    """What the operators on the open file have in common."""

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Whether a file is open, and nothing is asked of it at the moment."""
        why = "No USD file is open" if looking.session() is None else looking.busy()
        if why:
            cls.poll_message_set(why)  # type: ignore[attr-defined]
        return not why

    def ask(
        self, label: str, work: Callable[[Session], object], *, reads: bool = False, load: str = ""
    ) -> set[str]:
        """Ask the stage, as ``looking.ask``; an error that comes at once is reported."""
        try:
            looking.ask(label, work, reads=reads, load=load)
        except StagewrightError as error:
            self.report({"ERROR"}, str(error))  # type: ignore[attr-defined]
            return {"CANCELLED"}
        return {"FINISHED"}


class STAGEWRIGHT_OT_inspect_usd(bpy.types.Operator, ImportHelper):
    """Look into a USD file; nothing is imported, and the file is not changed"""

    bl_idname = "stagewright.inspect_usd"
    bl_label = "Inspect USD File"
    bl_options = {"REGISTER"}

    if TYPE_CHECKING:
        filepath: str  # a property of ImportHelper

    filter_glob: StringProperty(default="*.usd;*.usda;*.usdc;*.usdz", options={"HIDDEN"})
    load: BoolProperty(
        name="Load Payloads", description="Read the payloads, too; each can be loaded later",
        default=True,
    )  # fmt: skip

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Whether there is a USD library, and no other file is being opened."""
        why = looking.missing_library() or looking.busy()
        if why:
            cls.poll_message_set(why)
        return not why

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Open the file."""
        try:
            looking.open_file(Path(bpy.path.abspath(self.filepath)).absolute(), load=self.load)
        except StagewrightError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        return {"FINISHED"}


class STAGEWRIGHT_OT_reload_usd(Asking, bpy.types.Operator):
    """Read the files again that have changed on disk; variants, payloads and muting stay"""

    bl_idname = "stagewright.reload_usd"
    bl_label = "Reload USD File"
    bl_options = {"INTERNAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Reload."""
        try:
            looking.reload()
        except StagewrightError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        return {"FINISHED"}


class STAGEWRIGHT_OT_close_usd(Asking, bpy.types.Operator):
    """Close the USD file; what was chosen in it is forgotten"""

    bl_idname = "stagewright.close_usd"
    bl_label = "Close USD File"
    bl_options = {"INTERNAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Close it."""
        looking.close()
        return {"FINISHED"}


class STAGEWRIGHT_OT_toggle_prim(Asking, bpy.types.Operator):
    """Show or hide the prims below"""

    bl_idname = "stagewright.toggle_prim"
    bl_label = "Open or Close Prim"
    bl_options = {"INTERNAL"}

    index: IntProperty(name="Line", options={"SKIP_SAVE", "HIDDEN"})

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Open or close the line."""
        index = self.index
        return self.ask("Open prim", lambda now: now.outline.toggle(index))


class STAGEWRIGHT_OT_reveal_prim(Asking, bpy.types.Operator):
    """Show this prim in the tree"""

    bl_idname = "stagewright.reveal_prim"
    bl_label = "Show Prim in Tree"
    bl_options = {"INTERNAL"}

    path: StringProperty(name="Path", options={"SKIP_SAVE", "HIDDEN"})

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Leave the search and open what is above the prim."""
        path = self.path
        result = self.ask("Show prim", lambda now: now.reveal(path))
        context.window_manager.stagewright_usd.query = ""
        return result


class STAGEWRIGHT_OT_select_usd_variant(Asking, bpy.types.Operator):
    """Select a variant for this look alone; the file stays as it is"""

    bl_idname = "stagewright.select_usd_variant"
    bl_label = "Select Variant"
    bl_options = {"INTERNAL"}

    path: StringProperty(name="Prim", options={"SKIP_SAVE", "HIDDEN"})
    variant_set: StringProperty(name="Variant Set", options={"SKIP_SAVE", "HIDDEN"})
    variant: StringProperty(
        name="Variant", description="Empty for what the files say", options={"HIDDEN", "SKIP_SAVE"}
    )

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Select it in the session layer."""
        chosen = self.path, self.variant_set, self.variant
        return self.ask("Select variant", lambda now: now.select_variant(*chosen))


class STAGEWRIGHT_OT_choose_usd_variant(Asking, bpy.types.Operator):
    """Choose among the variants"""

    bl_idname = "stagewright.choose_usd_variant"
    bl_label = "Choose Variant"
    bl_options = {"INTERNAL"}

    index: IntProperty(name="Variant Set", options={"SKIP_SAVE", "HIDDEN"})

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Show them as a menu."""
        now = looking.session()
        details = now.details if now else None
        if details is None or self.index >= len(details.variants):
            return {"CANCELLED"}
        choice = details.variants[self.index]

        def draw(menu: bpy.types.Menu, context: bpy.types.Context) -> None:
            for name in (*choice.names, ""):
                icon = "CHECKMARK" if name == choice.selected else "BLANK1"
                text = name or "As the Files Say"
                if not name:
                    menu.layout.separator()
                button = menu.layout.operator(
                    "stagewright.select_usd_variant", text=text, icon=icon, translate=not name
                )
                button.path, button.variant_set, button.variant = details.path, choice.name, name

        context.window_manager.popup_menu(draw, title=choice.name)
        return {"FINISHED"}


class STAGEWRIGHT_OT_load_payload(Asking, bpy.types.Operator):
    """Load or unload the payloads of this prim and all below it, for this look alone"""

    bl_idname = "stagewright.load_payload"
    bl_label = "Load or Unload Payload"
    bl_options = {"INTERNAL"}

    path: StringProperty(name="Prim", options={"SKIP_SAVE", "HIDDEN"})
    load: BoolProperty(name="Load", options={"SKIP_SAVE", "HIDDEN"})

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Load or unload it."""
        path, load = self.path, self.load
        label = "Load payload" if load else "Unload payload"
        return self.ask(
            label, lambda now: now.set_loaded(path, load), reads=load, load=path if load else ""
        )


class STAGEWRIGHT_OT_mute_layer(Asking, bpy.types.Operator):
    """Leave the layer out, or take it in again, for this look alone"""

    bl_idname = "stagewright.mute_layer"
    bl_label = "Mute Layer"
    bl_options = {"INTERNAL"}

    index: IntProperty(name="Layer", options={"SKIP_SAVE", "HIDDEN"})

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Mute or unmute it."""
        index = self.index

        def work(now: Session) -> None:
            row = now.layers[index]
            now.set_muted(row.identifier, not row.muted)

        return self.ask("Mute layer", work)


class STAGEWRIGHT_OT_count_usd(Asking, bpy.types.Operator):
    """Count what the file shows, and look for every file that it needs"""

    bl_idname = "stagewright.count_usd"
    bl_label = "Count and Find Files"
    bl_options = {"INTERNAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Do both in a process of its own."""
        try:
            looking.count()
        except StagewrightError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        return {"FINISHED"}


@persistent  # type: ignore[untyped-decorator]
def _after_load(path: str) -> None:
    """The file that is looked at does not depend on the .blend; its lists are of the new one."""
    bpy.context.window_manager.stagewright_usd.fit(looking.session())


_CLASSES = (
    STAGEWRIGHT_PG_inspector,
    STAGEWRIGHT_OT_inspect_usd,
    STAGEWRIGHT_OT_reload_usd,
    STAGEWRIGHT_OT_close_usd,
    STAGEWRIGHT_OT_toggle_prim,
    STAGEWRIGHT_OT_reveal_prim,
    STAGEWRIGHT_OT_select_usd_variant,
    STAGEWRIGHT_OT_choose_usd_variant,
    STAGEWRIGHT_OT_load_payload,
    STAGEWRIGHT_OT_mute_layer,
    STAGEWRIGHT_OT_count_usd,
)


def register() -> None:
    """Add the properties and operators."""
    for cls in _CLASSES:
        bpy.utils.register_class(cls)
    bpy.types.WindowManager.stagewright_usd = PointerProperty(type=STAGEWRIGHT_PG_inspector)
    bpy.app.handlers.load_post.append(_after_load)


def unregister() -> None:
    """Take them away."""
    bpy.app.handlers.load_post.remove(_after_load)
    del bpy.types.WindowManager.stagewright_usd
    for cls in reversed(_CLASSES):
        bpy.utils.unregister_class(cls)
