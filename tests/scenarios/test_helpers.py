"""Rules as they are written for Home Assistant, over the helpers, in the real hub."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from hub.app import App, Options
from hub.automation import Source
from hub.core.access import Actor
from hub.core.actions import Request
from hub.core.clock import ManualClock
from hub.core.journal import Query
from hub.testing import Harness
from plugins.helpers.conftest import START, Desk, desk, turns

VISITS, QUIET, LEVEL, WAKE, NIGHT = (
    "counter.visits", "timer.quiet", "input_number.level", "input_datetime.wake", "input_boolean.night_mode",
)  # fmt: skip
PUBLISHER = Actor("config", frozenset({"operator"}))
SEVERAL: dict[str, Any] = {
    "input_number": {"level": {"min": 0, "max": 10}, "limit": {"min": 0, "max": 10, "initial": 5}}
}


def counting(triggers: str, conditions: str = "[]") -> str:
    """A rule that counts each of its runs."""
    return (
        f"- id: counts\n  triggers: {triggers}\n  conditions: {conditions}\n"
        "  actions: [{action: counter.increment, target: {entity_id: counter.visits}}]\n"
    )


def load(at: Desk, text: str) -> None:
    """Load a rule; it must have no mistakes."""
    app = at.hub.app
    mistakes = app.engine.load([Source(text, "rules.yaml", PUBLISHER)], app.catalogue())
    assert mistakes == [], mistakes


async def counted(at: Desk, count: int) -> None:
    """So often, and not once more."""
    await at.forward(lambda: int(at.state(VISITS)) >= count, 0.01)
    await turns()
    assert at.state(VISITS) == str(count)


@pytest.mark.parametrize(
    "condition",
    [
        "{condition: state, entity_id: input_boolean.night_mode, state: 'on'}",
        "{condition: numeric_state, entity_id: input_number.level, above: input_number.limit}",
        "{condition: template, value_template: \"{{ states('input_number.level')|float > 5 }}\"}",
        "{condition: state, entity_id: input_select.mode, state: เทศกาล}",
        "{condition: state, entity_id: input_text.note, state: input_select.mode}",
        "{condition: template, value_template: \"{{ is_state('timer.quiet', 'active') }}\"}",
        "{condition: template, value_template: \"{{ state_attr('input_datetime.wake', 'hour') == 22 }}\"}",
        "{condition: time, after: input_datetime.hour}",
    ],
)
async def test_a_condition_reads_a_helper(condition: str) -> None:
    hours = {"wake": {"has_date": True, "has_time": True}, "hour": {"has_time": True, "initial": "23:00"}}
    async with desk(None, **SEVERAL, input_datetime=hours) as at:
        load(at, counting("[{trigger: state, entity_id: input_select.mode, to: [ปกติ, เทศกาล]}]", f"[{condition}]"))
        for option in ("เทศกาล", "ปกติ"):
            await at.do("input_select.select_option", "input_select.mode", option=option)
        holds = "input_select.mode, state: เทศกาล" in condition  # true at once, once
        await turns()
        assert at.state(VISITS) == ("1" if holds else "0")
        for action, target, params in (
            ("input_boolean.turn_on", NIGHT, {}), ("input_number.set_value", LEVEL, {"value": 5.5}),
            ("input_text.set_value", "input_text.note", {"value": "เทศกาล"}), ("timer.start", QUIET, {}),
            ("input_datetime.set_datetime", WAKE, {"time": "22:00"}),
            ("input_datetime.set_datetime", "input_datetime.hour", {"time": "05:00"}),
        ):  # fmt: skip
            assert await at.do(action, target, **params) == "done"
        await at.do("input_select.select_option", "input_select.mode", option="เทศกาล")
        await counted(at, 2 if holds else 1)


async def test_a_numeric_trigger_against_a_bound_that_moves() -> None:
    async with desk(None, **SEVERAL) as at:
        load(at, counting("[{trigger: numeric_state, entity_id: input_number.level, above: input_number.limit}]"))
        await at.do("input_number.set_value", LEVEL, value=5)
        await turns()
        assert at.state(VISITS) == "0"
        await at.do("input_number.set_value", LEVEL, value=6)
        await counted(at, 1)
        await at.do("input_number.set_value", "input_number.limit", value=8)
        await at.do("input_number.set_value", LEVEL, value=7)
        await at.do("input_number.set_value", LEVEL, value=9)
        await counted(at, 2)


async def test_a_time_trigger_follows_the_helper() -> None:
    async with desk(input_datetime={"hour": {"has_time": True, "initial": "22:00"}, "wake": {
        "has_date": True, "has_time": True, "initial": "2026-11-25 04:00:00"}}) as at:  # fmt: skip
        load(at, counting("[{trigger: time, at: [input_datetime.hour, input_datetime.wake]}]"))
        await at.do("input_datetime.set_datetime", "input_datetime.hour", time="06:00")
        await at.to("05:59:59")
        assert at.state(VISITS) == "0"
        await at.to("06:00:00")
        await counted(at, 1)
        await at.to("22:00:00")  # what it said before
        await at.to("2026-11-24 06:00:00")  # each day
        await counted(at, 2)
        await at.to("2026-11-25 03:59:59")
        await counted(at, 2)
        await at.to("2026-11-25 04:00:00")
        await counted(at, 3)


@pytest.mark.parametrize("name", ["timer.finished", "timer_finished", "{{ 'timer.' ~ 'finished' }}"])
async def test_a_timer_s_end_by_either_name(name: str) -> None:
    async with desk(timer={"quiet": {"duration": 60}, "other": {"duration": 30}}) as at:
        load(at, counting(f'[{{trigger: event, event_type: "{name}", event_data: {{entity_id: timer.quiet}}}}]'))
        for timer in ("quiet", "other"):
            await at.do("timer.start", f"timer.{timer}")
        at.clock.advance(60)
        await counted(at, 1)
        assert len(at.hub.events("timer_finished")) == 2


async def test_every_event_of_a_timer_has_its_name_in_home_assistant() -> None:
    async with desk() as at:
        names = ", ".join(f"timer.{name}" for name in ("started", "restarted", "paused", "changed", "cancelled"))
        load(at, counting(f"[{{trigger: event, event_type: [{names}]}}]"))
        for verb in ("start", "pause", "start", "cancel"):
            await at.do(f"timer.{verb}", QUIET)
        await at.do("timer.start", QUIET)
        await at.do("timer.change", QUIET, duration=-1)
        await counted(at, 6)


async def test_a_rule_that_uses_them_all_and_waits_for_the_timer() -> None:
    rule = """
