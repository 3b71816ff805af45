# SPDX-License-Identifier: GPL-3.0-or-later
"""What the repository's files hold, and what is made of them."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Callable, Iterable
from importlib.util import find_spec
from pathlib import Path

import pytest

from stagewright import __version__
from stagewright.scripts.devtools.environment import SHARED_LIBRARIES
from stagewright.scripts.devtools.packaging import IN_BLENDER

NOT_DISTRIBUTED = {"tests", "ayon_addon", "bench", "docs", "examples", "requirements", ".ci"}
LONGEST = 600
# Everywhere on Linux, or brought by Python itself.
BASE_LIBRARIES = re.compile(r"ld-linux|lib(c|m|dl|rt|util|pthread|gcc_s|stdc\+\+)\.so")
REGISTRIES = re.compile(
    r"py[p]i\.org|python[h]osted\.org|index[-_]url\s*=|npmj[s]\.|(?i:artifactor[y])"
)


def read_toml(path: Path) -> dict:
    return tomllib.loads(path.read_text(encoding="utf-8"))


def pins(path: Path) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for name, version in re.findall(r"(?m)^([\w.-]+)==([\w.]+)", path.read_text()):
        found.setdefault(name, set()).add(version)
    return found


def test_one_version_everywhere(root: Path) -> None:
    manifest = read_toml(root / "blender_manifest.toml")
    project = read_toml(root / "pyproject.toml")
    assert manifest["version"] == project["project"]["version"] == __version__
    for path in ("package.py", "client/ayon_stagewright/version.py"):
        assert f'"{__version__}"' in (root / "ayon_addon" / path).read_text(encoding="utf-8")
    assert f"## [{__version__}]" in (root / "CHANGELOG.md").read_text(encoding="utf-8")


def test_every_python_file_names_its_licence(root: Path, sources: list[Path]) -> None:
    def lines(path: Path) -> list[str]:
        return (root / path).read_text(encoding="utf-8").splitlines()[:2]

    licence = "# SPDX-License-Identifier: GPL-3.0-or-later"
    assert [str(p) for p in sources if licence not in lines(p)] == []


def test_no_python_file_is_too_long_to_read(root: Path, sources: list[Path]) -> None:
    def length(path: Path) -> int:
        return len((root / path).read_text(encoding="utf-8").splitlines())

    assert {str(p): length(p) for p in sources if length(p) > LONGEST} == {}


def test_no_file_holds_a_secret_a_machine_path_or_a_registry(
    root: Path, files: list[Path], find_secrets: Callable[[Iterable[Path]], list[str]]
) -> None:
    assert find_secrets(root / path for path in files) == []
    texts = {p: (root / p).read_bytes().decode(errors="replace") for p in files}
    assert [str(p) for p, text in texts.items() if REGISTRIES.search(text)] == []


@pytest.mark.parametrize(
    "text",
    [
        "/" + "home/bert/scene.blend",
        "C:" + "\\Users\\bert",
        'api_key = "' + "a1" * 16 + '"',
        "https://ann:" + "pass@server/",
        "-----BEGIN RSA " + "PRIVATE KEY-----",
    ],
)
def test_search_for_secrets_finds_one(
    text: str, tmp_path: Path, find_secrets: Callable[[Iterable[Path]], list[str]]
) -> None:
    harmless, leaky = tmp_path / "harmless.txt", tmp_path / "leaky.txt"
    harmless.write_text("a/home/b, the token of a user, password = get()")
    leaky.write_text(f"before\n{text} after")
    (found,) = find_secrets([harmless, leaky])
    assert found.startswith("leaky.txt: ")


def test_wheel_holds_every_file_of_every_room(
    root: Path, files: list[Path], tmp_path: Path
) -> None:
    rooms = [
        p for p in files
        if p.parts[0] not in NOT_DISTRIBUTED and (len(p.parts) > 1 or p.name == "__init__.py")
    ]  # fmt: skip
    copy = tmp_path / "any name"
    for path in [*rooms, Path("pyproject.toml"), Path("README.md"), Path("LICENSE")]:
        (copy / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(root / path, copy / path)
    done = subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-index"]
        + ["--no-build-isolation", "--wheel-dir", str(tmp_path), str(copy)],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    (wheel,) = tmp_path.glob("*.whl")
    inside = {Path(name) for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert inside == {Path("stagewright", path) for path in rooms}


def test_pins_agree_with_each_other_and_with_the_manifest(root: Path) -> None:
    dev = pins(root / "requirements" / "dev.txt")
    extension = pins(root / "requirements" / "extension.txt")
    assert extension.items() <= dev.items()
    wheels = read_toml(root / "blender_manifest.toml")["wheels"]
    listed = [name.removeprefix("./wheels/").split("-")[:2] for name in wheels]
    assert {name.replace("_", "-").lower(): {version} for name, version in listed} == extension
    assert not extension.keys() & set(IN_BLENDER)
    (setuptools,) = read_toml(root / "pyproject.toml")["build-system"]["requires"]
    assert dev["setuptools"] == {setuptools.removeprefix("setuptools==")}


def test_every_pin_carries_hashes_and_no_address(root: Path) -> None:
    for path in (root / "requirements").glob("*.txt"):
        text = path.read_text(encoding="utf-8")
        blocks = re.split(r"(?m)^(?=[\w.-]+==)", text)[1:]
        assert blocks and all("--hash=sha256:" in block for block in blocks), path.name
        assert "://" not in text and "--index" not in text and "--find-links" not in text


@pytest.mark.skipif(
    not sys.platform.startswith("linux") or not shutil.which("readelf"), reason="needs readelf"
)
def test_set_up_knows_every_shared_library_that_blender_loads() -> None:
    spec = find_spec("bpy")
    assert spec is not None and spec.origin is not None
    folder = Path(spec.origin).parent
    bundled = {path.name: path for path in folder.rglob("*.so*")}
    waiting, seen = [Path(spec.origin).name], set()
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        if name in bundled:
            table = subprocess.run(
                ["readelf", "-d", str(bundled[name])], capture_output=True, text=True, check=True
            ).stdout
            waiting += re.findall(r"\(NEEDED\).*\[(.+)\]", table)
    system = {n for n in seen if n not in bundled and not BASE_LIBRARIES.match(n)}
    assert system == set(SHARED_LIBRARIES)
