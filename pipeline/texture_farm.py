# SPDX-License-Identifier: GPL-3.0-or-later
"""Texture sets made by the workers of a Dask cluster."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

from ..jobs.drive import drain
from ..jobs.errors import StagewrightError
from ..jobs.events import Failure, Job, Progress, Result, Waiting, failure_of
from ..jobs.process import value_of
from ..texture_lab.backends import Capabilities, Commission
from ..texture_lab.request import MAX_SIZE
from ..texture_lab.requests import AnyRequest, require_sources
from ..texture_lab.tasks import make_set


class Farm:
    """A backend whose sets workers make; they need this package and the storage."""

    def __init__(self, client: Any) -> None:
        """Make one of a cluster's client (see :func:`.farm.cluster`)."""
        self._client = client

    def capabilities(self) -> Capabilities:
        """As what is embedded: workers do the same."""
        return Capabilities(get_args(AnyRequest), MAX_SIZE, offline=True, reproducible=True)

    def validate(self, commission: Commission) -> None:
        """Refuse what lacks its photo."""
        require_sources(commission.request, commission.sources)

    def submit(self, commission: Commission) -> Job[Mapping[str, Any]]:
        """Let a worker make a set.

        Raises:
            StagewrightError: why it could not be made; ``worker-lost``.
        """
        future = self._client.submit(_work, commission.arguments(), pure=False)
        try:
            yield Progress("texture.submit", None, "Waiting for a worker")
            while not future.done():
                yield Waiting()
            error = future.exception()
            if error is not None:
                raise StagewrightError(
                    "worker-lost",
                    f"The worker of {commission.name} was lost: {error}",
                    "Run it again: what is made already is passed over.",
                )
            ending: Result | Failure = future.result()
            return value_of(ending)
        finally:
            future.cancel()

    def close(self) -> None:
        """Nothing of its own stays."""


def _work(arguments: Mapping[str, Any]) -> Result | Failure:
    """Make a set, on a worker; its ending travels as data."""
    try:
        return Result(drain(make_set(**arguments), lambda event: None))
    except StagewrightError as error:
        return failure_of(error)
