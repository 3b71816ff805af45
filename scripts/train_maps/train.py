# SPDX-License-Identifier: GPL-3.0-or-later
"""Train the network: ``python -m scripts.train_maps.train --out FOLDER``.

Everything is made on the device: a pool of materials, renewed all the time, and for each step new
photos of crops of them. The learning rate follows the minutes given. A state is kept in the
folder and gone on from; ``maps.npz`` holds the weights (fp16, averaged over the last steps) that
did best on the validation patterns, ``log.csv`` the curves.
"""

from __future__ import annotations

import argparse
import csv
import math
import random
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from .materials import CHANNELS, draw
from .network import MapsNetwork, maps_of
from .renderer import Studio, encode

_RENEWAL = 12  # steps from 64 new materials to the next


@dataclass(frozen=True)
class Plan:
    """What is trained, how long, on what.

    Args:
        minutes: of wall time, the pool's filling included.
        batch: photos in a step.
        crop: pixels of a photo's side.
        tile: pixels of a material's side.
        pool: materials kept.
        kept: batches of photos kept.
        rate: the highest learning rate.
        seed: of the materials, photos and weights.
        out: the folder.
    """

    minutes: float
    batch: int
    crop: int
    tile: int
    pool: int
    kept: int
    rate: float
    seed: int
    out: Path


