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

_CURVES = {"CURVE", "SURFACE", "FONT"}
# Their faces come in a depsgraph entry of their own.
_FACES_ELSEWHERE = _CURVES | {"META"}


@dataclass(frozen=True)
class _Copy:
    """One instance to be made real, held without any evaluated data."""

    emitter: bpy.types.Object
    shown: bpy.types.Object
    mesh: bpy.types.Mesh | None
    matrix: mathutils.Matrix


def prepare(
    collection: bpy.types.Collection, objects: list[bpy.types.Object], images: Path
) -> Job[dict[str, str]]:
    """Make ``objects`` of ``collection`` exportable, and hide its other ones.

    Args:
        collection: what will be exported.
        objects: its objects to export.
        images: a folder for images that have no file.

    Returns:
        The aliases of the real copies, as ``SceneRecord`` has them.
    """
    yield Progress("scene.images", None, "Writing packed images")
    for image in bpy.data.images:
        _to_disk(image, images)
    # The exporter knows nothing of the eye icon; the picture is of what is exported.
    for hidden in set(collection.all_objects) - set(objects):
        hidden.hide_viewport = hidden.hide_render = True
    for shown in objects:  # an armature may be hidden
        shown.hide_viewport = False
        if shown.name in bpy.context.view_layer.objects:
            shown.hide_set(False)
    yield Progress("scene.instances", None, "Making instances real")
    emitters = [o for o in objects if _emits(o)]
    copies = _collect(set(emitters))
    bases = {o: _base_mesh(o) for o in emitters if o.type == "MESH"}
    yield Progress("scene.curves", None, "Making curves into meshes")
    # Before the node trees go: a curve may get its faces from one.
    _curves_to_meshes(objects)
    aliases = _make_real(copies, collection)
    for emitter in emitters:
        _strip(emitter, bases.get(emitter))
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
            # Each tile has its own number; a single image need not be called as when packed.
            tile = image_file_name(image, packed.filepath) if image.source == "TILED" else name
            (own / tile).write_bytes(packed.packed_file.data)
        image.unpack(method="REMOVE")
    else:
        image.file_format = "PNG"
        image.save(filepath=str(own / name))
        image.source = "FILE"
    image.filepath = str(own / name)


def _emits(item: bpy.types.Object) -> bool:
    """Whether ``item`` shows instances that the exporter would get wrong.

    Those are the ones that come, at whatever depth, out of a node tree, and curves.
    """
    if item.type == "EMPTY":
        collection = item.instance_collection if item.instance_type == "COLLECTION" else None
        return collection is not None and any(
            _emits(o) or o.type in _CURVES for o in collection.all_objects
        )
    return any(m.type == "NODES" and m.show_viewport and m.node_group for m in item.modifiers)


def _collect(emitters: set[bpy.types.Object]) -> list[_Copy]:
    """The instances of ``emitters``; prototypes of equal materials are copied once and shared."""
    if not emitters:
        return []
    depsgraph = bpy.context.evaluated_depsgraph_get()
    prototypes: dict[tuple[object, ...], bpy.types.Mesh] = {}
    copies: list[_Copy] = []
    for instance in depsgraph.object_instances:
        if not instance.is_instance or instance.parent.original not in emitters:
            continue
        shown = instance.object
        if is_own_geometry(instance) or (shown.type in _FACES_ELSEWHERE and _has_faces(shown)):
            continue
        mesh = None
        if shown.type == "MESH":
            key = (shown.data.as_pointer(), *effective_materials(shown, shown.data))
            if key not in prototypes:
                prototypes[key] = _own_copy(shown, shown.data)
            mesh = prototypes[key]
        copies.append(
            _Copy(
                emitter=instance.parent.original,
                shown=instance.instance_object.original,
                mesh=mesh,
                matrix=instance.matrix_world.copy(),
            )
        )
    return copies


