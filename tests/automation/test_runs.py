"""Runs: modes, restarts in the middle, rights, dangerous actions, chains, traces, publishing."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from hub.automation import Source
from hub.core.access import Actor
from hub.core.error import ConfigError, StorageFailed
from hub.core.journal import MemoryJournal
from tests.automation.zone import FAILED, OFFICER, Zone, copied

WAITS = """
- id: a
  mode: {mode}
  max: 3
  triggers: {{trigger: event, event_type: go}}
  actions:
    - {{action: notify.tell, data: {{to: x, text: "begin {{{{ trigger.event.data.n }}}}"}}}}
    - delay: 10
    - {{action: notify.tell, data: {{to: x, text: "end {{{{ trigger.event.data.n }}}}"}}}}
"""


@pytest.mark.parametrize(
    ("mode", "at_once", "in_the_end", "skipped"),
    [
        ("single", ["begin 1"], ["begin 1", "end 1"], 4),
        ("restart", [f"begin {n}" for n in range(1, 6)], [*(f"begin {n}" for n in range(1, 6)), "end 5"], 0),
        ("queued", ["begin 1"], ["begin 1", "end 1", "begin 2", "end 2", "begin 3", "end 3"], 2),
        (
            "parallel",
            ["begin 1", "begin 2", "begin 3"],
            ["begin 1", "begin 2", "begin 3", "end 1", "end 2", "end 3"],
            2,
        ),
    ],
)
async def test_modes(mode: str, at_once: list[str], in_the_end: list[str], skipped: int) -> None:
    zone = await Zone().start(WAITS.format(mode=mode))
    for n in range(1, 6):
        zone.fire("go", n=n)
    await zone.idle()
    assert zone.told() == at_once
    for _ in range(5):
        await zone.after(10)
    assert zone.told() == in_the_end
    assert (zone.engine.list()[0]["skipped"], zone.engine.list()[0]["running"], zone.runs()) == (skipped, 0, [])
    assert [trace["status"] for trace in zone.engine.traces("a")].count("skipped") == skipped


async def test_restart_in_the_middle_of_a_delay_ends_on_the_version_it_began_with() -> None:
    text = WAITS.format(mode="queued")
    zone = await Zone().start(text)
    zone.fire("go", n=1)
    zone.fire("go", n=2)
    await zone.idle()
    await zone.after(4)
    other = await zone.restart(text.replace("end", "CHANGED"))
    assert (other.told(), other.engine.list()[0]["running"]) == ([], 2)
    await other.after(5.9)
    assert other.told() == []
    await other.after(0.2)
    assert other.told() == ["end 1", "begin 2"]
    await other.after(10)
    assert other.told() == ["end 1", "begin 2", "end 2"]
    assert (other.journal.records("automation_sources"), other.runs()) == ([], [])
    other.fire("go", n=3)
    await other.idle()
    await other.after(10)
    assert other.told()[-1] == "CHANGED 3"


async def test_a_delay_that_fell_due_while_the_hub_was_down_runs_at_once_and_once() -> None:
    text = WAITS.format(mode="single")
    zone = await Zone().start(text)
    zone.fire("go", n=1)
    await zone.idle()
    other = await zone.restart(text, down=3600)
    assert other.told() == ["end 1"]
    third = await other.restart(text, down=3600)
    assert third.told() == []


async def test_a_run_waits_for_its_action_over_a_restart() -> None:
    text = """
- id: a
  triggers: {trigger: event, event_type: go}
  actions:
    - {action: light.turn_on, target: {entity_id: [light.a, light.b]}, response_variable: said}
    - {action: notify.tell, data: {to: x, text: "{{ said['light.a'] }} {{ said['light.b'] }}"}}
"""
    zone = await Zone().start(text)
    zone.gate = asyncio.Event()
    zone.fire("go")
    await zone.idle()
    assert (len(zone.calls), zone.told()) == (2, [])
    early = await zone.restart(text)
    assert early.told() == ["None None"]
    other = await zone.restart(text, serve=False)
    other.answers["light.turn_on"] = "lit"
    other.serve()  # the lamps are here again: an idempotent call is sent again
    await other.idle()
    assert other.told() == ["lit lit"]
    assert [call[:2] for call in other.calls[:2]] == [("light.turn_on", "light.a"), ("light.turn_on", "light.b")]
    zone.gate.set()
    await zone.idle()


async def test_for_survives_a_restart_when_it_still_lasts() -> None:
    text = """
