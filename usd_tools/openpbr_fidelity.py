# SPDX-License-Identifier: GPL-3.0-or-later
"""Compare the materials of a scene with the OpenPBR surfaces of a stage."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from pxr import Usd, UsdShade

from .principled import PARTS, TABLE, InputRow
from .scene_record import InputRecord, MaterialRecord
from .textures import image_name

Value = tuple[float, ...]

_OPENPBR = "ND_open_pbr_surface_surfaceshader"
_ROWS = {row.principled: row for row in TABLE if row.openpbr}
_TOLERANCE = 1e-5


def openpbr_surface(material: UsdShade.Material) -> UsdShade.Shader | None:
    """The OpenPBR surface of a material, in MaterialX."""
    shader = material.ComputeSurfaceSource("mtlx")[0]
    return shader if shader and shader.GetShaderId() == _OPENPBR else None


def holds(
    surface: UsdShade.Shader | None, socket: str, record: InputRecord, time: Usd.TimeCode
) -> bool:
    """Whether ``surface`` has what feeds a socket; of nodes, that anything does."""
    row = _ROWS.get(socket)
    if surface is None or row is None:
        return False
    if record.kind == "nodes":
        found = surface.GetInput(row.openpbr)
        return bool(found and found.HasConnectedSource())
    return not _difference(row, record, surface, time)


def openpbr_losses(
    material: MaterialRecord, surface: UsdShade.Shader, time: Usd.TimeCode
) -> Iterator[tuple[str, str]]:
    """Sockets whose value or image ``surface`` does not hold, and why."""
    for socket, record in material.inputs.items():
        row = _ROWS.get(socket)
        if row is None or record.kind == "nodes" or _is_idle(socket, material):
            continue
        reason = _difference(row, record, surface, time)
        if reason:
            yield socket, reason


def _is_idle(socket: str, material: MaterialRecord) -> bool:
    """Whether a socket does nothing, or nothing yet: a film without any thickness is none."""
    gate = "Thin Film Thickness" if socket == "Thin Film Thickness" else PARTS.get(socket)
    record = material.inputs.get(gate) if gate else None
    return record is not None and record.kind == "constant" and not any(record.value)


def _difference(
    row: InputRow, record: InputRecord, surface: UsdShade.Shader, time: Usd.TimeCode
) -> str:
    """Why the input of ``row`` is not ``record``, or ""."""
    found = surface.GetInput(row.openpbr)
    connected = bool(found and found.HasConnectedSource())
    if record.kind == "image":
        if not connected:
            return f"is the image {record.image}, but a plain value in OpenPBR in the file"
        images = sorted(_images(found))
        if record.image not in images:
            others = ", ".join(images) or "no image"
            return f"is the image {record.image}, but {others} in OpenPBR in the file"
        return ""
    if connected:
        return f"is {numbers_text(record.value)}, but linked to nodes in OpenPBR in the file"
    value = found.Get(time) if found else None
    if value is None:
        value = row.default or ()
    held = (float(value),) if isinstance(value, (bool, int, float)) else tuple(value)
    expected = tuple(part * row.factor for part in record.value[: len(held)])
    if len(held) == len(expected) and np.allclose(held, expected, _TOLERANCE, _TOLERANCE):
        return ""
    return f"is {numbers_text(expected)}, but {numbers_text(held)} in OpenPBR in the file"


def _images(connected: UsdShade.Input) -> set[str]:
    """File names of all images that feed an input."""
    found: set[str] = set()
    seen: set[str] = set()
    pending = [connected]
    while pending:
        for source in pending.pop().GetConnectedSources()[0]:
            prim = source.source.GetPrim()
            if str(prim.GetPath()) in seen:
                continue
            seen.add(str(prim.GetPath()))
            shader = UsdShade.Shader(prim)
            file = shader.GetInput("file")
            if file:
                found.add(image_name(file.GetAttr()))
            pending += shader.GetInputs()
    return found


def numbers_text(value: Value) -> str:
    """Numbers for a sentence."""
    return ", ".join(f"{v:.6g}" for v in value)
