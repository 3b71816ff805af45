# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of ayon_bridge share."""

from __future__ import annotations

import importlib.util
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest
from ayon_api.server_api import ServerAPI
from ayon_homes import PLACES, Place
from studio import Studio, furnish

from stagewright.ayon_bridge.demo.server import DemoServer
from stagewright.ayon_bridge.library import Library

CHILD = Path(__file__).with_name("child.py")


@pytest.fixture(scope="session")
def child() -> ModuleType:
    """The module child.py: its make_request, make_sources and publish."""
    spec = importlib.util.spec_from_file_location("ayon_bridge_child", CHILD)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def sources(child: ModuleType, tmp_path: Path) -> dict[str, Path]:
    """Files to publish."""
    folder = tmp_path / "sources"
    folder.mkdir()
    return child.make_sources(folder)


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    """An empty library, in a folder with a space and a letter beyond ASCII."""
    with Library.open(tmp_path / "my libråry") as opened:
        yield opened


@pytest.fixture
def memory_path() -> Iterator[Path]:
    """A folder in memory where there is one: hundreds of publishes sync often."""
    memory = Path("/dev/shm")
    usable = memory.is_dir() and os.access(memory, os.W_OK)
    folder = Path(tempfile.mkdtemp(prefix="stagewright-", dir=memory if usable else None))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def demo() -> Iterator[DemoServer]:
    """A demo AYON server that answers on a free port."""
    with DemoServer() as server:
        yield server


@pytest.fixture
def connect(demo: DemoServer, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], ServerAPI]:
    """Make a user of a role and connect as that user, through the client as it is."""
    for name in ("AYON_SERVER_URL", "AYON_API_KEY", "AYON_SITE_ID"):
        monkeypatch.delenv(name, raising=False)

    def connect(role: str) -> ServerAPI:
        return ServerAPI(demo.url, demo.add_user(role, role), site_id=None)

    return connect


@pytest.fixture
def studio(demo: DemoServer, tmp_path: Path, child: ModuleType) -> Iterator[Studio]:
    """A demo server with a project whose root is a folder here."""
    root = tmp_path / "prójects"
    root.mkdir()
    made = furnish(demo, root, child)
    with made.admin:
        yield made


@pytest.fixture(params=PLACES)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """A home of each kind."""
    with PLACES[request.param](tmp_path) as place:
        yield place
