# SPDX-License-Identifier: GPL-3.0-or-later
"""A publish in two processes: one brings the files to their place, another enters the version.

So many processes can prepare versions, and one enter them together (:mod:`.together`).
In between the version's folder holds its record under the name of unfinished work: if
nobody comes, the next publish of the product enters it.
"""

from __future__ import annotations

from pathlib import Path

from ..jobs.errors import StagewrightError
from ..jobs.events import Job
from .lock import acquire
from .publication import StagedPublication
from .version_record import UNFINISHED, VersionRecord


class PreparedPublication(StagedPublication):
    """A publication whose commit leaves the version to be entered by somebody else."""

    enters = False

    def enter(self) -> Job[None]:
        """Leave it: nothing is taken back from here on."""
        self._recorded = True
        yield from ()


class FoundPublication(StagedPublication):
    """A publication that goes on with what a :class:`PreparedPublication` has left.

    Closed, it leaves the version where it is, unless that was refused (:meth:`refuse`).
    """

    def adopt(self, folder: Path) -> Job[bool]:
        """Lock the product and take the version in its place for one's own.

        Args:
            folder: the version's folder.

        Returns:
            Whether it still has to be entered; another publish may have done so.

        Raises:
            StagewrightError: ``library-locked`` while another publish of the product is
                alive; ``missing-file`` when the version was taken back meanwhile.
        """
        self._lock = yield from acquire(self._lock_path, self._subject, break_lock=False)
        self._plan = yield from self.shelf.plan(self.request)
        record = VersionRecord.read(folder)
        if record is None:
            raise StagewrightError(
                "missing-file", f'"{folder}" is gone before it was entered.', "Publish again."
            )
        self._record, self._folder = record, folder
        self._number, self._version_id = record.version.version, record.version.id
        self._recorded = True
        return (folder / UNFINISHED).exists()

    def refuse(self) -> None:
        """Have the version taken back as this is closed, unless the home has it after all."""
        self._claimed, self._recorded = True, False
