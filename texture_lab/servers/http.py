# SPDX-License-Identifier: GPL-3.0-or-later
"""A server that is asked by HTTP; whatever goes wrong with it names the server and a cure."""

from __future__ import annotations

import base64
import http.client
import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from ...jobs.errors import StagewrightError
from ...jobs.text_files import parse_json

MAX_ANSWER = 256 << 20
"""Bytes of the largest answer that is read."""

_PATIENCE = 30.0
"""Seconds without a byte after which a server counts as silent."""


@dataclass(frozen=True)
class Answer:
    """What a server said.

    Args:
        status: HTTP's number.
        data: the body, whole.
        server: who said it, for errors.
    """

    status: int
    data: bytes = field(repr=False)
    server: Server = field(repr=False)

    def json(self) -> Any:
        """The body as JSON.

        Raises:
            StagewrightError: ``not-the-server``: it is something else.
        """
        try:
            return parse_json(self.data)
        except ValueError:
            raise self.strange() from None

    def object(self) -> dict[str, Any]:
        """The body as a JSON object; raises as :meth:`json`."""
        value = self.json()
        if not isinstance(value, dict):
            raise self.strange()
        return value

    def strange(self) -> StagewrightError:
        """The error of an answer that the server's kind does not give."""
        page = self.data.lstrip()[:1] == b"<"
        said = "with a web page" if page else f"with status {self.status} and unexpected content"
        return StagewrightError(
            "not-the-server",
            f"{self.server.url} answers {said}, not as {self.server.kind} does.",
            self.server.cure,
        )


@dataclass(frozen=True)
class Server:
    """A server's address.

    Args:
        kind: what runs there, for people ("ComfyUI").
        url: ``http://host:port/path`` without a slash at its end; see :func:`server_at`.
        key: proves who asks: ``user:password``, or a token; "" for none.
        cure: what to do when something else answers there.
    """

    kind: str
    url: str
    key: str = field(default="", repr=False)
    cure: str = "Check the address and the port."

    @property
    def host(self) -> str:
        """The host's name, without brackets."""
        return urlsplit(self.url).hostname or ""

    @property
    def port(self) -> int:
        """The port's number."""
        parts = urlsplit(self.url)
        return parts.port or (443 if parts.scheme == "https" else 80)

    @property
    def tls(self) -> bool:
        """Whether it is spoken to in secret."""
        return self.url.startswith("https:")

    @property
    def headers(self) -> dict[str, str]:
        """What proves who asks."""
        if not self.key:
            return {}
        if ":" in self.key:
            word = base64.b64encode(self.key.encode()).decode()
            return {"Authorization": f"Basic {word}"}
        return {"Authorization": f"Bearer {self.key}"}

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        form: tuple[str, bytes] | None = None,
        patience: float | None = _PATIENCE,
    ) -> Answer:
        """Ask, and wait for the whole answer.

        Args:
            method: ``GET`` or ``POST``.
            path: after the address, with its slash.
            body: JSON data; None for none.
            form: type and bytes of a body that is not JSON.
            patience: seconds without a byte; None waits for ever.

        Raises:
            StagewrightError: ``server-unreachable``, ``server-silent``, ``server-gone``,
                ``server-login``, ``not-the-server``, ``answer-too-large``.
        """
        headers = {"Accept": "application/json", **self.headers}
        data = None
        if form is not None:
            headers["Content-Type"], data = form
        elif body is not None:
            headers["Content-Type"], data = "application/json", json.dumps(body).encode()
        connection = self._connection(patience)
        try:
            connection.connect()
        except (OSError, ValueError) as error:
            raise self.unreachable(error) from None
        try:
            connection.request(method, urlsplit(self.url).path + path, data, headers)
            response = connection.getresponse()
            content = response.read(MAX_ANSWER + 1)
        except TimeoutError:
            raise StagewrightError(
                "server-silent",
                f"{self.kind} at {self.url} has not answered for {patience:g} seconds.",
                "See its log, and start it again if it hangs.",
            ) from None
        except (OSError, http.client.IncompleteRead, http.client.RemoteDisconnected) as error:
            raise self.gone(error) from None
        except (http.client.HTTPException, ValueError):
            raise Answer(0, b"", self).strange() from None
        finally:
            connection.close()
        if len(content) > MAX_ANSWER:
            raise StagewrightError(
                "answer-too-large",
                f"{self.kind} at {self.url} sends more than {MAX_ANSWER >> 20} MB.",
                "Let it make a smaller image.",
            )
        if response.status in (401, 403):
            raise StagewrightError(
                "server-login",
                f"{self.kind} at {self.url} does not let you in.",
                "Give its key, or user:password, and check both.",
            )
        return Answer(response.status, content, self)

    def get(self, path: str, *, patience: float = _PATIENCE) -> Any:
        """The JSON that a path holds; raises as :meth:`ask` and :meth:`Answer.json`."""
        answer = self.ask("GET", path, patience=patience)
        if answer.status != 200:
            raise answer.strange()
        return answer.json()

    def unreachable(self, error: Exception) -> StagewrightError:
        """The error of a server that takes no connection."""
        return StagewrightError(
            "server-unreachable",
            f"{self.kind} cannot be reached at {self.url} ({_words(error)}).",
            "Start it, or correct its address.",
        )

    def gone(self, error: Exception) -> StagewrightError:
        """The error of a server that hung up."""
        return StagewrightError(
            "server-gone",
            f"{self.kind} at {self.url} hung up in the middle of the work ({_words(error)}).",
            "See its log, start it again, and repeat the work.",
        )

    def _connection(self, patience: float | None) -> http.client.HTTPConnection:
        if self.tls:
            context = ssl.create_default_context()
            return http.client.HTTPSConnection(
                self.host, self.port, timeout=patience, context=context
            )
        return http.client.HTTPConnection(self.host, self.port, timeout=patience)


