# SPDX-License-Identifier: GPL-3.0-or-later
"""A program that takes Blender's place as the worker: quick, and as wicked as a test needs.

It is started as a real one would be, and does what the environment variable
``STAND_IN`` says to the copy of the file that it is given.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
from pathlib import Path
from typing import Any

CHECKS = {
    "findings": [
        {
            "check": "missing-texture",
            "severity": "error",
            "message": "oak.png is missing.",
            "cure": "Find it.",
            "object": "Crate",
            "prim": "/crate/Crate",
            "layer": "oak.png",
            "value": None,
        }
    ],
    "pxr_version": "0.25.2",
    "allowed": [],
    "greatest_distance": 0.0,
    "compared": 1,
}


def say(event: str, **fields: Any) -> None:
    print(json.dumps({"event": event, "time": 0.0, **fields}), flush=True)


def option(name: str) -> str:
    start = f"--{name}="
    return next((a.removeprefix(start) for a in sys.argv if a.startswith(start)), "")


def published(unchanged: bool) -> dict[str, Any]:
    folder = Path(option("library")) / "v001"
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("crate_v001.usda", "crate_v001.html"):
        (folder / name).touch()
    root = str(folder / "crate_v001.usda")
    return {
        "version": "v001",
        "path": root,
        "folder": str(folder),
        "report": str(folder / "crate_v001.html"),
        "thumbnail": "",
        "unchanged": unchanged,
        "queued": False,
        "checks": {**CHECKS, "findings": []},
        "identity": {
            "project": option("project"),
            "folder": option("folder"),
            "product": option("product"),
            "version": "v001",
            "versionId": "0123",
            "identifier": "crate_v001.usda",
            "path": root,
        },
    }


def main() -> None:
    print("Blender 5.2.0 stands in")
    behaviour, _, kept = os.environ["STAND_IN"].partition(" ")
    words = sys.argv[sys.argv.index("--command") :]
    copy = next(word for word in words if word.endswith(".blend"))
    say("progress", step="one", fraction=0.1, message=f"pid {os.getpid()}")
    if kept:
        shutil.copy(copy, kept)
        Path(kept).with_suffix(".json").write_text(json.dumps(sys.argv))
    for number in range(5):
        say("progress", step="two", fraction=0.2, message=f"step {number}")
    if behaviour == "work" and words[2:4] == ["usd", "export"]:
        root = words[words.index("-o") + 1]
        say("result", value={"path": root, "files": [root], "checks": CHECKS})
    elif behaviour == "work":
        say("result", value=published(False))
    elif behaviour == "unchanged":
        say("result", value=published(True))
    elif behaviour == "refuse":
        details = {"checks": CHECKS}
        say("error", code="checks-failed", message="A check failed.", cure="Mend it.",
            details=details)  # fmt: skip
    elif behaviour == "hang":
        signal.pause()
    elif behaviour == "die":
        print("the last words", file=sys.stderr, flush=True)
        os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main()
