"""Samples made beside the training, in order: the same seed gives the same samples, whatever the machine's pace."""

from __future__ import annotations

import multiprocessing as mp
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from hub.vision.layout import CAR, LINE, MOTORCYCLE
from training.plates import faces
from training.plates.draw import Faces
from training.plates.samples import corners, reading

SHARD = 1_000
AHEAD = 6  # shards that are made before they are asked for: they would fill the memory
Shard = dict[str, NDArray[Any]]
Maker = Callable[[int, int], Shard]


def trained() -> Faces:
    """The faces that are trained on."""
    return Faces(tuple(faces.looped()), tuple(faces.digits()))


def readings(seed: int, number: int, size: int = SHARD, pool: Faces | None = None, letters: str | None = None) -> Shard:
    """Straightened plates: some of motorcycles, some of one line."""
    random, pool = np.random.default_rng((seed, 1, number)), pool or trained()
    layouts = random.choice((CAR, MOTORCYCLE, LINE), size=size, p=(0.64, 0.12, 0.24)).tolist()
    made = [reading(random, pool, layout=layout, letters=letters) for layout in layouts]
    return {
        "top": np.stack([one.top for one in made]), "bottom": np.stack([one.bottom for one in made]),
        "columns": np.stack([one.columns for one in made]),
        "province": np.array([one.province for one in made], np.int64),
        "text": np.array([one.text for one in made]),
    }  # fmt: skip


def pictures(seed: int, number: int, size: int = SHARD) -> Shard:
    """Pictures with plates in them."""
    random, pool = np.random.default_rng((seed, 2, number)), trained()
    made = [corners(random, pool) for _ in range(size)]
    return {
        "picture": np.stack([one.picture for one in made]), "corners": np.stack([one.corners for one in made]),
        "layout": np.array([one.layout for one in made], np.int64),
        "there": np.array([one.there for one in made], np.float32),
    }  # fmt: skip


def _ready() -> None:
    cv2.setNumThreads(1)


def shards(make: Maker, seed: int, count: int, workers: int) -> Iterator[Shard]:
    """The first ``count`` shards, in order, made by ``workers`` processes a little ahead of their use."""
    with mp.get_context("fork").Pool(workers, _ready) as pool:
        waiting = deque(pool.apply_async(make, (seed, number)) for number in range(min(AHEAD, count)))
        for number in range(AHEAD, count + AHEAD):
            yield waiting.popleft().get()
            if number < count:
                waiting.append(pool.apply_async(make, (seed, number)))
