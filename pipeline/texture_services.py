# SPDX-License-Identifier: GPL-3.0-or-later
"""Who makes images by large models: found in the environment, or told."""

from __future__ import annotations

import os
from collections.abc import Mapping

from ..texture_lab.image_makers import NAMES, Services

PREFIX = "STAGEWRIGHT_"


def services(server: str = "", environment: Mapping[str, str] = os.environ) -> Services:
    """All services that are known.

    ``STAGEWRIGHT_COMFYUI`` holds a server's address and ``STAGEWRIGHT_COMFYUI_KEY`` what proves
    who asks; a key is never taken from a command line, which others can read.

    Args:
        server: an address that counts before those of the environment.
        environment: the variables.
    """
    known = {}
    for name in NAMES:
        variable = PREFIX + name.upper()
        url = server or environment.get(variable, "")
        if url:
            known[name] = {"url": url, "key": environment.get(f"{variable}_KEY", "")}
    return known
