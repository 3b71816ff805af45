# SPDX-License-Identifier: GPL-3.0-or-later
"""Photos of materials, many at a time: light, lens, sensor and JPEG drawn for each picture.

The surroundings are a random picture of the half sky: its irradiance by spherical harmonics
(R. Ramamoorthi and P. Hanrahan, 2001), its reflections from a pyramid of blurs chosen by
roughness (the split-sum idea of B. Karis, 2013); up to two lights of their own with shadows
marched over the relief, and a GGX lobe (B. Walter et al., 2007).
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

_SKY, _LEVELS, _MARCH = 48, 6, 20


class Studio:
    """Takes photos; one for a device.

    Args:
        noise: draws all numbers, on its device.
    """

    def __init__(self, noise: torch.Generator) -> None:
        self.noise, self.device = noise, noise.device
        steps = (torch.arange(_SKY, device=self.device) + 0.5) / _SKY * 2 - 1
        x, y = steps[None].expand(_SKY, _SKY), -steps[:, None].expand(_SKY, _SKY)
        r2 = (x * x + y * y).clamp_max(0.9999)
        # A paraboloid holds the half sphere in a disc: direction = (2x, 2y, 1 - r²) / (1 + r²).
        z = (1 - r2) / (1 + r2)
        self.sky = torch.stack([2 * x / (1 + r2), 2 * y / (1 + r2), z])
        inside = (x * x + y * y < 1).float()
        self.weight = inside * 4 / (1 + r2) ** 2 * (2 / _SKY) ** 2

    def number(self, batch: int, low: float, high: float, *shape: int) -> Tensor:
        """Equally likely numbers, (batch, *shape)."""
        made = torch.rand(batch, *shape, generator=self.noise, device=self.device)
        return low + (high - low) * made

    def photograph(self, maps: Tensor) -> Tensor:
        """(batch, 3, n, n) sRGB photos, 0 to 1, of maps as ``Materials.maps`` has them."""
        batch, n = len(maps), maps.shape[-1]
        height, base = maps[:, :1], maps[:, 3:6]
        rough, metal, ao = maps[:, 6:7], maps[:, 7:8], maps[:, 8:9]
        normal = F.normalize(torch.cat([maps[:, 1:3], torch.ones_like(height)], 1), dim=1)
        view = self._view(batch, n)
        albedo, f0 = base * (1 - metal), 0.04 * (1 - metal) + base * metal
        alpha = (rough * rough).clamp_min(0.006)

        sky = self._surroundings(batch)
        bounce = ao * (1 + albedo * (1 - ao))
        image = albedo * self._irradiance(sky, normal) * bounce
        nv = (normal * view).sum(1, keepdim=True).clamp(0.05, 1)
        mirrored = 2 * (normal * view).sum(1, keepdim=True) * normal - view
        a = f0 + (torch.maximum(1 - rough, f0) - f0) * (1 - nv) ** 5
        hidden = (ao + (nv + ao) ** torch.exp2(-16 * alpha.sqrt() - 1) - 1).clamp(0, 1)
        image = image + a * self._reflected(sky, mirrored, rough) * hidden

        lights = self.number(batch, 0, 1, 1, 1, 1)
        power = torch.where(lights < 0.12, 0.0, torch.exp(self.number(batch, -0.7, 1.8, 1, 1, 1)))
        for which in range(2):
            on = power if which == 0 else power * 0.5 * (self.number(batch, 0, 1, 1, 1, 1) < 0.3)
            image = image + on * self._lamp(height, normal, view, albedo, f0, alpha)
        return self._developed(image)

    def _view(self, batch: int, n: int) -> Tensor:
        steps = (torch.arange(n, device=self.device) + 0.5) / n - 0.5
        far = self.number(batch, 1.0, 4.0, 1, 1)
        dx, dy = (self.number(batch, -0.25, 0.25, 1, 1) for _ in range(2))
        x = (-steps[None, None] + dx).expand(batch, n, n)
        y = (steps[None, :, None] + dy).expand(batch, n, n)
        return F.normalize(torch.stack([x, y, far.expand(batch, n, n)], 1), dim=1)

    def _surroundings(self, batch: int) -> Tensor:
        """(batch, 3, sky, sky): a dome, a bright side, windows and blobs, a dark camera."""
        d = self.sky[None]
        up = d[:, 2:3]
        warm = self.number(batch, 0.8, 1.2, 3, 1, 1)
        dome = warm * (
            self.number(batch, 0.05, 1, 1, 1, 1) + self.number(batch, -0.4, 0.6, 1, 1, 1) * up
        )
        turn = self.number(batch, 0, 2 * math.pi, 1, 1, 1)
        side = torch.cos(turn) * d[:, :1] + torch.sin(turn) * d[:, 1:2]
        dome = dome * (1 + self.number(batch, 0, 0.95, 1, 1, 1) * side)
        for _ in range(5):
            on = self.number(batch, 0, 1, 1, 1, 1) < 0.45
            turn, lift = (
                self.number(batch, 0, 2 * math.pi, 1, 1, 1),
                self.number(batch, 0, 1, 1, 1, 1),
            )
            flat = (1 - lift * lift).sqrt()
            toward = torch.cat([flat * torch.cos(turn), flat * torch.sin(turn), lift], 1)
            sharp = torch.exp(self.number(batch, 0, 5, 1, 1, 1))
            cosine = (d * toward).sum(1, keepdim=True)
            blob = torch.exp(sharp * (cosine - 1))
            x = d[:, :1] * torch.cos(turn) + d[:, 1:2] * torch.sin(turn)
            y = -d[:, :1] * torch.sin(turn) + d[:, 1:2] * torch.cos(turn)
            width = self.number(batch, 0.06, 0.5, 2, 1, 1)
            pane = torch.sigmoid((width[:, :1] - (x - flat).abs()) * 30)
            pane = pane * torch.sigmoid((width[:, 1:] - y.abs()) * 30)
            shape = torch.where(self.number(batch, 0, 1, 1, 1, 1) < 0.5, blob, pane)
            tint = self.number(batch, 0.7, 1.3, 3, 1, 1)
            gain = torch.exp(self.number(batch, -1, 2.3, 1, 1, 1))
            dark = self.number(batch, 0, 1, 1, 1, 1) < 0.25
            dome = torch.where(on & dark, dome * (1 - 0.8 * shape), dome + on * gain * tint * shape)
        return dome.clamp_min(0.01)

    def _irradiance(self, sky: Tensor, normal: Tensor) -> Tensor:
        """Irradiance / pi of the half sky by nine harmonics, (batch, 3, n, n)."""
        basis = _harmonics(self.sky[None])[0]
        coefficients = torch.einsum("bcij,kij,ij->bck", sky, basis, self.weight)
        gains = torch.tensor([1, *[2 / 3] * 3, *[0.25] * 5], device=self.device)
        field = torch.einsum("bck,bkij->bcij", coefficients * gains, _harmonics(normal))
        return field.clamp_min(0.0)

    def _reflected(self, sky: Tensor, direction: Tensor, rough: Tensor) -> Tensor:
        """What a lobe of that roughness sees along a direction."""
        levels = [sky]
        for level in range(1, _LEVELS):
            levels.append(_softened(levels[-1], 0.7 * 1.7**level))
        volume = torch.stack(levels, 2)
        z = direction[:, 2:3].clamp_min(0)
        where = direction[:, :2] / (1 + z)
        depth = (rough.sqrt() * 1.6 - 0.6).clamp(-0.3, 1) * 2 - 1
        depth = torch.maximum(depth, torch.full_like(depth, -1))
        grid = torch.stack([where[:, 0], -where[:, 1], depth[:, 0]], -1)[:, None]
        seen = F.grid_sample(volume, grid, padding_mode="border", align_corners=False)[:, :, 0]
        below = (direction[:, 2:3] < 0).float()
        return seen * (1 - 0.8 * below)

    def _lamp(
        self,
        height: Tensor,
        normal: Tensor,
        view: Tensor,
        albedo: Tensor,
        f0: Tensor,
        alpha: Tensor,
    ) -> Tensor:
        """A sun or a lamp nearby, with the shadows of the relief."""
        batch, n = len(height), height.shape[-1]
        turn = self.number(batch, 0, 2 * math.pi, 1, 1, 1)
        lift = torch.deg2rad(
            torch.where(
                self.number(batch, 0, 1, 1, 1, 1) < 0.8,
                self.number(batch, 22, 72, 1, 1, 1),
                self.number(batch, 70, 90, 1, 1, 1),
            )
        )
        toward = torch.cat(
            [torch.cos(lift) * torch.cos(turn), torch.cos(lift) * torch.sin(turn), torch.sin(lift)],
            1,
        )
        away = torch.where(
            self.number(batch, 0, 1, 1, 1, 1) < 0.5,
            1e3,
            torch.exp(self.number(batch, 0, 1.6, 1, 1, 1)),
        )
        steps = (torch.arange(n, device=self.device) + 0.5) / n - 0.5
        place = torch.stack(
            [
                steps[None].expand(n, n),
                -steps[:, None].expand(n, n),
                torch.zeros(n, n, device=self.device),
            ]
        )[None]
        to = toward * away - place
        distance = to.norm(dim=1, keepdim=True)
        to, fall = to / distance, (away / distance) ** 2
        cosine = (normal * to).sum(1, keepdim=True).clamp_min(0)
        half = F.normalize(to + view, dim=1)
        nh = (normal * half).sum(1, keepdim=True).clamp(0, 1)
        nv = (normal * view).sum(1, keepdim=True).clamp(0.05, 1)
        vh = (view * half).sum(1, keepdim=True).clamp(0, 1)
        size = self.number(batch, 0.0, 0.12, 1, 1, 1)
        a2 = (alpha + size).clamp(0.006, 1) ** 2
        spread = a2 / (math.pi * (nh * nh * (a2 - 1) + 1) ** 2)
        k = alpha / 2
        smith = (cosine * (1 - k) + k) * (nv * (1 - k) + k)
        fresnel = f0 + (1 - f0) * (1 - vh) ** 5
        mirrored = fresnel * spread / (4 * smith)
        tint = self.number(batch, 0.85, 1.15, 3, 1, 1)
        lit = self._shadows(height, toward, size)
        return tint * fall * lit * cosine * (albedo / math.pi + mirrored) * 1.5

    def _shadows(self, height: Tensor, toward: Tensor, size: Tensor) -> Tensor:
        """1 in the light, 0 in a shadow, soft by the lamp's size; (batch, 1, n, n)."""
        n = height.shape[-1]
        flat = toward[:, :2].norm(dim=1, keepdim=True).clamp_min(0.02)
        step = toward[:, :2] / flat
        rise = toward[:, 2:] / flat
        axis = (torch.arange(n, device=self.device) + 0.5) / n * 2 - 1
        grid = torch.stack([axis[None].expand(n, n), axis[:, None].expand(n, n)], -1)[None]
        soft = 0.04 + size * (1 + rise * rise)
        lit = torch.ones_like(height)
        for i in range(_MARCH):
            distance = 1.0 * 1.23**i
            shift = torch.stack([step[:, 0], -step[:, 1]], -1).view(-1, 1, 1, 2) * (
                2 * distance / n
            )
            other = F.grid_sample(height, grid + shift, padding_mode="border", align_corners=False)
            over = (other - height) / distance - rise
            lit = torch.minimum(lit, (0.5 - over / soft).clamp(0, 1))
        return lit

    def _developed(self, image: Tensor) -> Tensor:
        """Exposure, balance, lens, sensor, tone and JPEG."""
        batch = len(image)
        grey = image.mean(1).flatten(1)
        aim = torch.exp(self.number(batch, math.log(0.09), math.log(0.38), 1, 1, 1))
        middle = grey[:, ::97].quantile(0.5, 1).view(-1, 1, 1, 1)
        image = image * aim / middle.clamp_min(1e-4)
        image = image * self.number(batch, 0.92, 1.08, 3, 1, 1)
        image = self._lens(image)
        amount = torch.exp(self.number(batch, math.log(0.001), math.log(0.012), 1, 1, 1))
        white = torch.randn(image.shape, generator=self.noise, device=self.device)
        image = (image + amount * white * (0.15 + image.clamp_min(0).sqrt())).clamp_min(0)
        shoulder = self.number(batch, 0.5, 1.0, 1, 1, 1)
        over = (image - shoulder).clamp_min(0)
        room = (1.02 - shoulder).clamp_min(0.02)
        rolled = torch.minimum(image, shoulder) + room * torch.tanh(over / room)
        filmed = torch.where(self.number(batch, 0, 1, 1, 1, 1) < 0.7, rolled, image).clamp(0, 1)
        encoded = encode(filmed)
        bend = self.number(batch, -0.12, 0.25, 1, 1, 1)  # the contrast that cameras add
        encoded = encoded + bend * (encoded * encoded * (3 - 2 * encoded) - encoded)
        quality = torch.exp(self.number(batch, math.log(4), math.log(50), 1, 1, 1))
        pressed = _pressed(encoded, quality)
        kept = torch.where(self.number(batch, 0, 1, 1, 1, 1) < 0.75, pressed, encoded)
        return torch.round(kept.clamp(0, 1) * 255) / 255

    def _lens(self, image: Tensor) -> Tensor:
        part = self.number(len(image), 0, 1, 1, 1, 1) ** 2 * 0.9
        soft = F.avg_pool2d(F.pad(image, (1, 1, 1, 1), mode="replicate"), 3, 1)
        n = image.shape[-1]
        steps = (torch.arange(n, device=self.device) + 0.5) / n - 0.5
        r2 = steps[None] ** 2 + steps[:, None] ** 2
        return (image + part * (soft - image)) * (1 - self.number(len(image), 0, 0.5, 1, 1, 1) * r2)


