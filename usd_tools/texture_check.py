# SPDX-License-Identifier: GPL-3.0-or-later
"""Image files that not every renderer reads, that are very large, or read as the wrong colours."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from pxr import Usd, UsdShade

from .findings import Finding
from .images import image_size

# What every renderer of USD reads; of these alone the headers are looked at.
_PORTABLE = {
    ".png": b"\x89PNG",
    ".jpg": b"\xff\xd8",
    ".jpeg": b"\xff\xd8",
    ".exr": b"\x76\x2f\x31\x01",
}
_OTHER_IMAGES = {
    *(".tga", ".tif", ".tiff", ".bmp", ".gif", ".psd", ".tx", ".tex", ".webp", ".dds", ".hdr"),
    *(".rat", ".cin", ".dpx", ".jp2", ".sgi", ".pic", ".iff"),
}

# Inputs of UsdPreviewSurface that are colours; textures of all others hold plain numbers.
_COLOURS = {"diffuseColor", "emissiveColor", "specularColor"}


def check_images(files: Iterable[Path], largest: int) -> Iterator[Finding]:
    """Findings about image files by themselves.

    Args:
        files: files that an asset needs, whatever they are.
        largest: pixels a side.
    """
    for file in sorted(files):
        suffix = file.suffix.lower()
        if suffix in _OTHER_IMAGES:
            yield Finding(
                "texture-format",
                "warning",
                f"{file.name} is no PNG, JPEG or OpenEXR, which are what every renderer reads.",
                "Convert it to one of them.",
                layer=file.name,
            )
        if suffix not in _PORTABLE:
            continue
        size = image_size(file)
        if size is None or not _begins_as(file, _PORTABLE[suffix]):
            yield Finding(
                "texture-format",
                "error",
                f"{file.name} is no whole {suffix[1:].upper()} image, whatever its name says.",
                "Export the image again, under a name that fits what it is.",
                layer=file.name,
            )
        elif max(size) > largest:
            yield Finding(
                "texture-size",
                "warning",
                f"{file.name} has {size[0]} x {size[1]} pixels, more than {largest} a side.",
                "Scale it down.",
                layer=file.name,
                value=float(max(size)),
            )


def _begins_as(file: Path, magic: bytes) -> bool:
    with file.open("rb") as stream:
        return stream.read(len(magic)) == magic


def check_colour_spaces(stage: Usd.Stage) -> Iterator[Finding]:
    """Textures of preview surfaces that are read as colours but are none, or the reverse."""
    for prim in stage.Traverse():
        if not prim.IsA(UsdShade.Shader):
            continue
        shader = UsdShade.Shader(prim)
        if shader.GetIdAttr().Get() != "UsdPreviewSurface":
            continue
        for target in shader.GetInputs():
            name = target.GetBaseName()
            for texture in _textures(target):
                problem = _problem(texture, colour=name in _COLOURS)
                if problem:
                    path = texture.GetPath()
                    yield Finding(
                        "texture-color-space",
                        "warning",
                        f"{path}, the texture of {name}, is read as {problem}.",
                        "Set its image's color space in Blender (Non-Color for all but colors), "
                        "and export again.",
                        prim=str(path),
                    )


def _textures(target: UsdShade.Input) -> Iterator[UsdShade.Shader]:
    for source in target.GetConnectedSources()[0]:
        shader = UsdShade.Shader(source.source.GetPrim())
        if shader and shader.GetIdAttr().Get() == "UsdUVTexture":
            yield shader


def _problem(texture: UsdShade.Shader, *, colour: bool) -> str:
    """As what the texture is read, if that is wrong; else ""."""
    said = texture.GetInput("sourceColorSpace")
    space = said.Get() if said else None
    if colour:
        return "plain numbers, not as a colour" if space == "raw" else ""
    if space == "sRGB":
        return "an sRGB colour, not as plain numbers"
    if space in (None, "", "auto"):
        file = texture.GetInput("file")
        path = file.Get() if file else None
        if path is not None and _auto_is_srgb(Path(path.resolvedPath)):
            return "an sRGB colour, since it has 8 bits and says nothing else"
    return ""


def _auto_is_srgb(file: Path) -> bool:
    """Whether ``auto`` means sRGB: three or four channels of 8 bits (UsdPreviewSurface 2.6)."""
    if not file.is_file():
        return False
    with file.open("rb") as stream:
        head = stream.read(26)
    if head.startswith(_PORTABLE[".png"]) and len(head) == 26:
        return head[24] == 8 and head[25] in (2, 6)  # depth and colour type
    return head.startswith(_PORTABLE[".jpg"])
