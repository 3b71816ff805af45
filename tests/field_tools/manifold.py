# SPDX-License-Identifier: GPL-3.0-or-later
"""What it takes to be a closed manifold, for faces of any one number of corners."""

from __future__ import annotations

import numpy as np


def assert_closed_manifold(faces: np.ndarray, vertex_count: int) -> None:
    """Every edge exactly two faces, walked once each way; every vertex one fan."""
    faces = faces.astype(np.int64)
    assert np.all(np.diff(np.sort(faces, axis=1), axis=1) > 0)
    start, end = faces.reshape(-1), np.roll(faces, -1, axis=1).reshape(-1)
    directed = start * vertex_count + end
    assert len(np.unique(directed)) == len(directed)
    assert np.array_equal(np.sort(directed), np.sort(end * vertex_count + start))
    # Around a corner: from the edge that leaves it to the one that enters it, face by face.
    leaving = {int(k): i for i, k in enumerate(directed)}
    before = np.roll(faces, 1, axis=1).reshape(-1)
    following = np.array([leaving[int(k)] for k in start * vertex_count + before])
    unseen = np.ones(len(directed), bool)
    fans = np.zeros(vertex_count, int)
    for seed in range(len(directed)):
        if unseen[seed]:
            fans[start[seed]] += 1
            at = seed
            while unseen[at]:
                unseen[at] = False
                at = following[at]
    assert np.all(fans == 1)
