# SPDX-License-Identifier: GPL-3.0-or-later
"""Run by test_install.py in a Blender of its own: ``-P install.py -- ZIP``.

Prints one line ``INSTALLED {json}`` that says what was there at each step.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import addon_utils
import bpy

MODULE = "bl_ext.user_default.stagewright"

timers: list[Callable[[], Any]] = []
commands: dict[int, str] = {}


def record() -> None:
    """Remember what Blender itself cannot list: timers and commands."""
    register_timer = bpy.app.timers.register
    register_command = bpy.utils.register_cli_command
    unregister_command = bpy.utils.unregister_cli_command

    def timer(function: Callable[[], Any], **options: Any) -> None:
        timers.append(function)
        register_timer(function, **options)

    def command(id: str, execute: Callable[[list[str]], int]) -> object:
        handle = register_command(id, execute)
        commands[hash(handle)] = id
        return handle

    def take_back(handle: object) -> None:
        commands.pop(hash(handle), None)
        unregister_command(handle)

    bpy.app.timers.register = timer
    bpy.utils.register_cli_command = command
    bpy.utils.unregister_cli_command = take_back


def name_of(function: Any) -> str:
    return f"{getattr(function, '__module__', '')}.{getattr(function, '__qualname__', function)}"


def snapshot() -> dict[str, Any]:
    """Everything that an add-on may leave behind."""
    found: set[str] = set()
    for name in dir(bpy.types):
        kind = getattr(bpy.types, name)
        if not hasattr(kind, "bl_rna"):
            continue
        found.add(f"type {name}")
        found |= {f"property {name}.{key}" for key in kind.bl_rna.properties.keys()}
        drawn = {name_of(f) for f in getattr(getattr(kind, "draw", None), "_draw_funcs", ())}
        # The first append puts the menu's own function into the list, for good.
        drawn.discard(f"{kind.__module__}.{kind.__name__}.draw")
        found |= {f"drawn in {name}: {function}" for function in drawn}
    for name in dir(bpy.app.handlers):
        functions = getattr(bpy.app.handlers, name)
        if isinstance(functions, list):
            found |= {f"handler {name}: {name_of(f)}" for f in functions}
    for configuration in bpy.context.window_manager.keyconfigs:
        for keymap in configuration.keymaps:
            found |= {
                f"key {configuration.name} {keymap.name}: {item.idname}"
                for item in keymap.keymap_items
            }
    found |= {f"timer {name_of(f)}" for f in timers if bpy.app.timers.is_registered(f)}
    found |= {f"command {name}" for name in commands.values()}
    found |= {f"add-on {addon.module}" for addon in bpy.context.preferences.addons}
    found |= {f"path {folder}" for folder in sys.path}
    return {"found": found, "folder": bool(list(extension_folder().glob("*")))}


def extension_folder() -> Path:
    return Path(bpy.utils.user_resource("EXTENSIONS"), "user_default", "stagewright")


def wheels_folder() -> Path:
    python = "python{}.{}".format(*sys.version_info)
    return Path(bpy.utils.user_resource("EXTENSIONS"), ".local", "lib", python, "site-packages")


def main(archive: str) -> None:
    """Install, disable, enable and uninstall; print what each step changed."""
    record()
    before = snapshot()
    bpy.ops.extensions.package_install_files(
        filepath=archive, repo="user_default", enable_on_install=True
    )
    installed = snapshot()
    addon_utils._extensions_warnings_get._is_first = True
    warnings = dict(addon_utils._extensions_warnings_get())
    wheels = sorted(path.name for path in wheels_folder().glob("*") if path.is_dir())

    addon_utils.disable(MODULE, default_set=True)
    disabled = snapshot()
    addon_utils.enable(MODULE, default_set=True)
    enabled = snapshot()
    repositories = [repo.module for repo in bpy.context.preferences.extensions.repos]
    bpy.ops.extensions.package_uninstall(
        repo_index=repositories.index("user_default"), pkg_id="stagewright"
    )
    removed = snapshot()

    def changes(state: dict[str, Any]) -> list[str]:
        # The folder of installed wheels stays on the path while Blender runs.
        return sorted((state["found"] ^ before["found"]) - {f"path {wheels_folder()}"})

    answer = {
        "installed": changes(installed),
        "disabled": changes(disabled),
        "enabled": changes(enabled),
        "removed": changes(removed),
        "folders": [state["folder"] for state in (before, installed, removed)],
        "warnings": [str(item) for item in warnings.items()],
        "wheels": wheels,
    }
    print("INSTALLED", json.dumps(answer), flush=True)


main(sys.argv[sys.argv.index("--") + 1])
