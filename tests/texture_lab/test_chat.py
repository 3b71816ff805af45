# SPDX-License-Identifier: GPL-3.0-or-later
"""Words for materials from a chat server, against a small one that speaks the protocol."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from chat_server import ChatServer
from small_server import serving

from stagewright.jobs.drive import drain
from stagewright.jobs.errors import StagewrightError
from stagewright.texture_lab.families import FAMILIES
from stagewright.texture_lab.grammar import understand
from stagewright.texture_lab.png import write_png
from stagewright.texture_lab.servers.chat import (
    Suggestion,
    chat_at,
    check,
    instructions,
    suggest,
    words_of,
)

DEEP = '{"prompt": ' + "[" * 100_000 + "}"


@pytest.fixture
def server() -> Iterator[ChatServer]:
    with serving(ChatServer()) as running:
        yield running


def asked(
    server: ChatServer, idea: str, picture: Path | None = None, model: str = ""
) -> Suggestion:
    return drain(suggest(chat_at(server.url), idea, picture, model), lambda event: None)


def refusal(server: ChatServer, idea: str, picture: Path | None = None, model: str = "") -> str:
    with pytest.raises(StagewrightError) as caught:
        asked(server, idea, picture, model)
    assert caught.value.cure
    return caught.value.code


def test_an_idea_becomes_words_that_the_lab_understands(server: ChatServer) -> None:
    server.answers = ['{"prompt": "worn brown oak planks"}']
    assert asked(server, "grandma's kitchen") == Suggestion(
        "worn brown oak planks", understand("worn brown oak planks").family.name, "qwen2.5:7b"
    )
    system, question = server.heard[0]
    assert system["content"] == instructions() and question["content"] == "grandma's kitchen"


def test_the_model_is_told_of_every_family_and_its_example_is_right() -> None:
    told = instructions()
    assert all(name.replace("_", " ") in told for name in FAMILIES)
    assert understand(words_of(told.rpartition("gives")[2])).family.name == "planks"


@pytest.mark.parametrize(
    "text",
    [
        '{"prompt": "wet red brick"}',
        '```json\n{"prompt":\n "wet  red brick"}\n```\nEnjoy!',
        '<think>{"prompt": "a cat"} no …</think>\n{"prompt": "wet red brick"}',
        'Sure. {"note": 1} {"prompt": "wet red brick"}',
        "Here you are:\n\n**wet red brick**\n",
    ],
)
def test_words_are_found_in_whatever_a_model_says(text: str) -> None:
    assert words_of(text) == "wet red brick"


@pytest.mark.parametrize("text", ["", "<think>endless", '{"prompt": 3}', "word " * 40, DEEP])
def test_no_words_are_found_where_there_are_none(text: str) -> None:
    assert words_of(text) == ""


def test_an_answer_that_names_no_material_is_told_so_once(server: ChatServer) -> None:
    server.answers = ['{"prompt": "a smiling cat"}', '{"prompt": "white fur"}']
    assert asked(server, "a cat").family == "fur"
    assert [m["role"] for m in server.heard[1]] == ["system", "user", "assistant", "user"]
    assert "No material matches" in server.heard[1][3]["content"]
    server.answers = ['{"prompt": "a smiling cat"}', "I cannot do that, I am a language model."]
    assert refusal(server, "a cat") == "no-material"


def test_a_picture_is_sent_smaller(server: ChatServer, tmp_path: Path) -> None:
    pixels = np.random.default_rng(1).integers(0, 255, (600, 1100, 3)).astype(np.uint8)
    write_png(tmp_path / "wall.png", pixels)
    server.answers = ["grey gravel"]
    assert asked(server, "", tmp_path / "wall.png", "llava").model == "llava"
    assert server.seen == [(200, 367, 3)]
    server.faults = {"blind"}
    assert refusal(server, "", tmp_path / "wall.png") == "server-refused"


@pytest.mark.parametrize(
    ("fault", "code"),
    [("html", "not-the-server"), ("login", "server-login"), ("odd", "not-the-server")],
)
def test_faults_of_the_server_have_names(server: ChatServer, fault: str, code: str) -> None:
    server.faults = {fault}
    assert refusal(server, "brick") == code


def test_what_is_missing_is_told(server: ChatServer, tmp_path: Path) -> None:
    assert refusal(server, " ") == "no-idea"
    assert refusal(server, "brick", tmp_path / "gone.png") == "no-file"
    assert refusal(server, "brick", model="gpt-9") == "missing-model"
    server.models = []
    assert refusal(server, "brick") == "missing-model"
    value = drain(check(chat_at(server.url + "/v1/")), lambda event: None)
    assert value["models"] == [] and "ollama pull" in value["missing"][0]


def test_cancelled_it_does_not_wait_for_the_answer(server: ChatServer) -> None:
    server.gate.clear()
    job = suggest(chat_at(server.url), "brick")
    while not server.begun.is_set():
        next(job)
    with pytest.raises(KeyboardInterrupt):
        job.throw(KeyboardInterrupt())
    server.answers = ["red brick"]
    server.gate.set()


def test_a_server_that_dies_ends_the_job(server: ChatServer) -> None:
    server.gate.clear()
    job = suggest(chat_at(server.url), "brick")
    while not server.begun.is_set():
        next(job)
    server.die()
    with pytest.raises(StagewrightError) as caught:
        drain(job, lambda event: None)
    assert caught.value.code == "server-gone"
