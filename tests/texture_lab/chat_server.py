# SPDX-License-Identifier: GPL-3.0-or-later
"""A small chat server of OpenAI's protocol, as FastChat, llama.cpp and Ollama speak it."""

from __future__ import annotations

import base64
import threading
from typing import Any

from comfy_server import png_pixels
from small_server import Request, SmallServer


class ChatServer(SmallServer):
    """Says ``answers``, one after the other. Knows the faults ``html``, ``login``, ``blind``,
    ``odd``.

    Attributes:
        heard: the messages of each question.
        seen: shapes of the pictures that came.
        gate: what it waits for before it answers.
        begun: set when it waits.
    """

    def __init__(self, *answers: str) -> None:
        self.answers = list(answers)
        self.heard: list[list[dict[str, Any]]] = []
        self.seen: list[tuple[int, ...]] = []
        self.models = ["qwen2.5:7b", "llava"]
        self.gate, self.begun = threading.Event(), threading.Event()
        self.gate.set()
        super().__init__()

    def answer(self, request: Request) -> tuple[int, Any]:
        if request.path == "/v1/models":
            return 200, {
                "object": "list",
                "data": [{"id": n, "object": "model"} for n in self.models],
            }
        if request.path != "/v1/chat/completions":
            return 404, {"error": {"message": "not found", "type": "invalid_request_error"}}
        order = request.json
        assert order["model"] in self.models and order["stream"] is False
        self.heard.append(order["messages"])
        for message in order["messages"]:
            if isinstance(message["content"], list):
                if "blind" in self.faults:
                    return 400, {"error": {"message": "this model has no vision", "code": 400}}
                url = message["content"][1]["image_url"]["url"]
                data = url.removeprefix("data:image/png;base64,")
                self.seen.append(png_pixels(base64.b64decode(data)).shape)
        self.begun.set()
        self.gate.wait(60)
        if "odd" in self.faults:
            return 200, {"choices": []}
        message = {"role": "assistant", "content": self.answers.pop(0)}
        return 200, {"object": "chat.completion", "choices": [{"index": 0, "message": message}]}
