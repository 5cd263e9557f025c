from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from hub.access.accounts import Accounts
from hub.access.passwords import Hasher
from hub.core.clock import ManualClock
from hub.core.event import EventTypes
from hub.core.ids import Ids
from hub.core.journal import MemoryJournal
from hub.core.pipeline import Pipeline
from hub.core.system import SYSTEM_TYPES


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def journal() -> MemoryJournal:
    return MemoryJournal()


@pytest_asyncio.fixture
async def pipeline(clock: ManualClock, journal: MemoryJournal) -> AsyncIterator[Pipeline]:
    made = Pipeline(journal, EventTypes(SYSTEM_TYPES), clock, Ids(clock))
    await made.start()
    yield made
    await made.stop()


@pytest.fixture
def accounts(tmp_path: Path, clock: ManualClock) -> Accounts:
    return Accounts(tmp_path, clock, hasher=Hasher(memory_kib=64, passes=1))  # weak and quick