def encode(linear: Tensor) -> Tensor:
    """The sRGB of linear light (IEC 61966-2-1)."""
    high = 1.055 * linear.clamp_min(1e-5) ** (1 / 2.4) - 0.055
    return torch.where(linear <= 0.0031308, 12.92 * linear, high)


def _harmonics(d: Tensor) -> Tensor:
    """Nine real spherical harmonics of directions (batch, 3, ...), as (batch, 9, ...)."""
    x, y, z = d[:, 0], d[:, 1], d[:, 2]
    one = torch.full_like(x, 0.282095)
    return torch.stack(
        [
            one, 0.488603 * y, 0.488603 * z, 0.488603 * x, 1.092548 * x * y, 1.092548 * y * z,
            0.315392 * (3 * z * z - 1), 1.092548 * x * z, 0.546274 * (x * x - y * y),
        ],
        1,
    )  # fmt: skip


def _softened(image: Tensor, width: float) -> Tensor:
    reach = max(1, math.ceil(2 * width))
    x = torch.arange(-reach, reach + 1, device=image.device, dtype=image.dtype)
    kernel = torch.exp(-0.5 * (x / width) ** 2)
    kernel = (kernel / kernel.sum()).repeat(3, 1)
    padded = F.pad(image, (reach,) * 4, mode="replicate")
    across = F.conv2d(padded, kernel[:, None, None], groups=3)
    return F.conv2d(across, kernel[:, None, :, None], groups=3)