def _has_faces(evaluated: bpy.types.Object) -> bool:
    """Whether an evaluated curve, text or metaball has a mesh with faces."""
    # There is none where a node tree gives out something else.
    mesh = evaluated.to_mesh()
    faces = len(mesh.polygons) if mesh is not None else 0
    evaluated.to_mesh_clear()
    return faces > 0


def _own_copy(shown: bpy.types.Object, mesh: bpy.types.Mesh) -> bpy.types.Mesh:
    """A real mesh with the materials that ``shown`` gives to ``mesh``."""
    copy = mesh.copy()
    # One by one: clearing the list would also reset the faces' material indices.
    for index, material in enumerate(effective_materials(shown, mesh)):
        copy.materials[index] = material
    return copy


def _base_mesh(item: bpy.types.Object) -> bpy.types.Mesh:
    """The geometry of the mesh object ``item`` without its instances, evaluated."""
    evaluated = item.evaluated_get(bpy.context.evaluated_depsgraph_get())
    return _own_copy(evaluated, evaluated.data)


def _make_real(copies: list[_Copy], collection: bpy.types.Collection) -> dict[str, str]:
    """Put objects for ``copies`` into a new child of ``collection``; return their aliases."""
    aliases: dict[str, str] = {}
    if not copies:
        return aliases
    # One of our own, as the emitter's may be linked from a library.
    place = bpy.data.collections.new("Instances")
    collection.children.link(place)
    counts: dict[bpy.types.Object, int] = {}
    for copy in copies:
        number = counts[copy.emitter] = counts.get(copy.emitter, 0) + 1
        made = _real_object(copy, f"{copy.emitter.name}.inst.{number:04d}")
        place.objects.link(made)
        aliases[made.name] = copy.shown.name
    return aliases


def _real_object(copy: _Copy, name: str) -> bpy.types.Object:
    if copy.mesh is not None:
        made = bpy.data.objects.new(name, copy.mesh)
    else:
        made = copy.shown.copy()
        made.name = name
        made.animation_data_clear()
        made.constraints.clear()
    made.parent = copy.emitter
    made.matrix_parent_inverse = copy.emitter.matrix_world.inverted_safe()
    made.matrix_basis = copy.matrix
    return made


def _strip(item: bpy.types.Object, mesh: bpy.types.Mesh | None) -> None:
    """Leave ``item`` with its own geometry alone: ``mesh``, or what no node tree made."""
    if mesh is None:
        item.instance_type = "NONE"
        for modifier in [m for m in item.modifiers if m.type == "NODES"]:
            item.modifiers.remove(modifier)
        if item.type in _CURVES:
            # It shows no faces, or it would be a mesh by now; without the node tree it might.
            item.data = bpy.data.curves.new(item.data.name, item.type)
            if item.type == "FONT":
                item.data.body = ""
        return
    item.modifiers.clear()
    before, item.data = item.data, mesh
    if not before.users:
        name = before.name
        bpy.data.meshes.remove(before)
        mesh.name = name
    for slot in item.material_slots:
        slot.link = "DATA"


def _curves_to_meshes(objects: list[bpy.types.Object]) -> None:
    """Turn curves, surfaces and texts that show faces into meshes, in place."""
    depsgraph = bpy.context.evaluated_depsgraph_get()
    curves = [o for o in objects if o.type in _CURVES]
    for item in [o for o in curves if _has_faces(o.evaluated_get(depsgraph))]:
        # Converting one object must not change others that show the same curve.
        if item.data.users > 1:
            item.data = item.data.copy()
        with bpy.context.temp_override(
            active_object=item,
            object=item,
            selected_objects=[item],
            selected_editable_objects=[item],
        ):
            if bpy.ops.object.convert(target="MESH") != {"FINISHED"}:
                raise StagewrightError(
                    "cannot-convert",
                    f"The curve '{item.name}' cannot be made into a mesh.",
                    "Convert it in Blender (Object > Convert > Mesh) and export again.",
                )
