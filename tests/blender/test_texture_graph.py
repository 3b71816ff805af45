# SPDX-License-Identifier: GPL-3.0-or-later
"""The Texture Lab's trees: what they record, what runs again, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import addon_utils
import bpy
import numpy as np
import pytest

from stagewright.addon import beside, pump
from stagewright.addon.textures import history, making
from stagewright.addon.textures.graph import states
from stagewright.addon.textures.graph.names import NODE_KINDS, TREE, idname, kind_of, title
from stagewright.addon.textures.graph.operators import KIND, STAGEWRIGHT_PT_texture_graph, run
from stagewright.addon.textures.graph.record import fill, ids_of, new_tree, output_of, steps_of
from stagewright.addon.textures.graph.running import gathered
from stagewright.addon.textures.material import KEY
from stagewright.jobs.drive import drain
from stagewright.jobs.errors import StagewrightError
from stagewright.texture_lab.graph import KINDS, Node, TextureGraph
from stagewright.texture_lab.photo import sha256_of
from stagewright.texture_lab.png import write_png

from .recorder import Recorder
from .test_jobs_in_blender import tick_until

pytestmark = pytest.mark.usefixtures("addon")


def quiet(event: object) -> None:
    """Nobody reads the progress."""


def add_plane() -> bpy.types.Object:
    bpy.ops.mesh.primitive_plane_add(size=2.0)
    return bpy.context.object


def text(name: str, prompt: str, **settings: Any) -> Node:
    return Node(name, "text_to_texture", settings={"prompt": prompt, "size": 64, **settings})


def tree_with(*nodes: Node, folder: Path = Path()) -> bpy.types.NodeTree:
    """A tree of the nodes and an output of the last one."""
    tree = new_tree("Tree")
    fill(tree, TextureGraph((*nodes, Node("out", "output", {"set": nodes[-1].id}))), folder)
    return tree


def record_of(tree: bpy.types.NodeTree, folder: Path) -> TextureGraph:
    return drain(gathered(steps_of(output_of(tree)), folder, None), quiet)


def every_kind(folder: Path) -> TextureGraph:
    pixels = np.random.default_rng(1).integers(0, 255, (80, 96, 3)).astype(np.uint8)
    write_png(folder / "wall ü.png", pixels)
    write_png(folder / "mask.png", np.pad(np.full((8, 8), 255, np.uint8), ((20, 52), (30, 58))))
    photo = {"file": "wall ü.png", "sha256": sha256_of(folder / "wall ü.png")}
    mask = {"mask": "mask.png", "sha256": sha256_of(folder / "mask.png"), "seed": 3}
    return TextureGraph(
        (
            Node("photo", "photo", settings=photo),
            Node("idea", "text_to_image", settings={"prompt": "moss", "service": "sdapi"}),
            Node("more", "image_to_image", {"image": "idea"}, {"prompt": "wet", "guidance": 4.5}),
            Node("part", "image_to_image", {"image": "more"}, {"prompt": "dry", **mask}),
            Node("made", "photo_to_pbr", {"image": "part"}),
            Node("light", "delight", {"image": "photo"}, {"strength": 0.4}),
            Node("mend", "inpaint", {"source": "light"}, mask),
            Node("vary", "vary", {"source": "mend"}, {"strength": 0.123456, "seed": 2**31 - 1}),
            Node("tile", "tile", {"source": "vary"}, {"method": "blend"}),
            Node("pbr", "photo_to_pbr", {"image": "tile"}, {"relief": 0.02, "tile_size_m": 0.7}),
            Node("up", "upscale", {"source": "pbr"}, {"factor": 4, "repeats": True}),
            Node("wide", "outpaint", {"source": "up"}, {"pixels": 8, "repeats": True}),
            text("bricks", "red brick", seed=4, **{"slider:rows": 8.0, "slider:joint": 0.35}),
            Node("dark", "adjust", {"set": "bricks"}, {"brightness": -0.1, "relief": 2.5}),
            Node("both", "blend", {"below": "dark", "above": "wide"}, {"by": "height"}),
            Node("all", "blend", {"below": "both", "above": "made"}),
            Node("out", "output", {"set": "all"}, {"normals": "directx"}),
        )
    )


def test_a_tree_of_every_kind_is_the_record_it_was_made_of(tmp_path: Path) -> None:
    graph = every_kind(tmp_path)
    assert {node.kind for node in graph.nodes} == set(NODE_KINDS)
    tree = new_tree("Tree")
    fill(tree, graph, tmp_path)
    assert record_of(tree, tmp_path).to_json() == graph.filled().to_json()
    again = new_tree("Again")
    fill(again, record_of(tree, tmp_path), tmp_path)
    assert record_of(again, tmp_path).to_json() == graph.filled().to_json()


@pytest.mark.parametrize("kind", NODE_KINDS)
def test_a_node_of_each_kind_has_the_records_defaults_and_ranges(kind: str) -> None:
    node = new_tree("Tree").nodes.new(idname(kind))
    assert kind_of(node) == kind and node.bl_label == title(kind) and KINDS[kind].about
    assert [socket.name for socket in node.inputs] == [title(name) for name in KINDS[kind].inputs]
    for name, setting in KINDS[kind].settings.items():
        if name == "sha256" or not setting.allows(setting.default):
            continue
        value = getattr(node, f"set_{name}")
        expected = setting.default
        same = (
            value == pytest.approx(expected)
            if isinstance(value, float)
            else str(value) == str(expected)
        )
        assert same
        if hasattr(setting, "low"):
            for edge in (setting.low - 1, setting.high * 2 + 1):
                setattr(node, f"set_{name}", type(setting.default)(min(edge, 2**31 - 1)))
                value = getattr(node, f"set_{name}")  # 32 bits, where it is a float
                assert setting.allows(float(str(np.float32(value))) if value % 1 else value)


def test_it_is_saved_with_the_file_and_survives_without_the_extension(tmp_path: Path) -> None:
    graph = every_kind(tmp_path)
    tree = new_tree("Tree")
    tree.use_fake_user = True
    fill(tree, graph, tmp_path)
    path = str(tmp_path / "a.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path)
    bpy.ops.wm.open_mainfile(filepath=path)
    tree = bpy.data.node_groups["Tree"]
    assert record_of(tree, tmp_path).to_json() == graph.filled().to_json()
    addon_utils.disable("stagewright", default_set=True)
    bpy.ops.wm.open_mainfile(filepath=path)
    assert len(bpy.data.node_groups["Tree"].nodes) == len(graph.nodes)
    bpy.ops.wm.save_as_mainfile(filepath=path)
    addon_utils.enable("stagewright", default_set=True)
    bpy.ops.wm.open_mainfile(filepath=path)
    tree = bpy.data.node_groups["Tree"]
    assert record_of(tree, tmp_path).to_json() == graph.filled().to_json()


def test_a_run_makes_the_records_set_and_a_material() -> None:
    item = add_plane()
    tree = tree_with(text("bricks", "red brick"), Node("soft", "adjust", {"set": "bricks"}))
    task = run(bpy.context, tree)
    sidecar = Path(item.active_material[KEY])
    about = json.loads(sidecar.read_text())
    assert about["request"] == json.loads(record_of(tree, sidecar.parent).to_json())
    assert history.entries()[0].sidecar == sidecar
    assert task.message.startswith("Plane has the material")
    for name in ("bricks", "soft", "out"):
        state = states.of(tree.nodes[name])
        assert state is not None and state.icon is not None and not state.text


def ran(tree: bpy.types.NodeTree) -> list[str]:
    """The nodes that a run of a tree is at, in their order."""
    seen: list[str] = []
    say = states.say

    def told(tree: int, node: str, text: str, *, failed: bool = False) -> None:
        seen.append(node)
        say(tree, node, text, failed=failed)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(states, "say", told)
        run(bpy.context, tree)
    return seen


def test_only_what_changed_runs_again() -> None:
    add_plane()
    blend = Node("both", "blend", {"below": "a", "above": "b"})
    tree = tree_with(text("a", "brick"), text("b", "soil"), blend)
    assert sorted(ran(tree)) == ["a", "b", "both", "out"]
    assert ran(tree) == ["out"]
    tree.nodes["both"].set_amount = 0.25
    assert sorted(ran(tree)) == ["a", "b", "both", "out"]  # Both feed it, and are read again.
    tree.nodes["b"].set_seed = 7
    first = making.beside.home("textures")
    assert "both" in ran(tree)
    kept = sorted((Path(bpy.app.tempdir) / "texture-lab" / "steps").glob("*.npz"))
    assert len(kept) >= 7 and first.is_dir()


def test_the_resolution_is_that_of_all_drawn_materials() -> None:
    item = add_plane()
    tree = tree_with(text("a", "brick"), Node("soft", "adjust", {"set": "a"}))
    tree.resolution = "256"
    run(bpy.context, tree)
    about = json.loads(Path(item.active_material[KEY]).read_text())
    sizes = [node["settings"].get("size") for node in about["request"]["nodes"]]
    assert sorted(filter(None, sizes)) == [256]


def test_muted_nodes_reroutes_and_frames_are_passed_by(tmp_path: Path) -> None:
    tree = tree_with(text("a", "brick"), Node("soft", "adjust", {"set": "a"}))
    expected = record_of(tree_with(text("a", "brick")), tmp_path).to_json()
    tree.nodes["soft"].mute = True
    reroute = tree.nodes.new("NodeReroute")
    tree.links.new(tree.nodes["a"].outputs[0], reroute.inputs[0])
    tree.links.new(reroute.outputs[0], tree.nodes["soft"].inputs[0])
    frame = tree.nodes.new("NodeFrame")
    tree.nodes["a"].parent = frame
    assert record_of(tree, tmp_path).to_json() == expected


def test_copied_deleted_and_renamed_nodes_are_safe(tmp_path: Path) -> None:
    tree = tree_with(text("a", "brick"), Node("soft", "adjust", {"set": "a"}))
    copy = tree.copy()
    tree.nodes["a"].name = "Red & wet: Brick.001"
    before = record_of(tree, tmp_path)
    assert "Red_wet_Brick_001" in {node.id for node in before.nodes}
    bpy.data.node_groups.remove(tree)
    copy.nodes.remove(copy.nodes["soft"])
    with pytest.raises(StagewrightError, match="^out: nothing feeds its input Set"):
        steps_of(output_of(copy))


def test_ids_are_unique_and_good_names_stay() -> None:
    names = ["a b", "a_b", "a.b", "é", "  ", "x" * 80]
    ids = ids_of(names)
    assert ids["a_b"] == "a_b" and ids["é"] == "é"
    assert len(set(ids.values())) == len(names)
    assert all(Node(name, "output").id and len(name) <= 64 for name in ids.values())


def circle(tree: Any) -> None:
    tree.links.new(tree.nodes["soft"].outputs[0], tree.nodes["soft"].inputs[0])


def muted_source(tree: Any) -> None:
    tree.nodes["a"].mute = True


def no_words(tree: Any) -> None:
    tree.nodes["a"].set_prompt = "  "


def no_material(tree: Any) -> None:
    tree.nodes["a"].set_prompt = "a portrait of my grandmother"


def no_photo(tree: Any) -> None:
    photo = tree.nodes.new(idname("photo"))
    photo.name, photo.set_file = "pic", "/nowhere/wall.png"
    tree.links.new(photo.outputs[0], tree.nodes["tile"].inputs[0])


@pytest.mark.parametrize(
    ("spoil", "node", "why"),
    [
        (muted_source, "a", "muted"),
        (no_words, "a", "Prompt"),
        (no_material, "a", "nearest"),
        (no_photo, "pic", "wall.png"),
        (circle, "out", "feed one another: soft"),
    ],
)
def test_what_is_wrong_is_told_in_its_node(spoil: Any, node: str, why: str) -> None:
    add_plane()
    soft = Node("soft", "adjust", {"set": "a"})
    tree = tree_with(text("a", "brick"), Node("tile", "tile", {"source": "a"}), soft)
    tree.links.new(tree.nodes["tile"].outputs[0], tree.nodes["soft"].inputs[0])
    spoil(tree)
    with pytest.raises(StagewrightError, match=why):
        run(bpy.context, tree)
    state = states.of(tree.nodes[node])
    assert state is not None and state.failed and why in state.text
    drawn = Recorder()
    type(tree.nodes[node]).draw_buttons(tree.nodes[node], bpy.context, drawn)
    assert why in " ".join(drawn.texts)
    assert bpy.context.object.active_material is None


class FOREIGN_NODE_group(bpy.types.Node):
    """A group, or a node of another add-on."""

    bl_idname = "FOREIGN_NODE_group"
    bl_label = "Group"

    def init(self, context: bpy.types.Context) -> None:
        self.outputs.new("STAGEWRIGHT_SOCKET_set", "Set")


def test_a_foreign_node_is_refused_with_its_name_and_no_output_too() -> None:
    tree = tree_with(text("a", "brick"))
    bpy.utils.register_class(FOREIGN_NODE_group)
    foreign = tree.nodes.new("FOREIGN_NODE_group")
    tree.links.new(foreign.outputs[0], tree.nodes["out"].inputs[0])
    with pytest.raises(StagewrightError, match="^Group: it is no node of the Texture Lab"):
        steps_of(output_of(tree))
    bpy.utils.unregister_class(FOREIGN_NODE_group)
    tree.nodes.remove(tree.nodes["out"])
    with pytest.raises(StagewrightError, match="Tree has no output"):
        output_of(tree)


def test_links_that_do_not_fit_are_marked() -> None:
    tree = tree_with(text("a", "brick"))
    light = tree.nodes.new(idname("delight"))
    link = tree.links.new(tree.nodes["a"].outputs[0], light.inputs[0])
    tree.update()
    assert not link.is_valid
    fine = next(link for link in tree.links if link.to_node.name == "out")
    assert fine.is_valid


def test_a_cancelled_run_leaves_the_object_as_it_was() -> None:
    item = add_plane()
    tree = tree_with(text("a", "brick", size=4096))
    with in_window():
        task = run(bpy.context, tree)
    tick_until(lambda: "a: " in task.message)
    state = states.of(tree.nodes["a"])
    assert state is not None and state.text == "Running"
    pump.cancel(task.number)
    tick_until(lambda: not task.running)
    assert task.failure is not None and task.failure.code == "cancelled"
    assert item.active_material is None and not list(beside.home("textures").glob("out*"))
    state = states.of(tree.nodes["a"])
    assert state is not None and not state.text


def test_a_deleted_tree_does_not_disturb_its_run() -> None:
    item = add_plane()
    tree = tree_with(text("a", "brick", size=512))
    with in_window():
        task = run(bpy.context, tree)
    bpy.data.node_groups.remove(tree)
    tick_until(lambda: not task.running)
    assert task.failure is None and item.active_material is not None


@contextmanager
def in_window() -> Iterator[None]:
    """Jobs go on beside, as with a window."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pump, "run", pump.start)
        yield


