# SPDX-License-Identifier: GPL-3.0-or-later
"""Publish many files: a list of rows, each in a Blender of its own, tried again, gone on with.

What came of each row is a line of a results file, written when the row is done.
Run again, rows that are done are passed over, unless they or their file have changed.
"""

from __future__ import annotations

import csv
import hashlib
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

from ..ayon_bridge.together import AT_ONCE
from ..jobs.errors import StagewrightError
from ..jobs.events import Event, Job, Message, Progress, Waiting
from ..jobs.process import run_program
from .blender import blender_program
from .work import work_folder

FILE = "file"
"""The one column that a list must have."""

_AGAIN = {
    "server-down",
    "server-timeout",
    "server-error",
    "server-busy",
    "library-locked",
    "library-busy",
    "child-died",
    "worker-lost",
}
"""Codes of errors after which the same may succeed."""

_FLAGS = {"static", "world", "selected", "force", "save", "break-lock", "server", "queue"}
_YES_OR_NO = {"yes": True, "no": False}

State = Literal["published", "unchanged", "failed", "before", "prepared"]


@dataclass(frozen=True)
class Row:
    """One file to publish.

    Attributes:
        number: its line in the list.
        words: ``stagewright publish WORDS`` does it.
        key: changes when the words or the file do.
    """

    number: int
    words: tuple[str, ...]
    key: str

    @property
    def name(self) -> str:
        """What it is called in messages."""
        return Path(self.words[0]).name


@dataclass(frozen=True)
class Done:
    """What came of a row.

    Attributes:
        number: the row's line.
        key: the row's key.
        file: its file.
        state: "published", "unchanged", "failed", "before": an earlier run did it; or
            "prepared": it has to be entered, yet.
        version: name of the version.
        path: its root layer.
        queued: whether it waits for the server.
        code: code of the error.
        message: the error in words.
        tries: how often it was tried.
    """

    number: int
    key: str
    file: str
    state: State
    version: str = ""
    path: str = ""
    queued: bool = False
    code: str = ""
    message: str = ""
    tries: int = 1


Start = Callable[[Row], Job[Done]]
"""How a row's job is begun."""

Enter = Callable[[Sequence[Done]], Job[list["Done | None"]]]
"""How prepared rows are entered together; None for one that is to be done again by itself."""


