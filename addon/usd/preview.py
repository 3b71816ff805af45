# SPDX-License-Identifier: GPL-3.0-or-later
# mypy: disable-error-code="valid-type"
"""The inspected stage drawn into the 3D views: nothing of it is in the .blend, ever."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import bpy
import numpy as np
from bpy_extras import view3d_utils
from mathutils import Vector
from numpy.typing import NDArray

from ...jobs.errors import StagewrightError
from ...jobs.events import Job, Message
from ...pipeline.summaries import count
from .. import pump
from ..drawing import draw_task, draw_text
from ..worker import child
from . import looking
from .lists import Below

if TYPE_CHECKING:  # USD takes half a second
    from ...usd_tools.inspect.preview import Preview
    from ...usd_tools.inspect.session import Session

KIND = "preview"

_MARKED = (1.0, 0.45, 0.1, 0.55)
# A light over each shoulder and one from behind, as colours are lit once for all views.
_LIGHTS = (((0.5, -0.6, 0.6), 0.7), ((-0.7, -0.2, 0.4), 0.3), ((0.1, 0.9, 0.2), 0.3))


class _Shown:
    """What is drawn: one stage in all views."""

    on = False
    preview: Preview | None = None
    version = (0, 0)
    batch: Any = None
    marked = ""
    mark: Any = None
    handle: Any = None


def shown() -> Preview | None:
    """What is drawn."""
    return _Shown.preview


def _version(now: Session) -> tuple[int, int]:
    return id(now), now.version


def _read(now: Session) -> Job[Mapping[str, Any]]:
    """Let another process read the triangles; then draw them."""
    from ...usd_tools.inspect.preview import load_preview

    version, state = _version(now), now.state()
    with tempfile.TemporaryDirectory(prefix="stagewright-", dir=bpy.app.tempdir or None) as folder:
        value = yield from child(
            "usd_tools.inspect.preview:save_preview", state=state, folder=folder, time=now.time
        )
        found = load_preview(Path(folder), value)
    if _Shown.on and looking.session() is now:
        _Shown.preview, _Shown.version = found, version
        _Shown.batch, _Shown.marked = None, ""
        _redraw()
    left = f"; {count(found.left_out, 'prim')} left out" if found.left_out else ""
    triangles, prims = count(len(found.corners), "triangle"), count(len(found.paths), "prim")
    yield Message(f"{triangles} of {prims}{left}.")
    return {}


def _follow() -> None:
    """Show what is chosen now, or nothing when nothing is open."""
    now = looking.session()
    if now is None:
        hide()
    elif _Shown.on and _version(now) != _Shown.version and not pump.is_running(KIND):
        try:
            pump.run(_read(now), KIND, "Read the preview")
        except StagewrightError as error:
            looking.note(error)
    elif _Shown.on:
        _redraw()  # another prim may be marked


def show() -> None:
    """Draw the stage in the 3D views."""
    _Shown.on = True
    if _Shown.handle is None:
        _Shown.handle = bpy.types.SpaceView3D.draw_handler_add(_draw, (), "WINDOW", "POST_VIEW")
    _follow()


def hide() -> None:
    """Draw it no more, and forget it."""
    _Shown.on, _Shown.preview, _Shown.version = False, None, (0, 0)
    _Shown.batch = _Shown.mark = None
    if _Shown.handle is not None:
        bpy.types.SpaceView3D.draw_handler_remove(_Shown.handle, "WINDOW")
        _Shown.handle = None
    task = pump.last(KIND)
    if task is not None:
        pump.cancel(task.number)
        pump.dismiss(task.number)
    _redraw()


def _redraw() -> None:
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            if area.type == "VIEW_3D":
                area.tag_redraw()


def lit(found: Preview) -> NDArray[np.float32]:
    """(t, 4) colour of each triangle, lit from three sides; both faces of it alike."""
    sides = found.corners[:, 1:] - found.corners[:, :1]
    normals = np.cross(sides[:, 0], sides[:, 1])
    length = np.linalg.norm(normals, axis=1, keepdims=True)
    normals = normals / np.where(length == 0, 1, length)
    light = np.full(len(normals), 0.25, np.float32)
    for direction, strength in _LIGHTS:
        towards = np.array(direction) / np.linalg.norm(direction)
        light += (strength * np.abs(normals @ towards)).astype(np.float32)
    colors = np.repeat(found.colors, np.diff(found.starts), axis=0) * light[:, None]
    whole: NDArray[np.float32] = np.concatenate(
        [colors, np.ones((len(colors), 1), np.float32)], axis=1
    ).astype(np.float32)
    return whole


def _draw() -> None:
    """Draw in one view; batches are made once, when there is a view to make them for."""
    import gpu
    from gpu_extras.batch import batch_for_shader

    found = _Shown.preview
    if found is None or not len(found.corners):
        return
    if _Shown.batch is None:
        positions = found.corners.reshape(-1, 3)
        colors = np.repeat(lit(found), 3, axis=0)
        flat = gpu.shader.from_builtin("FLAT_COLOR")
        _Shown.batch = batch_for_shader(flat, "TRIS", {"pos": positions, "color": colors})
    _mark(found)
    gpu.state.depth_test_set("LESS_EQUAL")
    gpu.state.depth_mask_set(True)
    try:
        _Shown.batch.draw(gpu.shader.from_builtin("FLAT_COLOR"))
        if _Shown.mark is not None:
            shader = gpu.shader.from_builtin("UNIFORM_COLOR")
            shader.bind()
            shader.uniform_float("color", _MARKED)
            gpu.state.blend_set("ALPHA")
            _Shown.mark.draw(shader)
    finally:
        gpu.state.blend_set("NONE")
        gpu.state.depth_mask_set(False)
        gpu.state.depth_test_set("NONE")


def _mark(found: Preview) -> None:
    """Make the batch of the chosen prim, when another one is chosen."""
    import gpu
    from gpu_extras.batch import batch_for_shader

    now = looking.session()
    path = now.details.path if now is not None and now.details is not None else ""
    if path == _Shown.marked:
        return
    corners = _corners_of(found, path)
    _Shown.marked, _Shown.mark = path, None
    if len(corners):
        shader = gpu.shader.from_builtin("UNIFORM_COLOR")
        _Shown.mark = batch_for_shader(shader, "TRIS", {"pos": corners.reshape(-1, 3)})


def _corners_of(found: Preview, path: str) -> NDArray[np.float32]:
    from ...usd_tools.inspect.preview import triangles_of

    corners: NDArray[np.float32] = found.corners[triangles_of(found, path) if path else []]
    return corners


def frame(found: Preview, path: str, view: bpy.types.RegionView3D) -> bool:
    """Let ``view`` look at the prim; False if it shows nothing."""
    points = _corners_of(found, path).reshape(-1, 3)
    if not len(points):
        return False
    low, high = points.min(0), points.max(0)
    view.view_location = Vector(((low + high) / 2).tolist())
    view.view_distance = max(float(np.linalg.norm(high - low)) * 1.5, 0.01)
    return True


class _Previewing:
    """What the operators have in common."""

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Whether a stage is drawn in this 3D view."""
        why = "" if _Shown.preview else "The preview is not shown"
        if context.space_data is None or context.space_data.type != "VIEW_3D":
            why = "This is no 3D view"
        if why:
            cls.poll_message_set(why)  # type: ignore[attr-defined]
        return not why


