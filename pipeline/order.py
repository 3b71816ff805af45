# SPDX-License-Identifier: GPL-3.0-or-later
"""What a scene's publish is told. Needs no USD, so that a list of many can be read without it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..ayon_bridge.home import PublishRequest
from .homes import To
from .host import SceneRequest
from .settings import user_name

USD = "usd"
ANIMATION = "animation"
PRODUCT_TYPES = (USD, "model", "look", "layout", "camera", ANIMATION, "vdbcache")
"""AYON's types of what a scene is published as."""


@dataclass(frozen=True)
class PublishOrder:
    """What to publish, where to, and how.

    Attributes:
        scene: what to export.
        blend: the file it comes from; its name is recorded, not its path.
        library: folder of the library, which is made when there is none.
        project: AYON project name.
        project_code: its code, used when the project is new.
        folder: path of the AYON folder (``"/assets/lantern"``).
        task: AYON task name; "" for none.
        product: AYON product name.
        product_type: one of :data:`PRODUCT_TYPES`; "" for what the scene's request makes.
        comment: the artist's words.
        allow: names of checks whose errors are let through.
        force: publish though nothing has changed.
        break_lock: take over a lock without proof of its owner's death.
        turntable: number of pictures of a film of the asset turning, which is to be
            reviewed instead of its picture; 0 for none.
        known: see :func:`.homes.publish_at`.
        to: ``"library"``; ``"server"``, or the queue in the library while it cannot be
            reached; ``"queue"``: the library, to be sent to the server later.
    """

    scene: SceneRequest
    blend: Path
    library: Path
    project: str
    project_code: str
    folder: str
    task: str
    product: str
    product_type: str = ""
    comment: str = ""
    allow: tuple[str, ...] = ()
    force: bool = False
    break_lock: bool = False
    turntable: int = 0
    known: Path | None = None
    to: To = "library"


def request_of(order: PublishOrder) -> PublishRequest:
    """The request of an order, as far as it is known before the export."""
    return PublishRequest(
        project_name=order.project,
        project_code=order.project_code,
        folder_path=order.folder,
        product_name=order.product,
        product_type=order.product_type or (ANIMATION if order.scene.over else USD),
        task_name=order.task or None,
        author=user_name(),
        comment=order.comment,
        content_hash="",
        attrib={"source": order.blend.name},
        force=order.force,
    )
