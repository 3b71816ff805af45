# SPDX-License-Identifier: GPL-3.0-or-later
"""Bring a USD file and all that it needs together: in a folder, a .usdz, or one layer."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, Literal

from pxr import Sdf, Usd, UsdUtils

from ..jobs.errors import StagewrightError
from ..jobs.events import Job, Message, Progress
from .dependencies import files_of
from .direct.records.material import UDIM
from .files_check import AssetWalk, walk
from .inspect.statistics import PrimCounts, prim_counts
from .materialx_files import with_paths
from .placing import move_into_place, staging
from .stages import open_stage, write_layer
from .textures import copy
from .usdz_check import check_arkit

_EXTERNAL = "external"


@dataclass(frozen=True)
class Collected:
    """What was written.

    Attributes:
        path: the root layer or package.
        files: names of all files in it, relative to its folder or within the package.
        missing: asset paths that lead nowhere; they are written as they were.
    """

    path: Path
    files: tuple[str, ...]
    missing: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Plain JSON data."""
        return {"path": str(self.path), "files": list(self.files), "missing": list(self.missing)}


def localize(root: Path, folder: Path) -> Job[Collected]:
    """Copy ``root`` and everything it needs into the new or empty ``folder``.

    Files below the root's folder keep their places; others go to ``external/``.
    Textures that .mtlx documents name and all tiles of UDIM sets come along.

    Raises:
        StagewrightError: ``not-empty``, ``asset-unreadable``, ``bad-mtlx``,
            ``target-unwritable``, ``package-incomplete``.
    """
    if folder.exists() and any(folder.iterdir()):
        raise StagewrightError(
            "not-empty", f"The folder {folder} is not empty.", "Choose a new or an empty folder."
        )
    bundle = yield from _bundle(root)
    with staging(folder / root.name) as place:
        yield from bundle.write(place)
        yield from _verify(root, place / root.name, bundle)
        move_into_place(place, folder, bundle.names)
    return Collected(folder / root.name, tuple(bundle.names), tuple(bundle.missing))


def package(root: Path, target: Path, *, arkit: bool = False) -> Job[Collected]:
    """Pack ``root`` and everything it needs into the .usdz ``target``.

    Args:
        root: the root layer.
        target: the package; replaced if it exists.
        arkit: flatten to one layer, as ARKit's viewers want it, and tell what
            they will not show.

    Raises:
        StagewrightError: as :func:`localize`.
    """
    bundle = yield from _bundle(root)
    with staging(target) as place:
        folder = place / "content"
        yield from bundle.write(folder)
        first = root.name
        if arkit:
            first = f"{root.stem}.usdc"
            yield from _flatten_for_arkit(folder, root.name, first, bundle)
            for finding in check_arkit(open_stage(folder / first), bundle.names):
                yield Message(finding.message, "warning")
        yield Progress("package.zip", 0.7, f"Packing {target.name}")
        _zip(place / target.name, folder, [first, *sorted(set(bundle.names) - {first})])
        yield from _verify(root, place / target.name, bundle)
        move_into_place(place, target.parent, [target.name])
    return Collected(target, tuple(bundle.names), tuple(bundle.missing))


def flatten(root: Path, target: Path, what: Literal["stage", "layers"] = "stage") -> Job[Collected]:
    """Write the stage of ``root`` as the one layer ``target``.

    Args:
        root: the root layer.
        target: a .usda or .usdc; asset paths in it start from its folder.
        what: ``stage`` resolves all composition arcs; ``layers`` merges the root
            layer stack and keeps references, payloads and variants.

    Raises:
        StagewrightError: ``asset-unreadable``, ``target-unwritable``.
    """
    yield Progress("package.flatten", 0.1, f"Flattening {root.name}")
    stage = open_stage(root)
    layer = stage.Flatten(False) if what == "stage" else UsdUtils.FlattenLayerStack(stage)
    _anchor(layer, root.parent, target.parent)
    with staging(target) as place:
        write_layer(layer, place / target.name)
        move_into_place(place, target.parent, [target.name])
    return Collected(target, (target.name,), ())


@dataclass
class _Bundle:
    """What goes where.

    Attributes:
        layers: by name in the bundle, changed to name the bundle's files.
        sources: the files that the layers come from, by name.
        texts: contents of rewritten documents, by name.
        files: sources of what is copied as it is, by name.
        missing: asset paths that lead nowhere.
    """

    layers: dict[str, Sdf.Layer] = field(default_factory=dict)
    sources: dict[str, Path] = field(default_factory=dict)
    texts: dict[str, bytes] = field(default_factory=dict)
    files: dict[str, Path] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)

    @property
    def names(self) -> list[str]:
        """All names, sorted."""
        return sorted([*self.layers, *self.texts, *self.files])

    def write(self, folder: Path) -> Job[None]:
        """Write everything below ``folder``; raises OSError."""
        for index, (name, source) in enumerate(sorted(self.files.items())):
            yield Progress("package.copy", 0.2 + 0.3 * index / len(self.files), f"Copying {name}")
            copy(source, folder / name)
        for name, content in self.texts.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)
        for name, layer in self.layers.items():
            yield Progress("package.write", 0.5, f"Writing {name}")
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            write_layer(layer, folder / name, self.sources[name])


