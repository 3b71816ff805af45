# SPDX-License-Identifier: GPL-3.0-or-later
"""The maps that a small network reads from a photo; numpy alone.

The network (docs/maps-network.md) was trained on synthetic materials: its maps are estimates.
It folds the photo four by four pixels into channels and runs at a quarter of its size; arrays are
(rows, columns, channels), a 3x3 convolution is three matrix products of rows laid side by side.
"""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..jobs.errors import StagewrightError
from ..jobs.events import Job, Progress

Field = NDArray[np.float32]

WEIGHTS = Path(__file__).with_name("maps.npz")
FOLD = 4
STRIDE = 32  # sides that the network takes are multiples of it
_OUTPUTS = 13
_STRIP = 4  # rows of a matrix product: what stays in a core's cache
_REACH = 24.0  # pixels over which a height comes from slopes rather than from the network
_TILE, _OVERLAP = 2048, 128


@dataclass(frozen=True)
class NetworkMaps:
    """What the network says of a photo; all (rows, columns), float32.

    Args:
        basecolor: sRGB, 0 to 1, last axis 3.
        roughness, metallic, ao: 0 to 1.
        height: pixels' widths, mean 0; normals are its slopes.
        expected: the mean error that the network expects of its own ``normal`` (degrees),
            ``roughness``, ``metallic`` and ``ao``.
    """

    basecolor: Field
    roughness: Field
    metallic: Field
    ao: Field
    height: Field
    expected: Mapping[str, float]


def estimate(photo: Field, *, wraps: bool = False) -> Job[NetworkMaps]:
    """Estimate the maps of a photo.

    Args:
        photo: (rows, columns, 3), sRGB, 0 to 1; at least 32 pixels a side.
        wraps: whether it repeats; the maps then repeat as well.

    Raises:
        StagewrightError: ``no-weights``, ``image-too-small``.
    """
    rows, columns = photo.shape[:2]
    if min(rows, columns) < STRIDE:
        raise StagewrightError(
            "image-too-small", "The photo has too few pixels.", "Give one of at least 32 a side."
        )
    layers = _weights()
    exact = rows % STRIDE == 0 and columns % STRIDE == 0 and max(rows, columns) <= _TILE
    if exact:
        raw = yield from _raw(layers, photo, wraps, 0.0, 0.9)
    else:
        raw = yield from _tiled(layers, photo, wraps)
    yield Progress("network.height", 0.92, "Joining slopes and height")
    return _read(raw, photo, wraps)


def _read(raw: Field, photo: Field, wraps: bool) -> NetworkMaps:
    metal = 1 / (1 + np.exp(-np.clip(raw[..., 6], -30, 30)))
    chord, *others = (float(raw[..., 9 + i].mean()) for i in range(4))
    expected = dict(
        zip(("roughness", "metallic", "ao"), (max(o, 0.0) for o in others), strict=True)
    )
    return NetworkMaps(
        basecolor=np.clip(photo + raw[..., :3], 0, 1),
        roughness=np.clip(raw[..., 5] + np.float32(0.6), 0.02, 1),
        metallic=metal.astype(np.float32),
        ao=np.clip(raw[..., 7] + np.float32(0.9), 0, 1),
        height=joined(raw[..., 3], raw[..., 4], raw[..., 8], wraps),
        expected={"normal": float(np.degrees(2 * np.arcsin(np.clip(chord / 2, 0, 1)))), **expected},
    )


def joined(right: Field, up: Field, height: Field, wraps: bool) -> Field:
    """The height of those slopes, in the shape of ``height`` over long ways.

    Least squares of both, a screened Poisson equation solved by Fourier transform (P. Bhat et al.,
    "Fourier Analysis of the 2D Screened Poisson Equation", 2008). Slopes are taken between pixels:
    at pixels, differences would not tie even ones to odd ones.

    Args:
        right: a normal's x/z, (rows, columns).
        up: its y/z, y up the image.
        height: of any scale: it is brought to the one that suits the slopes best.
        wraps: whether the surface repeats; otherwise its borders are mirrored.

    Returns:
        (rows, columns), pixels' widths, its mean 0.
    """
    rows, columns = height.shape
    across, down = -right, up
    height = height * _scale(height, across, down)
    if not wraps:
        margin = min(64, rows, columns)
        across, down, height = (
            _mirrored(a, margin, turned) for a, turned in ((across, 1), (down, 0), (height, None))
        )
    half = np.float32(0.5)
    across = (across + np.roll(across, -1, 1)) * half
    down = (down + np.roll(down, -1, 0)) * half
    v = np.exp(2j * np.pi * np.fft.fftfreq(height.shape[0])).astype(np.complex64)[:, None] - 1
    u = np.exp(2j * np.pi * np.fft.rfftfreq(height.shape[1])).astype(np.complex64)[None] - 1
    pull = np.float32(1 / _REACH**2)
    wave = u.conj() * np.fft.rfft2(across) + v.conj() * np.fft.rfft2(down)
    wave += pull * np.fft.rfft2(height)
    wave /= abs(u) ** 2 + abs(v) ** 2 + pull
    wave[0, 0] = 0
    made = np.fft.irfft2(wave, height.shape).astype(np.float32)
    return made if wraps else made[margin : margin + rows, margin : margin + columns]


