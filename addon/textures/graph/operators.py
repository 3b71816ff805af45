# SPDX-License-Identifier: GPL-3.0-or-later
# mypy: disable-error-code="valid-type"
"""The node editor's buttons, its panel and its entries in the Add menu."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy
from bpy.props import EnumProperty, IntProperty, StringProperty

from ....jobs.errors import StagewrightError, naming
from ....jobs.events import Job, Message
from ....jobs.text_files import require_text
from ....texture_lab.families import FAMILIES
from ....texture_lab.grammar import understand
from ....texture_lab.graph import Node, TextureGraph, graph_in
from ....texture_lab.texture_set import request_text
from ... import pump
from ...drawing import SidebarPanel, draw_problem, draw_task
from .. import making
from . import running
from .names import NODE_KINDS, TREE, idname, title
from .record import fill, new_tree, output_of, steps_of

KIND = "texture graph"

_EXAMPLE = TextureGraph(
    (
        Node("Material", "text_to_texture", settings={"prompt": "mossy red brick wall"}),
        Node("Output", "output", {"set": "Material"}),
    )
)


def tree_of(context: bpy.types.Context) -> Any:
    """The lab's tree that the node editor shows; None for none."""
    tree = getattr(context.space_data, "edit_tree", None)
    return tree if tree is not None and tree.bl_idname == TREE else None


class _OnTree:
    """What needs a tree in the node editor."""

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Whether there is one."""
        if tree_of(context) is None:
            cls.poll_message_set("Open a Texture Lab tree")  # type: ignore[attr-defined]
            return False
        return True


class STAGEWRIGHT_OT_run_texture_graph(_OnTree, bpy.types.Operator):
    """Make the texture of this output, and a material of it for the active object"""

    bl_idname = "stagewright.run_texture_graph"
    bl_label = "Run"
    bl_options = {"REGISTER"}  # noqa: RUF012

    node: StringProperty(name="Output", description="The output node", options={"SKIP_SAVE"})

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Whether there are a tree and an object."""
        why = problem(context)
        if why:
            cls.poll_message_set(why)
        return not why

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Start the work, or do it when there is no window."""
        try:
            task = run(context, tree_of(context), self.node)
        except StagewrightError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        if not task.running:
            self.report({"INFO"}, task.message)
        return {"FINISHED"}


def run(context: bpy.types.Context, tree: Any, output: str = "") -> pump.Task:
    """Run a tree for the active object: to the end without a window, else beside the work.

    Raises:
        StagewrightError: what is wrong with the tree; without a window, with what it makes.
    """
    item = context.view_layer.objects.active
    size = None if tree.resolution == "NODES" else int(tree.resolution)
    name = ""
    try:
        name = (end := output_of(tree, output)).name
        steps = steps_of(end)
    except StagewrightError as error:
        running.fail(tree.session_uid, [node.name for node in tree.nodes], name, error)
        raise
    displace = context.scene.stagewright_texture.displace
    uid = item.session_uid
    wanted = running.Run(tree.session_uid, name, steps, size, uid, displace)
    return pump.run(running.make(wanted), KIND, f"Run {tree.name}")


def problem(context: bpy.types.Context) -> str:
    """Why the tree cannot run now, or ""."""
    if tree_of(context) is None:
        return "Open a Texture Lab tree"
    if pump.is_running(KIND):
        return "A tree runs: wait, or cancel it"
    return making.target_problem(context)


class STAGEWRIGHT_OT_start_texture_graph(bpy.types.Operator):
    """Begin a tree: a material of words, and the output"""

    bl_idname = "stagewright.start_texture_graph"
    bl_label = "New Texture Tree"
    bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Make it, and show it where there is a node editor."""
        tree = new_tree("Texture")
        fill(tree, _EXAMPLE, Path())
        _show(context, tree)
        return {"FINISHED"}


