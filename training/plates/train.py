"""Training: ``python -m training.plates train --seed 1 --out FOLDER``."""

from __future__ import annotations

import copy
import json
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy, smooth_l1_loss

from training.plates import supply
from training.plates.networks import ProvinceReader, RowReader
from training.plates.samples import IGNORED

BATCH = 128
KEPT = 120  # shards in the pool from which batches are drawn
PASSES = 2.0  # how often a sample is seen, on average
SAVE_EVERY_S = 90.0

Batch = dict[str, Tensor]
Loss = Callable[[nn.Module, Batch], Tensor]


class Both(nn.Module):
    """The two readers, trained side by side."""

    def __init__(self) -> None:
        super().__init__()
        self.row, self.province = RowReader(), ProvinceReader()


def reading_loss(model: nn.Module, batch: Batch) -> Tensor:
    """Cross-entropy by column, and of the province."""
    assert isinstance(model, Both)  # noqa: S101 - for the type
    columns = model.row(_seen(batch["top"])).float()
    row = cross_entropy(columns.flatten(0, 1), batch["columns"].long().flatten(), ignore_index=IGNORED)
    province = cross_entropy(model.province(_seen(batch["bottom"])).float(), batch["province"], label_smoothing=0.02)
    return row + 0.3 * province


def corner_loss(model: nn.Module, batch: Batch) -> Tensor:
    """Where the corners are, whether there is a plate, and of which form."""
    told, there = model(_seen(batch["picture"])).float(), batch["there"]
    far = smooth_l1_loss(told[:, :8], batch["corners"].flatten(1), beta=0.01, reduction="none").mean(1)
    form = cross_entropy(told[:, 9:], batch["layout"], reduction="none")
    plate = binary_cross_entropy_with_logits(told[:, 8], there)
    return 20 * (far * there).mean() + 0.3 * (form * there).mean() + 0.3 * plate


def _seen(luma: Tensor) -> Tensor:
    return luma.unsqueeze(1).float().contiguous(memory_format=torch.channels_last)


def run(
    name: str, model: nn.Module, loss: Loss, make: supply.Maker, *, seed: int, count: int, workers: int, out: Path,
    best_rate: float = 3e-3, start: Path | None = None, told: Callable[[nn.Module], dict[str, Any]] = lambda _: {},
) -> nn.Module:  # fmt: skip
    """Train on ``count`` shards; the running mean of the weights is what counts, and is saved as it comes."""
    torch.manual_seed(seed)
    random = np.random.default_rng(seed)
    if start is not None:  # go on from weights that were saved
        model.load_state_dict(torch.load(start))
    model = model.to(memory_format=torch.channels_last)
    mean = copy.deepcopy(model)
    turns = round(PASSES * supply.SHARD / BATCH)
    total, step, begun, saved = count * turns, 0, time.monotonic(), time.monotonic()
    best = torch.optim.AdamW(model.parameters(), best_rate, weight_decay=0.02)
    pool: list[supply.Shard] = []
    for shard in supply.shards(make, seed, count, workers):
        if len(pool) < KEPT:
            pool.append(shard)
        else:
            pool[int(random.integers(KEPT))] = shard
        losses = []
        for _ in range(turns):
            for group in best.param_groups:
                group["lr"] = best_rate * _pace(step / total)
            losses.append(_step(model, best, loss, _batch(pool, random)))
            _follow(mean, model, min(0.999, (1 + step) / (10 + step)))
            step += 1
        if time.monotonic() - saved > SAVE_EVERY_S or step >= total:
            saved = time.monotonic()
            torch.save(mean.state_dict(), out / f"{name}.pt")
            row = {"name": name, "step": step, "of": total, "loss": round(float(np.mean(losses)), 4)}
            print(json.dumps({**row, "seconds": round(time.monotonic() - begun), **told(mean)}), flush=True)
    return mean


def _pace(done: float) -> float:
    """A short warming up, then half a cosine."""
    return min(1.0, done / 0.03) * (0.5 + 0.5 * math.cos(math.pi * done))


def _batch(pool: list[supply.Shard], random: np.random.Generator) -> Batch:
    """Part of a random shard of the pool."""
    shard = pool[int(random.integers(len(pool)))]
    rows = random.integers(supply.SHARD, size=BATCH)
    return {key: torch.from_numpy(value[rows]) for key, value in shard.items() if value.dtype.kind != "U"}


def _step(model: nn.Module, best: torch.optim.Optimizer, loss: Loss, batch: Batch) -> float:
    model.train()
    best.zero_grad(set_to_none=True)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        wrong = loss(model, batch)
    wrong.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 2.0)
    best.step()
    return float(wrong.detach())


@torch.no_grad()
def _follow(mean: nn.Module, model: nn.Module, keep: float) -> None:
    """The running mean goes after the weights; counts and variances are taken as they are."""
    for slow, fast in zip(mean.state_dict().values(), model.state_dict().values(), strict=True):
        if slow.dtype.is_floating_point:
            slow.lerp_(fast, 1 - keep)
        else:
            slow.copy_(fast)
