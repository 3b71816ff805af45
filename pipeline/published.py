# SPDX-License-Identifier: GPL-3.0-or-later
"""The USD assets that a library holds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ..ayon_bridge.library import Library
from ..jobs.errors import StagewrightError

_USD = "usd"


@dataclass(frozen=True)
class PublishedAsset:
    """One published version of a USD asset.

    Attributes:
        name: name of its folder, which is the asset's.
        project: name of the AYON project.
        folder: path of the AYON folder.
        product: name of the AYON product.
        product_id: its id.
        version: name of the version, "v003".
        number: its number.
        version_id: its id.
        comment: what its author said of it.
        path: the root layer on this machine.
    """

    name: str
    project: str
    folder: str
    product: str
    product_id: str
    version: str
    number: int
    version_id: str
    comment: str
    path: Path

    @property
    def identity(self) -> Mapping[str, str]:
        """As the result of a publish names it."""
        return {
            "project": self.project,
            "folder": self.folder,
            "product": self.product,
            "version": self.version,
            "versionId": self.version_id,
            "identifier": self.path.name,
            "path": str(self.path),
        }


def published_assets(library: Path) -> list[PublishedAsset]:
    """All versions in the library at ``library``, by folder and product, newest first.

    Raises:
        StagewrightError: ``no-library``, and what the database refuses.
    """
    with Library.open_existing(library) as opened:
        found = [a for project in opened.get_projects() for a in _of_project(opened, project.name)]
    return sorted(found, key=lambda a: (a.project, a.folder, a.product, -a.number))


def _of_project(library: Library, project: str) -> Iterator[PublishedAsset]:
    folders = {folder.id: folder for folder in library.get_folders(project)}
    products = {product.id: product for product in library.get_products(project)}
    versions = {version.id: version for version in library.get_versions(project)}
    for each in library.get_representations(project, representation_names=[_USD]):
        version = versions[each.version_id]
        product = products[version.product_id]
        folder = folders[product.folder_id]
        yield PublishedAsset(
            name=folder.name,
            project=project,
            folder=folder.path,
            product=product.name,
            product_id=product.id,
            version=version.name,
            number=version.version,
            version_id=version.id,
            comment=str(version.attrib.get("comment", "")),
            path=Path(each.attrib["path"]),
        )


def find_published(library: Path, version_id: str) -> PublishedAsset:
    """The version of this id.

    Raises:
        StagewrightError: ``no-version`` when the library has none of it; as
            :func:`published_assets`.
    """
    for asset in published_assets(library):
        if asset.version_id == version_id:
            return asset
    raise StagewrightError(
        "no-version",
        f"The library {library} holds no USD version {version_id or 'without an id'}.",
        "Choose one that is there, or name the library that it is in.",
    )


def newest(assets: list[PublishedAsset], version_id: str) -> PublishedAsset | None:
    """The newest version of the product that ``version_id`` is a version of."""
    own = next((a for a in assets if a.version_id == version_id), None)
    if own is None:
        return None
    return max((a for a in assets if a.product_id == own.product_id), key=lambda a: a.number)
