# SPDX-License-Identifier: GPL-3.0-or-later
"""The programs of others that make images and sentences: what they are called."""

from __future__ import annotations

from collections.abc import Mapping

from ..jobs.errors import StagewrightError

MAKERS = {"comfyui": "ComfyUI", "sdapi": "SD-WebUI", "diffusers": "diffusers"}
"""Those that make images, and their names for people."""

NAMES = {**MAKERS, "chat": "Chat"}
"""All of them; chat servers make sentences."""

Services = Mapping[str, Mapping[str, str]]
"""Who can be asked, by these names: a server's ``url`` and ``key``; of diffusers ``python``, an
interpreter that has it, and ``models``, a folder."""


def require_services(names: frozenset[str], services: Services) -> None:
    """Refuse what asks for services that nobody has named.

    Raises:
        StagewrightError: ``no-service``.
    """
    for name in sorted(names):
        if not services.get(name):
            how = (
                "Give a Python that has it and a folder of models with --python and --models, or "
                "STAGEWRIGHT_DIFFUSERS and STAGEWRIGHT_MODELS"
                if name == "diffusers"
                else f"Give its address with --server or STAGEWRIGHT_{name.upper()}"
            )
            raise StagewrightError(
                "no-service",
                f"No {NAMES[name]} is known that could do this.",
                f"{how}, or in the preferences of the extension.",
            )
