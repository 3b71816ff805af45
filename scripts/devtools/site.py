# SPDX-License-Identifier: GPL-3.0-or-later
"""The documentation's site, and the audit of what is pinned."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tomllib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from .environment import (
    ROOT,
    Environment,
    SetupError,
    Version,
    call,
    environments,
    prepare_tools,
)

PINS = ROOT / "requirements" / "docs.txt"
SITE = ROOT / "site"
AUDITED = ("extension.txt", "dev.txt", "docs.txt", "uv.txt")


def tools(pythons: Mapping[Version, str]) -> Environment:
    """The environment that builds the site and audits, set up."""
    return prepare_tools(replace(environments(pythons)[0], blender="docs"), PINS)


def docs(pythons: Mapping[Version, str]) -> int:
    """Build the site into site/; a broken link or anchor is an error."""
    environment = tools(pythons)
    _copy_rooms(environment.source / "stagewright")
    # The theme's makers announce their next product at every build.
    quiet = os.environ | {"NO_MKDOCS_2_WARNING": "1"}
    code = call([environment.program("mkdocs"), "build", "--clean"], env=quiet)
    print("The site has errors; see above." if code else f"{SITE.relative_to(ROOT)}/index.html")
    return code


def _copy_rooms(target: Path) -> None:
    """Put a copy of the packages where the reference is read: beside them lies too much else."""
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    shutil.copyfile(ROOT / "__init__.py", target / "__init__.py")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    for package in project["tool"]["setuptools"]["packages"]:
        if package.count(".") == 1:
            room = package.partition(".")[2]
            shutil.copytree(
                ROOT / room, target / room, ignore=shutil.ignore_patterns("__pycache__")
            )


def audit(pythons: Mapping[Version, str]) -> int:
    """Ask the registry for known vulnerabilities of every pinned package; 1 if there are any.

    A registry that keeps no such list answers nothing: those packages are counted as not
    audited, and do not fail.
    """
    program = tools(pythons).program("pip-audit")
    found: dict[str, list[str]] = {}
    unknown = set()
    for name in AUDITED:
        for package in _audited(program, name):
            key = f"{package['name']} {package.get('version', '')}".strip()
            if "skip_reason" in package:
                unknown.add(key)
            elif package["vulns"]:
                found[key] = [vulnerability["id"] for vulnerability in package["vulns"]]
    for vulnerable, identifiers in sorted(found.items()):
        print(f"{vulnerable}: {', '.join(identifiers)}")
    if unknown:
        print(f"SKIPPED: the registry here tells no vulnerabilities of {len(unknown)} packages")
    print(f"{len(found)} packages with known vulnerabilities")
    return 1 if found else 0


def _audited(program: str, pins: str) -> list[dict[str, Any]]:
    """What pip-audit says of one file of pins, a dictionary for each package."""
    done = subprocess.run(
        [program, "--disable-pip", "--no-deps", "--progress-spinner=off", "--format=json"]
        + ["--requirement", str(ROOT / "requirements" / pins)],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )
    try:
        audited: list[dict[str, Any]] = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        last = done.stderr.strip().splitlines()[-1:] or ["no answer"]
        raise SetupError(f"requirements/{pins} could not be audited: {last[0]}") from None
    return audited