def _scale(height: Field, across: Field, down: Field) -> np.float32:
    """The factor that brings a height's slopes nearest to those given; never below 0."""
    steps = np.diff(height, axis=1), np.diff(height, axis=0)
    aims = (across[:, 1:] + across[:, :-1]) / 2, (down[1:] + down[:-1]) / 2
    both = sum(float((s * a).sum()) for s, a in zip(steps, aims, strict=True))
    own = sum(float((s * s).sum()) for s in steps)
    return np.float32(max(both, 0.0) / max(own, 1e-12))


def _mirrored(field: Field, margin: int, turned: int | None) -> Field:
    """Mirrored over its borders; a slope along axis ``turned`` changes its sign there."""
    wide = np.pad(field, margin, mode="symmetric")
    if turned is not None:
        ends = [slice(None), slice(None)]
        for end in (slice(0, margin), slice(-margin, None)):
            ends[turned] = end
            wide[tuple(ends)] *= -1
    return wide


# ---- tiles ----


def _tiled(layers: Mapping[str, Field], photo: Field, wraps: bool) -> Job[Field]:
    """The raw maps of any size: overlapping tiles, blended linearly."""
    rows, columns = photo.shape[:2]
    wide = np.pad(
        photo,
        [(_OVERLAP, _OVERLAP + -side % STRIDE) for side in (rows, columns)] + [(0, 0)],
        mode="wrap" if wraps else "symmetric",
    )
    places = [_places(n) for n in wide.shape[:2]]
    total = np.zeros((*wide.shape[:2], _OUTPUTS), np.float32)
    weight = np.zeros((*wide.shape[:2], 1), np.float32)
    count = len(places[0]) * len(places[1])
    for at, (row, column) in enumerate((r, c) for r in places[0] for c in places[1]):
        part = wide[row : row + _TILE, column : column + _TILE]
        raw = yield from _raw(layers, part, False, 0.9 * at / count, 0.9 * (at + 1) / count)
        ramps = [_ramp(n) for n in part.shape[:2]]
        share = ramps[0][:, None, None] * ramps[1][None, :, None]
        total[row : row + _TILE, column : column + _TILE] += raw * share
        weight[row : row + _TILE, column : column + _TILE] += share
    kept = slice(_OVERLAP, _OVERLAP + rows), slice(_OVERLAP, _OVERLAP + columns)
    return np.asarray(total[kept] / weight[kept], np.float32)