class STAGEWRIGHT_OT_import_texture_graph(bpy.types.Operator):
    """Make a tree of a record (.json), or of a map that was made of one (.png)"""

    bl_idname = "stagewright.import_texture_graph"
    bl_label = "Import Texture Tree"
    bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012

    filepath: StringProperty(name="File", description="The record, or the map", subtype="FILE_PATH")
    filter_glob: StringProperty(default="*.json;*.png", options={"HIDDEN"})

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Ask for the file."""
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Make the tree."""
        path = Path(bpy.path.abspath(self.filepath))
        tree = None
        try:
            graph = _read(path)
            tree = new_tree(path.stem)
            fill(tree, graph, path.parent)
        except StagewrightError as error:
            if tree is not None:
                bpy.data.node_groups.remove(tree)
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        _show(context, tree)
        return {"FINISHED"}


class STAGEWRIGHT_OT_export_texture_graph(_OnTree, bpy.types.Operator):
    """Write the tree as a record for the command line, its photos and masks beside it"""

    bl_idname = "stagewright.export_texture_graph"
    bl_label = "Export Texture Tree"
    bl_options = {"REGISTER"}  # noqa: RUF012

    filepath: StringProperty(name="File", description="The record", subtype="FILE_PATH")
    filter_glob: StringProperty(default="*.json", options={"HIDDEN"})
    check_existing: bpy.props.BoolProperty(default=True, options={"HIDDEN"})

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Ask for the file."""
        self.filepath = f"{bpy.path.clean_name(tree_of(context).name)}.json"
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Write it."""
        path = Path(bpy.path.abspath(self.filepath)).with_suffix(".json")
        try:
            steps = steps_of(output_of(tree_of(context)))
            task = pump.run(_exported(steps, path), "texture graph export", f"Export {path.name}")
        except StagewrightError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        if not task.running:
            self.report({"INFO"}, task.message)
        return {"FINISHED"}


class STAGEWRIGHT_OT_add_graph_slider(_OnTree, bpy.types.Operator):
    """Set a slider of the material by hand, instead of what the words say"""

    bl_idname = "stagewright.add_graph_slider"
    bl_label = "Set a Slider"
    bl_options = {"REGISTER", "UNDO", "INTERNAL"}  # noqa: RUF012
    bl_property = "slider"

    def _sliders(self, context: bpy.types.Context | None) -> list[tuple[str, str, str]]:
        tree = tree_of(context) if context else None
        found = tree.nodes.get(self.node) if tree else None
        _Offered.items = _sliders_of(found.set_prompt) if found else []
        return _Offered.items

    node: StringProperty(name="Node", description="The node", options={"SKIP_SAVE"})
    slider: EnumProperty(name="Slider", description="Which one", items=_sliders)

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Ask which one."""
        if not self._sliders(context):
            self.report({"WARNING"}, "Say in words what the material is")
            return {"CANCELLED"}
        context.window_manager.invoke_search_popup(self)
        return {"FINISHED"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Add it, with the value that it has of the words."""
        node = tree_of(context).nodes[self.node]
        item = node.sliders.get(self.slider) or node.sliders.add()
        item.name = self.slider
        item.value = understand(node.set_prompt).values[self.slider]
        return {"FINISHED"}


class _Offered:
    """Blender needs the very texts of an enumeration to stay."""

    items: list[tuple[str, str, str]] = []  # noqa: RUF012


def _sliders_of(prompt: str) -> list[tuple[str, str, str]]:
    try:
        family = understand(prompt).family
    except StagewrightError:
        return []  # The node says why when it runs.
    return [(s.name, title(s.name), "") for s in FAMILIES[family.name].sliders]