class Pool:
    """Materials on the device, the oldest replaced by new ones."""

    def __init__(self, plan: Plan, device: torch.device) -> None:
        self.plan, self.at = plan, 0
        self.dice = random.Random(plan.seed)
        self.noise = torch.Generator(device).manual_seed(plan.seed)
        shape = (plan.pool, CHANNELS, plan.tile, plan.tile)
        self.maps = torch.zeros(shape, dtype=torch.float16, device=device)
        for _ in range(0, plan.pool, 64):
            self.renew()

    def renew(self) -> None:
        """Draw 64 new materials of four kinds (fewer for a small pool)."""
        each = min(16, self.plan.pool // 4)
        made = draw(4, each, self.plan.tile, self.dice, self.noise, validation=False).maps
        self.maps[self.at : self.at + len(made)] = torch.nan_to_num(made).clamp(-6e4, 6e4).half()
        self.at = (self.at + len(made)) % (self.plan.pool - len(made) + 1)

    def crops(self) -> Tensor:
        """A batch of crops, turned and flipped; float32."""
        plan, room = self.plan, self.plan.tile - self.plan.crop
        device = self.maps.device
        pick = torch.randint(plan.pool, (plan.batch,), generator=self.noise, device=device)
        row, column = (
            torch.randint(room + 1, (plan.batch, 1), generator=self.noise, device=device)
            for _ in range(2)
        )
        steps = torch.arange(plan.crop, device=device)[None]
        maps = self.maps[
            pick[:, None, None, None],
            torch.arange(CHANNELS, device=device)[None, :, None, None],
            (row + steps)[:, None, :, None],
            (column + steps)[:, None, None, :],
        ].float()
        return maps


class Photos:
    """Photos of crops with their maps, each used about twice, turned another way."""

    def __init__(self, plan: Plan, pool: Pool, first_step: int) -> None:
        device = pool.maps.device
        self.plan, self.pool, self.at = plan, pool, 0
        self.studio = Studio(torch.Generator(device).manual_seed(plan.seed + 1 + first_step))
        shape = (plan.batch * plan.kept, 3 + CHANNELS, plan.crop, plan.crop)
        self.kept = torch.zeros(shape, dtype=torch.float16, device=device)
        for _ in range(plan.kept):
            self.renew()

    def renew(self) -> None:
        """Take a batch of photos in place of the oldest."""
        maps = self.pool.crops()
        photo = torch.nan_to_num(self.studio.photograph(maps), 0.5)
        here = slice(self.at * self.plan.batch, (self.at + 1) * self.plan.batch)
        self.kept[here] = torch.cat([photo, maps], 1).half()
        self.at = (self.at + 1) % self.plan.kept

    def batch(self) -> tuple[Tensor, Tensor]:
        """Photos and maps, float32, drawn from all that are kept."""
        noise, dice = self.pool.noise, self.pool.dice
        pick = torch.randint(
            len(self.kept), (self.plan.batch,), generator=noise, device=self.kept.device
        )
        flip, transpose = dice.random() < 0.5, dice.random() < 0.5
        both = self.kept[pick].float()
        photo, maps = both[:, :3], turned(both[:, 3:], flip, transpose)
        photo = photo.flip(3) if flip else photo
        photo = photo.transpose(2, 3) if transpose else photo
        return photo.contiguous(memory_format=torch.channels_last), maps


def turned(maps: Tensor, flip: bool, transpose: bool) -> Tensor:
    """Maps mirrored left to right, and rows for columns, slopes with them."""
    if flip:
        maps = maps.flip(3)
        maps = torch.cat([maps[:, :1], -maps[:, 1:2], maps[:, 2:]], 1)
    if transpose:
        maps = maps.transpose(2, 3)
        maps = torch.cat([maps[:, :1], -maps[:, 2:3], -maps[:, 1:2], maps[:, 3:]], 1)
    return maps.contiguous()


def losses(raw: Tensor, photo: Tensor, maps: Tensor) -> dict[str, Tensor]:
    """Each map's loss, a number; near what the measure scores."""
    made = maps_of(raw.float(), photo)
    normal = F.normalize(torch.cat([maps[:, 1:3], torch.ones_like(maps[:, :1])], 1), dim=1)
    chord = ((made["normal"] - normal) ** 2).sum(1, keepdim=True).add(1e-6).sqrt()
    base = encode(maps[:, 3:6])
    gain = _gain(made["basecolor"], base)
    colour = (made["basecolor"] - base).abs().mean() + (
        made["basecolor"] * gain - base
    ).abs().mean()
    rough = made["roughness"] - maps[:, 6:7]
    ao = made["ao"] - maps[:, 8:9]
    metal = maps[:, 7:8]
    cross = F.binary_cross_entropy_with_logits(made["metallic"], metal, reduction="none")
    # Which places are low shows in their darkness whatever the light's side, slopes do not: so
    # the height's shape weighs much. Alone, slopes stay where they start, flat, for thousands of
    # steps.
    height = maps[:, :1] - maps[:, :1].mean((2, 3), keepdim=True)
    height = height / (height.square().mean((2, 3), keepdim=True).sqrt() + 0.05)
    wrong = (torch.sigmoid(made["metallic"]) - metal).abs()
    seen = torch.cat([chord, rough.abs(), wrong, ao.abs()], 1).detach()
    return {
        "normal": 2 * chord.mean(),
        "basecolor": colour,
        "roughness": 4 * (rough**2).mean() + 0.3 * rough.abs().mean(),
        "metallic": 0.25 * cross.mean(),
        "ao": 8 * (ao**2).mean() + 0.3 * ao.abs().mean(),
        "height": 0.7 * (made["height"] - height.clamp(-4, 4)).abs().mean(),
        "errors": 0.5 * ((made["errors"] - seen) ** 2).mean(),
    }


def _gain(made: Tensor, truth: Tensor) -> Tensor:
    """The factor of each picture's values that suits the truth best; not differentiated."""
    with torch.no_grad():
        square = (made * made).sum((1, 2, 3), keepdim=True).clamp_min(1e-3)
        return ((made * truth).sum((1, 2, 3), keepdim=True) / square).clamp(0.3, 3)


class Exam:
    """Photos of patterns that are never trained on; always the same."""

    def __init__(self, plan: Plan, device: torch.device, count: int = 16) -> None:
        noise = torch.Generator(device).manual_seed(987)
        maps = draw(count, 8, plan.crop, random.Random(987), noise, validation=True).maps
        studio = Studio(noise)
        self.sets = [(m, studio.photograph(m)) for m in maps.split(32)]

    @torch.no_grad()
    def scores(self, network: MapsNetwork) -> dict[str, float]:
        """Degrees, root mean squares, balanced accuracy and dB."""
        square = {"roughness": 0.0, "ao": 0.0, "basecolor": 0.0}
        degrees, right, of = 0.0, [0.0, 0.0], [0.0, 0.0]
        for maps, photo in self.sets:
            made = maps_of(network(photo).float(), photo)
            normal = F.normalize(torch.cat([maps[:, 1:3], torch.ones_like(maps[:, :1])], 1), dim=1)
            cosine = (made["normal"] * normal).sum(1).clamp(-1, 1)
            degrees += float(torch.rad2deg(torch.acos(cosine)).mean())
            base = encode(maps[:, 3:6])
            fitted = (made["basecolor"] * _gain(made["basecolor"], base)).clamp(0, 1)
            square["roughness"] += float(((made["roughness"] - maps[:, 6:7]) ** 2).mean())
            square["ao"] += float(((made["ao"] - maps[:, 8:9]) ** 2).mean())
            square["basecolor"] += float(((fitted - base) ** 2).mean())
            for i, metal in enumerate((maps[:, 7] >= 0.5, maps[:, 7] < 0.5)):
                called = (made["metallic"][:, 0] >= 0) == (i == 0)
                right[i] += float((metal & called).sum())
                of[i] += float(metal.sum())
        n = len(self.sets)
        return {
            "normal_deg": degrees / n,
            "roughness_rmse": math.sqrt(square["roughness"] / n),
            "ao_rmse": math.sqrt(square["ao"] / n),
            "basecolor_psnr": -10 * math.log10(square["basecolor"] / n),
            "metallic_accuracy": sum(r / max(o, 1) for r, o in zip(right, of, strict=True)) / 2,
        }


def choice(scores: dict[str, float]) -> float:
    """One number to choose a checkpoint by, larger better."""
    return (
        -scores["normal_deg"] / 10
        - scores["roughness_rmse"] / 0.15
        - scores["ao_rmse"] / 0.06
        + scores["metallic_accuracy"]
        + scores["basecolor_psnr"] / 20
    )


def train(plan: Plan) -> None:
    """Train until the minutes are over."""
    start = time.monotonic()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.manual_seed(plan.seed)
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
    torch.backends.cudnn.benchmark = True
    plan.out.mkdir(parents=True, exist_ok=True)
    network = MapsNetwork().to(device, memory_format=torch.channels_last)
    mean = MapsNetwork().to(device, memory_format=torch.channels_last)
    mean.load_state_dict(network.state_dict())
    adam = torch.optim.AdamW(
        network.parameters(),
        plan.rate,
        betas=(0.9, 0.98),
        weight_decay=1e-4,
        fused=device.type == "cuda",
    )
    step, spent, best = 0, 0.0, -math.inf
    state = plan.out / "state.pt"
    if state.is_file():
        kept = torch.load(state, map_location=device, weights_only=True)
        network.load_state_dict(kept["network"])
        mean.load_state_dict(kept["mean"])
        adam.load_state_dict(kept["adam"])
        step, spent, best = kept["step"], kept["spent"], kept["best"]
    pool = Pool(plan, device)
    exam = Exam(plan, device)
    with torch.no_grad():
        photos = Photos(plan, pool, step)
    print(f"pool filled after {time.monotonic() - start:.0f} s", flush=True)
    shown = time.monotonic()
    sums: dict[str, Tensor] = {}
    since = 0
    safe = _guarded(network, mean, adam, None)
    while True:
        elapsed = spent + time.monotonic() - start
        done = elapsed / (plan.minutes * 60)
        if done >= 1:
            break
        if step % _RENEWAL == 0:
            pool.renew()
        rate = (
            plan.rate
            * min(1, (step + 1) / 400)
            * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * done)))
        )
        for group in adam.param_groups:
            group["lr"] = rate
        with torch.no_grad():
            if step % 2 == 0:
                photos.renew()
            photo, maps = photos.batch()
        with torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda"):
            raw = network(photo)
        parts = losses(raw, photo, maps)
        adam.zero_grad(set_to_none=True)
        torch.stack(list(parts.values())).sum().backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        adam.step()
        keep = min(0.999, 1 - 1 / (step + 2))
        with torch.no_grad():
            torch._foreach_lerp_(list(mean.parameters()), list(network.parameters()), 1 - keep)
        for name, value in parts.items():
            sums[name] = sums.get(name, 0) + value.detach()
        step, since = step + 1, since + 1
        if time.monotonic() - shown > 30:
            safe = _guarded(network, mean, adam, safe)
            best = report(
                plan,
                exam,
                mean,
                step,
                elapsed,
                {n: float(v) / since for n, v in sums.items()},
                best,
            )
            sums, since, shown = {}, 0, time.monotonic()
    report(
        plan,
        exam,
        mean,
        step,
        plan.minutes * 60,
        {n: float(v) / max(since, 1) for n, v in sums.items()},
        best,
    )
    torch.save(
        {
            "network": network.state_dict(),
            "mean": mean.state_dict(),
            "adam": adam.state_dict(),
            "step": step,
            "spent": spent + time.monotonic() - start,
            "best": best,
        },
        state,
    )


