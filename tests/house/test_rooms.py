# SPDX-License-Identifier: GPL-3.0-or-later
"""The import contract: which room may import what, and when."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest


@dataclass(frozen=True)
class Room:
    """What a room may import besides itself and the standard library.

    Attributes:
        rooms: other rooms, at any time.
        packages: third-party packages, at any time.
        optional: third-party packages, only inside functions.
    """

    rooms: frozenset[str] = frozenset()
    packages: frozenset[str] = frozenset()
    optional: frozenset[str] = frozenset()


BLENDER = frozenset(
    {"bpy", "bpy_extras", "bl_operators", "bl_ui", "bmesh", "mathutils", "gpu", "gpu_extras", "blf"}
)
LOWER = frozenset({"usd_tools", "ayon_bridge", "texture_lab", "field_tools", "jobs"})
ROOMS = {
    "": Room(),
    "addon": Room(LOWER | {"pipeline", ""}, BLENDER | {"numpy", "addon_utils"}, frozenset({"pxr"})),
    "pipeline": Room(LOWER | {""}, frozenset({"numpy"}), frozenset({"distributed", "unidecode"})),
    "usd_tools": Room(
        frozenset({"jobs"}),
        frozenset({"numpy", "pxr"}),
        frozenset({"MaterialX", "OpenImageIO", "flip_evaluator", "skimage"}),
    ),
    "ayon_bridge": Room(frozenset({"jobs"}), frozenset({"ayon_api", "requests"})),
    "texture_lab": Room(
        frozenset({"jobs"}),
        frozenset({"numpy"}),
        frozenset({"onnxruntime", "OpenImageIO", "torch", "diffusers"}),
    ),
    "field_tools": Room(
        frozenset({"jobs"}), frozenset({"numpy"}), frozenset({"openvdb", "pyopenvdb", "dask"})
    ),
    "jobs": Room(),
}


@dataclass(frozen=True)
class Import:
    """One import: ``target`` is a room ("" is the root package) or a top-level package."""

    line: int
    target: str
    inside: bool
    lazy: bool


def imports(source: str, path: Path) -> Iterator[Import]:
    """All imports of a module at ``path``, which is relative to the package's root."""
    package = path.parts[:-1]

    def visit(node: ast.AST, lazy: bool) -> Iterator[Import]:
        lazy = lazy or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            for child in node.body:
                yield from visit(child, True)
            for child in node.orelse:
                yield from visit(child, lazy)
            return
        if isinstance(node, ast.Import):
            for name in node.names:
                yield absolute(node.lineno, name.name, lazy)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield absolute(node.lineno, node.module or "", lazy)
        elif isinstance(node, ast.ImportFrom):
            base = (*package[: len(package) - node.level + 1], *(node.module or "").split("."))
            base = tuple(part for part in base if part)
            names = [base] if base else [(name.name,) for name in node.names]
            for parts in names:
                yield Import(node.lineno, parts[0] if parts[0] in ROOMS else "", True, lazy)
        for child in ast.iter_child_nodes(node):
            yield from visit(child, lazy)

    return visit(ast.parse(source), False)


def absolute(line: int, module: str, lazy: bool) -> Import:
    first, _, rest = module.partition(".")
    if first == "stagewright":
        return Import(line, rest.partition(".")[0], True, lazy)
    return Import(line, first, False, lazy)


def offences(source: str, path: Path) -> list[str]:
    """Imports that the contract forbids, each as one sentence."""
    name = path.parts[0] if len(path.parts) > 1 else ""
    room = ROOMS[name]
    found = []
    for item in imports(source, path):
        where = f"{path.as_posix()}:{item.line} imports {item.target or 'the root package'}"
        if item.inside:
            if name == "" and item.target == "addon" and item.lazy:
                continue
            if item.target not in {name, *room.rooms}:
                found.append(f"{where}, which {name or 'the root package'} must not know")
        elif item.target in sys.stdlib_module_names or item.target in room.packages:
            continue
        elif item.target not in room.optional:
            found.append(f"{where}, which {name or 'the root package'} must not know")
        elif not item.lazy:
            found.append(f"{where}, which is optional: import it inside the function")
    return found


def test_every_room_keeps_the_import_contract(root: Path, sources: list[Path]) -> None:
    broken = [
        offence
        for path in sources
        if path == Path("__init__.py") or path.parts[0] in ROOMS
        for offence in offences((root / path).read_text(encoding="utf-8"), path)
    ]
    assert broken == []


@pytest.mark.parametrize(
    ("path", "source", "target"),
    [
        ("usd_tools/a.py", "import bpy", "bpy"),
        ("usd_tools/a.py", "from ..ayon_bridge import names", "ayon_bridge"),
        ("usd_tools/deep/a.py", "from ... import pipeline", "pipeline"),
        ("usd_tools/a.py", "import MaterialX", "MaterialX"),
        ("usd_tools/a.py", "from stagewright.addon import scene", "addon"),
        ("jobs/a.py", "def f():\n    import numpy as np", "numpy"),
        ("jobs/a.py", "from .. import __version__", "the root package"),
        ("pipeline/a.py", "from ..addon.scene import read", "addon"),
        ("pipeline/a.py", "class A:\n    def f(self):\n        import bpy", "bpy"),
        ("__init__.py", "from . import addon", "addon"),
        (
            "ayon_bridge/a.py",
            "try:\n    import httpx\nexcept ImportError:\n    pass",
            "httpx",
        ),
    ],
)
def test_forbidden_import_is_named(path: str, source: str, target: str) -> None:
    (offence,) = offences(source, Path(path))
    assert f"imports {target}," in offence
    assert offence.startswith(path)


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("usd_tools/a.py", "from ..jobs.errors import StagewrightError\nfrom . import findings"),
        ("usd_tools/deep/a.py", "from ..findings import Finding\nfrom pxr import Usd"),
        ("usd_tools/a.py", "def f():\n    import MaterialX"),
        ("pipeline/a.py", "from ..usd_tools import check\nfrom .. import jobs"),
        ("__init__.py", "def register():\n    from . import addon"),
        ("addon/a.py", "import bpy\nfrom ..pipeline import publish"),
    ],
)
def test_allowed_import_passes(path: str, source: str) -> None:
    assert offences(source, Path(path)) == []


def test_every_room_but_the_addon_imports_where_blender_is_not(sources: list[Path]) -> None:
    modules = [
        ".".join(("stagewright", *path.with_suffix("").parts)).removesuffix(".__init__")
        for path in sources
        if path.parts[0] in ROOMS.keys() - {"addon"} or path == Path("__init__.py")
    ]
    program = (
        "import importlib, sys\n"
        f"sys.modules.update(dict.fromkeys({sorted(BLENDER)!r}))\n"
        f"for name in {modules!r}: importlib.import_module(name)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "stagewright.pipeline" in modules and "stagewright.usd_tools" in modules


def test_the_fidelity_check_shares_nothing_with_the_writer(root: Path) -> None:
    kept_apart = ("direct", "stream", "prepare")
    witnesses = [
        *(root / "usd_tools").glob("*fidelity.py"),
        *(
            root / "usd_tools" / f"{name}.py"
            for name in ("scene_record", "stage_meshes", "pairing")
        ),
        *(root / "addon" / "scene" / f"{name}.py" for name in ("reading", "surfaces", "materials")),
    ]
    assert len(witnesses) >= 10
    for path in witnesses:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import | ast.ImportFrom):
                words = set(ast.unparse(node).replace(".", " ").replace(",", " ").split())
                assert not words & set(kept_apart), f"{path.name}: {ast.unparse(node)}"
