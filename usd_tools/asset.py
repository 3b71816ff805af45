# SPDX-License-Identifier: GPL-3.0-or-later
"""Make an asset of a geometry and a look, or of what Blender's exporter wrote.

The asset has three layers, as the USD Working Group's asset structure
guidelines ask for: a root that says what the asset is, its geometry behind a
payload, and a look (materials and their bindings) that is referenced and
therefore stronger. Paths of prims stay those of the exporter.

Blender's exporter writes one layer. Its siblings come in the order of a hash
table, another one in every process. Here prims and properties are copied sorted
by name, so that equal scenes give equal bytes.
"""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

from pxr import Kind, Sdf, Tf, UsdUtils

from ..jobs.errors import StagewrightError
from ..jobs.events import Job, Message, Progress
from .canonical_names import make_names_canonical
from .dependencies import Dependency, dependencies
from .look import BINDING_SCHEMA, copy_look, is_look, primvars_by_material, repair
from .own_layers import refuse_foreign_layers
from .placing import move_into_place, staging
from .references import (
    arrange_references,
    reference_paths,
    references_name,
    relate_references,
)
from .runtime import require_pxr
from .scene_record import MaterialRecord
from .sorted_copy import copy_sorted
from .stages import write_layer
from .structure import (
    Structure,
    author_collections,
    author_looks,
    declare_variants,
    move_into_variants,
)
from .textures import SOURCE_NAME, CarriedFile, copy, plan

# What a layer says about its stage; all else at layer level (documentation,
# comment, custom data) tells of the machine or program and is left out.
_STAGE_FIELDS = (
    "defaultPrim",
    "upAxis",
    "kilogramsPerUnit",
    "startTimeCode",
    "endTimeCode",
    "timeCodesPerSecond",
    "framesPerSecond",
)
_VOLUME_SUFFIXES = (".vdb",)
_CLASSES = "__class__"


@dataclass(frozen=True)
class AssetFiles:
    """The files of one asset, as absolute paths.

    Attributes:
        root: the layer to open.
        layers: all layers, sorted, the root included.
        textures: the files that the layers carry with them, sorted.
        outward: those of the layers that name other assets, by relative paths.
    """

    root: Path
    layers: tuple[Path, ...]
    textures: tuple[Path, ...]
    outward: tuple[Path, ...] = ()


def asset_layers(root: Path) -> tuple[Path, ...]:
    """The layers that the asset of the root layer ``root`` may have beside it.

    Layers of other looks come besides: they are called as the scene has them.
    """
    names = (_look_name(root), _geometry_name(root), references_name(root))
    return tuple(root.with_name(name) for name in names)


def _look_name(root: Path) -> str:
    return f"{root.stem}_look.usda"


def _geometry_name(root: Path) -> str:
    return f"{root.stem}_geometry.usdc"


def author_asset(
    native: Path,
    root: Path,
    *,
    name: str,
    materials: Sequence[MaterialRecord],
    meters_per_unit: float = 1.0,
) -> Job[AssetFiles]:
    """Write the asset of one native export; see :func:`place_asset`.

    Args:
        native: the layer that ``wm.usd_export`` wrote, everything below one
            root prim; relative texture paths start from its folder.
        root: the root layer to write.
        name: the asset's name in ``assetInfo``.
        materials: what the scene says about the materials, for values that the
            exporter does not write (see :func:`~.look.repair`).
        meters_per_unit: metres in one Blender unit; the exporter takes every
            unit for a metre, whatever the scene says.

    Returns:
        The files written.

    Raises:
        StagewrightError: ``native-unreadable``, ``nothing-to-export``,
            ``native-layout``, and as :func:`place_asset`.
    """
    require_pxr()
    yield Progress("asset.read", 0.0, f"Reading the export of {name}")
    source = _open(native)
    top = _top_prim(source, name)
    make_names_canonical(source)

    yield Progress("asset.geometry", 0.1, "Sorting the geometry")
    geometry, look = (layer_like(source, meters_per_unit) for _ in range(2))
    copy_sorted(
        source,
        geometry,
        top,
        keep=lambda path: not is_look(path),
        without_schemas=(BINDING_SCHEMA,),
    )
    yield Progress("asset.look", 0.4, "Separating the look")
    copy_look(source, look, top)
    repair(look, materials, primvars_by_material(source, top))
    return (yield from place_asset(geometry, look, root, name=name, base=native.parent))


