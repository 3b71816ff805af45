# SPDX-License-Identifier: GPL-3.0-or-later
"""The USD file that is being looked at, and the one way its stage is asked for anything.

Panels draw what was read before; what reads or composes a stage runs as a job,
one at a time, so that nothing reads a stage while another thread composes it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import bpy

from ...jobs.errors import StagewrightError
from ...jobs.events import Job, Progress
from ...jobs.threads import in_thread
from ...jobs.warm import Order, WarmChild
from ...pipeline.apart import blaming
from .. import pump
from ..worker import child

if TYPE_CHECKING:  # USD takes half a second
    from ...usd_tools.inspect.session import Session

KIND = "inspect"
SURVEY = "survey"
WATCH = 2.0
"""Seconds between two looks at whether the open files have changed on disk."""


class _Now:
    """What is open; one for the whole of Blender, whatever .blend is open."""

    session: Session | None = None
    changed: tuple[str, ...] = ()
    survey: Mapping[str, Any] = {}
    problem = ""
    missing = ""
    # What reads files first, and the stamps of those that it has survived, by what it opened.
    reader: WarmChild | None = None
    sound: dict[tuple[str, str, str], Mapping[str, Any]] = {}


listeners: list[Callable[[], None]] = []
"""Called after what is open, or what is chosen in it, may have changed."""


def session() -> Session | None:
    """What is open."""
    return _Now.session


def changed() -> tuple[str, ...]:
    """Names of files that have changed on disk since they were read."""
    return _Now.changed


def survey() -> Mapping[str, Any]:
    """What the last count found, as ``usd_tools.inspect.survey`` tells it; empty before."""
    return _Now.survey


def files() -> list[Mapping[str, Any]]:
    """The files that what is open needs, as the last count found them."""
    found: list[Mapping[str, Any]] = _Now.survey.get("dependencies", [])
    return found


def problem() -> str:
    """What went wrong with the last wish, or ""."""
    return _Now.problem


def missing_library() -> str:
    """Why no USD file can be looked at in this Blender, or ""."""
    return _Now.missing


def load_library() -> None:
    """Make ``pxr`` importable.

    Raises:
        StagewrightError: ``no-usd`` or ``foreign-pxr``.
    """
    bpy.utils.expose_bundled_modules()
    from ...usd_tools.runtime import require_pxr

    require_pxr()


def busy() -> str:
    """Why the stage cannot be asked now, or ""."""
    if pump.is_running(KIND):
        return "USD is at work: wait for its end"
    return ""


def open_file(path: Path, *, load: bool = True) -> pump.Task:
    """Look at ``path`` instead of what was open.

    Raises:
        StagewrightError: ``no-usd``, ``foreign-pxr``, ``asset-unreadable``.
    """
    load_library()
    from ...usd_tools.inspect.session import Session, unopened
    from ...usd_tools.stages import require_file

    require_file(path)

    def job() -> Job[Mapping[str, Any]]:
        yield Progress("inspect.open", None, f"Opening {path.name}")
        yield from _try(unopened(path, load=load))
        _Now.session = yield from in_thread(lambda: Session(path, load=load))
        _Now.changed, _Now.survey = (), {}
        _show()
        return {}

    task = pump.run(job(), KIND, f"Open {path.name}")
    if not bpy.app.background and not bpy.app.timers.is_registered(_watch):
        bpy.app.timers.register(_watch, first_interval=WATCH, persistent=True)
    return task


def apart(task: str, file: Path, **arguments: Any) -> Job[Mapping[str, Any]]:
    """Run a task of the packages that reads ``file`` in a process that stays, one at a time.

    Raises:
        StagewrightError: what the task raises; ``asset-unreadable`` when the process ends over it.
    """
    if _Now.reader is None:
        _Now.reader = WarmChild(Path(bpy.app.tempdir) / "usd-reader")
    with blaming(file):
        return (yield from _Now.reader.run(Order(task, arguments)))


def _try(state: Mapping[str, Any], load: str = "") -> Job[None]:
    """Let another process open a session's state first: a damaged file may end the one that does.

    What it has survived is not tried again while the files are as they were.

    Raises:
        StagewrightError: ``asset-unreadable``.
    """
    from ...usd_tools.stamps import stamp_of

    key = state["path"], str(state["rules"]), load
    known = _Now.sound.get(key, {})
    if known and all(list(stamp_of(Path(file)) or ()) == stamp for file, stamp in known.items()):
        return
    path = Path(state["path"])
    value = yield from apart("usd_tools.inspect.trial:trial", path, state=state, load=load)
    _Now.sound[key] = value["files"]


def ask(
    label: str, work: Callable[[Session], object], *, reads: bool = False, load: str = ""
) -> pump.Task:
    """Let ``work`` read or change the open stage, and show what it came to.

    Args:
        label: what it does, for a person.
        work: is run in a thread.
        reads: whether it reads files that may be new; another process does so first.
        load: path of the prim whose payloads it loads, or "".

    Raises:
        StagewrightError: ``busy``, or what ``work`` raises at once.
    """
    now = _Now.session
    if now is None:
        raise StagewrightError("nothing-open", "No USD file is open.", "Open one first.")
    if busy():
        raise StagewrightError("busy", "USD is at work.", "Wait for its end.")

    def job() -> Job[Mapping[str, Any]]:
        yield Progress("inspect.ask", None, label)
        _Now.problem = ""
        if reads:
            yield from _try(now.state(), load)
        yield from in_thread(lambda: _read(now, work))
        _show()
        return {}

    task = pump.run(job(), KIND, label)
    if not task.running and task.failure is None:
        pump.dismiss(task.number)  # done at once, and seen: nothing to tell
    return task


def _read(now: Session, work: Callable[[Session], object]) -> None:
    from ...usd_tools.stages import reading

    with reading(now.path):
        work(now)


def reload() -> pump.Task:
    """Read again what has changed on disk.

    Raises:
        StagewrightError: as :func:`ask`; what was read before stays.
    """

    def work(now: Session) -> None:
        now.reload()
        _Now.changed = ()

    return ask("Reload", work, reads=True)


def read_again() -> None:
    """Read what was just written; where that fails, the panel tells."""
    try:
        reload()
    except StagewrightError as error:
        note(error)


def count() -> pump.Task:
    """Let another process count what is shown, and find the files that are needed.

    Raises:
        StagewrightError: when it cannot be started.
    """
    now = _Now.session
    assert now is not None
    state = now.state()

    def job() -> Job[Mapping[str, Any]]:
        value = yield from child("usd_tools.inspect.survey:survey", state=state)
        if _Now.session is now:
            _Now.survey = value
            _show()
        return value

    return pump.run(job(), SURVEY, f"Count {now.path.name}")


def note(error: StagewrightError) -> None:
    """Keep an error for the panel, where nothing else can tell it."""
    _Now.problem = f"{error.message} {error.cure}"
    pump.redraw()


def close() -> None:
    """Close what is open."""
    forget()
    _show()


def forget() -> None:
    """Forget what is open, and what was found out about it."""
    _Now.session, _Now.survey, _Now.changed, _Now.problem = None, {}, (), ""
    for kind in (KIND, SURVEY):
        task = pump.last(kind)
        if task is not None:
            pump.dismiss(task.number)
    if bpy.app.timers.is_registered(_watch):
        bpy.app.timers.unregister(_watch)


def look_for_changes() -> None:
    """Ask the disk whether the files are as they were when they were read."""
    now = _Now.session
    if now is None or busy():
        return
    found = tuple(sorted(file.name for file in now.changed()))
    if found != _Now.changed:
        _Now.changed = found
        pump.redraw()


def _watch() -> float | None:
    look_for_changes()
    return WATCH if _Now.session is not None else None


def _show() -> None:
    bpy.context.window_manager.stagewright_usd.fit(_Now.session)
    for listener in listeners:
        listener()
    pump.redraw()


def register() -> None:
    """Find out whether there is a USD library; importing it would take too long."""
    if not bpy.app.build_options.usd and find_spec("pxr") is None:
        _Now.missing = "This Blender was built without USD, and its Python has no usd-core"


def unregister() -> None:
    """Forget what is open, and end the process that reads files first."""
    forget()
    if _Now.reader is not None:
        _Now.reader.close()
    _Now.reader, _Now.sound = None, {}
