"""A hub process that is killed, and what its officers find when it runs again on the same data folder."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ZONE = "zone: {name: test, center: [17.0, 99.8]}\nplugins:\n  - plugin: incident_desk\n"


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The address of a hub in ``folder``; it is killed at the end, as by a power cut of its machine."""
    (folder / "config.yaml").write_text(ZONE)
    command = [*hub(), "run", "--config", str(folder / "config.yaml"), "--data", str(folder / "data"), "--port", "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("hub: http://"), line
        yield line.removeprefix("hub: ").strip()
    finally:
        process.kill()
        process.communicate()


def hub() -> list[str]:
    return [sys.executable, "-m", "hub"]


def token(folder: Path) -> str:
    user = [*hub(), "user"]
    words = "rain on the old temple\n" * 2
    data = ["--data", str(folder / "data")]
    subprocess.run(
        [*user, "add", "somchai", "--role", "operator", *data], input=words, text=True, check=True, timeout=60
    )
    made = subprocess.run([*user, "token", "somchai", *data], capture_output=True, text=True, check=True, timeout=60)
    return made.stdout.strip()


def ask(address: str, bearer: str, body: Any = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    headers = {"Authorization": f"Bearer {bearer}", "Content-Type": "application/json"}
    with urllib.request.urlopen(urllib.request.Request(address, data, headers), timeout=20) as answer:
        return json.loads(answer.read())


def states(url: str, bearer: str) -> dict[str, dict[str, Any]]:
    listed = ask(f"{url}/api/states", bearer)
    mine = ("incident.", "alarm.")
    return {one["entity"]: one for one in listed["states"] if one["entity"].startswith(mine)}


def test_open_cases_and_alarms_are_there_and_served_after_a_kill(tmp_path: Path) -> None:
    bearer, given = token(tmp_path), {"kind": "test", "title": "รถต้องสงสัย", "lat": 17.0, "lon": 99.8}
    with served(tmp_path) as url:
        first = ask(f"{url}/api/actions/incident.open", bearer, {"params": given})
        assert first["status"] == "done"
        before = states(url, bearer)
    incident = first["result"]
    alarm = next(name for name in before if name.startswith("alarm."))
    assert (len(before), before[incident]["state"], before[alarm]["state"]) == (2, "open", "unacknowledged")
    with served(tmp_path) as url:
        after = states(url, bearer)
        assert {name: one["state"] for name, one in after.items()} == {incident: "open", alarm: "unacknowledged"}
        assert after[incident]["attributes"]["title"] == "รถต้องสงสัย"
        for verb, wanted in (("acknowledge", "acknowledged"), ("close", "closed")):
            params = {"result": "resolved"} if verb == "close" else {}
            done = ask(f"{url}/api/actions/incident.{verb}", bearer, {"target": incident, "params": params})
            assert done["status"] == "done", done
            assert states(url, bearer)[incident]["state"] == wanted
        assert alarm not in states(url, bearer)
        second = ask(f"{url}/api/actions/incident.open", bearer, {"params": given})["result"]
        number = [states(url, bearer)[one]["attributes"]["reference"][-3:] for one in (incident, second)]
        assert number == ["001", "002"]