def place_asset(
    geometry: Sdf.Layer,
    look: Sdf.Layer,
    root: Path,
    *,
    name: str,
    base: Path,
    structure: Structure | None = None,
    references: Sdf.Layer | None = None,
) -> Job[AssetFiles]:
    """Write the asset of a geometry and a look.

    With references to other assets it is an assembly, without any a component.

    All is written into a hidden folder beside ``root`` and moved into place at
    the end; when that fails, what was there before is put back.

    Args:
        geometry: everything below one root prim, the default prim; changed. One that lies in
            a .usdc file, and needs no change, is copied.
        look: opinions about the same prims; changed.
        root: the root layer to write; ``<stem>_geometry.usdc``,
            ``<stem>_look.usda`` and ``<stem>_textures/`` come beside it.
        name: the asset's name in ``assetInfo``.
        base: the folder that relative paths in the layers start from.
        structure: variant sets and collections; none when None.
        references: references to published assets by the paths of this machine,
            as opinions about prims of ``geometry``; changed. It becomes
            ``<stem>_references.usda``, if there are any.

    Returns:
        The files written.

    Raises:
        StagewrightError: ``foreign-pxr``, ``asset-name``, ``texture-unreadable``,
            ``layer-in-the-way`` or ``target-unwritable``.
    """
    require_pxr()
    if not re.fullmatch(r"\w[\w.-]*", name):
        raise StagewrightError(
            "asset-name",
            f"The asset name “{name}” does not make a file name.",
            "Use letters, digits, dots, dashes and underscores.",
        )
    root = root.absolute()
    main = layer_like(geometry, geometry.pseudoRoot.GetInfo("metersPerUnit"))
    # Called after the root, so that two assets in one folder stay apart.
    files = {
        root.name: main,
        _look_name(root): look,
        _geometry_name(root): geometry,
    }
    is_assembly = references is not None and bool(reference_paths(references))
    _author_root(main, name=name, root=root, is_assembly=is_assembly)
    if references is not None and is_assembly:
        arrange_references(references, geometry)
        relate_references(references, root.parent)
        files[references_name(root)] = references
    if structure is not None:
        top = main.GetPrimAtPath(f"/{main.defaultPrim}")
        declare_variants(top, structure.variants)  # known without the payload
        author_collections(top, structure)
        files |= author_looks(top, look, structure, root.stem)
        move_into_variants(geometry, structure.variants)
        if is_assembly:
            move_into_variants(references, structure.variants)

    refuse_foreign_layers(root, map(root.with_name, files))
    named = {layer: list(dependencies(layer)) for layer in (geometry, look)}
    carried = plan({d.path for found in named.values() for d in found}, base)
    folders = {path: _folder(root.stem, file) for path, file in carried.items()}
    for layer, found in named.items():
        _redirect(layer, found, carried, folders)
    if is_assembly:
        geometry.subLayerPaths.append(f"./{references_name(root)}")

    with staging(root) as folder:
        copies = {
            f"{folders[path]}/{stored}": file
            for path, carry in carried.items()
            for stored, file in carry.files.items()
        }
        for index, (relative, file) in enumerate(sorted(copies.items())):
            fraction = 0.5 + 0.3 * index / len(copies)
            yield Progress("asset.textures", fraction, f"Copying {file.name}")
            copy(file, folder / relative)
        for missing in sorted({c.source for c in carried.values() if not c.files}):
            yield Message(f"The texture {missing} is missing.", "warning")
        for file_name, layer in files.items():
            yield Progress("asset.write", 0.8, f"Writing {file_name}")
            if layer.anonymous or layer.dirty:
                write_layer(layer, folder / file_name)
            else:
                shutil.copyfile(layer.realPath, folder / file_name)
        yield Progress("asset.move", 0.95, "Moving the files into place")
        # The root last: whoever opens it meanwhile finds all it names.
        move_into_place(folder, root.parent, [*sorted(copies), *reversed(files)])
    return AssetFiles(
        root=root,
        layers=tuple(sorted(root.parent / f for f in files)),
        textures=tuple(sorted(root.parent / f for f in copies)),
        outward=(root.with_name(references_name(root)),) if is_assembly else (),
    )


