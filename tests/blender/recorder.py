# SPDX-License-Identifier: GPL-3.0-or-later
"""A layout that draws nothing and remembers what it was asked to draw.

It refuses what Blender's layout would refuse: unknown operators, properties and
icons.
"""

from __future__ import annotations

import functools
import inspect
from dataclasses import dataclass, field
from typing import Any

import bpy

_FUNCTIONS = bpy.types.UILayout.bl_rna.functions
_ICONS = set(_FUNCTIONS["label"].parameters["icon"].enum_items.keys())


@dataclass
class Recorder:
    """Stands in for a ``UILayout``, and for all layouts inside it."""

    texts: list[str] = field(default_factory=list)
    buttons: list[tuple[str, Any]] = field(default_factory=list)
    properties: list[str] = field(default_factory=list)
    progress_factors: list[float] = field(default_factory=list)
    icons: list[int] = field(default_factory=list)

    def label(self, *, text: str = "", icon: str = "NONE", translate: bool = True) -> None:
        assert icon in _ICONS, icon
        self.texts.append(text)

    def operator(
        self, idname: str, *, text: str | None = None, icon: str = "NONE", **options: Any
    ) -> Any:
        assert icon in _ICONS, icon
        self._check_options("operator", options)
        rna = functools.reduce(getattr, idname.split("."), bpy.ops).get_rna_type()
        arguments = Arguments(rna)
        self.buttons.append((idname, arguments))
        self.texts.append(rna.name if text is None else text)
        return arguments

    def prop(self, data: Any, name: str, **options: Any) -> None:
        assert name in data.bl_rna.properties, name
        self._check_options("prop", options)
        self.properties.append(name)

    def prop_search(
        self, data: Any, name: str, search_data: Any, search_name: str, **options: Any
    ) -> None:
        assert search_name in search_data.bl_rna.properties, search_name
        self._check_options("prop_search", options)
        self.prop(data, name)

    def panel(self, idname: str, **options: Any) -> tuple[Recorder, Recorder]:
        """An open panel: its header and its body."""
        self._check_options("panel", options)
        return self, self

    def progress(self, *, text: str = "", factor: float = 0.0, **options: Any) -> None:
        self._check_options("progress", options)
        self.texts.append(text)
        self.progress_factors.append(factor)

    def template_list(
        self, kind: str, name: str, data: Any, items: str, active_data: Any, active: str, **_: Any
    ) -> None:
        """Draw what the list would: the items that its filter keeps."""
        cls = getattr(bpy.types, kind)
        shown = functools.partial(cls.draw_item, Part(cls, self))
        # Blender gives the number of the line to those that ask for it.
        numbered = "index" in inspect.signature(cls.draw_item).parameters
        lines = getattr(data, items)
        flags: list[int] = []
        if hasattr(cls, "filter_items"):
            flags, _order = cls.filter_items(Part(cls, self), bpy.context, data, items)
        for number, (flag, item) in enumerate(zip(flags or [1] * len(lines), lines, strict=True)):
            if flag:
                index = (number,) if numbered else ()
                shown(bpy.context, self, data, item, 0, active_data, active, *index)

    def template_icon(self, icon_value: int, **options: Any) -> None:
        self._check_options("template_icon", options)
        self.icons.append(icon_value)

    def template_icon_view(self, data: Any, name: str, **options: Any) -> None:
        assert name in data.bl_rna.properties, name
        self._check_options("template_icon_view", options)
        self.properties.append(name)

    def menu(self, name: str, **options: Any) -> None:
        assert hasattr(bpy.types, name), name
        self.texts.append(name)

    def separator(self, **options: Any) -> None:
        self._check_options("separator", options)

    def row(self, **options: Any) -> Recorder:
        self._check_options("row", options)
        return self

    def split(self, **options: Any) -> Recorder:
        self._check_options("split", options)
        return self

    def column(self, **options: Any) -> Recorder:
        self._check_options("column", options)
        return self

    def box(self) -> Recorder:
        return self

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in type(self).__dataclass_fields__:
            assert name in bpy.types.UILayout.bl_rna.properties, name
        object.__setattr__(self, name, value)

    def _check_options(self, function: str, options: dict[str, Any]) -> None:
        assert set(options) <= set(_FUNCTIONS[function].parameters.keys()), options
        assert options.get("icon", "NONE") in _ICONS


class Arguments:
    """An operator's arguments, as ``UILayout.operator`` returns them."""

    def __init__(self, rna: Any) -> None:
        object.__setattr__(self, "_rna", rna)

    def __setattr__(self, name: str, value: Any) -> None:
        assert name in self._rna.properties, name
        object.__setattr__(self, name, value)


class Part:
    """Stands in for an instance of a panel, menu, header or list, which only Blender makes."""

    bitflag_filter_item = 1 << 30
    filter_name = ""

    def __init__(self, cls: type, layout: Recorder) -> None:
        self._cls = cls
        self.layout = layout

    def __getattr__(self, name: str) -> Any:
        return functools.partial(getattr(self._cls, name), self)


def draw(cls: type, method: str = "draw") -> Recorder:
    """What ``cls`` draws in the present context."""
    recorder = Recorder()
    getattr(cls, method)(Part(cls, recorder), bpy.context)
    return recorder
