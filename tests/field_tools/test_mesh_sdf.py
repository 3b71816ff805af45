# SPDX-License-Identifier: GPL-3.0-or-later
"""Mesh to SDF against brute force and exact solids."""

from __future__ import annotations

import numpy as np
import pytest

from stagewright.field_tools.mesh_sdf import mesh_to_sdf
from stagewright.jobs.errors import StagewrightError

from . import mesh_shapes as shapes

SLIVERS = (
    np.array(
        [[-0.4, 0, 0], [0.4, 0.001, 0], [0.4, -0.001, 0.0], [-0.4, 0.1, 0.2], [0.4, 0.1, 0.2]]
    ),
    np.array([[0, 1, 2], [0, 2, 3], [2, 3, 4]]),
)
SHEET = (
    np.array([[-0.3, -0.3, 0.011], [0.3, -0.3, 0.02], [0.3, 0.3, 0.013], [-0.3, 0.3, 0.001]]),
    np.array([[0, 1, 2], [0, 2, 3]]),
)


def fan(two: shapes.Mesh, other: shapes.Mesh) -> shapes.Mesh:
    return np.concatenate([two[0], other[0]]), np.concatenate([two[1], other[1] + len(two[0])])


def doubled(mesh: shapes.Mesh) -> shapes.Mesh:
    return mesh[0], np.concatenate([mesh[1], mesh[1]])


def flipped(mesh: shapes.Mesh) -> shapes.Mesh:
    faces = mesh[1].copy()
    faces[::7] = faces[::7, ::-1]
    return mesh[0], faces


MESHES = {
    "torus": shapes.torus(),
    "knot": shapes.knot(),
    "turned cube": shapes.turned(shapes.cube()),
    "bumpy ball": shapes.ball(4, bumps=0.3),
    "two tori that cut": fan(shapes.torus(), shapes.turned(shapes.torus())),
    "doubled": doubled(shapes.turned(shapes.ball(2))),
    "flipped": flipped(shapes.torus()),
    "slivers": SLIVERS,
    "open sheet": SHEET,
    "one triangle": (SHEET[0], SHEET[1][:1]),
    "repeated corner": (SHEET[0], np.array([[0, 1, 2], [0, 0, 2], [3, 3, 3]])),
    "zero area": (np.array([[0.0, 0, 0], [0.2, 0.1, 0.1], [0.4, 0.2, 0.2]]), np.array([[0, 1, 2]])),
}


@pytest.mark.parametrize("name", MESHES)
def test_exact_distances_match_brute_force_everywhere(name: str) -> None:
    vertices, faces = MESHES[name]
    size = 0.03
    band = mesh_to_sdf(vertices, faces, size, exact=True, sign="unsigned")
    rng = np.random.default_rng(1)
    everywhere = np.arange(np.prod(band.shape))
    picked = np.sort(rng.choice(everywhere, min(300, len(everywhere)), replace=False))
    picked = np.union1d(picked, rng.choice(band.keys, min(150, len(band.keys)), replace=False))
    points = np.stack(np.unravel_index(picked, band.shape), 1) * size + np.array(band.origin)
    # A triangle that names a vertex twice is no surface.
    faces = faces[(faces != np.roll(faces, 1, axis=1)).all(axis=1)]
    truth = np.minimum(shapes.brute_distance(points, vertices, faces), band.width)
    ours = band.to_grid().values.reshape(-1)[picked]
    assert np.abs(ours - truth).max() < 1e-3 * size


@pytest.mark.parametrize("name", MESHES)
def test_fast_distances_are_exact_for_nearly_all_voxels(name: str) -> None:
    vertices, faces = MESHES[name]
    exact = mesh_to_sdf(vertices, faces, 0.02, exact=True, sign="unsigned")
    fast = mesh_to_sdf(vertices, faces, 0.02, sign="unsigned")
    error = np.abs(exact.to_grid().values - fast.to_grid().values).reshape(-1)[exact.keys] / 0.02
    assert np.mean(error > 0.05) < 0.01
    assert error.mean() < 2e-3


def test_signed_distances_match_the_exact_torus() -> None:
    vertices, faces = shapes.torus(400, 200)
    band = mesh_to_sdf(vertices, faces, 0.02)
    points = band.indices * band.voxel_size + np.array(band.origin)
    ring = np.hypot(points[:, 0], points[:, 1]) - 0.34
    truth = np.hypot(ring, points[:, 2]) - 0.13
    assert np.abs(band.distances - truth).max() < 0.05 * 0.02


def test_voxels_off_the_band_have_the_sign_of_their_side() -> None:
    vertices, faces = shapes.ball(4, 0.3)
    band = mesh_to_sdf(vertices, faces, 0.02)
    grid = band.to_grid()
    x, y, z = grid.centers()
    truth = np.sqrt(x * x + y * y + z * z) - 0.3
    sure = np.abs(truth) > 0.01
    assert np.array_equal((grid.values < 0)[sure], (truth < 0)[sure])
    assert grid.values.min() == -np.float32(band.width)


def test_answer_does_not_depend_on_where_the_world_is() -> None:
    vertices, faces = shapes.turned(shapes.ball(3, bumps=0.2))
    one = mesh_to_sdf(vertices, faces, 0.03125)
    other = mesh_to_sdf(vertices + np.array([32.0, -16.0, 64.0]), faces, 0.03125)
    assert np.array_equal(one.keys, other.keys)
    assert np.abs(one.distances - other.distances).max() < 1e-5


def test_voxel_centres_are_multiples_of_the_voxel_size() -> None:
    band = mesh_to_sdf(*shapes.turned(shapes.cube()), 0.07)
    assert np.allclose(np.array(band.origin) / 0.07, np.round(np.array(band.origin) / 0.07))


@pytest.mark.parametrize(
    ("vertices", "faces", "options", "code"),
    [
        (np.zeros((0, 3)), np.zeros((0, 3), int), {}, "mesh-empty"),
        (np.zeros((3, 3)), np.array([[0, 0, 1]]), {}, "mesh-empty"),
        (np.array([[0, 0, 0], [1, 0, 0], [0, np.nan, 0]]), np.array([[0, 1, 2]]), {}, "not-finite"),
        (np.eye(3), np.array([[0, 1, 3]]), {}, "mesh-indices"),
        (np.eye(3), np.array([[0, -1, 2]]), {}, "mesh-indices"),
        (np.eye(3), np.array([[0.0, 1, 2]]), {}, "mesh-indices"),
        (np.eye(3), np.array([[0, 1, 2, 0]]), {}, "mesh-shape"),
        (np.eye(3), np.array([[0, 1, 2]]), {"voxel_size": 0.0}, "voxel-size"),
        (np.eye(3), np.array([[0, 1, 2]]), {"voxel_size": 1e-6}, "grid-too-fine"),
        (np.eye(3), np.array([[0, 1, 2]]), {"voxel_size": 1e-300}, "grid-too-fine"),
        (np.eye(3), np.array([[0, 1, 2]]), {"half_width": 0.1}, "half-width"),
        (np.eye(3), np.array([[0, 1, 2]]), {"sign": "guess"}, "sign-method"),
    ],
)
def test_bad_input_is_refused_by_name(vertices, faces, options, code) -> None:  # noqa: ANN001
    with pytest.raises(StagewrightError) as caught:
        mesh_to_sdf(vertices, faces, **{"voxel_size": 0.1, **options})
    assert caught.value.code == code
