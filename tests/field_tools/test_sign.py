# SPDX-License-Identifier: GPL-3.0-or-later
"""Inside and outside of whole and damaged meshes."""

from __future__ import annotations

import numpy as np
import pytest

from stagewright.field_tools.sign import generalised_winding, inside_voxels
from stagewright.field_tools.triangles import TriangleMesh

from . import mesh_shapes as shapes

SIZE = 1 / 48
SHAPE = (48, 48, 48)
SHAPES = {
    "torus": shapes.turned(shapes.torus(120, 48)),
    "ellipsoid": shapes.turned((shapes.ball(4)[0] * [1.2, 0.8, 0.6], shapes.ball(4)[1])),
    "cube": shapes.turned(shapes.refined(*shapes.cube(), 4)),
    "ball": shapes.turned(shapes.ball(4)),
    "bumpy ball": shapes.turned(shapes.ball(4, bumps=0.1)),
    "two balls": shapes.turned(
        (
            np.concatenate([shapes.ball(3, 0.2)[0] + 0.15, shapes.ball(3, 0.15)[0] - 0.2]),
            np.concatenate([shapes.ball(3)[1], shapes.ball(3)[1] + len(shapes.ball(3)[0])]),
        )
    ),
}


def placed(vertices: np.ndarray, faces: np.ndarray) -> TriangleMesh:
    points = (np.asarray(vertices) / SIZE + 24).T
    return TriangleMesh(
        np.ascontiguousarray(points, np.float32), np.ascontiguousarray(faces.T, np.int32)
    )


def inside(vertices: np.ndarray, faces: np.ndarray, method: str = "auto") -> np.ndarray:
    keys = np.arange(48**3)
    return inside_voxels(placed(vertices, faces), keys, SHAPE, method).reshape(SHAPE)


def removed(vertices: np.ndarray, faces: np.ndarray) -> shapes.Mesh:
    keep = np.random.default_rng(2).random(len(faces)) > 0.02
    return vertices, faces[keep]


def flipped(vertices: np.ndarray, faces: np.ndarray) -> shapes.Mesh:
    flip = np.random.default_rng(3).random(len(faces)) < 0.02
    return vertices, np.where(flip[:, None], faces[:, ::-1], faces)


def holed(vertices: np.ndarray, faces: np.ndarray) -> shapes.Mesh:
    """The triangles nearest to one of them removed, 3 % of the whole area.

    The hole lies within one smooth part: what stood on a missing edge or corner nobody can tell.
    """
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    area = np.linalg.norm(np.cross(b - a, c - a), axis=1)
    center = (a + b + c) / 3
    normal = np.cross(b - a, c - a) / area[:, None]
    other = normal @ normal[:: max(1, len(faces) // 500)].T
    near = ((center[:, None] - center[None, :: max(1, len(faces) // 500)]) ** 2).sum(2)
    smooth = np.where(near < 0.035, other, 1).min(axis=1)
    order = np.argsort(np.linalg.norm(center - center[smooth.argmax()], axis=1))
    hole = np.cumsum(area[order]) <= 0.03 * area.sum()
    return vertices, faces[np.sort(order[~hole])]


def self_intersecting(vertices: np.ndarray, faces: np.ndarray) -> shapes.Mesh:
    """A second copy, moved by less than its size."""
    moved = vertices + np.array([0.05, 0.03, -0.04])
    return np.concatenate([vertices, moved]), np.concatenate([faces, faces + len(vertices)])


def duplicated(vertices: np.ndarray, faces: np.ndarray) -> shapes.Mesh:
    twice = np.random.default_rng(4).random(len(faces)) < 0.02
    return vertices, np.concatenate([faces, faces[twice]])


def longest_component(wrong: np.ndarray) -> int:
    """Longest extent along an axis of the face-connected components."""
    cells = set(map(tuple, np.argwhere(wrong).tolist()))
    longest = 0
    while cells:
        stack = [cells.pop()]
        low, high = list(stack[0]), list(stack[0])
        while stack:
            x, y, z = stack.pop()
            for dx, dy, dz in np.concatenate(
                [np.eye(3, dtype=int), -np.eye(3, dtype=int)]
            ).tolist():
                n = (x + dx, y + dy, z + dz)
                if n in cells:
                    cells.remove(n)
                    stack.append(n)
                    low = [min(a, b) for a, b in zip(low, n, strict=True)]
                    high = [max(a, b) for a, b in zip(high, n, strict=True)]
        longest = max(longest, *(b - a + 1 for a, b in zip(low, high, strict=True)))
    return longest


@pytest.mark.parametrize("name", SHAPES)
def test_columns_of_whole_meshes_match_the_sum_of_solid_angles(name: str) -> None:
    vertices, faces = SHAPES[name]
    result = inside(vertices, faces, "columns")
    voxels = np.random.default_rng(5).integers(10, 38, (300, 3))
    truth = shapes.brute_winding((voxels - 24) * SIZE, vertices, faces) > 0.5
    assert np.array_equal(result[tuple(voxels.T)], truth)


@pytest.mark.parametrize("damage", [removed, flipped, holed, self_intersecting, duplicated])
@pytest.mark.parametrize("name", SHAPES)
def test_damaged_meshes_keep_their_inside(name: str, damage) -> None:  # noqa: ANN001
    vertices, faces = SHAPES[name]
    truth = inside(vertices, faces, "columns")
    if damage is self_intersecting:
        truth |= inside(vertices + np.array([0.05, 0.03, -0.04]), faces, "columns")
    wrong = inside(*damage(vertices, faces)) != truth
    assert wrong.sum() <= 0.01 * truth.sum()
    assert longest_component(wrong) <= 5


def test_columns_through_corners_and_edges_of_a_lattice_mesh_count_once() -> None:
    vertices, faces = shapes.refined(*shapes.cube(8.0), 3)
    mesh = TriangleMesh(
        np.ascontiguousarray((vertices + 24).T, np.float32),
        np.ascontiguousarray(faces.T, np.int32),
    )
    result = inside_voxels(mesh, np.arange(48**3), SHAPE, "columns").reshape(SHAPE)
    assert result[17:32, 17:32, 17:32].all()
    assert not result[:16].any() and not result[33:].any() and not result[:, :, 33:].any()


def test_winding_numbers_match_the_sum_of_all_solid_angles_on_an_open_mesh() -> None:
    vertices, faces = holed(*shapes.torus(120, 48))
    points = np.random.default_rng(6).uniform(-0.45, 0.45, (300, 3))
    ours = generalised_winding(
        placed(vertices, faces), np.ascontiguousarray((points / SIZE + 24).T)
    )
    assert np.abs(ours - shapes.brute_winding(points, vertices, faces)).max() < 0.03


def test_split_vertices_do_not_open_a_mesh() -> None:
    vertices, faces = SHAPES["bumpy ball"]
    soup = vertices[faces].reshape(-1, 3), np.arange(faces.size).reshape(-1, 3)
    assert np.array_equal(inside(*soup), inside(vertices, faces))


def test_a_sheet_has_no_inside() -> None:
    vertices = np.array([[-0.3, -0.3, 0.011], [0.3, -0.3, 0.02], [0.3, 0.3, 0.01], [-0.3, 0.3, 0]])
    assert inside(vertices, np.array([[0, 1, 2], [0, 2, 3]])).sum() == 0
