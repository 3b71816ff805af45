# SPDX-License-Identifier: GPL-3.0-or-later
"""Images of local models by the worker, on tiny models of random weights, beside bare diffusers.

The Python for them is that of ``STAGEWRIGHT_DIFFUSERS``, or of ``.venv-diffusers``, which
``python3 scripts/dev.py test --all`` makes.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stagewright.jobs.drive import drain
from stagewright.jobs.errors import StagewrightError
from stagewright.jobs.events import Event, Progress, Waiting
from stagewright.texture_lab.diffusion import client
from stagewright.texture_lab.graph_nodes import make_graph
from stagewright.texture_lab.image_makers import generated
from stagewright.texture_lab.image_order import ImageOrder
from stagewright.texture_lab.stored_set import read_set

ROOT = Path(__file__).resolve().parents[2]
PYTHON = os.environ.get("STAGEWRIGHT_DIFFUSERS") or str(ROOT / ".venv-diffusers" / "bin" / "python")
ORDER = ImageOrder("mossy bricks", "", 64, 96, seed=7, steps=4, guidance=6.5, model="tiny-sd")
BARE = """
import sys, numpy as np, torch
from diffusers import StableDiffusionPipeline
pipe = StableDiffusionPipeline.from_pretrained(sys.argv[1], local_files_only=True)
pipe.set_progress_bar_config(disable=True)
made = pipe("mossy bricks", width=64, height=96, num_inference_steps=4, guidance_scale=6.5,
            generator=torch.Generator("cpu").manual_seed(7), output_type="np").images[0]
