# SPDX-License-Identifier: GPL-3.0-or-later
# mypy: disable-error-code="valid-type"
"""Add published assets to a scene, and bring those that are there up to date.

What is added is an empty that instances a collection with the version's content.
Exported, it is a reference to the version, whatever is in the collection.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import bpy
from bpy.props import BoolProperty, EnumProperty, StringProperty

from ...jobs.errors import StagewrightError
from ...jobs.events import Job, Message
from ...pipeline.published import PublishedAsset, find, newest, of_same_product
from .. import pump
from ..drawing import SidebarPanel, draw_task
from ..undo import push_undo
from ..worker import import_usd
from . import catalog, server

KIND = "add-asset"


def _add(asset: PublishedAsset, place: tuple[float, ...]) -> Job[Mapping[str, Any]]:
    """Show the version by a new empty at ``place``."""
    yield from _bring_in(asset)
    collection = _collection_of(asset.version_id)
    if collection is None:
        raise _gone(asset)
    shown = _show(collection, place)
    push_undo(f"Stagewright: add {asset.name} {asset.version}")
    yield Message(f"Added {asset.name} {asset.version} as {shown.name}.")
    return {"object": shown.name, "version": asset.version}


def _append(asset: PublishedAsset) -> Job[Mapping[str, Any]]:
    """Make the version's content the scene's own."""
    with _imported(asset) as blend:
        yield from import_usd(asset.path, blend, asset.name)
        collection = _take_over(blend, asset)
    bpy.context.view_layer.active_layer_collection.collection.children.link(collection)
    push_undo(f"Stagewright: append {asset.name} {asset.version}")
    yield Message(f"Appended {asset.name} {asset.version} as {collection.name}.")
    return {"collection": collection.name, "version": asset.version}


def _update(asset: PublishedAsset, version_id: str) -> Job[Mapping[str, Any]]:
    """Let everything that shows the version ``version_id`` show ``asset``."""
    yield from _bring_in(asset)
    collection, before = _collection_of(asset.version_id), _collection_of(version_id)
    if collection is None or before is None:
        raise _gone(asset)
    before.user_remap(collection)
    if not before.users:
        bpy.data.collections.remove(before)
    push_undo(f"Stagewright: update {asset.name} to {asset.version}")
    yield Message(f"{asset.name} is {asset.version} now.")
    return {"version": asset.version}


def _gone(asset: PublishedAsset) -> StagewrightError:
    return StagewrightError(
        "collection-gone",
        f"The collection of {asset.name} was deleted, or another file opened, meanwhile.",
        "Add the asset again.",
    )


def _unknown(version_id: str, place: str) -> StagewrightError:
    shown = _collection_of(version_id)
    name = f"{shown.name} {shown.stagewright.version}" if shown else f"USD version {version_id}"
    return StagewrightError(
        "no-version",
        f"{place} holds no {name}.",
        "Name the library that it was added from.",
    )


def _bring_in(asset: PublishedAsset) -> Job[None]:
    """Import the version, unless the file has it already."""
    if _collection_of(asset.version_id) is None:
        with _imported(asset) as blend:
            yield from import_usd(asset.path, blend, asset.name)
            collection = _take_over(blend, asset)
        collection.stagewright.remember(asset.identity)
        collection.stagewright.added = True


@contextmanager
def _imported(asset: PublishedAsset) -> Iterator[Path]:
    """Where a file goes that the version is imported to; gone after the block."""
    folder = Path(tempfile.mkdtemp(prefix="stagewright-", dir=bpy.app.tempdir or None))
    try:
        yield folder / "asset.blend"
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def added_collections() -> list[bpy.types.Collection]:
    """The collections of this file that were added from a library, by name."""
    return [collection for collection in bpy.data.collections if collection.stagewright.added]


def _collection_of(version_id: str) -> bpy.types.Collection | None:
    """The collection that was added as that version."""
    found = (c for c in added_collections() if c.stagewright.version_id == version_id)
    return next(found, None)


def _take_over(blend: Path, asset: PublishedAsset) -> bpy.types.Collection:
    with bpy.data.libraries.load(str(blend), link=False) as (there, here):
        here.collections = [asset.name for name in there.collections if name == asset.name]
    collection = here.collections[0]
    collection.use_fake_user = False
    return collection


def _show(collection: bpy.types.Collection, place: tuple[float, ...]) -> bpy.types.Object:
    item = bpy.data.objects.new(collection.name, None)
    item.instance_type, item.instance_collection = "COLLECTION", collection
    item.location = place
    layer = bpy.context.view_layer
    layer.active_layer_collection.collection.objects.link(item)
    for other in layer.objects.selected:
        other.select_set(False)
    item.select_set(True)
    layer.objects.active = item
    return item


# Blender keeps no reference to the strings of an enumeration's items.
_items: list[tuple[str, str, str]] = []


def _list_versions(
    self: bpy.types.Operator, context: bpy.types.Context | None
) -> list[tuple[str, str, str]]:
    return _items


def _offer(assets: list[PublishedAsset]) -> None:
    _items[:] = [
        (asset.version_id, f"{asset.folder}  {asset.product}  {asset.version}", asset.comment)
        for asset in assets
    ]


def _is_free(operator: type[bpy.types.Operator]) -> bool:
    if pump.is_running(KIND):
        operator.poll_message_set("An asset is being added: wait for its end or cancel it")
        return False
    return True


class STAGEWRIGHT_OT_add_published_asset(bpy.types.Operator):
    """Add a published version to the scene: as a reference to it, or as the scene's own"""

    bl_idname = "stagewright.add_published_asset"
    bl_label = "Add Published Asset"
    bl_options = {"REGISTER"}
    bl_property = "choice"

    choice: EnumProperty(
        name="Version",
        description="Version to add",
        items=_list_versions,
        options={"SKIP_SAVE"},
    )
    how: EnumProperty(
        name="Add As",
        description="What the version becomes in this file",
        items=(
            ("REFERENCE", "Reference", "Exported, it is a reference to the version"),
            ("APPEND", "Copy", "It is the scene's own, to be changed and exported as it is then"),
        ),
    )
    version_id: StringProperty(
        name="Version ID",
        description="AYON's id of the version, for scripts",
        options={"SKIP_SAVE", "HIDDEN"},
    )
    library: StringProperty(
        name="Library",
        description="Folder of the library; where the scene publishes to if empty",
        subtype="DIR_PATH",
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
        try:
            _offer(catalog.assets(context.scene, self.library))
        except StagewrightError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        if not _items:
            self.report({"ERROR"}, "Nothing is published there yet")
            return {"CANCELLED"}
        context.window_manager.invoke_search_popup(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Start to add it, or do so when there is no window."""
        place = tuple(context.scene.cursor.location)
        try:
            assets = catalog.assets(context.scene, self.library)
            place_name = catalog.place(context.scene, self.library)
            asset = find(assets, self.version_id or self.choice, place_name)
            job = _append(asset) if self.how == "APPEND" else _add(asset, place)
            task = pump.run(job, KIND, f"Add {asset.name} {asset.version}")
        except StagewrightError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        self.report({"INFO"}, task.message)
        return {"FINISHED"}


# The newest version of each that was added, by version id, as last looked up.
_newest: dict[str, PublishedAsset] = {}


def _compare(assets: list[PublishedAsset]) -> None:
    """Note the newest version of each asset that was added."""
    _newest.clear()
    for collection in added_collections():
        found = newest(assets, collection.stagewright.version_id)
        if found is not None:
            _newest[collection.stagewright.version_id] = found


def _ask_and_compare(project: str) -> Job[Mapping[str, Any]]:
    value = yield from catalog.listen(project)
    _compare([PublishedAsset.from_json(each) for each in value["assets"]])
    return value


class STAGEWRIGHT_OT_look_for_versions(bpy.types.Operator):
    """Look for newer versions of the assets that were added, where the scene publishes to"""

    bl_idname = "stagewright.look_for_versions"
    bl_label = "Look for Newer Versions"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Whether any was added."""
        return bool(added_collections())

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Read the library, or start to ask the server."""
        scene = context.scene
        try:
            if server.is_chosen(scene):
                job = _ask_and_compare(catalog.project_of(scene))
                pump.run(job, catalog.KIND, "Ask the AYON server")
            else:
                _compare(catalog.assets(scene))
        except StagewrightError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        return {"FINISHED"}


class STAGEWRIGHT_OT_update_published_asset(bpy.types.Operator):
    """Show the newest version, or one that is chosen, wherever this one is shown"""

    bl_idname = "stagewright.update_published_asset"
    bl_label = "Update Published Asset"
    bl_options = {"REGISTER"}
    bl_property = "choice"

    choice: EnumProperty(
        name="Version",
        description="Version to show",
        items=_list_versions,
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
        description="AYON's id of the version that is shown now",
        options={"SKIP_SAVE"},
    )
    library: StringProperty(
        name="Library",
        description="Folder of the library; that of the preferences if empty",
        subtype="DIR_PATH",
        options={"SKIP_SAVE", "HIDDEN"},
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Whether nothing else is being added."""
        return _is_free(cls)

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Let a version be searched for, if that is asked for."""
        if not self.choose:
            return self.execute(context)
        try:
            assets = catalog.assets(context.scene, self.library)
        except StagewrightError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        _offer(of_same_product(assets, self.version_id))
        if not _items:
            self.report({"ERROR"}, "The version is not where the scene publishes to")
            return {"CANCELLED"}
        context.window_manager.invoke_search_popup(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Start the update, or do it when there is no window."""
        try:
            assets = catalog.assets(context.scene, self.library)
            wanted = self.to_version_id or (self.choice if self.choose else "")
            own = newest(assets, self.version_id)
            place = catalog.place(context.scene, self.library)
            asset = find(assets, wanted, place) if wanted else own
            if asset is None:
                raise _unknown(self.version_id, place)
            if asset.version_id == self.version_id:
                self.report({"INFO"}, "There is no newer version")
                return {"CANCELLED"}
            job = _update(asset, self.version_id)
            task = pump.run(job, KIND, f"Update {asset.name} to {asset.version}")
        except StagewrightError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        self.report({"INFO"}, task.message)
        return {"FINISHED"}


class STAGEWRIGHT_PT_published_assets(SidebarPanel, bpy.types.Panel):
    """The published assets in this file"""

    bl_label = "Published Assets"
    bl_order = 3
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: bpy.types.Context) -> None:
        """Draw the assets, and what can be done about them."""
        layout = self.layout
        task = pump.last(KIND)
        if task is None or not task.running:
            layout.operator("stagewright.add_published_asset", text="Add Asset…", icon="ADD")
        for each in (task, pump.last(catalog.KIND)):
            if each is not None:
                draw_task(layout, context, each)
        collections = added_collections()
        if not collections:
            return
        column = layout.column(align=True)
        for collection in collections:
            self._draw_asset(column, collection)
        layout.operator("stagewright.look_for_versions", icon="VIEWZOOM")

    def _draw_asset(self, layout: bpy.types.UILayout, collection: bpy.types.Collection) -> None:
        identity = collection.stagewright
        found = _newest.get(identity.version_id)
        row = layout.row(align=True)
        row.label(text=f"{collection.name}  {identity.version}", icon="OUTLINER_OB_GROUP_INSTANCE")
        other = row.operator("stagewright.update_published_asset", text="", icon="RECOVER_LAST")
        other.version_id, other.choose = identity.version_id, True
        if found is None:
            return
        if found.version_id == identity.version_id:
            row.label(text="newest", icon="CHECKMARK")
            return
        update = row.operator("stagewright.update_published_asset", text=f"Get {found.version}")
        update.version_id = identity.version_id


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
    """Take them away, and what the server was heard to have."""
    catalog.forget()
    bpy.types.VIEW3D_MT_add.remove(_draw_add)
    for cls in reversed(_CLASSES):
        bpy.utils.unregister_class(cls)
