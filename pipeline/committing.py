# SPDX-License-Identifier: GPL-3.0-or-later
"""The last step of a publish, done again under the next number where its own was taken."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ..ayon_bridge.entities import Version
from ..ayon_bridge.home import Publication, RepresentationFiles
from ..jobs.errors import StagewrightError
from ..jobs.events import Job

FILM = "h264"
"""Output of the representation that is a film to look at, as AYON's own publish calls it."""

Describe = Callable[[Sequence[RepresentationFiles]], None]


def commit(
    publication: Publication,
    representations: Sequence[RepresentationFiles],
    describe: Describe,
    *,
    picture: str | None = None,
    renumber: bool = True,
) -> Job[Version]:
    """Make the version out of what is staged, whoever takes its number meanwhile.

    Args:
        publication: with everything staged.
        representations: which staged files are what.
        describe: writes what names the version into staged files; is given the
            representations with the names that their files have.
        picture: name of a staged picture: the thumbnail, and the reviewable where there
            is no film.
        renumber: take the next number; else the error ``version-taken`` is raised.
    """
    while True:
        describe(representations)
        film = next((each.main for each in representations if each.output == FILM), picture)
        try:
            return (
                yield from publication.commit(representations, thumbnail=picture, reviewable=film)
            )
        except StagewrightError as error:
            if error.code != "version-taken" or not renumber:
                raise
        representations = yield from publication.renumber(representations)
