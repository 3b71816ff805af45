# SPDX-License-Identifier: GPL-3.0-or-later
"""Servers of this machine, started and ended with the work: real processes."""

from __future__ import annotations

import os
import shlex
import signal
import socket
import subprocess
import sys
from pathlib import Path

import comfy_server
import pytest
from comfy_server import NAMES

from stagewright.jobs.drive import drain
from stagewright.jobs.errors import StagewrightError
from stagewright.jobs.events import Progress
from stagewright.jobs.process import run_child
from stagewright.texture_lab.servers import local
from stagewright.texture_lab.servers.comfyui import check, comfyui_at
from stagewright.texture_lab.servers.local import READY, serve

COMMAND = shlex.join([sys.executable, Path(comfy_server.__file__).name, "0"])
FOLDER = str(Path(comfy_server.__file__).parent)

pytestmark = pytest.mark.skipif(os.name != "posix", reason="ends groups of processes")


def ready(job: object) -> str:
    """Step a job until the server runs; its address."""
    while not isinstance(event := next(job), Progress) or event.step != READY:
        pass
    return event.message.split()[-1]


def listener(url: str) -> socket.socket:
    """A connection that ends when the server does."""
    host, port = url.removeprefix("http://").split(":")
    return socket.create_connection((host, int(port)), 60)


def is_ended(connection: socket.socket) -> bool:
    """Whether the other end closed, in order or by being killed with something unread."""
    try:
        return connection.recv(1) == b""
    except ConnectionResetError:
        return True


def test_a_server_is_found_used_and_ended(tmp_path: Path) -> None:
    arguments = {"kind": "ComfyUI", "command": COMMAND, "folder": FOLDER}
    arguments["log"] = str(tmp_path / "logs" / "comfyui.log")
    job = run_child("texture_lab.servers.local:serve", arguments, folder=tmp_path / "work")
    url = ready(job)
    assert drain(check(comfyui_at(url)), lambda event: None)["models"] == NAMES
    assert "To see the GUI" in (tmp_path / "logs" / "comfyui.log").read_text()
    with listener(url) as connection:
        with pytest.raises(KeyboardInterrupt):
            job.throw(KeyboardInterrupt())
            while True:
                next(job)
        assert is_ended(connection)
    with pytest.raises(StagewrightError) as caught:
        drain(check(comfyui_at(url)), lambda event: None)
    assert caught.value.code == "server-unreachable"


def test_what_a_server_leaves_behind_is_ended_with_it(tmp_path: Path) -> None:
    """A shell that starts the server and ignores the request to end."""
    script = f"trap '' TERM; {COMMAND} & wait"
    job = serve("ComfyUI", shlex.join(["sh", "-c", script]), FOLDER, str(tmp_path / "log"))
    with listener(ready(job)) as connection:
        job.close()
        assert is_ended(connection)


def test_a_server_ends_when_who_wanted_it_is_killed(tmp_path: Path) -> None:
    program = (
        "import sys\nfrom pathlib import Path\nfrom stagewright.jobs.process import run_child\n"
        "arguments = dict(zip(('kind', 'command', 'folder', 'log'), sys.argv[1:]))\n"
        "where = Path(sys.argv[5])\n"
        "for event in run_child('texture_lab.servers.local:serve', arguments, folder=where):\n"
        "    message = getattr(event, 'message', '')\n"
        "    if ' runs at ' in message: print(message, flush=True)\n"
    )
    words = [sys.executable, "-c", program, "ComfyUI", COMMAND, FOLDER]
    words += [str(tmp_path / "log"), str(tmp_path / "work")]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as artist:
        url = artist.stdout.readline().split()[-1]
        with listener(url) as connection:
            os.kill(artist.pid, signal.SIGKILL)
            assert is_ended(connection)


@pytest.mark.parametrize(
    ("command", "folder", "code"),
    [
        ("", "", "no-command"),
        ("python 'main.py", "", "no-command"),
        ("no-such-program-at-all", "", "program-not-started"),
        (COMMAND, "gone", "no-folder"),
    ],
)
def test_what_cannot_be_started_is_told(
    tmp_path: Path, command: str, folder: str, code: str
) -> None:
    with pytest.raises(StagewrightError) as caught:
        drain(serve("ComfyUI", command, folder, str(tmp_path / "log")), lambda event: None)
    assert caught.value.code == code and caught.value.cure


def test_a_server_that_ends_by_itself_is_told_with_its_last_words(tmp_path: Path) -> None:
    command = shlex.join([sys.executable, "-c", "raise SystemExit('no torch here')"])
    with pytest.raises(StagewrightError) as caught:
        drain(serve("ComfyUI", command, "", str(tmp_path / "log")), lambda event: None)
    assert caught.value.code == "server-ended"
    assert "no torch here" in caught.value.message and str(tmp_path / "log") in caught.value.cure


@pytest.mark.parametrize(
    "line",
    [
        "To see the GUI go to: http://127.0.0.1:{0}",
        "Running on local URL:  http://0.0.0.0:{0}",
        "INFO: Uvicorn running on http://127.0.0.1:{0} (Press CTRL+C to quit)",
        "[INFO ] main.cpp:900 - listening on: 127.0.0.1:{0}",
    ],
)
def test_the_address_is_found_in_what_servers_say(line: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        text = f"see http://127.0.0.1:1 and https://example.com:443\n{line.format(port)}\n"
        assert local.address_in(text) == f"http://127.0.0.1:{port}"
    assert local.address_in(text) == ""
