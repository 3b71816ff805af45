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


def film_of(representations: Sequence[RepresentationFiles]) -> str | None:
    """Name of the staged film among them."""
    return next((each.main for each in representations if each.output == FILM), None)


Describe = Callable[[Sequence[RepresentationFiles]], None]


def commit(
    publication: Publication,
    representations: Sequence[RepresentationFiles],
    describe: Describe,
    *,
    picture: str | None = None,
) -> Job[Version]:
    """Make the version out of what is staged, whoever takes its number meanwhile.

    Args:
        publication: with everything staged.
        representations: which staged files are what.
        describe: writes what names the version into staged files; is given the
            representations with the names that their files have.
        picture: name of a staged picture: the thumbnail, and the reviewable where there
            is no film.
    """
    while True:
        describe(representations)
        film = film_of(representations) or picture
        try:
            return (
                yield from publication.commit(representations, thumbnail=picture, reviewable=film)
            )
        except StagewrightError as error:
            if error.code != "version-taken":
                raise
        representations = yield from publication.renumber(representations)
