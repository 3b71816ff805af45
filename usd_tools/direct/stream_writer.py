# SPDX-License-Identifier: GPL-3.0-or-later
"""A stream of records authored into a layer."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

from pxr import Sdf

from ...jobs.events import Event, Job, Progress
from ..runtime import require_pxr
from .camera import author_camera
from .crate import CrateValues, write_tables
from .curves import author_basis_curves, author_nurbs_curves, author_points
from .layer_writer import LayerWriter
from .light import author_dome_light, author_light
from .material import author_material
from .mesh import author_mesh
from .point_instancer import author_point_instancer
from .records import (
    BasisCurvesRecord,
    CameraRecord,
    DomeLightRecord,
    FrameRecord,
    LightRecord,
    MaterialRecord,
    MeshRecord,
    NurbsCurvesRecord,
    PointInstancerRecord,
    PointsRecord,
    PresenceRecord,
    Record,
    ReferenceRecord,
    SkelAnimationRecord,
    SkeletonRecord,
    SkelRootRecord,
    SkinRecord,
    StageRecord,
    VolumeRecord,
    XformRecord,
)
from .skel import author_skel_animation, author_skel_root, author_skeleton, author_skin
from .text_layer import TextValues, fill_layer
from .volume import author_volume
from .xform import author_xform

Stream = Generator[Record | Event, None, None]


def write_stream(
    stream: Stream,
    target: Sdf.Layer | Path,
    look: Sdf.Layer | None = None,
    references: Sdf.Layer | None = None,
) -> Job[None]:
    """Author the records of ``stream`` into ``target``, in place of what it holds.

    A layer is not saved. Events of the stream are passed on. Each record is
    taken in before the next one is asked for, and then let go.

    Args:
        stream: what to author.
        target: for all that is not ``look``'s: a layer, or the .usdc file to write,
            which is far sooner done.
        look: for materials and their bindings, as opinions to be composed over
            those of ``target``, which has them when this is None.
        references: for references to published assets, as opinions about prims of
            ``target``, which has them when this is None.

    Raises:
        StagewrightError: ``foreign-pxr``, ``target-unwritable``, and what the stream raises.
    """
    require_pxr()
    text = TextValues()
    others = [None if layer is None else LayerWriter(text) for layer in (look, references)]
    with ExitStack() as stack:
        stack.enter_context(closing(stream))
        if isinstance(target, Path):
            values = stack.enter_context(closing(CrateValues(target)))
            writer = LayerWriter(values, *others)
        else:
            writer = LayerWriter(text, *others)
        for item in stream:
            if isinstance(item, Event):
                yield item
            else:
                _AUTHORS[type(item)](writer, item)
        if isinstance(target, Path):
            yield Progress("usd.author", 0.0, f"Writing {target.name}")
            write_tables(writer, values)
        else:
            yield from fill_layer(writer, target)
    if look is not None:
        yield from fill_layer(writer.look, look)
    if references is not None:
        yield from fill_layer(writer.references, references)


def _author_frame(writer: LayerWriter, record: FrameRecord) -> None:
    for each in {writer, writer.look, writer.references}:
        each.begin_frame(record.frame)


def _author_presence(writer: LayerWriter, record: PresenceRecord) -> None:
    prim, _ = writer.define(record.path, "Xform")
    before, now = ("inherited" if v else "invisible" for v in (record.before, record.present))
    writer.set_until_now(prim, "visibility", "token", before)
    writer.set(prim, "visibility", "token", now)


def _author_stage(writer: LayerWriter, record: StageRecord) -> None:
    metadata: dict[str, tuple[str, str | float]] = {
        "defaultPrim": ("token", record.root),
        "metersPerUnit": ("double", record.meters_per_unit),
        "upAxis": ("token", record.up_axis),
    }
    if record.frames is not None:
        start, end = record.frames
        rate = record.frames_per_second
        metadata |= {
            "startTimeCode": ("double", start),
            "endTimeCode": ("double", end),
            "timeCodesPerSecond": ("double", rate),
            "framesPerSecond": ("double", rate),
        }
    writer.metadata = writer.look.metadata = writer.references.metadata = metadata
    prim, _ = writer.define(f"/{record.root}", "Xform")
    writer.look.over(f"/{record.root}")
    writer.references.over(f"/{record.root}")
    # Blender's colours are linear Rec.709; children inherit what the root says.
    writer.apply_schemas(prim, "ColorSpaceAPI")
    writer.set(prim, "colorSpace:name", "token", "lin_rec709_scene", uniform=True)
    if record.up_axis == "Y":
        writer.set(prim, "xformOp:rotateX", "float", -90.0)
        writer.set(prim, "xformOpOrder", "token[]", ("xformOp:rotateX",), uniform=True)


def _author_reference(writer: LayerWriter, record: ReferenceRecord) -> None:
    """Author the reference once; the asset cannot change over time."""
    writer.references.over(record.path).reference = record.asset


_AUTHORS: dict[type, Callable[[LayerWriter, Any], None]] = {
    StageRecord: _author_stage,
    FrameRecord: _author_frame,
    PresenceRecord: _author_presence,
    XformRecord: author_xform,
    ReferenceRecord: _author_reference,
    MeshRecord: author_mesh,
    MaterialRecord: author_material,
    PointInstancerRecord: author_point_instancer,
    CameraRecord: author_camera,
    LightRecord: author_light,
    DomeLightRecord: author_dome_light,
    BasisCurvesRecord: author_basis_curves,
    NurbsCurvesRecord: author_nurbs_curves,
    PointsRecord: author_points,
    VolumeRecord: author_volume,
    SkelRootRecord: author_skel_root,
    SkeletonRecord: author_skeleton,
    SkelAnimationRecord: author_skel_animation,
    SkinRecord: author_skin,
}
