# SPDX-License-Identifier: GPL-3.0-or-later
# mypy: disable-error-code="valid-type"
"""Browse what is published where the scene publishes to: search, pictures, versions, links.

Processes of their own ask; what they answered last is kept here, so that drawing only shows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import bpy
from bpy.app.handlers import persistent
from bpy.props import CollectionProperty, EnumProperty, IntProperty, PointerProperty, StringProperty

from ...jobs.errors import StagewrightError
from ...jobs.events import Job, Message
from ...pipeline.published import PublishedVersion, search
from ...pipeline.summaries import count
from .. import preferences, pump
from ..drawing import SidebarPanel, draw_problem, draw_task, draw_text
from ..textures import pictures
from . import asking

KIND = "browse"
_DETAILS = "browse-versions"
_PICTURES = "browse-pictures"

LIMIT = 300
"""Products that the list shows at most; a search finds the others."""
_AT_ONCE = 8
_SAID = 3


@dataclass
class _Heard:
    """What was answered last.

    Attributes:
        library: who answered; "" for the AYON server; None for nobody yet.
        asked: the project that was asked for.
        project: whose products they are; "" if there is no such project.
        projects: names of all.
        folders: names of the tasks of each folder, by its path.
        newest: newest version of each product, by folder and product.
        found: how many products the search found.
        product: id of the product whose versions are ``versions``.
        versions: newest first.
        details: the answer about them.
        wanted: ids of the versions whose pictures are to come.
    """

    library: str | None = None
    asked: str = ""
    project: str = ""
    projects: list[str] = field(default_factory=list)
    folders: Mapping[str, list[str]] = field(default_factory=dict)
    newest: list[PublishedVersion] = field(default_factory=list)
    found: int = 0
    product: str = ""
    versions: list[PublishedVersion] = field(default_factory=list)
    details: Mapping[str, Any] = field(default_factory=dict)
    wanted: list[str] = field(default_factory=list)


_heard = _Heard()

# Blender keeps no reference to the strings of an enumeration's items.
_items: list[tuple[str, str, str]] = []


def _version_items(
    self: bpy.types.PropertyGroup, context: bpy.types.Context | None
) -> list[tuple[str, str, str]]:
    return _items


def newest_versions(scene: bpy.types.Scene) -> list[PublishedVersion]:
    """The newest version of each product of the scene's project, as heard last; or none."""
    return _heard.newest if _is_of(scene) else []


def projects() -> list[str]:
    """Names of the projects of the library, as heard last."""
    return _heard.projects if _heard.library else []


def folders(project: str) -> Mapping[str, list[str]]:
    """Names of the tasks of each folder of a library's project, as heard last."""
    return _heard.folders if _heard.library and _heard.project == project else {}


def _is_of(scene: bpy.types.Scene) -> bool:
    place = _heard.library, _heard.asked
    return place == (asking.library_of(scene), asking.project_of(scene))


def look(scene: bpy.types.Scene) -> str:
    """Start to ask for the products of the scene's project; returns what to tell.

    Raises:
        StagewrightError: in a window, when no process can be started.
    """
    if pump.is_running(KIND):
        return "The products are being asked for: try again in a moment"
    job = _look(asking.library_of(scene), asking.project_of(scene))
    return str(pump.run(job, KIND, "Browse").message)


def _look(library: str, project: str) -> Job[Mapping[str, Any]]:
    value = yield from asking.ask("published:products", library=library, project=project)
    versions = [PublishedVersion.from_json(each) for each in value["versions"]]
    _heard.library, _heard.asked, _heard.project = library, project, value["project"]
    _heard.projects, _heard.folders = value["projects"], value["folders"]
    _heard.newest = versions
    _forget_product()
    _fill()
    yield Message(_told())
    return {"products": len(versions)}


def _told() -> str:
    """What the list is, or why there is none."""
    if not _heard.project:
        there = ", ".join(_heard.projects[:5]) or "none yet"
        return f"There is no project {_heard.asked}. Projects: {there}."
    if not _heard.newest:
        return f"Nothing is published in {_heard.project} yet."
    return f"{_heard.project} has {count(len(_heard.newest), 'product')}."


