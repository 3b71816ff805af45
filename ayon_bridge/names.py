# SPDX-License-Identifier: GPL-3.0-or-later
"""Names as an AYON server accepts them.

The patterns are those of ayon-backend 1.16 (``NAME_REGEX``,
``PROJECT_NAME_REGEX``, ``PROJECT_CODE_REGEX``, ``TYPE_NAME_REGEX``), so that
everything in a library can move to a server. A server compares names without
regard to case, and so does a library.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

from ..jobs.errors import StagewrightError

NAME = re.compile(r"[a-zA-Z0-9_]([a-zA-Z0-9_.\-]*[a-zA-Z0-9_])?")
PROJECT_NAME = re.compile(r"[a-zA-Z0-9_]+")
PROJECT_CODE = re.compile(r"[a-zA-Z0-9_]{2,}")
TYPE_NAME = re.compile(r"[a-zA-Z0-9_][a-zA-Z0-9_ \-]{1,64}[a-zA-Z0-9_]")


def clean_name(text: str) -> str:
    """The nearest name that AYON accepts ("Old lamp!" becomes "Old_lamp"); may be empty."""
    return re.sub(r"[^a-zA-Z0-9_.\-]+", "_", text).strip("_.-")


def check_name(kind: str, name: str) -> None:
    """Refuse the name of a folder, task, product or representation that AYON refuses.

    Args:
        kind: what is named, for the message ("product").
        name: the name to check.

    Raises:
        StagewrightError: ``bad-name``.
    """
    if not NAME.fullmatch(name):
        advice = 'Use letters, digits and "_", with "." and "-" only inside'
        raise _refusal(kind, name, advice, clean_name(name))


def check_project_name(name: str) -> None:
    """Refuse a project name that AYON refuses; raises StagewrightError ``bad-name``."""
    if not PROJECT_NAME.fullmatch(name):
        clean = re.sub(r"[.\-]+", "_", clean_name(name))
        raise _refusal("project", name, 'Use letters, digits and "_" only', clean)


def check_project_code(code: str) -> None:
    """Refuse a project code that AYON refuses; raises StagewrightError ``bad-name``."""
    if not PROJECT_CODE.fullmatch(code):
        clean = re.sub(r"[.\-_]+", "", clean_name(code))
        advice = 'Use two or more letters, digits or "_"'
        raise _refusal("project code", code, advice, clean if len(clean) > 1 else "")


def project_codes(name: str) -> Iterator[str]:
    """Codes for a project: up to ten letters and digits of its name, then with a number."""
    stem = re.sub(r"[^a-z0-9]", "", name.lower())[:10]
    if len(stem) < 2:
        stem = f"pr{stem}"
    yield stem
    yield from (f"{stem}{number}" for number in itertools.count(2))


def check_type_name(kind: str, name: str) -> None:
    """Refuse a folder or task type that AYON refuses; raises StagewrightError ``bad-name``."""
    if not TYPE_NAME.fullmatch(name):
        advice = 'Use three or more letters, digits and "_", with " " and "-" only inside'
        raise _refusal(kind, name, advice, "")


def folder_names(path: str) -> list[str]:
    """The names in a folder path: ``"/assets/props/chair"`` gives assets, props, chair.

    Raises:
        StagewrightError: ``bad-name`` when the path is not absolute, is empty, or
            holds a name that AYON refuses.
    """
    names = path.removeprefix("/").split("/")
    if not path.startswith("/") or not all(names):
        raise StagewrightError(
            "bad-name",
            f'"{path}" is not a folder path.',
            'Write it from the project down, such as "/assets/chair".',
        )
    for name in names:
        check_name("folder", name)
    return names


def check_same_case(kind: str, asked: str, existing: str) -> None:
    """Refuse a name that differs from an existing one in case alone.

    Raises:
        StagewrightError: ``name-differs-in-case``.
    """
    if asked != existing:
        raise StagewrightError(
            "name-differs-in-case",
            f'The {kind} "{asked}" differs from the existing "{existing}" in case alone.',
            f'Use "{existing}".',
        )


def _refusal(kind: str, name: str, advice: str, suggestion: str) -> StagewrightError:
    cure = f'{advice}, such as "{suggestion}".' if suggestion else f"{advice}."
    return StagewrightError("bad-name", f'AYON refuses the {kind} name "{name}".', cure)
