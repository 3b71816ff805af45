# SPDX-License-Identifier: GPL-3.0-or-later
"""Schemas without code that this process knows, and Stagewright's own one.

USD looks up its schemas once, when the first stage is opened; a plugin that is
registered later is known, but its schemas are not, until the program starts again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pxr import Plug, Sdf, Tf, Usd

from ..jobs.errors import StagewrightError
from ..jobs.text_files import parse_json, read_text
from .identity import OURS, open_root
from .placing import replace_file
from .stages import write_layer

PUBLISH = "StagewrightPublishAPI"
_PREFIX = "stagewright:publish"
_AYON = {
    "project": "projectName",
    "folderId": "folderId",
    "productId": "productId",
    "versionId": "versionId",
}


@dataclass(frozen=True)
class SchemaRow:
    """A schema of a plugin without code.

    Attributes:
        name: its identifier.
        kind: USD's name of what kind it is (``"singleApplyAPI"``).
        plugin: name of the library.
        folder: where that lies.
        ready: whether stages know it; if not, the program has to start again.
    """

    name: str
    kind: str
    plugin: str
    folder: str
    ready: bool


def register(folder: Path) -> tuple[SchemaRow, ...]:
    """Register the plugin in ``folder`` in this process; its schemas.

    Raises:
        StagewrightError: ``bad-plugin`` when there is none that USD takes.
    """
    file = folder / "plugInfo.json"
    try:
        lines = read_text(file).splitlines()
        text = "\n".join(line for line in lines if not line.lstrip().startswith("#"))
        names = {plugin["Name"] for plugin in parse_json(text)["Plugins"]}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _bad_plugin(folder, f"{file.name} cannot be read ({error})") from error
    try:
        Plug.Registry().RegisterPlugins(f"{folder}/")
    except Tf.ErrorException as error:
        raise _bad_plugin(folder, " ".join(str(error).split())[:300]) from error
    rows = tuple(row for row in registered() if row.plugin in names)
    if not rows:
        raise _bad_plugin(folder, "it has no schemas without code")
    return rows


def registered() -> tuple[SchemaRow, ...]:
    """All schemas without code that plugins of this process have."""
    plugins = sorted(Plug.Registry().GetAllPlugins(), key=lambda plugin: plugin.name)
    return tuple(row for plugin in plugins if plugin.isResource for row in _rows(plugin))


def _rows(plugin: Plug.Plugin) -> Iterator[SchemaRow]:
    for name, about in sorted(plugin.metadata.get("Types", {}).items()):
        if "schemaKind" in about:
            schema, kind = str(about.get("schemaIdentifier", name)), str(about["schemaKind"])
            yield SchemaRow(schema, kind, plugin.name, plugin.path, _is_ready(schema, kind))


def _is_ready(name: str, kind: str) -> bool:
    registry = Usd.SchemaRegistry()
    if kind == "concreteTyped":
        return registry.FindConcretePrimDefinition(name) is not None
    if kind in ("singleApplyAPI", "multipleApplyAPI"):
        return registry.FindAppliedAPIPrimDefinition(name) is not None
    return registry.GetTypeFromSchemaTypeName(name) != Tf.Type.Unknown


def apply_publish_schema(root: Path) -> dict[str, str]:
    """Write what ``assetInfo`` of a published asset says as properties of the schema, too.

    Returns:
        The properties, by name.

    Raises:
        StagewrightError: ``asset-unreadable``, ``not-published`` or ``target-unwritable``.
    """
    layer = open_root(root)
    prim = layer.GetPrimAtPath(f"/{layer.defaultPrim}")
    info = dict(prim.assetInfo)
    ours = info.get(OURS)
    if not ours:
        raise StagewrightError(
            "not-published",
            f"{root.name} says of no published version that it is it.",
            "Choose the root layer of a published asset.",
        )
    values = {"product": str(info.get("name", "")), "version": str(info.get("version", ""))}
    values |= {name: str(ours.get(key, "")) for name, key in _AYON.items()}
    schemas = prim.GetInfo("apiSchemas") if prim.HasInfo("apiSchemas") else Sdf.TokenListOp()
    if PUBLISH not in schemas.GetAddedOrExplicitItems():
        schemas.prependedItems = [*schemas.prependedItems, PUBLISH]
        prim.SetInfo("apiSchemas", schemas)
    for name, value in values.items():
        path = prim.path.AppendProperty(f"{_PREFIX}:{name}")
        attribute = layer.GetAttributeAtPath(path) or Sdf.AttributeSpec(
            prim, path.name, Sdf.ValueTypeNames.String, Sdf.VariabilityUniform
        )
        attribute.default = value
    replace_file(root, lambda path: write_layer(layer, path))
    return {f"{_PREFIX}:{name}": value for name, value in values.items()}


def _bad_plugin(folder: Path, why: str) -> StagewrightError:
    return StagewrightError(
        "bad-plugin",
        f"There is no schema plugin in {folder}: {why}.",
        "Make one with: stagewright usd schema generate.",
    )
