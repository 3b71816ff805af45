# SPDX-License-Identifier: GPL-3.0-or-later
"""A small ComfyUI: its HTTP and WebSocket protocol, its checks and its order of messages.

Written after what a real v0.3.64 said. Its nodes do what their names say, but for the model, which
makes noise of the seed and the words. ``python comfy_server.py`` runs it as a process.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import re
import socket
import struct
import sys
import threading
import uuid
import zlib
from typing import Any

import numpy as np
from small_server import PAGE, Request, SmallServer

NAMES = ["brick_v1.safetensors", "sdxl/stone xl.safetensors"]


def _kind(required: dict[str, Any], output: bool = False) -> dict[str, Any]:
    return {"input": {"required": required}, "output_node": output}


INT, FLOAT, STRING = ["INT", {"min": 0, "max": 2**64 - 1}], ["FLOAT", {}], ["STRING", {}]
INFO = {
    "CheckpointLoaderSimple": _kind({"ckpt_name": [NAMES, {}]}),
    "LoraLoader": _kind(
        {
            "model": ["MODEL"], "clip": ["CLIP"],
            "lora_name": ["COMBO", {"options": ["mossy.safetensors"]}],  # as newer servers say it
            "strength_model": FLOAT, "strength_clip": FLOAT,
        }
    ),
    "CLIPTextEncode": _kind({"text": STRING, "clip": ["CLIP"]}),
    "EmptyLatentImage": _kind({"width": INT, "height": INT, "batch_size": INT}),
    "VAEEncode": _kind({"pixels": ["IMAGE"], "vae": ["VAE"]}),
    "SetLatentNoiseMask": _kind({"samples": ["LATENT"], "mask": ["MASK"]}),
    "KSampler": _kind(
        {
            "model": ["MODEL"], "seed": INT, "steps": ["INT", {"min": 1, "max": 10000}],
            "cfg": FLOAT, "sampler_name": [["euler", "heun"], {}],
            "scheduler": [["normal", "simple"], {}], "positive": ["CONDITIONING"],
            "negative": ["CONDITIONING"], "latent_image": ["LATENT"], "denoise": FLOAT,
        }
    ),
    "VAEDecode": _kind({"samples": ["LATENT"], "vae": ["VAE"]}),
    "LoadImage": _kind({"image": STRING}),
    "LoadImageMask": _kind({"image": STRING, "channel": [["alpha", "red"], {}]}),
    "ImageInvert": _kind({"image": ["IMAGE"]}),
    "SaveImage": _kind({"images": ["IMAGE"], "filename_prefix": STRING}, output=True),
}  # fmt: skip
SEAMLESS = {
    "SeamlessTile": _kind({"model": ["MODEL"], "tiling": [["enable"]], "copy_model": STRING}),
    "MakeCircularVAE": _kind({"vae": ["VAE"], "tiling": [["enable"]], "copy_vae": STRING}),
}


class Interrupted(Exception):  # noqa: N818
    """As ComfyUI's InterruptProcessingException."""


