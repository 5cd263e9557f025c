"""Commands beside a running hub: run, reload, audit, doctor, all as processes of their own."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from hub.access.audit import Ledger
from hub.cli.run import running
from hub.core.clock import SystemClock
from hub.core.event import EventTypes
from hub.core.ids import Ids
from hub.core.pipeline import Pipeline
from hub.store.journal_sqlite import SqliteJournal
from hub.store.keys import KeyRing
from tests.cli.hubctl import hub

ZONE = "zone: {name: test, center: [17.0, 99.8]}\n"
WITHIN_S = 60.0


def read(address: str, bearer: str = "") -> Any:
    request = urllib.request.Request(address, headers={"Authorization": f"Bearer {bearer}"} if bearer else {})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.loads(answer.read())


@contextmanager
def served(folder: Path, text: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A hub on a free port: the process and its address."""
    (folder / "config.yaml").write_text(text)
    command = [sys.executable, "-m", "hub", "run", "--config", str(folder / "config.yaml"), "--data",
               str(folder / "data"), "--port", "0"]  # fmt: skip
    with open(folder / "log", "w") as log:  # noqa: PTH123
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("hub: http://127.0.0.1:"), (line, (folder / "log").read_text())
        yield process, line.removeprefix("hub: ").strip()
    finally:
        process.kill()
        process.communicate()


def stop(process: subprocess.Popen[str]) -> int:
    process.send_signal(signal.SIGTERM)
    return process.wait(WITHIN_S)


def test_run_serves_on_a_free_port_and_ends_when_told(tmp_path: Path) -> None:
    with served(tmp_path, ZONE) as (process, address):
        assert int(address.rpartition(":")[2]) > 1024
        assert read(f"{address}/api/health")["status"] == "ok"
        assert running(tmp_path / "data") == process.pid
        assert stop(process) == 0
    assert running(tmp_path / "data") is None


def test_a_person_and_a_token_made_beside_a_running_hub(tmp_path: Path) -> None:
    with served(tmp_path, ZONE) as (_, address):
        password = "three plain words\n" * 2
        said = hub("user", "add", "noi", "--role", "operator", "--data", tmp_path / "data", stdin=password)
        assert said.status == 0, said.err
        bearer = hub("user", "token", "noi", "--data", tmp_path / "data").out.strip()
        assert "plugins" in read(f"{address}/api/health", bearer)
        assert hub("user", "disable", "noi", "--data", tmp_path / "data").status == 0
        with pytest.raises(urllib.error.HTTPError) as refused:
            read(f"{address}/api/states", bearer)
        assert refused.value.code == 401


