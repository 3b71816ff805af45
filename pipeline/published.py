# SPDX-License-Identifier: GPL-3.0-or-later
"""The versions that a library, or an AYON server, holds: to browse, to load, to compare with.

Every function is a job for a process of its own: it takes and returns plain JSON data.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Literal

from ..ayon_bridge.entities import Product, Representation, Version
from ..ayon_bridge.home import Home, not_found
from ..ayon_bridge.library import Library
from ..jobs.errors import StagewrightError
from ..jobs.events import Job, Progress
from ..jobs.files import written_whole

if TYPE_CHECKING:
    from ..ayon_bridge.server import Server

Kind = Literal["TEXTURES", "USD", "BLEND", "VOLUME"]
"""What a version can be loaded as."""

_TEXTURE_SET = "set"
_SUFFIXES: Mapping[str, Kind] = {
    ".usd": "USD",
    ".usda": "USD",
    ".usdc": "USD",
    ".usdz": "USD",
    ".blend": "BLEND",
    ".vdb": "VOLUME",
}
_ORDER: tuple[Kind, ...] = ("TEXTURES", "USD", "BLEND", "VOLUME")


@dataclass(frozen=True)
class PublishedVersion:
    """One published version.

    Attributes:
        name: name of its folder, which is the asset's.
        project: name of the AYON project.
        folder: path of the AYON folder.
        product: name of the AYON product.
        product_type: its type ("usd", "textureSet").
        product_id: its id.
        version: name of the version, "v003".
        number: its number.
        version_id: its id.
        author: name of the user who published it.
        created_at: UTC, ISO 8601.
        comment: what its author said of it.
        has_picture: whether it has a thumbnail.
        files: the main file of each kind that it can be loaded as, on this machine.
    """

    name: str
    project: str
    folder: str
    product: str
    product_type: str
    product_id: str
    version: str
    number: int
    version_id: str
    author: str
    created_at: str
    comment: str
    has_picture: bool
    files: Mapping[Kind, Path]

    @property
    def kinds(self) -> list[Kind]:
        """What it can be loaded as, the likeliest first."""
        return [kind for kind in _ORDER if kind in self.files]

    def identity(self, kind: Kind) -> Mapping[str, str]:
        """As the result of a publish names it; the path is that of a kind's main file."""
        return {
            "project": self.project,
            "folder": self.folder,
            "product": self.product,
            "version": self.version,
            "versionId": self.version_id,
            "identifier": self.files[kind].name,
            "path": str(self.files[kind]),
        }

    def to_json(self) -> dict[str, Any]:
        """Plain JSON data, read back by :meth:`from_json`."""
        return {**asdict(self), "files": {kind: str(path) for kind, path in self.files.items()}}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> PublishedVersion:
        """The version that :meth:`to_json` wrote."""
        files = {kind: Path(path) for kind, path in data["files"].items()}
        return cls(**{**data, "files": files})


@contextmanager
def open_home(library: str) -> Iterator[Library | Server]:
    """The library in a folder, or the AYON server if the folder's name is empty.

    Raises:
        StagewrightError: ``no-library``; ``no-server`` and as every request.
    """
    if library:
        with Library.open_existing(Path(library)) as opened:
            yield opened
        return
    from ..ayon_bridge.server import Server  # a second of imports, for those who have one

    with Server.open() as server:
        yield server


def products(library: str, project: str) -> Job[dict[str, Any]]:
    """The newest version of every product of a project.

    Returns:
        ``projects``: names of all projects; ``project``: this one's, or "" if there is
        none of it; ``versions``: by folder and product, each as
        :meth:`PublishedVersion.to_json` gives it, without files.
    """
    yield _asking(library)
    with open_home(library) as home:
        projects = [each.name for each in home.get_projects()]
        if project not in projects:
            return {"projects": projects, "project": "", "versions": []}
        yield Progress("browse.products", 0.3, f"Reading the products of {project}")
        found = home.get_last_versions(project)
        made = _Project(home, project).describe(found.values(), with_files=False)
    made.sort(key=lambda each: (each.folder, each.product))
    return {
        "projects": projects,
        "project": project,
        "versions": [each.to_json() for each in made],
    }


