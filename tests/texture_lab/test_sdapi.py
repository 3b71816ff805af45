# SPDX-License-Identifier: GPL-3.0-or-later
"""The clients of SD-WebUI's API, against small servers that speak it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import comfy_server
import numpy as np
import pytest
from sdapi_server import LOADED, TITLE, SdCpp, WebUI
from small_server import SmallServer, serving

from stagewright.jobs.drive import drain
from stagewright.jobs.errors import StagewrightError
from stagewright.jobs.events import Event, Message, Preview, Progress
from stagewright.texture_lab.graph_nodes import make_graph
from stagewright.texture_lab.image_makers import check_service, generated
from stagewright.texture_lab.image_order import ImageOrder, MadeImage
from stagewright.texture_lab.servers import sdapi, sdcpp
from stagewright.texture_lab.servers.sdapi import sdapi_at
from stagewright.texture_lab.stored_set import read_set

ORDER = ImageOrder("mossy bricks", "blurry", 64, 96, seed=7, steps=4, guidance=6.5)


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sdapi, "_POLL", 0.0)
    monkeypatch.setattr(sdcpp, "_POLL", 0.0)


@pytest.fixture
def webui() -> Iterator[WebUI]:
    with serving(WebUI()) as running:
        yield running


@pytest.fixture
def cpp() -> Iterator[SdCpp]:
    with serving(SdCpp()) as running:
        yield running


def job_of(server: SmallServer, order: ImageOrder, preview: Path | None = None) -> Any:
    known = sdapi_at(server.url)
    if isinstance(server, SdCpp):
        return sdcpp.make_image(known, order, sdcpp.capabilities(known))
    return sdapi.make_image(known, order, preview)


def made(server: SmallServer, order: ImageOrder) -> MadeImage:
    return drain(job_of(server, order), lambda event: None)


def refusal(server: SmallServer, order: ImageOrder = ORDER) -> StagewrightError:
    with pytest.raises(StagewrightError) as caught:
        made(server, order)
    assert caught.value.cure
    return caught.value


def bytes_of(image: MadeImage) -> np.ndarray:
    return (image.image * 255 + 0.5).astype(np.uint8)


def noise_of(order: ImageOrder, model: str) -> np.ndarray:
    return comfy_server.noise(order.seed, order.prompt + model, (order.height, order.width))


def picture() -> np.ndarray:
    return np.random.default_rng(2).integers(0, 255, (96, 64, 3)).astype(np.uint8)


def finish(job: Any, *, by: BaseException | None = None) -> list[Any]:
    """What a job tells to its end, and its value; ``by`` is thrown into it first."""
    told = []
    try:
        told.append(job.throw(by) if by else next(job))
        while True:
            told.append(next(job))
    except StopIteration as stop:
        return [*told, stop.value]


def held(server: Any, order: ImageOrder = ORDER) -> tuple[Any, list[Event]]:
    """A job whose work the server has begun, and waits with."""
    server.gate.clear()
    job, told = job_of(server, order), []
    while not server.begun.is_set():
        told.append(next(job))
    return job, told


def test_words_make_the_model_s_image(webui: WebUI) -> None:
    image = made(webui, ORDER)
    assert np.array_equal(bytes_of(image), noise_of(ORDER, LOADED))
    assert image.model == "stone"
    assert np.array_equal(made(webui, ORDER).image, image.image)
    assert not np.array_equal(made(webui, replace(ORDER, seed=8)).image, image.image)


@pytest.mark.parametrize("name", [TITLE, "brick_v1", "Brick_V1.safetensors"])
def test_a_model_is_found_by_any_of_its_names(webui: WebUI, name: str) -> None:
    image = made(webui, replace(ORDER, model=name))
    assert np.array_equal(bytes_of(image), noise_of(ORDER, TITLE)) and image.model == "brick_v1"


def test_a_lora_goes_into_the_words_and_the_wish_to_repeat_is_told(webui: WebUI) -> None:
    made(webui, replace(ORDER, loras=(("moss", 0.5),), repeats=True))
    assert webui.orders[-1]["prompt"] == "mossy bricks <lora:moss:0.5>"
    assert webui.orders[-1]["tiling"] is True


@pytest.mark.parametrize("kind", ["webui", "cpp"])
def test_an_image_is_changed_only_where_its_mask_is(kind: str, webui: WebUI, cpp: SdCpp) -> None:
    server, model = (webui, LOADED) if kind == "webui" else (cpp, "")
    source, expected = picture(), noise_of(ORDER, model).astype(int)
    mask = np.zeros((96, 64), bool)
    mask[10:30, 5:50] = True
    half = replace(ORDER, image=source / np.float32(255), strength=0.5)
    mixed = source + 0.5 * (expected - source)
    assert abs(bytes_of(made(server, half)) - mixed).max() <= 0.5
    masked = bytes_of(made(server, replace(half, mask=mask, strength=1.0)))
    assert np.array_equal(masked, np.where(mask[:, :, None], expected, source))


def test_progress_and_previews_are_told(webui: WebUI, tmp_path: Path) -> None:
    webui.gate.clear()
    job, told = job_of(webui, ORDER, tmp_path / "p.npy"), []
    while not any(isinstance(event, Preview) for event in told):
        told.append(next(job))
    webui.gate.set()
    told += finish(job)
    assert any(isinstance(e, Progress) and "step 2 of 4" in e.message for e in told)
    assert np.allclose(np.load(tmp_path / "p.npy")[:, :, :3], 90 / 255)


def test_cancelled_it_interrupts_its_own_work(webui: WebUI) -> None:
    job, _ = held(webui)
    with pytest.raises(KeyboardInterrupt):
        finish(job, by=KeyboardInterrupt())
    assert webui.interrupts == 1


def test_cancelled_while_another_runs_it_interrupts_nothing_and_had_said_so(webui: WebUI) -> None:
    first, _ = held(webui)
    second, told = job_of(webui, replace(ORDER, seed=9)), []
    while not webui.waiting:
        told.append(next(second))
    assert any(isinstance(e, Message) and "all who use it" in e.text for e in told)
    with pytest.raises(KeyboardInterrupt):
        finish(second, by=KeyboardInterrupt())
    assert webui.interrupts == 0
    webui.gate.set()
    assert np.array_equal(bytes_of(finish(first)[-1]), noise_of(ORDER, LOADED))


@pytest.mark.parametrize("kind", ["webui", "cpp"])
def test_a_server_that_dies_ends_the_job(kind: str, webui: WebUI, cpp: SdCpp) -> None:
    server = webui if kind == "webui" else cpp
    job, _ = held(server)
    server.die()
    with pytest.raises(StagewrightError) as caught:
        finish(job)
    assert caught.value.code == "server-gone"


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("html", "not-the-server"),
        ("no api", "not-the-server"),
        ("login", "server-login"),
        ("oom", "out-of-memory"),
        ("corrupt", "bad-image"),
        ("no images", "not-the-server"),
        ("no base64", "not-the-server"),
    ],
)
def test_faults_of_the_server_have_names(webui: WebUI, fault: str, code: str) -> None:
    webui.faults = {fault}
    assert refusal(webui).code == code
    assert fault != "no api" or "--api" in refusal(webui).cure


def test_what_the_server_refuses_is_told_in_its_words(webui: WebUI, cpp: SdCpp) -> None:
    assert "too many steps" in refusal(webui, replace(ORDER, steps=151)).message
    assert "invalid generation parameters" in refusal(cpp, replace(ORDER, steps=101)).message
    assert TITLE in refusal(webui, replace(ORDER, model="dreams")).message
    assert "flux-dev" in refusal(cpp, replace(ORDER, model="dreams")).message
    assert "walls/mossy" in refusal(cpp, replace(ORDER, loras=(("gone", 1.0),))).message
    for server in (webui, cpp):
        assert refusal(server, replace(ORDER, workflow="{}")).code == "bad-request"


def test_a_server_that_cannot_tell_its_progress_still_makes_images(webui: WebUI) -> None:
    webui.faults = {"silent progress"}
    assert np.array_equal(bytes_of(made(webui, ORDER)), noise_of(ORDER, LOADED))


def test_a_work_of_its_own_is_made(cpp: SdCpp) -> None:
    order = replace(ORDER, loras=(("Mossy", 0.5),))
    image = made(cpp, order)
    assert np.array_equal(bytes_of(image), noise_of(order, "")) and image.model == "flux-dev"
    sent = cpp.orders[-1]
    assert sent["lora"] == [{"path": "walls/mossy.safetensors", "multiplier": 0.5}]
    assert sent["sample_params"]["guidance"] == {"txt_cfg": 6.5}
    cpp.guidance = 1.0
    made(cpp, order)
    assert cpp.orders[-1]["sample_params"]["guidance"] == {"distilled_guidance": 6.5}


def test_a_work_that_waits_is_taken_from_the_queue(cpp: SdCpp) -> None:
    first, _ = held(cpp)
    second, told = job_of(cpp, replace(ORDER, seed=9)), []
    while not any(isinstance(e, Progress) and "place 1" in e.message for e in told):
        told.append(next(second))
    with pytest.raises(KeyboardInterrupt):
        finish(second, by=KeyboardInterrupt())
    assert [job["status"] for job in cpp.jobs.values()] == ["generating", "cancelled"]
    cpp.gate.set()
    assert np.array_equal(bytes_of(finish(first)[-1]), noise_of(ORDER, ""))


@pytest.mark.parametrize(
    ("fault", "code"),
    [("full", "server-busy"), ("fail", "server-refused"), ("forget", "job-lost")],
)
def test_works_that_come_to_nothing_say_why(cpp: SdCpp, fault: str, code: str) -> None:
    cpp.faults = {fault}
    assert refusal(cpp).code == code


@pytest.mark.parametrize("kind", ["webui", "cpp"])
def test_a_graph_makes_a_set_by_either(kind: str, webui: WebUI, cpp: SdCpp, tmp_path: Path) -> None:
    server = webui if kind == "webui" else cpp
    known = {"sdapi": {"url": server.url}}
    graph = generated({"service": "sdapi", "prompt": "bricks", "size": 128, "steps": 2})
    value = drain(make_graph(graph, tmp_path, tmp_path, "w", services=known), lambda event: None)
    textures, about = read_set(Path(value["files"][-1]))
    assert textures.height.shape == (128, 128)
    assert about["models"]["image"] == ("stone" if kind == "webui" else "flux-dev")


def test_check_tells_what_is_there(webui: WebUI, cpp: SdCpp) -> None:
    def checked(server: SmallServer) -> Any:
        return drain(check_service("sdapi", {"sdapi": {"url": server.url}}), lambda event: None)

    assert checked(webui) == {
        "found": [f"Models: {TITLE}, {LOADED}"],
        "missing": [],
        "models": [TITLE, LOADED],
    }
    assert checked(cpp)["models"] == ["flux-dev.gguf"]
    webui.faults = {"no api"}
    with pytest.raises(StagewrightError) as caught:
        checked(webui)
    assert "--api" in caught.value.cure
