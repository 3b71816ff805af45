# SPDX-License-Identifier: GPL-3.0-or-later
"""Records written by way of USD's parser and as a crate file of our own, which say the same."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from pathlib import Path

from pxr import Sdf

from stagewright.jobs.events import Event
from stagewright.usd_tools.direct.records import Record
from stagewright.usd_tools.direct.stream_writer import write_stream


def both_ways(items: Iterable[Record | Event]) -> Sdf.Layer:
    """The layer of records, read from the crate file."""
    items = list(items)
    parsed = Sdf.Layer.CreateAnonymous(".usda")
    list(write_stream((item for item in items), parsed))
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder) / name for name in ("one.usdc", "two.usdc")]
        for file in files:
            list(write_stream((item for item in items), file))
        assert files[0].read_bytes() == files[1].read_bytes()
        layer = Sdf.Layer.OpenAsAnonymous(str(files[0]))
    assert layer.ExportToString() == parsed.ExportToString()
    assert _fields(layer) == _fields(parsed)
    return layer


def _fields(layer: Sdf.Layer) -> dict[str, list[str]]:
    """Names of the fields of each spec: what is a fallback is not in the text."""
    found = {}

    def note(path: Sdf.Path) -> None:
        spec = layer.GetObjectAtPath(path)
        if not path.IsTargetPath():
            found[str(path)] = sorted(spec.ListInfoKeys())

    layer.Traverse(Sdf.Path.absoluteRootPath, note)
    return found
