"""``kill -9`` under load, again and again: what was acknowledged is there, state equals replay, incidents are whole,
and no device was called twice. ``HUB_KILLS`` says how often (100 for the whole proof)."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import random
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientError, ClientSession, TCPConnector

from hub.capabilities import EVENT_TYPES
from hub.core.event import Event, EventTypes
from hub.core.state import State
from hub.core.system import SYSTEM_TYPES
from tests.scenarios.kit import UNITS, device_calls, people, street, unit_secret, write_zone
from tests.scenarios.serve import Client, Served, session

KILLS = int(os.environ.get("HUB_KILLS", "8"))
ROUND = 20  # after so many kills a new zone begins, or comparing everything again would be most of the work
SEED = 7
CLIENTS = 4
LISTED = [("1กก", str(number)) for number in range(1001, 1011)]
EVERY = 20  # each 20th plate is a listed one
SETTLE_S = 60.0
RULES = """\
- id: listed_plate
  mode: parallel
  max: 100
  triggers: {trigger: event, event_type: watchlist_hit}
  actions:
    - action: siren.sound
      continue_on_error: true
    - action: incident.open
      data: {kind: watchlist_hit, title: "{{ trigger.event.data.plate }}", source: "{{ trigger.event.entity }}"}
      response_variable: incident
    - action: incident.assign
      target: {entity_id: "{{ incident }}"}
      continue_on_error: true
    - action: incident.note
      target: {entity_id: "{{ incident }}"}
      data: {text: done}
