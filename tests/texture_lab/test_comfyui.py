# SPDX-License-Identifier: GPL-3.0-or-later
"""ComfyUI's client, against a small server that speaks its protocol."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import comfy_server
import numpy as np
import pytest
from comfy_server import NAMES, ComfyServer
from small_server import SmallServer, serving

from stagewright.jobs.drive import drain
from stagewright.jobs.errors import StagewrightError
from stagewright.jobs.events import Event, Message, Preview, Progress
from stagewright.texture_lab.graph import Node, TextureGraph
from stagewright.texture_lab.graph_nodes import make_graph
from stagewright.texture_lab.image_makers import generated
from stagewright.texture_lab.image_order import ImageOrder, MadeImage
from stagewright.texture_lab.photo import sha256_of
from stagewright.texture_lab.png import write_png
from stagewright.texture_lab.servers.comfy_graphs import read_workflow
from stagewright.texture_lab.servers.comfyui import check, comfyui_at, make_image, preview_of
from stagewright.texture_lab.servers.http import server_at
from stagewright.texture_lab.stored_set import read_set

ORDER = ImageOrder("mossy bricks", "blurry", 64, 96, seed=7, steps=4, guidance=6.5)
OWN = {
    "1": {"class_type": "LoadImage", "inputs": {"image": "%image%"}},
    "2": {"class_type": "ImageInvert", "inputs": {"image": ["1", 0]}},
    "3": {
        "class_type": "SaveImage",
        "inputs": {"images": ["2", 0], "filename_prefix": "%date%_%seed%"},
        "_meta": {"title": "Keep"},
    },
}


@pytest.fixture
def server() -> Iterator[ComfyServer]:
    with serving(ComfyServer()) as running:
        yield running


def made(server: SmallServer, order: ImageOrder, told: list[Event] | None = None) -> MadeImage:
    sink = (told if told is not None else []).append
    return drain(make_image(comfyui_at(server.url), order), sink)


def refusal(server: SmallServer, order: ImageOrder) -> StagewrightError:
    with pytest.raises(StagewrightError) as caught:
        made(server, order)
    return caught.value


def bytes_of(image: MadeImage) -> np.ndarray:
    return (image.image * 255 + 0.5).astype(np.uint8)


def noise_of(order: ImageOrder, name: str = NAMES[0]) -> np.ndarray:
    words = str(order.prompt) + str({"ckpt_name": name})
    return comfy_server.noise(order.seed, words, (order.height, order.width))


def picture(rows: int = 96, columns: int = 64) -> np.ndarray:
    return np.random.default_rng(2).integers(0, 255, (rows, columns, 3)).astype(np.uint8)


def test_words_make_the_model_s_image(server: ComfyServer) -> None:
    told: list[Event] = []
    image = made(server, ORDER, told)
    assert np.array_equal(bytes_of(image), noise_of(ORDER))
    assert (image.model, image.repeats) == (NAMES[0], False)
    fractions = [e.fraction for e in told if isinstance(e, Progress) and e.fraction is not None]
    assert len(set(fractions)) > 5 and fractions == sorted(fractions) and fractions[-1] < 1
    assert np.array_equal(made(server, ORDER).image, image.image)
    assert not np.array_equal(made(server, replace(ORDER, seed=8)).image, image.image)


def test_a_model_is_found_by_its_name_in_any_folder_and_case(server: ComfyServer) -> None:
    for name in (NAMES[1], "stone xl.safetensors", "Stone XL"):
        image = made(server, replace(ORDER, model=name))
        assert image.model == NAMES[1]
        assert np.array_equal(bytes_of(image), noise_of(ORDER, NAMES[1]))


def test_previews_come_as_pictures(server: ComfyServer, tmp_path: Path) -> None:
    told: list[Event] = []
    preview = tmp_path / "p.npy"
    order = replace(ORDER, image=picture() / np.float32(255), strength=0.5)
    drain(make_image(comfyui_at(server.url), order, preview), told.append)
    assert [e.path for e in told if isinstance(e, Preview)] == [str(preview)] * 4
    assert np.allclose(np.load(preview)[:, :, :3] * 255, picture()[::4, ::4])


def test_an_image_is_changed_only_where_its_mask_is(server: ComfyServer) -> None:
    source = picture()
    mask = np.zeros((96, 64), bool)
    mask[10:30, 5:50] = True
    half = replace(ORDER, image=source / np.float32(255), strength=0.5)
    whole = bytes_of(made(server, half)).astype(int)
    expected = source + 0.5 * (noise_of(ORDER).astype(int) - source)
    assert abs(whole - expected).max() <= 0.5
    masked = bytes_of(made(server, replace(half, mask=mask, strength=1.0)))
    assert np.array_equal(masked, np.where(mask[:, :, None], noise_of(ORDER), source))


def test_an_own_workflow_gets_its_values(server: ComfyServer) -> None:
    order = replace(ORDER, image=picture() / np.float32(255), workflow=json.dumps(OWN))
    assert np.array_equal(bytes_of(made(server, order)), 255 - picture())
    assert any(name.startswith("%date%_7_") for name in server.files)


@pytest.mark.parametrize(
    ("workflow", "why"),
    [
        ("{", "no JSON"),
        ("[]", "no nodes"),
        ("{}", "no nodes"),
        ('{"nodes": [], "links": []}', "window"),
        ('{"1": {"class_type": "SaveImage", "inputs": {}}}', "placeholder"),
        (json.dumps(OWN), "there is no image"),
    ],
)
def test_a_workflow_that_cannot_be_used_says_why(
    server: ComfyServer, workflow: str, why: str
) -> None:
    error = refusal(server, replace(ORDER, workflow=workflow))
    assert error.code == "bad-workflow" and why in error.message and "Export (API)" in error.cure


def test_a_workflow_is_read_from_the_history_s_form(server: ComfyServer) -> None:
    assert read_workflow(json.dumps({"prompt": OWN})) == OWN


def own(**changed: Any) -> str:
    """A workflow with nodes put in or replaced."""
    nodes = {
        "a": {"class_type": "CLIPTextEncode", "inputs": {"text": "%prompt%", "clip": ["b", 1]}}
    }
    nodes["b"] = {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": NAMES[0]}}
    return json.dumps({**nodes, **changed})


def test_all_missing_nodes_are_named_at_once(server: ComfyServer) -> None:
    strange = {f"x{n}": {"class_type": f"Magic{n}", "inputs": {}} for n in (1, 2)}
    error = refusal(server, replace(ORDER, workflow=own(**strange)))
    assert error.code == "missing-nodes" and "Magic1, Magic2" in error.message
    assert not server.history and not server.pending


def test_a_workflow_without_outputs_is_told(server: ComfyServer) -> None:
    assert refusal(server, replace(ORDER, workflow=own())).code == "no-image"


@pytest.mark.parametrize(
    ("changed", "code", "words"),
    [
        ({"ckpt_name": "gone.ckpt"}, "missing-model", ("gone.ckpt", NAMES[0], "Simple (b)")),
        ({}, "workflow-refused", ("Required input is missing: ckpt_name", "Simple (b)")),
    ],
)
def test_what_a_node_refuses_names_it(
    server: ComfyServer, changed: dict[str, Any], code: str, words: tuple[str, ...]
) -> None:
    node = {"class_type": "CheckpointLoaderSimple", "inputs": changed}
    save = {"class_type": "SaveImage", "inputs": {"images": ["a", 0], "filename_prefix": ""}}
    error = refusal(server, replace(ORDER, workflow=own(b=node, s=save)))
    assert error.code == code
    assert all(word in error.message for word in words)
    assert error.cure


def test_models_that_are_not_there_are_told_with_those_that_are(server: ComfyServer) -> None:
    error = refusal(server, replace(ORDER, model="dreams"))
    assert error.code == "missing-model" and NAMES[0] in error.message
    assert refusal(server, replace(ORDER, loras=(("gone", 1.0),))).code == "missing-model"
    assert made(server, replace(ORDER, loras=(("mossy", 0.7),))).image.shape == (96, 64, 3)
    server.info = {**comfy_server.INFO, "CheckpointLoaderSimple": {"input": {"required": {}}}}
    assert "models/checkpoints" in refusal(server, ORDER).cure


def test_images_repeat_where_the_server_has_the_nodes(server: ComfyServer) -> None:
    assert not made(server, replace(ORDER, repeats=True)).repeats
    server.info = {**server.info, **comfy_server.SEAMLESS}
    assert made(server, replace(ORDER, repeats=True)).repeats


def test_memory_that_runs_out_is_told_with_the_node(server: ComfyServer) -> None:
    server.faults = {"oom"}
    error = refusal(server, ORDER)
    assert error.code == "out-of-memory" and "KSampler" in error.message and "smaller" in error.cure


def held(server: ComfyServer, order: ImageOrder = ORDER) -> tuple[Any, list[Event]]:
    """A job whose work the server's sampler is at, and waits with."""
    server.gate.clear()
    job = make_image(comfyui_at(server.url), order)
    told: list[Event] = []

    def is_there() -> bool:
        """Whether the job has heard of it, too."""
        heard = any(isinstance(e, Progress) and "KSampler" in e.message for e in told)
        return server.begun.is_set() and (heard or "quiet" in server.faults)

    while not is_there():
        told.append(next(job))
    return job, told