class STAGEWRIGHT_OT_remove_graph_slider(_OnTree, bpy.types.Operator):
    """Let the words say again what this slider is"""

    bl_idname = "stagewright.remove_graph_slider"
    bl_label = "Remove Slider"
    bl_options = {"REGISTER", "UNDO", "INTERNAL"}  # noqa: RUF012

    node: StringProperty(name="Node", description="The node", options={"SKIP_SAVE"})
    number: IntProperty(name="Number", description="Which one", options={"SKIP_SAVE"})

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Remove it."""
        tree_of(context).nodes[self.node].sliders.remove(self.number)
        return {"FINISHED"}


def _read(path: Path) -> TextureGraph:
    """The graph of a record, a sidecar, or a map.

    Raises:
        StagewrightError: ``no-file``, ``bad-graph``; those of ``request_text``.
    """
    text = request_text(path) if path.suffix.lower() == ".png" else require_text(path)
    with naming(path.name):
        return graph_in(text)


def _exported(steps: Any, path: Path) -> Job[dict[str, Any]]:
    graph = yield from running.gathered(steps, path.parent, None)
    try:
        path.write_text(graph.to_json() + "\n", "utf-8")
    except OSError as error:
        raise StagewrightError(
            "write-failed",
            f"{path} cannot be written: {error.strerror}.",
            "Choose another folder.",
        ) from None
    yield Message(f"Wrote {path.name}; run it with: stagewright texture graph {path.name}")
    return {"files": [str(path)]}


def _show(context: bpy.types.Context, tree: Any) -> None:
    space = context.space_data
    if space is not None and space.type == "NODE_EDITOR":
        space.tree_type = TREE
        space.node_tree = tree


class STAGEWRIGHT_PT_texture_graph(SidebarPanel, bpy.types.Panel):
    """Run a tree, and take it in or out"""

    bl_space_type = "NODE_EDITOR"
    bl_label = "Texture Tree"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Whether the node editor shows trees of the lab."""
        return getattr(context.space_data, "tree_type", "") == TREE

    def draw(self, context: bpy.types.Context) -> None:
        """Draw the button, the resolution and the job."""
        layout = self.layout
        tree = tree_of(context)
        if tree is None:
            layout.operator("stagewright.start_texture_graph", icon="ADD")
        else:
            layout.use_property_split = True
            layout.use_property_decorate = False
            layout.prop(tree, "resolution")
            layout.operator("stagewright.run_texture_graph", icon="PLAY")
            draw_problem(layout, context, problem(context))
        task = pump.last(KIND)
        if task is not None:
            draw_task(layout, context, task)
        row = layout.row(align=True)
        row.operator("stagewright.import_texture_graph", text="Import", icon="IMPORT")
        if tree is not None:
            row.operator("stagewright.export_texture_graph", text="Export", icon="EXPORT")


class STAGEWRIGHT_MT_texture_nodes(bpy.types.Menu):
    """Nodes of the Texture Lab"""

    bl_idname = "STAGEWRIGHT_MT_texture_nodes"
    bl_label = "Texture Lab"

    def draw(self, context: bpy.types.Context) -> None:
        """Draw an entry for each kind."""
        for kind in NODE_KINDS:
            entry = self.layout.operator("node.add_node", text=title(kind))
            entry.type, entry.use_transform = idname(kind), True


def _draw_add(self: bpy.types.Menu, context: bpy.types.Context) -> None:
    if getattr(context.space_data, "tree_type", "") == TREE:
        self.layout.menu_contents("STAGEWRIGHT_MT_texture_nodes")


_CLASSES = (
    STAGEWRIGHT_OT_run_texture_graph,
    STAGEWRIGHT_OT_start_texture_graph,
    STAGEWRIGHT_OT_import_texture_graph,
    STAGEWRIGHT_OT_export_texture_graph,
    STAGEWRIGHT_OT_add_graph_slider,
    STAGEWRIGHT_OT_remove_graph_slider,
    STAGEWRIGHT_PT_texture_graph,
    STAGEWRIGHT_MT_texture_nodes,
)


def register() -> None:
    """Add the operators, the panel and the menu."""
    for cls in _CLASSES:
        bpy.utils.register_class(cls)
    bpy.types.NODE_MT_add.append(_draw_add)


def unregister() -> None:
    """Take them away."""
    bpy.types.NODE_MT_add.remove(_draw_add)
    for cls in reversed(_CLASSES):
        bpy.utils.unregister_class(cls)
