# SPDX-License-Identifier: GPL-3.0-or-later
"""Shapes of an object that are there at some frames only."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from ....usd_tools.direct.records import (
    BasisCurvesRecord,
    CameraRecord,
    LightRecord,
    MeshRecord,
    NurbsCurvesRecord,
    PointInstancerRecord,
    PointsRecord,
    PresenceRecord,
    Record,
    VolumeRecord,
    XformRecord,
)

_SHAPES = (
    MeshRecord,
    BasisCurvesRecord,
    NurbsCurvesRecord,
    PointsRecord,
    PointInstancerRecord,
    VolumeRecord,
    CameraRecord,
    LightRecord,
)


class PresenceReader:
    """Compares the shapes of each object with those of earlier frames."""

    def __init__(self) -> None:
        self._present: dict[int, dict[str, bool]] = {}

    def told(
        self, uid: int, path: str, records: Iterable[Record], *, visible: bool = True
    ) -> Iterator[Record]:
        """The records of the object ``uid`` at ``path``, and which shapes came or went.

        An object is read at the first frame, and whenever it changes.

        Args:
            uid: its session_uid.
            path: path of its prim.
            records: of what it shows.
            visible: False hides its shapes, and no other object below it.
        """
        first = uid not in self._present
        known = self._present.setdefault(uid, {})
        met: set[str] = set()
        for record in records:
            if isinstance(record, XformRecord) and record.path.rpartition("/")[0] == path:
                record = replace(record, visible=visible)
            yield record
            if isinstance(record, _SHAPES) and record.path.rpartition("/")[0] == path:
                met.add(record.path)
        for shape in sorted(met | known.keys()):
            present = shape in met and visible
            if known.get(shape, first or None) != present:
                yield PresenceRecord(shape, present, known.get(shape, False))
            known[shape] = present
