# SPDX-License-Identifier: GPL-3.0-or-later
"""Repair of what a dead publish left in a product's folder.

Runs under the product's lock, so that whatever is unfinished there is dead. A
publish leaves one of three things: a hidden staging folder (removed), an empty
claimed version folder (removed), a finished version folder that the home does
not know (entered there: all of its files are on the drive).
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from ..jobs.errors import StagewrightError
from ..jobs.events import Job, Message, Progress
from .entities import Product, Version
from .files import file_errors, remove_tree
from .version_record import VersionRecord

if TYPE_CHECKING:
    from .shelf import Shelf

VERSION_NAME = re.compile(r"v(\d+)")
STAGING_NAME = re.compile(r"\.v\d+\.staging-[0-9a-f]{8}")


def staging_name(version: Version) -> str:
    """Name of the hidden folder that a version is gathered in."""
    return f".{version.name}.staging-{version.id[:8]}"


def version_folders(product_folder: Path) -> dict[int, Path]:
    """The version folders of a product, by number; empty when it has none."""
    if not product_folder.is_dir():
        return {}
    matches = {each: VERSION_NAME.fullmatch(each.name) for each in product_folder.iterdir()}
    return {int(match[1]): each for each, match in sorted(matches.items()) if match}


def repair(shelf: Shelf, product: Product, product_folder: Path) -> Job[None]:
    """Repair what dead publishes of the product left.

    Args:
        shelf: where versions are entered.
        product: the product, whose lock this process holds.
        product_folder: where its versions are.
    """
    yield Progress("library.repair", message="Looking for an interrupted publish")
    if not product_folder.is_dir():
        return
    for each in sorted(product_folder.iterdir()):
        if STAGING_NAME.fullmatch(each.name):
            yield from remove_tree(each)
    for folder in shelf.unfinished(product, version_folders(product_folder)):
        yield from _repair_version(shelf, product, folder)


def _repair_version(shelf: Shelf, product: Product, folder: Path) -> Job[None]:
    if folder.is_dir() and not any(folder.iterdir()):
        yield Progress("library.repair", message=f"Removing the empty {folder.name}")
        with file_errors(folder):
            folder.rmdir()
        return
    record = VersionRecord.read(folder)
    if record is None or record.version.product_id != product.id:
        yield Message(
            f'"{folder}" is no version of the product "{product.name}"; it was left alone.',
            "warning",
        )
        return
    complaint = yield from record.complaint(shelf.root)
    if complaint:
        yield Message(f'"{folder}" was not entered as a version: {complaint}.', "warning")
        return
    try:
        yield from shelf.enter(record, folder, again=True)
    except StagewrightError as error:
        if error.code != "version-taken":
            raise
        yield from _take_back(folder, record)
        return
    yield Message(f"{folder.name} of an interrupted publish was completed.")


def _take_back(folder: Path, record: VersionRecord) -> Job[None]:
    """Remove a version whose number belongs to another by now."""
    hidden = folder.with_name(staging_name(record.version))
    yield Progress("library.remove", message=f"Removing {folder.name}")
    with file_errors(folder):
        os.rename(folder, hidden)  # hidden at once: a kill leaves no torn version
    yield from remove_tree(hidden)
    yield Message(
        f"{folder.name} of an interrupted publish was taken back: its number belongs to another.",
        "warning",
    )