- id: night
  triggers: [{trigger: state, entity_id: schedule.market, to: "on"}]
  actions:
    - {action: input_boolean.toggle, target: {entity_id: input_boolean.night_mode}}
    - action: input_number.set_value
      target: {entity_id: input_number.level}
      data: {value: "{{ states('input_number.level')|float + 2.5 }}"}
    - {action: input_select.select_next, target: {entity_id: input_select.mode}}
    - {action: input_text.set_value, target: {entity_id: input_text.note}, data: {value: "{{ 'open' }}"}}
    - action: input_datetime.set_datetime
      target: {entity_id: input_datetime.wake}
      data: {datetime: "{{ now().strftime('%Y-%m-%d %H:%M:%S') }}"}
    - {action: timer.start, target: {entity_id: timer.quiet}, data: {duration: {minutes: "{{ 1 + 1 }}"}}}
    - wait_for_trigger: [{trigger: event, event_type: timer.finished, event_data: {entity_id: timer.quiet}}]
    - {action: counter.set_value, target: {entity_id: counter.visits}, data: {value: 9}}
"""
    async with desk() as at:
        load(at, rule)
        await at.to("06:00:00")
        await at.forward(lambda: at.state(QUIET) == "active", 0.01)
        assert [at.state(name) for name in (NIGHT, LEVEL, "input_select.mode", "input_text.note", WAKE)] == [
            "on", "2.5", "เทศกาล", "open", "2026-11-23 06:00:00",
        ]  # fmt: skip
        assert (at.about(QUIET)["duration"], at.state(VISITS)) == ("0:02:00", "0")
        at.clock.advance(121)
        await counted(at, 9)


async def test_mistakes_in_a_rule_are_named() -> None:
    async with desk() as at:
        for text, words in (
            ("{action: input_boolean.turn_on, target: {entity_id: input_boolean.nigt_mode}}", "there is no entity"),
            ("{action: timer.start, target: {entity_id: counter.visits}}", "counter.visits is no timer"),
            ("{action: input_number.set_value, target: {entity_id: input_number.level}}", "needs the field 'value'"),
            ("{action: counter.increase, target: {entity_id: counter.visits}}", "there is no action"),
        ):
            rule = f"- id: x\n  triggers: [{{trigger: time, at: '06:00'}}]\n  actions: [{text}]\n"
            with pytest.raises(AssertionError, match=words):
                load(at, rule)


CONFIG = """\
zone: {name: {th: ทดสอบ, en: Test}, center: [17.0, 99.8]}
web: {host: 127.0.0.1, port: 0}
plugins:
  - plugin: helpers
    config:
      timer: {quiet: {duration: "00:05:00"}, long: {duration: "02:00:00"}}
      counter: {ended: null}
      schedule: {market: {monday: [{from: "06:00:00", to: "10:00:00"}]}}