@contextmanager
def node_editor(tree: bpy.types.NodeTree | None) -> Iterator[Any]:
    """A node editor that shows a tree."""
    window = bpy.context.window_manager.windows[0]
    area = window.screen.areas[0]
    kept = area.type
    area.type = "NODE_EDITOR"
    space = area.spaces.active
    space.tree_type, space.node_tree = TREE, tree
    with bpy.context.temp_override(window=window, area=area):
        yield space
    area.type = kept


def test_trees_go_out_to_a_file_and_come_in_again(tmp_path: Path) -> None:
    graph = every_kind(tmp_path)
    (tmp_path / "in.json").write_text(graph.to_json())
    add_plane()
    with node_editor(None) as space:
        assert bpy.ops.stagewright.import_texture_graph(filepath=str(tmp_path / "in.json")) == {
            "FINISHED"
        }
        tree = space.node_tree
        target = tmp_path / "other" / "out.json"
        target.parent.mkdir()
        assert bpy.ops.stagewright.export_texture_graph(filepath=str(target)) == {"FINISHED"}
        assert TextureGraph.from_json(target.read_text()).to_json() == graph.filled().to_json()
        assert sorted(path.name for path in target.parent.iterdir()) == [
            "mask.png",
            "out.json",
            "wall ü.png",
        ]
        tree.nodes["up"].set_factor = "2"
        tree.links.new(tree.nodes["wide"].outputs[0], tree.nodes["dark"].inputs[0])
        tree.nodes["all"].mute = True
        assert bpy.ops.stagewright.run_texture_graph() == {"FINISHED"}
        sidecar = bpy.context.object.active_material[KEY]
        for file in (sidecar, sidecar.replace(".json", "_ao.png")):
            assert bpy.ops.stagewright.import_texture_graph(filepath=file) == {"FINISHED"}
            home = Path(sidecar).parent
            made = record_of(space.node_tree, home).to_json()
            assert made == record_of(tree, home).to_json()
        for bad in (tmp_path / "gone.json", tmp_path / "mask.png", tmp_path / "bad.json"):
            (tmp_path / "bad.json").write_text("[" * 10_000)
            count = len(bpy.data.node_groups)
            with pytest.raises(RuntimeError):
                bpy.ops.stagewright.import_texture_graph(filepath=str(bad))
            assert len(bpy.data.node_groups) == count