def finish(job: Any, *, by: BaseException | None = None) -> list[Event]:
    """What a job tells to its end; ``by`` is thrown into it first."""
    told = []
    try:
        told.append(job.throw(by) if by else next(job))
        while True:
            told.append(next(job))
    except StopIteration as stop:
        return [*told, stop.value]


def test_cancelled_it_interrupts_its_own_work_alone(server: ComfyServer) -> None:
    job, _ = held(server)
    other = make_image(comfyui_at(server.url), replace(ORDER, seed=9))
    while not server.pending:
        next(other)
    mine = server.running[0][1]
    with pytest.raises(KeyboardInterrupt):
        finish(job, by=KeyboardInterrupt())
    assert server.interrupts == [mine]
    image = finish(other)[-1]
    assert np.array_equal(bytes_of(image), noise_of(replace(ORDER, seed=9)))


@pytest.mark.parametrize("older", [False, True])
def test_cancelled_in_the_queue_it_leaves_what_runs(server: ComfyServer, older: bool) -> None:
    server.faults = {"older"} if older else set()
    first, _ = held(server)
    second = make_image(comfyui_at(server.url), replace(ORDER, seed=9))
    while not server.pending:
        next(second)
    with pytest.raises(KeyboardInterrupt):
        finish(second, by=KeyboardInterrupt())
    assert not server.pending and server.interrupts == []
    server.gate.set()
    assert np.array_equal(bytes_of(finish(first)[-1]), noise_of(ORDER))


