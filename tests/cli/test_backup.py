"""``hub backup`` beside a running hub, ``hub restore`` into an empty folder, ``hub migrate`` and its way back."""

from __future__ import annotations

import json
import sqlite3
import time
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from hub.core.error import Conflict, InvalidInput, StorageFailed
from hub.store.backup import backup, restore, verify
from hub.store.migrate import migrate, pending, version_of
from tests.cli.hubctl import hub
from tests.cli.test_service import served, stop
from tests.scenarios.kit import people
from tests.store.kit import files, open_journal

CONFIG = """\
zone: {name: test, center: [17.0, 99.8]}
plugins:
  - plugin: incident_desk
  - plugin: inbox
automations: !include_dir_list automations
"""


def ask(url: str, bearer: dict[str, str], path: str, body: dict[str, Any] | None = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url + path, data=data, headers={**bearer, "Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.loads(answer.read())


def states(url: str, bearer: dict[str, str]) -> dict[str, Any]:
    """What an officer would see of incidents, alarms and reports."""
    found = ask(url, bearer, "/api/states")["states"]
    return {
        one["entity"]: (one["state"], {k: v for k, v in one["attributes"].items() if k not in ("available", "reason")})
        for one in found if one["entity"].partition(".")[0] in ("incident", "alarm", "report")
    }  # fmt: skip


def test_everything_comes_back_from_a_backup_made_while_the_hub_runs(tmp_path: Path) -> None:
    live, copy = tmp_path / "live", tmp_path / "copy"
    (live / "automations").mkdir(parents=True)
    folks = people(live / "data")
    bearer = folks.bearer("commander")
    with served(live, CONFIG) as (process, url):
        robbed = {"params": {"kind": "test", "title": "ร้านทองถูกปล้น"}}
        opened = ask(url, bearer, "/api/actions/incident.open", robbed)
        ask(url, bearer, "/api/actions/inbox.note", {"params": {"text": "เสียงดังซอย 3", "reporter": "0812345678"}})
        deadline = time.monotonic() + 10
        while not ask(url, bearer, "/api/events?type=report_conversation"):  # the inbox files it in its own time
            assert time.monotonic() < deadline
        before = states(url, bearer)
        said = hub("backup", "--data", live / "data", "--config", live / "config.yaml", tmp_path / "kept")
        assert said.status == 0 and said.out.startswith(f"{tmp_path}/kept: ")
        ask(url, bearer, "/api/actions/incident.open", {"params": {"kind": "test", "title": "หลังสำรอง"}})
        assert stop(process) == 0
    assert opened["status"] == "done" and len(before) == 3
    assert (tmp_path / "kept").stat().st_mode & 0o077 == 0
    again = ["restore", tmp_path / "kept", "--data", copy / "data", "--config-folder", copy]
    assert hub(*again).status == 0
    assert "is not empty" in hub(*again).err
    assert (copy / "config.yaml").read_text() == CONFIG
    with served(copy, CONFIG) as (process, url):
        assert states(url, bearer) == before
        assert stop(process) == 0


def test_plugins_of_any_folder_are_in_a_backup_and_those_outside_are_named(tmp_path: Path) -> None:
    live, away = tmp_path / "live", tmp_path / "away"
    text = CONFIG.replace("plugins:", f"plugin_folders: [my_plugins, {away}]\nplugins:", 1)
    for folder in (live / "automations", live / "my_plugins" / "door" / "page", live / "notes", away):
        folder.mkdir(parents=True)
    kept = {"my_plugins/door/plugin.toml": 'name = "door"\n', "my_plugins/door/page/door.css": "b{}\n"}
    for name, content in {**kept, "notes/of_nobody.txt": "not a plugin\n", "config.yaml": text}.items():
        (live / name).write_text(content)
    (live / "data").mkdir()
    open_journal(live / "data").close()
    said = hub("backup", "--data", live / "data", "--config", live / "config.yaml", tmp_path / "kept")
    assert said.status == 0, said.err
    assert said.lines[1:] == [f"not in it: {away} lies outside the configuration's folder; copy it yourself"]
    restore(tmp_path / "kept", tmp_path / "data", tmp_path / "config")
    assert {name: (tmp_path / "config" / name).read_text() for name in kept} == kept
    assert not (tmp_path / "config" / "notes" / "of_nobody.txt").exists()


def test_a_backup_is_never_written_over_and_a_changed_one_is_not_restored(tmp_path: Path) -> None:
    live = tmp_path / "live"
    live.mkdir()
    with served(live, "zone: {name: test, center: [17.0, 99.8]}\n") as (process, _):
        again = ["backup", "--data", live / "data", "--config", live / "config.yaml", tmp_path / "kept"]
        assert hub(*again).status == 0
        assert "is there already" in hub(*again).err
        assert stop(process) == 0
    manifest = verify(tmp_path / "kept")
    assert {"journal.db", "data/master.key", "config/config.yaml"} <= manifest["files"].keys()
    config = tmp_path / "kept" / "config" / "config.yaml"
    config.write_text(config.read_text() + "# one more line\n")
    with pytest.raises(StorageFailed, match="is not what was backed up"):
        restore(tmp_path / "kept", tmp_path / "other")
    config.unlink()
    with pytest.raises(StorageFailed, match="is missing"):
        restore(tmp_path / "kept", tmp_path / "other")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "x").touch()
    (tmp_path / "kept" / "manifest.json").write_text("{")
    with pytest.raises(StorageFailed, match="manifest is damaged"):
        restore(tmp_path / "kept", tmp_path / "full")


def test_a_journal_of_today_needs_no_migration(tmp_path: Path) -> None:
    with served(tmp_path, "zone: {name: test, center: [17.0, 99.8]}\n") as (process, _):
        assert stop(process) == 0
    given = ["migrate", "--data", tmp_path / "data", "--config", tmp_path / "config.yaml", "--backup", tmp_path / "b"]
    said = hub(*given)
    assert (said.status, said.out) == (0, "the journal has schema 1, as this hub: nothing to do\n")
    assert not (tmp_path / "b").exists()


def test_steps_are_taken_in_order_each_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    db = sqlite3.connect(path)
    db.executescript("CREATE TABLE t (a); INSERT INTO t VALUES (1); PRAGMA user_version = 1")
    db.close()
    steps = {1: ("ALTER TABLE t ADD COLUMN b",), 2: ("UPDATE t SET b = 2", "UPDATE nothing SET x = 1")}
    assert pending(1, steps, 3) == [1, 2]
    with pytest.raises(StorageFailed):
        migrate(path, steps, 3)
    assert version_of(path) == 2
    db = sqlite3.connect(path)
    assert db.execute("SELECT a, b FROM t").fetchall() == [(1, None)]  # of the failed step nothing is there
    db.close()
    assert migrate(path, {**steps, 2: ("UPDATE t SET b = 2",)}, 3) == [2]
    assert version_of(path) == 3


def test_a_journal_of_a_newer_hub_is_left_alone() -> None:
    with pytest.raises(StorageFailed, match="the journal has schema 9; this hub knows 1"):
        pending(9)
    with pytest.raises(StorageFailed, match="no step leads on from schema 1"):
        pending(1, {}, 2)


def test_no_migration_beside_a_running_hub(tmp_path: Path) -> None:
    with served(tmp_path, "zone: {name: test, center: [17.0, 99.8]}\n") as (process, _):
        with pytest.raises(Conflict, match="another hub"):
            migrate(tmp_path / "data" / "journal.db")
        assert stop(process) == 0


@pytest.mark.parametrize(
    ("target", "what"),
    [("data/kept", "data"), ("data", "data"), ("kept", "configuration"), ("../live/x/y", "configuration"),
     ("link/kept", "data")],
)  # fmt: skip
def test_a_backup_does_not_lie_in_what_it_copies(tmp_path: Path, target: str, what: str) -> None:
    live, data = tmp_path / "live", tmp_path / "live" / "data"
    open_journal(data).close()
    (live / "config.yaml").write_text("zone: {}\n")
    if target.startswith("link"):
        (tmp_path / "link").symlink_to(data)
        place = tmp_path / target
    else:
        place = live / target
    before = files(tmp_path)
    if target == "data":
        with pytest.raises((InvalidInput, Conflict)):
            backup(data, live / "config.yaml", place, 1.0)
    else:
        with pytest.raises(InvalidInput, match=f"lies in the folder of the {what}"):
            backup(data, live / "config.yaml", place, 1.0)
    assert files(tmp_path) == before
    assert backup(data, live / "config.yaml", tmp_path / "kept", 1.0).files > 1
