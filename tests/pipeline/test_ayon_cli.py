# SPDX-License-Identifier: GPL-3.0-or-later
"""``stagewright ayon``: logging in, looking around, logging out."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from stagewright.ayon_bridge.credentials import Credentials
from stagewright.ayon_bridge.demo.server import DemoServer
from stagewright.ayon_bridge.server import Server

MAIN = "import sys; from stagewright.pipeline.cli import main; sys.exit(main())"


@pytest.fixture
def demo() -> Iterator[DemoServer]:
    with DemoServer() as server:
        yield server


def run(home: Path, *words: str, typed: str = "") -> tuple[int, dict[str, Any], str]:
    """Exit code, last JSON line, and all that was printed."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AYON_")}
    config = {"XDG_CONFIG_HOME": str(home), "APPDATA": str(home), "HOME": str(home)}
    done = subprocess.run(
        [sys.executable, "-c", MAIN, "ayon", *words, "--json"],
        input=typed,
        capture_output=True,
        text=True,
        env=kept | config | {"PYTHONPATH": os.pathsep.join(sys.path)},
        check=False,
    )
    return done.returncode, json.loads(done.stdout.splitlines()[-1]), done.stdout + done.stderr


def test_login_browse_logout(demo: DemoServer, tmp_path: Path) -> None:
    with Server(Credentials(demo.url, demo.add_user("admin", "admin"))) as admin:
        admin.create_project("show", "shw")
        chair = admin.create_folder("show", "chair", "Asset")
        product = admin.connection.create_product("show", "usdMain", "usd", chair.id)
        admin.connection.create_version("show", 1, product)
    key = demo.add_user("ann", "artist")
    code, result, printed = run(tmp_path, "login", "--server", demo.url, typed=f"{key}\n")
    assert code == 0 and result["value"]["user"] == "ann"
    assert key not in printed
    assert run(tmp_path, "browse")[1]["value"]["rows"] == ["show"]
    assert run(tmp_path, "browse", "show")[1]["value"]["rows"] == ["/chair"]
    assert run(tmp_path, "browse", "show", "/chair")[1]["value"]["rows"] == ["usdMain v001"]
    assert run(tmp_path, "logout")[0] == 0
    code, error, _ = run(tmp_path, "browse")
    assert code == 1 and error["code"] == "no-server"


def test_a_bad_key_is_not_kept(demo: DemoServer, tmp_path: Path) -> None:
    code, error, _ = run(tmp_path, "login", "--server", demo.url, typed="nonsense\n")
    assert code == 1 and error["code"] == "bad-key"
    assert not list(tmp_path.rglob("ayon.json"))
