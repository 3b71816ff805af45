# SPDX-License-Identifier: GPL-3.0-or-later
"""The interface of what makes textures, on the one that always works."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from stagewright.jobs import memory
from stagewright.jobs.drive import drain
from stagewright.jobs.errors import StagewrightError
from stagewright.jobs.events import Event, Preview, Progress, Result, Waiting
from stagewright.jobs.warm import WarmChild
from stagewright.texture_lab.backends import (
    Backend,
    Capabilities,
    Commission,
    Embedded,
    refuse_unable,
)
from stagewright.texture_lab.graph import Node, TextureGraph
from stagewright.texture_lab.photo import request_of
from stagewright.texture_lab.png import write_png
from stagewright.texture_lab.request import TextureRequest
from stagewright.texture_lab.requests import AnyRequest, request_from_json
from stagewright.texture_lab.stored_set import read_set


@pytest.fixture
def backend(tmp_path: Path) -> Iterator[Embedded]:
    made = Embedded(WarmChild(tmp_path / "child"))
    yield made
    made.close()


def photo(folder: Path) -> Path:
    pixels = np.random.default_rng(1).integers(0, 255, (70, 80, 3)).astype(np.uint8)
    write_png(folder / "wall.png", pixels)
    return folder / "wall.png"


def every_request(folder: Path) -> list[AnyRequest]:
    words = {"prompt": "bark", "size": 64}
    nodes = (Node("a", "text_to_texture", settings=words), Node("o", "output", {"set": "a"}))
    return [TextureRequest("red brick", 64, 3), request_of(photo(folder)), TextureGraph(nodes)]


def test_every_kind_of_request_comes_back_from_its_json(tmp_path: Path) -> None:
    for request in every_request(tmp_path):
        again = request_from_json(request.to_json())
        assert type(again) is type(request) and again.to_json() == request.to_json()


def test_every_kind_of_request_is_made(backend: Embedded, tmp_path: Path) -> None:
    able = backend.capabilities()
    assert able.offline and able.reproducible
    for number, request in enumerate(every_request(tmp_path)):
        assert isinstance(request, able.requests)
        wanted = Commission(request, tmp_path / "out", f"set {number}", tmp_path)
        refuse_unable(backend, wanted)
        told: list[Event] = []
        value = drain(backend.submit(wanted), told.append)
        _, about = read_set(Path(value["files"][-1]))
        assert about["request"] == read_json(request)
        assert any(isinstance(event, Progress) for event in told)
        assert isinstance(told[-1], Result)


def read_json(request: AnyRequest) -> object:
    return json.loads(request.to_json())


def test_a_preview_is_told_and_kept(backend: Embedded, tmp_path: Path) -> None:
    wanted = Commission(TextureRequest("bark", 300), tmp_path, "b", preview=tmp_path / "b.npy")
    told: list[Event] = []
    drain(backend.submit(wanted), told.append)
    assert [event.path for event in told if isinstance(event, Preview)] == [str(tmp_path / "b.npy")]
    assert (tmp_path / "b_preview.png").is_file()


def test_commissions_queue_move_and_are_cancelled(backend: Embedded, tmp_path: Path) -> None:
    requests = [TextureRequest("brick", size) for size in (2048, 64, 64)]
    wanted = [Commission(r, tmp_path, f"n{n}") for n, r in enumerate(requests)]
    jobs = [backend.submit(each) for each in wanted]
    for job in jobs:
        next(job)
    assert backend.queue == tuple(wanted)
    backend.move(wanted[2], 1)
    assert backend.queue == (wanted[0], wanted[2], wanted[1])
    with pytest.raises(KeyboardInterrupt):
        event = jobs[0].throw(KeyboardInterrupt())
        while isinstance(event, Waiting):
            event = next(jobs[0])
    assert backend.queue == (wanted[2], wanted[1])
    for job in (jobs[2], jobs[1]):
        drain(job, lambda event: None)
    assert sorted(path.name for path in tmp_path.glob("n*.json")) == ["n1.json", "n2.json"]


def test_what_cannot_be_made_is_refused_before_the_work(
    backend: Embedded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wall = photo(tmp_path)
    of_wall = request_of(wall)
    refused = {
        "no-match": Commission(TextureRequest("a smiling cat"), tmp_path, "a"),
        "no-photo": Commission(of_wall, tmp_path, "a", tmp_path / "gone.png"),
        "photo-changed": Commission(replace(of_wall, sha256="0" * 64), tmp_path, "a", wall),
    }
    for code, commission in refused.items():
        with pytest.raises(StagewrightError) as caught:
            refuse_unable(backend, commission)
        assert caught.value.code == code
    monkeypatch.setattr(memory, "available_memory", lambda: 1 << 20)
    with pytest.raises(StagewrightError) as caught:
        refuse_unable(backend, Commission(TextureRequest("brick"), tmp_path, "a"))
    assert caught.value.code == "out-of-memory"
    assert backend.pid is None


def test_what_a_backend_does_not_take_is_refused(tmp_path: Path) -> None:
    class WordsOnly(Embedded):
        """Takes words up to 512 pixels."""

        def __init__(self) -> None:
            super().__init__(WarmChild(tmp_path))

        def capabilities(self) -> Capabilities:
            return Capabilities((TextureRequest,), 512, offline=True, reproducible=True)

    small: Backend = WordsOnly()
    refuse_unable(small, Commission(TextureRequest("brick", 512), tmp_path, "a"))
    for request in (TextureRequest("brick", 1024), request_of(photo(tmp_path))):
        with pytest.raises(StagewrightError) as caught:
            refuse_unable(small, Commission(request, tmp_path, "a", tmp_path))
        assert caught.value.code == "backend-unable"
