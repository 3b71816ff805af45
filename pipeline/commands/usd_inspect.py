# SPDX-License-Identifier: GPL-3.0-or-later
"""``stagewright usd inspect|tree|diff``: look into USD files."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...jobs.errors import StagewrightError
from ...jobs.events import Job, Progress
from ..host import SceneHost
from ..summaries import count
from .common import add_verb, require_usd

if TYPE_CHECKING:  # USD takes half a second
    from ...usd_tools.inspect.tree import PrimRow


def add_to(group: Any) -> None:
    """Add the verbs to the group ``usd``."""
    _add_inspect(group)
    _add_tree(group)
    _add_diff(group)


def _add_stage_options(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("file", type=Path, metavar="FILE", help="the root layer or .usdz")
    verb.add_argument(
        "--variant",
        action="append",
        default=[],
        metavar="PRIM:SET=NAME",
        help="select a variant for this look, without touching the file (may be repeated)",
    )
    verb.add_argument(
        "--mute",
        action="append",
        default=[],
        metavar="LAYER",
        help="leave a sublayer out, by its file name (may be repeated)",
    )
    verb.add_argument("--no-payloads", action="store_true", help="load no payload")


def _opened(options: argparse.Namespace) -> Any:
    """The stage that the options describe."""
    require_usd()
    from ...usd_tools.inspect.layers import layer_stack, select_variant, set_muted
    from ...usd_tools.stages import open_stage

    stage = open_stage(options.file.absolute(), load=not options.no_payloads)
    for name in options.mute:
        found = [row for row in layer_stack(stage) if row.name == name]
        if not found:
            raise StagewrightError(
                "no-layer",
                f"{options.file.name} has no sublayer called {name}.",
                f"See its layers with stagewright usd inspect {options.file.name}.",
            )
        set_muted(stage, found[0].identifier, True)
    for choice in options.variant:
        prim, _, rest = choice.partition(":")
        variant_set, equals, variant = rest.partition("=")
        if not equals:
            raise StagewrightError(
                "bad-arguments",
                f"--variant {choice} names no variant.",
                "Write it as /Prim:set=variant.",
            )
        select_variant(stage, prim, variant_set, variant)
    return stage


def _add_inspect(group: Any) -> None:
    verb = add_verb(
        group,
        "inspect",
        "Tell what a USD file holds, or all about one prim.",
        reads=("file",),
        handler=_inspect,
        summary=_inspected,
    )
    _add_stage_options(verb)
    verb.add_argument("prim", nargs="?", metavar="PRIM", help="path of a prim")
    verb.add_argument("--time", type=float, help="time code of the values")


def _inspect(options: argparse.Namespace, host: SceneHost | None) -> Job[dict[str, Any]]:
    yield Progress("inspect.open", 0.0, f"Opening {options.file.name}")
    stage = _opened(options)
    from ...usd_tools.inspect.layers import composition_problems, layer_stack, stage_dependencies
    from ...usd_tools.inspect.properties import prim_details
    from ...usd_tools.inspect.statistics import statistics
    from ...usd_tools.stages import reading

    if options.prim:
        with reading(options.file):
            return {"prim": asdict(prim_details(stage, options.prim, options.time))}
    yield Progress("inspect.count", 0.5, "Counting")
    with reading(options.file):
        files = stage_dependencies(stage)
        return {
            "statistics": asdict(statistics(stage)),
            "problems": composition_problems(stage),
            "layers": [asdict(row) for row in layer_stack(stage)],
            "dependencies": [asdict(row) | {"broken": row.broken} for row in files],
        }


def _inspected(value: Mapping[str, Any]) -> str:
    return "\n".join(_prim_lines(value["prim"]) if "prim" in value else _file_lines(value))


def _file_lines(value: Mapping[str, Any]) -> Iterator[str]:
    numbers = value["statistics"]
    kinds = sorted(numbers["prims"].items(), key=lambda item: (-item[1], item[0]))
    yield "Prims: " + ", ".join(f"{number:,} {name or 'untyped'}" for name, number in kinds)
    yield (
        f"{count(numbers['polygons'], 'polygon')}, {count(numbers['points'], 'point')}, "
        f"{count(numbers['instances'], 'instance')}, {count(numbers['materials'], 'material')}, "
        f"{count(numbers['time_samples'], 'time sample')}"
    )
    memory = numbers["texture_memory"] / 1e6
    yield f"{count(numbers['textures'], 'texture')}, {memory:,.1f} MB in memory"
    if value["problems"]:
        yield "Not composed:"
        yield from (f"  {problem}" for problem in value["problems"])
    yield "Layers:"
    for row in value["layers"]:
        marks = ["muted"] * row["muted"] + ["missing"] * (not row["resolved"])
        if (row["offset"], row["scale"]) != (0, 1):
            marks.append(f"time x {row['scale']:g} + {row['offset']:g}")
        yield f"{'  ' * (row['depth'] + 1)}{row['name']}{_in_brackets(marks)}"
    yield "Files:"
    for row in value["dependencies"]:
        marks = ["broken"] * row["broken"] + ["layer"] * row["arc"]
        yield f"  {row['path']}{_in_brackets(marks)}"


def _prim_lines(prim: Mapping[str, Any]) -> Iterator[str]:
    yield f"{prim['path']}  {prim['type_name']}"
    if prim["applied_schemas"]:
        yield f"  schemas: {', '.join(prim['applied_schemas'])}"
    for name, text in prim["metadata"].items():
        yield f"  {name} = {text}"
    for purpose, material in prim["bindings"].items():
        yield f"  material{f' ({purpose})' if purpose else ''}: {material}"
    yield "  composed of:"
    for arc in prim["arcs"]:
        empty = "" if arc["has_specs"] else "  (says nothing)"
        yield f"    {arc['kind']}: {Path(arc['layer']).name} <{arc['path']}>{empty}"
    yield "  properties:"
    for row in prim["properties"]:
        samples = f"  ({count(row['samples'], 'time sample')})" if row["samples"] else ""
        yield f"    {row['type_name']} {row['name']} = {row['value']}{samples}"
        for opinion in row["opinions"]:
            value = "blocked" if opinion["blocked"] else opinion["value"]
            yield f"        {Path(opinion['layer']).name}: {value}"


def _in_brackets(marks: list[str]) -> str:
    return f" [{', '.join(marks)}]" if marks else ""


def _add_tree(group: Any) -> None:
    verb = add_verb(
        group,
        "tree",
        "List the prims of a USD file.",
        reads=("file",),
        handler=_tree,
        summary=_tree_text,
    )
    _add_stage_options(verb)
    verb.add_argument("--below", default="/", metavar="PRIM", help="begin at this prim")
    verb.add_argument("--depth", type=int, default=0, help="levels to show (default: all)")
    verb.add_argument(
        "--search",
        default="",
        metavar="WORDS",
        help="only what fits: a part of the name or a pattern (m*sh), type:Mesh, path:/a/**, "
        "kind:component, in:LAYER, is:instance|payload|variants|reference|inactive|abstract",
    )
    verb.add_argument("--limit", type=int, default=10_000, help="greatest number of rows")


def _tree(options: argparse.Namespace, host: SceneHost | None) -> Job[dict[str, Any]]:
    yield Progress("inspect.open", 0.0, f"Opening {options.file.name}")
    stage = _opened(options)
    from ...usd_tools.inspect.tree import row, search
    from ...usd_tools.stages import reading

    rows: Iterator[PrimRow] = _below(stage, options.below, options.depth or 1 << 30)
    if options.search:
        rows = map(row, search(stage, options.search))
    with reading(options.file):
        shown = list(islice(rows, options.limit + 1))
    cut = len(shown) > options.limit
    return {"rows": [each._asdict() for each in shown[: options.limit]], "cut": cut}


def _below(stage: Any, path: str, depth: int) -> Iterator[PrimRow]:
    from ...usd_tools.inspect.tree import children

    waiting = [(row, 1) for row in reversed(list(children(stage, path)))]
    while waiting:
        row, level = waiting.pop()
        yield row
        if row.has_children and level < depth:
            waiting += [(child, level + 1) for child in reversed(list(children(stage, row.path)))]


def _tree_text(value: Mapping[str, Any]) -> str:
    lines = [_tree_line(row) for row in value["rows"]]
    if value["cut"]:
        lines.append("… more: narrow it with --search, --below or --depth, or raise --limit.")
    return "\n".join(lines) or "No prim fits."


def _tree_line(row: Mapping[str, Any]) -> str:
    marks = [row["kind"], row["purpose"], f"payload {row['payload']}" if row["payload"] else ""]
    marks += ["instance"] * row["instance"] + ["inactive"] * (not row["active"])
    marks += [f"{name}={chosen}" for name, chosen in row["variants"]]
    marks += [row["specifier"]] * (row["specifier"] != "def")
    level = row["path"].count("/") - 1
    shown = [mark for mark in marks if mark]
    return f"{'  ' * level}{row['name']}  {row['type_name']}{_in_brackets(shown)}".rstrip()


def _add_diff(group: Any) -> None:
    verb = add_verb(
        group,
        "diff",
        "Tell what differs between two USD files; exit code 1 when anything does.",
        reads=("before", "after"),
        handler=_diff,
        summary=_diff_text,
        found_errors=lambda value: bool(value["changes"]),
    )
    verb.add_argument("before", type=Path, metavar="BEFORE")
    verb.add_argument("after", type=Path, metavar="AFTER")
    verb.add_argument(
        "--stage", action="store_true", help="compare what they compose to, not the two layers"
    )
    verb.add_argument(
        "--tolerance",
        type=float,
        default=0.0,
        help="greatest difference of numbers that counts as none, absolute or relative",
    )


def _diff(options: argparse.Namespace, host: SceneHost | None) -> Job[dict[str, Any]]:
    require_usd()
    from ...usd_tools.diff import diff_layers, diff_stages
    from ...usd_tools.stages import open_stage, reading

    yield Progress("diff.open", 0.0, "Opening the files")
    before, after = (open_stage(file.absolute()) for file in (options.before, options.after))
    with reading(options.after):
        if options.stage:
            changes = yield from diff_stages(before, after, options.tolerance)
        else:
            layers = before.GetRootLayer(), after.GetRootLayer()
            changes = yield from diff_layers(layers[0], layers[1], options.tolerance)
    return {"changes": [change.to_json() for change in changes]}


def _diff_text(value: Mapping[str, Any]) -> str:
    from ...usd_tools.diff import Change, summary

    changes = [Change(**change) for change in value["changes"]]
    return "\n".join([*summary(changes), f"{count(len(changes), 'difference')}."])
