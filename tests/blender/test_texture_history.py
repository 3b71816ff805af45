# SPDX-License-Identifier: GPL-3.0-or-later
"""The gallery of sets, what can be done with them, and photos as materials."""

from __future__ import annotations

import json
from pathlib import Path

import bpy
import numpy as np
import pytest

from stagewright.addon import beside
from stagewright.addon.textures import history, pictures
from stagewright.addon.textures.history_ui import STAGEWRIGHT_PT_texture_history
from stagewright.addon.textures.material import KEY
from stagewright.texture_lab.png import read_png, write_png

from .recorder import draw
from .test_textures import add_plane, feeding, make, node

pytestmark = pytest.mark.usefixtures("addon")


@pytest.fixture(autouse=True)
def own_file(addon: None, tmp_path: Path) -> None:
    """A file in a folder of its own, so that the gallery is empty."""
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "shop.blend"))


def choose(number: int) -> history.Entry:
    """Choose a set of the gallery, 0 being the newest."""
    entry = history.entries()[number]
    bpy.context.window_manager.stagewright_texture_set = entry.sidecar.stem
    return entry


def shown(material: bpy.types.Material) -> str:
    """The family that a material's images are of."""
    sidecar = Path(material[KEY])
    about = json.loads(sidecar.read_text())
    for name in ("basecolor", "height"):
        path = Path(bpy.path.abspath(node(material, name).image.filepath))
        assert path == sidecar.parent / about["maps"][name]
    return str(about["family"])


def test_what_was_made_is_listed_newest_first_with_its_size() -> None:
    add_plane()
    assert history.chosen(bpy.context) is None
    assert any("No texture" in text for text in draw(STAGEWRIGHT_PT_texture_history).texts)
    make("red brick", seed=3)
    make("bark", seed=4)
    assert [(e.title, e.seed) for e in history.entries()] == [("bark", 4), ("red brick", 3)]
    entry = choose(1)
    files = [path for path in entry.sidecar.parent.iterdir() if "_001" not in path.name]
    assert len(files) == 8 and entry.size == sum(file.stat().st_size for file in files)
    drawn = draw(STAGEWRIGHT_PT_texture_history)
    assert "stagewright_texture_set" in drawn.properties
    assert "Seed 3, " in "".join(drawn.texts) and "2 textures" in "".join(drawn.texts)


def test_a_set_can_be_restored_with_its_words_and_sliders() -> None:
    item = add_plane()
    chosen = bpy.context.scene.stagewright_texture
    chosen.prompt = "red brick"
    chosen.sliders["rows"].count = 14
    chosen.seed = 5
    material = make(chosen.prompt)
    wanted = {**chosen.request().parameters, "rows": 14.0}
    chosen.prompt = "bark"
    make("bark", seed=2)
    choose(1)
    assert bpy.ops.stagewright.restore_texture() == {"FINISHED"}
    assert item.active_material == material and shown(material) == "brick"
    assert (chosen.prompt, chosen.seed) == ("red brick", 5)
    about = json.loads(Path(material[KEY]).read_text())
    assert dict(chosen.request().parameters) == about["parameters"] and wanted["rows"] == 14


def test_two_sets_are_compared_to_and_fro() -> None:
    add_plane()
    make("red brick")
    material = make("bark")
    choose(1)
    for family in ("brick", "bark", "brick"):
        assert bpy.ops.stagewright.compare_texture() == {"FINISHED"}
        assert shown(material) == family
    assert len([image for image in bpy.data.images if image.users]) == 5


def test_a_set_is_deleted_unless_it_is_shown() -> None:
    add_plane()
    make("red brick")
    make("bark")
    entry = choose(0)
    with pytest.raises(RuntimeError, match="shows this texture"):
        bpy.ops.stagewright.delete_texture()
    assert entry.sidecar.exists()
    entry = choose(1)
    assert bpy.ops.stagewright.delete_texture() == {"FINISHED"}
    left = [path.name for path in entry.sidecar.parent.iterdir()]
    assert len(left) == 8 and all(name.startswith("Plane_001") for name in left)
    assert [entry.title for entry in history.entries()] == ["bark"]


def test_a_hostile_sidecar_neither_stops_the_gallery_nor_deletes_elsewhere(tmp_path: Path) -> None:
    add_plane()
    make("red brick")
    folder = beside.home("textures")
    victim = tmp_path / "victim.png"
    victim.write_bytes(b"mine")
    about = json.loads(history.entries()[0].sidecar.read_text())
    for name, text in {
        "a": "{",
        "b": "[]",
        "c": '{"request": 3, "maps": {}}',
        "d": json.dumps({**about, "maps": {"basecolor": "../victim.png"}}),
    }.items():
        (folder / f"{name}.json").write_text(text)
    bpy.ops.stagewright.refresh_textures()
    assert "red brick" in [entry.title for entry in history.entries()]
    for entry in [entry for entry in history.entries() if entry.sidecar.stem in "abcd"]:
        history.delete(entry)
    assert victim.read_bytes() == b"mine"


