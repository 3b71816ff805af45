# SPDX-License-Identifier: GPL-3.0-or-later
"""Changes made to the copy of the scene so that the native exporter holds it.

Blender's exporter writes wrong geometry for instances whose prototype is made
inside a node tree, drops the bevel of curves, and needs images on disk.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import bpy
import mathutils

from ...jobs.errors import StagewrightError
from ...jobs.events import Job, Progress
from .materials import image_file_name
from .reading import effective_materials, is_own_geometry


@dataclass(frozen=True)
class _Copy:
    """One instance to be made real, held without any evaluated data."""

    emitter: str
    shown: str
    mesh: bpy.types.Mesh | None
    matrix: mathutils.Matrix


def prepare(
    collection: bpy.types.Collection, names: list[str], images: Path
) -> Job[dict[str, str]]:
    """Make the objects ``names`` of ``collection`` exportable, and hide its other ones.

    Args:
        collection: what will be exported.
        names: its objects to export.
        images: a folder for images that have no file.

    Returns:
        The aliases of the real copies, as ``SceneRecord`` has them.
    """
    yield Progress("scene.images", None, "Writing packed images")
    for image in bpy.data.images:
        _to_disk(image, images)
    # The exporter knows nothing of the eye icon; the picture is of what is exported.
    for hidden in {o.name for o in collection.all_objects} - set(names):
        bpy.data.objects[hidden].hide_viewport = True
        bpy.data.objects[hidden].hide_render = True
    yield Progress("scene.instances", None, "Making instances real")
    aliases = _make_instances_real(set(names))
    yield Progress("scene.curves", None, "Making curves into meshes")
    _curves_to_meshes(names)
    return aliases


def _to_disk(image: bpy.types.Image, folder: Path) -> None:
    """Give a packed or generated ``image`` a file in a folder of its own below ``folder``."""
    if not image.users or not (image.source == "GENERATED" or image.packed_files):
        return
    own = folder / f"{image.session_uid:08d}"
    own.mkdir(parents=True)
    name = image_file_name(image)
    if image.packed_files:
        for packed in image.packed_files:
            target = own / image_file_name(image, packed.filepath)
            target.write_bytes(packed.packed_file.data)
        image.unpack(method="REMOVE")
    else:
        image.file_format = "PNG"
        image.save(filepath=str(own / name))
        image.source = "FILE"
    image.filepath = str(own / name)


def _make_instances_real(names: set[str]) -> dict[str, str]:
    emitters = sorted(n for n in names if _emits(bpy.data.objects[n]))
    if not emitters:
        return {}
    copies = _collect(set(emitters))
    bases = {name: _base_mesh(bpy.data.objects[name]) for name in emitters}
    aliases: dict[str, str] = {}
    counts: dict[str, int] = {}
    for copy in copies:
        number = counts[copy.emitter] = counts.get(copy.emitter, 0) + 1
        made = _make_real(copy, f"{copy.emitter}.inst.{number:04d}")
        aliases[made.name] = copy.shown
    for name, mesh in bases.items():
        _strip(bpy.data.objects[name], mesh)
    return aliases


def _emits(item: bpy.types.Object) -> bool:
    """Whether ``item`` shows instances that come, at whatever depth, out of a node tree."""
    if item.type == "EMPTY":
        collection = item.instance_collection if item.instance_type == "COLLECTION" else None
        return collection is not None and any(_emits(o) for o in collection.all_objects)
    return any(m.type == "NODES" and m.show_viewport and m.node_group for m in item.modifiers)


def _collect(emitters: set[str]) -> list[_Copy]:
    """The instances of ``emitters``; prototypes are copied once and shared."""
    depsgraph = bpy.context.evaluated_depsgraph_get()
    prototypes: dict[int, bpy.types.Mesh] = {}
    copies: list[_Copy] = []
    for instance in depsgraph.object_instances:
        if not instance.is_instance or instance.parent.original.name not in emitters:
            continue
        shown = instance.object
        if is_own_geometry(instance) or _shows_faces_elsewhere(shown):
            continue
        mesh = None
        if shown.type == "MESH":
            key = shown.data.as_pointer()
            if key not in prototypes:
                prototypes[key] = _own_copy(shown, shown.data)
            mesh = prototypes[key]
        copies.append(
            _Copy(
                emitter=instance.parent.original.name,
                shown=instance.instance_object.original.name,
                mesh=mesh,
                matrix=instance.matrix_world.copy(),
            )
        )
    return copies


def _shows_faces_elsewhere(shown: bpy.types.Object) -> bool:
    """Whether the faces of a curve, text or metaball come in an entry of their own."""
    if shown.type not in {"CURVE", "SURFACE", "FONT", "META"}:
        return False
    faces = len(shown.to_mesh().polygons)
    shown.to_mesh_clear()
    return faces > 0


def _own_copy(shown: bpy.types.Object, mesh: bpy.types.Mesh) -> bpy.types.Mesh:
    """A real mesh with the materials that ``shown`` gives to ``mesh``."""
    copy = mesh.copy()
    # One by one: clearing the list would also reset the faces' material indices.
    for index, material in enumerate(effective_materials(shown, mesh)):
        copy.materials[index] = material
    return copy


def _base_mesh(item: bpy.types.Object) -> bpy.types.Mesh | None:
    """The geometry of ``item`` without its instances, evaluated."""
    if item.type != "MESH":
        return None
    evaluated = item.evaluated_get(bpy.context.evaluated_depsgraph_get())
    return _own_copy(evaluated, evaluated.data)


def _make_real(copy: _Copy, name: str) -> bpy.types.Object:
    emitter = bpy.data.objects[copy.emitter]
    if copy.mesh is not None:
        made = bpy.data.objects.new(name, copy.mesh)
    else:
        made = bpy.data.objects[copy.shown].copy()
        made.name = name
        made.animation_data_clear()
        made.constraints.clear()
    for collection in emitter.users_collection:
        collection.objects.link(made)
    made.parent = emitter
    made.matrix_parent_inverse = emitter.matrix_world.inverted_safe()
    made.matrix_basis = copy.matrix
    return made


def _strip(item: bpy.types.Object, mesh: bpy.types.Mesh | None) -> None:
    """Leave ``item`` with its own geometry alone."""
    if mesh is None:
        item.instance_type = "NONE"
        return
    item.modifiers.clear()
    before, item.data = item.data, mesh
    if not before.users:
        name = before.name
        bpy.data.meshes.remove(before)
        mesh.name = name
    for slot in item.material_slots:
        slot.link = "DATA"


def _curves_to_meshes(names: list[str]) -> None:
    """Turn curves and surfaces that show faces into meshes, in place."""
    depsgraph = bpy.context.evaluated_depsgraph_get()
    solid: list[str] = []
    for name in names:
        item = bpy.data.objects[name]
        if item.type not in {"CURVE", "SURFACE"}:
            continue
        evaluated = item.evaluated_get(depsgraph)
        if len(evaluated.to_mesh().polygons):
            solid.append(name)
        evaluated.to_mesh_clear()
    for name in solid:
        item = bpy.data.objects[name]
        with bpy.context.temp_override(
            active_object=item,
            object=item,
            selected_objects=[item],
            selected_editable_objects=[item],
        ):
            if bpy.ops.object.convert(target="MESH") != {"FINISHED"}:
                raise StagewrightError(
                    "cannot-convert",
                    f"The curve '{name}' cannot be made into a mesh.",
                    "Convert it in Blender (Object > Convert > Mesh) and export again.",
                )
