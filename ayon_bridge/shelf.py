# SPDX-License-Identifier: GPL-3.0-or-later
"""What a publication needs of the home that it publishes to, and the library's way to give it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from ..jobs.events import Job, Progress
from .anatomy import Anatomy
from .database import insert
from .entities import Product, Representation, Version
from .home import PublishRequest
from .outbox import MARK
from .plan import Plan, plan, withdraw
from .version_record import RECORD, VersionRecord

if TYPE_CHECKING:
    from .library import Library


class Shelf(Protocol):
    """Where the entities of one publication are looked up and entered."""

    @property
    def root(self) -> Path:
        """The folder on this machine that all rootless paths begin at."""

    @property
    def anatomy(self) -> Anatomy:
        """The templates of the project."""

    @property
    def record_name(self) -> str:
        """Name of a version's record until the version is entered, with all that belongs to it."""

    def refuse_early(self) -> None:
        """Refuse what :meth:`plan` would, as far as it can be told without a change."""

    def plan(self, request: PublishRequest, *, fresh: bool = False) -> Job[Plan]:
        """Find or make what the request's version belongs to.

        Args:
            request: the request.
            fresh: do not rely on what was looked up before.
        """

    def withdraw(self, plan: Plan) -> Job[None]:
        """Take back what the plan made and nobody uses."""

    def last_version(self, product: Product) -> Version | None:
        """The newest version of a product."""

    def representations(self, version: Version) -> list[Representation]:
        """The representations of a version."""

    def main_file(self, representation: Representation) -> Path:
        """Where the file that a representation opens lies on this machine."""

    def has(self, version: Version) -> bool:
        """Whether the version, told by its id, is entered."""

    def unfinished(self, product: Product, folders: Mapping[int, Path]) -> list[Path]:
        """Which version folders, given by their numbers, are not entered or not done with."""

    def enter(self, record: VersionRecord, folder: Path, *, again: bool = False) -> Job[None]:
        """Enter a version whose files are all in its folder, all of it or nothing.

        Args:
            record: the version.
            folder: its folder, with its record.
            again: an earlier publish has died while, or before, it did this.

        Raises:
            StagewrightError: ``version-taken`` when its number belongs to another.
        """

    def finish(self, record: VersionRecord, folder: Path, *, again: bool = False) -> Job[None]:
        """Do what comes after the version was entered; its record then has its last name."""


class LibraryShelf:
    """The library as a :class:`Shelf`."""

    record_name = RECORD

    def __init__(self, library: Library) -> None:
        """Touches nothing."""
        self._library = library
        self.root = library.root
        self.anatomy = library.anatomy

    def refuse_early(self) -> None:
        """A library makes what is missing."""

    def plan(self, request: PublishRequest, *, fresh: bool = False) -> Job[Plan]:
        """Find or make what the request's version belongs to, in one transaction."""
        return (yield from plan(self._library, request))

    def withdraw(self, plan: Plan) -> Job[None]:
        """Take back what the plan made and nobody uses, in one transaction."""
        yield from withdraw(self._library, plan)

    def last_version(self, product: Product) -> Version | None:
        """The newest version of a product."""
        return self._library.get_last_version_by_product_id(product.project_name, product.id)

    def representations(self, version: Version) -> list[Representation]:
        """The representations of a version."""
        return self._library.get_representations(version.project_name, version_ids=[version.id])

    def main_file(self, representation: Representation) -> Path:
        """Where the file that a representation opens lies on this machine."""
        return self._library.main_file(representation)

    def has(self, version: Version) -> bool:
        """Whether the database has the version."""
        return bool(self._library.get_versions(version.project_name, version_ids=[version.id]))

    def unfinished(self, product: Product, folders: Mapping[int, Path]) -> list[Path]:
        """The version folders that the database does not know."""
        known = self._library.get_versions(product.project_name, None, [product.id])
        numbers = {each.version for each in known}
        return [folder for number, folder in folders.items() if number not in numbers]

    def enter(self, record: VersionRecord, folder: Path, *, again: bool = False) -> Job[None]:
        """Enter a version into the database, in one transaction."""
        yield from self._library.transaction(self._statements(record))

    def finish(self, record: VersionRecord, folder: Path, *, again: bool = False) -> Job[None]:
        """Nothing comes after a transaction."""
        yield from ()

    def _statements(self, record: VersionRecord) -> Job[None]:
        for entity in (record.thumbnail, record.version, *record.representations):
            if entity is not None:
                yield Progress("library.insert", message="Writing to the database")
                insert(self._library.connection, entity)
        if record.version.data.get(MARK):
            yield Progress("library.insert", message="Writing to the database")
            self._library.connection.execute(
                "INSERT INTO outbox (version_id, state) VALUES (?, 'waiting')",
                (record.version.id,),
            )