def content_hash(files: AssetFiles) -> str:
    """SHA-256 over the names and bytes of all files, wherever the asset lies.

    Raises:
        StagewrightError: ``asset-missing``, a file is not there.
    """
    total = hashlib.sha256()
    folder = files.root.parent
    named = sorted((f.relative_to(folder).as_posix(), f) for f in (*files.layers, *files.textures))
    for name, file in named:
        try:
            with file.open("rb") as stream:
                digest = hashlib.file_digest(stream, "sha256").hexdigest()
        except OSError as error:
            raise StagewrightError(
                "asset-missing", f"{file.name} cannot be read.", "Export the asset again."
            ) from error
        total.update(f"{digest}  {name}\n".encode())
    return total.hexdigest()


def _open(native: Path) -> Sdf.Layer:
    """The export, read apart from the layers that pxr keeps open."""
    try:
        layer = Sdf.Layer.OpenAsAnonymous(str(native))
    except Tf.ErrorException:
        layer = None
    if layer is None:
        raise StagewrightError(
            "native-unreadable",
            f"The export {native.name} cannot be read as USD.",
            "Export again; if it stays so, look for Blender's own message above.",
        )
    return layer


def _top_prim(source: Sdf.Layer, name: str) -> Sdf.Path:
    """The one root prim of the export."""
    prims = list(source.rootPrims)
    if not prims or not any(prim.nameChildren for prim in prims):
        raise StagewrightError(
            "nothing-to-export",
            f"There is nothing to export in {name}.",
            "Put visible objects into the collection.",
        )
    if [prim.name for prim in prims] != [source.defaultPrim]:
        names = ", ".join(sorted(prim.name for prim in prims))
        raise StagewrightError(
            "native-layout",
            f"The export of {name} has other root prims than its default prim ({names}).",
            "Export with a root prim path.",
        )
    return prims[0].path


def layer_like(source: Sdf.Layer, meters_per_unit: float) -> Sdf.Layer:
    """A new layer with the stage metadata of ``source``.

    Every layer says units, axis and time codes, so that each opens rightly on
    its own and USD rescales no time between them.
    """
    layer = Sdf.Layer.CreateAnonymous()
    for field in _STAGE_FIELDS:
        if source.pseudoRoot.HasInfo(field):
            layer.pseudoRoot.SetInfo(field, source.pseudoRoot.GetInfo(field))
    layer.pseudoRoot.SetInfo("metersPerUnit", meters_per_unit)
    return layer


def _author_root(layer: Sdf.Layer, *, name: str, root: Path, is_assembly: bool) -> None:
    """Author the root prim: what the asset is, and where its parts are.

    It inherits a class of its own, by which whoever uses the asset many times
    changes all of them at once.
    """
    prim = Sdf.CreatePrimInLayer(layer, f"/{layer.defaultPrim}")
    prim.specifier = Sdf.SpecifierDef
    prim.typeName = "Xform"
    prim.kind = Kind.Tokens.assembly if is_assembly else Kind.Tokens.component
    prim.assetInfo = {"identifier": Sdf.AssetPath(f"./{root.name}"), "name": name}
    own = Sdf.CreatePrimInLayer(layer, f"/{_CLASSES}/{layer.defaultPrim}")
    for spec in (own, own.nameParent):
        spec.specifier = Sdf.SpecifierClass
    prim.inheritPathList.Prepend(own.path)
    prim.referenceList.Prepend(Sdf.Reference(f"./{_look_name(root)}"))
    if is_assembly:
        # Its parts have payloads of their own: what it consists of is known without them.
        prim.referenceList.Append(Sdf.Reference(f"./{_geometry_name(root)}"))
    else:
        prim.payloadList.Prepend(Sdf.Payload(f"./{_geometry_name(root)}"))


def _folder(stem: str, file: CarriedFile) -> str:
    """The folder, beside the root, that a file is carried in."""
    volume = PurePath(file.stored).suffix.lower() in _VOLUME_SUFFIXES
    return f"{stem}_{'volumes' if volume else 'textures'}"


def _redirect(
    layer: Sdf.Layer,
    found: Sequence[Dependency],
    carried: Mapping[str, CarriedFile],
    folders: Mapping[str, str],
) -> None:
    """Point the asset paths of ``layer`` at the files that the asset carries."""
    tool, field = SOURCE_NAME
    for dependency in found:
        file = carried[dependency.path]
        if file.stored != file.source and dependency.spec.IsPropertyPath():
            prop = layer.GetPropertyAtPath(dependency.spec)
            prop.customData = dict(prop.customData) | {tool: {field: file.source}}
    if found:
        UsdUtils.ModifyAssetPaths(layer, lambda path: f"./{folders[path]}/{carried[path].stored}")
