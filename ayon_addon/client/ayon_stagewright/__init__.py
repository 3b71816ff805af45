# SPDX-License-Identifier: GPL-3.0-or-later
"""Stagewright in AYON. Runs on Python 3.9, without USD and numpy."""

from .addon import StagewrightAddon
from .version import __version__

__all__ = ("StagewrightAddon", "__version__")