def test_closed_it_withdraws_its_work(server: ComfyServer) -> None:
    job, _ = held(server)
    mine = server.running[0][1]
    job.close()
    assert server.interrupts == [mine]


@pytest.mark.parametrize("quiet", [False, True])
def test_an_interruption_by_somebody_else_is_told(
    server: ComfyServer, monkeypatch: pytest.MonkeyPatch, quiet: bool
) -> None:
    monkeypatch.setattr("stagewright.texture_lab.servers.comfyui._QUIET", 0.0)
    server.faults = {"quiet"} if quiet else set()
    job, _ = held(server)
    server.stop.set()
    server.gate.set()
    with pytest.raises(StagewrightError) as caught:
        finish(job)
    assert caught.value.code == "interrupted"


def test_a_server_that_dies_ends_the_job_naming_the_step(server: ComfyServer) -> None:
    job, _ = held(server)
    server.die()
    with pytest.raises(StagewrightError) as caught:
        finish(job)
    assert caught.value.code == "server-gone" and "KSampler" in caught.value.message


@pytest.mark.skipif(os.name != "posix", reason="kills a process")
def test_a_server_process_that_is_killed_ends_the_job() -> None:
    program = [sys.executable, comfy_server.__file__, "0", "hold"]
    pipes = {"stdin": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    environment = {**os.environ, "PYTHONPATH": str(Path(comfy_server.__file__).parent)}
    process = subprocess.Popen(program, env=environment, **pipes)
    with process:
        url = process.stderr.readline().split()[-1]
        job = make_image(comfyui_at(url), ORDER)
        while not isinstance(event := next(job), Progress) or event.step != "comfyui.run":
            pass
        os.kill(process.pid, signal.SIGKILL)
        with pytest.raises(StagewrightError) as caught:
            finish(job)
    assert caught.value.code == "server-gone"


@pytest.mark.parametrize("fault", ["drop", "garbage"])
def test_without_its_socket_the_work_is_followed_all_the_same(
    server: ComfyServer, fault: str
) -> None:
    server.faults = {fault}
    told: list[Event] = []
    assert np.array_equal(bytes_of(made(server, ORDER, told)), noise_of(ORDER))


def test_a_server_that_says_nothing_is_asked(
    server: ComfyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stagewright.texture_lab.servers.comfyui._QUIET", 0.0)
    server.faults = {"quiet"}
    assert np.array_equal(bytes_of(made(server, ORDER)), noise_of(ORDER))


def test_a_server_that_was_started_again_has_lost_the_work(server: ComfyServer) -> None:
    server.faults = {"forget"}
    error = refusal(server, ORDER)
    assert error.code == "job-lost" and "Repeat" in error.cure


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("html", "not-the-server"),
        ("login", "server-login"),
        ("no socket", "not-the-server"),
        ("corrupt", "bad-image"),
        ("bomb", "image-too-large"),
    ],
)
def test_faults_of_the_server_have_names_and_cures(
    server: ComfyServer, fault: str, code: str
) -> None:
    server.faults = {fault}
    error = refusal(server, ORDER)
    assert error.code == code and error.message and error.cure


