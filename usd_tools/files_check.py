# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks of the files of an asset: all there, all readable, all within its folder."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from pxr import Sdf, Tf, UsdUtils

from ..jobs.errors import StagewrightError
from .dependencies import Dependency, dependencies, file_name, files_of, is_absolute
from .findings import Finding
from .materialx_files import named_files

# Values of these kinds are no textures.
_OTHER_SUFFIXES = (".usd", ".usda", ".usdc", ".usdz", ".mtlx", ".vdb", ".abc")

# A path of one machine in plain text: a home, temporary or mounted folder, a
# drive, or a share of a Windows network.
_MACHINE_PATH = re.compile(
    r"(?<![\w.])(/(home|Users|root|tmp|var|mnt|media|Volumes|private)/"
    r"|[A-Za-z]:[\\/](?!/)|\\\\[\w.-]+\\\w)"
)


@dataclass
class AssetWalk:
    """All that is reached from a root layer, found without composing a stage.

    Attributes:
        folder: the folder of the root layer.
        layers: the layers that can be read, by file.
        unreadable: files that are there, but no layers.
        files: the textures and other files that are there.
        missing: what is named but not there, with the layer that names it.
        outside: what is named by an absolute path or lies outside ``folder``.
        published: root layers of published assets outside ``folder`` that are
            referenced. What they need was checked as they were published.
    """

    folder: Path
    layers: dict[Path, Sdf.Layer] = field(default_factory=dict)
    unreadable: list[Path] = field(default_factory=list)
    files: set[Path] = field(default_factory=set)
    missing: list[tuple[Path, Dependency]] = field(default_factory=list)
    outside: list[tuple[Path, Dependency]] = field(default_factory=list)
    published: set[Path] = field(default_factory=set)


def walk(root: Path) -> AssetWalk:
    """Walk from the layer ``root`` (an absolute path) to every file that it needs."""
    found = AssetWalk(root.parent)
    waiting = [root]
    while waiting:
        file = waiting.pop(0)
        if file in found.layers or file in found.unreadable or file in found.files:
            continue
        if file.suffix.lower() == ".mtlx":
            # Not every USD library reads MaterialX, and none tells what it names.
            waiting += _walk_document(file, found)
            continue
        layer = _read(file)
        if layer is None:
            found.unreadable.append(file)
            continue
        found.layers[file] = layer
        for dependency in dependencies(layer):
            files = files_of(dependency.path, file.parent).values()
            there = [Path(os.path.normpath(f)) for f in files]
            if _leaves(dependency.path, file.parent, found.folder):
                if dependency.arc and there and _is_published(there[0], found.published):
                    continue
                found.outside.append((file, dependency))
            if not there:
                found.missing.append((file, dependency))
            elif dependency.arc:
                waiting += there
            else:
                found.files.update(there)
    return found


def _walk_document(file: Path, found: AssetWalk) -> list[Path]:
    """Take in a MaterialX document and its images; returns the documents that it includes."""
    try:
        paths = named_files(file)
    except StagewrightError:
        found.unreadable.append(file)
        return []
    found.files.add(file)
    included: list[Path] = []
    for path in paths:
        dependency = Dependency(path, Sdf.Path.absoluteRootPath, path.endswith(".mtlx"))
        there = [Path(os.path.normpath(f)) for f in files_of(path, file.parent).values()]
        if _leaves(path, file.parent, found.folder):
            found.outside.append((file, dependency))
        if not there:
            found.missing.append((file, dependency))
        elif dependency.arc:
            included += there
        else:
            found.files.update(there)
    return included


def check_files(root: Path, found: AssetWalk) -> Iterator[Finding]:
    """Findings about missing, unreadable and misplaced files of an asset."""
    for file in found.unreadable:
        yield Finding(
            "composition",
            "error",
            f"The layer {file.name} is damaged and cannot be read.",
            "Export the asset again.",
            layer=file.name,
        )
    for file, dependency in found.missing:
        yield _missing(file, dependency, found.folder)
    for file, dependency in found.outside:
        yield _outside(file, dependency, found.folder)
    yield from _text_paths(found)
    yield from _unresolved_by_usd(root, found)


