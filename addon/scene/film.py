# SPDX-License-Identifier: GPL-3.0-or-later
"""A film of pictures, by the FFmpeg that Blender brings along.

For a Blender process that works for us alone: it makes a scene and leaves it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import bpy

from ...jobs.errors import StagewrightError

FPS = 24


def write_film(pictures: Sequence[Path], film: Path) -> None:
    """Write pictures as an MP4 that browsers play: H.264, every picture a key frame.

    Args:
        pictures: of one even size, in one folder, in their order.
        film: the MP4; its folder exists.

    Raises:
        StagewrightError: ``no-film`` where Blender has no FFmpeg, or it fails.
    """
    scene = bpy.data.scenes.new("Film")
    try:
        _set_output(scene, film)
        _fill(scene, pictures)
        bpy.ops.render.render(animation=True, scene=scene.name)
    except (RuntimeError, TypeError, AttributeError) as error:
        raise _no_film(" ".join(str(error).removeprefix("Error: ").split())) from error
    if not film.is_file() or not film.stat().st_size:
        raise _no_film("nothing was written")


def _set_output(scene: bpy.types.Scene, film: Path) -> None:
    render = scene.render
    settings = render.image_settings
    if hasattr(settings, "media_type"):  # Blender 5 asks for this first
        settings.media_type = "VIDEO"
    settings.file_format = "FFMPEG"
    settings.color_mode = "RGB"
    ffmpeg = render.ffmpeg
    ffmpeg.format, ffmpeg.codec, ffmpeg.audio_codec = "MPEG4", "H264", "NONE"
    ffmpeg.constant_rate_factor, ffmpeg.gopsize = "HIGH", 1
    render.fps, render.fps_base = FPS, 1.0
    render.filepath, render.use_file_extension = str(film), True
    # The pictures have their colours already.
    scene.view_settings.view_transform = "Standard"
    # Blender would tell of the machine, its paths and the time.
    for name in (each.identifier for each in render.bl_rna.properties):
        if name.startswith("use_stamp"):
            setattr(render, name, False)


def _fill(scene: bpy.types.Scene, pictures: Sequence[Path]) -> None:
    first, *others = pictures
    shown = bpy.data.images.load(str(first))
    scene.render.resolution_x, scene.render.resolution_y = shown.size
    bpy.data.images.remove(shown)
    strip = scene.sequence_editor_create().strips.new_image("Film", str(first), 1, 1)
    for each in others:
        strip.elements.append(each.name)
    scene.frame_start, scene.frame_end = 1, len(pictures)


def _no_film(why: str) -> StagewrightError:
    return StagewrightError(
        "no-film",
        f"This Blender writes no film: {why}.",
        "Use a Blender that is built with FFmpeg; a picture will do meanwhile.",
    )