class STAGEWRIGHT_OT_preview_usd(bpy.types.Operator):
    """Draw the stage in the 3D views, as it is chosen here; nothing is added to your scene"""

    bl_idname = "stagewright.preview_usd"
    bl_label = "Show in 3D Views"
    bl_options = {"INTERNAL"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Whether a file is open."""
        if looking.session() is None:
            cls.poll_message_set("No USD file is open")
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Show it, or hide it again."""
        if _Shown.on:
            hide()
        else:
            show()
        return {"FINISHED"}


class STAGEWRIGHT_OT_frame_prim(_Previewing, bpy.types.Operator):
    """Let this 3D view look at the chosen prim"""

    bl_idname = "stagewright.frame_prim"
    bl_label = "Frame Prim"
    bl_options = {"INTERNAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Frame it, or everything where nothing is chosen."""
        now, found = looking.session(), _Shown.preview
        if now is None or found is None:
            return {"CANCELLED"}
        path = now.details.path if now.details else "/"
        if not frame(found, path, context.space_data.region_3d):
            self.report({"WARNING"}, f"{path} shows nothing")
            return {"CANCELLED"}
        return {"FINISHED"}


class STAGEWRIGHT_OT_pick_prim(_Previewing, bpy.types.Operator):
    """Click on the preview to choose the prim there; Esc or a right click ends it"""

    bl_idname = "stagewright.pick_prim"
    bl_label = "Pick Prim"
    bl_options = {"INTERNAL"}

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Wait for the click."""
        context.window.cursor_modal_set("EYEDROPPER")
        context.window_manager.modal_handler_add(self)
        return {"RUNNING_MODAL"}

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Take the click; the view can be turned until then."""
        if event.type in {"ESC", "RIGHTMOUSE"}:
            context.window.cursor_modal_restore()
            return {"CANCELLED"}
        if event.type == "LEFTMOUSE" and event.value == "PRESS":
            context.window.cursor_modal_restore()
            return self._pick(context, event)
        return {"PASS_THROUGH"}

    def _pick(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        from ...usd_tools.inspect.preview import pick

        region = next(r for r in context.area.regions if r.type == "WINDOW")
        view, found = context.space_data.region_3d, _Shown.preview
        if found is None:
            return {"CANCELLED"}
        at = event.mouse_x - region.x, event.mouse_y - region.y
        origin = view3d_utils.region_2d_to_origin_3d(region, view, at)
        direction = view3d_utils.region_2d_to_vector_3d(region, view, at)
        path = pick(found, np.array(origin, np.float64), np.array(direction, np.float64))
        if not path:
            self.report({"INFO"}, "There is no prim of the preview")
            return {"CANCELLED"}
        return set(bpy.ops.stagewright.reveal_prim(path=path))


class STAGEWRIGHT_PT_usd_preview(Below, bpy.types.Panel):
    """The stage in the 3D views, beside your scene and outside of it"""

    bl_label = "Preview"
    bl_order = 9

    def draw(self, context: bpy.types.Context) -> None:
        """Draw the switch, and what can be done with what is shown."""
        layout = self.layout
        layout.operator(
            "stagewright.preview_usd",
            icon="HIDE_OFF" if _Shown.on else "HIDE_ON",
            depress=_Shown.on,
        )
        row = layout.row(align=True)
        row.operator("stagewright.pick_prim", text="Pick", icon="EYEDROPPER")
        row.operator("stagewright.frame_prim", text="Frame", icon="ZOOM_SELECTED")
        task = pump.last(KIND)
        if task is not None:
            draw_task(layout, context, task)
        elif _Shown.preview is not None:
            draw_text(layout, context, count(len(_Shown.preview.paths), "prim"))


_CLASSES = (
    STAGEWRIGHT_OT_preview_usd,
    STAGEWRIGHT_OT_frame_prim,
    STAGEWRIGHT_OT_pick_prim,
    STAGEWRIGHT_PT_usd_preview,
)


def register() -> None:
    """Add the panel and its operators."""
    for cls in _CLASSES:
        bpy.utils.register_class(cls)
    looking.listeners.append(_follow)


def unregister() -> None:
    """Take them away, and draw nothing more."""
    looking.listeners.remove(_follow)
    hide()
    for cls in reversed(_CLASSES):
        bpy.utils.unregister_class(cls)
