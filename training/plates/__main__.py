"""``python -m training.plates train|export|evaluate``: see README.md."""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from training.plates import evaluate, supply
from training.plates.export import save
from training.plates.networks import CornerFinder
from training.plates.train import Both, corner_loss, reading_loss, run

CORNER_SHARDS, READING_SHARDS = 250, 1_200
MODELS = Path(__file__).parents[2] / "hub" / "vision" / "models"


def _train(given: argparse.Namespace) -> None:
    given.out.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(given.threads)
    shared = {"seed": given.seed, "workers": given.workers, "out": given.out}
    run("corners", CornerFinder(), corner_loss, supply.pictures, count=round(CORNER_SHARDS * given.share), **shared)
    run("readers", Both(), reading_loss, supply.readings, count=round(READING_SHARDS * given.share), **shared)


def _export(given: argparse.Namespace) -> None:
    corners, readers = CornerFinder(), Both()
    corners.load_state_dict(torch.load(given.out / "corners.pt"))
    readers.load_state_dict(torch.load(given.out / "readers.pt"))
    MODELS.mkdir(exist_ok=True)
    for name, model in (("corners", corners), ("row", readers.row), ("province", readers.province)):
        path = save(name, model, MODELS)
        print(f"{path.name}: {path.stat().st_size / 1e6:.2f} MB")


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m training.plates", description=__doc__)
    parser.add_argument("command", choices=("train", "export", "evaluate"))
    parser.add_argument("--out", type=Path, default=Path("build/plates"), help="where weights are kept")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--share", type=float, default=1.0, help="of the whole training: 0.1 for a trial")
    parser.add_argument("--workers", type=int, default=2, help="processes that make samples")
    parser.add_argument("--threads", type=int, default=1, help="of the training itself")
    parser.add_argument("--fit", action="store_true", help="evaluate: also fit confidence")
    given = parser.parse_args()
    if given.command == "train":
        _train(given)
    elif given.command == "export":
        _export(given)
    else:
        evaluate.main(fitting=given.fit)


if __name__ == "__main__":
    main()
