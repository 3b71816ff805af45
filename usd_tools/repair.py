# SPDX-License-Identifier: GPL-3.0-or-later
"""Edit the asset paths of a whole dependency graph, and what a layer says about its stage.

Every edit is planned first, as data that can be shown; applying a plan touches
the files that it lists and no others, each as a whole, with a copy of what was
there before beside it.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pxr import Sdf, Usd, UsdGeom, UsdUtils

from ..jobs.errors import StagewrightError
from ..jobs.events import Job, Progress
from .dependencies import dependencies, file_name, files_of, is_absolute
from .extents import author_extents, wrong_extents
from .files_check import walk
from .materialx_files import named_files, with_paths
from .placing import move_into_place, staging
from .stages import write_layer

Rule = Callable[[str, Path], str]
"""A new asset path for an old one and the folder that relative paths start from."""


@dataclass(frozen=True)
class PathEdit:
    """One asset path of one layer, to be replaced wherever the layer says it.

    Attributes:
        layer: the file.
        before: the path now.
        after: the path to be.
        uses: how often the layer says it.
        found: whether ``after`` leads to a file.
    """

    layer: str
    before: str
    after: str
    uses: int
    found: bool

    def to_json(self) -> dict[str, Any]:
        """Plain JSON data."""
        return asdict(self)


def replace_text(find: str, replacement: str, *, regex: bool = False) -> Rule:
    """Replace a part of each path.

    Raises:
        StagewrightError: ``bad-pattern``.
    """
    try:
        pattern = re.compile(find if regex else re.escape(find))
        pattern.sub(replacement if regex else "", "")
    except (re.error, IndexError) as error:
        raise StagewrightError(
            "bad-pattern",
            f"'{find}' and '{replacement}' make no regular expression: {error}.",
            "Correct it, or search for plain text.",
        ) from error
    if regex:
        return lambda path, folder: pattern.sub(replacement, path)
    return lambda path, folder: path.replace(find, replacement)


def remap(table: Mapping[str, str]) -> Rule:
    """Replace whole paths, or the folders at their beginning; the longest match wins."""
    ordered = sorted(table, key=len, reverse=True)

    def rule(path: str, folder: Path) -> str:
        for old in ordered:
            stem = old.rstrip("/")
            if path == old:
                return table[old]
            if path.startswith(f"{stem}/"):
                return table[old].rstrip("/") + path[len(stem) :]
        return path

    return rule


def make_relative(path: str, folder: Path) -> str:
    """Rule: an absolute path to a file that is there becomes relative to the layer."""
    if not is_absolute(path) or not files_of(path, folder):
        return path
    try:
        relative = os.path.relpath(path, folder)
    except ValueError:
        return path  # on another drive
    relative = relative.replace(os.sep, "/")
    return relative if relative.startswith(".") else f"./{relative}"


def make_absolute(path: str, folder: Path) -> str:
    """Rule: a relative path to a file that is there becomes absolute."""
    if is_absolute(path) or not files_of(path, folder):
        return path
    return Path(os.path.normpath(folder / path)).as_posix()


def search_missing(folders: Sequence[Path]) -> Rule:
    """Rule: a file that is not there is looked for by its name, below ``folders``."""
    places: dict[str, Path] = {}
    for top in folders:
        for folder, below, names in os.walk(top):
            below.sort()
            for name in sorted(names):
                places.setdefault(_tile_free(name), Path(folder))

    def rule(path: str, folder: Path) -> str:
        if files_of(path, folder):
            return path
        place = places.get(_tile_free(file_name(path)))
        return path if place is None else make_relative(f"{place}/{file_name(path)}", folder)

    return rule


def _tile_free(name: str) -> str:
    """A file name with the number of its tile taken out, as a set has one name."""
    return re.sub(r"(?<=[._])(1\d{3}|<UDIM>)(?=\.)", "#", name).casefold()


def plan_edits(root: Path, rule: Rule) -> list[PathEdit]:
    """What ``rule`` would change in ``root`` and every layer and document that it needs.

    Raises:
        StagewrightError: ``asset-unreadable``, ``bad-mtlx``.
    """
    root = root.absolute()
    found = walk(root)
    if root in found.unreadable:
        raise StagewrightError(
            "asset-unreadable",
            f"{root.name} cannot be read as USD.",
            "Restore it from a backup, or export it again.",
        )
    named = {file: [d.path for d in dependencies(layer)] for file, layer in found.layers.items()}
    for file in sorted(found.files):
        if file.suffix.lower() == ".mtlx":
            named[file] = named_files(file)
    edits = []
    for file, paths in named.items():
        for before, uses in Counter(paths).items():
            after = rule(before, file.parent)
            if after != before:
                there = bool(files_of(after, file.parent))
                edits.append(PathEdit(str(file), before, after, uses, there))
    return edits


def apply_edits(edits: Iterable[PathEdit]) -> Job[list[Path]]:
    """Rewrite the layers of ``edits``, in their own formats.

    What was there before is kept beside each file as ``NAME.bak`` (``.bak1`` …).
    When one file cannot be written, all are as they were.

    Returns:
        The files that were changed.

    Raises:
        StagewrightError: ``target-unwritable``.
    """
    tables: dict[Path, dict[str, str]] = {}
    for edit in edits:
        tables.setdefault(Path(edit.layer), {})[edit.before] = edit.after
    yield from rewrite({file: _path_writer(file, table) for file, table in tables.items()})
    return list(tables)


def apply_task(edits: Iterable[Mapping[str, Any]]) -> Job[dict[str, Any]]:
    """:func:`apply_edits` on plain JSON data, for another process to run."""
    changed = yield from apply_edits(PathEdit(**edit) for edit in edits)
    return {"changed": [str(file) for file in changed]}


def _path_writer(file: Path, table: Mapping[str, str]) -> Callable[[Path], None]:
    def new_path(path: str) -> str:
        return table.get(path, path)

    if file.suffix.lower() == ".mtlx":
        return lambda target: _write_bytes(target, with_paths(file, new_path))
    return _layer_writer(file, lambda layer: UsdUtils.ModifyAssetPaths(layer, new_path))


def _write_bytes(target: Path, content: bytes) -> None:
    target.write_bytes(content)


def _layer_writer(file: Path, change: Callable[[Sdf.Layer], None]) -> Callable[[Path], None]:
    def write(target: Path) -> None:
        layer = Sdf.Layer.OpenAsAnonymous(str(file))
        change(layer)
        write_layer(layer, target, like=file)

    return write


def rewrite(writers: Mapping[Path, Callable[[Path], None]]) -> Job[None]:
    """Let each writer write the new content of its file; all files change, or none."""
    with contextlib.ExitStack() as stack:
        written: dict[Path, Path] = {}
        for index, (file, write) in enumerate(writers.items()):
            yield Progress("repair.write", index / len(writers), f"Writing {file.name}")
            new = stack.enter_context(staging(file)) / file.name
            with _naming(file):
                if not os.access(file, os.W_OK):
                    raise PermissionError(13, "it is read-only")
                write(new)
                shutil.copymode(file, new)
            written[file] = new
        done: list[tuple[Path, Path]] = []
        try:
            for file, new in written.items():
                with _naming(file):
                    backup = _backup(file)
                    shutil.copy2(file, backup)
                    done.append((file, backup))
                    new.replace(file)
        except BaseException:
            for file, backup in done:
                backup.replace(file)
            raise


@contextlib.contextmanager
def _naming(file: Path) -> Iterator[None]:
    """Tell which file an OSError is about."""
    try:
        yield
    except OSError as error:
        raise StagewrightError(
            "target-unwritable",
            f"{file.name} cannot be written ({error.strerror or error}).",
            "Make it writable, or make room on the disk; no file was changed.",
        ) from error


def _backup(file: Path) -> Path:
    number = 0
    while True:
        backup = file.with_name(f"{file.name}.bak{number or ''}")
        if not backup.exists():
            return backup
        number += 1


def set_stage_metadata(
    file: Path,
    *,
    up_axis: str = "",
    meters_per_unit: float = 0.0,
    default_prim: str = "",
    kind: str = "",
) -> Job[None]:
    """Correct what a layer says about its stage; its points stay as they are.

    Args:
        file: the layer.
        up_axis: ``"Y"`` or ``"Z"``; "" leaves it.
        meters_per_unit: metres in one unit; 0 leaves it.
        default_prim: name of a root prim; "" leaves it.
        kind: kind of the default prim (``component``, ``assembly`` …); "" leaves it.

    Raises:
        StagewrightError: ``no-prim``, ``target-unwritable``.
    """

    def change(layer: Sdf.Layer) -> None:
        if default_prim:
            layer.defaultPrim = default_prim
        prim = layer.GetPrimAtPath(f"/{layer.defaultPrim}") if layer.defaultPrim else None
        if (default_prim or kind) and prim is None:
            raise StagewrightError(
                "no-prim",
                f"{file.name} has no root prim {layer.defaultPrim or 'to be the default'}.",
                f"Name one of {', '.join(p.name for p in layer.rootPrims) or 'another file'}.",
            )
        if kind and prim is not None:
            prim.kind = kind
        if up_axis:
            layer.pseudoRoot.SetInfo(UsdGeom.Tokens.upAxis, up_axis)
        if meters_per_unit:
            layer.pseudoRoot.SetInfo(UsdGeom.Tokens.metersPerUnit, meters_per_unit)

    return rewrite({file: _layer_writer(file, change)})


def mend_extents(root: Path) -> Job[list[Path]]:
    """Let meshes say the boxes of their points, in ``root`` and every layer that it needs.

    Returns:
        The files that were changed.

    Raises:
        StagewrightError: ``target-unwritable``.
    """
    layers = walk(root.absolute()).layers
    wrong = [file for file, layer in layers.items() if next(wrong_extents(layer), None)]
    yield from rewrite({file: _layer_writer(file, author_extents) for file in wrong})
    return wrong


def save_overrides(stage: Usd.Stage, target: Path) -> None:
    """Save what was chosen and edited in the session as a layer over the stage's root.

    Raises:
        StagewrightError: ``exists``, ``target-unwritable``.
    """
    if target.exists():
        raise StagewrightError(
            "exists", f"{target.name} exists.", "Choose another name for the override layer."
        )
    root = stage.GetRootLayer()
    layer = Sdf.Layer.CreateAnonymous(".usda")
    layer.TransferContent(stage.GetSessionLayer())
    relative = os.path.relpath(root.realPath, target.parent).replace(os.sep, "/")
    layer.subLayerPaths.append(relative if relative.startswith(".") else f"./{relative}")
    for name in ("defaultPrim", UsdGeom.Tokens.upAxis, UsdGeom.Tokens.metersPerUnit):
        if root.pseudoRoot.HasInfo(name):
            layer.pseudoRoot.SetInfo(name, root.pseudoRoot.GetInfo(name))
    with staging(target) as place:
        write_layer(layer, place / target.name)
        move_into_place(place, target.parent, [target.name])
