# SPDX-License-Identifier: GPL-3.0-or-later
"""Crate files (.usdc) of version 0.8, written without USD's help.

USD's own way to such a file holds every spec in memory twice, and from Python
it makes them one by one. Here values go to disk as they come, and the tables of
what has them are made at the end, by numpy. Every USD since 19.11 reads them.

Source of the format: OpenUSD, ``pxr/usd/sdf/crateFile.cpp`` (until 24.08
``pxr/usd/usd``) and ``integerCoding.cpp``.
"""

from __future__ import annotations

from .tables import write_tables
from .values import CrateValues

__all__ = ["CrateValues", "write_tables"]