- id: a
  triggers: {trigger: state, entity_id: [light.a, light.b], to: "on", for: 60}
  mode: parallel
  actions: [{action: notify.tell, data: {to: x, text: "{{ trigger.entity_id }}"}}]
"""
    zone = await Zone().start(text)
    zone.set("light.a", "on")
    zone.set("light.b", "on")
    await zone.after(30)
    other = await zone.restart(text)
    other.set("light.b", "off")
    await other.after(31)
    assert other.told() == ["light.a"]
    assert other.runs() == []
    zone2 = await zone.restart(text, down=100)
    assert zone2.told() == ["light.a", "light.b"]
    quiet = Zone(copied(zone.journal), now=zone.clock.now())
    await quiet.pipeline.start()
    quiet.set("light.a", "off")  # while no engine listened
    await quiet.pipeline.settled()
    assert (await quiet.restart(text, down=100)).told() == ["light.b"]
    changed = await zone.restart(text.replace("60", "61"), down=100)
    assert (changed.told(), changed.runs()) == ([], [])  # another version: what it waited for is void


async def test_variables_of_every_kind_survive() -> None:
    text = """
- id: a
  variables: {moment: "{{ [1, 2] }}", deep: {x: ["{{ trigger.event.time_fired }}", null, 1.5, true]}}
  triggers: {trigger: event, event_type: go}
  actions:
    - delay: 1
    - action: notify.tell
      data: {to: x, text: "{{ moment }} {{ deep.x }} {{ this.entity_id }} {{ trigger.event.data.a }}"}
"""
    zone = await Zone().start(text)
    zone.fire("go", a={"$datetime": "no tag"})
    await zone.idle()
    json.dumps(zone.runs())
    other = await zone.restart(text, down=9)
    assert other.told() == [
        "[1, 2] ['2023-11-15 05:13:20+07:00', None, 1.5, True] automation.a {'$datetime': 'no tag'}"
    ]


async def test_a_lost_commit_takes_runs_back_to_what_is_durable() -> None:
    class Failing(MemoryJournal):
        fail = False

        def commit(self, events: Any, records: Any) -> None:
            if self.fail:
                self.fail = False
                raise StorageFailed("disk full")
            super().commit(events, records)

    journal = Failing()
    zone = await Zone(journal).start(WAITS.format(mode="parallel"))
    zone.fire("go", n=1)
    await zone.idle()
    journal.fail = True
    zone.fire("go", n=2)
    with pytest.raises(StorageFailed):
        await zone.pipeline.settled()
    await zone.idle()
    assert (zone.engine.list()[0]["running"], zone.told()) == (1, ["begin 1"])
    await zone.after(10)
    assert zone.told() == ["begin 1", "end 1"]
    assert zone.runs() == []


async def test_an_action_that_fails_ends_the_run_unless_told_to_go_on() -> None:
    text = """
- id: a
  mode: parallel
  triggers: {trigger: event, event_type: go}
  actions:
    - {action: light.turn_on, target: {entity_id: light.a}, continue_on_error: true}
    - {action: light.turn_on, target: {entity_id: light.b}}
    - {action: notify.tell, data: {to: x, text: never}}
