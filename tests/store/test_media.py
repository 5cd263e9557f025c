"""Media files: named by their bytes, checked when read, kept as long as one class keeps them."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from hub.core.clock import ManualClock
from hub.core.error import InvalidInput, LimitExceeded, NotFound, StorageFailed
from hub.store.media import MAX_BYTES, MediaFiles
from hub.store.space import Level
from tests.store.kit import DAY, NOON, files

PICTURE = b"\xff\xd8 a picture"
NAME = hashlib.sha256(PICTURE).hexdigest()


async def test_bytes_and_type_come_back(tmp_path: Path) -> None:
    media = MediaFiles(tmp_path, ManualClock(NOON))
    assert await media.put(PICTURE, "image/jpeg", "plates") == NAME
    assert await media.put(PICTURE, "image/jpeg", "plates") == NAME
    assert await MediaFiles(tmp_path, ManualClock(NOON)).get(NAME) == (PICTURE, "image/jpeg")
    assert files(tmp_path) == [
        f"{NAME[:2]}/{NAME}", f"{NAME[:2]}/{NAME}.json",
    ]  # fmt: skip
    assert (tmp_path / NAME[:2] / NAME).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("name", ["0" * 64, "", "../../etc/passwd", NAME.upper(), NAME + "\n"])
async def test_what_is_not_there(tmp_path: Path, name: str) -> None:
    media = MediaFiles(tmp_path, ManualClock(NOON))
    await media.put(PICTURE, "image/jpeg", "plates")
    with pytest.raises(NotFound, match="no such picture or recording"):
        await media.get(name)


async def test_a_changed_file_is_never_handed_out(tmp_path: Path) -> None:
    media = MediaFiles(tmp_path, ManualClock(NOON))
    await media.put(PICTURE, "image/jpeg", "plates")
    (tmp_path / NAME[:2] / NAME).write_bytes(b"\xff\xd8 another")
    with pytest.raises(StorageFailed, match="is damaged"):
        await media.get(NAME)


async def test_limits_and_types(tmp_path: Path) -> None:
    media = MediaFiles(tmp_path, ManualClock(NOON))
    largest = bytes(MAX_BYTES)
    assert await media.get(await media.put(largest, "video/mp4", "incidents")) == (largest, "video/mp4")
    with pytest.raises(LimitExceeded, match="16777217 bytes; media have at most 16777216"):
        await media.put(bytes(MAX_BYTES + 1), "video/mp4", "incidents")
    with pytest.raises(InvalidInput, match="is not a MIME type"):
        await media.put(b"", "image/jpeg\r\nX: y", "plates")


@pytest.mark.parametrize(
    ("level", "picture", "recording"),
    [
        (Level.OK, True, True), (Level.SHED_TELEMETRY, True, True),
        (Level.SHED_RECORDINGS, True, False), (Level.EMERGENCY, False, False),
    ],
)  # fmt: skip
async def test_a_filling_disk_sheds_recordings_before_pictures(
    tmp_path: Path, level: Level, picture: bool, recording: bool
) -> None:
    media = MediaFiles(tmp_path, ManualClock(NOON), lambda: level)
    for mime, kept in (("image/jpeg", picture), ("video/mp4", recording), ("audio/ogg", recording)):
        if kept:
            assert await media.put(PICTURE, mime, "plates") == NAME
        else:
            with pytest.raises(StorageFailed, match="the disk is too full to keep this"):
                await media.put(PICTURE, mime, "plates")


async def test_erasing_waits_for_the_last_class_that_keeps_it(tmp_path: Path) -> None:
    clock = ManualClock(NOON)
    media = MediaFiles(tmp_path, clock)
    await media.put(PICTURE, "image/jpeg", "plates")
    await media.put(b"other", "image/png", "plates")
    clock.advance(DAY)
    await media.put(PICTURE, "image/jpeg", "incidents")
    assert media.erase("plates", "2027-01-15") == []
    assert sorted(media.erase("plates", "2027-01-16"), key=lambda receipt: bool(receipt["deleted"])) == [
        {"class": "plates", "day": "2027-01-15", "media": NAME, "deleted": False},
        {"class": "plates", "day": "2027-01-15", "media": hashlib.sha256(b"other").hexdigest(), "deleted": True},
    ]
    assert await media.get(NAME) == (PICTURE, "image/jpeg")
    assert media.erase("incidents", "2027-01-17") == [
        {"class": "incidents", "day": "2027-01-16", "media": NAME, "deleted": True}
    ]
    with pytest.raises(NotFound):
        await media.get(NAME)
    assert files(tmp_path) == []
    await media.put(PICTURE, "image/jpeg", "plates")
    assert await media.get(NAME) == (PICTURE, "image/jpeg")
