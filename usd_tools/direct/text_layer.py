# SPDX-License-Identifier: GPL-3.0-or-later
"""Layers filled by way of text.

Making a spec from Python costs more than parsing its line of usda text. So
prims, and values that are not arrays, are text, which USD's own parser reads;
arrays are USD's own and set then, without a copy.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from pxr import Sdf

from ...jobs.events import Job, Progress
from .arrays import vt_array
from .layer_writer import Kind, LayerWriter, Prim
from .text import quoted, value_text

# Arrays set between two reports of progress.
_STRIDE = 20_000


class TextValues:
    """Keeps arrays as Vt arrays, and all else as text."""

    def kept(self, value: Any, type_name: str) -> Any:
        """The text of ``value``, or its Vt array."""
        if isinstance(value, np.ndarray) and type_name.endswith("[]"):
            return vt_array(value, type_name)
        return value_text(value, type_name)


def fill_layer(writer: LayerWriter, layer: Sdf.Layer) -> Job[None]:
    """Put what ``writer`` collected into ``layer``, in place of what it holds."""
    yield Progress("usd.author", 0.0, "Authoring the prims")
    writer.settle()
    if not layer.ImportFromString("".join(_text(writer))):
        raise ValueError("USD does not read the text of the layer")
    arrays = list(_arrays(writer))
    for start in range(0, len(arrays), _STRIDE):
        yield Progress("usd.author", start / len(arrays), "Authoring the values")
        with Sdf.ChangeBlock():  # nobody listens to the notices, but each costs time
            for path, kind, value in arrays[start : start + _STRIDE]:
                if kind.field == "timeSamples":
                    for frame, array in value.items():
                        layer.SetTimeSample(path, frame, array)
                else:
                    layer.GetAttributeAtPath(path).default = value


def _arrays(writer: LayerWriter) -> Iterator[tuple[Sdf.Path, Kind, Any]]:
    for prim in writer.prims.values():
        for kind, value in zip(prim.kinds, prim.values, strict=True):
            if _is_set_later(kind, value):
                yield Sdf.Path(prim.path).AppendProperty(kind.name), kind, value


def _is_set_later(kind: Kind, value: Any) -> bool:
    if kind.field == "timeSamples":
        return not isinstance(next(iter(value.values())), str)
    return kind.field == "default" and not isinstance(value, str)


def _text(writer: LayerWriter) -> Iterator[str]:
    yield "#usda 1.0\n(\n"
    for name, (type_name, value) in writer.metadata.items():
        yield f"{name} = {value_text(value, type_name)}\n"
    yield ")\n"
    # No recursion: a hierarchy may be deeper than Python's stack.
    pending: list[Prim | None] = list(reversed(writer.top.values()))
    while pending:
        prim = pending.pop()
        if prim is None:
            yield "}\n"
            continue
        yield f'{prim.specifier} {prim.type_name} "{prim.name}"'
        metadata = "\n".join(_metadata(prim))
        if metadata:
            yield f" (\n{metadata}\n)"
        yield "\n{\n"
        for kind, value in zip(prim.kinds, prim.values, strict=True):
            yield from _lines(kind, value)
        pending.append(None)
        pending.extend(reversed(prim.children.values()))


def _metadata(prim: Prim) -> Iterator[str]:
    if prim.schemas:
        yield f"prepend apiSchemas = [{', '.join(map(quoted, prim.schemas))}]"
    if prim.prototype or prim.reference:
        yield "instanceable = true"
    if prim.prototype:
        yield f"prepend inherits = <{prim.prototype}>"
    if prim.reference:
        yield f"prepend references = {value_text(prim.reference, 'asset')}"


def _lines(kind: Kind, value: Any) -> Iterator[str]:
    """A property as text, without what is set later."""
    if kind.field == "targetPaths":
        yield f"rel {kind.name} = {_paths(value)}\n"
        return
    custom, uniform = "custom " if kind.custom else "", "uniform " if kind.uniform else ""
    opening = f"{custom}{uniform}{kind.type_name} {kind.name}"
    if kind.field == "connectionPaths":
        yield f"{opening}.connect = {_paths(value)}\n"
        return
    ending = _ending(kind)
    if not kind.field or _is_set_later(kind, value):
        yield f"{opening}{ending}\n"
    elif kind.field == "timeSamples":
        texts = ", ".join(f"{frame!r}: {text}" for frame, text in value.items())
        if ending:
            yield f"{opening}{ending}\n"
        yield f"{opening}.timeSamples = {{{texts}}}\n"
    else:
        yield f"{opening} = {value}{ending}\n"


def _ending(kind: Kind) -> str:
    lines = []
    if kind.color_space:
        lines.append(f"colorSpace = {quoted(kind.color_space)}")
    if kind.element_size > 1:
        lines.append(f"elementSize = {kind.element_size}")
    if kind.interpolation:
        lines.append(f"interpolation = {quoted(kind.interpolation)}")
    return f" ({'; '.join(lines)})" if lines else ""


def _paths(targets: Iterable[str]) -> str:
    paths = [f"<{target}>" for target in targets]
    return paths[0] if len(paths) == 1 else f"[{', '.join(paths)}]"
