# SPDX-License-Identifier: GPL-3.0-or-later
"""Meshes for the oracle tests, and distances to them the slow way."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

Mesh = tuple[np.ndarray, np.ndarray]


def closed_surface(
    position: Callable[[np.ndarray, np.ndarray], np.ndarray], nu: int, nv: int
) -> Mesh:
    """A surface periodic in both parameters; ``position`` takes angles and gives (..., 3)."""
    u = np.arange(nu) * 2 * np.pi / nu
    v = np.arange(nv) * 2 * np.pi / nv
    vertices = position(*np.meshgrid(u, v, indexing="ij")).reshape(-1, 3)
    i, j = np.arange(nu)[:, None], np.arange(nv)[None, :]
    a, b = i * nv + j, (i + 1) % nu * nv + j
    c, d = (i + 1) % nu * nv + (j + 1) % nv, i * nv + (j + 1) % nv
    faces = np.concatenate(
        [np.stack([a, b, c], -1).reshape(-1, 3), np.stack([a, c, d], -1).reshape(-1, 3)]
    )
    # Neighbours in space stay neighbours in the list.
    return vertices, faces.reshape(2, -1, 3).transpose(1, 0, 2).reshape(-1, 3)


def torus(nu: int = 60, nv: int = 24, major: float = 0.34, minor: float = 0.13) -> Mesh:
    def position(u: np.ndarray, v: np.ndarray) -> np.ndarray:
        ring = major + minor * np.cos(v)
        return np.stack([ring * np.cos(u), ring * np.sin(u), minor * np.sin(v)], -1)

    return closed_surface(position, nu, nv)


def knot(nu: int = 240, nv: int = 16, radius: float = 0.06) -> Mesh:
    """A tube about a trefoil."""

    def position(u: np.ndarray, v: np.ndarray) -> np.ndarray:
        def curve(t: np.ndarray) -> np.ndarray:
            ring = 2 + np.cos(3 * t)
            return np.stack([ring * np.cos(2 * t), ring * np.sin(2 * t), np.sin(3 * t)], -1) / 7

        tangent = curve(u + 1e-4) - curve(u - 1e-4)
        tangent /= np.linalg.norm(tangent, axis=-1, keepdims=True)
        outward = curve(u) * np.array([1, 1, 0])
        outward -= (outward * tangent).sum(-1, keepdims=True) * tangent
        outward /= np.linalg.norm(outward, axis=-1, keepdims=True)
        side = np.cross(tangent, outward)
        return curve(u) + radius * (np.cos(v)[..., None] * outward - np.sin(v)[..., None] * side)

    return closed_surface(position, nu, nv)


def cube(half: float = 0.3) -> Mesh:
    corners = np.array(
        [[x, y, z] for x in (-half, half) for y in (-half, half) for z in (-half, half)]
    )
    quads = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
    faces = [t for a, b, c, d in quads for t in ((a, b, c), (a, c, d))]
    return corners, np.array(faces)


def ball(levels: int = 4, radius: float = 0.3, bumps: float = 0.0) -> Mesh:
    """A cube's faces cut ``levels`` times and pushed out to a sphere, with bumps if asked."""
    vertices, faces = refined(*cube(1.0), levels)
    direction = vertices / np.linalg.norm(vertices, axis=1, keepdims=True)
    scale = 1 + bumps * np.prod(np.sin(5 * direction + 0.4), axis=1, keepdims=True)
    return direction * radius * scale, faces


def refined(vertices: np.ndarray, faces: np.ndarray, levels: int) -> Mesh:
    """Every triangle cut into four, ``levels`` times."""
    for _ in range(levels):
        edges = np.sort(np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]), 1)
        unique, middle = np.unique(edges, axis=0, return_inverse=True)
        ab, bc, ca = (middle.reshape(-1) + len(vertices)).reshape(3, -1)
        a, b, c = faces.T
        vertices = np.concatenate([vertices, vertices[unique].mean(axis=1)])
        faces = np.stack([a, ab, ca, ab, b, bc, ca, bc, c, ab, bc, ca], 1).reshape(-1, 3)
    return vertices, faces


def turned(mesh: Mesh, angle: float = 0.6) -> Mesh:
    c, s = np.cos(angle), np.sin(angle)
    about_z = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])
    about_x = np.array([[1, 0, 0], [0, c, -s], [0, s, c]])
    return mesh[0] @ (about_z @ about_x).T + np.array([0.011, -0.007, 0.013]), mesh[1]


def brute_distance(points: np.ndarray, vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Unsigned distances, each point to each triangle, after C. Ericson's case analysis."""
    a, b, c = (vertices[faces[:, k]].astype(np.float64) for k in range(3))
    best = np.full(len(points), np.inf)
    for i, p in enumerate(points):
        best[i] = _to_triangles(p, a, b, c).min()
    return best


def brute_winding(points: np.ndarray, vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Winding numbers by the sum of all solid angles."""
    a, b, c = (vertices[faces[:, k]].astype(np.float64) for k in range(3))
    result = np.empty(len(points))
    for i, p in enumerate(points):
        x, y, z = a - p, b - p, c - p
        lx, ly, lz = (np.linalg.norm(w, axis=1) for w in (x, y, z))
        triple = np.einsum("ij,ij->i", x, np.cross(y, z))
        rest = lx * ly * lz
        rest += np.einsum("ij,ij->i", x, y) * lz + np.einsum("ij,ij->i", y, z) * lx
        rest += np.einsum("ij,ij->i", z, x) * ly
        result[i] = np.arctan2(triple, rest).sum() / (2 * np.pi)
    return result


def _segment(p: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    ab = b - a
    t = np.einsum("ij,ij->i", p - a, ab) / np.maximum(np.einsum("ij,ij->i", ab, ab), 1e-300)
    return np.linalg.norm(p - a - np.clip(t, 0, 1)[:, None] * ab, axis=1)


def _to_triangles(p: np.ndarray, a: np.ndarray, b: np.ndarray, c: np.ndarray) -> np.ndarray:
    normal = np.cross(b - a, c - a)
    length = np.linalg.norm(normal, axis=1)
    inside = length > 1e-14
    for start, end in ((a, b), (b, c), (c, a)):
        inside &= np.einsum("ij,ij->i", np.cross(end - start, p - start), normal) >= 0
    plane = np.abs(np.einsum("ij,ij->i", p - a, normal)) / np.maximum(length, 1e-300)
    edges = np.minimum(np.minimum(_segment(p, a, b), _segment(p, b, c)), _segment(p, c, a))
    return np.where(inside, plane, edges)
