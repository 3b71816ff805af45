# SPDX-License-Identifier: GPL-3.0-or-later
"""The files that a MaterialX document names (MaterialX Specification 1.39, "File Prefixes").

USD's own dependency walk does not look into .mtlx files, so whoever packs by it
loses their textures.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from pathlib import Path

from ..jobs.errors import StagewrightError

# A document is text that people write; more is no document.
_LARGEST = 64 << 20
# MaterialX itself writes numbers of tiles like this into values, where XML wants "&lt;".
_TILES = re.compile(rb"<(UDIM|UVTILE)>")


def named_files(document: Path) -> list[str]:
    """The paths that ``document`` names, their prefixes joined: images and included documents.

    Raises:
        StagewrightError: ``bad-mtlx``.
    """
    return [path for _, _, path in _entries(_read(document))]


def with_paths(document: Path, replace: Callable[[str], str]) -> bytes:
    """``document`` with each path that it names replaced; prefixes are joined to the paths.

    Args:
        document: the file to read.
        replace: the new path for an old one, prefix included.

    Raises:
        StagewrightError: ``bad-mtlx``.
    """
    tree = _read(document)
    for element, attribute, path in list(_entries(tree)):
        element.set(attribute, replace(path))
    for element in tree.iter():
        element.attrib.pop("fileprefix", None)
    text: bytes = ET.tostring(tree, encoding="utf-8", xml_declaration=True)
    return text


def as_xml(data: bytes) -> bytes:
    """The bytes of a document as XML is to be, which MaterialX reads as well."""
    return _TILES.sub(rb"&lt;\1&gt;", data)


def _read(document: Path) -> ET.Element:
    try:
        if document.stat().st_size > _LARGEST:
            raise ValueError("it is far too large")
        data = document.read_bytes()
        if b"<!DOCTYPE" in data or b"<!ENTITY" in data:
            raise ValueError("it declares entities")
        root = ET.fromstring(as_xml(data))
        if root.tag != "materialx":
            raise ValueError(f"its root element is {root.tag}")
    except (OSError, ValueError, ET.ParseError) as error:
        raise StagewrightError(
            "bad-mtlx",
            f"{document.name} is no MaterialX document that can be read: {error}.",
            "Write it again with the program that it comes from.",
        ) from error
    return root


def _entries(root: ET.Element) -> Iterator[tuple[ET.Element, str, str]]:
    """Elements that name a file, the attribute that does, and the whole path."""
    waiting = [(root, "")]
    while waiting:
        element, prefix = waiting.pop()
        prefix += element.get("fileprefix", "")
        if element.tag.endswith("}include") and element.get("href"):
            yield element, "href", element.get("href", "")
        elif element.get("type") == "filename" and element.get("value"):
            yield element, "value", prefix + element.get("value", "")
        waiting += [(child, prefix) for child in reversed(element)]
