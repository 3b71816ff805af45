# SPDX-License-Identifier: GPL-3.0-or-later
"""Write docs/benchmarks.md from what the benches printed.

    python bench/fields.py --json > bench/results/fields.json
    python bench/page.py

Each file of ``bench/results`` is the ``--json`` of one bench, several of its tasks alone included.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "bench" / "results"
PAGE = ROOT / "docs" / "benchmarks.md"
HEAD = """\
# Benchmarks

Written by `python bench/page.py` from the results in `bench/results`; each table is the `--json` of
one bench. A time counts only beside its peer's, taken in turns in the same run after both answers
were compared: *ratio* is ours over the peer's, below 1 is faster. Medians, on two cores.
"""
COLUMNS = ("task", "size", "against", "ours", "theirs", "ratio", "answers", "note")


def page(results: Mapping[str, list[Mapping[str, Any]]]) -> str:
    """The page's text; ``results`` are rows by the bench's name."""
    parts = [HEAD]
    for name, rows in sorted(results.items()):
        parts.append(f"## {name}\n\n`python bench/{name}.py --json`\n")
        parts.append("\n".join(_table(rows)) + "\n")
    return "\n".join(parts)


def _table(rows: list[Mapping[str, Any]]) -> Iterator[str]:
    yield f"| {' | '.join(COLUMNS)} |"
    yield "|---" * len(COLUMNS) + "|"
    for row in rows:
        yield f"| {' | '.join(_cells(row))} |"


def _cells(row: Mapping[str, Any]) -> Iterator[str]:
    """One cell for each of COLUMNS; an empty one for what a row does not tell."""
    yield row["task"]
    yield str(row.get("size", ""))
    goal = "peer" not in row  # there is nobody beside us: a number that is to be reached
    yield "goal" if goal else str(row["peer"])
    if "ratio" in row:
        yield f"{row['ours_s'] * 1e3:.4g} ms"
        yield f"{row['peer_s'] * 1e3:.4g} ms"
        yield f"{row['ratio']:.2f}"
    else:
        unit = row.get("unit", "")
        for key in ("value", "baseline"):
            yield f"{row[key]:.4g} {unit}".strip() if row.get(key) is not None else ""
        yield ""
    words = ("**missed**", "reached") if goal else ("**differ**", "agree")
    yield words[row["agree"]] if "agree" in row else ""
    yield str(row.get("note", "")).replace("|", "\\|")


def main() -> None:
    """Read the results and write the page."""
    files = sorted(RESULTS.glob("*.json"))
    PAGE.write_text(
        page({file.stem: json.loads(file.read_text())["rows"] for file in files}), encoding="utf-8"
    )


if __name__ == "__main__":
    main()
