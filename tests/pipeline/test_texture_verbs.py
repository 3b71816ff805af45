# SPDX-License-Identifier: GPL-3.0-or-later
"""``stagewright texture make`` and ``rerun``."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from stagewright.jobs import memory
from stagewright.pipeline.cli import main
from stagewright.texture_lab.png import read_png
from stagewright.texture_lab.stored_set import read_set
from stagewright.texture_lab.surface import normals


def _make(folder: Path, *options: str) -> int:
    return main(["texture", "make", *options, "--size", "128", "-o", str(folder)])


def test_a_rerun_makes_the_same_bytes(tmp_path: Path) -> None:
    first, second = tmp_path / "a b" / "é", tmp_path / "again"
    assert _make(first, "mossy red brick wall, wet", "--seed", "7", "--set", "rows=8") == 0
    files = sorted(first.iterdir())
    assert [file.suffix for file in files].count(".png") == 6 and len(files) == 7
    assert main(["texture", "rerun", str(first / "brick_7_height.png"), "-o", str(second)]) == 0
    for file in files:
        assert (second / file.name).read_bytes() == file.read_bytes()


def test_the_normal_map_is_that_of_the_height_map(tmp_path: Path) -> None:
    assert _make(tmp_path, "cobblestone", "--name", "c") == 0
    sidecar = json.loads((tmp_path / "c.json").read_text())
    assert sidecar["family"] == "cobblestone" and sidecar["parameters"]["rows"] == 10
    height = read_png(tmp_path / "c_height.png")[0][..., 0].astype(np.float64) / 65535
    expected = normals(height * sidecar["height_range_m"], sidecar["tile_size_m"])
    stored = read_png(tmp_path / "c_normal.png")[0] / 127.5 - 1
    assert abs(stored - expected).max() < 1.5 / 127.5


def test_what_is_there_is_replaced_only_if_told(tmp_path: Path) -> None:
    assert _make(tmp_path, "cobblestone", "--name", "c") == 0
    before = {file: file.read_bytes() for file in tmp_path.iterdir()}
    assert _make(tmp_path, "red bricks", "--name", "c") == 1
    assert {file: file.read_bytes() for file in tmp_path.iterdir()} == before
    assert _make(tmp_path, "cobblestone", "--name", "c") == 0  # The same set.
    assert _make(tmp_path, "red bricks", "--name", "c", "--force") == 0
    assert (tmp_path / "c_height.png").read_bytes() != before[tmp_path / "c_height.png"]


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (["a smiling cat"], "no-match"),
        (["brick", "--seed", "-1"], "bad-request"),
        (["brick", "--normals", "up"], "bad-request"),
        (["brick", "--set", "waves=2"], "bad-request"),
        (["brick", "--name", "../elsewhere"], "bad-name"),
        (["x" * 10_000], "bad-request"),
        ([""], "bad-request"),
    ],
)
def test_refusals_write_nothing(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], options: list[str], code: str
) -> None:
    assert _make(tmp_path / "out", *options, "--json") == 1
    assert json.loads(capfd.readouterr().out.splitlines()[-1])["code"] == code
    assert not (tmp_path / "out").exists()


def test_a_number_that_is_none_is_a_wrong_command_line(tmp_path: Path) -> None:
    assert _make(tmp_path, "brick", "--set", "rows=many") == 2


def test_a_batch_makes_what_is_missing_and_tells_of_what_it_cannot(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    listing, out = tmp_path / "list ü.txt", tmp_path / "out"
    request = '{"prompt": "red brick", "size": 64, "seed": 3}'
    listing.write_text(f"# walls\nred brick\n\na smiling cat\n{request}\nred brick\n", "utf-8")
    words = ["texture", "batch", str(listing), "--size", "32", "--processes", "2", "-o", str(out)]
    assert main(words) == 1
    told = capfd.readouterr().err
    assert "Made 3 sets." in told and "a smiling cat: No material matches" in told
    assert sorted(file.stem for file in out.glob("*.json")) == [
        "red_brick_0",
        "red_brick_0_2",
        "red_brick_3",
    ]
    assert read_png(out / "red_brick_3_height.png")[0].shape == (64, 64, 1)
    (out / "red_brick_0_ao.png").unlink()
    before = (out / "red_brick_3_height.png").stat().st_mtime_ns
    assert main(words) == 1
    assert "Made 1 set.\n2 sets were there already." in capfd.readouterr().err
    assert (out / "red_brick_0_ao.png").is_file()
    assert (out / "red_brick_3_height.png").stat().st_mtime_ns == before


def test_a_batchs_wrong_line_is_named(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    listing = tmp_path / "list.txt"
    listing.write_text("brick\n{\n")
    assert main(["texture", "batch", str(listing), "-o", str(tmp_path)]) == 1
    assert "Line 2 of list.txt" in capfd.readouterr().err


def test_a_set_larger_than_memory_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(memory, "available_memory", lambda: 1 << 20)
    assert _make(tmp_path / "out", "brick", "--json") == 1
    assert json.loads(capfd.readouterr().out.splitlines()[-1])["code"] == "out-of-memory"
    assert not (tmp_path / "out").exists()


def test_a_set_is_published_with_its_maps_and_all_that_is_known(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("pxr")
    from stagewright.ayon_bridge.library import Library

    assert _make(tmp_path / "set", "red brick", "--seed", "3", "--name", "wall") == 0
    words = ["texture", "publish", str(tmp_path / "set" / "wall.json")]
    words += ["--library", str(tmp_path / "lib"), "--comment", "first"]
    assert main(words) == 0
    assert "Published v001" in capfd.readouterr().err
    assert main(words) == 0
    assert "Nothing changed since v001" in capfd.readouterr().err
    with Library.open_existing(tmp_path / "lib") as library:
        (project,) = library.get_projects()
        (product,) = library.get_products(project.name)
        (version,) = library.get_versions(project.name)
        assert (product.name, product.product_type) == ("textureSetMain", "textureSet")
        assert version.data["textureSet"]["request"]["seed"] == 3
        made = library.get_representations(project.name, version_ids=[version.id])
        files = {each.name: library.main_file(each) for each in made}
    assert set(files) == {"usd", "set", "report"}
    textures, about = read_set(files["set"])
    assert textures.height.shape == (128, 128) and about["request"]["prompt"] == "red brick"
    height = files["set"].parent / about["maps"]["height"]
    assert main(["texture", "rerun", str(height), "-o", str(tmp_path / "again")]) == 0
    again = tmp_path / "again" / "brick_3_height.png"
    assert again.read_bytes() == height.read_bytes()
    assert main(["verify", "--library", str(tmp_path / "lib")]) == 0


def test_a_published_set_keeps_its_glow(tmp_path: Path) -> None:
    pytest.importorskip("pxr")
    from stagewright.ayon_bridge.library import Library

    assert _make(tmp_path / "set", "lava", "--name", "flow") == 0
    words = ["texture", "publish", str(tmp_path / "set" / "flow.json")]
    assert main([*words, "--library", str(tmp_path / "lib")]) == 0
    with Library.open_existing(tmp_path / "lib") as library:
        (project,) = library.get_projects()
        made = library.get_representations(project.name)
        (stored,) = [library.main_file(each) for each in made if each.name == "set"]
    textures, about = read_set(stored)
    assert textures.emission is not None and textures.emission_strength == 6.0
    written = stored.parent / about["maps"]["emission"]
    assert written.read_bytes() == (tmp_path / "set" / "flow_emission.png").read_bytes()


def test_a_look_is_written_where_it_is_asked_for(tmp_path: Path) -> None:
    usd = pytest.importorskip("pxr.Usd")
    assert _make(tmp_path / "set", "red brick", "--name", "wall") == 0
    words = ["texture", "look", str(tmp_path / "set" / "wall.json"), "-o"]
    assert main([*words, str(tmp_path / "my wall.usda")]) == 0
    stage = usd.Stage.Open(str(tmp_path / "my wall.usda"))
    assert stage.GetDefaultPrim().GetName() == "my_wall"
    assert main([*words, str(tmp_path / "wall.obj")]) == 1


def test_a_graph_is_made_and_made_again(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    settings = {"prompt": "red brick", "size": 64}
    nodes = [
        {"id": "a", "kind": "text_to_texture", "settings": settings},
        {"id": "b", "kind": "adjust", "inputs": {"set": "a"}, "settings": {"brightness": 0.1}},
        {"id": "c", "kind": "output", "inputs": {"set": "b"}},
    ]
    (tmp_path / "light wall.json").write_text(json.dumps({"nodes": nodes}))
    words = ["texture", "graph", str(tmp_path / "light wall.json"), "-o", str(tmp_path / "out")]
    assert main(words) == 0
    assert "Made in 3 steps" in capfd.readouterr().err
    map_ = tmp_path / "out" / "light wall_ao.png"
    again = tmp_path / "again"
    assert main(["texture", "rerun", str(map_), "-o", str(again), "--name", "light wall"]) == 0
    assert (again / map_.name).read_bytes() == map_.read_bytes()
    (tmp_path / "bad.json").write_text("{")
    assert main(["texture", "graph", str(tmp_path / "bad.json"), "-o", str(tmp_path)]) == 1


def test_maps_are_packed_into_channels_and_know_their_request(tmp_path: Path) -> None:
    assert _make(tmp_path, "rusty metal plate", "--name", "m") == 0
    words = ["texture", "pack", str(tmp_path / "m.json")]
    assert main(words) == 0
    packed = read_png(tmp_path / "m_orm.png")[0]
    for channel, name in enumerate(("ao", "roughness", "metallic")):
        assert np.array_equal(
            packed[:, :, channel], read_png(tmp_path / f"m_{name}.png")[0][..., 0]
        )
    assert main(words) == 1  # It is there already.
    again = ["texture", "rerun", str(tmp_path / "m_orm.png"), "-o", str(tmp_path / "again")]
    assert main([*again, "--name", "m"]) == 0
    assert (tmp_path / "again" / "m_ao.png").read_bytes() == (tmp_path / "m_ao.png").read_bytes()
    assert main([*words, "--order", "rgb"]) == 1
    assert main([*words, "--order", "hhr"]) == 0


def test_a_cluster_makes_a_batch(tmp_path: Path) -> None:
    pytest.importorskip("distributed")
    listing, out = tmp_path / "list.txt", tmp_path / "out"
    listing.write_text("red brick\na smiling cat\nbark\nsand\n")
    command = "import sys; from stagewright.pipeline.cli import main; sys.exit(main())"
    program = tmp_path / "cluster.py"
    program.write_text(
        "import sys, subprocess, distributed\n"
        "if __name__ == '__main__':\n"
        "    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, processes=True,\n"
        "                                  dashboard_address=None) as cluster:\n"
        f"        words = [sys.executable, '-c', {command!r}, *sys.argv[1:]]\n"
        "        sys.exit(subprocess.call([*words, '--scheduler', cluster.scheduler_address]))\n"
    )
    words = ["texture", "batch", listing, "--size", "32", "-o", out, "--json"]
    done = subprocess.run(
        [sys.executable, str(program), *map(str, words)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    last = json.loads([line for line in done.stdout.splitlines() if line.startswith("{")][-1])
    assert last["event"] == "result", done.stderr[-2000:]
    assert last["value"]["refused"] == [{"prompt": "a smiling cat", "code": "no-match"}]
    assert len(list(out.glob("*.json"))) == len(last["value"]["made"]) == 3
