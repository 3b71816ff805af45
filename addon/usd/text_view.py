# SPDX-License-Identifier: GPL-3.0-or-later
# mypy: disable-error-code="valid-type"
"""Layers in Blender's text editor: links that are followed, and saving back into the file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

import bpy
from bpy.app.handlers import persistent
from bpy.props import BoolProperty, CollectionProperty, IntProperty, PointerProperty, StringProperty

from ...jobs.drive import drain
from ...jobs.errors import StagewrightError
from ...jobs.events import Job, Message, Progress
from ...jobs.threads import in_thread
from ...pipeline.summaries import count
from .. import pump
from ..drawing import draw_task, draw_text
from ..undo import push_undo
from . import looking
from .lists import Rows, STAGEWRIGHT_PG_line, resize

if TYPE_CHECKING:  # USD takes half a second
    from ...usd_tools.layer_text import LayerText, Link

READ = "read-layer"
SAVE = "save-layer"

_ICONS = {
    "layer": "FILE_TEXT",
    "binary": "FILE_3D",
    "file": "FILE_IMAGE",
    "tiles": "IMAGE_REFERENCE",
    "missing": "ERROR",
}
_FORMATS = {
    "usda": "USD text",
    "usdc": "USD crate, shown as text",
    "usdz": "In a USD package, shown as text",
    "mtlx": "MaterialX document",
}


@dataclass
class _Page:
    """A layer that a text of Blender shows."""

    layer: LayerText
    links: list[Link]


@dataclass
class _Book:
    """What is shown in which text (by its session_uid), and the way through the layers."""

    pages: dict[int, _Page] = field(default_factory=dict)
    way: list[str] = field(default_factory=list)
    at: int = -1


_book = _Book()


_BUSY = "A layer is being read or saved: wait for its end"


def _busy() -> bool:
    return pump.is_running(READ) or pump.is_running(SAVE)


def page_of(text: bpy.types.Text | None) -> _Page | None:
    """The layer that ``text`` shows, if it shows one."""
    return _book.pages.get(text.session_uid) if text else None


def text_of(identifier: str) -> bpy.types.Text | None:
    """The text that shows the layer."""
    for text in bpy.data.texts:
        page = page_of(text)
        if page is not None and page.layer.identifier == identifier:
            return text
    return None


def view(identifier: str, *, step: int = 0, again: bool = False) -> pump.Task:
    """Show a layer as text.

    Args:
        identifier: of the layer: its file, or one in a package.
        step: 0 for a new step of the way, else the step that it goes along it.
        again: read it from disk even if it is shown already.

    Raises:
        StagewrightError: as ``usd_tools.layer_text.read_text``.
    """
    looking.load_library()
    from ...usd_tools import layer_text
    from ...usd_tools.stages import file_of

    def job() -> Job[Mapping[str, Any]]:
        text = text_of(identifier)
        if text is None or again:
            yield Progress("text.read", None, f"Reading {PurePath(identifier).name}")
            # USD may end the process in which it writes a damaged crate as text.
            value = yield from looking.apart(
                "usd_tools.layer_text:read_page", file_of(identifier), identifier=identifier
            )
            text = _fill(text_of(identifier), _Page(*layer_text.page_of(value)))
        if step:
            _book.at += step
        elif not _book.way or _book.way[_book.at] != identifier:
            _book.way[_book.at + 1 :] = [identifier]
            _book.at += 1
        _show(text)
        return {}

    task = pump.run(job(), READ, f"Show {PurePath(identifier).name}")
    if not task.running and task.failure is None:
        pump.dismiss(task.number)
    return task


def _fill(text: bpy.types.Text | None, page: _Page) -> bpy.types.Text:
    if text is None:
        text = bpy.data.texts.new(PurePath(page.layer.identifier.rstrip("]")).name)
        text.use_fake_user = False
    text.from_string(page.layer.text)
    text.cursor_set(0)
    _book.pages[text.session_uid] = page
    push_undo("Stagewright: show layer as text")
    return text


def _show(text: bpy.types.Text) -> None:
    """Show ``text`` in a text editor; in a window of its own if there is none."""
    _fit(text)
    if bpy.app.background:
        return
    windows = bpy.context.window_manager.windows
    areas = [area for w in windows for area in w.screen.areas if area.type == "TEXT_EDITOR"]
    if not areas:
        with bpy.context.temp_override(window=bpy.context.window or windows[0]):
            bpy.ops.wm.window_new()
        areas = [windows[-1].screen.areas[0]]
        areas[0].type = "TEXT_EDITOR"
    areas[0].spaces.active.text = text
    areas[0].spaces.active.show_region_ui = True
    areas[0].tag_redraw()


def _fit(text: bpy.types.Text) -> None:
    page = page_of(text)
    shown = bpy.context.window_manager.stagewright_text
    shown.uid = str(text.session_uid)
    resize(shown.lines, len(page.links) if page else 0)


def _go_to(self: STAGEWRIGHT_PG_text, context: bpy.types.Context) -> None:
    """Mark the chosen link in the text."""
    text = next((t for t in bpy.data.texts if str(t.session_uid) == self.uid), None)
    page = page_of(text)
    if text is None or page is None or self.line >= len(page.links):
        return
    link = page.links[self.line]
    if link.line < len(text.lines):
        text.select_set(link.line, link.start, link.line, link.end)


class STAGEWRIGHT_PG_text(bpy.types.PropertyGroup):
    """The list of links in the layer that is shown."""

    uid: StringProperty(name="Text")
    lines: CollectionProperty(type=STAGEWRIGHT_PG_line)
    line: IntProperty(name="Link", description="Link that is marked in the text", update=_go_to)


class STAGEWRIGHT_OT_view_layer(bpy.types.Operator):
    """Show this layer in the text editor: binary ones as USD writes them in text"""

    bl_idname = "stagewright.view_layer"
    bl_label = "Show Layer as Text"
    bl_options = {"INTERNAL"}

    identifier: StringProperty(name="Layer", options={"HIDDEN", "SKIP_SAVE"})
    step: IntProperty(name="Step", options={"HIDDEN", "SKIP_SAVE"})
    again: BoolProperty(name="Read Again", options={"HIDDEN", "SKIP_SAVE"})

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Whether there is a USD library, and no layer is being read."""
        why = looking.missing_library()
        if _busy():
            why = _BUSY
        if why:
            cls.poll_message_set(why)
        return not why

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Show it."""
        try:
            view(self.identifier, step=self.step, again=self.again)
        except StagewrightError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        return {"FINISHED"}


class STAGEWRIGHT_OT_follow_link(bpy.types.Operator):
    """Follow the asset path at the cursor: layers open as text, anything else in its program"""

    bl_idname = "stagewright.follow_link"
    bl_label = "Follow USD Link"
    bl_options = {"INTERNAL"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Whether the text is a layer."""
        if page_of(_edited(context)) is None:
            cls.poll_message_set("This text shows no USD layer")
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Follow it."""
        text = _edited(context)
        page = page_of(text)
        if text is None or page is None:
            return {"CANCELLED"}
        link = _under_cursor(text, page)
        if link is None:
            self.report({"WARNING"}, "There is no asset path under the cursor")
            return {"CANCELLED"}
        return follow(self, link)


def _edited(context: bpy.types.Context) -> bpy.types.Text | None:
    return getattr(context, "edit_text", None)


def _under_cursor(text: bpy.types.Text, page: _Page) -> Link | None:
    """The link there; the text may have been edited since its links were read."""
    from ...usd_tools.layer_text import links

    line, column = text.current_line_index, text.current_character
    for link in links(text.as_string(), page.layer.identifier):
        if link.line == line and link.start <= column <= link.end:
            return link
    return None


def follow(operator: bpy.types.Operator, link: Link) -> set[str]:
    """Open what ``link`` leads to."""
    if link.state == "missing":
        operator.report({"ERROR"}, f"{link.path} is missing")
        return {"CANCELLED"}
    if link.state in ("layer", "binary"):
        return set(bpy.ops.stagewright.view_layer(identifier=link.target))
    return set(bpy.ops.wm.path_open(filepath=link.target))


class STAGEWRIGHT_OT_follow_listed_link(bpy.types.Operator):
    """Open what this path leads to"""

    bl_idname = "stagewright.follow_listed_link"
    bl_label = "Follow Link"
    bl_options = {"INTERNAL"}

    index: IntProperty(name="Link", options={"HIDDEN", "SKIP_SAVE"})

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Whether the text is a layer."""
        return bool(STAGEWRIGHT_OT_follow_link.poll(context))

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Follow it."""
        page = page_of(_edited(context))
        if page is None or self.index >= len(page.links):
            return {"CANCELLED"}
        return follow(self, page.links[self.index])


class STAGEWRIGHT_OT_save_layer(bpy.types.Operator):
    """Check the text and save it as the layer, in the file's own format, with a backup beside it"""

    bl_idname = "stagewright.save_layer"
    bl_label = "Save Layer"
    bl_options = {"INTERNAL"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Whether the text is a layer that can be saved."""
        page = page_of(_edited(context))
        why = "This text shows no USD layer" if page is None else page.layer.why_locked
        if _busy():
            why = _BUSY
        if why:
            cls.poll_message_set(why)
        return not why

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Check and save it."""
        text = _edited(context)
        page = page_of(text)
        if text is None or page is None:
            return {"CANCELLED"}
        name = PurePath(page.layer.identifier).name
        try:
            task = pump.run(_saving(text, page), SAVE, f"Save {name}")
        except StagewrightError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        if not task.running:
            self.report({"INFO"}, task.message)
        return {"FINISHED"}


def _saving(text: bpy.types.Text, page: _Page) -> Job[Mapping[str, Any]]:
    from ...usd_tools.layer_text import links, save_text

    layer, content, uid = page.layer, text.as_string(), text.session_uid
    name = PurePath(layer.identifier).name
    yield Progress("text.save", None, f"Saving {name}")
    try:
        stamp = yield from in_thread(lambda: drain(save_text(layer, content), lambda event: None))
    except StagewrightError as error:
        _mark_line(uid, int(error.details.get("line", 0)))
        raise
    found = links(content, layer.identifier)
    _book.pages[uid] = _Page(replace(layer, text=content, stamp=stamp), found)
    resize(bpy.context.window_manager.stagewright_text.lines, len(found))
    looking.look_for_changes()
    yield Message(f"Saved {name}; a backup is beside it.")
    return {}


def _mark_line(uid: int, line: int) -> None:
    text = next((text for text in bpy.data.texts if text.session_uid == uid), None)
    if text is not None and 0 < line <= len(text.lines):
        text.select_set(line - 1, 0, line - 1, len(text.lines[line - 1].body))


class STAGEWRIGHT_UL_links(Rows, bpy.types.UIList):
    """The asset paths in the text."""

    def draw_item(
        self,
        context: bpy.types.Context,
        layout: bpy.types.UILayout,
        data: Any,
        item: Any,
        icon: int,
        active_data: Any,
        active_property: str,
        index: int,
    ) -> None:
        """Draw a path, red when it leads nowhere, and the button that follows it."""
        page = page_of(_edited(context))
        if page is None or index >= len(page.links):
            return
        link = page.links[index]
        row = layout.row(align=True)
        name = row.row()
        name.alert = link.state == "missing"
        name.label(text=link.path, icon=_ICONS[link.state], translate=False)
        if link.state != "missing":
            button = row.operator(
                "stagewright.follow_listed_link", text="", icon="FORWARD", emboss=False
            )
            button.index = index


class STAGEWRIGHT_PT_layer_text(bpy.types.Panel):
    """The layer that the text shows"""

    bl_space_type = "TEXT_EDITOR"
    bl_region_type = "UI"
    bl_category = "Stagewright"
    bl_label = "USD Layer"
    bl_order = 0

    def draw(self, context: bpy.types.Context) -> None:
        """Draw the way, the layer, and its links."""
        layout = self.layout
        _draw_way(layout)
        text = _edited(context)
        page = page_of(text)
        reading, saving = pump.last(READ), pump.last(SAVE)
        if reading is not None and (reading.running or reading.failure):
            draw_task(layout, context, reading)
        if saving is not None:
            draw_task(layout, context, saving)
        if text is None or page is None:
            draw_text(layout, context, "This text shows no USD layer", "INFO")
            return
        layer = page.layer
        draw_text(layout, context, PurePath(layer.identifier).name, "FILE_TEXT")
        draw_text(layout, context, layer.why_locked or _FORMATS[layer.format], "BLANK1")
        row = layout.row(align=True)
        row.operator("stagewright.save_layer", text="Save", icon="FILE_TICK")
        button = row.operator("stagewright.view_layer", text="", icon="FILE_REFRESH")
        button.identifier, button.again, button.step = layer.identifier, True, 0
        layout.operator("stagewright.follow_link", text="Follow Link at Cursor", icon="FORWARD")
        shown = context.window_manager.stagewright_text
        missing = sum(link.state == "missing" for link in page.links)
        told = f", {missing:,} missing" if missing else ""
        draw_text(layout, context, f"{count(len(page.links), 'asset path')}{told}")
        if page.links:
            layout.template_list("STAGEWRIGHT_UL_links", "", shown, "lines", shown, "line", rows=6)


def _draw_way(layout: bpy.types.UILayout) -> None:
    row = layout.row(align=True)
    for step, icon in ((-1, "BACK"), (1, "FORWARD")):
        at = _book.at + step
        there = 0 <= at < len(_book.way)
        part = row.row(align=True)
        part.enabled = there
        text = PurePath(_book.way[at]).name if there else ""
        button = part.operator("stagewright.view_layer", text=text, icon=icon, translate=False)
        button.step = step
        button.identifier = _book.way[at] if there else ""


def _draw_context_menu(self: bpy.types.Menu, context: bpy.types.Context) -> None:
    if page_of(_edited(context)) is not None:
        self.layout.separator()
        self.layout.operator("stagewright.follow_link", icon="FORWARD")


@persistent  # type: ignore[untyped-decorator]
def _forget(path: str) -> None:
    """The texts of the file that was open before are gone."""
    _book.pages.clear()
    _book.way.clear()
    _book.at = -1


_CLASSES = (
    STAGEWRIGHT_PG_text,
    STAGEWRIGHT_OT_view_layer,
    STAGEWRIGHT_OT_follow_link,
    STAGEWRIGHT_OT_follow_listed_link,
    STAGEWRIGHT_OT_save_layer,
    STAGEWRIGHT_UL_links,
    STAGEWRIGHT_PT_layer_text,
)


def register() -> None:
    """Add the panel of the text editor, its operators and its menu entry."""
    for cls in _CLASSES:
        bpy.utils.register_class(cls)
    bpy.types.WindowManager.stagewright_text = PointerProperty(type=STAGEWRIGHT_PG_text)
    bpy.types.TEXT_MT_context_menu.append(_draw_context_menu)
    bpy.app.handlers.load_post.append(_forget)


def unregister() -> None:
    """Take them away; texts stay."""
    _forget("")
    bpy.app.handlers.load_post.remove(_forget)
    bpy.types.TEXT_MT_context_menu.remove(_draw_context_menu)
    del bpy.types.WindowManager.stagewright_text
    for cls in reversed(_CLASSES):
        bpy.utils.unregister_class(cls)
