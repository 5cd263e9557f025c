"""Power cuts: with ``synchronous=FULL`` nothing acknowledged is ever lost; the simulation shows that NORMAL loses."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from hub.core.error import StorageFailed
from hub.core.journal import Query
from tests.store.kit import event, group, open_journal
from tests.store.power import Disk, powered

CUTS = 100
SMALL_LOG = {"wal_autocheckpoint = 4000": "wal_autocheckpoint = 20"}  # so that cuts fall into checkpoints as well
CHANCE = 0.25  # of a cut at each step of the disk


@dataclass(frozen=True)
class Cut:
    """What was on the disk, what had been acknowledged, and up to where the group being written went."""

    image: dict[str, bytes]
    acknowledged: int
    under_way: int


def cuts(folder: Path, name: str, edits: dict[str, str], seed: int) -> list[Cut]:
    """Write groups until the power was cut ``CUTS`` times (the machine writes on in another world each time)."""
    chance, disk, made = random.Random(seed), Disk(), list[Cut]()
    driver, vfs = powered(disk, name, edits)
    acknowledged = under_way = 0

    def step() -> None:
        if len(made) < CUTS and chance.random() < CHANCE:
            made.append(Cut(disk.image(chance), acknowledged, under_way))

    disk.on_step = step
    journal = open_journal(folder, driver=driver)
    while len(made) < CUTS:
        size = chance.choice([1, 2, 9, 40])
        under_way = acknowledged + size
        journal.commit(*group(acknowledged + 1, size))
        acknowledged = under_way
    journal.close()
    del vfs
    return made


def lost(folder: Path, made: list[Cut]) -> Iterator[str]:
    """What each restart found missing or wrong."""
    for number, cut in enumerate(made):
        place = folder / f"cut{number}"
        place.mkdir()
        for name, content in cut.image.items():
            (place / name).write_bytes(content)
        try:
            journal = open_journal(place)
        except StorageFailed as failed:
            yield f"cut {number}: {failed}"
            continue
        last = journal.last_seq()
        if last not in (cut.acknowledged, cut.under_way):
            yield f"cut {number}: {last} of {cut.acknowledged} acknowledged"
        if journal.read(Query(limit=100_000)) != [event(seq) for seq in range(1, last + 1)]:
            yield f"cut {number}: events differ"
        if journal.records("progress") != ([("last", last)] if last else []):
            yield f"cut {number}: records differ"
        journal.commit(*group(last + 1, 3))  # it goes on
        assert journal.last_seq() == last + 3
        journal.close()


@pytest.mark.parametrize("seed", [1, 2])
def test_no_cut_loses_what_was_acknowledged(tmp_path: Path, seed: int) -> None:
    made = cuts(tmp_path, f"full{seed}", SMALL_LOG, seed)
    assert len(made) == CUTS
    assert made[-1].acknowledged > 100
    assert list(lost(tmp_path, made)) == []


def test_the_simulation_bites_with_normal(tmp_path: Path) -> None:
    made = cuts(tmp_path, "normal", {**SMALL_LOG, "synchronous = FULL": "synchronous = NORMAL"}, 1)
    missing = [words for words in lost(tmp_path, made) if "acknowledged" in words]
    assert len(missing) >= CUTS // 4, missing