def test_the_panel_and_a_new_tree() -> None:
    with node_editor(None) as space:
        drawn = Recorder()
        panel = type("Part", (), {"layout": drawn})()
        STAGEWRIGHT_PT_texture_graph.draw(panel, bpy.context)
        assert "stagewright.start_texture_graph" in [name for name, _ in drawn.buttons]
        assert bpy.ops.stagewright.start_texture_graph() == {"FINISHED"}
        tree = space.node_tree
        drawn = panel.layout = Recorder()
        STAGEWRIGHT_PT_texture_graph.draw(panel, bpy.context)
        assert "Choose an object that takes materials" in drawn.texts
        assert bpy.ops.stagewright.add_graph_slider(node="Material", slider="rows") == {"FINISHED"}
        assert tree.nodes["Material"].sliders["rows"].value > 0
        assert bpy.ops.stagewright.remove_graph_slider(node="Material", number=0) == {"FINISHED"}
        assert len(tree.nodes["Material"].sliders) == 0
    assert pump.last(KIND) is None


def test_numbers_too_large_for_blender_are_refused_and_the_tree_stays() -> None:
    tree = tree_with(text("a", "brick"))
    large = TextureGraph((text("b", "brick", seed=2**32 - 1), Node("out", "output", {"set": "b"})))
    with pytest.raises(StagewrightError, match="b: its seed is too large"):
        fill(tree, large, Path())
    assert "a" in tree.nodes
