# SPDX-License-Identifier: GPL-3.0-or-later
"""WebSockets: the standard's own examples, every cut of a stream, and what is no WebSocket."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator

import pytest
import websocket
from comfy_server import ComfyServer, frame
from small_server import serving

from stagewright.jobs.errors import StagewrightError
from stagewright.texture_lab.servers import websocket as ours
from stagewright.texture_lab.servers.http import server_at
from stagewright.texture_lab.servers.websocket import WebSocket, accepted, masked

SERVER = server_at("ComfyUI", "127.0.0.1:1")


@pytest.fixture
def ends() -> Iterator[tuple[WebSocket, socket.socket]]:
    here, there = socket.socketpair()
    with here, there:
        yield WebSocket(SERVER, here), there


def test_the_standard_s_examples_are_read(ends: tuple[WebSocket, socket.socket]) -> None:
    """RFC 6455, 1.3 and 5.7."""
    listener, other = ends
    assert accepted("dGhlIHNhbXBsZSBub25jZQ==") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
    other.sendall(bytes.fromhex("8105 48656c6c6f"))
    assert listener.receive() == "Hello"
    other.sendall(bytes.fromhex("0103 48656c 8002 6c6f"))
    assert listener.receive() == "Hello"
    other.sendall(bytes.fromhex("827e 0100") + bytes(256))
    assert listener.receive() == bytes(256)
    other.sendall(bytes.fromhex("827f 0000000000010000") + bytes(65536))
    while (message := listener.receive()) is None:
        pass
    assert message == bytes(65536)
    assert listener.receive() is None


def test_a_ping_is_answered_masked_also_within_a_message(
    ends: tuple[WebSocket, socket.socket],
) -> None:
    listener, other = ends
    other.sendall(bytes.fromhex("0103 48656c 8905 48656c6c6f 8002 6c6f"))
    assert listener.receive() == "Hello"
    pong = other.recv(100)
    assert pong[:2] == b"\x8a\x85"
    assert bytes(b ^ pong[2 + i % 4] for i, b in enumerate(pong[6:])) == b"Hello"
    assert masked(10, b"Hello")[:2] == pong[:2]


def test_every_cut_of_a_stream_gives_the_same_messages(
    ends: tuple[WebSocket, socket.socket],
) -> None:
    listener, other = ends
    stream = frame(1, b"one") + frame(2, bytes(200)) + bytes.fromhex("0101 61 8001 62")
    for cut in range(len(stream)):
        heard = []
        for piece in (stream[:cut], stream[cut:]):
            other.sendall(piece)
            while (message := listener.receive()) is not None:
                heard.append(message)
        assert heard == ["one", bytes(200), "ab"]


@pytest.mark.parametrize(
    "stream",
    [
        bytes.fromhex("c105 48656c6c6f"),  # a reserved bit
        bytes.fromhex("8185 00000000 48656c6c6f"),  # masked, as no server may
        bytes.fromhex("8005 48656c6c6f"),  # goes on with nothing
        bytes.fromhex("0101 61 8101 62"),  # begins while another is open
        bytes.fromhex("8302 6162"),  # of no kind
        bytes.fromhex("8b00"),
        bytes.fromhex("897e 0080") + bytes(128),  # a ping that is too long
        bytes.fromhex("0901 61"),  # a ping in pieces
        bytes.fromhex("8102 fffe"),  # text that is none
        bytes.fromhex("827f ffffffffffffffff"),  # larger than any memory
    ],
)
def test_garbage_is_refused(ends: tuple[WebSocket, socket.socket], stream: bytes) -> None:
    listener, other = ends
    other.sendall(stream)
    with pytest.raises(StagewrightError) as caught:
        listener.receive()
    assert caught.value.code == "bad-websocket"


def test_a_message_in_endless_pieces_is_refused(
    ends: tuple[WebSocket, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ours, "MAX_MESSAGE", 1000)
    listener, other = ends
    other.sendall(b"\x02\x64" + bytes(100) + (b"\x00\x64" + bytes(100)) * 10)
    with pytest.raises(StagewrightError) as caught:
        listener.receive()
    assert caught.value.code == "bad-websocket"


@pytest.mark.parametrize("farewell", [bytes.fromhex("8802 03e8"), b""])
def test_the_end_is_told(ends: tuple[WebSocket, socket.socket], farewell: bytes) -> None:
    listener, other = ends
    other.sendall(farewell)
    other.close()
    with pytest.raises(StagewrightError) as caught:
        listener.receive()
    assert caught.value.code == "server-gone"


def test_the_small_server_speaks_to_another_client_too() -> None:
    """The server of the tests is right by what a library makes of it."""
    with serving(ComfyServer()) as server:
        other = websocket.create_connection(server.url.replace("http", "ws") + "/ws?clientId=me")
        assert json.loads(other.recv())["type"] == "status"
        server.send("me", frame(2, b"\0\0\0\1\0\0\0\2PNG"))
        assert other.recv() == b"\0\0\0\1\0\0\0\2PNG"
        other.close()