def test_check_lists_what_is_there_and_what_is_not(server: ComfyServer) -> None:
    value = drain(check(comfyui_at(server.url)), lambda event: None)
    assert value["models"] == NAMES and "0.3.64" in value["found"][0]
    assert len(value["missing"]) == 1 and "seamless-tiling" in value["missing"][0]
    server.info = {"SaveImage": {}, **comfy_server.SEAMLESS}
    value = drain(check(comfyui_at(server.url)), lambda event: None)
    assert len(value["missing"]) == 1 and "models/checkpoints" in value["missing"][0]


@pytest.mark.parametrize(
    "address",
    ["{0}", "{0}/", " {0} ", "127.0.0.1:{1}", "localhost:{1}/", "http://0.0.0.0:{1}", "{0}/#page"],
)
def test_addresses_are_understood_as_people_write_them(server: ComfyServer, address: str) -> None:
    url = address.format(server.url, server.server_address[1])
    assert drain(check(comfyui_at(url)), lambda event: None)["models"] == NAMES


@pytest.mark.parametrize(
    "address",
    [
        "",
        "http://",
        "ftp://host",
        "ws://host:8188",
        "http://ann" + ":word@host",
        "host:port",
        "a b",
        "[::1",
    ],
)
def test_addresses_that_are_none_are_refused(address: str) -> None:
    with pytest.raises(StagewrightError) as caught:
        comfyui_at(address)
    assert caught.value.code == "bad-url" and "word" not in str(caught.value).replace(
        "password", ""
    )


