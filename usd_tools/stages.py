# SPDX-License-Identifier: GPL-3.0-or-later
"""Open stages as they are on disk now, and find Blender's names in them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pxr import Ar, Sdf, Tf, Usd

from ..jobs.errors import StagewrightError

OBJECT_NAME = "userProperties:blender:object_name"


def open_stage(root: Path, *, load: bool = True) -> Usd.Stage:
    """The stage of a root layer, freshly read, with its payloads unless ``load`` is False.

    ``Usd.Stage.Open`` hands out layers that are still open elsewhere in the
    process as they were; reloading reads every one again.

    Raises:
        StagewrightError: ``asset-unreadable``.
    """
    require_file(root)
    why = ""
    try:
        stage = Usd.Stage.Open(str(root), Usd.Stage.LoadAll if load else Usd.Stage.LoadNone)
    except Tf.ErrorException as error:
        stage = None
        line, words = syntax_error(error)
        why = f" (line {line}: {words})" if line else ""
    if stage is None:
        raise StagewrightError(
            "asset-unreadable",
            f"{root.name} cannot be opened as a USD stage{why}.",
            "Check the path; if the file is damaged, export it again or restore it from a backup.",
        )
    stage.Reload()
    return stage


def file_of(identifier: str) -> Path:
    """The file that holds a layer: itself, or the package that it lies in."""
    if Ar.IsPackageRelativePath(identifier):
        return Path(Ar.SplitPackageRelativePathOuter(identifier)[0])
    return Path(identifier)


def require_file(path: Path) -> None:
    """Refuse what is no file: USD would wait for ever for what a pipe or a device has to give.

    Raises:
        StagewrightError: ``asset-unreadable``.
    """
    file = file_of(str(path))
    if file.is_file():
        return
    what = "is a folder" if file.is_dir() else "is no file" if file.exists() else "is not there"
    raise StagewrightError(
        "asset-unreadable", f"{file.name} {what}.", "Give the path of a USD file."
    )


def syntax_error(error: Tf.ErrorException) -> tuple[int, str]:
    """The line that USD complains of in a text, and its complaint; line 0 when it names none."""
    for diagnostic in error.args:
        try:
            said = re.search(r":(\d+):\d+: (.*)", diagnostic.commentary)
        except UnicodeDecodeError:  # it cites what is no text
            continue
        if said:
            return int(said[1]), " ".join(said[2].split())
    return 0, "it cannot be read"


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Tell of a file that could be opened, but is damaged further in.

    USD reads values when they are asked for.

    Raises:
        StagewrightError: ``asset-unreadable``, when USD cannot read something in the block.
    """
    try:
        yield
    except (Tf.ErrorException, UnicodeDecodeError) as error:
        raise StagewrightError(
            "asset-unreadable",
            f"{path.name}, or a file that it needs, is damaged: USD cannot read a part of it.",
            "Export it again or restore it from a backup.",
        ) from error


def default_prim(root: Path) -> str:
    """Name of the default prim of the layer ``root``.

    Raises:
        StagewrightError: ``asset-unreadable``, also when it has none.
    """
    try:
        layer = Sdf.Layer.OpenAsAnonymous(str(root), metadataOnly=True)
    except Tf.ErrorException:
        layer = None
    if layer is None or not layer.defaultPrim:
        raise StagewrightError(
            "asset-unreadable",
            f"“{root}” is not the root layer of an asset.",
            "Name the published .usda file.",
        )
    return str(layer.defaultPrim)


def write_layer(layer: Sdf.Layer, path: Path, like: Path | None = None) -> None:
    """Write ``layer`` to ``path``; raises OSError.

    Args:
        layer: the layer.
        path: its suffix says the format.
        like: for a .usd, which may be text or binary: a file of the format to take.
    """
    options = {}
    if path.suffix.lower() == ".usd":
        options["format"] = "usdc" if like is None or is_binary(like) else "usda"
    try:
        written = layer.Export(str(path), args=options)
    except Tf.ErrorException as error:
        raise OSError(f"USD could not write {path.name}") from error
    if not written:
        raise OSError(f"USD could not write {path.name}")


def is_binary(file: Path) -> bool:
    """Whether ``file`` is a crate file, whatever it is called; raises OSError."""
    with file.open("rb") as stream:
        return stream.read(8) == b"PXR-USDC"


def object_name(prim: Usd.Prim) -> str:
    """Blender's name of the object that ``prim`` came from, or ""."""
    while prim and not prim.IsPseudoRoot():
        value = prim.GetAttribute(OBJECT_NAME).Get()
        if value:
            return str(value)
        prim = prim.GetParent()
    return ""


def object_at(stage: Usd.Stage, path: Sdf.Path) -> str:
    """Blender's name of the object at a path of a prim or property, or ""."""
    return object_name(stage.GetPrimAtPath(path.GetPrimPath()))