def server_at(kind: str, address: str, key: str = "", cure: str = "") -> Server:
    """The server of an address as people write it.

    ``host:port``, ``http://host:port/`` and ``https://host/path`` are all fine; a server that
    calls itself ``0.0.0.0`` is asked on this machine.

    Raises:
        StagewrightError: ``bad-url``.
    """
    text = address.strip()
    try:
        parts = urlsplit(text if "://" in text else f"http://{text}")
        host, port = parts.hostname or "", parts.port
        fine = parts.scheme in ("http", "https") and bool(host) and not set(host) & set(" \\%?")
        host.encode("idna")
    except (ValueError, UnicodeError):
        fine, host, port = False, "", None
    if not fine or not key.isprintable() or not key.isascii():
        raise StagewrightError(
            "bad-url",
            f"“{text}” is not the address of {kind}, or its key holds strange letters.",
            "Write it as http://127.0.0.1:8188.",
        )
    if parts.username is not None or parts.password is not None:
        raise StagewrightError(
            "bad-url",
            f"The address of {kind} holds a password, which files and logs would keep.",
            "Leave it out of the address, and give it as the key.",
        )
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    named = f"[{host}]" if ":" in host else host
    url = f"{parts.scheme}://{named}{f':{port}' if port else ''}{parts.path.rstrip('/')}"
    return Server(kind, url, key, cure or Server.cure)


def multipart(name: str, file: str, data: bytes, **fields: str) -> tuple[str, bytes]:
    """Type and bytes of a form with a PNG (RFC 7578).

    Args:
        name: the file's field.
        file: its name, ASCII.
        data: what it holds.
        fields: the other fields.
    """
    boundary = f"stagewright-{uuid4().hex}"
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'.encode()
        for key, value in fields.items()
    ]
    head = f'Content-Disposition: form-data; name="{name}"; filename="{file}"'
    parts.append(f"--{boundary}\r\n{head}\r\nContent-Type: image/png\r\n\r\n".encode())
    parts += [data, f"\r\n--{boundary}--\r\n".encode()]
    return f"multipart/form-data; boundary={boundary}", b"".join(parts)


def said(value: Mapping[str, Any]) -> str:
    """What an answer in JSON says is wrong, as A1111, FastAPI, OpenAI and others put it."""
    for key in ("message", "detail", "error", "errors"):
        inner = value.get(key)
        if isinstance(inner, dict):
            return said(inner)
        if isinstance(inner, list):
            return "; ".join(said(i) if isinstance(i, dict) else str(i) for i in inner)[:300]
        if inner:
            return str(inner)[:300]
    return str(value.get("msg", ""))[:300]


def _words(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) or type(error).__name__
