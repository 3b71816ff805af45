# SPDX-License-Identifier: GPL-3.0-or-later
"""Which Hydra render delegates this USD finds, and why one cannot be used."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass
from typing import Any

from pxr import Plug, Tf

from ..jobs.events import Job, Progress

# Delegates that artists ask for, by the plugin that brings each, and what they are called.
_KNOWN = {
    "HdStormRendererPlugin": "Storm",
    "HdGatlingRendererPlugin": "gatling",
    "HdCyclesPlugin": "Cycles",
    "HdEmbreeRendererPlugin": "Embree",
    "HdArnoldRendererPlugin": "Arnold",
    "HdPrmanLoaderRendererPlugin": "RenderMan",
    "HdRprPlugin": "Radeon ProRender",
    "HdMoonrayRendererPlugin": "MoonRay",
}
_BASE = "HdRendererPlugin"
_SEARCH_PATH = "PXR_PLUGINPATH_NAME"


@dataclass(frozen=True)
class Delegate:
    """One render delegate.

    Attributes:
        name: what artists call it.
        plugin: type of its plugin.
        path: its library, or "".
        usable: whether it can be loaded here.
        reason: what it is, or why it cannot be used.
    """

    name: str
    plugin: str
    path: str
    usable: bool
    reason: str


def delegates() -> list[Delegate]:
    """The delegates that are found, then the known ones that are not."""
    base = Tf.Type.FindByName(_BASE)
    if not base or base.isUnknown:
        why = "This USD was built without imaging"
        return [Delegate(name, plugin, "", False, why) for plugin, name in _KNOWN.items()]
    registry = Plug.Registry()
    found = [_found(registry, each) for each in registry.GetAllDerivedTypes(base)]
    there = {each.plugin for each in found}
    why = f"No plugin found: add its folder to {_SEARCH_PATH}"
    if os.environ.get(_SEARCH_PATH):
        why = f"No plugin found in {_SEARCH_PATH}"
    absent = [
        Delegate(name, plugin, "", False, why)
        for plugin, name in _KNOWN.items()
        if plugin not in there
    ]
    return found + absent


def _found(registry: Plug.Registry, each: Tf.Type) -> Delegate:
    plugin = registry.GetPluginForType(each)
    type_name = each.typeName.split("::")[-1]
    name = registry.GetStringFromPluginMetaData(each, "displayName") or type_name
    name = _KNOWN.get(type_name, name)
    try:
        loaded = bool(plugin.Load())
        why = "" if loaded else "Its library cannot be loaded"
    except Tf.ErrorException as error:
        loaded = False
        said = " ".join(error.args[-1].commentary.split()) if error.args else ""
        why = f"Its library cannot be loaded: {said}".removesuffix(": ")
    return Delegate(name, type_name, plugin.path, loaded, why or "Ready")


def list_delegates() -> Job[dict[str, Any]]:
    """:func:`delegates` as plain JSON data: a broken plugin may end the process that loads it."""
    yield Progress("delegates.find", None, "Looking for delegates")
    return {"delegates": [asdict(each) for each in delegates()]}
