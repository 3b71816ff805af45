# SPDX-License-Identifier: GPL-3.0-or-later
"""Two images compared in the Image Editor."""

from __future__ import annotations

from pathlib import Path

import bpy
import numpy as np
import pytest

from stagewright.addon.usd import compare_renders, picture_pixels
from stagewright.jobs.errors import StagewrightError
from stagewright.texture_lab.images import read_picture
from stagewright.texture_lab.png import write_png
from stagewright.usd_tools.image_writing import save_image
from stagewright.usd_tools.render_compare import compare, displayed

from .recorder import draw
from .test_panels import no_input_or_output

pytestmark = pytest.mark.usefixtures("addon")
SIZE = (12, 20)


def settings() -> compare_renders.STAGEWRIGHT_PG_renders:
    return bpy.context.window_manager.stagewright_renders


def picture() -> np.ndarray:
    y, x = np.mgrid[: SIZE[0], : SIZE[1]]
    return np.stack([x * 12, y * 20, (x + y) * 8], axis=-1).astype(np.uint8)


@pytest.fixture
def images(tmp_path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Two loaded PNG files, chosen in the panel; their pixels as floats."""
    first, second = picture(), picture()
    second[2:7, 5:15] = (250, 10, 30)
    for name, pixels in (("first", first), ("second", second)):
        write_png(tmp_path / f"{name}.png", pixels)
        setattr(settings(), name, bpy.data.images.load(str(tmp_path / f"{name}.png")).name)
    return first.astype(np.float32) / 255, second.astype(np.float32) / 255


def result() -> np.ndarray:
    image = bpy.data.images[compare_renders.RESULT]
    pixels = np.empty(len(image.pixels), np.float32)
    image.pixels.foreach_get(pixels)
    return pixels.reshape(image.size[1], image.size[0], 4)[::-1, :, :3]


def test_two_images_are_compared_and_shown_in_each_way(
    images: tuple[np.ndarray, np.ndarray],
) -> None:
    first, second = images
    bpy.ops.stagewright.compare_renders()
    figures, flip = compare(first, second)
    texts = draw(compare_renders.STAGEWRIGHT_PT_compare_renders).texts
    assert f"{figures.flip:.4f}" in texts and f"{figures.psnr:.2f} dB" in texts
    byte = 1 / 255
    assert np.abs(result()[:, :10] - first[:, :10]).max() < byte
    assert np.abs(result()[:, 11:] - second[:, 11:]).max() < byte
    settings().position = 0.0
    assert np.abs(result() - second).max() < byte
    settings().way = "SIDE"
    assert np.abs(result() - np.concatenate(images, axis=1)).max() < byte
    settings().way, settings().gain = "DIFFERENCE", 2.0
    assert np.abs(result() - np.minimum(2 * np.abs(first - second), 1)).max() < byte
    settings().way = "FLIP"
    bright = result().sum(axis=2)
    assert bright[flip > 0.5].min() > bright[flip < 0.1].max()
    # Always the one image, and not one that somebody else called so.
    assert sum(image.name.startswith(compare_renders.RESULT) for image in bpy.data.images) == 1


def test_the_result_of_a_render_is_what_its_file_shows(tmp_path: Path) -> None:
    scene = bpy.context.scene
    scene.render.engine, scene.cycles.samples = "CYCLES", 1
    scene.render.resolution_x, scene.render.resolution_y = 16, 8
    world = scene.world = bpy.data.worlds.new("World")
    if bpy.app.version < (5, 0, 0):
        world.use_nodes = True
    world.node_tree.nodes["Background"].inputs["Color"].default_value = (0.2, 0.5, 0.9, 1)
    camera = bpy.data.objects.new("Camera", bpy.data.cameras.new("Camera"))
    scene.collection.objects.link(camera)
    scene.camera = camera
    scene.render.image_settings.file_format = "OPEN_EXR"
    bpy.ops.render.render()
    rendered = next(image for image in bpy.data.images if image.type == "RENDER_RESULT")
    before = set(bpy.data.images)
    found = picture_pixels.seen(rendered, 0.0)
    assert set(bpy.data.images) == before
    assert scene.render.image_settings.file_format == "OPEN_EXR"
    scene.render.image_settings.file_format = "PNG"
    rendered.save_render(str(tmp_path / "render.png"))
    expected = read_picture(tmp_path / "render.png").pixels
    # The file has 16 bits; 8 bits are rounded, and dithered by half a step.
    assert found.shape == (8, 16, 3) and np.abs(found - expected).max() < 1.5 / 255
    assert found.std(axis=(0, 1)).max() < 0.01 < found.std(axis=2).min()


def test_images_of_light_are_exposed_as_the_command_does(tmp_path: Path) -> None:
    light = np.linspace(0, 4, 8 * 6 * 3, dtype=np.float32).reshape(6, 8, 3)
    save_image(tmp_path / "light.exr", light)
    image = bpy.data.images.load(str(tmp_path / "light.exr"))
    read = read_picture(tmp_path / "light.exr")
    assert read.light and np.abs(read.pixels - light).max() < 1e-3
    for exposure in (0.0, -2.0):
        expected, _ = displayed(read.pixels, exposure)
        assert np.abs(picture_pixels.seen(image, exposure) - expected).max() < 1e-3


def test_the_combined_layer_of_many_is_the_picture(tmp_path: Path) -> None:
    import OpenImageIO

    names = ("View.Depth.Z", *(f"View.Combined.{c}" for c in "RGBA"))
    spec = OpenImageIO.ImageSpec(4, 3, len(names), "float")
    spec.channelnames = names
    file = OpenImageIO.ImageOutput.create(str(tmp_path / "layers.exr"))
    assert file.open(str(tmp_path / "layers.exr"), spec)
    pixels = np.broadcast_to(np.array([9, 0.1, 0.2, 0.3, 1], np.float32), (3, 4, 5))
    assert file.write_image(np.ascontiguousarray(pixels))
    file.close()
    found = read_picture(tmp_path / "layers.exr")
    assert found.pixels[1, 2] == pytest.approx([0.1, 0.2, 0.3])


def test_what_cannot_be_compared_is_told(
    images: tuple[np.ndarray, np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    bpy.data.images.new("Small", 4, 4)
    settings().second = "Small"
    with pytest.raises(RuntimeError, match="4 x 4"):
        bpy.ops.stagewright.compare_renders()
    assert compare_renders.RESULT not in bpy.data.images
    settings().second = "Gone"
    assert not bpy.ops.stagewright.compare_renders.poll()
    with no_input_or_output(monkeypatch):
        texts = draw(compare_renders.STAGEWRIGHT_PT_compare_renders).texts
    assert "There is no image “Gone” any more" in texts
    missing = bpy.data.images.new("Missing", 4, 4)
    missing.source, missing.filepath = "FILE", "/nowhere/gone.png"
    with pytest.raises(StagewrightError, match="Missing"):
        picture_pixels.seen(missing, 0.0)
