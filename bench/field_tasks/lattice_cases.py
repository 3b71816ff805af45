# SPDX-License-Identifier: GPL-3.0-or-later
"""Inputs of the benches on whole grids, with their exact answers where there are any."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

_ROTATION = np.linalg.qr(np.array([[1.0, 0.4, -0.3], [-0.5, 1.0, 0.2], [0.1, -0.4, 1.0]]))[0]


def axes(n: int) -> tuple[Array, Array, Array]:
    """Coordinates of n voxels in voxels, the origin off centre, shaped to broadcast."""
    line = np.arange(n) - (n - 1) / 2 + 0.13
    x, y, z = np.meshgrid(line, line, line, indexing="ij", sparse=True)
    return x, y, z


def exact_distance(shape: str, n: int) -> Array:
    """Signed distance in voxels of a sphere, a torus or a rotated box."""
    x, y, z = axes(n)
    unit = n / 256
    if shape == "sphere":
        return np.sqrt(x * x + y * y + z * z) - 77 * unit
    if shape == "torus":
        return np.hypot(np.hypot(x, y) - 70 * unit, z) - 30 * unit
    sides = zip(_ROTATION, (60 * unit, 45 * unit, 70 * unit), strict=True)
    over = [np.abs(r[0] * x + r[1] * y + r[2] * z) - half for r, half in sides]
    outside = np.sqrt(sum(np.maximum(part, 0) ** 2 for part in over))
    return outside + np.minimum(np.maximum(np.maximum(over[0], over[1]), over[2]), 0)


def level_set(shape: str, kind: str, n: int) -> Array:
    """A field with the shape's zero level: exact, smoothly off, times 0.2 to 5, or a mask."""
    exact = exact_distance(shape, n)
    if kind == "smooth":
        exact = exact * (1 + 0.3 * np.sin(exact / 20))
    elif kind == "x0.2-x5":
        turn = np.arange(n) * (2 * np.pi / n)
        wave = np.sin(3 * turn)[:, None, None] * np.cos(2 * turn)[None, :, None]
        wave = wave + 0.7 * np.sin(4 * turn)[None, None, :]
        exact = exact * 5.0 ** (wave / np.abs(wave).max())
    elif kind == "mask":
        exact = np.where(exact < 0, -1.0, 1.0)
    return exact.astype(np.float32)


def front(name: str, n: int) -> tuple[Array, Array, Array | None]:
    """Source, speed and exact travel times (NaN where they are not judged) over -1..1."""
    line = np.linspace(-1, 1, n)
    x, y, z = np.meshgrid(line, line, line, indexing="ij", sparse=True)
    zero = np.zeros((n, n, n))
    if name == "constant":
        source = np.sqrt((x - 0.1) ** 2 + (y + 0.05) ** 2 + (z - 0.03) ** 2) - 0.3
        return source, zero + 1, np.where(source > 0, source, np.nan)
    if name == "linear":
        slope, start = np.array((0.3, 0.4, 0.5)), (-0.4, -0.3, -0.2)
        speed = 1.3 + slope[0] * x + slope[1] * y + slope[2] * z
        square = (x - start[0]) ** 2 + (y - start[1]) ** 2 + (z - start[2]) ** 2
        product = 2 * (1.3 + slope @ start) * speed
        norm = np.linalg.norm(slope)
        source = np.arccosh(1 + norm**2 * square / product) / norm - 0.25
        return source, speed, np.where(source > 0, source, np.nan)
    if name == "layered 10:1":
        source, speed = x + 0.9 + zero, np.where(z < 0, 1.0, 10.0) + zero
        head = source / 10 + np.abs(z) * np.sqrt(0.99)
        exact = np.where(z < 0, np.minimum(source, head), source / 10)
        return source, speed, np.where(source > 0, exact, np.nan)
    speed, step = zero + 1, n // 10
    for number in range(1, 10):
        wall = slice(number * step, number * step + 2)
        speed[wall] = 0
        speed[wall, slice(0, step) if number % 2 else slice(n - step, n)] = 1
    return x + 0.95 + zero, speed, None


def random_points(n: int) -> tuple[Array, Array]:
    """A random grid and two million points in it, in voxels."""
    random = np.random.default_rng(0)
    values = random.normal(size=(n, n, n)).astype(np.float32)
    return values, (random.random((2_000_000, 3)) * (n - 1)).astype(np.float32)
