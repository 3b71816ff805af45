# SPDX-License-Identifier: GPL-3.0-or-later
"""MaterialX documents to materials, and back."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict
from pathlib import Path
from typing import Any

import bpy

from ...jobs.errors import StagewrightError
from ...jobs.events import Job, Progress
from .shading_nodes import make_material
from .stream.context import StreamContext
from .stream.materials import read_material


def import_materials(source: Path, names: Collection[str] = ()) -> Job[list[dict[str, Any]]]:
    """Make the materials of a document.

    Args:
        source: the .mtlx file.
        names: which of its materials; empty for all.

    Returns:
        For each material its ``name`` in Blender, the ``surface`` shader it was, and
        ``notes`` of what does not arrive as it is (``usd_tools.mtlx.records.Note``).

    Raises:
        StagewrightError: ``bad-mtlx``, ``no-material`` or ``no-materialx``.
    """
    from ...usd_tools.mtlx.document import read_document
    from ...usd_tools.mtlx.records import Note
    from ...usd_tools.mtlx.surfaces import import_network

    document = read_document(source)
    chosen = [n for n in document.networks if not names or n.name in names]
    _refuse_unknown(names, [network.name for network in document.networks], source.name)
    made = []
    for number, network in enumerate(chosen):
        yield Progress("mtlx.import", number / len(chosen), f"Importing {network.name}")
        imported = import_network(network, document.library)
        material, missing = make_material(imported.record)
        material.use_fake_user = True
        notes = [asdict(note) for note in imported.notes]
        notes += [asdict(Note(network.surface, "unsupported", text)) for text in missing]
        made.append({"name": material.name, "surface": imported.surface, "notes": notes})
    return made


def export_materials(target: Path, names: Collection[str] = ()) -> Job[dict[str, Any]]:
    """Write materials of the open file as a document; packed images go into a folder beside it.

    Args:
        target: the .mtlx file.
        names: which materials; empty for all that have users.

    Returns:
        ``path``, ``materials`` with their ``name`` and ``notes`` (sentences), and
        ``problems`` that MaterialX's validator has with what was written.

    Raises:
        StagewrightError: ``no-material``, ``no-materialx`` or ``target-unwritable``.
    """
    from ...usd_tools.mtlx.document import validate
    from ...usd_tools.mtlx.writing import networks_of, write_document

    known = [m for m in bpy.data.materials if not m.is_grease_pencil]
    _refuse_unknown(names, [m.name for m in known], "this file")
    chosen = [m.name for m in known if (m.name in names if names else m.users)]
    if not chosen:
        raise StagewrightError(
            "no-material", "There is no material in use.", "Give an object a material first."
        )
    context = StreamContext("/root", folder=target.with_name(f"{target.stem}_textures"))
    records, told = [], []
    for number, name in enumerate(chosen):
        yield Progress("mtlx.export", number / len(chosen), f"Reading {name}")
        material = bpy.data.materials.get(name)
        if material is not None:
            records.append(read_material(context, material, "", preview=False))
            told.append({"name": name, "notes": context.take_notes()})
    write_document(networks_of(records), target)
    problems = [asdict(note) for note in validate(target)]
    return {"path": str(target), "materials": told, "problems": problems}


def _refuse_unknown(names: Collection[str], known: Collection[str], where: str) -> None:
    for name in names:
        if name not in known:
            raise StagewrightError(
                "no-material",
                f"There is no material called {name} in {where}.",
                f"Choose one of: {', '.join(sorted(known)[:12])}.",
            )
