# SPDX-License-Identifier: GPL-3.0-or-later
"""Small servers of SD-WebUI's API: AUTOMATIC1111's, and stable-diffusion.cpp's with its works.

Written after A1111's ``modules/api`` and stable-diffusion.cpp's ``examples/server``.
"""

from __future__ import annotations

import base64
import itertools
import json
import threading
from typing import Any

import numpy as np
from comfy_server import noise, png_of, png_pixels
from small_server import PAGE, Request, SmallServer

TITLE = "brick_v1.safetensors [a1b2c3d4e5]"
LOADED = "stone.safetensors [0123456789]"


def pixels_of(text: str) -> np.ndarray:
    return png_pixels(base64.b64decode(text))


def painted(
    seed: int, words: str, order: dict[str, Any], begun: str | None, hole: str | None
) -> Any:
    """What the model makes: uint8 (rows, columns, 3)."""
    made = noise(seed, words, (order["height"], order["width"]))
    if begun is None:
        return made
    source, amount = pixels_of(begun).astype(float), order.get("denoising_strength", 1.0)
    mixed = (source + amount * (made - source)).round().astype(np.uint8)
    if hole is None:
        return mixed
    return np.where(pixels_of(hole) > 127, mixed, source).astype(np.uint8)


class WebUI(SmallServer):
    """A1111: one work at a time, whose progress and end are everybody's.

    Knows the faults ``html``, ``login``, ``no api``, ``oom``, ``corrupt``, ``no images``, ``no
    base64``, ``silent progress``.

    Attributes:
        gate: what the sampler waits for in the middle.
        begun: set when it waits.
        interrupts: how often somebody interrupted.
    """

    def __init__(self) -> None:
        self.gate, self.begun = threading.Event(), threading.Event()
        self.gate.set()
        self.turn, self.numbers = threading.Lock(), itertools.count(1)
        self.state: dict[str, Any] = {"job": "", "job_count": 0, "job_timestamp": "0"}
        self.interrupted = threading.Event()
        self.interrupts = 0
        self.orders: list[dict[str, Any]] = []
        self.waiting = 0
        super().__init__()

    def answer(self, request: Request) -> tuple[int, Any]:
        if "no api" in self.faults:
            return 404, {"detail": "Not Found"}
        path = request.path.removeprefix("/sdapi/v1/")
        if path == "sd-models":
            return 200, [
                {"title": title, "model_name": title.partition(".")[0]} for title in (TITLE, LOADED)
            ]
        if path == "options":
            return 200, {"sd_model_checkpoint": LOADED}
        if path == "progress":
            return self._progress()
        if path == "interrupt":
            self.interrupts += 1
            self.interrupted.set()
            self.gate.set()
            return 200, {}
        if path in ("txt2img", "img2img"):
            self.waiting += 1
            with self.turn:
                self.waiting -= 1
                return self._make(request.json)
        return 404, {"detail": "Not Found"}

    def _progress(self) -> tuple[int, Any]:
        if "silent progress" in self.faults:
            return 500, PAGE
        running = bool(self.state["job"])
        state = {**self.state, "sampling_step": 2 * running, "sampling_steps": 4}
        shown = base64.b64encode(png_of(np.full((8, 8, 3), 90, np.uint8))).decode()
        return 200, {
            "progress": 0.5 * running,
            "state": state,
            "current_image": shown if running else None,
        }

    def _make(self, order: dict[str, Any]) -> tuple[int, Any]:
        self.orders.append(order)
        if order["sampler_name"] not in ("Euler", "Euler a"):
            return 404, {"detail": "Sampler not found"}
        if order["steps"] > 150:
            return 422, {"detail": [{"loc": ["body", "steps"], "msg": "too many steps"}]}
        self.interrupted.clear()
        number = next(self.numbers)
        self.state = {"job": "txt2img", "job_count": -1, "job_timestamp": f"2026{number}"}
        self.begun.set()
        self.gate.wait(60)
        self.state = {**self.state, "job": "", "job_count": 0}
        if "oom" in self.faults:
            why = "CUDA out of memory. Tried to allocate 2 GiB"
            return 500, {"error": "OutOfMemoryError", "detail": "", "body": "", "errors": why}
        model = order.get("override_settings", {}).get("sd_model_checkpoint", LOADED)
        begun = order.get("init_images", [None])[0]
        made = painted(order["seed"], order["prompt"] + model, order, begun, order.get("mask"))
        data = png_of(made)
        if "corrupt" in self.faults:
            data = data[:100]
        images = [base64.b64encode(data).decode()]
        if "no base64" in self.faults:
            images = ["*** no base64 ***"]
        if "no images" in self.faults:
            images = []
        info = json.dumps({"seed": order["seed"], "sd_model_name": model.partition(".")[0]})
        return 200, {"images": images, "parameters": order, "info": info}


