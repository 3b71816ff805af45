# SPDX-License-Identifier: GPL-3.0-or-later
"""Shapes of an object that are there at some frames only."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ....usd_tools.direct.records import (
    BasisCurvesRecord,
    MeshRecord,
    NurbsCurvesRecord,
    PointInstancerRecord,
    PointsRecord,
    PresenceRecord,
    Record,
    VolumeRecord,
)

_SHAPES = (
    MeshRecord,
    BasisCurvesRecord,
    NurbsCurvesRecord,
    PointsRecord,
    PointInstancerRecord,
    VolumeRecord,
)


class PresenceReader:
    """Compares the shapes of each object with those of earlier frames."""

    def __init__(self) -> None:
        self._present: dict[int, dict[str, bool]] = {}

    def told(self, uid: int, path: str, records: Iterable[Record]) -> Iterator[Record]:
        """The records of the object ``uid`` at ``path``, and which shapes came or went.

        An object is read at the first frame, and whenever it changes.
        """
        first = uid not in self._present
        known = self._present.setdefault(uid, {})
        met: set[str] = set()
        for record in records:
            yield record
            if isinstance(record, _SHAPES) and record.path.rpartition("/")[0] == path:
                met.add(record.path)
        for shape in sorted(met | known.keys()):
            present = shape in met
            if not first and known.get(shape) != present:
                yield PresenceRecord(shape, present)
            known[shape] = present
