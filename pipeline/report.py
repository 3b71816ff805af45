# SPDX-License-Identifier: GPL-3.0-or-later
"""The report of a published asset: one page that opens from disk."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path

from ..jobs.errors import StagewrightError
from ..usd_tools.contents import Contents
from ..usd_tools.findings import CheckReport, Finding, Severity
from ..usd_tools.identity import Identity
from .summaries import count, severities

# What each severity is called and means to the reader, worst first.
_SEVERITIES: tuple[tuple[Severity, str, str], ...] = (
    ("error", "Errors", "They stop a publish, unless they are allowed."),
    ("loss", "Losses", "What the scene has and the file does not hold."),
    ("warning", "Warnings", "Worth a look."),
    ("info", "Notes", ""),
)

_STYLE = """
:root { color-scheme: light dark; --paper: #fbfaf7; --ink: #22211e; --soft: #6d6a63;
  --line: #e2dfd7; --card: #ffffff; --error: #b3261e; --loss: #a15c00; --warning: #77681a;
  --info: #4a6274; --good: #2e6b43; --accent: #9a6b1f; }
@media (prefers-color-scheme: dark) { :root { --paper: #191815; --ink: #eceae4;
  --soft: #a09c92; --line: #36342e; --card: #22211d; --error: #f2918a; --loss: #eba852;
  --warning: #d3c266; --info: #9dbbd0; --good: #86cc9e; --accent: #e0ad5c; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 15px/1.55 system-ui, "Segoe UI", "Helvetica Neue", sans-serif; }
main { max-width: 60rem; margin: 0 auto; padding: 3rem 1.5rem 4rem; }
header { display: grid; grid-template-columns: 15rem 1fr; gap: 2.5rem; align-items: center; }
header.bare { grid-template-columns: 1fr; }
header img { width: 100%; aspect-ratio: 1; object-fit: contain; border-radius: 14px;
  background: radial-gradient(circle at 50% 40%, #f4f2ec, #c9c5ba); }
h1 { font-size: 2.4rem; line-height: 1.15; margin: 0; letter-spacing: -0.02em;
  overflow-wrap: anywhere; }
h1 span { color: var(--accent); font-weight: 400; }
h2 { font-size: 1.15rem; margin: 3rem 0 .8rem; padding-bottom: .4rem;
  border-bottom: 1px solid var(--line); }
h3 { font-size: 1rem; margin: 1.6rem 0 .5rem; }
h3 small, .soft { color: var(--soft); font-weight: 400; }
.verdict { margin: 1rem 0; font-size: 1.1rem; font-weight: 600; }
.good { color: var(--good); } .error { color: var(--error); } .loss { color: var(--loss); }
.warning { color: var(--warning); } .info { color: var(--info); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1.2rem; margin: 0; }
dt { color: var(--soft); } dd { margin: 0; overflow-wrap: anywhere; }
ul.findings { list-style: none; margin: 0; padding: 0; }
ul.findings li { background: var(--card); border: 1px solid var(--line);
  border-left: 4px solid currentColor; border-radius: 8px; padding: .65rem 1rem;
  margin: .5rem 0; break-inside: avoid; }
ul.findings p { margin: 0; color: var(--ink); overflow-wrap: anywhere; }
ul.findings p + p { color: var(--soft); }
code { font: .82em ui-monospace, "Cascadia Mono", Menlo, Consolas, monospace; }
.tags { float: right; margin-left: 1rem; }
.tags code { border: 1px solid var(--line); border-radius: 99px; padding: .1rem .6rem;
  color: var(--soft); }
.numbers { display: grid; grid-template-columns: repeat(auto-fit, minmax(8.5rem, 1fr));
  gap: .8rem; }
.numbers div { background: var(--card); border: 1px solid var(--line); border-radius: 10px;
  padding: .8rem 1rem; break-inside: avoid; }
.numbers b { display: block; font-size: 1.35rem; font-variant-numeric: tabular-nums; }
.numbers .wide { grid-column: span 2; }
.numbers span { color: var(--soft); }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .4rem .8rem .4rem 0; border-bottom: 1px solid var(--line);
  overflow-wrap: anywhere; }
th { color: var(--soft); font-weight: 500; }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap;
  overflow-wrap: normal; }
th.number:last-child, td.number:last-child { padding-right: 0; }
footer { margin-top: 3.5rem; color: var(--soft); font-size: .85rem; }
@media (max-width: 40rem) { header { grid-template-columns: 1fr; }
  header img { max-width: 15rem; } }
@media print { body { background: none; } main { max-width: none; padding: 0; }
  h2, h3 { break-after: avoid; } }
"""


def write_report(
    path: Path,
    *,
    identity: Identity,
    contents: Contents,
    checks: CheckReport,
    picture: Path | None,
    made_with: str,
) -> None:
    """Write the report as one HTML file that needs no other file and no network.

    Args:
        path: the file to write.
        identity: which version the report is about.
        contents: what the asset contains.
        checks: what the checks found.
        picture: a PNG of the asset, or None.
        made_with: names and versions of the programs, for the last line.

    Raises:
        StagewrightError: ``report-unwritable``.
    """
    title = f"{identity.name} {identity.version}"
    body = "".join(
        (
            _header(identity, checks, picture),
            _section("Checks", _checks(checks)),
            _section("Contents", _numbers(contents)),
            _section("Materials", _materials(contents)),
            _section("Textures", _textures(contents)),
            _section("Layers", _layers(contents)),
            f"<footer>Made with {escape(made_with)}.</footer>",
        )
    )
    page = (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n"
        f"<body>\n<main>\n{body}\n</main>\n</body>\n</html>\n"
    )
    try:
        path.write_text(page, encoding="utf-8")
    except OSError as error:
        raise StagewrightError(
            "report-unwritable",
            f"The report {path.name} cannot be written ({error.strerror}).",
            "Make room on the disk, or choose a folder you may write to.",
        ) from error


def rename_report(path: Path, identity: Identity) -> None:
    """Let a report that :func:`write_report` wrote be about another version of the asset."""
    page = path.read_text(encoding="utf-8")
    page = re.sub(r"(<title>.* )v\d+(</title>)", rf"\g<1>{identity.version}\2", page)
    page = re.sub(r"(<h1>.* <span>)v\d+(</span>)", rf"\g<1>{identity.version}\2", page)
    named = re.search(r"<dt>File</dt><dd>(.+?)</dd>", page)
    if named:
        page = page.replace(named[1], escape(identity.identifier))
    path.write_text(page, encoding="utf-8")


def verdict(checks: CheckReport) -> str:
    """What the checks found, in one sentence."""
    return f"{severities(checks) or 'No errors, no losses, no warnings'}."


def _header(identity: Identity, checks: CheckReport, picture: Path | None) -> str:
    image = ""
    if picture is not None:
        data = base64.b64encode(picture.read_bytes()).decode("ascii")
        image = f'<img alt="{escape(identity.name)}" src="data:image/png;base64,{data}">'
    worst = next((s for s, *_ in _SEVERITIES if any(f.severity == s for f in checks.findings)), "")
    tone = "good" if worst in ("", "info") else worst
    facts = _facts(
        (
            ("Project", identity.project),
            ("File", identity.identifier),
            ("Version id", identity.version_id),
        )
    )
    return (
        f"<header{'' if image else ' class=bare'}>{image}<div>"
        f"<h1>{escape(identity.name)} <span>{escape(identity.version)}</span></h1>"
        f'<p class="verdict {tone}">{escape(verdict(checks))}</p>{facts}</div></header>'
    )


def _checks(checks: CheckReport) -> str:
    parts = []
    if checks.greatest_distance is not None:
        meshes = count(checks.compared, "mesh")
        parts.append(
            f"<p>{escape(meshes)} compared with the scene point by point; the greatest "
            f"distance is {checks.greatest_distance:.3g} units.</p>"
        )
    for severity, name, meaning in _SEVERITIES:
        found = [f for f in checks.findings if f.severity == severity]
        if found:
            items = "".join(_finding(f, f.check in checks.allowed) for f in found)
            parts.append(
                f'<h3 class="{severity}">{name} ({len(found)}) <small>{meaning}</small></h3>'
                f'<ul class="findings {severity}">{items}</ul>'
            )
    return "".join(parts)


def _finding(finding: Finding, allowed: bool) -> str:
    tags = [finding.check]
    if finding.severity == "error" and allowed:
        tags.append("allowed")
    if finding.object:
        tags.append(finding.object)
    marks = " ".join(f"<code>{escape(tag)}</code>" for tag in tags)
    cure = f"<p>{escape(finding.cure)}</p>" if finding.cure else ""
    return f'<li><span class="tags">{marks}</span><p>{escape(finding.message)}</p>{cure}</li>'


def _numbers(contents: Contents) -> str:
    lights = sum(n for kind, n in contents.prims.items() if kind.endswith("Light"))
    counts = (
        (contents.prims.get("Mesh", 0), "mesh"),
        (contents.polygons, "polygon"),
        (contents.points, "point"),
        (contents.instances, "instance"),
        (contents.prims.get("Camera", 0), "camera"),
        (lights, "light"),
    )
    size = " × ".join(f"{s * contents.metres_per_unit:.3g}" for s in contents.size)
    on_disk = sum(f.size for f in contents.layers) + sum(f.size for f in contents.textures)
    numbers = [
        *(count(n, one).split(" ", 1) for n, one in counts if n),
        (size, "metres"),
        (_bytes(on_disk), "on disk"),
    ]
    if contents.frames is not None:
        first, last = contents.frames
        numbers.append((f"{first:g}–{last:g}", f"frames at {contents.frames_per_second:g}/s"))
    cards = "".join(
        f"<div{' class=wide' if len(number) > 10 else ''}><b>{escape(number)}</b>"
        f"<span>{escape(word)}</span></div>"
        for number, word in numbers
    )
    kinds = ", ".join(f"{n:,} {kind or 'untyped'}" for kind, n in contents.prims.items())
    axis = f"{contents.up_axis} up, {contents.metres_per_unit:g} m per unit"
    return f'<div class="numbers">{cards}</div><p class="soft">{escape(kinds)}. {axis}.</p>'


def _materials(contents: Contents) -> str:
    return f"<p>{escape(', '.join(contents.materials))}</p>" if contents.materials else ""


def _textures(contents: Contents) -> str:
    rows = [
        (t.name, "{} × {}".format(*t.resolution) if t.resolution else "", _bytes(t.size))
        for t in contents.textures
    ]
    return _table(("Name", "Pixels", "Size"), rows)


def _layers(contents: Contents) -> str:
    return _table(("Name", "Size"), [(f.name, _bytes(f.size)) for f in contents.layers])


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table whose first column is text and whose others are numbers; "" without rows."""
    if not rows:
        return ""
    lines = [_row("th", heads), *(_row("td", row) for row in rows)]
    return f'<div class="scroll"><table>{"".join(lines)}</table></div>'


def _row(tag: str, cells: Sequence[str]) -> str:
    first, *others = (escape(cell) for cell in cells)
    numbers = "".join(f'<{tag} class="number">{cell}</{tag}>' for cell in others)
    return f"<tr><{tag}>{first}</{tag}>{numbers}</tr>"


def _facts(facts: Iterable[tuple[str, str]]) -> str:
    pairs = (f"<dt>{escape(k)}</dt><dd>{escape(v)}</dd>" for k, v in facts if v)
    return f"<dl>{''.join(pairs)}</dl>"


def _section(title: str, content: str) -> str:
    return f"<section><h2>{escape(title)}</h2>{content}</section>" if content else ""


def _bytes(size: int) -> str:
    """A size for people: ``12.3 MB``."""
    number = float(size)
    for unit in ("bytes", "kB", "MB"):
        if number < 1000:
            return f"{number:.3g} {unit}"
        number /= 1000
    return f"{number:.3g} GB"
