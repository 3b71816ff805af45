# SPDX-License-Identifier: GPL-3.0-or-later
"""Who makes images or sentences by large models: told, or found in the environment.

Addresses are no secrets. Keys are: they come from the environment, or from one file of the user's
that nobody else may read, and each goes to the address that it was given for alone.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from ..ayon_bridge.credentials import user_file, write_private
from ..texture_lab.services import NAMES, Services

PREFIX = "STAGEWRIGHT_"

_FILE = "services.json"


def services(
    told: Mapping[str, str] = MappingProxyType({}), environment: Mapping[str, str] = os.environ
) -> Services:
    """All services that are known, by their names.

    ``STAGEWRIGHT_COMFYUI`` holds a server's address and ``STAGEWRIGHT_COMFYUI_KEY`` what proves
    who asks; a key is never taken from a command line, which others can read.

    ``STAGEWRIGHT_DIFFUSERS`` holds a Python that has diffusers, ``STAGEWRIGHT_MODELS`` the folder
    of its models.

    Args:
        told: addresses that count before those of the environment; that of diffusers is its
            Python, and ``models`` the folder.
        environment: the variables.
    """
    kept = _kept(environment)
    known = {}
    for name in NAMES:
        variable = PREFIX + name.upper()
        url = told.get(name) or environment.get(variable, "")
        if name == "diffusers":
            models = told.get("models") or environment.get(f"{PREFIX}MODELS", "")
            if url and models:
                known[name] = {"python": url, "models": models}
        elif url:
            key = environment.get(f"{variable}_KEY") or _key_for(kept, name, url)
            known[name] = {"url": url, "key": key}
    return known


def keep_key(name: str, url: str, key: str, environment: Mapping[str, str] = os.environ) -> None:
    """Keep the key of a service at an address, or forget it if empty.

    Raises:
        StagewrightError: the file cannot be written.
    """
    kept = _kept(environment)
    kept[name] = {"url": url, "key": key}
    if not key:
        del kept[name]
    write_private(user_file(_FILE, environment), json.dumps(kept))


def has_key(name: str, url: str, environment: Mapping[str, str] = os.environ) -> bool:
    """Whether a key is kept for a service at an address."""
    return bool(_key_for(_kept(environment), name, url))


def _kept(environment: Mapping[str, str]) -> dict[str, Any]:
    try:
        kept = json.loads(user_file(_FILE, environment).read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return kept if isinstance(kept, dict) else {}


def _key_for(kept: Mapping[str, Any], name: str, url: str) -> str:
    entry = kept.get(name)
    fine = isinstance(entry, dict) and entry.get("url") == url
    return str(entry.get("key", "")) if fine and entry is not None else ""
