# SPDX-License-Identifier: GPL-3.0-or-later
"""A layer as text: read from any format, with the links in it, and saved back into its own."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

from pxr import Ar, Sdf, Tf

from ..jobs.errors import StagewrightError
from ..jobs.events import Job, Progress
from .dependencies import files_of
from .direct.records.material import UDIM
from .materialx_files import as_xml
from .repair import rewrite
from .stages import file_of, is_binary, require_file, syntax_error, write_layer
from .stamps import Stamp, stamp_of

LARGEST = 32 << 20
"""Characters of the longest text that is shown: editors are slow on longer ones."""

Format = Literal["usda", "usdc", "usdz", "mtlx"]
State = Literal["layer", "binary", "file", "tiles", "missing"]


@dataclass(frozen=True)
class LayerText:
    """A layer as text.

    Attributes:
        identifier: of the layer: its file, or ``package.usdz[inside.usda]``.
        text: the file itself where it is text; what USD writes of it otherwise.
        format: what the file holds.
        why_locked: why it cannot be saved back, or "".
        stamp: of the file that was read.
    """

    identifier: str
    text: str
    format: Format
    why_locked: str
    stamp: Stamp | None


@dataclass(frozen=True)
class Link:
    """An asset path in a text.

    Attributes:
        path: as written.
        line: number of the line that it begins in, from 0.
        start: column of the first ``@`` (or quote), from 0.
        end: column after the last one, in the line where it ends.
        target: the layer or file that it leads to, or "".
        state: ``layer`` (of text), ``binary`` (a crate or package), ``file`` (any other),
            ``tiles`` (a UDIM set), ``missing``.
    """

    path: str
    line: int
    start: int
    end: int
    target: str
    state: State


def read_text(identifier: str) -> LayerText:
    """The layer called ``identifier`` as text.

    Raises:
        StagewrightError: ``asset-unreadable``, ``text-too-long``.
    """
    file = file_of(identifier)
    require_file(file)
    stamp = stamp_of(file)
    try:
        found, text = _read(identifier, file)
    except (OSError, UnicodeDecodeError, Tf.ErrorException) as error:
        raise _unreadable(file) from error
    if len(text) > LARGEST:
        raise StagewrightError(
            "text-too-long",
            f"{file.name} would be {len(text) >> 20} MB of text.",
            "Look at its prims in the inspector, or at a part with stagewright usd tree.",
        )
    why = "It lies in a package: edit the layers that it was packed from" if "usdz" == found else ""
    return LayerText(identifier, text, found, why, stamp)


def read_page(identifier: str) -> Job[dict[str, Any]]:
    """:func:`read_text` with its :func:`links`, as plain JSON data: for a process that may end.

    Returns:
        ``layer`` as :class:`LayerText`, ``links`` as :class:`Link`.

    Raises:
        StagewrightError: as :func:`read_text`.
    """
    yield Progress("text.read", None, f"Reading {file_of(identifier).name}")
    layer = read_text(identifier)
    found = links(layer.text, identifier)
    return {"layer": asdict(layer), "links": [asdict(link) for link in found]}


def page_of(value: Mapping[str, Any]) -> tuple[LayerText, list[Link]]:
    """What :func:`read_page` has told."""
    layer = LayerText(**value["layer"])
    stamp: Any = layer.stamp and tuple(layer.stamp)
    return replace(layer, stamp=stamp), [Link(**link) for link in value["links"]]


def _read(identifier: str, file: Path) -> tuple[Format, str]:
    suffix = file.suffix.lower()
    if suffix == ".mtlx":
        return "mtlx", file.read_text("utf-8")
    if suffix == ".usdz":
        layer = Sdf.Layer.FindOrOpen(identifier)
        if layer is None:
            raise OSError(f"{identifier} is no layer")
        return "usdz", layer.ExportToString()
    if not is_binary(file) and suffix != ".usdc" and file.stat().st_size:
        return "usda", file.read_text("utf-8")  # even with errors in it: they can be corrected
    layer = Sdf.Layer.OpenAsAnonymous(str(file))
    if layer is None:
        raise OSError(f"{file} is no layer")
    return "usdc", layer.ExportToString()


def _unreadable(file: Path) -> StagewrightError:
    return StagewrightError(
        "asset-unreadable",
        f"{file.name} cannot be read as a layer.",
        "Check the path; if the file is damaged, restore it from a backup.",
    )


# What may hold an @ that begins no asset path comes first.
_TOKENS = re.compile(
    r'"""(?:\\.|[^\\])*?"""|\'\'\'(?:\\.|[^\\])*?\'\'\''
    r'|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\''
    r"|\#[^\n]*"
    r"|@@@(?P<long>.*?)@@@|@(?P<short>[^@\n]*)@",
    re.DOTALL,
)
_XML_FILE = re.compile(r'(?:type="filename"[^>]*?value|href|fileprefix)="(?P<short>[^"]*)"')


def links(text: str, identifier: str) -> list[Link]:
    """The asset paths in ``text``, the text of the layer called ``identifier``, as they stand."""
    pattern = _XML_FILE if identifier.lower().endswith(".mtlx") else _TOKENS
    found = []
    line = last = 0
    for match in pattern.finditer(text):
        groups = match.groupdict()
        name = "long" if groups.get("long") is not None else "short"
        path = groups[name]
        if not path:
            continue
        # Counted from the last link on: a text has many lines.
        begin = match.start() if pattern is _TOKENS else match.start(name) - 1
        finish = match.end()
        line, last = line + text.count("\n", last, begin), begin
        start = begin - (text.rfind("\n", 0, begin) + 1)
        end = finish - (text.rfind("\n", 0, finish) + 1)
        found.append(Link(path, line, start, end, *_target(path, identifier)))
    return found


def _target(path: str, identifier: str) -> tuple[str, State]:
    file = file_of(identifier)
    if Ar.IsPackageRelativePath(identifier) or file.suffix.lower() == ".usdz":
        layer = Sdf.Layer.FindOrOpen(identifier)
        target = Sdf.ComputeAssetPathRelativeToLayer(layer, path) if layer else ""
        there = bool(target and Ar.GetResolver().Resolve(target))
        inside = Ar.IsPackageRelativePath(target) and Ar.SplitPackageRelativePathInner(target)[1]
        return (target, _state(Path(inside or target))) if there else ("", "missing")
    found = files_of(path, file.parent)
    if found:
        target = str(next(iter(found.values())))
        return target, "tiles" if UDIM in path else _state(Path(target))
    resolver = Ar.GetResolver()
    place = resolver.Resolve(resolver.CreateIdentifier(path, Ar.ResolvedPath(str(file))))
    return (str(place), _state(file_of(str(place)))) if place else ("", "missing")


def _state(file: Path) -> State:
    suffix = file.suffix.lower()
    if suffix in (".usda", ".mtlx"):
        return "layer"
    if suffix in (".usdc", ".usdz"):
        return "binary"
    if suffix != ".usd":
        return "file"
    return "binary" if file.is_file() and is_binary(file) else "layer"


def check_text(text: str, format: Format) -> None:
    """Refuse text that is not of its format.

    Raises:
        StagewrightError: ``bad-syntax``, with the line in ``details``.
    """
    if format == "mtlx":
        try:
            ET.fromstring(as_xml(text.encode()))
        except ET.ParseError as error:
            raise _bad(error.position[0], str(error).partition(":")[0]) from error
        return
    try:
        read = Sdf.Layer.CreateAnonymous(".usda").ImportFromString(text)
    except Tf.ErrorException as error:
        line, words = syntax_error(error)
        raise _bad(line, words) from error
    if not read:
        raise _bad(1, "it does not begin with #usda 1.0")


def _bad(line: int, words: str) -> StagewrightError:
    return StagewrightError(
        "bad-syntax",
        f"Line {line}: {words}.",
        "Correct it, and save again; the file is as it was.",
        {"line": line},
    )


def save_text(layer: LayerText, text: str) -> Job[Stamp | None]:
    """Save ``text`` as the layer that was read as ``layer``, in its format, with a backup.

    Returns:
        The file's new stamp.

    Raises:
        StagewrightError: ``bad-syntax``; ``changed-on-disk``; ``locked``; ``target-unwritable``.
    """
    file = Path(layer.identifier)
    if layer.why_locked:
        raise StagewrightError("locked", f"{file.name} cannot be saved.", f"{layer.why_locked}.")
    check_text(text, layer.format)
    if stamp_of(file) != layer.stamp:
        raise StagewrightError(
            "changed-on-disk",
            f"{file.name} has changed on disk since it was opened here.",
            "Keep your text under another name, open the file again, and bring both together.",
        )

    def write(target: Path) -> None:
        if layer.format == "usdc":
            made = Sdf.Layer.CreateAnonymous(".usda")
            made.ImportFromString(text)
            write_layer(made, target, like=file)
        else:
            target.write_bytes(text.encode())

    yield from rewrite({file: write})
    return stamp_of(file)