def test_a_server_that_is_not_there_is_told(server: ComfyServer) -> None:
    server.die()
    assert refusal(server, ORDER).code == "server-unreachable"
    with pytest.raises(StagewrightError) as caught:
        drain(check(comfyui_at("http://no-such-host.invalid:8188")), lambda event: None)
    assert caught.value.code == "server-unreachable"


def test_keys_are_sent_and_never_shown(server: ComfyServer) -> None:
    for key, header in (("secret", "Bearer secret"), ("ann:word", "Basic YW5uOndvcmQ=")):
        known = server_at("ComfyUI", server.url, key)
        assert known.headers == {"Authorization": header}
        assert "secret" not in repr(known) and "word" not in repr(known)


def test_previews_of_both_forms_are_found() -> None:
    assert preview_of(b"\0\0\0\1\0\0\0\2PNG") == b"PNG"
    assert preview_of(b"\0\0\0\4\0\0\0\2{}PNG") == b"PNG"
    for message in (b"", b"\0\0\0\1", b"\0\0\0\3\0\0\0\0text", b"\0\0\0\4\xff\xff\xff\xff{}"):
        assert preview_of(message) is None


def services(server: SmallServer) -> dict[str, dict[str, str]]:
    return {"comfyui": {"url": server.url}}


def test_a_graph_makes_a_tileable_set_of_words(server: ComfyServer, tmp_path: Path) -> None:
    settings = {"service": "comfyui", "prompt": "bricks", "size": 128, "steps": 2, "repeats": True}
    graph = generated(settings, pbr={"tile_size_m": 2.0}, normals="directx")
    assert TextureGraph.from_json(graph.to_json()).to_json() == graph.to_json()
    told: list[Event] = []
    job = make_graph(graph, tmp_path, tmp_path, "wall", services=services(server))
    value = drain(job, told.append)
    textures, about = read_set(Path(value["files"][-1]))
    assert about["models"] == {"image": NAMES[0]} and about["normals"] == "directx"
    assert max(textures.height.shape) < 128
    assert any(isinstance(e, Message) and "pixels that do" in e.text for e in told)
    server.info = {**server.info, **comfy_server.SEAMLESS}
    job = make_graph(graph, tmp_path, tmp_path, "wall2", services=services(server))
    textures, _ = read_set(Path(drain(job, told.append)["files"][-1]))
    assert textures.height.shape == (128, 128)


def test_a_graph_mends_a_photo_of_any_size(server: ComfyServer, tmp_path: Path) -> None:
    source = picture(70, 90)
    write_png(tmp_path / "wall.png", source)
    mask = np.zeros((70, 90), np.uint8)
    mask[20:40, 30:60] = 255
    write_png(tmp_path / "mask.png", mask)
    photo = {"file": "wall.png", "sha256": sha256_of(tmp_path / "wall.png")}
    hole = {"mask": "mask.png", "sha256": sha256_of(tmp_path / "mask.png"), "strength": 1}
    nodes = (
        Node("photo", "photo", settings=photo),
        Node("new", "image_to_image", {"image": "photo"}, {"prompt": "moss", "steps": 2, **hole}),
        Node("maps", "photo_to_pbr", {"image": "new"}),
        Node("out", "output", {"set": "maps"}),
    )
    job = make_graph(TextureGraph(nodes), tmp_path, tmp_path, "w", services=services(server))
    textures, _ = read_set(Path(drain(job, lambda event: None)["files"][-1]))
    changed = abs(textures.basecolor * 255 - source).max(2) > 1
    assert changed[mask > 0].mean() > 0.9 and not changed[mask == 0].any()


def test_a_graph_without_its_server_is_refused_before_the_work(tmp_path: Path) -> None:
    graph = generated({"prompt": "bricks"})
    with pytest.raises(StagewrightError) as caught:
        drain(make_graph(graph, tmp_path, tmp_path, "w"), lambda event: None)
    assert caught.value.code == "no-service" and "STAGEWRIGHT_COMFYUI" in caught.value.cure
    assert not list(tmp_path.iterdir())
