# SPDX-License-Identifier: GPL-3.0-or-later
"""Who makes textures: one interface, whatever a texture is made by, and where.

What a backend does is a job like all others: its events tell of progress and previews, its value
of the files; an interrupt cancels it. So windows and commands drain every backend alike.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, get_args

from ..jobs.errors import StagewrightError
from ..jobs.events import Job
from ..jobs.memory import require_memory
from ..jobs.warm import Order, WarmChild
from .grammar import understand
from .graph import TextureGraph
from .image_makers import Services, require_services
from .request import MAX_SIZE, TextureRequest
from .requests import AnyRequest, memory_of, require_sources


@dataclass(frozen=True)
class Capabilities:
    """What a backend can do.

    Args:
        requests: the classes of requests it takes.
        max_size: rows and columns of its largest set.
        offline: whether it works without a network and without downloads.
        reproducible: whether equal requests give equal bytes.
    """

    requests: tuple[type, ...]
    max_size: int
    offline: bool
    reproducible: bool


@dataclass(frozen=True, eq=False)
class Commission:
    """A set to be made, and where it goes.

    Args:
        request: all that determines it.
        folder: created if need be.
        name: what the files' names begin with.
        sources: the photo, or the folder of the files that the request names.
        preview: file for a picture of what is being made; it is kept beside the set, too.
        services: who makes a graph's images (see :data:`.image_makers.Services`).
        force: replace files of that name that another request has made.
    """

    request: AnyRequest
    folder: Path
    name: str
    sources: Path | None = None
    preview: Path | None = None
    services: Services = field(default_factory=dict, repr=False)
    force: bool = False

    def arguments(self) -> dict[str, Any]:
        """The same as plain JSON: arguments of :func:`.tasks.make_set`."""
        return {
            "request": self.request.to_json(),
            "folder": str(self.folder.absolute()),
            "name": self.name,
            "sources": str(self.sources or ""),
            "preview": str(self.preview or ""),
            "services": {name: dict(service) for name, service in self.services.items()},
            "force": self.force,
        }


class Backend(Protocol):
    """Makes sets."""

    def capabilities(self) -> Capabilities:
        """What it can do."""

    def validate(self, commission: Commission) -> None:
        """Refuse, before any work, what it cannot make.

        Raises:
            StagewrightError: what is wrong, and its cure.
        """

    def submit(self, commission: Commission) -> Job[Mapping[str, Any]]:
        """Make a set; the value has its ``files``, the sidecar last.

        Raises:
            StagewrightError: why it could not be made.
        """

    def close(self) -> None:
        """End what it has started."""


class Embedded:
    """What always works: drawn materials and classical means, in a child that stays.

    Sets are made one after another; those that wait can change places.
    """

    def __init__(self, child: WarmChild) -> None:
        """Make one that works in ``child``."""
        self._child = child
        self._orders: dict[Order, Commission] = {}

    @property
    def queue(self) -> tuple[Commission, ...]:
        """The set that is being made, and those that wait, in their order."""
        return tuple(self._orders[order] for order in self._child.queue)

    @property
    def pid(self) -> int | None:
        """Number of its process; None when none runs."""
        return self._child.pid

    def capabilities(self) -> Capabilities:
        """Requests of all kinds, offline, the same bytes every time."""
        return Capabilities(get_args(AnyRequest), MAX_SIZE, offline=True, reproducible=True)

    def validate(self, commission: Commission) -> None:
        """Refuse what names no material, lacks its photo or a server, or takes too much memory."""
        request = commission.request
        require_sources(request, commission.sources)
        if isinstance(request, TextureRequest):
            understand(request.prompt, request.parameters)
        if isinstance(request, TextureGraph):
            require_services(request.services_of(request.nodes), commission.services)
        require_memory(memory_of(request, commission.sources), f"The set {commission.name}")

    def submit(self, commission: Commission) -> Job[Mapping[str, Any]]:
        """Make a set when its turn has come (see :meth:`.WarmChild.run`)."""
        order = Order("texture_lab.tasks:make_set", commission.arguments())
        self._orders[order] = commission
        try:
            return (yield from self._child.run(order))
        finally:
            del self._orders[order]

    def move(self, commission: Commission, place: int) -> None:
        """Let a set that waits take another place, 1 being the next."""
        for order, known in self._orders.items():
            if known is commission:
                self._child.move(order, place)

    def close(self) -> None:
        """End the child; a later commission starts another."""
        self._child.close()


def refuse_unable(backend: Backend, commission: Commission) -> None:
    """Refuse what a backend does not take, then what it cannot make.

    Raises:
        StagewrightError: ``backend-unable``; those of its :meth:`Backend.validate`.
    """
    able = backend.capabilities()
    request = commission.request
    size = request.size if isinstance(request, TextureRequest) else 0
    if not isinstance(request, able.requests) or size > able.max_size:
        raise StagewrightError(
            "backend-unable",
            f"What was chosen to make textures cannot make {commission.name}.",
            "Choose another one, or a smaller size.",
        )
    backend.validate(commission)
