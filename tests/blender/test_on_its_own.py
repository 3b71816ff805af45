# SPDX-License-Identifier: GPL-3.0-or-later
"""What holds whatever else is there: without a network, and files without the extension."""

from __future__ import annotations

import socket
import subprocess
from pathlib import Path
from typing import Any

import bpy
import pytest

from .scenes import add_square

pytestmark = pytest.mark.usefixtures("addon")


def test_textures_fields_and_exports_ask_no_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut(*arguments: Any, **options: Any) -> Any:
        raise OSError("the network is cut")

    for name in ("connect", "connect_ex", "sendto"):
        monkeypatch.setattr(socket.socket, name, cut, raising=False)
    monkeypatch.setattr(socket, "getaddrinfo", cut)
    item = add_square("Crate")
    bpy.context.view_layer.objects.active = item
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "crate.blend"))
    settings = bpy.context.scene.stagewright_texture
    settings.prompt, settings.size = "oak planks", "256"
    assert bpy.ops.stagewright.make_texture() == {"FINISHED"}
    bpy.ops.mesh.primitive_cube_add()
    field = bpy.context.scene.stagewright_field
    field.operation, field.voxels = "REMESH", 20
    assert bpy.ops.stagewright.make_field() == {"FINISHED"}
    bpy.context.scene.stagewright.name = "crate"
    exported = bpy.ops.stagewright.export_usd(filepath=str(tmp_path / "out" / "crate.usda"))
    assert exported == {"FINISHED"}


def test_a_file_saved_with_it_opens_without_it(tmp_path: Path) -> None:
    item = add_square("Crate")
    bpy.context.view_layer.objects.active = item
    bpy.context.scene.stagewright.name = "crate"
    blend = tmp_path / "crate.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(blend))
    settings = bpy.context.scene.stagewright_texture
    settings.prompt, settings.size = "oak planks", "256"
    bpy.ops.stagewright.make_texture()
    bpy.ops.wm.save_mainfile()
    look = (
        "import bpy; item = bpy.data.objects['Crate'];"
        "assert not hasattr(bpy.types.Scene, 'stagewright');"
        "images = [n.image for n in item.active_material.node_tree.nodes if n.type == 'TEX_IMAGE'];"
        "assert images and all(image.has_data or image.size[0] == 256 for image in images);"
        "bpy.ops.wm.save_mainfile(); print('OPENED')"
    )
    done = subprocess.run(
        [bpy.app.binary_path, "-b", "--factory-startup", str(blend)]
        + ["--python-exit-code", "1", "--python-expr", look],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=300,
    )
    assert done.returncode == 0 and "OPENED" in done.stdout, done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    bpy.ops.wm.open_mainfile(filepath=str(blend))
    # The other Blender has saved it without knowing what it is.
    assert bpy.context.scene.stagewright.name == "crate"
