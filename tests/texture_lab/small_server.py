# SPDX-License-Identifier: GPL-3.0-or-later
"""A small HTTP server on a real port, for tests; servers of several kinds are made of it."""

from __future__ import annotations

import contextlib
import json
import socket
import struct
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

PAGE = b"<!doctype html><title>Router</title>"


class Request:
    """What a client asked."""

    def __init__(self, handler: BaseHTTPRequestHandler) -> None:
        parts = urlsplit(handler.path)
        self.method, self.path = handler.command, parts.path
        self.query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        self.headers = handler.headers
        self.body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        self.connection = handler.connection

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class SmallServer(ThreadingHTTPServer):
    """Answers by :meth:`answer`; ``faults`` are names of what shall go wrong."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.faults: set[str] = set()
        self.asked: list[str] = []
        self.open: set[socket.socket] = set()
        self.dead = threading.Event()
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went is none of its errors."""

    def answer(self, request: Request) -> tuple[int, Any]:
        """Status, and JSON data or bytes."""
        raise NotImplementedError

    def die(self) -> None:
        """End at once, as a killed process does: no connection is closed in a friendly way."""
        self.dead.set()
        self.shutdown()
        self.server_close()
        for connection in list(self.open):
            with contextlib.suppress(OSError):
                linger = struct.pack("ii", 1, 0)
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                connection.shutdown(socket.SHUT_RDWR)


class _Handler(BaseHTTPRequestHandler):
    server: SmallServer

    def setup(self) -> None:
        super().setup()
        self.server.open.add(self.connection)

    def finish(self) -> None:
        self.server.open.discard(self.connection)
        with contextlib.suppress(OSError):
            super().finish()

    def do_GET(self) -> None:
        request = Request(self)
        self.server.asked.append(f"{request.method} {request.path}")
        if "html" in self.server.faults:
            status, value = 200, PAGE
        elif "login" in self.server.faults:
            status, value = 401, {"detail": "Not authenticated"}
        else:
            status, value = self.server.answer(request)
        if status == 101:
            return  # A WebSocket, which has ended by now.
        data = value if isinstance(value, bytes) else json.dumps(value).encode()
        kind = "application/json" if not isinstance(value, bytes) else "application/octet-stream"
        with contextlib.suppress(OSError):
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

    do_POST = do_GET  # noqa: N815

    def log_message(self, *words: object) -> None:
        """Nobody reads it."""


@contextlib.contextmanager
def serving(server: SmallServer) -> Iterator[Any]:
    """The server, which ends with the block."""
    try:
        yield server
    finally:
        server.die()