def versions_of_product(library: str, project: str, product_id: str) -> Job[dict[str, Any]]:
    """All versions of a product with what is said of them and what they are made of.

    Returns:
        ``versions``: newest first, as :meth:`PublishedVersion.to_json`; ``comments``: by
        the version's id, each with ``author``, ``body`` and ``created_at``; ``inputs`` and
        ``outputs``: by the version's id, what it is made of and what is made of it, each
        as :meth:`PublishedVersion.to_json`, without files.
    """
    yield _asking(library)
    with open_home(library) as home:
        found = home.get_versions(project, product_ids=[product_id])
        ids = [each.id for each in found]
        all_of_it = _Project(home, project)
        versions = all_of_it.describe(found)
        yield Progress("browse.links", 0.5, "Reading comments and links")
        comments: dict[str, list[dict[str, str]]] = {}
        for each in home.get_comments(project, ids):
            said = {"author": each.author, "body": each.body, "created_at": each.created_at}
            comments.setdefault(each.version_id, []).append(said)
        links = home.get_versions_links(project, ids)
        ends = {end for each in links for end in (each.input, each.output)}
        known = {
            each.version_id: each.to_json()
            for each in all_of_it.describe(home.get_versions(project, ends), with_files=False)
        }
    inputs: dict[str, list[Any]] = {}
    outputs: dict[str, list[Any]] = {}
    for link in links:
        if link.output in ids and link.input in known:
            inputs.setdefault(link.output, []).append(known[link.input])
        if link.input in ids and link.output in known:
            outputs.setdefault(link.input, []).append(known[link.output])
    return {
        "versions": [each.to_json() for each in reversed(versions)],
        "comments": comments,
        "inputs": inputs,
        "outputs": outputs,
    }


def one_version(library: str, project: str, version_id: str, kind: str) -> Job[dict[str, Any]]:
    """One version, whose files are there to be loaded.

    Args:
        library: see :func:`open_home`.
        project: its project; "" for any.
        version_id: its id.
        kind: what it is to be loaded as; "" for the likeliest.

    Returns:
        As :meth:`PublishedVersion.to_json`.

    Raises:
        StagewrightError: ``no-version``; ``not-loadable``; ``files-missing``.
    """
    yield _asking(library)
    with open_home(library) as home:
        for name in [project] if project else [each.name for each in home.get_projects()]:
            found = home.get_versions(name, version_ids=[version_id])
            if found:
                (version,) = _Project(home, name).describe(found)
                _require_files(home, version, kind)
                return version.to_json()
    raise StagewrightError(
        "no-version",
        f"{_place(library, project)} holds no version {version_id or 'without an id'}.",
        "Choose one that is there, or name the library that it is in.",
    )


def versions_of_same_products(
    library: str, shown: Sequence[Mapping[str, str]]
) -> Job[dict[str, Any]]:
    """All versions of the products that some versions are of.

    Args:
        library: see :func:`open_home`.
        shown: ``project`` and ``versionId`` of each.

    Returns:
        By the id of each version that is there: all versions of its product, newest first,
        as :meth:`PublishedVersion.to_json`.
    """
    yield _asking(library)
    by_project: dict[str, set[str]] = {}
    for each in shown:
        by_project.setdefault(each["project"], set()).add(each["versionId"])
    told: dict[str, Any] = {}
    with open_home(library) as home:
        known = {each.name for each in home.get_projects()}
        for project, ids in by_project.items():
            if project not in known:
                continue
            own = home.get_versions(project, ids)
            siblings = home.get_versions(project, product_ids={each.product_id for each in own})
            described = _Project(home, project).describe(siblings)
            for version in own:
                same = [each for each in described if each.product_id == version.product_id]
                told[version.id] = [each.to_json() for each in reversed(same)]
    return told


def pictures(
    library: str, project: str, version_ids: Sequence[str], folder: str
) -> Job[dict[str, Any]]:
    """Write the pictures of versions, which never change, into a folder.

    Returns:
        ``pictures``: the file of each version that has one, by its id.
    """
    yield _asking(library)
    found: dict[str, str] = {}
    with open_home(library) as home:
        for number, key in enumerate(version_ids):
            path = Path(folder) / f"{key}.picture"  # the content tells its type
            if not path.exists():
                yield Progress("browse.picture", number / len(version_ids), "Reading pictures")
                picture = home.get_thumbnail(project, "version", key)
                if picture is None:
                    continue
                path.parent.mkdir(parents=True, exist_ok=True)
                with written_whole(path) as new:
                    new.write_bytes(picture.content)
            found[key] = str(path)
    return {"pictures": found}


