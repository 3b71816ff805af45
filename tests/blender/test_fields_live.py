# SPDX-License-Identifier: GPL-3.0-or-later
"""Live and baked objects: what follows its sources, when, and what does not."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest

from stagewright.addon import pump
from stagewright.addon.fields import baking, live, making, writing

from .test_fields import add_ball, distances_off_a_ball, make, world_points

pytestmark = pytest.mark.usefixtures("addon")


def live_ball(voxels: int = 30) -> tuple[bpy.types.Object, bpy.types.Object]:
    ball = add_ball()
    made = make(ball, voxels=voxels)
    made.stagewright_field.live = True
    settle()
    return ball, made


def settle() -> None:
    """Let the timers do what they would in a window."""
    tick_until(lambda: not live.step() and not pump.is_running(live.KIND))


def tick_until(done: Callable[[], bool]) -> None:
    for _ in range(3000):
        pump.tick()
        if done():
            return
        signal.sigtimedwait([], 0.01)
    raise AssertionError("it goes on and on")


def radius(item: bpy.types.Object) -> float:
    away = np.linalg.norm(world_points(item), axis=1)
    assert np.ptp(away) < 0.02 * away.mean()
    return float(away.mean())


def test_a_live_object_follows_what_it_is_made_from() -> None:
    ball, made = live_ball()
    uid = made.session_uid
    ball.scale = (2, 2, 2)
    bpy.context.view_layer.update()
    assert radius(made) == pytest.approx(1, abs=0.02), "nothing is rebuilt in the handler"
    settle()
    assert radius(made) == pytest.approx(2, abs=0.02)
    assert made.session_uid == uid


def test_a_live_object_follows_its_settings() -> None:
    _ball, made = live_ball()
    faces = len(made.data.polygons)
    made.stagewright_field.voxels = 100
    settle()
    assert len(made.data.polygons) > 6 * faces
    made.stagewright_field.live = False
    made.stagewright_field.voxels = 20
    settle()
    assert len(made.data.polygons) > 6 * faces


def test_other_objects_change_nothing() -> None:
    _ball, made = live_ball()
    other = add_ball(at=(9, 0, 0))
    other.scale = (2, 2, 2)
    made.location.x += 1
    bpy.context.view_layer.update()
    assert not live.step()
    assert made.location.x == 1


def test_the_latest_change_wins() -> None:
    ball, made = live_ball(voxels=150)
    ball.scale = (2, 2, 2)
    bpy.context.view_layer.update()
    live.step()
    first = pump.last(live.KIND)
    assert first is not None and first.running
    ball.scale = (3, 3, 3)
    bpy.context.view_layer.update()
    settle()
    assert first.failure is not None and first.failure.code == "cancelled"
    assert radius(made) == pytest.approx(3, abs=0.02)


def test_the_first_look_is_coarse() -> None:
    ball, made = live_ball(voxels=150)
    ball.scale = (2, 2, 2)
    bpy.context.view_layer.update()
    seen: set[int] = set()

    def looked() -> bool:
        seen.add(len(made.data.polygons))
        return not live.step() and not pump.is_running(live.KIND)

    tick_until(looked)
    assert len(seen) == 2 and min(seen) < max(seen) / 8


def test_nothing_is_rebuilt_while_a_render_is_under_way() -> None:
    ball, made = live_ball()
    live._on_render()
    ball.scale = (2, 2, 2)
    bpy.context.view_layer.update()
    live.step()
    assert not pump.is_running(live.KIND)
    live._after_render()
    ball.scale = (3, 3, 3)
    bpy.context.view_layer.update()
    settle()
    assert radius(made) == pytest.approx(3, abs=0.02)


def test_a_live_object_that_is_deleted_meanwhile_stays_deleted() -> None:
    ball, made = live_ball(voxels=150)
    ball.scale = (2, 2, 2)
    bpy.context.view_layer.update()
    live.step()
    bpy.data.objects.remove(made)
    settle()
    assert list(bpy.data.objects) == [ball]


def file_of(item: bpy.types.Object) -> Path:
    return Path(bpy.path.abspath(item.data.filepath))


def live_files() -> set[Path]:
    return set((Path(bpy.app.tempdir) / writing.LIVE).glob("*"))


def test_a_live_volume_leaves_no_files_behind(tmp_path: Path) -> None:
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "a.blend"))
    before = live_files()
    ball = add_ball()
    made = make(ball, output="VOLUME", voxels=20)
    first = file_of(made)
    assert made.data.filepath.startswith("//fields")
    made.stagewright_field.live = True
    settle()
    for size in (2, 3):
        ball.scale = (size, size, size)
        bpy.context.view_layer.update()
        settle()
    # The first one is what undo and the saved file come back to.
    assert list((tmp_path / "fields").iterdir()) == [first]
    assert live_files() - before == {file_of(made)}
    assert abs(distances_off_a_ball(made, (0, 0, 0), 3.0, 3.0)).max() < 0.1
    bpy.ops.wm.save_mainfile()
    assert made.data.filepath.startswith("//fields") and file_of(made) != first
    assert {first, file_of(made)} == set((tmp_path / "fields").iterdir())


def test_a_live_volume_whose_file_is_gone_is_made_again() -> None:
    made = make(add_ball(), output="VOLUME", voxels=20)
    made.stagewright_field.live = True
    settle()
    made.stagewright_field.live = False
    lost = file_of(made)
    lost.unlink()
    live._on_undo()
    settle()
    assert file_of(made) != lost and file_of(made).is_file()


def growing_ball() -> bpy.types.Object:
    ball = add_ball()
    for frame in (1, 2, 3):
        ball.scale = (frame, frame, frame)
        ball.keyframe_insert("scale", frame=frame)
    bpy.context.scene.frame_start, bpy.context.scene.frame_end = 1, 3
    bpy.context.scene.frame_set(1)
    return ball


def shown(collection: bpy.types.Collection) -> list[bpy.types.Object]:
    return [item for item in collection.objects if not item.hide_viewport]


def test_frames_are_baked_to_objects_that_show_one_at_a_time() -> None:
    growing_ball()
    made = make(bpy.context.object, voxels=30)
    bpy.context.scene.frame_set(2)
    assert bpy.ops.stagewright.bake_field() == {"FINISHED"}
    assert bpy.context.scene.frame_current == 2
    collection = bpy.data.collections[f"{made.name} Baked"]
    assert len(collection.objects) == 3 and made.hide_get()
    for frame in (1, 2, 3):
        bpy.context.scene.frame_set(frame)
        (item,) = shown(collection)
        assert not item.hide_render
        assert radius(item) == pytest.approx(frame, abs=0.02)


def test_a_cancelled_bake_leaves_nothing_behind() -> None:
    growing_ball()
    made = make(bpy.context.object, voxels=30)
    before: Any = len(bpy.data.objects), len(bpy.data.collections)
    task = pump.start(baking.bake(made, range(1, 4)), making.KIND, "Bake")
    tick_until(lambda: (task.fraction or 0) > 1 / 3)
    assert len(bpy.data.objects) > before[0]
    pump.cancel(task.number)
    tick_until(lambda: not task.running)
    assert (len(bpy.data.objects), len(bpy.data.collections)) == before
    assert not made.hide_get()
