# SPDX-License-Identifier: GPL-3.0-or-later
"""A stream of records authored into a layer."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

from pxr import Sdf

from ...jobs.events import Event, Job
from ..runtime import require_pxr
from .layer_writer import LayerWriter
from .mesh import author_mesh
from .point_instancer import author_point_instancer
from .records import (
    FrameRecord,
    MeshRecord,
    PointInstancerRecord,
    Record,
    StageRecord,
    XformRecord,
)
from .xform import author_xform

Stream = Generator[Record | Event, None, None]

_AUTHORS: dict[type, Callable[[LayerWriter, Any], None]] = {
    XformRecord: author_xform,
    MeshRecord: author_mesh,
    PointInstancerRecord: author_point_instancer,
}


def write_stream(stream: Stream, layer: Sdf.Layer) -> Job[None]:
    """Author every record of ``stream`` into ``layer``, which is empty and not saved here.

    Events of the stream are passed on. Each record is authored before the next
    one is asked for, and then let go.

    Raises:
        StagewrightError: ``foreign-pxr``, and what the stream raises.
    """
    require_pxr()
    writer = LayerWriter(layer)
    for item in stream:
        if isinstance(item, FrameRecord):
            writer.frame = item.frame
        elif isinstance(item, StageRecord):
            _author_stage(writer, item)
        elif type(item) in _AUTHORS:
            # One notice for a record; nobody listens, but each costs time.
            with Sdf.ChangeBlock():
                _AUTHORS[type(item)](writer, item)
        else:
            yield item


def _author_stage(writer: LayerWriter, record: StageRecord) -> None:
    layer = writer.layer
    layer.defaultPrim = record.root
    root = layer.pseudoRoot
    root.SetInfo("upAxis", record.up_axis)
    root.SetInfo("metersPerUnit", record.meters_per_unit)
    if record.frames is not None:
        layer.startTimeCode, layer.endTimeCode = record.frames
        layer.timeCodesPerSecond = layer.framesPerSecond = record.frames_per_second
    prim, _ = writer.define(f"/{record.root}", "Xform")
    # Blender's colours are linear Rec.709; children inherit what the root says.
    writer.apply_schemas(prim, "ColorSpaceAPI")
    writer.set(prim, "colorSpace:name", "token", "lin_rec709_scene", uniform=True)
    if record.up_axis == "Y":
        writer.set(prim, "xformOp:rotateX", "float", -90.0)
        writer.set_tokens(prim, "xformOpOrder", ("xformOp:rotateX",))
