"""Runs that end themselves, long queues, triggers that cannot be set, commits that fail in the middle of a run."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from hub.automation import Source
from hub.automation.execution import living, loops
from hub.core.action import params_of
from hub.core.clock import Timer
from hub.core.error import StorageFailed
from hub.core.event import Event
from hub.core.journal import MemoryJournal, Record
from tests.automation.zone import OFFICER, TELL, Zone

RESTARTED = """
- id: a
  mode: restart
  triggers: {trigger: event, event_type: go}
  actions:
   - {event: kick, event_data: {n: "{{ trigger.event.data.n }}"}}
   - delay: 10
   - {action: notify.tell, data: {to: x, text: "end {{ trigger.event.data.n }}"}}
- id: b
  triggers: {trigger: event, event_type: kick, event_data: {n: 1}}
  actions: [{event: go, event_data: {n: 2}}]
"""


async def test_a_run_that_its_own_event_restarts_does_nothing_more_and_leaves_no_record() -> None:
    zone = await Zone().start(RESTARTED)
    zone.fire("go", n=1)
    await zone.idle()
    assert [row["running"] for row in zone.engine.list()] == [1, 0]
    assert len(zone.runs()) == 1
    await zone.after(11)
    assert zone.told() == ["end 2"]
    assert zone.runs() == []
    assert [trace["status"] for trace in zone.engine.traces("a")] == ["finished", "stopped"]
    again = await zone.restart(RESTARTED, down=60)
    assert again.told() == []


async def test_a_script_that_turns_itself_off_goes_no_further() -> None:
    zone = await Zone().start("""
automation:
- id: a
  triggers: {trigger: event, event_type: go}
  actions: [{action: script.turn_on, target: {entity_id: script.s}}]
script:
  s:
    sequence:
      - {action: script.turn_off, target: {entity_id: script.s}}
      - {action: notify.tell, data: {to: x, text: after stop}}
""")
    zone.fire("go")
    await zone.idle()
    assert zone.told() == []
    assert zone.trace("script.s")["status"] == "stopped"
    assert zone.runs() == []


async def test_a_called_script_that_turns_its_caller_off_ends_it_there() -> None:
    zone = await Zone().start("""
automation:
- id: a
  triggers: {trigger: event, event_type: go}
  actions:
   - parallel:
     - [{action: script.guard}, {action: notify.tell, data: {to: x, text: "branch goes on"}}]
     - [{delay: 1}]
   - {action: notify.tell, data: {to: x, text: "after turn_off"}}
script:
  guard:
    sequence: [{action: automation.turn_off, target: {entity_id: automation.a}}]
""")
    zone.fire("go")
    await zone.after(5)
    assert zone.told() == []
    assert zone.trace("a")["status"] == "stopped"
    assert zone.runs() == []
    assert zone.engine.list()[0]["enabled"] is False


QUEUE = """
- id: q
  mode: queued
  max: 1000
  triggers: {trigger: event, event_type: go}
  actions:
   - if: "{{ trigger.event.data.n == 0 }}"
     then: [{delay: 50}]
   - {event: done_one}
"""


async def queued(number: int) -> Zone:
    zone = await Zone().start(QUEUE)
    for n in range(number):
        zone.fire("go", n=n)
    await zone.idle()
    return zone


async def test_a_long_queue_is_served_one_after_the_other() -> None:
    zone = await queued(600)
    assert zone.engine.list()[0]["running"] == 600
    await zone.after(51)
    assert len(zone.events("done_one")) == 600
    assert zone.runs() == []


async def test_a_long_queue_is_served_after_a_restart() -> None:
    again = await (await queued(600)).restart(QUEUE, down=100)
    assert len(await again.events_of("done_one")) == 600
    assert again.runs() == []


async def test_a_long_queue_lets_the_hub_do_something_else_between(monkeypatch: pytest.MonkeyPatch) -> None:
    zone = await queued(5)
    monkeypatch.setattr(living, "MAX_TURN_S", 0.0)
    asked, call_at = list[float](), zone.clock.call_at

    def noted(when: float, call: Callable[[], None]) -> Timer:
        asked.append(when)
        return call_at(when, call)

    monkeypatch.setattr(zone.clock, "call_at", noted)
    await zone.after(51)
    assert len(zone.events("done_one")) == 5
    assert asked == [1_700_000_050.0] * 3  # the first ends its wait, the second follows it, the others one by one


READS_A_SENSOR = """
- id: a
  triggers:
   - {trigger: event, event_type: go}
   - {trigger: event, event_type: other, event_data: {n: "{{ states('sensor.t') | int }}"}}
  actions: [{action: notify.tell, data: {to: x, text: old}}]
