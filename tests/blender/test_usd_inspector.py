# SPDX-License-Identifier: GPL-3.0-or-later
"""The inspector: nothing is imported, the file stays as it is, and panels show what is there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import bpy
import pytest

from stagewright.addon import pump
from stagewright.addon.usd import inspector_panels as panels
from stagewright.addon.usd import looking
from stagewright.jobs.errors import StagewrightError

from .recorder import draw
from .test_panels import no_input_or_output

pytestmark = pytest.mark.usefixtures("addon")

LAMP = """#usda 1.0
(
    defaultPrim = "Lamp"
    subLayers = [
        @bright.usda@ (offset = 10)
    ]
)
def Xform "Lamp" (
    kind = "component"
    variants = {
        string lod = "high"
    }
    prepend variantSets = "lod"
    prepend payload = @bulb.usda@
)
{
    def Scope "Looks"
    {
        def Material "Brass"
        {
        }
    }
    def Mesh "Foot" (
        prepend apiSchemas = ["MaterialBindingAPI"]
    )
    {
        int[] faceVertexCounts = [4, 4]
        asset picture = @lost.png@
        rel material:binding = </Lamp/Looks/Brass>
        float glow = 1
        uniform token purpose = "proxy"
    }
    variantSet "lod" = {
        "high" {
            def Mesh "Filigree"
            {
            }
        }
        "low" {
        }
    }
}
"""
BRIGHT = """#usda 1.0
over "Lamp"
{
    over "Foot"
    {
        float glow = 5
        float glow.timeSamples = {
            1: 2,
            3: 4,
        }
    }
}
"""
BULB = """#usda 1.0
(
    defaultPrim = "Bulb"
)
def Xform "Bulb"
{
    def Sphere "Glass"
    {
    }
}
"""


@pytest.fixture
def lamp(tmp_path: Path) -> Iterator[Path]:
    for name, text in {"lamp": LAMP, "bright": BRIGHT, "bulb": BULB}.items():
        (tmp_path / f"{name}.usda").write_text(text)
    file = tmp_path / "lamp.usda"
    bpy.ops.stagewright.inspect_usd(filepath=str(file))
    yield file


def inspector() -> panels.Any:
    return bpy.context.window_manager.stagewright_usd


def shown() -> list[str]:
    now = looking.session()
    assert now is not None and len(now.outline.lines) == len(inspector().lines)
    return [line.row.path for line in now.outline.lines]


def look_at(path: str) -> None:
    bpy.ops.stagewright.reveal_prim(path=path)
    assert inspector().chosen() == path


def test_opening_a_file_imports_nothing_and_shows_its_first_level(lamp: Path) -> None:
    assert len(bpy.data.objects) == 0
    assert shown() == ["/Lamp"]
    texts = draw(panels.STAGEWRIGHT_PT_inspector).texts
    assert "lamp.usda" in texts and "Lamp" in texts
    assert "component · lod=high" in texts


def test_a_prim_is_opened_chosen_and_told(lamp: Path) -> None:
    bpy.ops.stagewright.toggle_prim(index=0)
    below = ["/Lamp/Glass", "/Lamp/Filigree", "/Lamp/Foot", "/Lamp/Looks"]
    assert shown() == ["/Lamp", *below]
    inspector().line = 3
    texts = draw(panels.STAGEWRIGHT_PT_usd_prim).texts
    assert {"/Lamp/Foot", "Mesh", "MaterialBindingAPI", "Brass"} <= set(texts)
    assert "proxy" in draw(panels.STAGEWRIGHT_PT_inspector).texts
    now = looking.session()
    names = [p.name for p in now.details.properties]
    assert len(inspector().properties) == len(names)
    inspector().property = names.index("glow")
    texts = draw(panels.STAGEWRIGHT_PT_usd_properties).texts
    # The sublayer speaks against the root layer, which is the stronger one.
    stack = [texts.index("lamp.usda"), texts.index("bright.usda")]
    assert stack == sorted(stack) and "2 samples 5.0" in texts
    bpy.ops.stagewright.toggle_prim(index=0)
    assert shown() == ["/Lamp"] and inspector().line == -1


def test_values_are_shown_at_the_time_asked_for(lamp: Path) -> None:
    (lamp.parent / "lamp.usda").write_text(LAMP.replace("        float glow = 1\n", ""))
    bpy.ops.stagewright.reload_usd()
    look_at("/Lamp/Foot")
    inspector().time = 13
    inspector().use_time = True
    values = {p.name: p.value for p in looking.session().details.properties}
    assert values["glow"] == "4.0"


def test_a_variant_a_payload_and_a_muted_layer_are_chosen_without_touching_the_files(
    lamp: Path,
) -> None:
    before = {file: file.read_bytes() for file in lamp.parent.iterdir()}
    bpy.ops.stagewright.toggle_prim(index=0)
    look_at("/Lamp")
    bpy.ops.stagewright.select_usd_variant(path="/Lamp", variant_set="lod", variant="low")
    assert "/Lamp/Filigree" not in shown() and inspector().chosen() == "/Lamp"
    bpy.ops.stagewright.load_payload(path="/Lamp", load=False)
    assert "Not Loaded" in draw(panels.STAGEWRIGHT_PT_usd_prim).texts
    names = [layer.name for layer in looking.session().layers]
    bpy.ops.stagewright.mute_layer(index=names.index("bright.usda"))
    assert looking.session().layers[names.index("bright.usda")].muted
    assert "1 × t + 10" in draw(panels.STAGEWRIGHT_PT_usd_layers).texts
    assert {file: file.read_bytes() for file in lamp.parent.iterdir()} == before


def test_a_search_lists_what_fits_and_tells_what_it_does_not_know(lamp: Path) -> None:
    inspector().query = "type:Mesh"
    assert shown() == ["/Lamp/Filigree", "/Lamp/Foot"]
    assert "2 prims found" in draw(panels.STAGEWRIGHT_PT_inspector).texts
    inspector().query = "colour:red"
    assert shown() == ["/Lamp/Filigree", "/Lamp/Foot"]
    assert "does not know" in " ".join(draw(panels.STAGEWRIGHT_PT_inspector).texts)
    inspector().query = ""
    assert shown() == ["/Lamp"]


def test_another_process_counts_and_finds_the_files(lamp: Path) -> None:
    bpy.ops.stagewright.select_usd_variant(path="/Lamp", variant_set="lod", variant="low")
    bpy.ops.stagewright.count_usd()
    numbers = looking.survey()["statistics"]
    assert (numbers["prims"]["Mesh"], numbers["polygons"], numbers["materials"]) == (1, 2, 1)
    broken = {row["path"]: row["broken"] for row in looking.files()}
    assert broken == {"bright.usda": False, "bulb.usda": False, "lost.png": True}
    inspector().file = [row["path"] for row in looking.files()].index("lost.png")
    texts = draw(panels.STAGEWRIGHT_PT_usd_survey).texts
    assert "lost.png: is missing" in texts and "lamp.usda </Lamp/Foot.picture>" in texts


def test_a_file_that_changes_on_disk_says_so_until_it_is_read_again(lamp: Path) -> None:
    lamp.write_text(LAMP.replace('"Foot"', '"Base"'))
    looking.look_for_changes()
    assert "lamp.usda changed on disk" in draw(panels.STAGEWRIGHT_PT_inspector).texts
    bpy.ops.stagewright.toggle_prim(index=0)
    assert "/Lamp/Foot" in shown()
    bpy.ops.stagewright.reload_usd()
    assert "/Lamp/Base" in shown()
    looking.look_for_changes()
    assert "lamp.usda changed on disk" not in draw(panels.STAGEWRIGHT_PT_inspector).texts


@pytest.mark.parametrize("content", [b"", b"#usda 1.0\ndef {", b"PXR-USDC" + b"\0" * 40])
def test_a_file_that_is_none_is_refused_and_what_was_open_stays(
    lamp: Path, content: bytes, tmp_path: Path
) -> None:
    bad = tmp_path / "bad.usd"
    bad.write_bytes(content)
    with pytest.raises(RuntimeError, match="bad.usd cannot be opened"):
        bpy.ops.stagewright.inspect_usd(filepath=str(bad))
    assert shown() == ["/Lamp"]


# Deep enough to end whoever lets the USD library read it.
DEADLY = "#usda 1.0\n" + 'def "a" {\n' * 200_000 + "}\n" * 200_000


def test_what_ends_the_usd_library_ends_another_process_and_what_was_open_stays(
    lamp: Path, tmp_path: Path
) -> None:
    deadly = tmp_path / "deadly.usda"
    deadly.write_text(DEADLY)
    with pytest.raises(RuntimeError, match="USD itself ends as it reads deadly.usda"):
        bpy.ops.stagewright.inspect_usd(filepath=str(deadly))
    assert shown() == ["/Lamp"]
    lamp.write_text(DEADLY)
    with pytest.raises(RuntimeError, match="USD itself ends"):
        bpy.ops.stagewright.reload_usd()
    assert shown() == ["/Lamp"]
    lamp.write_text(LAMP)
    bpy.ops.stagewright.load_payload(path="/Lamp", load=False)
    (tmp_path / "bulb.usda").write_text(DEADLY)
    with pytest.raises(RuntimeError, match="USD itself ends"):
        bpy.ops.stagewright.load_payload(path="/Lamp", load=True)
    bpy.ops.stagewright.toggle_prim(index=0)
    assert "/Lamp/Foot" in shown() and "/Lamp/Glass" not in shown()


def test_what_was_opened_well_is_not_tried_again_until_it_changes(
    lamp: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def refuse(task: str, *arguments: object, **named: object) -> Iterator[object]:
        asked.append(task)
        raise StagewrightError("asked", "The other process was asked.", "")
        yield

    monkeypatch.setattr(looking, "apart", refuse)
    bpy.ops.stagewright.inspect_usd(filepath=str(lamp))
    assert asked == []
    (lamp.parent / "bright.usda").write_text(BRIGHT.replace("5", "6"))
    with pytest.raises(RuntimeError, match="was asked"):
        bpy.ops.stagewright.inspect_usd(filepath=str(lamp))
    assert len(asked) == 1


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="has no pipes")
def test_a_pipe_is_refused_at_once(lamp: Path, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.usda")
    with pytest.raises(RuntimeError, match="pipe.usda is no file"):
        bpy.ops.stagewright.inspect_usd(filepath=str(tmp_path / "pipe.usda"))
    with pytest.raises(RuntimeError, match="pipe.usda is no file"):
        bpy.ops.stagewright.view_layer(identifier=str(tmp_path / "pipe.usda"))
    assert shown() == ["/Lamp"]


def test_what_cannot_be_composed_is_told(lamp: Path) -> None:
    lamp.write_text(
        LAMP.replace("prepend payload", "prepend references = @gone.usda@\nprepend payload")
    )
    bpy.ops.stagewright.reload_usd()
    texts = draw(panels.STAGEWRIGHT_PT_usd_layers).texts
    assert any("gone.usda" in text for text in texts)


def test_it_outlives_the_loading_of_another_blend_and_is_closed_on_demand(
    lamp: Path, tmp_path: Path
) -> None:
    bpy.ops.stagewright.toggle_prim(index=0)
    lines = shown()
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "a.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "a.blend"))
    assert shown() == lines
    bpy.ops.stagewright.close_usd()
    assert len(inspector().lines) == 0
    assert not bpy.ops.stagewright.toggle_prim.poll()
    assert "Open USD File…" in draw(panels.STAGEWRIGHT_PT_inspector).texts


def test_drawing_reads_nothing(lamp: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bpy.ops.stagewright.toggle_prim(index=0)
    look_at("/Lamp/Foot")
    bpy.ops.stagewright.count_usd()
    now = looking.session()
    with no_input_or_output(monkeypatch), monkeypatch.context() as patch:
        patch.setattr(now, "stage", None)
        for cls in panels._CLASSES:
            if issubclass(cls, bpy.types.Panel):
                draw(cls)


def test_without_a_usd_library_the_panel_says_what_is_missing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(looking._Now, "missing", "This Blender was built without USD")
    assert not bpy.ops.stagewright.inspect_usd.poll()
    texts = draw(panels.STAGEWRIGHT_PT_inspector).texts
    assert "This Blender was built without USD" in texts


def test_while_the_stage_is_at_work_nothing_else_may_ask_it(lamp: Path) -> None:
    def forever() -> Iterator[object]:
        while True:
            yield looking.Progress("one", None, "Working")

    task = pump.start(forever(), looking.KIND, "Working")
    assert not bpy.ops.stagewright.toggle_prim.poll()
    inspector().query = "Foot"
    assert "USD is at work" in looking.problem()
    pump.cancel(task.number)
    pump.tick()
    assert bpy.ops.stagewright.toggle_prim.poll()
