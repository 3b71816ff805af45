# SPDX-License-Identifier: GPL-3.0-or-later
"""Kernels over dask's blocks: bit for bit what they are in memory, also on a cluster."""

from __future__ import annotations

import numpy as np
import pytest

from stagewright.field_tools.dask_blocks import GLOBAL, apply
from stagewright.field_tools.grid import Grid
from stagewright.field_tools.kernels import KERNELS
from stagewright.jobs.errors import StagewrightError

da = pytest.importorskip("dask.array")

SHAPE, CHUNKS = (19, 23, 17), (8, 7, 6)
PARAMS = {"offset": {"distance": 0.3}, "shell": {"thickness": 0.2}}


def values(name: str, dtype: type) -> np.ndarray:
    shape = (*SHAPE, 3) if KERNELS[name].takes_vectors else SHAPE
    return np.random.default_rng(3).normal(size=shape).astype(dtype)


def blocks(array: np.ndarray) -> da.Array:
    chunks = CHUNKS if array.ndim == 3 else (*CHUNKS, 2)
    made = da.from_array(array, chunks=chunks)
    return made.rechunk({0: (8, 7, 4), 1: (7, 7, 9), 2: (6, 6, 5)})


def same_bits(one: np.ndarray, other: np.ndarray) -> bool:
    return (
        one.dtype == other.dtype and one.shape == other.shape and one.tobytes() == other.tobytes()
    )


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", sorted(KERNELS))
def test_blocks_give_the_same_bits_as_memory(name: str, dtype: type) -> None:
    given = values(name, dtype)
    params = PARAMS.get(name, {})
    whole = KERNELS[name].function(Grid(given, 0.25), **params).values
    lazy = apply(name, blocks(given), 0.25, **params)
    assert (lazy.shape, lazy.dtype) == (whole.shape, whole.dtype)
    assert len(lazy.chunks[0]) == 3
    assert same_bits(lazy.compute(scheduler="threads"), whole)


def test_kernels_follow_one_another_lazily() -> None:
    given = values("laplacian", np.float64)
    lazy = apply("divergence", apply("gradient", blocks(given), 0.5), 0.5)
    slopes = KERNELS["gradient"].function(Grid(given, 0.5))
    assert same_bits(lazy.compute(scheduler="sync"), KERNELS["divergence"].function(slopes).values)


def test_worker_processes_of_a_cluster_give_the_same_bits() -> None:
    distributed = pytest.importorskip("distributed")
    given = values("mean-curvature", np.float32)
    whole = KERNELS["mean-curvature"].function(Grid(given, 0.25)).values
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        found = client.compute(apply("mean-curvature", blocks(given), 0.25)).result()
    assert same_bits(found, whole)


@pytest.mark.parametrize("name", sorted(GLOBAL))
def test_work_that_needs_the_whole_field_is_refused_by_name(name: str) -> None:
    with pytest.raises(StagewrightError, match=name) as caught:
        apply(name, blocks(values("laplacian", np.float32)))
    assert caught.value.code == "kernel-global"


@pytest.mark.parametrize(
    ("name", "array", "code"),
    [
        ("nonsense", da.zeros(SHAPE, dtype=np.float32), "kernel-unknown"),
        ("laplacian", da.zeros((*SHAPE, 3), dtype=np.float32), "grid-shape"),
        ("curl", da.zeros(SHAPE, dtype=np.float32), "grid-shape"),
        ("laplacian", da.zeros(SHAPE, dtype=np.int32), "grid-shape"),
        ("laplacian", da.zeros(SHAPE, dtype=np.float32, chunks=3), "chunk-size"),
    ],
)
def test_what_does_not_fit_is_refused(name: str, array: da.Array, code: str) -> None:
    with pytest.raises(StagewrightError) as caught:
        apply(name, array)
    assert caught.value.code == code
