# SPDX-License-Identifier: GPL-3.0-or-later
"""Opening, expanding, searching, counting and comparing."""

from __future__ import annotations

import importlib.util
import json
import statistics as middle
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from pxr import Sdf, Usd, UsdGeom
from rows import Row

ROOT = Path(__file__).resolve().parents[2]
spec = importlib.util.spec_from_file_location(
    "stagewright", ROOT / "__init__.py", submodule_search_locations=[str(ROOT)]
)
assert spec is not None and spec.loader is not None
sys.modules["stagewright"] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(sys.modules["stagewright"])

from stages import assets, changed, flat, instances  # noqa: E402

from stagewright.usd_tools.diff import diff_layers, diff_stages  # noqa: E402
from stagewright.usd_tools.inspect.statistics import statistics  # noqa: E402
from stagewright.usd_tools.inspect.tree import children, search  # noqa: E402

SCENES: dict[str, tuple[Callable[[Path, int], Path], int, int]] = {
    "flat": (flat, 100_000, 5_000),
    "assets": (assets, 500, 50),
    "instances": (instances, 100_000, 5_000),
}


def open_to_first_rows(quick: bool) -> Iterator[Row]:
    """Until the first level of the tree is there, filtered by a search in it."""
    for name, path in _files(quick):

        def ours(path: Path = path) -> int:
            # As many rows as a list shows at once.
            stage = _open(path)
            return len(list(islice(children(stage, "/root", "1"), 100)))

        yield from _rows("open-to-first-rows", name, ours, lambda path=path: _open(path), quick)


def expand(quick: bool) -> Iterator[Row]:
    """1000 children of one prim."""
    for name, path in _files(quick):
        stage = _open(path)
        below = "/root/g0" if name == "flat" else "/root"
        look = partial(_thousand, stage, below)
        number = look()
        taken = [_timed(look)[0] for _ in range(7)]
        per_thousand = middle.median(taken) * 1000 * 1000 / number
        yield {
            "task": "expand",
            "size": name,
            "value": per_thousand,
            "baseline": 20.0,
            "unit": "ms for 1000 rows",
        }


def draw(quick: bool) -> Iterator[Row]:
    """A redraw of all the inspector's panels with 5,000 lines open, without Blender's own part."""
    row: Row = {"task": "draw", "size": "5,000 lines", "baseline": 2.0, "unit": "ms"}
    if importlib.util.find_spec("bpy") is None:
        yield row | {"note": "there is no bpy here"}
        return
    with tempfile.TemporaryDirectory() as folder:
        path = flat(Path(folder), 6_000)
        side = Path(__file__).with_name("draw_side.py")
        told = subprocess.run(
            [sys.executable, str(side), str(path)], check=True, stdout=subprocess.PIPE, text=True
        )
    answer = json.loads(told.stdout)
    taken = middle.median(answer["seconds"]) * 1000
    yield row | {"value": taken, "size": f"{answer['lines']:,} lines"}


def search_all(quick: bool) -> Iterator[Row]:
    """A name in all prims."""
    for name, path in _files(quick):
        stage = _open(path)
        for query in ("99", "type:Mesh", "path:/root/**9"):
            look = partial(_found, stage, query)
            taken = [_timed(look)[0] for _ in range(5)]
            yield {
                "task": "search",
                "size": f"{name}, {query}",
                "value": middle.median(taken),
                "baseline": 0.5,
                "unit": "s",
            }


def count_all(quick: bool) -> Iterator[Row]:
    """All statistics, beside a loop over all meshes that reads their face counts."""
    for name, path in _files(quick):
        stage = Usd.Stage.Open(str(path))
        ours, loop = partial(statistics, stage), partial(_polygons, stage)
        agree = ours().polygons == loop()
        yield from _rows("statistics", name, ours, loop, quick, agree=agree)


def diff(quick: bool) -> Iterator[Row]:
    """1000 planted changes of ten kinds, beside opening both files."""
    with tempfile.TemporaryDirectory() as folder:
        path = flat(Path(folder), 5_000 if quick else 100_000)
        other, planted = changed(path, 100 if quick else 1000)

        def layers() -> set[tuple[str, str]]:
            pair = [Sdf.Layer.OpenAsAnonymous(str(file)) for file in (path, other)]
            return {(c.path, c.field) for c in _finish(diff_layers(*pair))}

        def open_layers() -> object:
            return [Sdf.Layer.OpenAsAnonymous(str(file)) for file in (path, other)]

        agree = layers() == planted
        yield from _rows("diff", "layers", layers, open_layers, quick, agree=agree)

        def stages() -> int:
            return len(_finish(diff_stages(_open(path), _open(other))))

        def open_stages() -> object:
            return [_open(file) for file in (path, other)]

        yield from _rows("diff", "stages", stages, open_stages, quick)


TASKS = {
    "open-to-first-rows": open_to_first_rows,
    "expand": expand,
    "draw": draw,
    "search": search_all,
    "statistics": count_all,
    "diff": diff,
}


def _files(quick: bool) -> Iterator[tuple[str, Path]]:
    for name, (make, count, few) in SCENES.items():
        with tempfile.TemporaryDirectory() as folder:
            yield name, make(Path(folder), few if quick else count)


def _thousand(stage: Usd.Stage, below: str) -> int:
    return len(list(islice(children(stage, below), 1000)))


def _found(stage: Usd.Stage, query: str) -> int:
    return sum(1 for _ in search(stage, query))


def _polygons(stage: Usd.Stage) -> int:
    polygons = 0
    for prim in stage.Traverse(Usd.TraverseInstanceProxies()):
        if prim.IsA(UsdGeom.Mesh):
            polygons += len(UsdGeom.Mesh(prim).GetFaceVertexCountsAttr().Get() or ())
    return polygons


def _open(path: Path) -> Usd.Stage:
    # As an anonymous layer, so that nothing is kept from the time before.
    layer = Sdf.Layer.OpenAsAnonymous(str(path)) if path.suffix == ".usdc" else None
    if layer is not None:
        return Usd.Stage.Open(layer)
    stage = Usd.Stage.Open(str(path))
    stage.Reload()
    return stage


def _finish(job: Any) -> Any:
    while True:
        try:
            next(job)
        except StopIteration as end:
            return end.value


def _timed(run: Callable[[], Any]) -> tuple[float, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    result = run()
    taken = time.perf_counter() - wall, time.process_time() - cpu
    del result
    return taken


def _rows(
    task: str,
    size: str,
    ours: Callable[[], Any],
    peer: Callable[[], Any],
    quick: bool,
    agree: bool | None = None,
) -> Iterator[Row]:
    turns = [(_timed(ours), _timed(peer)) for _ in range(3 if quick else 5)]
    wall, cpu = (
        [middle.median(turn[side][clock] for turn in turns) for side in (0, 1)] for clock in (0, 1)
    )
    ratios = wall[0] / wall[1], cpu[0] / cpu[1]
    yield {
        "task": task,
        "size": size,
        "ours_s": wall[0],
        "peer_s": wall[1],
        "peer": f"USD {'.'.join(map(str, Usd.GetVersion()))}",
        "ratio": max(ratios),
        "agree": agree,
        "note": f"wall {ratios[0]:.2f}, CPU {ratios[1]:.2f}; {len(turns)} runs",
    }