def _outside(file: Path, dependency: Dependency, folder: Path) -> Finding:
    name = file_name(dependency.path)
    if not is_absolute(dependency.path):
        return Finding(
            "outside-path",
            "error",
            f"{file.name} names {name} by a path that leaves the asset's folder.",
            "Export the asset again, so that the file is copied beside it.",
            prim=str(dependency.spec),
            layer=name,
        )
    within = Path(os.path.normpath(dependency.path)).is_relative_to(folder)
    return Finding(
        "absolute-path",
        "error",
        f"{file.name} names {name} by a path of this machine alone.",
        "Make the path relative."
        if within
        else "Export the asset again, so that the file is copied beside it.",
        prim=str(dependency.spec),
        layer=name,
        fix=("replace", "--apply", "--relative") if within else (),
    )


def _missing(file: Path, dependency: Dependency, folder: Path) -> Finding:
    name = file_name(dependency.path)
    is_texture = not dependency.arc and not name.lower().endswith(_OTHER_SUFFIXES)
    if is_texture:
        cure = "In Blender, choose File > External Data > Find Missing Files, or pack the image."
    else:
        cure = "Export the asset again, or put the file back."
    return Finding(
        "missing-texture" if is_texture else "missing-asset",
        "error",
        f"The {'texture' if is_texture else 'file'} {name} is missing; {file.name} needs it.",
        cure,
        prim=str(dependency.spec),
        layer=name,
        fix=("replace", "--apply", f"--search-in={folder}"),
    )


def _unresolved_by_usd(root: Path, found: AssetWalk) -> Iterator[Finding]:
    """What USD's own dependency walk cannot resolve though Stagewright's found it."""
    if found.unreadable:
        return  # pxr 25.2 ends the whole process over a damaged layer
    _, _, unresolved = UsdUtils.ComputeAllDependencies(Sdf.AssetPath(str(root)))
    known = {file_name(d.path) for _, d in found.missing}
    for path in sorted(set(unresolved)):
        name = file_name(path)
        if name not in known:
            yield Finding(
                "missing-asset",
                "error",
                f"USD cannot resolve {name}.",
                "Export the asset again, or put the file back.",
                layer=name,
            )


def _text_paths(found: AssetWalk) -> Iterator[Finding]:
    """Strings that hold a path of one machine, such as custom properties."""
    for file, layer in found.layers.items():
        paths: list[Sdf.Path] = []
        layer.Traverse(Sdf.Path.absoluteRootPath, paths.append)
        for path in sorted(p for p in paths if p.IsPropertyPath()):
            spec = layer.GetPropertyAtPath(path)
            if not isinstance(spec, Sdf.AttributeSpec) or spec.GetInfo("typeName") != "string":
                continue
            if _MACHINE_PATH.search(str(spec.default)):
                yield Finding(
                    "machine-path",
                    "warning",
                    f"The property {path.name} in {file.name} holds a path of this machine.",
                    "Change or remove the custom property in Blender.",
                    prim=str(path.GetPrimPath()),
                    layer=file.name,
                )


def _is_published(file: Path, known: set[Path]) -> bool:
    """Whether ``file`` is the root layer of a published asset; it then joins ``known``."""
    if file not in known:
        layer = _read(file)
        top = layer.GetPrimAtPath(f"/{layer.defaultPrim}") if layer and layer.defaultPrim else None
        if top is None or not top.assetInfo.get("version"):
            return False
        known.add(file)
    return True


def _read(file: Path) -> Sdf.Layer | None:
    """The layer as it is on disk now, or None."""
    try:
        layer: Sdf.Layer | None = Sdf.Layer.OpenAsAnonymous(str(file))
    except Tf.ErrorException:
        return None
    return layer


def _leaves(path: str, folder: Path, top: Path) -> bool:
    if is_absolute(path):
        return True
    return not Path(os.path.normpath(folder / path)).is_relative_to(top)
