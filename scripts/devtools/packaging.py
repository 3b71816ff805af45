# SPDX-License-Identifier: GPL-3.0-or-later
"""The extension's zip, and the pinned files that everything is built from."""

from __future__ import annotations

import re
import shutil
import tempfile
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path

from .environment import (
    ROOT,
    Environment,
    SetupError,
    Version,
    environments,
    find_uv,
    must,
    prepare,
    say,
)

MANIFEST = ROOT / "blender_manifest.toml"
EXTENSION_PINS = ROOT / "requirements" / "extension.txt"
WHEELS = ROOT / "wheels"
DIST = ROOT / "dist"

# Blender brings these itself; numpy in a wheel would break other extensions.
IN_BLENDER = ("numpy", "requests", "urllib3", "idna", "certifi", "charset-normalizer")

OF_TORCH = ("torch", "jinja2", "markupsafe", "mpmath", "networkx", "setuptools", "sympy")


def builder(environment: Environment) -> list[str]:
    """Blender's own extension tool, which plain Python runs without Blender."""
    found = sorted(
        environment.site_packages.glob("bpy/*/scripts/addons_core/bl_pkg/cli/blender_ext.py")
    )
    if not found:
        raise SetupError(f"Blender {environment.blender} has no blender_ext.py in its wheel.")
    return [environment.program("python"), str(found[0])]


def build(pythons: Mapping[Version, str]) -> int:
    """Build the zip into dist/ and let Blender's validator judge it."""
    environment = prepare(environments(pythons)[0])
    path = build_zip(environment, DIST)
    must([*builder(environment), "validate", str(path)])
    print(path.relative_to(ROOT))
    return 0


def build_zip(environment: Environment, output: Path) -> Path:
    """Build the extension's zip in the folder ``output``; returns its path."""
    download_wheels(environment)
    manifest = tomllib.loads(MANIFEST.read_text(encoding="utf-8"))
    output.mkdir(parents=True, exist_ok=True)
    path = output / f"{manifest['id']}-{manifest['version']}.zip"
    path.unlink(missing_ok=True)
    must(
        [*builder(environment), "build", "--source-dir", str(ROOT)]
        + ["--output-filepath", str(path)]
    )
    return path


def download_wheels(environment: Environment) -> None:
    """Put the pinned wheels into wheels/, and hold the manifest to them."""
    wanted = set(tomllib.loads(MANIFEST.read_text(encoding="utf-8"))["wheels"])
    if {f"./wheels/{p.name}" for p in WHEELS.glob("*.whl")} != wanted:
        fetch_wheels(environment)
    present = {f"./wheels/{p.name}" for p in WHEELS.glob("*.whl")}
    if present != wanted:
        raise SetupError(
            "The wheels in blender_manifest.toml are not those pinned in "
            "requirements/extension.txt. Run: python3 scripts/dev.py lock"
        )


def fetch_wheels(environment: Environment) -> None:
    """Download the pinned wheels; pip compares every hash."""
    shutil.rmtree(WHEELS, ignore_errors=True)
    must(
        [environment.program("python"), "-m", "pip", "download", "--quiet"]
        + ["--disable-pip-version-check", "--require-hashes", "--no-deps"]
        + ["--only-binary=:all:", "--requirement", str(EXTENSION_PINS), "--dest", str(WHEELS)]
    )


def lock(pythons: Mapping[Version, str]) -> int:
    """Compile the pinned files anew and rewrite the manifest's list of wheels."""
    interpreter = environments(pythons)[0].interpreter
    uv = find_uv(interpreter)
    say("Compiling requirements/ …")
    groups = [word for name in ("plain", "bpy52", "bpy45", "dev") for word in ("--group", name)]
    compile_pins(uv, interpreter, "dev.txt", [*groups, "pyproject.toml"])
    without = [word for name in IN_BLENDER for word in ("--no-emit-package", name)]
    compile_pins(
        uv,
        interpreter,
        "extension.txt",
        [*without, "--constraint", "requirements/dev.txt", "pyproject.toml"],
    )
    compile_pins(uv, interpreter, "uv.txt", ["requirements/uv.in"])
    with tempfile.TemporaryDirectory() as folder:
        # Torch, and what comes with it, is of the machine (see local_models.py).
        override = Path(folder, "override.txt")
        override.write_text('torch; sys_platform == "never"\n')
        without = [word for name in OF_TORCH for word in ("--no-emit-package", name)]
        of_models = ["--group", "diffusers", "--override", str(override), *without]
        compile_pins(uv, interpreter, "diffusers.txt", of_models)
    fetch_wheels(prepare(environments(pythons)[0]))
    MANIFEST.write_text(
        with_wheels(MANIFEST.read_text(encoding="utf-8"), [p.name for p in WHEELS.glob("*.whl")]),
        encoding="utf-8",
    )
    return 0


def compile_pins(uv: str, interpreter: str, name: str, arguments: Sequence[str]) -> None:
    """Write requirements/NAME with exact versions and hashes, for all platforms."""
    must(
        [uv, "pip", "compile", "--quiet", "--universal", "--python", interpreter]
        + ["--python-version", "3.11", "--generate-hashes", "--no-emit-index-url"]
        + ["--no-header", "--no-annotate", "--output-file", f"requirements/{name}", *arguments]
    )


def with_wheels(manifest: str, names: Sequence[str]) -> str:
    """The manifest's text with these wheels listed."""
    lines = "".join(f'    "./wheels/{name}",\n' for name in sorted(names, key=str.lower))
    text, count = re.subn(r"(?ms)^wheels = \[.*?^\]", f"wheels = [\n{lines}]", manifest)
    if count != 1:
        raise SetupError("blender_manifest.toml has no list `wheels` to rewrite.")
    return text
