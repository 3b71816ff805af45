# SPDX-License-Identifier: GPL-3.0-or-later
"""The report: all in one file, and nothing in it that acts."""

from __future__ import annotations

import base64
import dataclasses
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from stagewright.jobs.errors import StagewrightError
from stagewright.pipeline.report import verdict, write_report
from stagewright.pipeline.summaries import checks_line
from stagewright.usd_tools.contents import Contents, LayerContents, TextureContents
from stagewright.usd_tools.findings import CheckReport, Finding
from stagewright.usd_tools.identity import Identity

NASTY = '<script>alert("&")</script>'
IDENTITY = Identity("lantern", "v003", "lantern_v003.usda", "demo", "f", "p", "0123abcd")
CONTENTS = Contents(
    prims={"Camera": 1, "DistantLight": 1, "Mesh": 40, "RectLight": 2, "Xform": 60},
    polygons=123456,
    points=98765,
    instances=0,
    materials=("Brass", "Glass été"),
    layers=(LayerContents("lantern_v003.usda", 900), LayerContents("lantern_look.usda", 12345)),
    textures=(TextureContents("wood.png", 2_500_000, (2048, 1024)),),
    frames=(1.0, 48.0),
    frames_per_second=24.0,
    size=(20.0, 20.0, 55.5),
    up_axis="Z",
    metres_per_unit=0.01,
)
CHECKS = CheckReport(
    findings=(
        Finding("missing-texture", "error", "The texture gone.png is missing.", "Find it."),
        Finding("object-missing", "loss", "The file holds no camera for Ortho.", "", "Ortho"),
        Finding("mesh-points", "loss", "Points of Lid lie elsewhere.", "Apply it.", "Lid"),
        Finding("validators", "info", "USD's own validators ran: A, B."),
    ),
    pxr_version="0.26.3",
    allowed=("missing-texture",),
    greatest_distance=2.5e-7,
    compared=40,
)


class _Page(HTMLParser):
    """Text of a page by element, its open elements, and what it would load."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.links: list[str] = []
        self.text: dict[str, str] = {}
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [v or "" for k, v in attrs if k in ("src", "href", "srcset", "data")]
        assert not [k for k, _ in attrs if k.startswith("on")]
        if tag not in ("meta", "img", "br", "link"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        for tag in set(self.open):
            self.text[tag] = self.text.get(tag, "") + data


def _write(path: Path, **changes: object) -> str:
    arguments = {
        "identity": IDENTITY,
        "contents": CONTENTS,
        "checks": CHECKS,
        "picture": None,
        "made_with": "Blender 5.2.3, USD 0.26.3",
    }
    write_report(path, **(arguments | changes))  # type: ignore[arg-type]
    return path.read_text(encoding="utf-8")


def test_the_page_says_what_was_published_and_found(tmp_path: Path) -> None:
    text = _write(tmp_path / "report.html")
    page = _Page(text)
    assert page.open == []
    assert page.text["h1"] == "lantern v003"
    assert page.text["title"] == "lantern v003"
    main = page.text["main"]
    for part in (
        "1 error and 2 losses.",
        "missing-texture",
        "allowed",
        "Find it.",
        "Ortho",
        "40 meshes compared",
        "2.5e-07",
        "123,456",
        "Glass été",
        "2048 × 1024",
        "2.5 MB",
        "12.3 kB",
        "0.2 × 0.2 × 0.555",
        "1–48",
        "Blender 5.2.3, USD 0.26.3",
    ):
        assert part in main, part
    assert main.index("Errors (1)") < main.index("Losses (2)") < main.index("Notes (1)")


def test_the_page_needs_nothing_but_itself(tmp_path: Path) -> None:
    picture = tmp_path / "thumbnail.png"
    picture.write_bytes(bytes(range(256)))
    text = _write(tmp_path / "report.html", picture=picture)
    page = _Page(text)
    (source,) = page.links
    assert base64.b64decode(source.removeprefix("data:image/png;base64,")) == picture.read_bytes()
    assert not {"script", "link", "iframe", "object"} & set(page.tags)
    assert not re.search(r"https?:|url\(|@import|file:", text)
    assert str(tmp_path) not in text


def test_names_cannot_become_markup(tmp_path: Path) -> None:
    finding = Finding(NASTY, "loss", NASTY, NASTY, NASTY, NASTY, NASTY)
    page = _Page(
        _write(
            tmp_path / "report.html",
            identity=dataclasses.replace(
                IDENTITY, name=NASTY, version=NASTY, identifier=NASTY, project=NASTY
            ),
            checks=dataclasses.replace(CHECKS, findings=(finding,)),
            contents=dataclasses.replace(
                CONTENTS,
                prims={NASTY: 1},
                materials=(NASTY,),
                textures=(TextureContents(NASTY, 1, None),),
                layers=(LayerContents(NASTY, 1),),
                up_axis="Z",
            ),
            made_with=NASTY,
        )
    )
    assert "script" not in page.tags
    assert page.open == []
    assert page.text["main"].count(NASTY) >= 11


def test_an_empty_asset_has_no_empty_sections(tmp_path: Path) -> None:
    bare = dataclasses.replace(
        CONTENTS, prims={}, materials=(), textures=(), frames=None, size=(0.0, 0.0, 0.0)
    )
    checks = CheckReport(findings=(), pxr_version="0.26.3")
    page = _Page(_write(tmp_path / "report.html", contents=bare, checks=checks))
    assert "Textures" not in page.text["main"]
    assert "Materials" not in page.text["main"]
    assert "No errors, no losses, no warnings." in page.text["main"]


def test_the_verdict_counts_in_words() -> None:
    def of(*severities: str) -> str:
        found = tuple(Finding("c", s, "m") for s in severities)  # type: ignore[arg-type]
        return verdict(CheckReport(found, ""))

    assert of() == "No errors, no losses, no warnings."
    assert of("info") == of()
    assert of("loss") == "1 loss."
    assert of("error", "loss", "loss", "warning") == "1 error, 2 losses and 1 warning."


def test_one_mesh_is_counted_in_the_singular() -> None:
    line = checks_line(CheckReport((), "", greatest_distance=0.0, compared=1))
    assert line == "no findings; 1 mesh compared, off by 0 at most"


def test_a_report_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    with pytest.raises(StagewrightError) as error:
        _write(tmp_path / "none" / "report.html")
    assert error.value.code == "report-unwritable"
    assert "report.html" in error.value.message
