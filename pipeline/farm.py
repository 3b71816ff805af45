# SPDX-License-Identifier: GPL-3.0-or-later
"""Rows of a list on a Dask cluster, one Blender per worker process.

Workers need this package, a Blender, the storage, and the server's key in their environment.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any

from ..jobs.drive import drain
from ..jobs.errors import StagewrightError
from ..jobs.events import Job, Progress, Waiting
from .batch import Done, Row, Start, publish_row

_one_blender = Lock()


@contextmanager
def cluster(address: str) -> Iterator[Any]:
    """A client of the scheduler at ``address``.

    Raises:
        StagewrightError: ``no-distributed``, ``no-scheduler``, ``no-workers``.
    """
    try:
        from distributed import Client
    except ImportError as error:
        raise StagewrightError(
            "no-distributed",
            "Dask's package for clusters is not installed.",
            "Install it with: pip install distributed",
        ) from error
    try:
        client = Client(address, timeout=5, set_as_default=False)
    except (OSError, ValueError) as error:
        raise StagewrightError(
            "no-scheduler",
            f'No Dask scheduler answers at "{address}".',
            "Check the address, such as tcp://farm:8786, and that it runs.",
        ) from error
    with client:
        if not client.nthreads():
            raise StagewrightError(
                "no-workers", f'The scheduler at "{address}" has no workers.', "Start some."
            )
        yield client


def on_cluster(client: Any, retries: int) -> Start:
    """Rows that workers publish."""

    def start(row: Row) -> Job[Done]:
        future = client.submit(_work, row, retries, pure=False)
        try:
            yield Progress("batch.submit", None, "Waiting for a worker")
            while not future.done():
                yield Waiting()
            error = future.exception()
            if error is not None:
                message = f"The worker of {row.name} was lost: {error}"
                return Done(row.number, row.key, row.words[0], "failed", "", "", False,
                            "worker-lost", message)  # fmt: skip
            done: Done = future.result()
            return done
        finally:
            future.cancel()

    return start


def _work(row: Row, retries: int) -> Done:
    """Publish a row on a worker, one after the other if it has several threads."""
    with _one_blender:
        return drain(publish_row(row, retries), lambda event: None)
