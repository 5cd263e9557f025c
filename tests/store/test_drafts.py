"""Media that come piece by piece: there after a crash, kept once, erased when nobody finishes them."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from hub.core.clock import ManualClock
from hub.core.error import InvalidInput, LimitExceeded, NotFound, StorageFailed
from hub.store.drafts import MAX_OPEN
from hub.store.media import MAX_BYTES, MediaFiles
from hub.store.space import Level

NOON = 1_773_030_000.0


def store(folder: Path, level: Level = Level.OK) -> MediaFiles:
    return MediaFiles(folder, ManualClock(NOON), lambda: level)


async def test_pieces_become_media_and_a_crash_loses_nothing_that_was_told(tmp_path: Path) -> None:
    draft = await store(tmp_path).draft("door", "call-1", "video/webm", "incidents", "call.x")
    assert [await draft.append(b"one,"), await draft.append(b"two")] == [4, 7]
    after = store(tmp_path)  # the first one never said that it ends
    assert await after.drafts("door") == ["call-1"]
    again = await after.draft("door", "call-1", "video/mp4", "plates")
    assert (again.size, await again.append(b",three")) == (7, 13)
    name = await again.keep()
    assert name == hashlib.sha256(b"one,two,three").hexdigest()
    assert await after.get(name) == (b"one,two,three", "video/webm")
    assert (await after.about(name)).of == ("call.x",)
    assert await after.drafts("door") == []


async def test_half_a_piece_that_a_crash_left_is_written_over(tmp_path: Path) -> None:
    draft = await store(tmp_path).draft("door", "a", "video/webm", "incidents")
    await draft.append(b"whole")
    with (tmp_path / "drafts" / "door" / "a.part").open("ab") as torn:
        torn.write(b"torn")
    await draft.append(b"!")  # the same writer knows how far it was
    assert await (await store(tmp_path).draft("door", "a", "video/webm", "incidents")).keep() == (
        hashlib.sha256(b"whole!").hexdigest()
    )


async def test_limits_and_names(tmp_path: Path) -> None:
    media = store(tmp_path)
    draft = await media.draft("door", "big", "video/webm", "incidents")
    with pytest.raises(LimitExceeded, match=str(MAX_BYTES)):
        await draft.append(b"x" * (MAX_BYTES + 1))
    assert draft.size == 0
    with pytest.raises(InvalidInput, match="nothing came"):
        await draft.keep()
    await draft.drop()
    for key in ("../up", "", "A", "x" * 81):
        with pytest.raises(InvalidInput, match="no name"):
            await media.draft("door", key, "video/webm", "incidents")
    for number in range(MAX_OPEN):
        await media.draft("door", f"n{number}", "video/webm", "incidents")
    with pytest.raises(LimitExceeded, match="unfinished"):
        await media.draft("door", "more", "video/webm", "incidents")
    assert await media.drafts("other") == []


async def test_a_full_disk_takes_no_recording(tmp_path: Path) -> None:
    level = Level.OK
    media = MediaFiles(tmp_path, ManualClock(NOON), lambda: level)
    draft = await media.draft("door", "a", "video/webm", "incidents")
    await draft.append(b"before")
    level = Level.SHED_RECORDINGS
    with pytest.raises(StorageFailed, match="too full"):
        await draft.append(b"after")
    level = Level.OK
    assert draft.size == 6


async def test_what_nobody_finishes_is_erased_with_its_class(tmp_path: Path) -> None:
    media = store(tmp_path)
    await (await media.draft("door", "old", "video/webm", "messages")).append(b"x")
    await (await media.draft("door", "other", "video/webm", "incidents")).append(b"y")
    assert media.erase("messages", "2026-03-09") == []
    (receipt,) = media.erase("messages", "2026-03-10")
    assert (receipt["media"], receipt["deleted"]) == ("draft old", True)
    assert await media.drafts("door") == ["other"]
    with pytest.raises(NotFound):
        await media.get("0" * 64)


async def test_what_was_begun_can_be_finished_or_dropped_on_a_full_disk(tmp_path: Path) -> None:
    for key in ("cut", "empty"):
        draft = await store(tmp_path).draft("door", key, "video/webm", "incidents")
        if key == "cut":
            await draft.append(b"what came")
    for level in (Level.SHED_RECORDINGS, Level.EMERGENCY):
        with pytest.raises(StorageFailed, match="too full"):
            await store(tmp_path, level).draft("door", "new", "video/webm", "incidents")
    media = store(tmp_path, Level.EMERGENCY)
    name = await (await media.draft("door", "cut", "video/webm", "incidents")).keep()
    assert (await media.get(name))[0] == b"what came"
    await (await media.draft("door", "empty", "video/webm", "incidents")).drop()
    assert await media.drafts("door") == []
