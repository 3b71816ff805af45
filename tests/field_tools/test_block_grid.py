# SPDX-License-Identifier: GPL-3.0-or-later
"""Block-sparse grids and kernels with a halo against the dense answer."""

from __future__ import annotations

import numpy as np
import pytest

from stagewright.field_tools.block_grid import (
    band_of_blocks,
    blocks_of_band,
    blocks_of_grid,
    combine,
)
from stagewright.field_tools.grid import Grid
from stagewright.field_tools.kernels import KERNELS, Kernel, in_slabs
from stagewright.field_tools.mesh_sdf import mesh_to_sdf
from stagewright.field_tools.sampling import sample
from stagewright.jobs.errors import StagewrightError

from . import mesh_shapes

BAND = mesh_to_sdf(*mesh_shapes.turned(mesh_shapes.torus()), 0.02)


@pytest.mark.parametrize("side", [8, 16])
def test_a_band_in_blocks_is_the_band(side: int) -> None:
    blocks = blocks_of_band(BAND, side)
    dense = BAND.to_grid()
    assert np.array_equal(blocks.to_grid().values, dense.values)
    back = band_of_blocks(blocks)
    assert np.array_equal(back.keys, BAND.keys)
    assert np.array_equal(back.distances, BAND.distances)
    again = blocks_of_grid(dense, BAND.width, side)
    assert np.array_equal(again.to_grid().values, dense.values)
    assert np.array_equal(again.table < 0, blocks.table < 0)


def test_a_thin_band_in_a_large_box_is_small() -> None:
    band = mesh_to_sdf(*mesh_shapes.ball(4), 0.6 / 150, half_width=2)
    assert blocks_of_band(band).nbytes < 0.45 * 4 * np.prod(band.shape)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_values_and_samples_are_those_of_the_dense_grid(dtype: type) -> None:
    random = np.random.default_rng(1)
    values = np.zeros((21, 30, 17, 3), dtype)
    values[3:12, 5:20, 2:15] = random.normal(size=(9, 15, 13, 3))
    grid = Grid(values, 0.1, (1.0, 2.0, 3.0))
    blocks = blocks_of_grid(grid, 0.0)
    index = random.integers(0, (21, 30, 17), (500, 3))
    assert np.array_equal(blocks.values_at(index), values[tuple(index.T)])
    assert np.array_equal(blocks.values_at([[-1, 0, 0], [0, 0, 400]]), np.zeros((2, 3)))
    points = random.uniform((1, 2, 3), (3, 4.9, 4.6), (400, 3))
    np.testing.assert_allclose(blocks.sample(points), sample(grid, points), atol=1e-5)


@pytest.mark.parametrize("side", [8, 16])
@pytest.mark.parametrize("halo", [1, 3, 8])
def test_halos_hold_faces_edges_and_corners(side: int, halo: int) -> None:
    values = np.random.default_rng(2).normal(size=(40, 37, 33)).astype(np.float32)
    blocks = blocks_of_grid(Grid(values), 0.5, side)
    around = np.pad(
        np.pad(values, [(0, -n % side) for n in values.shape], constant_values=0.5),
        halo,
        constant_values=0.5,
    )
    places = blocks.stored
    for number, block in enumerate(blocks.with_halo(np.arange(len(places)), halo)):
        box = tuple(slice(side * p, side * p + side + 2 * halo) for p in places[number])
        assert np.array_equal(block, around[box])


@pytest.mark.parametrize("name", ["laplacian", "gradient", "mean-curvature"])
def test_operators_in_blocks_are_the_dense_operators(name: str) -> None:
    kernel = KERNELS[name]
    answer = blocks_of_band(BAND).apply(kernel)
    dense = kernel(BAND.to_grid().values, BAND.voxel_size)
    where = answer.stored * 8
    for number, place in enumerate(where):
        box = tuple(slice(p, p + 8) for p in place)
        piece = dense[box]
        inner = tuple(
            slice(0 if p else 1, n if p + 8 < s else n - 1)
            for p, n, s in zip(place, piece.shape, dense.shape, strict=False)
        )
        mine = answer.pool[number][tuple(slice(0, n) for n in piece.shape[:3])]
        assert np.array_equal(mine[inner], piece[inner])


@pytest.mark.parametrize(
    "function", [np.minimum, np.maximum, lambda a, b: np.maximum(a, -b)], ids=["or", "and", "not"]
)
def test_booleans_of_blocks_are_those_of_the_dense_grids(function) -> None:  # noqa: ANN001
    x, y, z = (0.05 * g for g in np.indices((50, 45, 41), np.float64))
    a = np.sqrt((x - 1) ** 2 + (y - 1) ** 2 + (z - 1) ** 2) - 0.7
    b = np.sqrt((x - 1.5) ** 2 + (y - 1.2) ** 2 + (z - 1) ** 2) - 0.6
    grids = [Grid(np.clip(v, -0.15, 0.15).astype(np.float32), 0.05) for v in (a, b)]
    one, other = (blocks_of_grid(grid, float(np.float32(0.15))) for grid in grids)
    result = combine(one, other, function)
    assert np.array_equal(result.to_grid().values, function(grids[0].values, grids[1].values))


@pytest.mark.parametrize("name", KERNELS)
@pytest.mark.parametrize("planes", [1, 3, 7])
def test_slabs_give_the_whole_answer_to_the_last_bit(name: str, planes: int) -> None:
    kernel = KERNELS[name]
    shape = (13, 9, 8, 3) if kernel.takes_vectors else (13, 9, 8)
    values = np.random.default_rng(3).normal(size=shape).astype(np.float32)
    params = {"offset": {"distance": 0.3}, "shell": {"thickness": 0.3}}.get(name, {})
    whole = kernel(values, 0.2, **params)
    out = np.empty(kernel.result_shape(shape), np.float32)
    cut = in_slabs(kernel, values, 0.2, out, slab_voxels=72 * planes, **params)
    assert cut is out
    assert np.array_equal(cut, whole)


def test_what_does_not_fit_is_refused() -> None:
    blocks = blocks_of_band(BAND)
    cases = [
        (lambda: blocks_of_band(BAND, 7), "block-side"),
        (lambda: blocks.with_halo(np.arange(1), 9), "halo-width"),
        (lambda: combine(blocks, blocks_of_band(BAND, 16), np.minimum), "grid-mismatch"),
        (
            lambda: in_slabs(Kernel(lambda g: g, 0), np.ones((5, 5, 5)), out=np.ones(3)),
            "out-buffer",
        ),
        (lambda: in_slabs(Kernel(lambda g: g, 0), np.ones((5, 5, 5)), slab_voxels=0), "bad-size"),
    ]
    for call, code in cases:
        with pytest.raises(StagewrightError) as caught:
            call()
        assert caught.value.code == code