class _Project:
    """A project's folders and products, asked for as far as versions need them."""

    def __init__(self, home: Home, name: str) -> None:
        self._home, self._name = home, name

    def describe(self, versions: Any, *, with_files: bool = True) -> list[PublishedVersion]:
        """The versions with all that is known of them, in their order."""
        made: list[Version] = list(versions)
        wanted = {each.product_id for each in made}
        # A few are asked for by their ids; of many, the ids would be longer than the answer.
        few = len(wanted) <= _FEW
        products = self._home.get_products(self._name, wanted if few else None)
        by_id = {each.id: each for each in products if each.id in wanted}
        folder_ids = {each.folder_id for each in by_id.values()}
        few = len(folder_ids) <= _FEW
        folders = self._home.get_folders(self._name, folder_ids if few else None)
        paths = {each.id: each.path for each in folders}
        files = self._files(made, by_id) if with_files else {}
        return [
            _described(each, by_id[each.product_id], paths, files.get(each.id, {}))
            for each in made
            if each.product_id in by_id and by_id[each.product_id].folder_id in paths
        ]

    def _files(
        self, versions: Sequence[Version], products: Mapping[str, Product]
    ) -> dict[str, dict[Kind, Path]]:
        types = {
            each.id: products[each.product_id].product_type
            for each in versions
            if each.product_id in products
        }
        found: dict[str, dict[Kind, Path]] = {}
        for made in self._home.get_representations(self._name, version_ids=list(types)):
            kind = _kind(made, types[made.version_id])
            if kind is not None:
                found.setdefault(made.version_id, {}).setdefault(kind, self._home.main_file(made))
        return found


_FEW = 100


def _kind(made: Representation, product_type: str) -> Kind | None:
    if made.name == _TEXTURE_SET and product_type == "textureSet":
        return "TEXTURES"
    path = str(made.attrib.get("path", ""))
    return _SUFFIXES.get(PurePosixPath(path.replace("\\", "/")).suffix.lower())


def _described(
    version: Version, product: Product, paths: Mapping[str, str], files: Mapping[Kind, Path]
) -> PublishedVersion:
    folder = paths[product.folder_id]
    return PublishedVersion(
        name=folder.rpartition("/")[2],
        project=version.project_name,
        folder=folder,
        product=product.name,
        product_type=product.product_type,
        product_id=product.id,
        version=version.name,
        number=version.version,
        version_id=version.id,
        author=version.author,
        created_at=version.created_at,
        comment=str(version.attrib.get("comment") or ""),
        has_picture=version.thumbnail_id is not None,
        files=dict(files),
    )


def _require_files(home: Library | Server, version: PublishedVersion, kind: str) -> None:
    """Refuse what cannot be loaded, or lies elsewhere."""
    named = f"{version.folder} {version.product} {version.version}"
    if not version.kinds or (kind and kind not in version.files):
        raise StagewrightError(
            "not-loadable",
            f"{named} has no file that can be loaded{f' as {kind.lower()}' if kind else ''}.",
            "Open its folder to see what it holds.",
        )
    chosen: Any = kind or version.kinds[0]
    path = version.files[chosen]
    if path.is_file():
        return
    roots = home.roots(version.project)
    told = ", ".join(f'"{name}" is {folder or "not set"}' for name, folder in roots.items())
    raise StagewrightError(
        "files-missing",
        f"The files of {named} are not on this machine: {path} is not there (the root {told}).",
        "Mount that drive or copy the version's folder there, or set this machine's own root in "
        "AYON and name its site in AYON_SITE_ID.",
    )


def _asking(library: str) -> Progress:
    where = "Reading the library" if library else "Asking the AYON server"
    return Progress("browse.open", None, where)


def _place(library: str, project: str) -> str:
    if library:
        return f"The library {library}"
    return f"The AYON server's project {project}" if project else "The AYON server"


def find_product(home: Home, project: str, folder: str, product: str) -> Product:
    """The product of a folder; raises StagewrightError ``not-found``."""
    found = home.get_folder_by_path(project, folder)
    if found is None:
        raise not_found("folder", folder)
    made = home.get_product_by_name(project, product, found.id)
    if made is None:
        raise not_found("product", f"{folder} {product}")
    return made
