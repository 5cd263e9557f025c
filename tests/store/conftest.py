"""A journal in a folder of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.store.journal_sqlite import SqliteJournal
from tests.store.kit import open_journal


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[SqliteJournal]:
    """Closed afterwards."""
    opened = open_journal(tmp_path)
    yield opened
    opened.close()
