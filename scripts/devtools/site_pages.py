# SPDX-License-Identifier: GPL-3.0-or-later
"""The site's pages that are not files in docs/: the root's documents and the Python API.

Hooks of MkDocs (https://www.mkdocs.org/user-guide/configuration/#hooks); it loads this file by
path, so nothing of the package is imported here.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parents[2]
# Documents that lie at the repository's root, where its hosts look for them.
AT_ROOT = {"CONTRIBUTING.md": "contributing.md", "CHANGELOG.md": "changelog.md"}
AT_ROOT["SECURITY.md"] = "security.md"
# The rooms that plain Python may call; `addon` is Blender's, `pipeline` the command line's.
ROOMS = {
    "field_tools": "Fields",
    "texture_lab": "Textures",
    "usd_tools": "USD",
    "ayon_bridge": "AYON",
    "jobs": "Jobs",
}


def on_config(config: Any) -> Any:
    """Append the API's pages to the navigation, a section for each room."""
    sections = [{title: [_page(m) for m in _modules(room)]} for room, title in ROOMS.items()]
    config.nav.append({"Python API": sections})
    return config


def on_files(files: Files, config: Any) -> Files:
    """Add the pages."""
    for name, page in AT_ROOT.items():
        text = _linked_from_docs((ROOT / name).read_text(encoding="utf-8"))
        files.append(File.generated(config, page, content=text))
    for module in (m for room in ROOMS for m in _modules(room)):
        files.append(File.generated(config, _page(module), content=f"::: {module}\n"))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Files) -> str:
    """Turn links to the root's documents into links to their pages."""
    for name, target in AT_ROOT.items():
        markdown = markdown.replace(f"](../{name})", f"]({target})")
    return markdown.replace("](../README.md)", "](index.md)")


def _linked_from_docs(text: str) -> str:
    """A root document's text with its links as they are seen from docs/."""
    return re.sub(r"\]\(docs/", "](", text)


def _modules(room: str) -> list[str]:
    """Dotted names of a room's modules, the room first."""
    names = []
    for path in sorted((ROOT / room).rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        if parts[-1] == "__init__":
            parts = parts[:-1]
        if not any(part.startswith("_") for part in parts):
            names.append(".".join(("stagewright", *parts)))
    return sorted(names)


def _page(module: str) -> str:
    return f"api/{module.removeprefix('stagewright.')}.md"