def _forget_product() -> None:
    _heard.product, _heard.versions, _heard.details = "", [], {}
    _items.clear()


def _fill() -> None:
    """List what the search finds."""
    state = bpy.context.window_manager.stagewright_browser
    found = search(_heard.newest, state.search)
    _heard.found = len(found)
    state.rows.clear()
    for version in found[:LIMIT]:
        row = state.rows.add()
        row.name = f"{version.name}  {version.product}"
        row.version, row.version_id = version.version, version.version_id
        row.product_id = version.product_id
    _want_pictures([each.version_id for each in found[:LIMIT] if each.has_picture])
    shown = next((n for n, row in enumerate(state.rows) if row.product_id == _heard.product), 0)
    state.active = shown


def _search(state: STAGEWRIGHT_PG_browser, context: bpy.types.Context) -> None:
    _fill()


def _want_pictures(ids: list[str]) -> None:
    _heard.wanted = [key for key in ids if pictures.icon(_picture_name(key)) is None]
    if _heard.wanted and not pump.is_running(_PICTURES):
        pump.run(_load_pictures(), _PICTURES, "Load pictures")


def _load_pictures() -> Job[Mapping[str, Any]]:
    """Load the pictures that are wanted, whichever those are by then."""
    folder, loaded = str(Path(bpy.app.tempdir) / "ayon" / "thumbnails"), 0
    while _heard.wanted:
        some, _heard.wanted = _heard.wanted[:_AT_ONCE], _heard.wanted[_AT_ONCE:]
        value = yield from asking.ask(
            "published:pictures",
            "pictures",
            library=_heard.library,
            project=_heard.project,
            version_ids=some,
            folder=folder,
        )
        for key, path in value["pictures"].items():
            pictures.load(_picture_name(key), Path(path))
        loaded += len(value["pictures"])
        pump.redraw()
    yield Message(f"Loaded {count(loaded, 'picture')}.")
    return {"pictures": loaded}


def _picture_name(version_id: str) -> str:
    return f"version {version_id}"


def _icon(version_id: str) -> int:
    return pictures.icon(_picture_name(version_id)) or 0


def _choose_row(state: STAGEWRIGHT_PG_browser, context: bpy.types.Context) -> None:
    if not 0 <= state.active < len(state.rows):
        return
    if state.rows[state.active].product_id != _heard.product and not pump.is_running(_DETAILS):
        pump.run(_look_closer(), _DETAILS, "Ask for versions")


def _look_closer() -> Job[Mapping[str, Any]]:
    """Ask for the versions of the chosen product, whichever that is by then."""
    while True:
        state = bpy.context.window_manager.stagewright_browser
        if not 0 <= state.active < len(state.rows):
            return {}
        product = state.rows[state.active].product_id
        if product == _heard.product:
            return {}
        value = yield from asking.ask(
            "published:versions_of_product",
            library=_heard.library,
            project=_heard.project,
            product_id=product,
        )
        _heard.product, _heard.details = product, value
        _heard.versions = [PublishedVersion.from_json(each) for each in value["versions"]]
        _items[:] = [(v.version_id, v.version, v.comment or v.author) for v in _heard.versions]
        if _items:
            bpy.context.window_manager.stagewright_browser.version = _items[0][0]
        yield Message(f"Asked for {count(len(_items), 'version')}.")


def _choose_version(state: STAGEWRIGHT_PG_browser, context: bpy.types.Context) -> None:
    chosen = chosen_version()
    if chosen is not None and chosen.has_picture:
        _want_pictures([chosen.version_id, *_heard.wanted])


def chosen_version() -> PublishedVersion | None:
    """The version that is looked at."""
    state = bpy.context.window_manager.stagewright_browser
    if not _items:
        return None  # Blender warns of an enumeration without items at each look.
    found = (each for each in _heard.versions if each.version_id == state.version)
    return next(found, None)


class STAGEWRIGHT_PG_product(bpy.types.PropertyGroup):
    """A product in the list."""

    product_id: StringProperty(name="Product ID")
    version: StringProperty(name="Version")
    version_id: StringProperty(name="Version ID")