"""
    zone = await Zone().start(text)
    zone.answers["light.turn_on"] = FAILED
    zone.fire("go")
    zone.fire("go")
    await zone.idle()
    trace = zone.trace("a")
    assert (zone.told(), trace["status"], trace["error"]) == ([], "failed", "action/1: light.b: lamp broken")
    assert [step.get("error") for step in trace["steps"]] == ["light.a: lamp broken", "light.b: lamp broken"]
    (fault,) = zone.events("fault")
    assert fault.data == {"where": "automation:a", "message": "action/1: light.b: lamp broken", "hint": "see its trace"}
    zone.fire("go")
    await zone.after(1)
    assert len(zone.events("fault")) == 1
    await zone.after(60)
    zone.fire("go")
    await zone.idle()
    assert len(zone.events("fault")) == 2


async def test_the_last_actions_failure_reaches_the_trace() -> None:
    zone = await Zone().start(
        "- {id: a, triggers: {trigger: event, event_type: go}, actions: {action: light.turn_on, entity_id: light.a}}"
    )
    zone.answers["light.turn_on"] = FAILED
    zone.fire("go")
    await zone.idle()
    assert (zone.trace("a")["status"], zone.engine.list()[0]["last_error"]) == (
        "failed",
        "action/0: light.a: lamp broken",
    )
    assert zone.journal.records("traces")[0][1]["status"] == "failed"


async def test_a_dangerous_action_asks_and_the_run_goes_on() -> None:
    zone = await Zone().start(
        """
- id: a
  triggers: {trigger: event, event_type: go}
  actions:
    - {action: drone.dispatch, target: {entity_id: drone.d}, data: {lat: 17.0, lon: 99.8}}
    - {action: notify.tell, data: {to: x, text: asked}}
"""
    )
    zone.fire("go")
    await zone.idle()
    assert zone.told() == ["asked"]
    assert zone.pipeline.state.get(zone.trace("a")["steps"][0]["detail"]["confirmation"]) is not None
    assert [call[0] for call in zone.calls] == ["notify.tell"]
    assert zone.rights.asked[0] == ("automation:a", "drone.dispatch", frozenset({"operator"}))


async def test_rights_are_the_publishers_and_looked_at_in_each_run() -> None:
    now: dict[str, Actor | None] = {"user:somchai": OFFICER}
    zone = await Zone(publisher_now=lambda actor: now[actor.id]).start(
        "- {id: a, triggers: {trigger: event, event_type: go}, actions: {action: light.turn_on, entity_id: light.a}}"
    )
    zone.rights.denied.add("light.control")
    zone.fire("go")
    await zone.idle()
    assert (zone.calls, zone.trace("a")["error"]) == ([], "action/0: light.control: automation:a lacks light.control")
    zone.rights.denied.clear()
    now["user:somchai"] = Actor("user:somchai", frozenset({"patrol"}))
    zone.fire("go")
    await zone.idle()
    assert zone.rights.asked[-1] == ("automation:a", "light.control", frozenset({"patrol"}))
    now["user:somchai"] = None
    zone.fire("go")
    await zone.idle()
    assert len(zone.calls) == 1
    assert "no account" in zone.trace("a")["error"]


async def test_two_rules_that_trigger_each_other_are_stopped_and_an_officer_sees_it() -> None:
    zone = await Zone().start(
        """
- {id: a, mode: parallel, max: 50, triggers: {trigger: event, event_type: ping}, actions: [{event: pong}]}
- {id: b, mode: parallel, max: 50, triggers: {trigger: event, event_type: pong}, actions: [{event: ping}]}
"""
    )
    zone.fire("ping")
    await zone.idle()
    assert [event.depth for event in (*zone.events("ping"), *zone.events("pong"))] == [0, 2, 4, 6, 8, 1, 3, 5, 7]
    (fault,) = zone.events("fault")
    assert fault.data["where"] == "automation:a"
    assert "a chain of 9" in fault.data["message"]


async def test_an_action_beyond_the_limit_leaves_nothing_owed() -> None:
    zone = await Zone().start("- {id: a, triggers: {trigger: event, event_type: plate_read}, actions: [{event: x}]}")
    zone.plate("A1", depth=8)
    await zone.idle()
    assert (zone.events("x"), len(zone.events("fault"))) == ([], 1)
    zone.engine.load([])
    zone.engine.publish(
        "{id: b, trigger: {trigger: event, event_type: plate_read},"
        " action: {service: light.turn_off, entity_id: light.a}}",
        OFFICER,
    )
    zone.plate("A1", depth=8)
    await zone.idle()
    assert (zone.calls, zone.journal.records("owed"), len(zone.actions._owed)) == ([], [], 0)


async def test_traces_are_bounded_masked_and_survive() -> None:
    text = """
