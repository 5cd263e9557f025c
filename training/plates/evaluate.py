"""Figures of the exported networks on plates made here that they were not trained on, as JSON lines.

Faces held out: all 42 consonants, each in each face, with blur, night and perspective as in training. Kinds of plates:
other seeds than the training's. ``tests.bench plates DATA_DIR`` has the figures on pictures from elsewhere.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

import numpy as np

from hub.vision import grammar
from hub.vision.grammar import CONSONANTS
from hub.vision.lattice import symbols
from hub.vision.network import NetworkReader, _shares
from training.plates import faces
from training.plates.draw import CAR, MOTORCYCLE, Faces
from training.plates.samples import Reading, reading
from training.plates.supply import trained

EACH = 40  # plates of each consonant and face


def told(name: str, value: float, unit: str = "ratio") -> None:
    """One figure."""
    print(json.dumps({"name": name, "value": round(value, 4), "unit": unit}), flush=True)


def text_of(reader: NetworkReader, sample: Reading) -> str:
    """What is read of a straightened plate; empty when nothing grammatical is."""
    columns = _shares(reader._told(reader._row, sample.top))
    found = grammar.readings([list(symbol.choices) for symbol in symbols(columns)], widen=False)
    return found[0].series + found[0].number if found else ""


def exact(reader: NetworkReader, samples: Iterable[Reading]) -> float:
    """Share that is read without a mistake."""
    return float(np.mean([text_of(reader, sample) == sample.text for sample in samples]))


def main() -> None:
    """Print all."""
    reader, known = NetworkReader(), trained()
    for face in faces.held_out():
        pool, random = Faces((face,), known.digits), np.random.default_rng(77)
        rates = {}
        for letter in CONSONANTS:
            rates[letter] = exact(reader, (reading(random, pool, letters=letter, ease=0.5) for _ in range(EACH)))
        told(f"face {face.name}: exact", float(np.mean(list(rates.values()))))
        worst = sorted(rates, key=rates.__getitem__)[:5]
        print(json.dumps({"name": f"face {face.name}: worst", "value": {one: rates[one] for one in worst}}))
    for layout, name in ((CAR, "car"), (MOTORCYCLE, "motorcycle")):
        random = np.random.default_rng((78, layout))
        told(f"{name}, faces known: exact", exact(reader, (reading(random, known, layout=layout) for _ in range(800))))
        random = np.random.default_rng((79, layout))
        samples = (reading(random, known, layout=layout, ease=0.5) for _ in range(800))
        told(f"{name}, faces known, half as degraded: exact", exact(reader, samples))
