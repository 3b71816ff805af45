# SPDX-License-Identifier: GPL-3.0-or-later
"""What a field is like, as objects: a slice with iso-lines, arrows, streamlines, curvature."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import bpy
import numpy as np
from mathutils import Matrix
from numpy.typing import NDArray

from ...field_tools import work
from ...jobs.events import Message, Progress
from ...jobs.process import run_child
from ..undo import push_undo
from . import making, operators, reading, writing

COLOURS, VALUES = "Field Colour", "Field"
"""Attributes of what is shown."""


def show(sources: Sequence[bpy.types.Object], options: dict[str, Any]) -> making.Making:
    """Make objects that show the field of ``sources``: a mesh, curves, or both.

    Args:
        sources: the first one gives them their place and name.
        options: as `STAGEWRIGHT_PG_field.options` tells them.

    Raises:
        StagewrightError: what the sources or the view are refused for.
    """
    bpy.utils.expose_bundled_modules()
    uid, name = sources[0].session_uid, f"{sources[0].name} {options['view'].title()}"
    options = {**options, "operation": "CONVERT", "output": "MESH"}
    with TemporaryDirectory(prefix="stagewright-", dir=bpy.app.tempdir or None) as temporary:
        folder = Path(temporary)
        frame = reading.frame_of(sources[0])
        told = making.write_inputs(sources, options, frame, folder)
        yield Progress("field.start", 0.0, "Measuring distances")
        arguments = {"folder": str(folder), "options": {**options, "sources": told}}
        value = yield from run_child("field_tools.work:show_field", arguments, folder=folder)
        with np.load(folder / work.RESULT) as stored:
            arrays = {key: stored[key] for key in stored.files}
    beside, matrix = making.find(uid), Matrix(frame.tolist())
    made = []
    if "quads" in arrays:
        made.append(_add_mesh(arrays, name, beside))
    if len(arrays.get("offsets", ())) > 1:
        made.append(_add_curves(arrays, f"{name} Lines" if made else name, beside))
    for item in made:
        item.matrix_world = matrix
    push_undo(name)
    yield Message(f"{name}: values from {value['least']:.4g} to {value['greatest']:.4g}.")
    return {**value, "objects": [item.name for item in made]}


def _add_mesh(
    arrays: dict[str, NDArray[Any]], name: str, beside: bpy.types.Object | None
) -> bpy.types.Object:
    mesh = bpy.data.meshes.new(name)
    writing.fill_mesh(mesh, arrays["vertices"], arrays["quads"])
    _add_values(mesh.attributes, arrays)
    mesh.attributes.active_color_name = COLOURS
    mesh.attributes.default_color_name = COLOURS
    mesh.shade_smooth()
    mesh.materials.append(_material())
    return writing.add_object(mesh, name, beside)


def _add_curves(
    arrays: dict[str, NDArray[Any]], name: str, beside: bpy.types.Object | None
) -> bpy.types.Object:
    curves = bpy.data.hair_curves.new(name)
    curves.add_curves(np.diff(arrays["offsets"]).tolist())
    points = np.ascontiguousarray(arrays["points"], np.float32)
    curves.points.foreach_set("position", points.ravel())
    radii = arrays.get("radii")
    if radii is not None:
        curves.points.foreach_set("radius", np.ascontiguousarray(radii, np.float32))
    if "quads" not in arrays:
        _add_values(curves.attributes, arrays)
    curves.materials.append(_material())
    return writing.add_object(curves, name, beside)


def _add_values(attributes: Any, arrays: dict[str, NDArray[Any]]) -> None:
    for name, kind, field, key in (
        (VALUES, "FLOAT", "value", "values"),
        (COLOURS, "FLOAT_COLOR", "color", "colours"),
    ):
        data = attributes.new(name, kind, "POINT").data
        data.foreach_set(field, np.ascontiguousarray(arrays[key], np.float32).ravel())


def _material() -> bpy.types.Material:
    """The material that shows the colours; one for all."""
    found = bpy.data.materials.get(COLOURS)
    if found is not None:
        return found
    material = bpy.data.materials.new(COLOURS)
    if material.node_tree is None:
        material.use_nodes = True
    nodes, link = material.node_tree.nodes, material.node_tree.links.new
    nodes.clear()
    source, shader, output = (
        nodes.new(f"ShaderNode{kind}") for kind in ("Attribute", "BsdfPrincipled", "OutputMaterial")
    )
    source.attribute_name = COLOURS
    shader.inputs["Roughness"].default_value = 0.8
    source.location.x, output.location.x = -250, 300
    link(source.outputs["Color"], shader.inputs["Base Color"])
    link(shader.outputs["BSDF"], output.inputs["Surface"])
    return material


class STAGEWRIGHT_OT_show_field(bpy.types.Operator):
    """Show the field of what is selected, as the Visualise panel says"""

    bl_idname = "stagewright.show_field"
    bl_label = "Show Field"
    bl_options = {"REGISTER"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Whether something is selected that has a field."""
        why = operators.busy() or making.problem(context, joins=False)
        if why:
            cls.poll_message_set(why)
        return not why

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Start the work, or do it when there is no window."""
        options = context.scene.stagewright_field.options()
        sources = making.sources_of(context)
        return operators.run(self, show(sources, options), f"Show {sources[0].name}")


register, unregister = bpy.utils.register_classes_factory((STAGEWRIGHT_OT_show_field,))
