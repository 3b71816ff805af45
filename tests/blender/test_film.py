# SPDX-License-Identifier: GPL-3.0-or-later
"""The film of an asset that turns, read back by Blender's own movie reader."""

from __future__ import annotations

import os
from pathlib import Path

import bpy
import numpy as np
import pytest

from stagewright.addon.scene.film import write_film
from stagewright.addon.scene.host import BlenderHost
from stagewright.jobs.errors import StagewrightError
from stagewright.pipeline.host import SceneRequest

from .scenes import add_square, empty_scene, finish

COLOURS = ((255, 0, 0), (0, 255, 0), (0, 0, 255))


def save_picture(path: Path, colour: tuple[int, int, int]) -> Path:
    image = bpy.data.images.new(path.stem, 64, 48)
    image.pixels = [*(each / 255 for each in colour), 1.0] * (64 * 48)
    image.filepath_raw, image.file_format = str(path), "PNG"
    image.save()
    return path


def middle_colours(film: Path, folder: Path) -> list[list[float]]:
    """The colour in the middle of each picture of a film, through a render of its strip."""
    scene = bpy.data.scenes.new("Read")
    scene.sequence_editor_create().strips.new_movie("Read", str(film), 1, 1)
    render = scene.render
    render.resolution_x, render.resolution_y = 64, 48
    render.image_settings.file_format = "PNG"
    scene.view_settings.view_transform = "Standard"
    scene.frame_start, scene.frame_end = 1, len(COLOURS)
    render.filepath = str(folder / "read ")
    bpy.ops.render.render(animation=True, scene=scene.name)
    found = []
    for path in sorted(folder.glob("read *.png")):
        image = bpy.data.images.load(str(path))
        found.append(np.array(image.pixels[:]).reshape(48, 64, 4)[24, 32, :3].tolist())
    return found


def test_a_film_shows_the_pictures_in_their_order_and_colours(tmp_path: Path) -> None:
    pictures = [save_picture(tmp_path / f"a{n}.png", c) for n, c in enumerate(COLOURS)]
    film = tmp_path / "film.mp4"
    write_film(pictures, film)
    content = film.read_bytes()
    assert content[4:8] == b"ftyp"
    # Neither where it was made, nor when.
    assert os.fsencode(tmp_path.name) not in content and b"RenderTime" not in content
    assert np.allclose(middle_colours(film, tmp_path), np.array(COLOURS) / 255, atol=0.06)


def test_a_film_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    picture = save_picture(tmp_path / "a.png", COLOURS[0])
    (tmp_path / "file").touch()
    with pytest.raises(StagewrightError) as caught:
        write_film([picture], tmp_path / "file" / "film.mp4")
    assert caught.value.code == "no-film"


def test_the_asset_turns_once(tmp_path: Path) -> None:
    empty_scene()
    add_square("Crate")
    film = tmp_path / "film.mp4"
    finish(BlenderHost().film(SceneRequest("", "crate"), film, 3))
    clip = bpy.data.movieclips.load(str(film))
    assert (tuple(clip.size), clip.frame_duration) == ((512, 512), 3)
