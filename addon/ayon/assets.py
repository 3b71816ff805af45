# SPDX-License-Identifier: GPL-3.0-or-later
# mypy: disable-error-code="valid-type"
"""Published versions in the scene: added, out of date or not, updated, rolled back.

An added USD asset is an empty that instances a collection with the version's content.
Exported, it is a reference to the version, whatever is in the collection.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import bpy
from bpy.props import BoolProperty, EnumProperty, StringProperty

from ...jobs.errors import StagewrightError
from ...jobs.events import Job, Message
from ...pipeline.published import PublishedVersion
from ...pipeline.summaries import count
from .. import pump
from ..drawing import SidebarPanel, draw_problem, draw_task, draw_text
from . import asking, browser, loading
from .loaded import Loaded, loaded

KIND = "add-asset"
COMPARING = "compare-assets"

# All versions of the products in this file, newest first, by the id of each of them.
_versions: dict[str, list[PublishedVersion]] = {}

# Blender keeps no reference to the strings of an enumeration's items.
_items: list[tuple[str, str, str]] = []


def _list_items(
    self: bpy.types.Operator, context: bpy.types.Context | None
) -> list[tuple[str, str, str]]:
    return _items


def _is_free(operator: type[bpy.types.Operator]) -> bool:
    if pump.is_running(KIND):
        operator.poll_message_set("An asset is being added: wait for its end or cancel it")
        return False
    return True


def _start(
    operator: bpy.types.Operator, job: Job[Mapping[str, Any]], kind: str, label: str
) -> set[str]:
    """Start a job, or do it when there is no window; tells what came of it, or why not."""
    try:
        task = pump.run(job, kind, label)
    except StagewrightError as error:
        operator.report({"ERROR"}, str(error))
        return {"CANCELLED"}
    operator.report({"INFO"}, task.message)
    return {"FINISHED"}


class _AtHome:
    """What an operator needs to know of where versions are."""

    library: StringProperty(
        name="Library",
        description="Folder of the library; where the scene publishes to if empty",
        subtype="DIR_PATH",
        options={"SKIP_SAVE", "HIDDEN"},
    )

    def _home(self, context: bpy.types.Context) -> tuple[str, str]:
        """What to ask, and how a sentence about it begins.

        Raises:
            StagewrightError: when it may not be asked.
        """
        problem = asking.problem(context.scene, self.library)
        if problem:
            raise StagewrightError("offline", "The AYON server may not be asked.", f"{problem}.")
        library = asking.library_of(context.scene, self.library)
        project = asking.project_of(context.scene)
        place = f"The library {library}" if library else f"The AYON server's project {project}"
        return library, place


class STAGEWRIGHT_OT_add_published_asset(_AtHome, bpy.types.Operator):
    """Add a published version to the scene"""

    bl_idname = "stagewright.add_published_asset"
    bl_label = "Add Published Asset"
    bl_options = {"REGISTER"}
    bl_property = "choice"

    choice: EnumProperty(
        name="Version",
        description="Version to add",
        items=_list_items,
        options={"SKIP_SAVE"},
    )
    how: EnumProperty(
        name="Add As",
        description="What the version becomes in this file",
        items=(
            ("REFERENCE", "Reference", "It stays the version, and can be updated"),
            ("APPEND", "Copy", "It is the scene's own, to be changed and exported as it is then"),
        ),
    )
    kind: EnumProperty(
        name="Kind",
        description="Which of the version's files to add",
        items=(
            ("ANY", "Likeliest", "What the product is there for"),
            ("USD", "USD", "The USD asset"),
            ("BLEND", "Blend", "The .blend file"),
            ("TEXTURES", "Textures", "The texture set, as the active object's material"),
            ("VOLUME", "Volume", "The .vdb file"),
        ),
        options={"SKIP_SAVE"},
    )
    version_id: StringProperty(
        name="Version ID",
        description="AYON's id of the version, for scripts",
        options={"SKIP_SAVE", "HIDDEN"},
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Whether there is a scene to add to, and none is being added."""
        return _is_free(cls) and context.mode == "OBJECT"

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Let one be searched for."""
        if self.version_id:
            return self.execute(context)
        found = browser.newest_versions(context.scene)
        if not found:
            self.report({"INFO"}, browser.look(context.scene))
            return {"CANCELLED"}
        _items[:] = [
            (each.version_id, f"{each.folder}  {each.product}  {each.version}", each.comment)
            for each in found
        ]
        context.window_manager.invoke_search_popup(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Start to add it, or do so when there is no window."""
        place = tuple(context.scene.cursor.location)
        try:
            library, _ = self._home(context)
            # A folder that is named may hold any project.
            project = "" if self.library else asking.project_of(context.scene)
        except StagewrightError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        kind = "" if self.kind == "ANY" else self.kind
        wanted = self.version_id or self.choice
        job = loading.load(library, project, wanted, kind, self.how, place)
        return _start(self, job, KIND, "Add a published asset")