automations: !include rules.yaml
"""
RULES = """\
- id: ended
  mode: queued
  triggers:
    - {trigger: event, event_type: timer.finished, event_data: {entity_id: timer.quiet}}
    - {trigger: state, entity_id: schedule.market, to: "on"}
  actions: [{action: counter.increment, target: {entity_id: counter.ended}}]
"""


def zone(folder: Path, text: str = CONFIG) -> Path:
    (folder / "rules.yaml").write_text(RULES)
    (folder / "config.yaml").write_text(text)
    return folder / "config.yaml"


async def test_a_timer_that_ended_while_the_hub_was_down_finishes_when_the_rules_can_hear_it(tmp_path: Path) -> None:
    async with Running(zone(tmp_path), ManualClock(START)) as first:
        for timer in ("quiet", "long"):
            await first.do("timer.start", f"timer.{timer}")
        assert first.states("timer.quiet", "schedule.market") == ["active", "off"]
    late = ManualClock(START + 3_600)  # it is half past six, and nobody was there at six
    async with Running(zone(tmp_path), late) as again:
        await again.until("counter.ended", "2")
        assert again.states("timer.quiet", "timer.long", "schedule.market") == ["idle", "active", "on"]
        finished = again.app.journal.read(Query(type="timer_finished"))
        assert [event.data["finished_at"] for event in finished] == [ends(again, QUIET)]
        late.advance_to(START + 7_300)
        await again.until("timer.long", "idle")


async def test_a_reload_that_changes_the_helpers_costs_no_timer_its_end(tmp_path: Path) -> None:
    config = zone(tmp_path)
    async with Running(config, ManualClock(START)) as at:
        for timer in ("quiet", "long"):
            await at.do("timer.start", f"timer.{timer}")
        less = CONFIG.replace(', long: {duration: "02:00:00"}', ", new: {duration: 5}").replace("00:05:00", "00:09:00")
        zone(tmp_path, less)
        await at.app.reload()
        assert at.states("timer.quiet", "timer.long", "timer.new") == ["active", "none", "idle"]
        await at.until("counter.ended", "1")
        (finished,) = at.app.journal.read(Query(type="timer_finished"))
        assert (finished.entity, finished.data["duration"]) == ("timer.quiet", "0:09:00")
        assert finished.data["finished_at"] == ends(at, QUIET)  # as it was promised when it was started


def ends(at: Running, timer: str) -> str:
    """When it was said to end as it was started."""
    (started,) = at.app.journal.read(Query(type="timer_started", entity=timer))
    return str(started.data["finishes_at"])


class Running:
    """A whole hub over a journal on disk."""

    def __init__(self, config: Path, clock: ManualClock) -> None:
        self.app, self.clock = App(Options(config, config.parent / "data", port=0), clock=clock), clock

    async def __aenter__(self) -> Running:
        """Start it; the clock goes on meanwhile, as clocks do."""
        starting = asyncio.create_task(self.app.start())
        while not starting.done():
            self.clock.advance(0.01)
            await asyncio.sleep(0)
        await starting
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.app.stop()

    async def do(self, action: str, target: str) -> None:
        outcome = await self.app.actions.call(Request(action, {}, Harness.person(), target))
        assert outcome.status == "done", outcome

    def states(self, *names: str) -> list[str]:
        return [held.state if (held := self.app.pipeline.state.get(name)) else "none" for name in names]

    async def until(self, name: str, state: str) -> None:
        async with asyncio.timeout(10):
            while self.states(name) != [state]:
                self.clock.advance(0.1)
                await asyncio.sleep(0.001)