def _bundle(root: Path) -> Job[_Bundle]:
    yield Progress("package.find", 0.0, f"Looking for the files of {root.name}")
    root = root.absolute()
    found = walk(root)
    if root in found.unreadable:
        open_stage(root)  # says why
    names = _names(root, found)
    bundle = _Bundle()
    for source, layer in found.layers.items():
        name = names[source]
        UsdUtils.ModifyAssetPaths(layer, _mover(source, name, names))
        bundle.layers[name], bundle.sources[name] = layer, source
    for source in sorted(found.files | set(found.unreadable)):
        name = names[source]
        if source.suffix.lower() == ".mtlx":
            bundle.texts[name] = with_paths(source, _mover(source, name, names))
        else:
            bundle.files[name] = source
    bundle.missing = sorted({dependency.path for _, dependency in found.missing})
    for path in bundle.missing:
        yield Message(f"{path} is missing and is not in the package.", "warning")
    return bundle


def _names(root: Path, found: AssetWalk) -> dict[Path, str]:
    """The name of each file in the bundle."""
    names: dict[Path, str] = {}
    taken: set[str] = set()
    for source in [root, *sorted({*found.layers, *found.files, *found.unreadable} - {root})]:
        if source.is_relative_to(root.parent):
            name = source.relative_to(root.parent).as_posix()
        else:
            name, number = f"{_EXTERNAL}/{source.name}", 1
            while name.casefold() in taken:
                name, number = f"{_EXTERNAL}/{number}/{source.name}", number + 1
        taken.add(name.casefold())
        names[source] = name
    return names


def _mover(source: Path, name: str, names: Mapping[Path, str]) -> Callable[[str], str]:
    """From the asset paths in ``source`` to those in the file ``name`` of the bundle."""
    folder = PurePosixPath(name).parent

    def moved(path: str) -> str:
        for tile, file in files_of(path, source.parent).items():
            stored = names.get(Path(os.path.normpath(file)))
            if stored is None:
                break
            if tile:
                head, slash, last = stored.rpartition("/")
                stored = f"{head}{slash}{last.replace(tile, UDIM)}"
            return _dotted(os.path.relpath(stored, folder))
        return path

    return moved


def _dotted(path: str) -> str:
    path = path.replace(os.sep, "/")
    return path if path.startswith(".") else f"./{path}"


def _anchor(layer: Sdf.Layer, before: Path, after: Path) -> None:
    """Let asset paths of ``layer`` start from the folder ``after`` instead of ``before``."""

    def moved(path: str) -> str:
        if not files_of(path, before):
            return path
        return _dotted(os.path.relpath(before / path, after))

    UsdUtils.ModifyAssetPaths(layer, moved)


def _flatten_for_arkit(folder: Path, root: str, first: str, bundle: _Bundle) -> Job[None]:
    yield Progress("package.flatten", 0.6, "Flattening to one layer")
    layer = open_stage(folder / root).Flatten(False)
    _anchor(layer, folder, folder)
    for name in bundle.layers:
        (folder / name).unlink()
    bundle.layers = {first: layer}
    write_layer(layer, folder / first)


def _zip(package_file: Path, folder: Path, names: list[str]) -> None:
    """Write a .usdz, the root layer first; raises OSError."""
    writer_type = getattr(Sdf, "ZipFileWriter", None) or Usd.ZipFileWriter  # in Sdf since 25.5
    writer = writer_type.CreateNew(str(package_file))
    for name in names:
        if not writer.AddFile(str(folder / name), name):
            raise OSError(f"{name} cannot be packed")
    if not writer.Save():
        raise OSError(f"USD could not write {package_file.name}")


def _verify(before: Path, after: Path, bundle: _Bundle) -> Job[None]:
    """Open what was written and count what it shows.

    Raises:
        StagewrightError: ``package-incomplete``.
    """
    yield Progress("package.verify", 0.9, f"Opening {after.name} again")
    counts = [_counted(path) for path in (before, after)]
    if counts[0] != counts[1]:
        raise StagewrightError(
            "package-incomplete",
            f"{after.name} does not show what {before.name} shows.",
            "Check the file (stagewright usd check) and its references first.",
        )


def _counted(path: Path) -> PrimCounts:
    return prim_counts(open_stage(path))