def _places(length: int) -> list[int]:
    """Where tiles begin so that they overlap and the last one ends at the end."""
    if length <= _TILE:
        return [0]
    count = -(-(length - _OVERLAP) // (_TILE - _OVERLAP))
    return [int(p) // STRIDE * STRIDE for p in np.linspace(0, length - _TILE, count)]


def _ramp(length: int) -> Field:
    """Weights over a tile: little at its borders, which know half of their surroundings."""
    steps = np.arange(length, dtype=np.float32) + 1
    ramp = np.minimum(np.minimum(steps, steps[::-1]) / np.float32(_OVERLAP), 1)
    return ramp.astype(np.float32)


# ---- the network ----


@lru_cache(1)
def weights_id() -> str:
    """Which network this is: the first digits of its weights' SHA-256.

    Raises:
        StagewrightError: ``no-weights``.
    """
    try:
        with WEIGHTS.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()[:12]
    except OSError:
        raise _no_weights() from None


def _no_weights() -> StagewrightError:
    return StagewrightError(
        "no-weights",
        f"The network's weights {WEIGHTS.name} are not there.",
        "Install Stagewright anew, or choose the classical way.",
    )


@lru_cache(1)
def _weights() -> Mapping[str, Field]:
    """Every layer's weights, 3x3 kernels as (3, 3 * inputs, outputs), others (inputs, outputs)."""
    try:
        with np.load(WEIGHTS) as file:
            arrays = {name: file[name].astype(np.float32) for name in file.files}
    except (OSError, ValueError, zipfile.BadZipFile):
        raise _no_weights() from None
    return {name: _as_product(array) for name, array in arrays.items()}


def _as_product(weight: Field) -> Field:
    if weight.ndim == 4 and weight.shape[2] == 3:
        outputs, inputs = weight.shape[:2]
        return np.ascontiguousarray(weight.transpose(2, 3, 1, 0).reshape(3, 3 * inputs, outputs))
    if weight.ndim == 4:  # 2x2 with stride 2, or 1x1
        return np.ascontiguousarray(weight.transpose(2, 3, 1, 0).reshape(-1, len(weight)))
    return np.ascontiguousarray(weight.T) if weight.ndim == 2 else weight


def _raw(
    layers: Mapping[str, Field], photo: Field, wraps: bool, low: float, high: float
) -> Job[Field]:
    """(rows, columns, 13) of a photo whose sides are multiples of 32; progress low to high."""

    def conv(x: Field, name: str, *, relu: bool) -> Field:
        return convolved(x, layers[f"{name}.weight"], layers[f"{name}.bias"], relu, wraps)

    def blocks(x: Field, name: str) -> Field:
        at = 0
        while f"{name}.{at}.first.weight" in layers:
            x += conv(conv(x, f"{name}.{at}.first", relu=True), f"{name}.{at}.second", relu=True)
            at += 1
        return x

    def product(x: Field, name: str) -> Field:
        return np.asarray(x @ layers[f"{name}.weight"] + layers[f"{name}.bias"])

    depth = sum(f"shrink.{at}.weight" in layers for at in range(9))
    steps = 2 * depth + 3
    said = 0

    def progress() -> Progress:
        nonlocal said
        said += 1
        return Progress("network.layers", low + (high - low) * said / steps, "Reading the photo")

    x = conv(_folded(photo - np.float32(0.5)), "stem", relu=False)
    kept = []
    for level in range(depth):
        yield progress()
        x = blocks(x, f"down.{level}")
        kept.append(x)
        x = product(_halved(x), f"shrink.{level}")
    yield progress()
    x = blocks(x, f"down.{depth}")
    x += product(x.mean((0, 1), dtype=np.float32), "whole")
    for level in reversed(range(depth)):
        yield progress()
        wide = product(x, f"grow.{level}")
        x = kept.pop()
        rows, columns, width = wide.shape
        x.reshape(rows, 2, columns, 2, width)[...] += wide[:, None, :, None]
        x = blocks(x, f"up.{level}")
    yield progress()
    return _unfolded(conv(x, "head", relu=True))


def convolved(x: Field, weight: Field, bias: Field, relu: bool, wraps: bool) -> Field:
    """A 3x3 convolution of (rows, columns, inputs), zeros or the other side beyond the borders.

    Args:
        x: the input; not changed.
        weight: (3, 3 * inputs, outputs): by row, then by column and input.
        bias: (outputs,).
        relu: whether values below 0 become 0 before it.
        wraps: whether the borders meet.
    """
    rows, columns, inputs = x.shape
    wide = np.zeros((rows + 2, columns, 3 * inputs), np.float32)
    middle = wide[1:-1, :, inputs : 2 * inputs]
    np.maximum(x, 0, out=middle) if relu else np.copyto(middle, x)
    wide[1:-1, 1:, :inputs] = middle[:, :-1]
    wide[1:-1, :-1, 2 * inputs :] = middle[:, 1:]
    if wraps:
        wide[1:-1, 0, :inputs] = middle[:, -1]
        wide[1:-1, -1, 2 * inputs :] = middle[:, 0]
        wide[0], wide[-1] = wide[-2], wide[1]
    made = np.empty((rows, columns, weight.shape[2]), np.float32)
    strip = max(1, _STRIP * 256 // columns)
    for row in range(0, rows, strip):
        out = made[row : row + strip].reshape(-1, weight.shape[2])
        for tap in range(3):
            part = wide[row + tap : row + tap + strip][: rows - row].reshape(-1, 3 * inputs)
            if tap == 0:
                np.matmul(part, weight[0], out=out)
            else:
                out += part @ weight[tap]
        out += bias
    return made


def _folded(photo: Field) -> Field:
    """Four by four pixels as channels, colour by colour."""
    rows, columns = photo.shape[:2]
    blocks = photo.reshape(rows // FOLD, FOLD, columns // FOLD, FOLD, 3).transpose(0, 2, 4, 1, 3)
    return np.ascontiguousarray(blocks.reshape(rows // FOLD, columns // FOLD, 3 * FOLD**2))


def _unfolded(x: Field) -> Field:
    rows, columns = x.shape[:2]
    blocks = x.reshape(rows, columns, _OUTPUTS, FOLD, FOLD).transpose(0, 3, 1, 4, 2)
    return np.ascontiguousarray(blocks.reshape(rows * FOLD, columns * FOLD, _OUTPUTS))


def _halved(x: Field) -> Field:
    """Two by two places as channels."""
    rows, columns, width = x.shape
    blocks = x.reshape(rows // 2, 2, columns // 2, 2, width).transpose(0, 2, 1, 3, 4)
    return np.ascontiguousarray(blocks.reshape(rows // 2, columns // 2, 4 * width))
