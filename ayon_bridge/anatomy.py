# SPDX-License-Identifier: GPL-3.0-or-later
"""AYON's anatomy: template strings for folders and files, and their filling.

A template holds keys (``{project[name]}``, ``{version:0>3}``), references to
common templates (``{@version}``) and optional groups (``<_{output}>``) that
vanish when one of their keys has no value. Described in AYON's documentation
under "Project anatomy"; the default templates are those of a new AYON project.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..jobs.errors import StagewrightError

Values = Mapping[str, Any]

ROOT = "{root[work]}"
"""How a rootless path begins."""

_ROOT_KEY = re.compile(r"\{root\[(\w+)\]\}")
_TOKEN = re.compile(r"\{[^{}]*\}|[<>]|[^<>{}]+|.", re.DOTALL)
_REFERENCE = re.compile(r"\{@(\w+)\}")
_KEY = re.compile(r"\{(\w+)((?:\[\w+\])*)(?::([^{}]*))?\}")


@dataclass(frozen=True)
class Filled:
    """A filled template.

    Attributes:
        text: the template with its values.
        used: the values it used, nested as the keys are.
    """

    text: str
    used: dict[str, Any]


@dataclass(frozen=True)
class Anatomy:
    """The templates of a project for one kind of files: published ones, or workfiles.

    Attributes:
        common: templates that others refer to by ``{@name}``.
        directory: the folder of a version, or of a task's workfiles.
        file: name of a file.
    """

    common: Mapping[str, str]
    directory: str
    file: str

    @property
    def root_name(self) -> str:
        """Name of the root that the files are below."""
        match = _ROOT_KEY.match(self.directory)
        if match is None:
            raise _bad(self.directory, 'does not begin with a root such as "{root[work]}"')
        return match[1]

    @property
    def path(self) -> str:
        """Template of a file's whole path, references expanded."""
        return expand(f"{self.directory}/{self.file}", self.common)

    def fill_path(self, values: Values) -> Filled:
        """The whole path of a file, with forward slashes."""
        filled = fill(self.path, values)
        return Filled(_single_slashes(filled.text), filled.used)

    def fill_directory(self, values: Values) -> str:
        """The folder of the files, with forward slashes."""
        return _single_slashes(fill(expand(self.directory, self.common), values).text)

    def fill_file(self, values: Values) -> str:
        """The name of a file."""
        return fill(expand(self.file, self.common), values).text


DEFAULT_ANATOMY = Anatomy(
    common={
        "version_padding": "3",
        "version": "v{version:0>{@version_padding}}",
        "frame_padding": "4",
        "frame": "{frame:0>{@frame_padding}}",
    },
    directory=(
        "{root[work]}/{project[name]}/{hierarchy}/{folder[name]}"
        "/publish/{product[type]}/{product[name]}/{@version}"
    ),
    file=(
        "{project[code]}_{folder[name]}_{product[name]}_{@version}"
        "<_{output}><.{@frame}><_{udim}>.{ext}"
    ),
)

WORK_ANATOMY = Anatomy(
    common=DEFAULT_ANATOMY.common,
    directory="{root[work]}/{project[name]}/{hierarchy}/{folder[name]}/work/{task[name]}",
    file="{project[code]}_{folder[name]}_{task[name]}_{@version}<_{comment}>.{ext}",
)
"""Where a new AYON project keeps workfiles."""


def configured(config: Mapping[str, Any], kind: str) -> Anatomy:
    """The templates that a project on a server is configured with.

    Args:
        config: the project's ``config``.
        kind: of templates, ``"publish"`` or ``"work"``; the ones called "default" are taken.

    Raises:
        StagewrightError: ``bad-template`` when there are none.
    """
    templates = config.get("templates") or {}
    try:
        default = templates[kind]["default"]
        common = {name: str(value) for name, value in templates["common"].items()}
        return Anatomy(common=common, directory=default["directory"], file=default["file"])
    except (KeyError, TypeError, AttributeError) as error:
        raise StagewrightError(
            "bad-template",
            f"The project has no default template for {kind} files.",
            "Add it in the project's anatomy on the AYON server.",
        ) from error