def _guarded(
    network: MapsNetwork, mean: MapsNetwork, adam: torch.optim.Optimizer, safe: list[Tensor] | None
) -> list[Tensor]:
    """A copy of the weights to go back to; goes back when one of them is no number any more."""
    weights = [*network.parameters(), *mean.parameters()]
    with torch.no_grad():
        if safe is None or bool(torch.stack([torch.isfinite(w).all() for w in weights]).all()):
            return [w.clone() for w in weights]
        print("the weights are no numbers any more: back to the last copy", flush=True)
        for weight, kept in zip(weights, safe, strict=True):
            weight.copy_(kept)
        adam.state.clear()
    return safe


def report(
    plan: Plan,
    exam: Exam,
    mean: MapsNetwork,
    step: int,
    elapsed: float,
    parts: dict[str, float],
    best: float,
) -> float:
    """Log, and write the weights if they are the best so far; returns the best choice."""
    scores = exam.scores(mean)
    row = {
        "step": step,
        "seconds": round(elapsed),
        **scores,
        **{f"loss_{n}": v for n, v in parts.items()},
    }
    print(" ".join(f"{n}={v:.4g}" for n, v in row.items()), flush=True)
    log = plan.out / "log.csv"
    new = not log.is_file()
    with log.open("a", newline="") as file:
        writer = csv.DictWriter(file, row)
        if new:
            writer.writeheader()
        writer.writerow(row)
    if choice(scores) > best:
        arrays = {
            n: p.detach().float().cpu().numpy().astype(np.float16)
            for n, p in mean.named_parameters()
        }
        np.savez(plan.out / "maps.npz", **arrays)
        return choice(scores)
    return best


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=9.0)
    parser.add_argument("--batch", type=int, default=192)
    parser.add_argument("--crop", type=int, default=256)
    parser.add_argument("--tile", type=int, default=352)
    parser.add_argument("--pool", type=int, default=12000)
    parser.add_argument("--kept", type=int, default=16)
    parser.add_argument("--rate", type=float, default=8e-4)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, required=True)
    train(Plan(**vars(parser.parse_args())))


if __name__ == "__main__":
    main()
