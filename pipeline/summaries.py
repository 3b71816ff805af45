# SPDX-License-Identifier: GPL-3.0-or-later
"""Results in words."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..usd_tools.findings import CheckReport, Severity

_ATTENTION: tuple[Severity, ...] = ("error", "loss", "warning")


def checks_line(report: CheckReport) -> str:
    """One line that counts the findings: ``2 losses and 1 warning``."""
    line = severities(report) or "no findings"
    if report.greatest_distance is not None:
        meshes = count(report.compared, "mesh")
        line += f"; {meshes} compared, off by {report.greatest_distance:.2g} at most"
    return line


def severities(report: CheckReport) -> str:
    """How many findings call for attention: ``1 error, 2 losses and 1 warning``, or ""."""
    numbers = {s: sum(f.severity == s for f in report.findings) for s in _ATTENTION}
    return _enumeration([count(number, s) for s, number in numbers.items() if number])


def count(number: int, one: str) -> str:
    """``1 loss``, ``2 losses``, ``3 meshes``."""
    many = f"{one}es" if one.endswith(("s", "sh")) else f"{one}s"
    return f"{number:,} {one if number == 1 else many}"


def _enumeration(parts: Sequence[str]) -> str:
    """``1 error, 2 losses and 1 warning``."""
    *first, last = parts or [""]
    return f"{', '.join(first)} and {last}" if first else last


def _checks(value: Mapping[str, Any]) -> list[str]:
    report = CheckReport.from_json(value["checks"])
    shown = [f for f in report.findings if f.severity != "info"]
    lines = [f"  {f.severity}: {f.message} {f.cure}".rstrip() for f in shown]
    if "path" in value["checks"]:
        fixes = dict.fromkeys(fix_words(f.fix, value["checks"]["path"]) for f in shown if f.fix)
        lines += [f"  mend it: stagewright {shlex.join(words)}" for words in fixes]
    return [*lines, f"Checks: {checks_line(report)}."]


def fix_words(fix: Sequence[str], root: str) -> tuple[str, ...]:
    """The command that mends a finding about the file ``root``, as words of ``stagewright``."""
    return ("usd", fix[0], root, *fix[1:])


def published(value: Mapping[str, Any]) -> str:
    """The summary of ``stagewright publish``."""
    if value["unchanged"]:
        return (
            f"Nothing changed since {value['version']}: {value['path']}\n"
            "Use --force to publish it again all the same."
        )
    lines = [*_checks(value), f"Published {value['version']}: {value['path']}"]
    if value["queued"]:
        lines.append("It waits for the server. Send it with: stagewright ayon sync")
    return "\n".join([*lines, f"Report: {value['report']}"])


def exported(value: Mapping[str, Any]) -> str:
    """The summary of ``stagewright usd export``."""
    return "\n".join([*_checks(value), f"Exported {value['path']}"])


def checked(value: Mapping[str, Any]) -> str:
    """The summary of ``stagewright usd check``."""
    return "\n".join(_checks({"checks": value}))


def verified(value: Mapping[str, Any]) -> str:
    """The summary of ``stagewright verify``."""
    problems = [problem["text"] for problem in value["problems"]]
    return "\n".join(problems) if problems else "Every published version has its files."


def textured(value: Mapping[str, Any]) -> str:
    """The summary of ``stagewright texture make``."""
    found = f" ({', '.join(value['found'])})" if value["found"] else ""
    return "\n".join([f"Made {value['family']}{found}:", *(f"  {f}" for f in value["files"])])


def graphed(value: Mapping[str, Any]) -> str:
    """The summary of ``stagewright texture graph``."""
    return "\n".join([f"Made in {count(len(value['steps']), 'step')}:", *value["files"]])


def batched(value: Mapping[str, Any]) -> str:
    """The summary of ``stagewright texture batch``."""
    lines = [f"Made {count(len(value['made']), 'set')}."]
    if value["there"]:
        lines.append(f"{count(value['there'], 'set')} were there already.")
    if value["refused"]:
        lines.append(f"{count(len(value['refused']), 'line')} could not be used.")
    return "\n".join(lines)


def again(value: Mapping[str, Any]) -> str:
    """The summary of ``stagewright texture rerun``."""
    if "photo" in value:
        return photographed({"made": [value], "refused": []})
    return graphed(value) if "steps" in value else textured(value)


def imported(value: Mapping[str, Any]) -> str:
    """The summary of ``stagewright usd import``."""
    return f"Imported as the collection {value['collection']}: {value['path']}"


def pictured(value: Mapping[str, Any]) -> str:
    """The summary of ``stagewright usd thumbnail``."""
    return f"Rendered {count(len(value['files']), 'picture')}: {value['path']}"


def losses(value: Mapping[str, Any]) -> str:
    """The summary of ``stagewright usd losses``."""
    found = value["losses"]
    lines = [f"  {loss['message']}" for loss in found]
    return "\n".join([*lines, f"{count(len(found), 'loss')}." if found else "Nothing is lost."])


def fielded(value: Mapping[str, Any]) -> str:
    """The summary of the commands of ``stagewright field`` that write a file."""
    told = []
    if "voxels" in value:
        told.append(f"{value['voxels']:,} voxels of {value['voxel_size']:.4g}")
    if "faces" in value:
        told.append(f"{value['faces']:,} faces")
    if "lines" in value:
        told.append(f"{value['lines']:,} lines")
    return f"{value['path']}{': ' if told else ''}{', '.join(told)}"


def field_info(value: Mapping[str, Any]) -> str:
    """The summary of ``stagewright field info``."""
    return "\n".join(f"{key}: {item}" for key, item in value.items())


def photographed(value: Mapping[str, Any]) -> str:
    """The summary of ``stagewright texture maps``."""
    if "sets" in value:
        return "\n".join(line for each in value["sets"] for line in _scored(each))
    made = [each for each in value["made"] if not each["done"]]
    lines = [file for each in made for file in each["files"]]
    lines += [
        expected_errors(each["expected_errors"]) for each in made if "expected_errors" in each
    ]
    before = len(value["made"]) - len(made)
    if before:
        lines.append(f"{count(before, 'set')} were there already.")
    if value["refused"]:
        lines.append(f"{count(len(value['refused']), 'photo')} could not be used.")
    return "\n".join(lines)


def _scored(each: Mapping[str, Any]) -> list[str]:
    """One scanned set's scores, the network's beside the classical way's."""
    drawn = " (its photo drawn from the maps)" if each["drawn"] else ""
    lines = [
        f"  {name.replace('_', ' ')}: {value:.3g}; classical {each['classical'][name]:.3g}"
        for name, value in each["network"].items()
    ]
    return [f"{each['name']}{drawn}", *lines]