def _compare(library: str) -> Job[Mapping[str, Any]]:
    told = yield from loading.compare(library)
    _remember(told)
    stale = sum(_newer(each) is not None for each in loaded())
    unknown = sum(each.version_id not in _versions for each in loaded())
    words = f"{count(stale, 'thing')} out of date" if stale else "All is up to date"
    more = f", {count(unknown, 'thing')} not found there" if unknown else ""
    yield Message(f"{words}{more}.")
    return {"stale": stale, "unknown": unknown}


def _remember(told: Mapping[str, Any]) -> None:
    _versions.clear()
    for listed in told.values():
        versions = [PublishedVersion.from_json(each) for each in listed]
        _versions.update(dict.fromkeys((each.version_id for each in versions), versions))


def _newer(thing: Loaded) -> PublishedVersion | None:
    """The newest version of a thing, as last looked up; None where it is that."""
    versions = _versions.get(thing.version_id)
    if not versions or versions[0].version_id == thing.version_id:
        return None
    return versions[0]


class STAGEWRIGHT_OT_look_for_versions(_AtHome, bpy.types.Operator):
    """Look for newer versions of what was added to this file, where the scene publishes to"""

    bl_idname = "stagewright.look_for_versions"
    bl_label = "Look for Newer Versions"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Whether any was added, and may be asked for."""
        why = "" if loaded() else "Nothing published was added to this file yet"
        why = why or asking.problem(context.scene)
        if pump.is_running(COMPARING):
            why = "Versions are being looked for: wait for the answer"
        if why:
            cls.poll_message_set(why)
        return not why

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Start to look, or do so when there is no window."""
        try:
            library, _ = self._home(context)
        except StagewrightError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        return _start(self, _compare(library), COMPARING, "Look for newer versions")


