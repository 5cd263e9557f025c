"""What a replay reads for a rule: in whatever form the rule names it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from hub.automation.entry import scripts_of
from hub.automation.heard import Heard
from hub.automation.language.blueprint import no_blueprints
from hub.automation.replay import Replay
from hub.automation.templates.named import named_in
from hub.core.clock import ManualClock
from hub.core.event import Event, EventTypes
from hub.core.system import SYSTEM_TYPES
from hub.store.journal_sqlite import SqliteJournal
from hub.store.keys import KeyRing
from tests.automation.test_replay import HOUR, START, WHO, fact
from tests.automation.zone import BANGKOK, TELL, PlateRead, Zone

LAMP = [fact(1, START - 10, "state_changed", "light.a", state="off", attributes={}),
        fact(2, START + 10, "state_changed", "light.a", state="on", attributes={}),
        fact(3, START + 20, "timer_finished", "timer.a", entity_id="timer.a")]  # fmt: skip
SCRIPTS = """
script:
  hello:
    sequence:
      - {action: notify.tell, data: {to: x, text: hello}}
      - {action: script.again}
      - {condition: state, entity_id: light.b, state: "on"}
  again: {sequence: [{action: scene.turn_on, target: {entity_id: scene.night}}]}
  other: {sequence: [{variables: {n: "{{ states | list | count }}"}}]}
scene:
  - {id: night, name: Night, entities: {light.b: "off"}}
