# SPDX-License-Identifier: GPL-3.0-or-later
"""The connection to an AYON server, and one error with its cure for each way it fails.

ayon-python-api tells several causes alike (``get_project`` is None for a bad
key, too), and asks four requests before the first one of its user. Here a key
is trusted until the server refuses it, redirects are not followed, because
they would carry the key elsewhere, and every failure has a code of its own.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import requests
from ayon_api import exceptions
from ayon_api.server_api import ServerAPI

from ..jobs.errors import StagewrightError
from .credentials import API_KEY, Credentials

_PROBE_SECONDS = 5.0
_CAUSES: Mapping[int, tuple[str, str, str]] = {
    400: ("refused", "refuses {what}: {detail}", "Correct the name or value it complains about."),
    401: (
        "bad-key",
        "does not accept the API key",
        f"Make a new API key on your AYON profile page and set {API_KEY}, "
        "or run: stagewright ayon login",
    ),
    403: (
        "no-right",
        "does not let this user do this: {what}",
        "Ask for the right on the server, or have it done by somebody who has it.",
    ),
    404: ("not-found", "has not what was asked for: {what}", "Check the names, or make it first."),
    405: (
        "old-server",
        "does not know this request: {what}",
        "Have the AYON server updated to 1.16 or newer.",
    ),
    409: ("name-taken", "has this already: {detail}", "Choose another name, or try again."),
    413: (
        "too-large",
        "refuses so large an upload: {what}",
        "Make the file smaller, or have the server's upload limit raised.",
    ),
    415: ("refused", "refuses this kind of file: {what}", "Use a PNG or JPEG picture."),
    429: ("server-busy", "has too many requests", "Try again in a moment."),
}
_SERVER_ERROR = (
    "server-error",
    "failed ({status}): {what}",
    "Try again in a moment; if it lasts, tell whoever runs the server.",
)
TRANSIENT = frozenset({"server-down", "server-timeout", "server-error", "server-busy"})
"""Codes of errors after which the same may succeed."""


class Connection(ServerAPI):  # type: ignore[misc]
    """ayon-python-api's client, without its requests before the first one."""

    def __init__(self, credentials: Credentials) -> None:
        """Sends nothing."""
        self._key = credentials.key
        super().__init__(
            credentials.url, credentials.key, site_id=credentials.site or None, create_session=False
        )
        self.create_session()
        self._session.max_redirects = 0

    def validate_token(self) -> bool:
        """The key is trusted until the server refuses it."""
        return True

    def get_headers(self, content_type: str | None = None) -> dict[str, str]:
        """Headers of every request, with the API key."""
        headers: dict[str, str] = super().get_headers(content_type)
        headers.pop("Authorization", None)
        return headers | {"X-Api-Key": self._key}


@contextmanager
def server_errors(url: str, what: str) -> Iterator[None]:
    """Turn every failure of the client in the block into a StagewrightError.

    Args:
        url: the server's address.
        what: what is asked of it, for the message ('the project "show"').
    """
    try:
        yield
    except exceptions.UnauthorizedError as error:
        raise status_error(url, what, 401) from error
    except exceptions.GraphQlQueryFailed as error:
        raise _query_error(url, what, error) from error
    except (exceptions.HTTPRequestError, requests.exceptions.HTTPError) as error:
        response = error.response
        raise _response_error(url, what, response) from error
    except requests.exceptions.TooManyRedirects as error:
        raise _redirected(url) from error
    except requests.exceptions.JSONDecodeError as error:
        raise _no_ayon(url) from error
    except (exceptions.ServerError, requests.exceptions.RequestException) as error:
        raise _unreached(url, error) from error
    except (exceptions.GraphQlQueryError, json.JSONDecodeError, AttributeError) as error:
        # What ayon-python-api runs into when an answer is a page, not JSON.
        raise _no_ayon(url) from error


def status_error(url: str, what: str, status: int, detail: str = "") -> StagewrightError:
    """The error of an HTTP status.

    Args:
        url: the server's address.
        what: what was asked of it.
        status: the status.
        detail: the server's own words.
    """
    if status == 409 and "not present in table" in detail:
        status = 404  # what an entity refers to does not exist
    code, says, cure = _CAUSES.get(status, _SERVER_ERROR)
    said = says.format(what=what, detail=detail.rstrip(".") or what, status=status)
    return StagewrightError(code, f"The AYON server {url} {said}.", cure)


def _response_error(url: str, what: str, response: Any) -> StagewrightError:
    status = int(getattr(response, "status_code", 0) or getattr(response, "status", 0) or 0)
    try:
        body = response.json()
    except (ValueError, AttributeError):
        body = {}
    detail = body.get("detail", "") if isinstance(body, dict) else ""
    if not status or status == 500 and not body:
        return _unreached(url, None, str(detail))
    return status_error(url, what, status, str(detail))


def _query_error(url: str, what: str, error: exceptions.GraphQlQueryFailed) -> StagewrightError:
    first: Mapping[str, Any] = error.errors[0] if error.errors else {}
    message = str(first.get("message", ""))
    status = (first.get("extensions") or {}).get("status")
    if status is None:
        status = 404 if "not found" in message.lower() else 405
    return status_error(url, what, int(status), message)


def _unreached(url: str, error: Exception | None, detail: str = "") -> StagewrightError:
    """Why a request got no answer; asks once more where the client has lost the cause."""
    cause: Exception | None = error
    if not isinstance(error, requests.exceptions.RequestException):
        try:
            with requests.get(
                f"{url.rstrip('/')}/api/info",
                timeout=_PROBE_SECONDS,
                allow_redirects=False,
                verify=os.environ.get("AYON_CA_FILE") or True,
            ) as answer:
                if answer.is_redirect:
                    return _redirected(url)
                cause = None
        except requests.exceptions.RequestException as found:
            cause = found
    timed_out = "timed out" in f"{error} {detail}"
    if isinstance(cause, requests.exceptions.SSLError):
        return StagewrightError(
            "tls-error",
            f"The certificate of the AYON server {url} cannot be trusted.",
            "Check the address and this machine's clock, or name the studio's certificate "
            "authority in AYON_CA_FILE.",
        )
    if timed_out or isinstance(cause, requests.exceptions.Timeout):
        return StagewrightError(
            "server-timeout",
            f"The AYON server {url} does not answer in time.",
            "Try again in a moment, or allow more seconds in AYON_SERVER_TIMEOUT.",
        )
    return StagewrightError(
        "server-down",
        f"The AYON server {url} cannot be reached.",
        "Check its address and the network; what was published meanwhile is kept.",
    )


def _redirected(url: str) -> StagewrightError:
    return StagewrightError(
        "redirected",
        f"The AYON server {url} sends on to another address.",
        "Use that address itself: the key is not carried elsewhere.",
    )


def _no_ayon(url: str) -> StagewrightError:
    return StagewrightError(
        "not-ayon",
        f"What answers at {url} does not speak as an AYON server.",
        "Check the address; a sign-in page or a proxy may stand before the server.",
    )
