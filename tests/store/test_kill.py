"""kill -9: everything that was acknowledged is there, whole, and the store goes on."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import pytest

from hub.core.journal import Query
from hub.store.documents import Documents
from tests.store.kit import event, open_journal

ROOT = Path(__file__).parents[2]


def run_and_kill(what: str, folder: Path, lines: int) -> int:
    """The last number that the child acknowledged before it was killed; it was killed at work."""
    command = [sys.executable, "-m", "tests.store.writer", what, str(folder)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        seen = [child.stdout.readline() for _ in range(lines)]
        child.kill()
        seen += child.stdout.readlines()  # what it had acknowledged until then
    assert child.returncode == -9
    return int([line for line in seen if line.endswith("\n")][-1])


@pytest.mark.slow
def test_the_journal_keeps_what_it_acknowledged_through_twenty_kills(tmp_path: Path) -> None:
    random_ = random.Random(20)
    for _ in range(20):
        acknowledged = run_and_kill("journal", tmp_path, random_.randint(1, 60))
        journal = open_journal(tmp_path)
        last = journal.last_seq()
        assert acknowledged <= last <= acknowledged + 64  # at most the group that was being acknowledged
        assert journal.read(Query(limit=1_000_000)) == [event(seq) for seq in range(1, last + 1)]
        assert journal.records("progress") == [("last", last)] == journal.records("secret")
        journal.close()


@pytest.mark.slow
async def test_documents_keep_what_they_acknowledged_through_ten_kills(tmp_path: Path) -> None:
    random_ = random.Random(10)
    for _ in range(10):
        acknowledged = run_and_kill("documents", tmp_path, random_.randint(1, 30))
        found = await Documents(tmp_path).all("boxes")
        assert acknowledged <= len(found) <= acknowledged + 1
        assert found == {str(n): {"number": n, "words": "ตู้แดง" * 20} for n in range(1, len(found) + 1)}