def test_another_unsaved_file_has_a_gallery_of_its_own(tmp_path: Path) -> None:
    bpy.ops.wm.read_homefile(use_empty=True)
    add_plane()
    make("red brick")
    assert len(history.entries()) == 1
    bpy.ops.wm.read_homefile(use_empty=True)
    assert history.entries() == ()
    add_plane()
    make("bark")
    make("sand")
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "other" / "two.blend"))
    assert [entry.title for entry in history.entries()] == ["sand", "bark"]
    assert all(
        entry.sidecar.parent == tmp_path / "other" / "textures" for entry in history.entries()
    )
    assert all(pictures.icon(entry.picture) is not None for entry in history.entries())


def test_an_asset_has_the_sets_picture() -> None:
    add_plane()
    material = make("red brick")
    assert bpy.ops.stagewright.texture_asset() == {"FINISHED"}
    assert material.asset_data is not None and material.asset_data.description == "red brick"
    seen = material.preview
    pixels = np.empty(len(seen.image_pixels_float), np.float32)
    seen.image_pixels_float.foreach_get(pixels)
    columns, rows = seen.image_size
    (file,) = Path(material[KEY]).parent.glob("*_preview.png")
    expected = read_png(file)[0][::-1] / 255
    assert np.allclose(pixels.reshape(rows, columns, 4)[:, :, :3], expected, atol=0.01)


def test_a_dragged_photo_becomes_a_material(tmp_path: Path) -> None:
    item = add_plane()
    bpy.context.scene.unit_settings.scale_length = 0.5
    pixels = np.random.default_rng(3).integers(0, 255, (96, 96, 3)).astype(np.uint8)
    photo = tmp_path / "old wall ü.png"
    write_png(photo, pixels)
    assert bpy.ops.stagewright.texture_from_photo(
        filepath=str(photo), tile=False, tile_size=4.0, relief=0.04
    ) == {"FINISHED"}
    material = item.active_material
    about = json.loads(Path(material[KEY]).read_text())
    assert about["tile_size_m"] == pytest.approx(2.0)
    assert about["height_range_m"] == pytest.approx(0.02)
    assert material.name == "Old wall ü"
    shader = node(material, "principled")
    assert feeding(shader.inputs["Base Color"]).image.size[0] == 96
    assert history.entries()[0].title == photo.name
    choose(0)
    assert bpy.ops.stagewright.restore_texture() == {"FINISHED"}


def test_the_network_makes_a_material_of_a_photo(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    item = add_plane()
    pixels = np.random.default_rng(3).integers(0, 255, (96, 96, 3)).astype(np.uint8)
    write_png(tmp_path / "wall.png", pixels)
    assert bpy.ops.stagewright.texture_from_photo(
        filepath=str(tmp_path / "wall.png"), tile=False, backend="network"
    ) == {"FINISHED"}
    about = json.loads(Path(item.active_material[KEY]).read_text())
    assert about["request"]["backend"] == "network" and about["request"]["weights"]
    assert about["expected_errors"]["roughness"] > 0
    assert "trained on synthetic materials" in capfd.readouterr().out


def test_a_photo_that_is_none_is_told(tmp_path: Path) -> None:
    add_plane()
    (tmp_path / "no.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    with pytest.raises(RuntimeError, match=r"no\.png"):
        bpy.ops.stagewright.texture_from_photo(filepath=str(tmp_path / "no.png"))
    assert bpy.context.object.active_material is None


def test_image_files_can_be_dropped_into_both_editors() -> None:
    handler = bpy.types.STAGEWRIGHT_FH_photo
    assert ".png" in handler.bl_file_extensions.split(";")
    assert handler.bl_import_operator == "stagewright.texture_from_photo"


def test_a_set_is_published_under_its_own_name(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="No texture"):
        bpy.ops.stagewright.publish_texture()
    add_plane()
    make("red brick")
    choose(0)
    library = tmp_path / "library"
    assert bpy.ops.stagewright.publish_texture(library=str(library)) == {"FINISHED"}
    (root,) = (p for p in library.rglob("*.usda") if not p.name.endswith("_look.usda"))
    assert "textureSetRedBrick" in root.parts and "shop" in root.parts
    assert len(list(root.parent.rglob("*_basecolor.png"))) == 1
    told = draw(STAGEWRIGHT_PT_texture_history)
    assert any(name == "stagewright.publish_texture" for name, _ in told.buttons)
