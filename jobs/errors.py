# SPDX-License-Identifier: GPL-3.0-or-later
"""The one error type that users meet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any


class StagewrightError(Exception):
    """Work that cannot be done, told as one sentence and its cure.

    Args:
        code: stable, machine-readable cause in kebab case (``"library-locked"``).
        message: one sentence that names the thing that is wrong.
        cure: one sentence that says what to do about it.
        details: plain JSON data for programs (``{"checks": …}``).
    """

    def __init__(
        self, code: str, message: str, cure: str, details: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.cure = cure
        self.details = dict(details or {})

    def __str__(self) -> str:
        return f"{self.message} {self.cure}".strip()


@contextmanager
def naming(place: str) -> Iterator[None]:
    """Let errors of the block begin with where they were met: ``Line 3 of list.txt: …``."""
    try:
        yield
    except StagewrightError as error:
        message = f"{place}: {error.message}"
        raise StagewrightError(error.code, message, error.cure, error.details) from None


def cancelled() -> StagewrightError:
    """The error of work that somebody stopped."""
    return StagewrightError("cancelled", "The work was cancelled.", "")
