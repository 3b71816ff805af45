# SPDX-License-Identifier: GPL-3.0-or-later
"""The USD assets that a library, or an AYON server, holds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..ayon_bridge.home import Home
from ..ayon_bridge.library import Library
from ..jobs.errors import StagewrightError
from ..jobs.events import Job, Progress

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

    def to_json(self) -> dict[str, Any]:
        """Plain JSON data, read back by :meth:`from_json`."""
        return {**asdict(self), "path": str(self.path)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> PublishedAsset:
        """The asset that :meth:`to_json` wrote."""
        return cls(**{**data, "path": Path(data["path"])})


def published_assets(library: Path) -> list[PublishedAsset]:
    """All versions in the library at ``library``, by folder and product, newest first.

    Raises:
        StagewrightError: ``no-library``, and what the database refuses.
    """
    with Library.open_existing(library) as opened:
        found = [a for project in opened.get_projects() for a in _of_project(opened, project.name)]
    return sorted(found, key=_order)


def look(project: str) -> Job[dict[str, Any]]:
    """Ask the AYON server for all versions in a project.

    Returns:
        Plain JSON data: ``assets``, each as :meth:`PublishedAsset.to_json` gives it.

    Raises:
        StagewrightError: ``no-server``, and as every request.
    """
    from ..ayon_bridge.server import Server  # a second of imports, for those who have one

    yield Progress("server.look", None, "Asking the AYON server")
    with Server.open() as server:
        found = sorted(_of_project(server, project), key=_order)
    return {"assets": [each.to_json() for each in found]}


def _order(asset: PublishedAsset) -> tuple[str, str, str, int]:
    return asset.project, asset.folder, asset.product, -asset.number


def _of_project(home: Home, project: str) -> Iterator[PublishedAsset]:
    folders = {folder.id: folder for folder in home.get_folders(project)}
    products = {product.id: product for product in home.get_products(project)}
    versions = {version.id: version for version in home.get_versions(project)}
    for each in home.get_representations(project, representation_names=[_USD]):
        if each.version_id not in versions:
            continue  # a hero version is one of the others once more
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
            path=home.main_file(each),
        )


def find_published(library: Path, version_id: str) -> PublishedAsset:
    """The version of this id.

    Raises:
        StagewrightError: ``no-version`` when the library has none of it; as
            :func:`published_assets`.
    """
    return find(published_assets(library), version_id, f"The library {library}")


def find(assets: list[PublishedAsset], version_id: str, where: str) -> PublishedAsset:
    """The version of this id.

    Raises:
        StagewrightError: ``no-version`` when it is not among ``assets``, which are
            those of ``where``.
    """
    for asset in assets:
        if asset.version_id == version_id:
            return asset
    raise StagewrightError(
        "no-version",
        f"{where} holds no USD version {version_id or 'without an id'}.",
        "Choose one that is there, or name the library that it is in.",
    )


def of_same_product(assets: list[PublishedAsset], version_id: str) -> list[PublishedAsset]:
    """All versions of the product that ``version_id`` is a version of."""
    own = next((a for a in assets if a.version_id == version_id), None)
    return [a for a in assets if own is not None and a.product_id == own.product_id]


def newest(assets: list[PublishedAsset], version_id: str) -> PublishedAsset | None:
    """The newest version of the product that ``version_id`` is a version of."""
    versions = of_same_product(assets, version_id)
    return max(versions, key=lambda a: a.number, default=None)
