# SPDX-License-Identifier: GPL-3.0-or-later
"""A process that looks at damaged files, one after the other, and tells what came of each.

Reads the paths from standard input, a line each, and answers each by a line of JSON before it
goes on; what ends it is whatever it had not answered.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import traceback
from collections import Counter
from functools import cache
from pathlib import Path
from types import FrameType
from typing import Any

from pxr import Tf, Usd

from stagewright.jobs.drive import drain
from stagewright.jobs.errors import StagewrightError
from stagewright.pipeline import cli

OUR_PATIENCE = 15  # seconds


class TooLong(BaseException):
    """A file keeps our code busy. No OSError, which our code would tell as an unreadable file."""


def too_long(number: int, frame: FrameType | None) -> None:
    """The alarm's handler; while USD's code is busy, Python runs none."""
    raise TooLong


def set_alarm(seconds: int) -> None:
    if os.name == "posix":
        signal.alarm(seconds)


def look(path: str) -> dict[str, Any]:
    """What the commands say: ``error`` and its code, ``rows``, or ``failure`` for anything else."""
    try:
        about = run("inspect", path)
        rows = run("tree", path)["rows"]
        for row in rows[:5]:
            run("inspect", path, row["path"])
    except StagewrightError as error:
        said = (
            error.code if error.message and error.cure and Path(path).name in error.message else ""
        )
        return {"error": said, "there": truth(path)}
    except MemoryError:
        raise
    except Exception:
        return {"failure": traceback.format_exc()}
    paths = [row["path"] for row in rows]
    return {"rows": about["statistics"]["prims"], "paths": paths, "there": truth(path)}


def run(*words: str) -> dict[str, Any]:
    return dict(drain(cli.command(["usd", *words]), lambda event: None))


def truth(path: str) -> dict[str, Any]:
    """What USD by itself makes of a copy of the file: what was opened once stays in its memory.

    Returns:
        ``types`` and ``paths`` of its prims, if it can be opened, and ``whole``, whether every
        value in it can be read.
    """
    found: dict[str, Any] = {"whole": False}
    path = shutil.copyfile(path, Path(path).with_name(f"copy_{Path(path).name}"))
    every = Usd.TraverseInstanceProxies(Usd.PrimAllPrimsPredicate)
    try:
        stage = Usd.Stage.Open(str(path))
        prims = stage.Traverse(Usd.TraverseInstanceProxies())
        found["types"] = Counter(str(prim.GetTypeName()) for prim in prims)
        paths = [str(prim.GetPath()) for prim in Usd.PrimRange.Stage(stage, every)]
        found["paths"] = [path for path in paths if path != "/"]
        for layer in stage.GetUsedLayers():
            layer.ExportToString()
        found["whole"] = True
    except (Tf.ErrorException, UnicodeDecodeError):
        pass  # what was found until then is the answer
    finally:
        path.unlink()
    return found


def main() -> None:
    cli._parser = cache(cli._parser)  # made for each file, it would take most of the time
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    if os.name == "posix":
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        signal.signal(signal.SIGALRM, too_long)
    for line in sys.stdin:
        set_alarm(OUR_PATIENCE)
        try:
            answer = look(line.rstrip("\n"))
        except MemoryError:  # of the limit above, not of the reader
            answer = {"crash": "memory"}
        except TooLong:
            answer = {"failure": traceback.format_exc()}
        finally:
            set_alarm(0)
        print(json.dumps(answer), file=answers)


if __name__ == "__main__":
    main()
