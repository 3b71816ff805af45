# SPDX-License-Identifier: GPL-3.0-or-later
"""Which published version a root layer is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pxr import Sdf, Tf

from ..jobs.errors import StagewrightError
from .placing import replace_file
from .stages import write_layer

OURS = "stagewright"
"""The dictionary in ``assetInfo`` that holds AYON's ids."""
VERSION_ID = f"{OURS}:versionId"


@dataclass(frozen=True)
class Identity:
    """What ``assetInfo`` of a published asset says.

    Attributes:
        name: name of the asset.
        version: name of the version (``"v003"``).
        identifier: file name of the root layer.
        project: name of the AYON project, which is its id.
        folder: id of the AYON folder.
        product: id of the AYON product.
        version_id: id of the AYON version.
    """

    name: str
    version: str
    identifier: str
    project: str
    folder: str
    product: str
    version_id: str


def stamp_identity(root: Path, identity: Identity) -> None:
    """Write the identity into ``assetInfo`` of the default prim of ``root``.

    USD's own keys hold name, version and identifier; AYON's ids stand in a
    dictionary ``stagewright`` under AYON's field names. The layer is replaced
    in one step, and equal identities give equal bytes.

    Raises:
        StagewrightError: ``asset-unreadable`` or ``target-unwritable``.
    """
    layer = open_root(root)
    layer.GetPrimAtPath(f"/{layer.defaultPrim}").assetInfo = {
        "name": identity.name,
        "version": identity.version,
        "identifier": Sdf.AssetPath(f"./{identity.identifier}"),
        OURS: {
            "projectName": identity.project,
            "folderId": identity.folder,
            "productId": identity.product,
            "versionId": identity.version_id,
        },
    }
    replace_file(root, lambda path: write_layer(layer, path))


def open_root(root: Path) -> Sdf.Layer:
    """The root layer as it is on disk, with a default prim."""
    try:
        layer = Sdf.Layer.OpenAsAnonymous(str(root))
    except Tf.ErrorException:
        layer = None
    if layer is None or not layer.defaultPrim or not layer.GetPrimAtPath(f"/{layer.defaultPrim}"):
        raise StagewrightError(
            "asset-unreadable",
            f"{root.name} is not the root layer of an asset.",
            "Export the asset again.",
        )
    return layer