"""


async def test_triggers_that_cannot_be_set_hear_nothing_and_are_set_when_they_can() -> None:
    zone = await Zone().start(READS_A_SENSOR)
    zone.fire("go")
    await zone.idle()
    assert zone.told() == []  # not half of them
    assert len(zone.events("fault")) == 1
    assert "triggers could not be set" in zone.events("fault")[0].data["message"]
    await zone.after(61)
    assert len(zone.events("fault")) == 1  # the same is told once
    zone.set("sensor.t", "3")
    await zone.after(61)
    zone.fire("go")
    await zone.idle()
    zone.fire("other", n=3)
    await zone.idle()
    assert zone.told() == ["old", "old"]


async def test_triggers_that_could_not_be_set_are_gone_with_their_rule() -> None:
    zone = await Zone().start(READS_A_SENSOR)
    mended = READS_A_SENSOR.replace("| int", "| int(0)").replace("old", "new")
    assert zone.engine.reload([Source(mended, "a.yaml", OFFICER)]) == []
    zone.fire("go")
    await zone.idle()
    assert zone.told() == ["new"]
    zone.engine.remove("a")
    zone.set("sensor.t", "3")
    await zone.after(61)
    zone.fire("go")
    await zone.idle()
    assert zone.told() == ["new"]


class Failing(MemoryJournal):
    """Fails once, at the next commit that has an outcome in it."""

    fail = False

    def commit(self, events: Sequence[Event], records: Sequence[Record]) -> None:
        if self.fail and any(event.type == "action_finished" for event in events):
            self.fail = False
            raise StorageFailed("the disk is full")
        super().commit(events, records)


async def test_an_outcome_whose_commit_failed_is_heard_once_the_run_is_read_again() -> None:
    journal = Failing()
    zone = await Zone(journal).start("""
- id: a
  triggers: {trigger: event, event_type: go}
  actions:
   - {action: notify.tell, data: {to: x, text: one}}
   - {action: notify.tell, data: {to: x, text: two}}
   - {action: notify.tell, data: {to: x, text: three}}
""")
    zone.gate = asyncio.Event()
    zone.fire("go")
    await zone.idle()
    journal.fail = True
    zone.gate.set()
    zone.gate = None
    await zone.idle()
    assert not journal.fail  # it has failed
    assert zone.told() == ["one", "two", "three"]
    assert [trace["status"] for trace in zone.engine.traces("a")] == ["finished"]
    await zone.after(1_000)
    assert zone.told() == ["one", "two", "three"]
    assert zone.runs() == []


async def test_a_repeat_that_cannot_tell_whether_it_is_done_ends() -> None:
    zone = await Zone().start("""
- id: u
  triggers: {trigger: event, event_type: go}
  actions:
   - repeat:
       sequence: [{event: turn}]
       until: [{condition: numeric_state, entity_id: sensor.t, above: 5}]
   - {event: after}
""")
    zone.set("sensor.t", "abc")
    zone.fire("go")
    await zone.idle()
    assert (len(zone.events("turn")), len(zone.events("after"))) == (1, 1)
    assert "abc" in zone.trace("u")["steps"][-2]["error"]


async def test_a_repeat_without_end_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loops, "MAX_TURNS", 50)
    zone = await Zone().start("""
- id: w
  triggers: {trigger: event, event_type: go}
  actions:
   - repeat: {while: "{{ true }}", sequence: [{delay: 0.001}]}
   - {event: after}
""")
    zone.fire("go")
    await zone.after(20)
    assert (zone.trace("w")["status"], zone.events("after"), len(zone.events("fault"))) == ("aborted", [], 1)
    assert zone.trace("w")["error"] == "action/0: the repeat made 50 turns, and was to go on"


@pytest.mark.parametrize("delay", ["{{ 'nan' | float }}", "{{ 'inf' | float }}", "{{ -1 }}", "{{ 4e9 }}", "{{ 'x' }}"])
async def test_a_delay_that_is_none_fails(delay: str) -> None:
    zone = await Zone().start(f"""
- id: d
  triggers: {{trigger: event, event_type: go}}
  actions: [{{delay: "{delay}"}}, {{event: after}}]
""")
    zone.fire("go")
    await zone.idle()
    assert (zone.trace("d")["status"], zone.events("after"), zone.runs()) == ("failed", [], [])


async def test_patience_with_a_plugin_that_starts_begins_anew_at_each_step(monkeypatch: pytest.MonkeyPatch) -> None:
    zone = await Zone().start("""
- id: a
  triggers: {trigger: event, event_type: go}
  actions: [{action: late.one}, {delay: 300}, {action: late.two}]
""")
    monkeypatch.setattr(zone.engine._host, "_expected", lambda name: name.startswith("late."))

    def comes_up(name: str) -> None:
        zone.actions.provide(replace(TELL, name=name, params=params_of(nothing, name)), zone._execute)

    zone.fire("go")
    await zone.after(5)
    comes_up("late.one")
    await zone.after(2)
    await zone.after(300)
    assert zone.engine.list()[0]["running"] == 1  # it waits for the second, as it did for the first
    comes_up("late.two")
    await zone.after(2)
    assert [name for name, _, _ in zone.calls] == ["late.one", "late.two"]
    assert zone.trace("a")["status"] == "finished"


async def nothing() -> None:
    """Takes no parameters."""
