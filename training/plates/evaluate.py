"""Figures of the exported networks on plates made here that they were not trained on, as JSON lines.

Faces held out: all 42 consonants, each in each face, with blur, night and perspective as in training, half as strong.
Kinds of plates: other seeds than the training's, faces held out too. Then how far confidence can be trusted, and with
``--fit`` the two numbers of ``hub.vision.compose.sure``. ``tests.bench plates DATA_DIR`` has the figures on pictures
from elsewhere.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from hub.vision.compose import one_line, registration, sure
from hub.vision.grammar import CONSONANTS
from hub.vision.lattice import lattice
from hub.vision.layout import CAR, LINE, MOTORCYCLE
from hub.vision.network import NetworkReader
from hub.vision.reader import PlateText
from training.plates import faces
from training.plates.draw import COMMERCIAL, PRIVATE, RED, SPECIAL, TAXI, Faces
from training.plates.samples import Reading, reading
from training.plates.supply import trained

EACH = 40  # plates of each consonant and face
MANY = 800
KINDS = {
    "car, private": (CAR, PRIVATE), "car, commercial": (CAR, COMMERCIAL), "car, taxi": (CAR, TAXI),
    "car, temporary red": (CAR, RED), "car, special series": (CAR, SPECIAL), "motorcycle": (MOTORCYCLE, None),
    "one line, Latin": (LINE, None),
}  # fmt: skip
SURE = 0.95


def told(name: str, value: float, unit: str = "ratio") -> None:
    """One figure."""
    print(json.dumps({"name": name, "value": round(value, 4), "unit": unit}, ensure_ascii=False), flush=True)


def read(reader: NetworkReader, sample: Reading) -> PlateText | None:
    """What is read of a straightened plate."""
    characters = lattice(reader.columns(sample.top))
    return one_line(characters) if not set(sample.text) & set(CONSONANTS) else registration(characters, "")


def right(reader: NetworkReader, samples: Iterable[Reading]) -> float:
    """Share that is read without a mistake."""
    return float(np.mean([_same(read(reader, sample), sample) for sample in samples]))


def _same(text: PlateText | None, sample: Reading) -> bool:
    return text is not None and text.series + text.number == sample.text


def letters(reader: NetworkReader, pool: Faces) -> dict[str, float]:
    """How often plates with a consonant are read without a mistake, by consonant."""
    random = np.random.default_rng(77)
    return {
        letter: right(reader, (reading(random, pool, letters=letter, ease=0.5) for _ in range(EACH)))
        for letter in CONSONANTS
    }


def scored(reader: NetworkReader, pool: Faces) -> Iterator[tuple[float, bool]]:
    """(confidence, right) of plates as degraded as in training."""
    random = np.random.default_rng(80)
    for _ in range(4 * MANY):
        sample = reading(random, pool)
        text = read(reader, sample)
        if text is not None:
            yield text.confidence, _same(text, sample)


def fit(scores: list[tuple[float, bool]]) -> tuple[float, float]:
    """Slope and lift on the odds of the likelihood, by Newton's steps on the logistic likelihood (Platt 1999).
    Scores of an unfitted ``sure``."""
    shares = np.clip([score for score, _ in scores], 1e-6, 1 - 1e-6)
    rows: NDArray[np.float64] = np.column_stack([np.log(shares / (1 - shares)), np.ones(len(shares))])
    truth, weights = np.array([right for _, right in scores], float), np.array([1.0, 0.0])
    for _ in range(30):
        told = 1 / (1 + np.exp(-rows @ weights))
        curve = (rows * (told * (1 - told))[:, None]).T @ rows
        weights += np.linalg.solve(curve + 1e-6 * np.eye(2), rows.T @ (truth - told))
    return float(weights[0]), float(weights[1])


def main(*, fitting: bool) -> None:
    """Print all."""
    reader, known = NetworkReader(), trained()
    for face in faces.held_out():
        rates = letters(reader, Faces((face,), known.digits))
        told(f"face {face.name}: exact", float(np.mean(list(rates.values()))))
        worst = {letter: rates[letter] for letter in sorted(rates, key=rates.__getitem__)[:5]}
        print(json.dumps({"name": f"face {face.name}: worst", "value": worst}, ensure_ascii=False), flush=True)
    unseen = Faces(tuple(faces.held_out()), known.digits)
    for name, (layout, kind) in KINDS.items():
        for pool, behind in ((unseen, "faces held out"), (known, "faces known")):
            random = np.random.default_rng((78, layout))
            made = (reading(random, pool, layout=layout, kind=kind, ease=0.5) for _ in range(MANY))
            told(f"{name}, {behind}: exact", right(reader, made))
    scores = list(scored(reader, known))
    certain = [good for score, good in scores if score >= SURE]
    told("full degradation: exact", sum(good for _, good in scores) / len(scores))
    told("full degradation: sure", len(certain) / len(scores))
    told("full degradation: exact when sure", sum(certain) / max(len(certain), 1))
    if fitting:
        assert abs(sure(0.3) - 0.3) < 1e-9, "fit with slope 1 and lift 0 in hub/vision/compose.py"  # noqa: S101 - for the developer
        slope, lift = fit(scores)
        print(json.dumps({"name": "fit", "slope": round(slope, 3), "lift": round(lift, 3)}))