class STAGEWRIGHT_OT_update_published_asset(_AtHome, bpy.types.Operator):
    """Show the newest version, or one that is chosen, wherever this one is shown"""

    bl_idname = "stagewright.update_published_asset"
    bl_label = "Update Published Asset"
    bl_options = {"REGISTER"}
    bl_property = "choice"

    choice: EnumProperty(
        name="Version",
        description="Version to show",
        items=_list_items,
        options={"SKIP_SAVE"},
    )
    choose: BoolProperty(
        name="Choose",
        description="Let one of all versions be chosen, older ones included",
        options={"SKIP_SAVE", "HIDDEN"},
    )
    to_version_id: StringProperty(
        name="To Version ID",
        description="AYON's id of the version to show; the newest if empty, for scripts",
        options={"SKIP_SAVE", "HIDDEN"},
    )
    version_id: StringProperty(
        name="Version ID",
        description="AYON's id of the version that is shown now; every one if empty",
        options={"SKIP_SAVE"},
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Whether nothing else is being added."""
        return _is_free(cls)

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Let a version be searched for, if that is asked for."""
        if not self.choose:
            return self.execute(context)
        _items[:] = [
            (each.version_id, f"{each.version}  {each.comment}", each.author)
            for each in _versions.get(self.version_id, ())
        ]
        if not _items:
            self.report({"ERROR"}, "Look for newer versions first: this one is not known yet")
            return {"CANCELLED"}
        context.window_manager.invoke_search_popup(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Start the update, or do it when there is no window."""
        ids = [self.version_id] if self.version_id else [each.version_id for each in loaded()]
        wish = self.to_version_id or (self.choice if self.choose else "")
        try:
            library, place = self._home(context)
        except StagewrightError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        job = loading.update(library, place, dict.fromkeys(ids, wish))
        return _start(self, _updated(job), KIND, "Update published assets")


def _updated(job: Job[Mapping[str, Any]]) -> Job[Mapping[str, Any]]:
    """Run an update, and let the panel know what it heard of versions."""
    value = yield from job
    _remember(value["versions"])
    return value


_ICONS = {
    "USD": "OUTLINER_OB_GROUP_INSTANCE",
    "BLEND": "FILE_BLEND",
    "TEXTURES": "MATERIAL",
    "VOLUME": "VOLUME_DATA",
}


class STAGEWRIGHT_PT_published_assets(SidebarPanel, bpy.types.Panel):
    """The published versions in this file, and which of them are out of date"""

    bl_label = "Published Assets"
    bl_order = 3
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: bpy.types.Context) -> None:
        """Draw what was added, and what can be done about it."""
        layout = self.layout
        for each in (pump.last(KIND), pump.last(COMPARING)):
            if each is not None:
                draw_task(layout, context, each)
        things = loaded()
        if not things:
            draw_text(layout, context, "Nothing published was added yet: see Browse", "INFO")
            return
        column = layout.column(align=True)
        for thing in things:
            self._draw_thing(column, thing)
        row = layout.row(align=True)
        row.operator("stagewright.look_for_versions", icon="VIEWZOOM")
        if any(_newer(each) for each in things):
            row.operator("stagewright.update_published_asset", text="Update All")
        draw_problem(layout, context, asking.problem(context.scene))

    def _draw_thing(self, layout: bpy.types.UILayout, thing: Loaded) -> None:
        row = layout.row(align=True)
        row.label(text=thing.named, icon=_ICONS[thing.kind])
        newer = _newer(thing)
        if newer is not None:
            update = row.operator("stagewright.update_published_asset", text=f"Get {newer.version}")
            update.version_id = thing.version_id
        elif thing.version_id in _versions:
            row.label(text="newest", icon="CHECKMARK")
        if thing.version_id in _versions:
            other = row.operator("stagewright.update_published_asset", text="", icon="RECOVER_LAST")
            other.version_id, other.choose = thing.version_id, True


_CLASSES = (
    STAGEWRIGHT_OT_add_published_asset,
    STAGEWRIGHT_OT_look_for_versions,
    STAGEWRIGHT_OT_update_published_asset,
    STAGEWRIGHT_PT_published_assets,
)


def _draw_add(self: bpy.types.Menu, context: bpy.types.Context) -> None:
    self.layout.operator(
        "stagewright.add_published_asset",
        text="Published Asset…",
        icon="OUTLINER_OB_GROUP_INSTANCE",
    )


def register() -> None:
    """Add the operators, the panel, and the entry of the Add menu."""
    for cls in _CLASSES:
        bpy.utils.register_class(cls)
    bpy.types.VIEW3D_MT_add.append(_draw_add)


def unregister() -> None:
    """Take them away, and what was heard."""
    _versions.clear()
    bpy.types.VIEW3D_MT_add.remove(_draw_add)
    for cls in reversed(_CLASSES):
        bpy.utils.unregister_class(cls)
