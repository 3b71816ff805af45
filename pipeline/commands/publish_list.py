# SPDX-License-Identifier: GPL-3.0-or-later
"""``stagewright publish --from LIST.csv``: many files."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...jobs.errors import StagewrightError
from ...jobs.events import Job
from ..host import SceneHost
from ..summaries import count

if TYPE_CHECKING:
    from ...ayon_bridge.home import PublishRequest
    from ..batch import Enter, Row, Start


def add_list_options(parser: argparse.ArgumentParser, files: argparse._ActionsContainer) -> None:
    """``--from``, and how its files are worked on.

    Args:
        parser: gets the options.
        files: gets ``--from``.
    """
    files.add_argument(
        "--from",
        dest="list",
        type=Path,
        action=_FromList,
        metavar="LIST.csv",
        help="publish many files: the first line of LIST.csv names its columns, `file` and options "
        "such as `product`; what is given here as well holds where a cell is empty",
    )
    parser.add_argument(
        "--jobs",
        type=_positive,
        default=1,
        metavar="N",
        help="with --from: how many Blenders work at a time (default: %(default)s)",
    )
    parser.add_argument(
        "--retries",
        type=int,
        default=2,
        metavar="N",
        help="with --from: tries after one that failed for a reason that may pass "
        "(default: %(default)s)",
    )
    parser.add_argument(
        "--results",
        type=Path,
        metavar="FILE",
        help="with --from: what comes of each file, and what an earlier run has done already "
        "(default: LIST.results.jsonl)",
    )
    parser.add_argument(
        "--fresh", action="store_true", help="with --from: do again what is done already"
    )
    parser.add_argument(
        "--scheduler",
        metavar="ADDRESS",
        help="with --from: let the workers of this Dask cluster do it, such as tcp://farm:8786",
    )


class _FromList(argparse.Action):
    """The list, for which no scene has to be open."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        """Keep the list; the verb is another one with it."""
        setattr(namespace, self.dest, values)
        namespace.needs_scene = False
        namespace.handler = _publish_list
        namespace.summary = _listed
        namespace.found_errors = _some_failed


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError
    return number


def _shared(options: argparse.Namespace) -> list[str]:
    """The words of the command line that are meant for every row."""
    own = argparse.ArgumentParser(add_help=False)
    own.add_argument("--json", action="store_true")
    add_list_options(own, own)
    return own.parse_known_args(options.words[1:])[1]


def _publish_list(options: argparse.Namespace, host: SceneHost | None) -> Job[dict[str, Any]]:
    from ..batch import publish_list, read_list
    from ..cli import parse
    from ..work import work_folder

    path: Path = options.list
    rows = read_list(path, _shared(options), lambda words: parse(["publish", *words]))
    results = options.results or path.with_suffix(".results.jsonl")
    if not options.scheduler:
        with work_folder() as folder:
            start, enter = _ways(rows, options.retries, folder)
            local = {"at_once": options.jobs, "fresh": options.fresh, "enter": enter}
            return (yield from publish_list(rows, results, start, **local))
    from ..farm import cluster, on_cluster

    with cluster(options.scheduler) as client:
        there = on_cluster(client, options.retries)
        everything = {"at_once": max(len(rows), 1), "fresh": options.fresh}
        return (yield from publish_list(rows, results, there, **everything))


def _ways(rows: Sequence[Row], retries: int, folder: Path) -> tuple[Start, Enter | None]:
    """How rows are begun; and entered, if any is for the AYON server."""
    from ..batch import publish_row

    requests = {row.key: made for row in rows if (made := _request(row)) is not None}
    if not requests:
        return lambda row: publish_row(row, retries), None
    from ..joint import Joint

    joint = Joint(requests, retries, folder)
    return joint.start, joint.enter


def _request(row: Row) -> PublishRequest | None:
    """The request of a row that is for the server; a wrong one tells so by itself.

    So does a shot's: to know its name, its asset would have to be read.
    """
    from ..cli import parse
    from ..order import request_of
    from .publish import order_of

    try:
        options = parse(["publish", *row.words])
        if options.to != "server" or options.over:
            return None
        return request_of(order_of(options))
    except StagewrightError:
        return None


def _some_failed(value: Mapping[str, Any]) -> bool:
    return any(row["state"] == "failed" for row in value["rows"])


def _listed(value: Mapping[str, Any]) -> str:
    """Every row that failed, and the numbers of all."""
    rows = value["rows"]
    lines = [
        f"  line {row['number']}, {row['file']}: {row['message']}"
        for row in rows
        if row["state"] == "failed"
    ]
    words = {"before": "done before"}
    states = ("published", "unchanged", "before", "failed")
    numbers = {state: sum(row["state"] == state for row in rows) for state in states}
    told = [f"{number} {words.get(state, state)}" for state, number in numbers.items() if number]
    return "\n".join([*lines, f"{count(len(rows), 'file')}: {', '.join(told) or 'none'}."])