def expected_errors(errors: Mapping[str, float]) -> str:
    """What a network says of its own maps, in a sentence."""
    return (
        "Estimated by a network trained on synthetic materials, which expects to be off by "
        f"{errors['normal']:.0f} degrees of normals, {errors['roughness']:.2f} of roughness and "
        f"{errors['ao']:.2f} of occlusion."
    )


def tiled(value: Mapping[str, Any]) -> str:
    """The summary of ``stagewright texture tile``."""
    size = " x ".join(map(str, value["size"]))
    how = "it repeats without a seam" if value["seamless"] else "a seam may show"
    return "\n".join([*value["files"], f"{size} pixels, {' and '.join(value['methods'])}: {how}."])


def edited(value: Mapping[str, Any]) -> str:
    """The summary of ``stagewright texture inpaint`` and the like."""
    size = " x ".join(map(str, value["size"]))
    return "\n".join([*value["files"], f"{size} pixels."])


def exposure_lines(result: Mapping[str, Any]) -> list[str]:
    """How files of light were made pictures: a sentence for each of them."""
    lines = []
    for file in (result["first"], result["second"]):
        if file["light"]:
            line = f"{Path(file['path']).name} is scene-linear: shown at {result['exposure']:+g} EV"
            cut_off = f", {file['cut_off']:.1%} of it cut off at white" if file["cut_off"] else ""
            lines.append(f"{line}{cut_off}.")
    return lines


def figure_rows(figures: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The figures in words: names and values."""
    psnr = "equal" if figures["psnr"] is None else f"{figures['psnr']:.2f} dB"
    return [
        ("FLIP, mean", f"{figures['flip']:.4f}"),
        ("FLIP, greatest", f"{figures['flip_greatest']:.4f}"),
        ("PSNR", psnr),
        ("SSIM", f"{figures['ssim']:.4f}"),
        ("Greatest difference", f"{figures['greatest']:.4f}"),
    ]


def compared(value: Mapping[str, Any]) -> str:
    """The summary of ``stagewright usd compare-render``."""
    lines = [f"{name}: {figure}" for name, figure in figure_rows(value)]
    lines += exposure_lines(value)
    lines += [f"Wrote {path}" for path in value["written"]]
    verdict = "within" if value["passes"] else "above"
    return "\n".join([*lines, f"FLIP is {verdict} the threshold of {value['threshold']:g}."])