def test_reload_tells_what_changed_and_what_is_wrong(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with served(tmp_path, ZONE + "plugins: [{plugin: incident_desk}]\n") as (process, _):
        said = hub("reload", "--data", data)
        assert (said.status, said.out, said.err) == (0, "nothing has changed\n", "")
        (tmp_path / "config.yaml").write_text(ZONE + "plugins: [{plugin: incident_desk}, {plugin: watchlist}]\n")
        said = hub("reload", "--data", data)
        assert (said.status, said.out) == (0, "started: watchlist\n")
        (tmp_path / "config.yaml").write_text(ZONE + "plugins: [{plugin: watchlst}]\n")
        said = hub("reload", "--data", data)
        assert said.status == 1
        assert said.lines == [
            f"{tmp_path / 'config.yaml'}:2:11: there is no plugin 'watchlst'; did you mean 'watchlist'?"
        ]
        assert stop(process) == 0


def test_reload_takes_what_is_well_and_fails_when_a_file_has_mistakes(tmp_path: Path) -> None:
    data, rules = tmp_path / "data", tmp_path / "rules"
    rules.mkdir()
    text = ZONE + "automations: !include_dir_list rules\n"
    rule = "id: {id}\ntriggers: [{{trigger: time, at: '{at}'}}]\nactions: [{{stop: done}}]\n"
    with served(tmp_path, text) as (process, _):
        (rules / "good.yaml").write_text(rule.format(id="good", at="08:00"))
        (rules / "bad.yaml").write_text(rule.format(id="bad", at="99:00"))
        said = hub("reload", "--data", data)
        assert (said.status, said.lines[0]) == (1, "automations: good")
        assert "bad.yaml:2:" in said.lines[1]
        (rules / "bad.yaml").write_text(rule.format(id="bad", at="09:00"))
        said = hub("reload", "--data", data)
        assert (said.status, said.lines) == (0, ["automations: bad"])
        assert stop(process) == 0


def test_reload_without_a_hub(tmp_path: Path) -> None:
    words = f"hub: {tmp_path}: no hub runs on this data folder (start it: hub run)\n"
    said = hub("reload", "--data", tmp_path)
    assert (said.status, said.err) == (1, words)
    (tmp_path / "hub.pid").write_text(str(2**22 + 1))  # a process that is gone
    assert hub("reload", "--data", tmp_path).err == words
    with subprocess.Popen(["sleep", "60"]) as other:
        (tmp_path / "hub.pid").write_text(str(other.pid))  # its number was given to another program
        assert hub("reload", "--data", tmp_path).err == words
        assert other.poll() is None
        other.kill()


def test_reload_of_a_hub_that_does_not_answer(tmp_path: Path) -> None:
    code = ("import signal, sys; signal.signal(signal.SIGHUP, signal.SIG_IGN); print('hub', flush=True); "
            "sys.stdin.read()")  # fmt: skip
    with subprocess.Popen(
        [sys.executable, "-c", code, "hub"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as deaf:
        assert deaf.stdout is not None
        assert deaf.stdout.readline() == b"hub\n"
        (tmp_path / "hub.pid").write_text(str(deaf.pid))
        (tmp_path / "reload.result").write_text('{"id": "of another request", "ok": true, "lines": []}')
        said = hub("reload", "--data", tmp_path, "--wait", "0.3")
        assert (said.status, said.err) == (
            1, f"hub: {tmp_path}: the hub did not answer within 0.3 s (look at its log)\n"
        )  # fmt: skip
        deaf.kill()


def test_run_refuses_in_words(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("zone: {name: test, centre: [17.0, 99.8]}\n")
    said = hub("run", "--config", tmp_path / "config.yaml", "--data", tmp_path / "data", "--port", "0")
    assert (said.status, said.out) == (1, "")
    assert said.err.splitlines() == [
        f"{tmp_path / 'config.yaml'}:1:7: 'center' is missing",
        f"{tmp_path / 'config.yaml'}:1:20: unknown field 'centre'; did you mean 'center'?",
    ]


# --- audit


async def fill(data: Path, count: int) -> None:
    """A ledger with entries, some with people's data."""
    clock, types = SystemClock(), EventTypes()
    pipeline = Pipeline(SqliteJournal(data / "journal.db", types, KeyRing.open(data / "master.key"), clock), types,
                        clock, Ids(clock))  # fmt: skip
    await pipeline.start()
    ledger = Ledger(pipeline)
    ledger.load()
    for number in range(count):
        ledger.record("user:noi", "plate.search", f"search {number}", "duty:desk", personal={"plate": "1กข1234"})
    await pipeline.stop()
    pipeline.journal.close()


def change(data: Path, sql: str) -> None:
    with sqlite3.connect(data / "journal.db") as db:
        assert db.execute(sql).rowcount > 0
    db.close()


async def test_audit_head_and_verify(tmp_path: Path) -> None:
    await fill(tmp_path, 3)
    head = hub("audit", "head", "--data", tmp_path)
    assert head.status == 0, head.err
    said = json.loads(head.out)
    assert (said["n"], sorted(said)) == (3, ["at", "hash", "key", "n", "signature"])
    kept = tmp_path / "heads"
    kept.write_text(head.out)
    await fill(tmp_path, 2)
    kept.write_text(head.out + hub("audit", "head", "--data", tmp_path).out)
    said_now = hub("audit", "verify", "--data", tmp_path, "--head", kept)
    assert (said_now.status, said_now.out) == (0, "5 entries against 2 signed heads: nothing was changed\n")

    copy = tmp_path / "copy"
    shutil.copytree(tmp_path, copy, ignore=shutil.ignore_patterns("copy", "hub.lock"))
    change(copy, "DELETE FROM records WHERE tbl IN ('audit', 'audit_detail') AND id = '000000000005'")
    cut = hub("audit", "verify", "--data", copy)
    assert (cut.status, cut.out) == (0, "4 entries: nothing was changed\n")  # that is what heads outside are for
    cut = hub("audit", "verify", "--data", copy, "--head", kept)
    assert cut.status == 1
    assert cut.lines[0] == "truncated: entries 5 to 5 are gone: a head was signed for them"

    change(tmp_path, "UPDATE records SET value = replace(value, 'search 1', 'search 9') WHERE tbl = 'audit'"
                     " AND id = '000000000002'")  # fmt: skip
    edited = hub("audit", "verify", "--data", tmp_path)
    assert edited.status == 1
    assert edited.lines[0] == "edited: entry 2 was changed: its contents do not match its hash"


def test_audit_while_the_hub_runs(tmp_path: Path) -> None:
    with served(tmp_path, ZONE) as (_, address):
        head = hub("audit", "head", "--data", tmp_path / "data")
        assert head.status == 0, head.err
        verified = hub("audit", "verify", "--data", tmp_path / "data")
        assert (verified.status, verified.err) == (0, "")
        assert read(f"{address}/api/health")["status"] == "ok"


@pytest.mark.parametrize(
    ("text", "words"),
    [("no json\n", "heads:1: this is no signed head"), ('{"n": 1}\n', "heads:1: this is no signed head"),
     ("[1]\n", "heads:1: this is no signed head"), ("\x00\n", "heads:1: this is no signed head")],
)  # fmt: skip
def test_heads_that_are_none(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "heads").write_text(text)
    said = hub("audit", "verify", "--data", tmp_path, "--head", tmp_path / "heads")
    assert said.status == 1
    assert words in said.err
    assert len(said.err.splitlines()) == 1


def test_audit_without_a_journal(tmp_path: Path) -> None:
    said = hub("audit", "head", "--data", tmp_path)
    assert (said.status, said.err) == (
        1, f"hub: {tmp_path / 'journal.db'}: there is no journal (name the folder that hub run --data has)\n"
    )  # fmt: skip
    assert list(tmp_path.iterdir()) == []


# --- doctor, plugins


def test_doctor_sees_a_taken_port_and_a_loose_key(tmp_path: Path) -> None:
    with served(tmp_path, ZONE) as (_, address):
        port = int(address.rpartition(":")[2])
        (tmp_path / "other.yaml").write_text(ZONE + f"web: {{port: {port}}}\n")
        other = tmp_path / "other"
        other.mkdir()
        (other / "master.key").write_bytes(b"k" * 32)
        (other / "master.key").chmod(0o644)
        said = hub("doctor", "--config", tmp_path / "other.yaml", "--data", other)
        assert said.status == 1
        taken = f"bad      cannot listen on 127.0.0.1:{port}: Address already in use (choose another web.port)"
        assert taken in said.lines
        assert f"bad      others may read {other / 'master.key'} (chmod 600 {other / 'master.key'})" in said.lines
        well = hub("doctor", "--config", tmp_path / "config.yaml", "--data", tmp_path / "data")
        assert f"ok       the hub runs (process {running(tmp_path / 'data')})" in well.lines
        assert not any(line.startswith("bad") for line in well.lines), well.out
        assert well.status == 0


def test_plugins_are_listed_and_described(tmp_path: Path) -> None:
    listed = hub("plugin", "list")
    assert (listed.status, listed.err) == (0, "")
    names = [line.split()[0] for line in listed.lines]
    assert {"units", "watchlist", "drone_mavlink"} <= set(names)
    one = hub("plugin", "describe", "watchlist")
    assert one.lines[0] == "watchlist"
    assert "  views: hits (table), request (form), approve (form)" in one.lines
    assert any(line.startswith("    quiet_s: number ≥ 0: the same entry") for line in one.lines)
    none = hub("plugin", "describe", "watchlst")
    assert (none.status, none.err) == (
        1, "hub: there is no plugin 'watchlst'; did you mean 'watchlist'? (hub plugin list shows them)\n"
    )  # fmt: skip
    new = hub("new", "plugin", "watchlist", "--folder", tmp_path)
    assert (new.status, new.err) == (1, "hub: watchlist: there is such a plugin already (choose another name)\n")


def test_starting_the_command_imports_nothing_heavy() -> None:
    heavy = ("aiohttp", "pydantic", "cryptography", "jinja2", "hub.app")
    code = f"import sys, hub.cli; hub.cli.build_parser(); print([m for m in {heavy} if m in sys.modules])"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ)
    assert ran.stdout == "[]\n"
