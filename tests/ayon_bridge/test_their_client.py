# SPDX-License-Identifier: GPL-3.0-or-later
"""Where AYON brings a client library of its own, that one is used, older or newer than ours."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import ayon_api
import pytest
from studio import Studio

PROGRAM = """
import json, sys
from stagewright.ayon_bridge.server import Server
import ayon_api
with Server.open() as server:
    print(json.dumps([ayon_api.__version__, ayon_api.__file__, server.user_name(),
                      [each.name for each in server.get_projects()]]))
"""


@pytest.mark.parametrize("version", ["1.1.0", "99.0.0"])
def test_the_client_on_pythonpath_wins(studio: Studio, tmp_path: Path, version: str) -> None:
    theirs = tmp_path / "ayon dependencies"
    ours = Path(ayon_api.__file__).parent
    shutil.copytree(ours, theirs / "ayon_api", ignore=shutil.ignore_patterns("__pycache__"))
    about = theirs / "ayon_api" / "version.py"
    about.write_text(about.read_text().replace(ayon_api.__version__, version))
    python = Path(sys.executable).with_name("python")
    environment = {
        "PYTHONPATH": os.pathsep.join([str(theirs), *filter(None, sys.path)]),
        "AYON_SERVER_URL": studio.demo.url,
        "AYON_API_KEY": studio.artist.key,
    }
    done = subprocess.run(
        [python if python.exists() else sys.executable, "-c", PROGRAM],
        capture_output=True,
        text=True,
        env=os.environ | environment,
    )
    assert done.returncode == 0, done.stderr
    found, file, user, projects = json.loads(done.stdout)
    assert (found, user, projects) == (version, "ann", ["show"])
    assert Path(file).is_relative_to(theirs)