- id: a
  mode: parallel
  triggers: {trigger: event, event_type: plate_read}
  conditions: "{{ trigger.event.data.plate != 'ฆฆ9999' }}"
  actions:
    - {action: light.turn_on, target: {entity_id: light.a}, data: {note: "{{ trigger.event.data.plate }}"}}
    - {stop: "saw {{ trigger.event.data.plate }}"}
"""
    zone = await Zone().start(text)
    for n in range(25):
        zone.clock.advance(1)
        zone.plate(f"กข{1000 + n}")
        await zone.idle()
    zone.plate("ฆฆ9999")
    await zone.idle()
    traces = zone.engine.traces("a")
    assert [trace["status"] for trace in traces] == ["condition", *["stopped"] * 20]
    assert traces[1]["steps"][-1]["detail"] == {"stop": "saw •••"}
    assert "กข10" not in json.dumps(traces, ensure_ascii=False)
    assert len(zone.journal.records("traces")) == 20
    assert zone.calls[-1][2]["note"] == "กข1024"
    other = await zone.restart(text)
    assert [trace["run_id"] for trace in other.engine.traces("a")] == [trace["run_id"] for trace in traces[1:]]
    assert other.engine.list()[0]["last_run"] == traces[1]["started"]


async def test_publish_is_whole_or_nothing_and_remembers_who() -> None:
    rule = "- {id: %s, triggers: {trigger: event, event_type: go}, actions: {action: %s, data: {to: x, text: %s}}}\n"
    old = rule % ("a", "notify.tell", "old")
    zone = await Zone().start(old)
    with pytest.raises(ConfigError) as refused:
        zone.engine.publish(
            rule % ("a", "notify.tell", "new") + rule % ("b", "notify.tel", "x"), OFFICER, "a.yaml", zone.known
        )
    assert [str(mistake) for mistake in refused.value.mistakes] == [
        "a.yaml:2:73: there is no action 'notify.tel'; did you mean 'notify.tell'?"
    ]
    boss = Actor("user:malee", frozenset({"commander"}), person=True)
    new = rule % ("a", "notify.tell", "new")
    assert zone.engine.publish(new, boss, "a.yaml", zone.known) == ["a"]
    zone.engine.set_enabled("a", False)
    zone.fire("go")
    await zone.idle()
    assert zone.told() == []
    other = await zone.restart(new)
    assert [(row["publisher"], row["enabled"]) for row in other.engine.list()] == [("user:malee", False)]
    other.engine.set_enabled("a", True)
    other.fire("go")
    await other.idle()
    assert (other.told(), other.rights.asked[-1][2]) == (["new"], frozenset({"commander"}))
    edited = await other.restart(new.replace("new", "by hand"))
    assert edited.engine.list()[0]["publisher"] == "user:somchai"  # nobody published this text


async def test_reload_touches_only_what_changed_and_a_bad_one_leaves_the_others() -> None:
    good = WAITS.format(mode="single")
    second = (
        "- {id: b, triggers: {trigger: event, event_type: go}, actions: {%s: notify.tell, data: {to: x, text: b}}}\n"
    )
    second %= "action"
    zone = await Zone().start(good + second)
    zone.fire("go", n=1)
    await zone.idle()
    mistakes = zone.engine.reload([Source(good + second.replace("actions", "actoins"), "a.yaml", OFFICER)])
    assert [mistake.line for mistake in mistakes] == [10, 10]
    assert "no field 'actoins'; did you mean 'actions'?" in mistakes[0].words
    assert zone.engine.mistakes()["a.yaml"] == mistakes
    await zone.after(10)
    zone.fire("go", n=2)
    await zone.idle()
    assert zone.told() == ["begin 1", "b", "end 1", "begin 2", "b"]
    (taken,) = zone.engine.reload([Source(second.replace("text: b", "text: c"), "b.yaml", OFFICER)])
    assert str(taken) == "b.yaml:1:3: the id 'b' is taken already in a.yaml"
    assert zone.engine.reload([Source(second, "a.yaml", OFFICER)]) == []
    assert [row["id"] for row in zone.engine.list()] == ["b"]
    await zone.idle()
    assert zone.runs() == []  # what ran of the removed one is ended