"""


class Load:
    """Clients that send plates and positions until the hub is gone, and remember what was acknowledged."""

    def __init__(self, headers: dict[str, str], random_: random.Random) -> None:
        self._headers, self._random = headers, random_
        self._count = itertools.count()
        self.plates: dict[int, dict[str, Any]] = {}  # acknowledged: number → what was sent
        self.positions: dict[str, float] = {}  # unit → device time of the newest acknowledged position
        self.refused: Counter[int] = Counter()

    async def run(self, url: str, kill_after: float, hub: Served) -> None:
        """Send for so many seconds, then kill; returns when every client has noticed."""
        async with session() as http:
            jobs = [self._plates(Client(http, url, self._headers)) for _ in range(CLIENTS)]
            tasks = [asyncio.create_task(job) for job in (*jobs, *(self._walk(url, n) for n in range(len(UNITS))))]
            await asyncio.sleep(kill_after)
            hub.kill()
            await asyncio.wait_for(asyncio.gather(*tasks), 30)

    async def _plates(self, client: Client) -> None:
        with contextlib.suppress(ClientError, TimeoutError):
            while True:
                n = next(self._count)
                series, number = self._random.choice(LISTED) if n % EVERY == 0 else ("9ฮฮ", str(n % 9000 + 1))
                data = {"series": series, "number": number, "confidence": 0.9}
                status, answer = await client.emit("plate_read", data, f"camera.c{n % 2 + 1}")
                if status == 200:
                    assert answer["seq"] not in self.plates, "one number was given twice"
                    self.plates[answer["seq"]] = data | {"entity": f"camera.c{n % 2 + 1}", "id": answer["id"]}
                else:
                    self.refused[status] += 1

    async def _walk(self, url: str, n: int) -> None:
        unit = UNITS[n]
        async with ClientSession(connector=TCPConnector(local_addr=(f"127.0.0.{n + 2}", 0))) as http:
            with contextlib.suppress(ClientError, TimeoutError):
                while True:
                    at = round(time.time(), 3)
                    query = {
                        "id": unit, "secret": unit_secret(unit), "timestamp": str(at), "lat": "17.008", "lon": "99.823"
                    }  # fmt: skip
                    async with http.post(f"{url}/hook/units/position", params=query) as answer:
                        if answer.status == 200:
                            self.positions[unit] = at
                    await asyncio.sleep(0.1)


class Truth:
    """The journal as read from the hub, folded from the first event on, beside what the hub serves."""

    def __init__(self) -> None:
        self.state = State(EventTypes((*SYSTEM_TYPES, *EVENT_TYPES)))
        self.events: list[dict[str, Any]] = []

    async def follow(self, client: Client) -> None:
        """Read what is new; the state that is served must be its replay."""
        served = await client.get("/api/states")
        states = {state["entity"]: state for state in served["states"]}
        new = await client.events(len(self.events))
        compared = served["seq"] == len(self.events) and self._same(states)
        for event in new:
            assert event["seq"] == len(self.events) + 1, "the numbers have a gap"
            self.events.append(event)
            self.state.apply(Event.from_data(event))
            compared = compared or (event["seq"] == served["seq"] and self._same(states))
        assert compared, f"the state is of {served['seq']}, the journal ends at {len(self.events)}"

    def _same(self, states: dict[str, dict[str, Any]]) -> bool:
        assert {state.entity: state.as_data() for state in self.state} == states
        return True

    def of(self, kind: str, **fields: Any) -> Iterator[dict[str, Any]]:
        for event in self.events:
            if event["type"] == kind and all(event["data"].get(key) == value for key, value in fields.items()):
                yield event


def check_acknowledged(truth: Truth, load: Load) -> None:
    for seq, sent in load.plates.items():
        event = truth.events[seq - 1]
        kept = {key: event["data"][key] for key in ("series", "number", "confidence")}
        assert (event["type"], event["id"], event["entity"]) == ("plate_read", sent["id"], sent["entity"])
        assert kept == {key: sent[key] for key in kept}
    for unit, at in load.positions.items():
        found = truth.state.get(f"unit.{unit}")
        assert found is not None and found.attributes["fix_at"] >= at


def unfinished(truth: Truth) -> list[str]:
    """What is not whole: listed reads without a hit, hits without incident, incidents without alarm, unit or note."""
    wrong: list[str] = []
    listed = {series + number for series, number in LISTED}
    hits = {event["data"]["read_seq"]: event for event in truth.of("watchlist_hit")}
    incidents = {event["data"]["source_entity"]: event for event in truth.of("incident_opened")}
    alarms = {event["data"]["incident"] for event in truth.of("alarm_raised")}
    assigned = {event["entity"] for event in truth.of("incident_assigned")}
    refused = {e["entity"] for e in truth.of("action_finished", action="incident.assign") if e["data"]["error"]}
    noted = {event["entity"] for event in truth.of("action_finished", action="incident.note")}
    for read in truth.of("plate_read"):
        if read["data"]["plate"] not in listed:
            continue
        hit = hits.get(read["seq"])
        opened = incidents.get(hit["entity"]) if hit else None
        if hit is None or opened is None:
            wrong.append(f"read {read['seq']}: no {'incident' if hit else 'hit'}")
            continue
        case = opened["entity"]
        if case not in alarms or case not in assigned | refused or case not in noted:
            parts = (("alarm", alarms), ("unit", assigned | refused), ("note", noted))
            missing = [name for name, held in parts if case not in held]
            wrong.append(f"read {read['seq']}: {case} without {', '.join(missing)}")
    return wrong


def check_devices(truth: Truth, folder: Path) -> None:
    calls = device_calls(folder)
    twice = [call for call, count in Counter(calls).items() if count > 1]
    assert twice == [], "a device was called twice"
    asked = Counter(event["data"]["key"] for event in truth.of("action_requested", action="siren.sound"))
    ended = Counter(event["data"]["key"] for event in truth.of("action_finished", action="siren.sound"))
    assert set(asked.values()) <= {1} and set(ended.values()) <= {1}
    assert {call.split()[1] for call in calls} <= asked.keys(), "a device was called before its call was durable"
    assert asked.keys() == ended.keys(), "a call has no outcome"
    once = [e["entity"] for kind in ("watchlist_hit", "incident_opened") for e in truth.of(kind)]
    assert [entity for entity, count in Counter(once).items() if count > 1] == []


async def whole(client: Client, truth: Truth) -> None:
    """Wait until what was begun before the kill has gone on to its end."""
    deadline = time.monotonic() + SETTLE_S
    await truth.follow(client)
    while wrong := unfinished(truth):
        assert time.monotonic() < deadline, f"not whole after {SETTLE_S:g} s: {wrong}"
        await asyncio.sleep(0.1)
        await truth.follow(client)


async def list_plates(client: Client) -> None:
    for series, number in LISTED:
        await client.act(
            "watchlist.add", plate=series + number, reason="stolen", legal_ground="test only", days=30.0, urgent=True
        )


ROUNDS = [min(ROUND, KILLS - done) for done in range(0, KILLS, ROUND)]


@pytest.mark.parametrize(("seed", "kills"), list(enumerate(ROUNDS, SEED)))
async def test_kill_minus_9_under_load(tmp_path: Path, seed: int, kills: int) -> None:
    config, data = write_zone(tmp_path, plugins=street(tmp_path), automations=RULES), tmp_path / "data"
    folks = people(data, ("commander", "ccoc"))
    source = random.Random(seed)
    load, truth, headers = Load(folks.bearer("ccoc"), source), Truth(), folks.bearer("commander")
    for turn in range(kills + 1):
        with Served(config, data) as hub:
            async with session() as http:
                client = Client(http, hub.url, headers)
                if turn == 0:
                    await list_plates(client)
                await whole(client, truth)
                check_acknowledged(truth, load)
            if turn < kills:
                await load.run(hub.url, source.uniform(0.05, 1.5), hub)
            else:
                await finish(hub, truth, headers)
                check_devices(truth, tmp_path)
    hits = sum(1 for _ in truth.of("watchlist_hit"))
    unknown = sum(event["data"]["status"] == "unknown" for event in truth.of("action_finished"))
    print(
        f"\n{kills} kills: {len(load.plates)} events acknowledged, {len(truth.events)} in the journal, {hits} hits, "
        f"{len(device_calls(tmp_path))} device calls, {unknown} of unknown outcome, refused {dict(load.refused)}"
    )
    assert hits > 0 and len(load.plates) > 20 * kills


async def finish(hub: Served, truth: Truth, headers: dict[str, str]) -> None:
    async with session() as http:
        await truth.follow(Client(http, hub.url, headers))