np.save(sys.argv[2], made)
"""

needs_diffusers = pytest.mark.skipif(
    not Path(PYTHON).exists(), reason="no Python with diffusers: scripts/dev.py test --all"
)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    folder = tmp_path_factory.mktemp("models ü")
    program = [PYTHON, str(Path(__file__).with_name("tiny_models.py")), str(folder), "--flux"]
    subprocess.run(program, check=True, capture_output=True)
    yield {"python": PYTHON, "models": str(folder)}
    client.close()


def made(service: dict[str, str], order: ImageOrder, told: list[Event] | None = None) -> np.ndarray:
    sink = (told if told is not None else []).append
    return drain(client.make_image(service, order), sink).image


def refusal(service: dict[str, str], order: ImageOrder = ORDER) -> StagewrightError:
    with pytest.raises(StagewrightError) as caught:
        made(service, order)
    assert caught.value.cure
    return caught.value


def seam(image: np.ndarray) -> float:
    """Differences across the border over those within, in the worse direction."""
    across = [abs(image[0] - image[-1]).mean(), abs(image[:, 0] - image[:, -1]).mean()]
    within = [abs(np.diff(image, axis=0)).mean(), abs(np.diff(image, axis=1)).mean()]
    return max(a / w for a, w in zip(across, within, strict=True))


@needs_diffusers
def test_the_worker_makes_what_bare_diffusers_makes(
    service: dict[str, str], tmp_path: Path
) -> None:
    told: list[Event] = []
    image = made(service, ORDER, told)
    folder = Path(service["models"], "tiny-sd")
    program = [PYTHON, "-c", BARE, str(folder), str(tmp_path / "bare.npy")]
    subprocess.run(program, check=True, capture_output=True)
    assert np.array_equal(image, np.load(tmp_path / "bare.npy"))
    steps = [e.message for e in told if isinstance(e, Progress) and e.step == "diffusers.step"]
    assert steps == [f"Step {n} of 4" for n in range(1, 5)]
    assert np.array_equal(made(service, ORDER), image)
    assert not np.array_equal(made(service, replace(ORDER, seed=8)), image)


@needs_diffusers
def test_an_image_that_repeats_has_no_seam_and_leaves_no_trace(service: dict[str, str]) -> None:
    plain = made(service, ORDER)
    repeating = made(service, replace(ORDER, repeats=True))
    assert seam(repeating) < 1.3
    assert not np.array_equal(repeating, plain)
    assert np.array_equal(made(service, ORDER), plain)


@needs_diffusers
@pytest.mark.parametrize("model", ["tiny-sd", "tiny-flux"])
def test_only_what_is_masked_changes(service: dict[str, str], model: str) -> None:
    image = np.random.default_rng(1).random((96, 64, 3), np.float32)
    mask = np.zeros((96, 64), bool)
    mask[20:60, 10:50] = True
    order = replace(ORDER, model=model, image=image, strength=0.6)
    whole = made(service, order)
    assert whole.shape == image.shape and (abs(whole - image).max(2) > 0.01).mean() > 0.9
    masked = made(service, replace(order, mask=mask))
    assert np.array_equal(masked[~mask], image[~mask])
    assert (abs(masked - image).max(2) > 0.01)[mask].mean() > 0.9


@needs_diffusers
def test_a_transformer_s_image_is_painted_over_its_seams(service: dict[str, str]) -> None:
    order = replace(ORDER, model="Tiny-Flux", width=96)
    plain = made(service, order)
    painted = made(service, replace(order, repeats=True))
    changed = abs(painted - plain).max(2) > 1e-6
    # Around the corners, where the seams cross; not in the middle, which is the border now.
    assert changed[:24, :24].all() and changed[-24:, -24:].all()
    assert not changed[40:56, 40:56].any()


@needs_diffusers
def test_a_lora_counts_by_its_weight_and_leaves_no_trace(service: dict[str, str]) -> None:
    plain = made(service, ORDER)
    with_lora = [made(service, replace(ORDER, loras=(("Moss", w),))) for w in (0.0, 1.0)]
    assert np.allclose(with_lora[0], plain, atol=1e-5)
    assert not np.allclose(with_lora[1], plain, atol=1e-3)
    assert np.array_equal(made(service, ORDER), plain)
    assert refusal(service, replace(ORDER, loras=(("gone", 1.0),))).code == "missing-model"


@needs_diffusers
def test_cancelled_it_stops_at_a_step_and_keeps_its_model(service: dict[str, str]) -> None:
    made(service, ORDER)
    pid = client._worker(PYTHON).pid
    job = client.make_image(service, replace(ORDER, steps=150))
    while not isinstance(event := next(job), Progress) or event.step != "diffusers.step":
        pass
    with pytest.raises(KeyboardInterrupt):
        event = job.throw(KeyboardInterrupt())
        while isinstance(event, Waiting | Progress):
            event = next(job)
    made(service, ORDER)
    assert client._worker(PYTHON).pid == pid


@needs_diffusers
@pytest.mark.skipif(os.name != "posix", reason="kills a process")
def test_a_worker_that_is_killed_ends_the_job_and_the_next_has_another(
    service: dict[str, str],
) -> None:
    image = made(service, ORDER)
    job = client.make_image(service, replace(ORDER, steps=150))
    while not isinstance(event := next(job), Progress) or event.step != "diffusers.step":
        pass
    os.kill(client._worker(PYTHON).pid, 9)
    with pytest.raises(StagewrightError) as caught:
        drain(job, lambda event: None)
    assert caught.value.code == "child-died" and "SIGKILL" in caught.value.message
    assert "Step" in caught.value.message
    assert np.array_equal(made(service, ORDER), image)


@needs_diffusers
def test_models_that_cannot_be_used_say_why(service: dict[str, str], tmp_path: Path) -> None:
    models = Path(service["models"])
    assert "tiny-sd" in refusal(service, replace(ORDER, model="dreams")).message
    gone = {**service, "models": str(tmp_path / "gone")}
    assert refusal(gone).code == "no-models"
    (tmp_path / "v1-5.safetensors").write_bytes(b"one file")
    one = refusal({**service, "models": str(tmp_path)}, replace(ORDER, model="v1-5"))
    assert one.code == "bad-model" and "one file" in one.message
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "model_index.json").write_bytes((models / "tiny-sd/model_index.json").read_bytes())
    error = refusal({**service, "models": str(tmp_path)}, replace(ORDER, model="broken"))
    assert error.code == "bad-model" and "copy it again" in error.cure


@needs_diffusers
def test_a_size_without_room_is_refused_before_the_work(service: dict[str, str]) -> None:
    huge = replace(ORDER, width=65536, height=65536)
    client.close()  # A model that is loaded is not measured again.
    error = refusal(service, huge)
    assert error.code == "out-of-memory" and "GB" in error.message


@needs_diffusers
def test_a_graph_makes_a_tileable_set(service: dict[str, str], tmp_path: Path) -> None:
    node = {"service": "diffusers", "prompt": "bricks", "size": 64, "steps": 2, "repeats": True}
    graph = generated({**node, "model": "tiny-sd"})
    job = make_graph(graph, tmp_path, tmp_path, "w", services={"diffusers": service})
    textures, about = read_set(Path(drain(job, lambda event: None)["files"][-1]))
    assert textures.height.shape == (64, 64) and about["models"] == {"image": "tiny-sd"}


@needs_diffusers
def test_check_tells_what_is_there(service: dict[str, str]) -> None:
    value = drain(client.check(service), lambda event: None)
    assert value["models"] == ["dit/tiny-flux", "tiny-sd"] and value["missing"] == []
    assert any(line.startswith("torch ") for line in value["found"])


def test_a_python_that_is_none_or_lacks_it_is_told(tmp_path: Path) -> None:
    models = {"models": str(tmp_path)}
    assert refusal({"python": str(tmp_path / "python"), **models}).code == "bad-python"
    plain = {"python": sys.executable, **models}
    try:
        error = refusal(plain)
        assert error.code == "missing-package" and "pip install torch" in error.cure
        value: Any = drain(client.check(plain), lambda event: None)
        assert any(line.startswith("torch") for line in value["missing"])
        assert any("model_index.json" in line for line in value["missing"])
    finally:
        client.close()
