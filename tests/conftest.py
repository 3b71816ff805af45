# SPDX-License-Identifier: GPL-3.0-or-later
"""Shared by all tests."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository's root, which is the package's folder."""
    return Path(__file__).resolve().parents[1]
