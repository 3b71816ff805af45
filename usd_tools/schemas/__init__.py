# SPDX-License-Identifier: GPL-3.0-or-later
"""The schemas that come with Stagewright, as a plugin of USD."""

from __future__ import annotations

from pathlib import Path

OWN = Path(__file__).parent / "stagewright"
"""The plugin's folder."""