class STAGEWRIGHT_PG_browser(bpy.types.PropertyGroup):
    """What the panel Browse shows."""

    search: StringProperty(
        name="Search",
        description="Words of the folder, the product, its type, the comment or the author",
        options={"TEXTEDIT_UPDATE"},
        update=_search,
    )
    rows: CollectionProperty(type=STAGEWRIGHT_PG_product)
    active: IntProperty(name="Product", description="Product looked at", update=_choose_row)
    version: EnumProperty(
        name="Version",
        description="Version looked at",
        items=_version_items,
        update=_choose_version,
    )


class STAGEWRIGHT_OT_browse(bpy.types.Operator):
    """Ask for what is published in the scene's project"""

    bl_idname = "stagewright.browse"
    bl_label = "Browse"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Whether the home may be asked, and is not being asked."""
        why = asking.problem(context.scene)
        if pump.is_running(KIND):
            why = "The products are being asked for: wait for the answer"
        if why:
            cls.poll_message_set(why)
        return not why

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Start to ask, or do so when there is no window."""
        try:
            told = look(context.scene)
        except StagewrightError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        self.report({"INFO"}, told)
        return {"FINISHED"}


class STAGEWRIGHT_OT_browse_to(bpy.types.Operator):
    """Look at this product"""

    bl_idname = "stagewright.browse_to"
    bl_label = "Look at Product"
    bl_options = {"INTERNAL"}

    product_id: StringProperty(
        name="Product ID", description="The product to show", options={"HIDDEN", "SKIP_SAVE"}
    )

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Find it, whatever is searched for."""
        state = context.window_manager.stagewright_browser
        wanted = next((v for v in _heard.newest if v.product_id == self.product_id), None)
        if wanted is None:
            self.report({"ERROR"}, "That product is not in the list: browse again")
            return {"CANCELLED"}
        state.search = f"{wanted.folder} {wanted.product}"
        ids = [row.product_id for row in state.rows]
        if self.product_id in ids:
            state.active = ids.index(self.product_id)
        return {"FINISHED"}


class STAGEWRIGHT_UL_products(bpy.types.UIList):
    """Products with their pictures"""

    def draw_item(
        self,
        context: bpy.types.Context,
        layout: bpy.types.UILayout,
        data: Any,
        item: Any,
        icon: int,
        active_data: Any,
        active: str,
    ) -> None:
        """Draw one line."""
        row = layout.row()
        picture = _icon(item.version_id)
        if picture:
            row.label(text=item.name, icon_value=picture, translate=False)
        else:
            row.label(text=item.name, icon="FILE_3D", translate=False)
        right = row.row()
        right.alignment = "RIGHT"
        right.label(text=item.version, translate=False)


class STAGEWRIGHT_PT_browse(SidebarPanel, bpy.types.Panel):
    """What is published in the project"""

    bl_label = "Browse"
    bl_order = 3
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: bpy.types.Context) -> None:
        """Draw where it is, the list, and the product looked at."""
        layout, scene = self.layout, context.scene
        row = layout.row(align=True)
        row.prop(scene.stagewright, "home", text="")
        row.prop(scene.stagewright, "project", text="", placeholder=preferences.project()[0])
        row.operator("stagewright.browse", text="", icon="FILE_REFRESH")
        task = pump.last(KIND)
        if task is not None and (task.running or task.failure):
            draw_task(layout, context, task)
        draw_problem(layout, context, asking.problem(scene))
        if not newest_versions(scene):
            asks = "The arrows ask what is published there"
            draw_text(layout, context, _told() if _is_of(scene) else asks, "INFO")
            return
        state = context.window_manager.stagewright_browser
        layout.prop(state, "search", text="", icon="VIEWZOOM", placeholder="Search")
        layout.template_list(
            "STAGEWRIGHT_UL_products", "", state, "rows", state, "active", rows=6, maxrows=12
        )
        column = layout.column()
        column.active = False
        draw_text(column, context, self._found(state))
        if len(state.rows):
            self._draw_chosen(context, state)

    def _found(self, state: STAGEWRIGHT_PG_browser) -> str:
        hidden = _heard.found - len(state.rows)
        told = f"{count(_heard.found, 'product')} in {_heard.project}"
        return f"{told}, {hidden:,} of them not listed: search for less" if hidden else told

    def _draw_chosen(self, context: bpy.types.Context, state: STAGEWRIGHT_PG_browser) -> None:
        task = pump.last(_DETAILS)
        if task is not None and (task.running or task.failure):
            draw_task(self.layout, context, task)
        chosen = chosen_version()
        if chosen is None or state.rows[state.active].product_id != _heard.product:
            return
        box = self.layout.box()
        icon = _icon(chosen.version_id)
        if icon:
            box.template_icon(icon, scale=7.0)
        box.prop(state, "version", text="")
        facts = f"{chosen.folder}  {chosen.product_type}, {_when(chosen.created_at)}"
        draw_text(box, context, f"{facts}, {chosen.author}".rstrip(", "), inset=16)
        self._draw_comments(box, context, chosen)
        self._draw_load(box, chosen)
        for title, key in (("Made with", "inputs"), ("Used by", "outputs")):
            self._draw_links(box, title, _heard.details.get(key, {}).get(chosen.version_id, ()))

    def _draw_comments(
        self, layout: bpy.types.UILayout, context: bpy.types.Context, chosen: PublishedVersion
    ) -> None:
        said = _heard.details.get("comments", {}).get(chosen.version_id, ())
        for each in said[-_SAID:]:
            draw_text(layout, context, f"{each['author']}: {each['body']}", "COMMUNITY", 16)
        if len(said) > _SAID:
            draw_text(layout, context, f"{len(said) - _SAID} older comments in AYON", inset=16)

    def _draw_load(self, layout: bpy.types.UILayout, chosen: PublishedVersion) -> None:
        if not chosen.kinds:
            layout.label(text="Nothing in it can be loaded", icon="INFO")
        for kind in chosen.kinds:
            row = layout.row(align=True)
            for how, text, icon in _WAYS[kind]:
                button = row.operator("stagewright.add_published_asset", text=text, icon=icon)
                button.version_id, button.kind, button.how = chosen.version_id, kind, how

    def _draw_links(self, layout: bpy.types.UILayout, title: str, ends: Any) -> None:
        if not ends:
            return
        column = layout.column(align=True)
        column.label(text=title, icon="LINKED")
        for each in ends:
            text = f"{each['name']}  {each['product']}  {each['version']}"
            link = column.operator("stagewright.browse_to", text=text, translate=False)
            link.product_id = each["product_id"]


_WAYS: Mapping[str, tuple[tuple[str, str, str], ...]] = {
    "USD": (
        ("REFERENCE", "Reference", "OUTLINER_OB_GROUP_INSTANCE"),
        ("APPEND", "Copy", "APPEND_BLEND"),
    ),
    "BLEND": (("REFERENCE", "Link", "LINK_BLEND"), ("APPEND", "Append", "APPEND_BLEND")),
    "TEXTURES": (("REFERENCE", "As Material", "MATERIAL"),),
    "VOLUME": (("REFERENCE", "Add Volume", "VOLUME_DATA"),),
}


def _when(created_at: str) -> str:
    """The day, of a time in ISO 8601."""
    return created_at[:10]


_CLASSES = (
    STAGEWRIGHT_PG_product,
    STAGEWRIGHT_PG_browser,
    STAGEWRIGHT_OT_browse,
    STAGEWRIGHT_OT_browse_to,
    STAGEWRIGHT_UL_products,
    STAGEWRIGHT_PT_browse,
)


@persistent
def _after_load(*_: object) -> None:
    """Fill the list again: it goes with the window manager of the file before."""
    if _heard.newest:
        _fill()


def register() -> None:
    """Add the panel and the operators."""
    for cls in _CLASSES:
        bpy.utils.register_class(cls)
    bpy.types.WindowManager.stagewright_browser = PointerProperty(type=STAGEWRIGHT_PG_browser)
    bpy.app.handlers.load_post.append(_after_load)


def unregister() -> None:
    """Take them away, and what was heard."""
    global _heard
    bpy.app.handlers.load_post.remove(_after_load)
    del bpy.types.WindowManager.stagewright_browser
    _heard = _Heard()
    _items.clear()
    for cls in reversed(_CLASSES):
        bpy.utils.unregister_class(cls)
