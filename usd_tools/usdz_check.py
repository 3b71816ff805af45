# SPDX-License-Identifier: GPL-3.0-or-later
"""Packages: their layout (USDZ specification), and what AR Quick Look shows of what is in them."""

from __future__ import annotations

import struct
import tempfile
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from pxr import Usd, UsdGeom, UsdShade

from .findings import Finding

_LAYERS = {".usd", ".usda", ".usdc"}
_IMAGES = {".png", ".jpg", ".jpeg", ".exr", ".avif"}
_SOUNDS = {".m4a", ".mp3", ".wav"}
_ALIGNMENT = 64
_LOCAL_HEADER = 30

# What ARKit's rules in usdchecker let pass.
_PRIMS = {
    *("", "Xform", "Scope", "Mesh", "Camera", "Material", "Shader", "NodeGraph", "GeomSubset"),
    *("Sphere", "Cube", "Cylinder", "Cone", "Capsule", "Points", "SkelRoot", "Skeleton"),
    *("SkelAnimation", "BlendShape", "SpatialAudio"),
}
_SHADERS = ("UsdPreviewSurface", "UsdUVTexture", "UsdTransform2d", "UsdPrimvarReader_")

_PACK_AGAIN = "Pack it again: stagewright usd package."


def check_package(package: Path) -> Iterator[Finding]:
    """What is wrong with the layout of a .usdz: it is a zip file that is read in place."""
    try:
        with zipfile.ZipFile(package) as archive, package.open("rb") as stream:
            entries = archive.infolist()
            for entry in entries:
                for problem in _entry_problems(entry, stream):
                    yield _layout(package, f"{entry.filename} in {package.name} {problem}")
            broken = archive.testzip() if all(map(_is_plain, entries)) else None
    except (zipfile.BadZipFile, OSError, NotImplementedError, struct.error) as error:
        yield _layout(package, f"{package.name} is no whole package: {error}")
        return
    if broken is not None:
        yield _layout(package, f"{broken} in {package.name} is damaged")
    if not entries or PurePosixPath(entries[0].filename).suffix.lower() not in _LAYERS:
        yield _layout(package, f"The first file in {package.name} is no layer of USD")


def _layout(package: Path, sentence: str) -> Finding:
    return Finding("usdz-layout", "error", f"{sentence}.", _PACK_AGAIN, layer=package.name)


def _entry_problems(entry: zipfile.ZipInfo, stream: BinaryIO) -> Iterator[str]:
    if not _is_inside(entry):
        yield "would lie outside of the package"
    if entry.flag_bits & 1:
        yield "is encrypted"
    elif entry.compress_type != zipfile.ZIP_STORED:
        yield "is compressed, so that USD cannot read it"
    stream.seek(entry.header_offset)
    name, extra = struct.unpack("<26x2H", stream.read(_LOCAL_HEADER))
    if (entry.header_offset + _LOCAL_HEADER + name + extra) % _ALIGNMENT:
        yield f"does not begin at a multiple of {_ALIGNMENT} bytes"


@contextmanager
def unpacked(package: Path) -> Iterator[Path]:
    """The root layer of a package, its files beside it in a folder that is gone after the block.

    Files that are compressed, encrypted or would lie elsewhere stay where they are: USD does not
    read them either.

    Raises:
        OSError: the package cannot be read; zipfile.BadZipFile: it is none.
    """
    with (
        tempfile.TemporaryDirectory(prefix="stagewright-") as folder,
        zipfile.ZipFile(package) as archive,
    ):
        entries = [entry for entry in archive.infolist() if _is_plain(entry)]
        for entry in entries:
            archive.extract(entry, folder)
        if not entries:
            raise zipfile.BadZipFile("it holds no file that USD reads")
        yield Path(folder, entries[0].filename)


def _is_plain(entry: zipfile.ZipInfo) -> bool:
    stored = entry.compress_type == zipfile.ZIP_STORED and not entry.flag_bits & 1
    return _is_inside(entry) and stored and entry.file_size == entry.compress_size


def _is_inside(entry: zipfile.ZipInfo) -> bool:
    path = PurePosixPath(entry.filename.replace("\\", "/"))
    return not path.is_absolute() and not {"..", ":"} & {*path.parts, *path.as_posix()}


def check_arkit(stage: Usd.Stage, names: Iterable[str]) -> Iterator[Finding]:
    """What AR Quick Look does not show, or not rightly.

    Args:
        stage: what is in the package.
        names: of the files that are in it, or will be.
    """
    if UsdGeom.GetStageUpAxis(stage) != UsdGeom.Tokens.y:
        yield _arkit("It has Z up: it will lie on its side in some viewers", "Export it with Y up.")
    layers = []
    for name in sorted(names):
        suffix = PurePosixPath(name).suffix.lower()
        if suffix in _LAYERS:
            layers.append(name)
        elif suffix not in _IMAGES | _SOUNDS:
            yield _arkit(f"ARKit does not read {name}", "Convert it, or leave it out.", layer=name)
    if len(layers) > 1:
        yield _arkit(
            f"It has {len(layers)} layers, but ARKit wants one",
            "Pack it as one: stagewright usd package --arkit.",
        )
    elif layers and PurePosixPath(layers[0]).suffix.lower() == ".usda":
        yield _arkit(
            f"{layers[0]} is text, but ARKit wants a binary layer",
            "Pack it anew: stagewright usd package --arkit.",
        )
    for prim in stage.Traverse():
        path, kind = str(prim.GetPath()), str(prim.GetTypeName())
        if kind == "Shader":
            shader = str(UsdShade.Shader(prim).GetIdAttr().Get() or "")
            if not shader.startswith(_SHADERS):
                yield _arkit(
                    f"ARKit does not show the shader {path}, a {shader or 'nameless one'}",
                    "Give the material a preview surface (UsdPreviewSurface).",
                    prim=path,
                )
        elif kind not in _PRIMS and not kind.startswith("Preliminary_"):
            yield _arkit(
                f"ARKit does not show {path}, a {kind}",
                "Turn it into a mesh before the export, or leave it out.",
                prim=path,
            )


def _arkit(sentence: str, cure: str, *, prim: str = "", layer: str = "") -> Finding:
    return Finding("usdz-content", "warning", f"{sentence}.", cure, prim=prim, layer=layer)