def _pressed(image: Tensor, step: Tensor) -> Tensor:
    """What JPEG's quantised cosines leave of sRGB images, (batch, 3, n, n), n a multiple of 16.

    ``step`` (batch, 1, 1, 1) is the middle of the quantisation table, of 255.
    """
    r, g, b = image[:, :1], image[:, 1:2], image[:, 2:]
    y = 0.299 * r + 0.587 * g + 0.114 * b
    cb, cr = (b - y) * 0.564, (r - y) * 0.713
    chroma = F.avg_pool2d(torch.cat([cb, cr], 1), 2)
    y = _quantised(y, step * 0.45)
    chroma = F.interpolate(_quantised(chroma, step), scale_factor=2, mode="nearest")
    cb, cr = chroma[:, :1], chroma[:, 1:]
    r, b = y + cr / 0.713, y + cb / 0.564
    return torch.cat([r, (y - 0.299 * r - 0.114 * b) / 0.587, b], 1)


def _quantised(plane: Tensor, step: Tensor) -> Tensor:
    k = torch.arange(8, device=plane.device, dtype=plane.dtype)
    cosines = torch.cos((2 * k[None] + 1) * k[:, None] * math.pi / 16) / 2
    cosines[0] /= math.sqrt(2)
    table = (0.35 + 0.3 * (k[None] + k[:, None])) * step[..., None, None] / 255
    batch, channels, rows, columns = plane.shape
    blocks = plane.view(batch, channels, rows // 8, 8, columns // 8, 8).transpose(3, 4)
    found = cosines @ blocks @ cosines.T
    kept = torch.round(found / table) * table
    return (cosines.T @ kept @ cosines).transpose(3, 4).reshape(batch, channels, rows, columns)
