# SPDX-License-Identifier: GPL-3.0-or-later
"""The demo server over HTTP: access log, faults, start and stop."""

from __future__ import annotations

import json
import socket
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Lock, Thread
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, unquote, urlsplit

from ...jobs.errors import StagewrightError
from . import project_routes, server_routes  # noqa: F401 - importing them registers their addresses
from .faults import Fault, Faults, die
from .routing import Answer, Request, dispatch
from .store import SERVER, RefusalError, Store
from .users import ROLES, add_user, authenticate

_LARGEST = 1 << 30
"""Bytes of the largest body that is read."""


@dataclass(frozen=True)
class Access:
    """A line of the access log; ``status`` is 0 for a request that got no answer."""

    method: str
    path: str
    status: int


class DemoServer:
    """An AYON server of our own on this machine. A context manager: it serves inside.

    Args:
        port: TCP port on 127.0.0.1; 0 for a free one.
        database: file that keeps the server's data; in memory without one.
        faults: what goes wrong.
        on_access: called with every line of the access log.

    Raises:
        StagewrightError: ``port-taken``.
    """

    def __init__(
        self,
        port: int = 0,
        database: Path | None = None,
        faults: Faults | None = None,
        on_access: Callable[[Access], None] | None = None,
    ) -> None:
        self.faults = faults or Faults()
        self.stopping = Event()
        self._on_access = on_access
        self._log: list[Access] = []
        self._log_lock = Lock()
        self.store = Store(database)
        try:
            self._http = _Server(("127.0.0.1", port), _Handler)
        except OSError as error:
            self.store.close()
            raise StagewrightError(
                "port-taken",
                f"The port {port} cannot be listened on.",
                "Choose another one, or 0 for any that is free.",
            ) from error
        self._http.demo = self
        self._thread = Thread(target=self._http.serve_forever, args=(0.05,), daemon=True)

    @property
    def url(self) -> str:
        """The server's address."""
        return f"http://127.0.0.1:{self._http.server_port}"

    @property
    def log(self) -> list[Access]:
        """The access log up to now."""
        with self._log_lock:
            return list(self._log)

    def clear_log(self) -> None:
        """Begin a new access log."""
        with self._log_lock:
            self._log.clear()

    def add_user(self, name: str, role: str) -> str:
        """Make a user with a role of :data:`.users.ROLES`; returns an API key."""
        with self.store.transaction():
            return add_user(self.store, name, role)

    def add_users(self) -> dict[str, str]:
        """Make a user of every role, named like it; returns their API keys.

        Users that a kept database has already are left out: their keys are known
        to nobody but their owners.
        """
        missing = [role for role in ROLES if self.store.get(SERVER, "user", role) is None]
        return {role: self.add_user(role, role) for role in missing}

    def record(self, access: Access) -> None:
        """Add a line to the access log."""
        with self._log_lock:
            self._log.append(access)
        if self._on_access:
            self._on_access(access)

    def __enter__(self) -> Self:
        """Begin to serve."""
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop serving, hanging requests included."""
        self.stopping.set()
        self._http.shutdown()
        self._http.end_connections()
        self._http.server_close()
        self.store.close()


class _Server(ThreadingHTTPServer):
    """A server that ends its connections when it stops, idle ones included."""

    # Handlers wait for the next request of a kept connection: they are joined after
    # their connections are ended, so that none works on a closed store.
    daemon_threads = False
    request_queue_size = 64
    demo: DemoServer

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__(address, handler)
        self._open: set[socket.socket] = set()
        self._open_lock = Lock()

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._open_lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._open_lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def end_connections(self) -> None:
        with self._open_lock:
            for each in self._open:
                try:  # What is being answered is sent to its end.
                    each.shutdown(socket.SHUT_RD)
                except OSError:  # ended by the client meanwhile
                    continue

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a client that went away; anything else is told."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    """One connection of a client."""

    server: _Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, format: str, *args: Any) -> None:
        """The access log is the server's own."""

    def _handle(self) -> None:
        demo = self.server.demo
        path = unquote(urlsplit(self.path).path)
        body = self._read_body()
        fault = demo.faults.take(self.command, path)
        answer = self._play(fault) if fault else None
        if self.close_connection and answer is None:
            demo.record(Access(self.command, path, 0))
            return
        if answer is None:
            answer = self._answer(path, body, fault)
        if fault and fault.action == "die" and fault.value == "after":
            die()
        if fault and fault.action == "lost":
            self.close_connection = True
            demo.record(Access(self.command, path, 0))
            return
        demo.record(Access(self.command, path, answer.status))
        self._send(answer)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = _handle  # noqa: N815

    def _play(self, fault: Fault) -> Answer | None:
        """A fault's answer; None for the usual one, or for none when the connection closes."""
        if fault.action == "status":
            status = int(fault.value)
            return Answer(status, {"code": status, "detail": f"Planned fault {status}"})
        if fault.action == "html":
            return Answer(content=b"<html>Sign in</html>", content_type="text/html")
        if fault.action == "redirect":
            return Answer(307, headers={"Location": fault.value})
        if fault.action == "slow":
            time.sleep(float(fault.value))
        elif fault.action == "hang":
            self.server.demo.stopping.wait()
            self.close_connection = True
        elif fault.action == "drop":
            self.close_connection = True
        elif fault.action == "die" and fault.value == "before":
            die()
        return None

    def _answer(self, path: str, body: bytes, fault: Fault | None) -> Answer:
        store = self.server.demo.store
        headers = {key.lower(): value for key, value in self.headers.items()}
        in_batch = die if fault and (fault.action, fault.value) == ("die", "batch") else _go_on
        try:
            query = dict(parse_qsl(urlsplit(self.path).query))
            with store.transaction():
                user = authenticate(store, headers)
                request = Request(store, user, query, headers, body, in_batch)
                return dispatch(self.command, path, request)
        except RefusalError as error:
            return Answer(error.status, error.body())

    def _read_body(self) -> bytes:
        """The request's body, whole or in chunks (RFC 9112, section 7.1)."""
        if "chunked" not in self.headers.get("Transfer-Encoding", ""):
            return self.rfile.read(min(int(self.headers.get("Content-Length", 0)), _LARGEST))
        chunks = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            chunks.append(self.rfile.read(size))
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass  # trailers
        return b"".join(chunks)

    def _send(self, answer: Answer) -> None:
        content = answer.content
        if content is None:
            content = b"" if answer.status == 204 else json.dumps(answer.data).encode()
        self.send_response(answer.status)
        headers: Mapping[str, str] = {"Content-Type": answer.content_type, **answer.headers}
        for name, value in headers.items():
            self.send_header(name, value)
        if answer.status != 204:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)


def _go_on() -> None:
    """Nothing happens between two operations."""