def below(root: Path, rootless: str) -> Path:
    """Where a rootless path ("{root[work]}/show/…") lies below a folder of this machine."""
    return Path(_ROOT_KEY.sub(lambda match: root.as_posix(), rootless, count=1))


def in_roots(rootless: str, roots: Mapping[str, str]) -> Path:
    """Where a rootless path lies, its root being one of those of this machine.

    Args:
        rootless: ``"{root[work]}/show/…"``.
        roots: folders by the names of the roots.
    """
    return Path(_ROOT_KEY.sub(lambda match: roots.get(match[1], match[0]), rootless, count=1))


def expand(template: str, common: Mapping[str, str]) -> str:
    """Replace every reference ``{@name}`` by the template it names, however deep.

    Raises:
        StagewrightError: ``bad-template`` for an unknown name or a circle.
    """
    text = template
    # Each round resolves one level; a chain longer than there are names is a circle.
    for _ in range(len(common) + 1):
        names = _REFERENCE.findall(text)
        if not names:
            return text
        for name in names:
            if name not in common:
                raise _bad(template, f'refers to "{{@{name}}}", which does not exist')
        text = _REFERENCE.sub(lambda match: common[match[1]], text)
    raise _bad(template, "refers to itself")


def fill(template: str, values: Values) -> Filled:
    """Fill a template whose references are expanded.

    Args:
        template: the template.
        values: nested as the keys are: ``{"project": {"name": "show"}}``. None is
            a missing value.

    Raises:
        StagewrightError: ``bad-template`` for a key without a value outside
            optional groups, or for a template that cannot be read.
    """
    used: dict[str, Any] = {}
    tokens = _TOKEN.findall(template)
    text = _fill_group(template, tokens, values, used, depth=0)
    return Filled(text, used)


class _MissingKeyError(Exception):
    """A key of a group has no value."""


def _fill_group(
    template: str, tokens: list[str], values: Values, used: dict[str, Any], depth: int
) -> str:
    """Consume ``tokens`` up to the end of the group at ``depth``."""
    parts: list[str] = []
    found: dict[str, Any] = {}
    missing = ""
    while tokens:
        token = tokens.pop(0)
        if token == "<":
            parts.append(_fill_group(template, tokens, values, found, depth + 1))
        elif token == ">" and depth:
            break
        elif token in ("{", "}", ">"):
            raise _bad(template, f'holds a "{token}" without its partner')
        elif token.startswith("{"):
            try:
                parts.append(_fill_key(template, token, values, found))
            except _MissingKeyError:
                missing = missing or token
        else:
            parts.append(token)
    else:
        if depth:
            raise _bad(template, 'holds a "<" without its partner')
    if missing and not depth:
        raise _bad(template, f'needs a value for "{missing}"')
    if missing:
        return ""
    _merge(used, found)
    return "".join(parts)


def _fill_key(template: str, token: str, values: Values, used: dict[str, Any]) -> str:
    match = _KEY.fullmatch(token)
    if match is None:
        raise _bad(template, f'holds "{token}", which is not a key')
    keys = [match[1], *re.findall(r"\[(\w+)\]", match[2])]
    value: Any = values
    for key in keys:
        value = value.get(key) if isinstance(value, Mapping) else None
    if value is None or isinstance(value, Mapping):
        raise _MissingKeyError
    try:
        text = format(value, match[3] or "")
    except ValueError:
        raise _bad(template, f'cannot write "{value}" as "{token}"') from None
    nested: Any = value
    for key in reversed(keys):
        nested = {key: nested}
    _merge(used, nested)
    return text


def _merge(into: dict[str, Any], values: Mapping[str, Any]) -> None:
    for key, value in values.items():
        if isinstance(value, Mapping):
            _merge(into.setdefault(key, {}), value)
        else:
            into[key] = value


def _single_slashes(path: str) -> str:
    # An empty {hierarchy} leaves "//"; the two slashes of a UNC share stay.
    return re.sub("(?<!^)/{2,}", "/", path)


def _bad(template: str, complaint: str) -> StagewrightError:
    return StagewrightError(
        "bad-template",
        f'The template "{template}" {complaint}.',
        "Correct the template in the project's anatomy.",
    )