def read_list(
    path: Path, shared: Sequence[str], check: Callable[[Sequence[str]], object]
) -> list[Row]:
    """The rows of a CSV file whose first line names options of ``publish``, and ``file``.

    An empty cell is an option that is not given; a flag is ``yes`` or ``no``; an option
    of several values has them with spaces between (``1 24``). Files are found from the
    list's folder.

    Args:
        path: the list.
        shared: options of every row; a row's own win.
        check: raises StagewrightError for words that ``publish`` does not take.

    Raises:
        StagewrightError: ``bad-list``.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, strict=True)
            lines = [(reader.line_num, line) for line in reader]
            names = reader.fieldnames or []
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise _bad(path, f"cannot be read: {error}") from error
    if FILE not in names:
        raise _bad(path, f'has no column "{FILE}"')
    rows = []
    for number, line in lines:
        if None in line or None in line.values():
            raise _bad(path, f"has another number of cells in line {number} than names")
        if not line[FILE].strip():
            raise _bad(path, f"names no file in line {number}")
        blend = path.parent / line[FILE].strip()
        words = (str(blend), *shared, *_options(line))
        try:
            check(words)
        except StagewrightError as error:
            raise _bad(path, f"is wrong in line {number}: {error.message}") from error
        rows.append(Row(number, words, _key(words, blend)))
    return rows


def _options(line: Mapping[str, str]) -> Iterator[str]:
    for name, cell in line.items():
        value = cell.strip()
        if name == FILE or not value:
            continue
        if name in _FLAGS and value in _YES_OR_NO:
            yield from [f"--{name}"] if _YES_OR_NO[value] else []
        elif name == "frames":
            yield from ("--frames", *value.split())
        else:
            yield f"--{name}={value}"


def _key(words: Sequence[str], blend: Path) -> str:
    try:
        state = blend.stat()
        facts: list[Any] = [state.st_size, state.st_mtime_ns]
    except OSError:
        facts = []
    return hashlib.sha256(json.dumps([*words, facts]).encode()).hexdigest()[:32]


def _bad(path: Path, complaint: str) -> StagewrightError:
    return StagewrightError(
        "bad-list",
        f'The list "{path}" {complaint.rstrip(".")}.',
        'Its first line names the columns, "file" and options of publish such as "product".',
    )


def publish_list(
    rows: Sequence[Row],
    results: Path,
    start: Start,
    *,
    at_once: int,
    fresh: bool,
    enter: Enter | None = None,
) -> Job[dict[str, Any]]:
    """Publish the rows, and write what comes of each.

    Args:
        rows: what to publish.
        results: the results file; added to.
        start: begins a row.
        at_once: how many rows are worked on at a time.
        fresh: do again what is done.
        enter: enters rows that come to be "prepared".

    Returns:
        Plain JSON data: ``rows``, as :class:`Done`, in the order of the list, and
        ``results``, the file.
    """
    before = {} if fresh else _read_results(results)
    done = [replace(before[row.key], number=row.number) for row in rows if row.key in before]
    pending = [row for row in rows if row.key not in before]
    total, working = len(rows), list[tuple[Row, Job[Done]]]()
    prepared: list[Done] = []
    with ExitStack() as ending:
        while pending or working or prepared:
            if enter and (len(prepared) >= AT_ONCE or prepared and not (pending or working)):
                entered = yield from enter(prepared)
                for each, final in zip(prepared, entered, strict=True):
                    if final is None:
                        pending.append(next(row for row in rows if row.key == each.key))
                    else:
                        yield from _ended(final, done, results, total)
                prepared = []
            while pending and len(working) < at_once:
                row = pending.pop(0)
                working.append((row, ending.enter_context(closing(start(row)))))
            waited = True
            for running in list(working):
                row, job = running
                try:
                    event = next(job)
                except StopIteration as stop:
                    working.remove(running)
                    if stop.value.state == "prepared":
                        prepared.append(stop.value)
                    else:
                        yield from _ended(stop.value, done, results, total)
                    waited = False
                    continue
                if not isinstance(event, Waiting):
                    waited = False
                    yield from _retold(event, row, len(done), total)
            if waited:
                yield Waiting()
    order = {row.key: index for index, row in enumerate(rows)}
    ordered = sorted(done, key=lambda each: order[each.key])
    return {"rows": [asdict(each) for each in ordered], "results": str(results)}


def _ended(row: Done, done: list[Done], results: Path, total: int) -> Iterator[Event]:
    """Keep what has come of a row, and tell it."""
    done.append(row)
    _write(results, row)
    yield Message(_told(row), _level(row))
    yield Progress("batch.row", len(done) / total, f"{len(done)} of {total} done")


def _retold(event: Event, row: Row, done: int, total: int) -> Iterator[Event]:
    """An event of a row, as one of the whole list."""
    if isinstance(event, Progress):
        fraction = (done + (event.fraction or 0.0)) / total
        yield Progress(event.step, fraction, f"{row.name}: {event.message or event.step}")
    elif isinstance(event, Message):
        yield Message(f"{row.name}: {event.text}", event.level)


def _told(done: Done) -> str:
    name = Path(done.file).name
    if done.state == "failed":
        return f"{name} (line {done.number}) failed: {done.message}"
    return f"{name}: {done.state} {done.version}"


def _level(done: Done) -> Literal["info", "warning"]:
    return "warning" if done.state == "failed" else "info"


def publish_row(row: Row, retries: int, known: Path | None = None) -> Job[Done]:
    """Publish one row in a Blender of its own, and again where that may help.

    Args:
        row: what to publish.
        retries: how often it is tried again.
        known: what the server has been asked; the version is then only prepared.
    """
    tries = 0
    while True:
        tries += 1
        try:
            value = yield from _publish(row, known)
        except StagewrightError as error:
            if error.code == "cancelled":
                raise
            if error.code not in _AGAIN or tries > retries:
                return _of(row, "failed", tries, code=error.code, message=str(error))
            yield Message(f"{error.message} Trying again.", "warning")
            yield from pause(tries)
            continue
        state: State = "unchanged" if value["unchanged"] else "published"
        if not value.get("entered", True):
            state = "prepared"
        return _of(
            row,
            state,
            tries,
            version=value["version"],
            path=value["path"],
            queued=bool(value["queued"]),
        )


def _of(row: Row, state: State, tries: int, **values: Any) -> Done:
    return Done(row.number, row.key, row.words[0], state, tries=tries, **values)


def _publish(row: Row, known: Path | None) -> Job[Mapping[str, Any]]:
    with work_folder() as folder:
        words = [*row.words, "--json", *([f"--known={known}"] if known else [])]
        argv = [*blender_program(), "--command", "stagewright", "publish", *words]
        return (yield from run_program(argv, folder=folder))


def pause(tries: int) -> Job[None]:
    """Wait before another try, longer each time."""
    end = time.monotonic() + 2.0 ** (tries - 1)
    while time.monotonic() < end:
        yield Waiting()


def _read_results(path: Path) -> dict[str, Done]:
    """The rows that are done, by key; a line that a kill has torn is none."""
    found: dict[str, Done] = {}
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return found
    for line in lines:
        try:
            done = Done(**json.loads(line))
        except (ValueError, TypeError):
            continue
        found.pop(done.key, None)
        if done.state != "failed":
            found[done.key] = replace(done, state="before")
    return found


def _write(path: Path, done: Done) -> None:
    line = json.dumps(asdict(done), ensure_ascii=False)
    # Begun on a line of its own, whatever a kill has left.
    with path.open("a", encoding="utf-8") as file:
        file.write(f"{line}\n" if file.tell() == 0 else f"\n{line}\n")
