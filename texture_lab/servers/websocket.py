# SPDX-License-Identifier: GPL-3.0-or-later
"""A WebSocket that is listened to (RFC 6455), without ever waiting for it.

Neither Blender nor Python brings one. Nothing is sent but what the protocol demands.
"""

from __future__ import annotations

import base64
import hashlib
import os
import socket
import ssl
import struct
from urllib.parse import urlsplit

from ...jobs.errors import StagewrightError
from .http import Server

MAX_MESSAGE = 64 << 20
"""Bytes of the largest message that is taken."""

_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_CONTINUED, _TEXT, _BINARY, _CLOSE, _PING, _PONG = 0, 1, 2, 8, 9, 10
_PATIENCE = 10.0


class WebSocket:
    """A connection; made by :func:`connect`."""

    def __init__(self, server: Server, connection: socket.socket, begun: bytes = b"") -> None:
        """Listen to ``connection``, of which ``begun`` was already read."""
        connection.setblocking(False)
        self._server = server
        self._connection = connection
        self._read = bytearray(begun)
        self._kind = 0
        self._message = bytearray()

    def receive(self) -> str | bytes | None:
        """The next message, a text or bytes; None if none is there yet.

        Raises:
            StagewrightError: ``server-gone`` when the other side is; ``bad-websocket`` for
                what is against the protocol, or too large.
        """
        while True:
            while (frame := self._frame()) is not None:
                message = self._take(*frame)
                if message is not None:
                    return message
            try:
                piece = self._connection.recv(1 << 16)
            except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
                return None
            except OSError as error:
                raise self._server.gone(error) from None
            if not piece:
                raise self._server.gone(ConnectionError("connection closed"))
            self._read += piece

    def close(self) -> None:
        """End the connection."""
        self._connection.close()

    def _frame(self) -> tuple[int, bool, bytes] | None:
        """Kind, whether it is the last of its message, and payload of a whole frame."""
        read = self._read
        if len(read) < 2:
            return None
        size, start = read[1], 2
        if read[0] & 0x70 or size & 0x80:
            raise self._bad("frames that no server sends")
        if size == 126:
            start = 4
        elif size == 127:
            start = 10
        if len(read) < start:
            return None
        if start > 2:
            (size,) = struct.unpack_from(">H" if start == 4 else ">Q", read, 2)
        if size + len(self._message) > MAX_MESSAGE:
            raise self._bad(f"a message of more than {MAX_MESSAGE >> 20} MB")
        if len(read) < start + size:
            return None
        kind, last, payload = read[0] & 15, bool(read[0] & 0x80), bytes(read[start : start + size])
        del read[: start + size]
        return kind, last, payload

    def _take(self, kind: int, last: bool, payload: bytes) -> str | bytes | None:
        """The message that a frame completes, if it does."""
        if kind >= _CLOSE:
            if len(payload) > 125 or not last:
                raise self._bad("control frames that are too long")
            self._answer(kind, payload)
            return None
        if kind == _CONTINUED and self._kind:
            kind = self._kind
        elif kind not in (_TEXT, _BINARY) or self._kind:
            raise self._bad("frames out of their order")
        self._message += payload
        self._kind = 0 if last else kind
        if not last:
            return None
        message, self._message = bytes(self._message), bytearray()
        if kind == _BINARY:
            return message
        try:
            return message.decode()
        except UnicodeDecodeError:
            raise self._bad("text that is none") from None

    def _answer(self, kind: int, payload: bytes) -> None:
        if kind == _CLOSE:
            raise self._server.gone(ConnectionError("connection closed"))
        if kind == _PING:
            try:
                self._connection.send(masked(_PONG, payload))
            except OSError as error:
                raise self._server.gone(error) from None
        elif kind != _PONG:
            raise self._bad("frames of no kind")

    def _bad(self, why: str) -> StagewrightError:
        return StagewrightError(
            "bad-websocket",
            f"{self._server.kind} at {self._server.url} sends {why} over its WebSocket.",
            self._server.cure,
        )


def connect(server: Server, path: str) -> WebSocket:
    """Open a WebSocket.

    Raises:
        StagewrightError: ``server-unreachable``; ``not-the-server``: it refuses to.
    """
    key = base64.b64encode(os.urandom(16)).decode()
    host = f"[{server.host}]" if ":" in server.host else server.host
    lines = [
        f"GET {urlsplit(server.url).path}{path} HTTP/1.1",
        f"Host: {host}:{server.port}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Key: {key}",
        "Sec-WebSocket-Version: 13",
        *(f"{name}: {value}" for name, value in server.headers.items()),
    ]
    try:
        connection = socket.create_connection((server.host, server.port), _PATIENCE)
        if server.tls:
            context = ssl.create_default_context()
            connection = context.wrap_socket(connection, server_hostname=server.host)
    except OSError as error:
        raise server.unreachable(error) from None
    try:
        connection.sendall("\r\n".join([*lines, "", ""]).encode())
        answer = b""
        while b"\r\n\r\n" not in answer:
            piece = connection.recv(4096)
            if not piece or len(answer) > 1 << 16:
                break
            answer += piece
    except OSError as error:
        connection.close()
        raise server.gone(error) from None
    head, _, begun = answer.partition(b"\r\n\r\n")
    first, *rest = head.decode("latin-1").split("\r\n")
    said = {
        name.strip().lower(): value.strip() for name, _, value in (s.partition(":") for s in rest)
    }
    if first.split()[1:2] != ["101"] or said.get("sec-websocket-accept") != accepted(key):
        connection.close()
        raise StagewrightError(
            "not-the-server",
            f"{server.url} opens no WebSocket, as {server.kind} does.",
            f"{server.cure} A proxy in between must pass WebSockets on.",
        )
    return WebSocket(server, connection, begun)


def accepted(key: str) -> str:
    """What a server answers to a client's key (RFC 6455, 4.2.2)."""
    return base64.b64encode(hashlib.sha1((key + _GUID).encode()).digest()).decode()


def masked(kind: int, payload: bytes) -> bytes:
    """A control frame from the client's side (RFC 6455, 5.3); at most 125 bytes."""
    mask = os.urandom(4)
    hidden = bytes(byte ^ mask[place % 4] for place, byte in enumerate(payload))
    return bytes([0x80 | kind, 0x80 | len(payload)]) + mask + hidden
