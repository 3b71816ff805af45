# SPDX-License-Identifier: GPL-3.0-or-later
"""Services of large models in Blender: Check, keys, servers started here, and what they make."""

from __future__ import annotations

import contextlib
import json
import shlex
import socket
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import bpy
import comfy_server
import pytest
from chat_server import ChatServer
from comfy_server import NAMES, ComfyServer
from small_server import serving

from stagewright.addon import pump
from stagewright.addon.textures import lab, making, services
from stagewright.ayon_bridge.credentials import user_file
from stagewright.jobs.errors import StagewrightError
from stagewright.texture_lab.image_makers import generated

from .recorder import Recorder
from .test_jobs_in_blender import tick_until
from .test_textures import add_plane

pytestmark = pytest.mark.usefixtures("addon")


@pytest.fixture
def machine() -> Iterator[Any]:
    yield bpy.context.preferences.addons["stagewright"].preferences
    for log in Path(bpy.app.tempdir).glob("stagewright-*.log"):  # Blender's end removes them, too
        log.unlink()


@pytest.fixture
def server(machine: Any) -> Iterator[ComfyServer]:
    with serving(ComfyServer()) as running:
        machine.comfyui_url = running.url + "/"
        yield running


def shown(machine: Any) -> list[str]:
    """What the preferences show of the services."""
    layout = Recorder()
    services.draw(layout, bpy.context, machine)
    return layout.texts


def test_check_lists_what_is_there_and_what_is_missing(server: ComfyServer, machine: Any) -> None:
    assert bpy.ops.stagewright.check_service(service="comfyui") == {"FINISHED"}
    told = " ".join(shown(machine))
    assert NAMES[0] in told and "ComfyUI-seamless-tiling" in told.replace("- ", "-")
    server.die()
    with pytest.raises(RuntimeError, match="cannot be reached"):
        bpy.ops.stagewright.check_service(service="comfyui")
    assert NAMES[0] not in " ".join(shown(machine))
    with pytest.raises(RuntimeError, match="address of SD-WebUI"):
        bpy.ops.stagewright.check_service(service="sdapi")


def test_a_key_lies_in_the_user_s_folder_alone_and_goes_to_its_address_alone(
    server: ComfyServer, machine: Any, tmp_path: Path
) -> None:
    machine.comfyui_key = "ann:a-long-word"
    assert machine.comfyui_key == "" and services._keys["comfyui"]
    file = user_file("services.json")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert services.known()["comfyui"]["key"] == "ann:a-long-word"
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "a.blend"), compress=False)
    bpy.ops.wm.save_userpref()
    saved = Path(bpy.utils.user_resource("CONFIG")) / "userpref.blend"
    for path in (tmp_path / "a.blend", saved):
        assert b"a-long-word" not in path.read_bytes()
    machine.comfyui_url = "http://127.0.0.1:9"
    assert services.known()["comfyui"]["key"] == ""
    machine.comfyui_url = server.url + "/"
    machine.comfyui_key = " "
    assert "comfyui" not in json.loads(file.read_text())


def test_other_machines_are_asked_only_online(machine: Any) -> None:
    machine.comfyui_url = "http://render.example.com:8188"
    kept = bpy.context.preferences.system.use_online_access
    bpy.context.preferences.system.use_online_access = False
    try:
        with pytest.raises(StagewrightError) as caught:
            services.known()
        assert caught.value.code == "offline" and "Online Access" in caught.value.cure
    finally:
        bpy.context.preferences.system.use_online_access = kept


def test_a_large_model_s_image_becomes_a_material(server: ComfyServer) -> None:
    plane = add_plane()
    made = bpy.ops.stagewright.texture_by_model(service="comfyui", prompt="bricks", size=128)
    assert made == {"FINISHED"}
    material = plane.active_material
    assert material.name == "Bricks"
    images = {n.image.name for n in material.node_tree.nodes if n.type == "TEX_IMAGE"}
    assert any("basecolor" in name for name in images)


def test_cancelled_it_is_taken_from_the_server(server: ComfyServer) -> None:
    plane = add_plane()
    server.gate.clear()
    graph = generated({"service": "comfyui", "prompt": "bricks", "size": 64, "steps": 4})
    commission = making.of_graph(graph, plane, services=services.known())
    task = pump.start(making.make(commission, plane, False), lab.KIND, "Make bricks")
    lab.remember(task, commission)
    tick_until(server.begun.is_set)
    mine = server.running[0][1]
    assert lab.queue() == [task]
    pump.cancel(task.number)
    tick_until(lambda: not task.running)
    assert task.failure.code == "cancelled" and server.interrupts == [mine]
    assert plane.active_material is None


def test_a_chat_server_says_the_words(machine: Any) -> None:
    chosen = bpy.context.scene.stagewright_texture
    assert not services.can_chat()
    with serving(ChatServer('{"prompt": "worn oak planks"}')) as server:
        machine.chat_url = server.url
        assert services.can_chat()
        chosen.prompt = "grandma's kitchen"
        assert bpy.ops.stagewright.suggest_texture() == {"FINISHED"}
    assert chosen.prompt == "worn oak planks" and chosen.family == "planks"
    machine.chat_url = ""


def test_a_server_is_started_and_ended_here(machine: Any) -> None:
    with pytest.raises(RuntimeError, match="beside Blender's window"):
        bpy.ops.stagewright.start_server(service="comfyui")
    python = Path(sys.prefix) / "bin" / "python"
    program = [str(python if python.exists() else sys.executable), comfy_server.__file__, "0"]
    machine.comfyui_command = shlex.join(program)
    machine.comfyui_url = ""
    task = pump.start(services._serve("comfyui"), "serve-comfyui", "ComfyUI")
    tick_until(lambda: machine.comfyui_url or not task.running)
    assert task.running, task.failure
    assert bpy.ops.stagewright.check_service(service="comfyui") == {"FINISHED"}
    assert bpy.ops.stagewright.show_server_log(service="comfyui") == {"FINISHED"}
    assert "To see the GUI" in bpy.data.texts["stagewright-comfyui.log"].as_string()
    host, port = machine.comfyui_url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), 60) as connection:
        pump.cancel(task.number)
        tick_until(lambda: not task.running)
        with contextlib.suppress(ConnectionResetError):  # killed with something unread
            assert connection.recv(1) == b""