class ComfyServer(SmallServer):
    """Knows the faults ``html``, ``login``, ``corrupt``, ``bomb``, ``garbage``, ``drop``, ``oom``,
    ``quiet`` (no messages), ``older`` (no names of clients, interrupts whatever runs), ``forget``.

    Attributes:
        info: what nodes there are.
        gate: what the sampler waits for before each of its steps after the first.
        begun: set when the sampler waits.
        interrupts: names of the works that were interrupted.
    """

    def __init__(self, port: int = 0) -> None:
        self.info: dict[str, Any] = dict(INFO)
        self.files: dict[str, np.ndarray] = {}
        self.pending: list[list[Any]] = []
        self.running: list[list[Any]] = []
        self.history: dict[str, Any] = {}
        self.sockets: dict[str, socket.socket] = {}
        self.gate, self.begun = threading.Event(), threading.Event()
        self.gate.set()
        self.stop = threading.Event()
        self.interrupts: list[str] = []
        self.changed = threading.Condition()
        super().__init__(port)
        threading.Thread(target=self._work, daemon=True).start()

    def answer(self, request: Request) -> tuple[int, Any]:
        first, _, rest = request.path.lstrip("/").partition("/")
        handler = getattr(self, f"{request.method.lower()}_{first}", None)
        return handler(request, rest) if handler else (404, PAGE)

    def get_object_info(self, request: Request, rest: str) -> tuple[int, Any]:
        return 200, self.info

    def get_system_stats(self, request: Request, rest: str) -> tuple[int, Any]:
        return 200, {"system": {"comfyui_version": "0.3.64"}, "devices": []}

    def post_upload(self, request: Request, rest: str) -> tuple[int, Any]:
        boundary = re.search("boundary=(.+)", request.headers["Content-Type"]).group(1)
        for part in request.body.split(b"--" + boundary.encode())[1:-1]:
            head, _, data = part.partition(b"\r\n\r\n")
            name = re.search(rb'filename="(.+?)"', head)
            if name:
                self.files[name.group(1).decode()] = png_pixels(data[:-2])
                return 200, {"name": name.group(1).decode(), "subfolder": "", "type": "input"}
        return 400, b""

    def post_prompt(self, request: Request, rest: str) -> tuple[int, Any]:
        order = request.json
        refusal = validate(order["prompt"], self.info)
        if refusal is not None:
            return 400, refusal
        own = order.get("prompt_id") if "older" not in self.faults else None
        name = own or str(uuid.uuid4())
        with self.changed:
            self.pending.append([len(self.history), name, order["prompt"], order["client_id"], []])
            self.changed.notify_all()
        return 200, {"prompt_id": name, "number": 0, "node_errors": {}}

    def get_queue(self, request: Request, rest: str) -> tuple[int, Any]:
        return 200, {"queue_running": self.running, "queue_pending": self.pending}

    def post_queue(self, request: Request, rest: str) -> tuple[int, Any]:
        names = request.json.get("delete", [])
        with self.changed:
            self.pending = [item for item in self.pending if item[1] not in names]
        return 200, b""

    def post_interrupt(self, request: Request, rest: str) -> tuple[int, Any]:
        wanted = (json.loads(request.body) if request.body else {}).get("prompt_id")
        for item in self.running:
            if "older" in self.faults or wanted in (None, item[1]):
                self.interrupts.append(item[1])
                self.stop.set()
                self.gate.set()
        return 200, b""

    def get_history(self, request: Request, rest: str) -> tuple[int, Any]:
        return 200, {rest: self.history[rest]} if rest in self.history else {}

    def get_view(self, request: Request, rest: str) -> tuple[int, Any]:
        pixels = self.files.get(request.query["filename"])
        if pixels is None:
            return 404, b""
        data = png_of(pixels)
        if "corrupt" in self.faults:
            data = data[: len(data) // 2]
        if "bomb" in self.faults:
            data = data[:16] + struct.pack(">II", 60000, 60000) + data[24:]
            data = data[:29] + struct.pack(">I", zlib.crc32(data[12:29])) + data[33:]
        return 200, data

    def get_ws(self, request: Request, rest: str) -> tuple[int, Any]:
        """The WebSocket of a client, until it goes (RFC 6455)."""
        if "no socket" in self.faults:
            return 404, PAGE
        key = request.headers["Sec-WebSocket-Key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        accept = base64.b64encode(hashlib.sha1(key.encode()).digest()).decode()
        link = request.connection
        head = ("HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade")
        link.sendall("\r\n".join((*head, f"Sec-WebSocket-Accept: {accept}", "", "")).encode())
        client = request.query["clientId"]
        self.sockets[client] = link
        self.tell(
            client, "status", {"status": {"exec_info": {"queue_remaining": 0}}, "sid": client}
        )
        link.sendall(frame(9, b"are you there?"))
        with contextlib.suppress(OSError):
            while link.recv(4096):
                pass
        self.sockets.pop(client, None)
        return 101, b""

    def tell(self, client: str, kind: str, data: dict[str, Any]) -> None:
        if "quiet" not in self.faults:
            self.send(client, frame(1, json.dumps({"type": kind, "data": data}).encode()))

    def send(self, client: str, data: bytes) -> None:
        link = self.sockets.get(client)
        if link is not None:
            with contextlib.suppress(OSError):
                link.sendall(data)

    def _work(self) -> None:
        while not self.dead.is_set():
            with self.changed:
                self.changed.wait_for(lambda: self.pending or self.dead.is_set(), 0.1)
                if not self.pending:
                    continue
                item = self.pending.pop(0)
                self.running = [item]
            self.stop.clear()
            entry = self._run(item[1], item[2], item[3])
            with self.changed:
                if "forget" not in self.faults:
                    self.history[item[1]] = entry
                self.running = []
            self.tell(item[3], "executing", {"node": None, "prompt_id": item[1]})

    def _run(self, name: str, workflow: dict[str, Any], client: str) -> dict[str, Any]:
        ours = {"prompt_id": name}
        messages: list[Any] = [["execution_start", ours]]
        self.tell(client, "execution_start", ours)
        self.tell(client, "a message of tomorrow", {"prompt_id": name})
        values: dict[str, Any] = {}
        outputs: dict[str, Any] = {}
        node = ""
        try:
            for node in in_order(workflow):
                self.tell(client, "executing", {"node": node, "display_node": node, **ours})
                values[node] = self._do(node, workflow[node], values, name, client)
                if self.info[workflow[node]["class_type"]]["output_node"]:
                    outputs[node] = {"images": values[node]}
                    self.tell(client, "executed", {"node": node, "output": outputs[node], **ours})
            end, status = ("execution_success", ours), "success"
        except Interrupted:
            # As the real one: its history says "error" then, too.
            end, status = ("execution_interrupted", {**ours, "node_id": node}), "error"
        except MemoryError as error:
            told = {
                "node_id": node, "exception_message": str(error),
                "exception_type": "torch.OutOfMemoryError", "traceback": [],
            }  # fmt: skip
            end, status = ("execution_error", {**ours, **told}), "error"
        self.tell(client, *end)
        messages.append(list(end))
        told = {"status_str": status, "completed": status == "success", "messages": messages}
        return {"prompt": [], "outputs": outputs, "status": told}

    def _do(self, node: str, what: dict[str, Any], values: Any, name: str, client: str) -> Any:
        kind = what["class_type"]
        given = {k: values[v[0]] if isinstance(v, list) else v for k, v in what["inputs"].items()}
        if kind == "LoadImage":
            return self.files[given["image"]]
        if kind == "LoadImageMask":
            return self.files[given["image"]][:, :, :1]
        if kind == "ImageInvert":
            return 255 - given["image"]
        if kind == "CLIPTextEncode":
            return given["text"]
        if kind == "EmptyLatentImage":
            return np.zeros((given["height"], given["width"], 3), np.uint8)
        if kind == "VAEEncode":
            return given["pixels"]
        if kind == "SetLatentNoiseMask":
            return np.concatenate([given["samples"], given["mask"]], 2)
        if kind == "KSampler":
            return self._sample(node, given, name, client)
        if kind == "VAEDecode":
            return given["samples"][:, :, :3]
        if kind == "SaveImage":
            file = f"{given['filename_prefix']}_{len(self.files):05}_.png"
            self.files[file] = given["images"]
            return [{"filename": file, "subfolder": "", "type": "output"}]
        return what["inputs"]  # a loader: its settings are part of the seed

    def _sample(self, node: str, given: dict[str, Any], name: str, client: str) -> np.ndarray:
        begun = given["latent_image"]
        for step in range(1, given["steps"] + 1):
            state = {"value": step, "max": given["steps"], "prompt_id": name}
            self.tell(client, "progress", {**state, "node": node})
            nodes = {node: {**state, "state": "running", "node_id": node}}
            self.tell(client, "progress_state", {"prompt_id": name, "nodes": nodes})
            self.send(client, frame(2, struct.pack(">II", 1, 2) + png_of(begun[::4, ::4, :3])))
            if step > 1:
                self._fault_at_a_step(client)
                self.begun.set()
                self.gate.wait(60)
            if self.stop.is_set():
                raise Interrupted
        if "oom" in self.faults:
            raise MemoryError("Allocation on device 0 would exceed allowed memory.")
        made = noise(given["seed"], str(given["positive"]) + str(given["model"]), begun.shape[:2])
        if begun.shape[2] == 3 and not begun.any():
            return made
        hole = begun[:, :, 3:] > 127 if begun.shape[2] == 4 else np.ones((1, 1, 1), bool)
        mixed = begun[:, :, :3] + given["denoise"] * (made.astype(float) - begun[:, :, :3])
        return np.where(hole, mixed, begun[:, :, :3]).round().astype(np.uint8)

    def _fault_at_a_step(self, client: str) -> None:
        if "garbage" in self.faults:
            self.send(client, b"\xff\xff\x00garbage that is no frame")
        if "drop" in self.faults and client in self.sockets:
            self.sockets[client].shutdown(socket.SHUT_RDWR)


def noise(seed: int, words: str, shape: tuple[int, int]) -> np.ndarray:
    """What the model makes: uint8 (rows, columns, 3), never all black."""
    generator = np.random.default_rng([seed, zlib.crc32(words.encode())])
    coarse = generator.integers(1, 255, (-(-shape[0] // 8), -(-shape[1] // 8), 3))
    return coarse.repeat(8, 0).repeat(8, 1)[: shape[0], : shape[1]].astype(np.uint8)


def validate(workflow: dict[str, Any], info: dict[str, Any]) -> dict[str, Any] | None:
    """What ComfyUI says to a workflow that it does not take; None if it takes it."""
    for name, node in workflow.items():
        kind = node.get("class_type")
        if kind not in info:
            message = f"Cannot execute because node {kind} does not exist."
            error = {"type": "invalid_prompt", "message": message, "details": f"Node ID '#{name}'"}
            return {"error": {**error, "extra_info": {}}, "node_errors": {}}
    if not any(info[node["class_type"]]["output_node"] for node in workflow.values()):
        error = {"type": "prompt_no_outputs", "message": "Prompt has no outputs", "details": ""}
        return {"error": {**error, "extra_info": {}}, "node_errors": {}}
    errors = {}
    for name, node in workflow.items():
        found = [e for e in _node_errors(node, info[node["class_type"]]["input"]["required"])]
        if found:
            errors[name] = {"errors": found, "class_type": node["class_type"]}
    if not errors:
        return None
    error = {"type": "prompt_outputs_failed_validation", "message": "Prompt outputs failed"}
    return {"error": {**error, "details": "", "extra_info": {}}, "node_errors": errors}


def _node_errors(node: dict[str, Any], required: dict[str, Any]) -> Any:
    for name, described in required.items():
        kind, limits = described[0], described[1] if len(described) > 1 else {}
        extra = {"input_name": name, "input_config": described}
        if name not in node["inputs"]:
            yield {
                "type": "required_input_missing", "message": "Required input is missing",
                "details": name, "extra_info": extra,
            }  # fmt: skip
            continue
        value = node["inputs"][name]
        if isinstance(value, list):
            continue
        extra["received_value"] = value
        if isinstance(kind, list) and value not in kind:
            yield {
                "type": "value_not_in_list", "message": "Value not in list",
                "details": f"{name}: '{value}' not in {kind}", "extra_info": extra,
            }  # fmt: skip
        if kind == "INT" and value > limits.get("max", 2**64):
            yield {
                "type": "value_bigger_than_max", "message": "Value bigger than max",
                "details": name, "extra_info": extra,
            }  # fmt: skip


def in_order(workflow: dict[str, Any]) -> list[str]:
    """Nodes after those that feed them."""
    done: list[str] = []

    def visit(name: str) -> None:
        for value in workflow[name]["inputs"].values():
            if isinstance(value, list) and value[0] not in done:
                visit(value[0])
        if name not in done:
            done.append(name)

    for name in workflow:
        visit(name)
    return done


def frame(kind: int, payload: bytes) -> bytes:
    """A WebSocket frame from the server's side."""
    size = len(payload)
    if size < 126:
        return bytes([0x80 | kind, size]) + payload
    if size < 1 << 16:
        return bytes([0x80 | kind, 126]) + struct.pack(">H", size) + payload
    return bytes([0x80 | kind, 127]) + struct.pack(">Q", size) + payload


def png_of(pixels: np.ndarray) -> bytes:
    """A PNG of uint8 (rows, columns, 3), without a filter."""
    rows, columns = pixels.shape[:2]
    lines = np.zeros((rows, 1 + 3 * columns), np.uint8)
    lines[:, 1:] = pixels.reshape(rows, -1)
    out = b"\x89PNG\r\n\x1a\n"
    header = struct.pack(">IIBBBBB", columns, rows, 8, 2, 0, 0, 0)
    for kind, data in (
        (b"IHDR", header),
        (b"IDAT", zlib.compress(lines.tobytes())),
        (b"IEND", b""),
    ):
        out += (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )
    return out


def png_pixels(data: bytes) -> np.ndarray:
    """The pixels of a PNG whose rows are all filtered by Up, as Stagewright writes them."""
    columns, rows, _, colour = struct.unpack(">IIBB", data[16:26])
    channels = {0: 1, 2: 3}[colour]
    at, packed = 8, b""
    while at < len(data):
        (size,) = struct.unpack(">I", data[at : at + 4])
        packed += data[at + 8 : at + 8 + size] if data[at + 4 : at + 8] == b"IDAT" else b""
        at += size + 12
    lines = np.frombuffer(zlib.decompress(packed), np.uint8).reshape(rows, -1)
    assert (lines[:, 0] == 2).all()
    summed = np.cumsum(lines[:, 1:], axis=0, dtype=np.uint8)
    return np.broadcast_to(summed.reshape(rows, columns, channels), (rows, columns, 3))


if __name__ == "__main__":
    server = ComfyServer(int(sys.argv[1]) if len(sys.argv) > 1 else 0)
    server.faults = set(sys.argv[2:])
    if "hold" in server.faults:
        server.gate.clear()
    print(f"To see the GUI go to: {server.url}", file=sys.stderr, flush=True)
    sys.stdin.read()
