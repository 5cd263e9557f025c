"""A save is all or nothing: whatever fails, the rule works on as it was, with the rights that it had."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from hub.automation import Source
from hub.automation.language.blueprint import no_blueprints
from hub.automation.language.parse import Parser
from hub.automation.library import Library, hash_of
from hub.automation.unfinished import Unfinished
from hub.core.access import Actor
from hub.core.apart import Apart
from hub.core.error import ConfigError, LimitExceeded, StorageFailed
from hub.core.event import Event
from hub.core.journal import MemoryJournal, Record
from tests.automation.zone import OFFICER, START, Zone

ANAN = Actor("user:anan", frozenset({"operator"}))
BOSS = Actor("user:boss", frozenset({"commander"}), grants=frozenset({"*"}))
ONE = """\
- id: {id}
  triggers: {{trigger: event, event_type: go}}
  actions: [{{action: notify.tell, data: {{to: x, text: {text}}}}}]
"""
FIRST, SECOND = ONE.format(id="r", text="one"), ONE.format(id="r", text="two") + ONE.format(id="s", text="more")


class Failing(MemoryJournal):
    """``fail``: so many of the next commits are refused."""

    fail = 0

    def commit(self, events: Sequence[Event], records: Sequence[Record]) -> None:
        if self.fail:
            self.fail -= 1
            raise StorageFailed("the disk is full")
        super().commit(events, records)


class Desk:
    """A library over a folder with one rule, that Anan published in shadow and that is switched off."""

    def __init__(self, folder: Path, zone: Zone) -> None:
        self.folder, self.zone = folder, zone
        self.library = Library(folder / "config.yaml", zone.pipeline, zone.engine, lambda: zone.known, no_blueprints)

    async def begin(self) -> Desk:
        await self.save(FIRST, None, ANAN)
        self.zone.engine.set_enabled("r", False)
        self.zone.engine.set_shadow("r", True)
        await self.zone.idle()
        return self

    async def save(self, text: str, base: str | None, actor: Actor) -> dict[str, Any]:
        return await self.library.save("f.yaml", text, base=base, note="", shadow=False, actor=actor)

    async def state(self) -> dict[str, Any]:
        """All that a failed save leaves as it is."""
        keys = ("id", "publisher", "enabled", "shadow", "version", "line")
        return {
            "rules": [tuple(row[key] for key in keys) for row in self.zone.engine.list()],
            "settings": self.zone.journal.records("automations"), "memory": deepcopy(self.zone.engine._settings._by_id),
            "versions": (await self.library.read("f.yaml"))["versions"],
            "files": {one.name: one.read_bytes() for one in (self.folder / "automations").iterdir()},
        }  # fmt: skip


@pytest.fixture
async def desk(tmp_path: Path) -> Desk:
    (tmp_path / "config.yaml").write_text("automations: !include_dir_list automations\n")
    (tmp_path / "automations").mkdir()
    return await Desk(tmp_path, await Zone(Failing()).start()).begin()


def full(*_: object) -> None:
    raise OSError(28, "No space left on device")


async def failed(desk: Desk, what: type[Exception] = StorageFailed) -> None:
    """A save by the boss fails, and so does taking the file away; nothing has changed then, and later both succeed."""
    before = await desk.state()
    base = hash_of(FIRST.encode())
    with pytest.raises(what):
        await desk.save(SECOND, base, BOSS)
    assert await desk.state() == before
    with pytest.raises(what):
        await desk.library.remove("f.yaml", base=base, actor=BOSS)
    assert await desk.state() == before
    desk.zone.fire("go")
    await desk.zone.idle()
    assert desk.zone.told() == []  # it is still off


async def test_a_full_disk_changes_nothing(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.automation.unfinished.write_new", full)
    await failed(desk)


async def test_a_file_that_does_not_get_its_name_changes_nothing(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "replace", full)
    monkeypatch.setattr(Path, "unlink", unlinked := Path.unlink)

    def kept(path: Path, missing_ok: bool = False) -> None:
        if path.suffix == ".yaml":
            full()
        unlinked(path, missing_ok=missing_ok)

    monkeypatch.setattr(Path, "unlink", kept)
    await failed(desk)


async def test_a_commit_that_fails_changes_nothing(desk: Desk) -> None:
    journal = desk.zone.journal
    assert isinstance(journal, Failing)
    before, base = await desk.state(), hash_of(FIRST.encode())
    for change in (
        lambda: desk.save(SECOND, base, BOSS),
        lambda: desk.library.remove("f.yaml", base=base, actor=BOSS),
    ):
        journal.fail = 1
        with pytest.raises(StorageFailed):
            await change()
        assert await desk.state() == before
    assert (await desk.save(SECOND, base, BOSS))["ids"] == ["r", "s"]


async def test_mistakes_change_nothing(desk: Desk) -> None:
    before = await desk.state()
    with pytest.raises(ConfigError):
        await desk.save(SECOND.replace("go}", "go"), hash_of(FIRST.encode()), BOSS)
    assert await desk.state() == before


async def test_a_save_has_the_rights_of_who_saved_and_leaves_the_rule_off(desk: Desk) -> None:
    saved = await desk.save(SECOND, hash_of(FIRST.encode()), BOSS)
    assert {row["id"]: (row["publisher"], row["enabled"], row["shadow"]) for row in desk.zone.engine.list()} == {
        "r": ("user:boss", False, False), "s": ("user:boss", True, False)
    }  # fmt: skip
    await desk.save(FIRST, saved["hash"], BOSS)
    assert [row["id"] for row in desk.zone.engine.list()] == ["r"]
    assert [key for key, _ in desk.zone.journal.records("automations")] == ["r"]
    assert [one.name for one in (desk.folder / "automations").iterdir()] == ["f.yaml"]


async def test_a_crash_before_the_file_has_its_name_is_mended_at_the_start(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = hash_of(FIRST.encode())

    def killed(_: Unfinished) -> None:
        raise KeyboardInterrupt

    async def begun() -> Desk:
        """The hub after the crash: its files are read after the library has looked at them."""
        zone = Zone(desk.zone.journal, now=START + 60)  # type: ignore[arg-type]
        await zone.pipeline.start()
        again = Desk(desk.folder, zone)
        assert await again.library.complete() == ["f.yaml"]
        assert await again.library.complete() == []
        found = [Source(one.read_text(), str(one), OFFICER) for one in (desk.folder / "automations").iterdir()]
        assert zone.engine.load(found) == []
        return again

    monkeypatch.setattr("hub.automation.library.asyncio.to_thread", _in_the_loop)
    with monkeypatch.context() as crash, pytest.raises(KeyboardInterrupt):
        crash.setattr(Unfinished, "finish", killed)
        await desk.save(SECOND, base, BOSS)
    assert (desk.folder / "automations" / "f.yaml").read_text() == FIRST
    again = await begun()
    assert {row["id"]: row["publisher"] for row in again.zone.engine.list()} == {"r": "user:boss", "s": "user:boss"}
    with monkeypatch.context() as crash, pytest.raises(KeyboardInterrupt):
        crash.setattr(Unfinished, "finish", killed)
        await again.library.remove("f.yaml", base=hash_of(SECOND.encode()), actor=BOSS)
    assert (await begun()).zone.engine.list() == []
    assert list((desk.folder / "automations").iterdir()) == []


async def _in_the_loop(work: Any, *args: Any) -> Any:
    return work(*args)


async def test_a_crash_before_the_commit_leaves_the_file(desk: Desk) -> None:
    path = desk.folder / "automations" / "f.yaml"
    Unfinished.prepare(path, 2, SECOND.encode())
    Unfinished.prepare(path, 3, None)
    Unfinished.prepare(path, 7, FIRST.encode())  # what version 1 is, under another number
    assert await desk.library.complete() == []
    assert {one.name: one.read_text() for one in path.parent.iterdir()} == {"f.yaml": FIRST}


async def test_what_cannot_be_read_is_listed_and_harms_no_other(desk: Desk) -> None:
    folder = desk.folder / "automations"
    (folder / "gone.yaml").symlink_to("/nonexistent/x.yaml")
    (folder / "place.yaml").mkdir()
    (folder / "latin.yaml").write_bytes(b"alias: caf\xe9\n")
    rows = {Path(row["shown"]).name: (row["writable"], row["reason"]) for row in await desk.library.all()}
    unread = dict.fromkeys(("gone.yaml", "place.yaml", "latin.yaml"), (False, "text"))
    assert rows == {"f.yaml": (True, ""), **unread}


async def test_a_text_is_parsed_once_and_not_by_the_loop(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    threads: list[threading.Thread] = []
    real = Parser.parse

    def parse(self: Parser, text: str, file: str) -> Any:
        threads.append(threading.current_thread())
        return real(self, text, file)

    monkeypatch.setattr(Parser, "parse", parse)
    await desk.save(SECOND, hash_of(FIRST.encode()), BOSS)
    assert len(threads) == 1
    assert threads[0] is not threading.main_thread()


async def test_one_text_is_read_at_a_time_and_few_wait() -> None:
    apart, go = Apart("too many texts are being checked at once", most=2), threading.Event()
    first = asyncio.create_task(apart.run(go.wait))
    second = asyncio.create_task(apart.run(lambda: "second"))
    await asyncio.sleep(0)
    with pytest.raises(LimitExceeded, match="too many texts are being checked at once"):
        await apart.run(lambda: "third")
    assert not second.done()
    go.set()
    assert (await first, await second) == (True, "second")
    assert await apart.run(lambda: "third") == "third"