class SdCpp(SmallServer):
    """stable-diffusion.cpp's: works with names.

    Knows the faults ``html``, ``full``, ``fail``, ``forget``.

    Attributes:
        gate: what making waits for.
        begun: set when it waits.
        jobs: by their names.
    """

    def __init__(self) -> None:
        self.gate, self.begun = threading.Event(), threading.Event()
        self.gate.set()
        self.jobs: dict[str, dict[str, Any]] = {}
        self.queue: list[str] = []
        self.changed = threading.Condition()
        self.guidance = 7.0
        self.orders: list[dict[str, Any]] = []
        super().__init__()
        threading.Thread(target=self._work, daemon=True).start()

    def answer(self, request: Request) -> tuple[int, Any]:
        path = request.path.removeprefix("/sdcpp/v1/")
        if path == "capabilities":
            return 200, {
                "model": {"name": "flux-dev.gguf", "stem": "flux-dev", "path": "flux-dev.gguf"},
                "defaults": {"sample_params": {"guidance": {"txt_cfg": self.guidance}}},
                "features": {"cancel_queued": True, "cancel_generating": False},
                "loras": [{"name": "mossy", "path": "walls/mossy.safetensors"}],
            }
        if path == "img_gen":
            return self._take(request.json)
        if path.startswith("jobs/"):
            return self._job(path.removeprefix("jobs/"))
        return 404, b""

    def _take(self, order: dict[str, Any]) -> tuple[int, Any]:
        if "full" in self.faults:
            return 429, {"error": "job queue is full"}
        if order["sample_params"]["sample_steps"] > 100:
            return 400, {"error": "invalid generation parameters"}
        with self.changed:
            self.orders.append(order)
            name = f"job_{len(self.jobs):08x}"
            self.jobs[name] = {"id": name, "status": "queued", "order": order}
            self.queue.append(name)
            self.changed.notify_all()
        return 202, {"id": name, "kind": "img_gen", "status": "queued"}

    def _job(self, path: str) -> tuple[int, Any]:
        name, _, verb = path.partition("/")
        job = self.jobs.get(name)
        if job is None or "forget" in self.faults:
            return 404, {"error": "job not found"}
        if verb == "cancel":
            with self.changed:
                if name not in self.queue:
                    return 409, {"error": "job cannot be cancelled"}
                self.queue.remove(name)
                job["status"] = "cancelled"
        place = self.queue.index(name) + 1 if name in self.queue else 0
        told = {key: value for key, value in job.items() if key != "order"}
        return 200, {**told, "queue_position": place}

    def _work(self) -> None:
        while not self.dead.is_set():
            with self.changed:
                self.changed.wait_for(lambda: self.queue or self.dead.is_set(), 0.1)
                if not self.queue:
                    continue
                job = self.jobs[self.queue.pop(0)]
                job["status"] = "generating"
            self.begun.set()
            self.gate.wait(60)
            if "fail" in self.faults:
                error = {"code": "generation_failed", "message": "no results"}
                job.update(status="failed", result=None, error=error)
                continue
            order = {**job["order"], "denoising_strength": job["order"].get("strength", 1.0)}
            begun, hole = order.get("init_image"), order.get("mask_image")
            made = painted(order["seed"], order["prompt"], order, begun, hole)
            images = [{"index": 0, "b64_json": base64.b64encode(png_of(made)).decode()}]
            job["result"] = {"output_format": "png", "images": images}
            job["status"] = "completed"