"""
Run = Callable[..., dict[str, Any]]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    types = EventTypes((*SYSTEM_TYPES, PlateRead.type))
    journal = SqliteJournal(tmp_path / "journal.db", types, KeyRing(b"k" * 32), ManualClock(START))

    def replay(text: str, events: Iterable[Event] = LAMP, **more: Any) -> dict[str, Any]:
        journal.commit(list(events), [])
        made = Replay(
            journal, types, BANGKOK, (17.0, 99.8), no_blueprints, action={"notify.tell": TELL}.get,
            check=lambda actor, right, entity: None, **more,
        )  # fmt: skip
        return made.run(text, START, START + HOUR, WHO)

    return replay


@pytest.mark.parametrize(
    ("template", "entities", "opened"),
    [
        ("{{ states.light.a.state }}", {"light.a"}, False), ("{{ states.light['a'].state }}", {"light.a"}, False),
        ("{{ states['light.a'].state }}", {"light.a"}, False), ("{{ states('Light.A') }}", {"light.a"}, False),
        ("{{ states.Light.A.state }}", {"light.a"}, False), ("{{ 'light.a' | states }}", {"light.a"}, False),
        ("{{ 'light.a' is is_state('on') }}", {"light.a"}, False),
        ("{{ states(entity='light.a') }}", {"light.a"}, False),
        ("{{ is_state('light.' ~ 'a', 'on') }}", set(), True), ("{{ states('light.' + x) }}", set(), True),
        ("{{ states['light.' ~ x] }}", set(), True), ("{{ states.light[x].state }}", set(), True),
        ("{{ x | states }}", set(), True), ("{{ x is has_value }}", set(), True),
        ("{% set s = states %}{{ s }}", set(), True), ("{{ ['light.a'] | map('states') | list }}", set(), True),
        ("{{ x | select('is_state', 'on') | list }}", set(), True),
        ("{{ x | expand }}", set(), True), ("{{ areas() }}", set(), True), ("{{ states.light | list }}", set(), True),
        ("{{ closest('light.a', x) }}", set(), True), ("{{ now().hour }}", set(), False), ("{{ states(", set(), True),
        ("{{ state_attr('sun.sun', 'x') ~ states('light.b') }}", {"sun.sun", "light.b"}, False),
    ],
)  # fmt: skip
def test_what_a_template_names(template: str, entities: set[str], opened: bool) -> None:
    named = named_in(template)
    assert (set(named.entities), named.open) == (entities, opened)


@pytest.mark.parametrize(
    "template",
    ["states.light.a.state == 'on'", "states.light['a'].state == 'on'", "states['light.a'].state == 'on'",
     "is_state('light.' ~ 'a', 'on')", "is_state('Light.A', 'on')", "('light.a' | states) == 'on'"],
)  # fmt: skip
def test_a_template_is_replayed_in_whatever_form_it_names_an_entity(template: str, run: Run) -> None:
    answer = run(f'- {{id: t, triggers: {{trigger: template, value_template: "{{{{ {template} }}}}"}}, actions: []}}')
    assert [row["at"] - START for row in answer["fired"]] == [10]


@pytest.mark.parametrize(
    ("trigger", "at"),
    [
        ("{trigger: event, event_type: timer.finished}", 20), ("{trigger: event, event_type: timer_finished}", 20),
        ("{trigger: state, entity_id: Light.A, to: 'on'}", 10),
        ("{trigger: state, entity_id: [light.zz, LIGHT.a], to: 'on'}", 10),
    ],
)  # fmt: skip
def test_home_assistants_names_are_heard(trigger: str, at: float, run: Run) -> None:
    answer = run(f"- {{id: t, triggers: {trigger}, actions: []}}")
    assert [row["at"] - START for row in answer["fired"]] == [at]


def test_what_is_named_in_capitals_is_one_entity_to_the_live_rule_too() -> None:
    class Made:
        tree = {"conditions": ["{{ is_state('Light.A', 'on') }}"], "triggers": {"event_type": "timer.finished"}}

    heard = Heard.of([Made()])  # type: ignore[list-item] # only the tree is looked at
    assert ("light.a" in heard.entities, set(heard.types), heard.everything) == (True, {"timer_finished"}, False)


async def test_a_rule_hears_an_entity_that_it_writes_in_capitals() -> None:
    zone = await Zone().start(
        "- id: t\n  triggers: {trigger: template, value_template: \"{{ is_state('Light.A', 'on') }}\"}\n"
        "  actions: [{action: light.turn_on, target: {entity_id: LIGHT.b}}]\n"
    )
    zone.set("light.a", "on")
    await zone.idle()
    assert [(name, target) for name, target, _ in zone.calls] == [("light.turn_on", "light.b")]


async def test_scripts_that_work_now_run_in_the_replay(run: Run) -> None:
    zone = await Zone().start(SCRIPTS)
    scripts = scripts_of(zone.engine.all_entries())
    assert sorted(scripts) == ["scene.night", "script.again", "script.hello", "script.other"]
    rule = "- {id: t, triggers: {trigger: state, entity_id: light.a, to: 'on'}, actions: [{action: script.hello}]}"
    answer = run(rule, scripts=lambda: scripts_of(zone.engine.all_entries()))
    called = "action/0: script.hello: action/1: script.again: action/0: scene.night: action/0: light.turn_off: "
    assert [(row["automation"], row["status"], row["error"]) for row in answer["fired"]] == [
        ("t", "failed", called + "there is no action light.turn_off")
    ]
    assert answer["events"] == 1  # what nobody calls is not read for
    answer = run(rule.replace("script.hello", "script.other"), [], scripts=lambda: {**scripts})
    assert [(row["automation"], row["status"], row["error"]) for row in answer["fired"]] == [("t", "finished", None)]
    assert "there is no action script.hello" in run(rule, [])["fired"][0]["error"]


async def test_a_script_of_the_draft_stands_before_the_one_that_works_now(run: Run) -> None:
    zone = await Zone().start(SCRIPTS)
    text = """
automation:
- {id: t, triggers: {trigger: state, entity_id: light.a, to: 'on'}, actions: [{action: "script.{{ 'hello' }}"}]}
script:
  hello: {sequence: [{action: notify.tell, data: {to: x}}]}
"""
    answer = run(text, scripts=lambda: scripts_of(zone.engine.all_entries()))
    assert sorted((row["automation"], row["status"]) for row in answer["fired"]) == [
        ("script.hello", "finished"), ("t", "finished"),
    ]  # fmt: skip
    assert answer["events"] == 2  # any script may be called, and `other` reads everything
