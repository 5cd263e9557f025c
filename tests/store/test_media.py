"""Media files: named by their bytes, checked when read, kept as long as one class keeps them."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from hub.core.clock import ManualClock
from hub.core.error import InvalidInput, LimitExceeded, NotFound, StorageFailed
from hub.store import media as media_room
from hub.store.files import unfinished, write_file
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


class Killed(BaseException):
    """The power goes."""


@pytest.mark.parametrize("writes", [0, 1, 2])
async def test_bytes_that_a_crash_leaves_are_erased_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, writes: int
) -> None:
    media = MediaFiles(tmp_path, ManualClock(NOON))
    done: list[Path] = []

    def write(path: Path, content: bytes) -> None:
        if len(done) == writes:
            unfinished(path).write_bytes(content)
            raise Killed
        done.append(path)
        write_file(path, content)

    monkeypatch.setattr(media_room, "write_file", write)
    try:
        await media.put(PICTURE, "image/jpeg", "plates")
    except Killed:
        assert writes < 2
    monkeypatch.undo()
    MediaFiles(tmp_path, ManualClock(NOON)).erase("plates", "2027-01-16")
    assert [name for name in files(tmp_path) if PICTURE in (tmp_path / name).read_bytes()] == []
    media = MediaFiles(tmp_path, ManualClock(NOON))
    assert await media.get(await media.put(PICTURE, "image/jpeg", "plates")) == (PICTURE, "image/jpeg")


async def test_a_note_whose_bytes_never_came_is_nothing_and_can_be_kept_again(tmp_path: Path) -> None:
    media = MediaFiles(tmp_path, ManualClock(NOON))
    await media.put(PICTURE, "image/jpeg", "plates", "camera.a")
    (tmp_path / NAME[:2] / NAME).unlink()
    with pytest.raises(NotFound):
        await media.get(NAME)
    await media.put(PICTURE, "image/jpeg", "plates")
    assert await media.get(NAME) == (PICTURE, "image/jpeg")


@pytest.mark.parametrize("note", [b"{", b"[]", b'{"mime": "image/jpeg", "kept": []}', None])
async def test_a_damaged_note_holds_up_no_other(tmp_path: Path, note: bytes | None) -> None:
    media = MediaFiles(tmp_path, ManualClock(NOON))
    names = [await media.put(bytes([n]), "image/jpeg", "plates") for n in range(8)]
    for key in ("a", "b"):
        await media.draft("door", key, "video/webm", "plates")
    about = tmp_path / names[3][:2] / f"{names[3]}.json"
    draft = tmp_path / "drafts" / "door" / "a.json"
    for path in (about, draft):
        path.unlink()
        if note is None:
            path.mkdir()  # what the disk cannot read
        else:
            path.write_bytes(note)
    receipts = media.erase("plates", "2027-01-16")
    wrong = {row["media"] for row in receipts if "damaged" in row}
    assert wrong == {str(about), str(draft)} and not any(row["deleted"] for row in receipts if "damaged" in row)
    gone = {row["media"] for row in receipts if row["deleted"]}
    assert gone == {"draft b", *names} - {names[3]}
