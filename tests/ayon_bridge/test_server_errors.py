# SPDX-License-Identifier: GPL-3.0-or-later
"""Every way in which an AYON server fails has its own error, with its cure."""

from __future__ import annotations

import os
import shutil
import socket
import ssl
import stat
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from stagewright.ayon_bridge import credentials
from stagewright.ayon_bridge.credentials import Credentials
from stagewright.ayon_bridge.demo.faults import Fault
from stagewright.ayon_bridge.demo.server import DemoServer
from stagewright.ayon_bridge.server import Server
from stagewright.jobs.errors import StagewrightError

SECRET = bytes(range(16)).hex()


@pytest.fixture
def admin(demo: DemoServer) -> Iterator[Server]:
    with Server(Credentials(demo.url, demo.add_user("admin", "admin"))) as server:
        yield server


def refusal(server: Server) -> StagewrightError:
    with pytest.raises(StagewrightError) as caught:
        server.get_folders("show")
    assert caught.value.cure
    return caught.value


def test_a_bad_key_is_not_a_missing_project(demo: DemoServer, admin: Server) -> None:
    assert admin.get_project("show") is None
    with Server(Credentials(demo.url, SECRET)) as server:
        assert refusal(server).code == "bad-key"
        with pytest.raises(StagewrightError) as caught:
            server.get_project("show")
    assert caught.value.code == "bad-key"
    assert SECRET not in f"{caught.value} {caught.value.cure} {caught.value.details}"


def test_a_missing_project_is_named(admin: Server) -> None:
    error = refusal(admin)
    assert error.code == "not-found" and '"show"' in error.message


def test_what_an_artist_may_not_do(demo: DemoServer, admin: Server) -> None:
    admin.create_project("show", "shw")
    with Server(Credentials(demo.url, demo.add_user("ann", "artist"))) as artist:
        with pytest.raises(StagewrightError) as caught:
            artist.create_folder("show", "assets")
    assert caught.value.code == "no-right"


@pytest.mark.parametrize(
    ("action", "value", "code"),
    [
        ("status", "413", "too-large"),
        ("status", "429", "server-busy"),
        ("status", "500", "server-error"),
        ("status", "504", "server-error"),
        ("html", "", "not-ayon"),
        ("redirect", "http://127.0.0.1:9/", "redirected"),
        ("drop", "", "server-down"),
    ],
)
def test_faults_are_told_apart(
    demo: DemoServer, admin: Server, action: str, value: str, code: str
) -> None:
    demo.faults.add(Fault("POST", "/graphql", action, value, times=9))  # type: ignore[arg-type]
    assert refusal(admin).code == code


def test_a_key_is_not_carried_to_another_address(demo: DemoServer, admin: Server) -> None:
    with DemoServer() as other:
        demo.faults.add(Fault("POST", "/graphql", "redirect", f"{other.url}/graphql", times=9))
        assert refusal(admin).code == "redirected"
        assert other.log == []


def test_a_server_that_hangs(demo: DemoServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AYON_SERVER_TIMEOUT", "0.2")
    monkeypatch.setenv("AYON_SERVER_RETRIES", "1")
    with Server(Credentials(demo.url, demo.add_user("ann", "artist"))) as server:
        demo.faults.add(Fault("POST", "/graphql", "hang"))
        assert refusal(server).code == "server-timeout"


def test_a_server_that_is_down_and_comes_back(admin: Server, demo: DemoServer) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    with Server(Credentials(url, SECRET)) as server:
        assert refusal(server).code == "server-down"
    admin.create_project("show", "shw")
    demo.faults.add(Fault("POST", "/graphql", "drop", times=3))
    assert refusal(admin).code == "server-down"
    assert admin.get_folders("show") == []


@pytest.mark.skipif(shutil.which("openssl") is None, reason="makes a certificate")
def test_a_certificate_that_nobody_vouches_for(tmp_path: Path) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    words = "req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=localhost".split()
    made = ["openssl", *words, "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(made, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]

        def greet() -> None:
            while True:
                try:
                    connection, _ = listening.accept()
                    with connection, context.wrap_socket(connection, server_side=True):
                        pass
                except ssl.SSLError:
                    continue
                except OSError:
                    return

        threading.Thread(target=greet, daemon=True).start()
        with Server(Credentials(f"https://localhost:{port}", SECRET)) as server:
            assert refusal(server).code == "tls-error"
        listening.shutdown(socket.SHUT_RDWR)


def test_credentials_are_the_environments_or_the_users(tmp_path: Path) -> None:
    home = {"XDG_CONFIG_HOME": str(tmp_path), "APPDATA": str(tmp_path)}
    with pytest.raises(StagewrightError) as caught:
        credentials.find(home)
    assert caught.value.code == "no-server"
    path = credentials.save(Credentials("https://ayon.studio", SECRET), home)
    assert credentials.find(home).key == SECRET
    if os.name == "posix":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert [each.name for each in path.parent.iterdir()] == ["ayon.json"]
    ours = {**home, "AYON_SERVER_URL": "http://farm:5000", "AYON_API_KEY": "k" * 8}
    assert credentials.find(ours) == Credentials("http://farm:5000", "k" * 8)
    assert SECRET not in repr(credentials.find(home))
    assert credentials.forget(home) and not credentials.forget(home)


@pytest.mark.parametrize("url", ["", "ayon.studio", "ftp://ayon", "http://", "http://me@ayon"])
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(StagewrightError) as caught:
        Credentials(url, SECRET)
    assert caught.value.code == "bad-server"
