"""Waits, loops, branches, scripts: steps that need more than one turn, and what they tell."""

from __future__ import annotations

from typing import Any

import pytest

from hub.automation import Source
from tests.automation.zone import OFFICER, Zone


def tell(text: str) -> str:
    return f"{{action: notify.tell, data: {{to: x, text: \"{text}\"}}}}"


async def zone_of(steps: str, more: str = "") -> Zone:
    head = "- id: a\n  mode: parallel\n  triggers: {trigger: event, event_type: go}\n  actions:\n"
    return await Zone().start(head + steps + more)


async def test_wait_for_trigger_says_what_came_and_what_time_was_left() -> None:
    zone = await zone_of(f"""
    - wait_for_trigger: [{{trigger: state, id: lamp, entity_id: light.a, to: 'on'}}]
      timeout: {{minutes: 1}}
    - {tell("{{ wait.trigger.id if wait.trigger else 'late' }} {{ wait.remaining | round(0) }}")}
""")  # fmt: skip
    zone.fire("go")
    await zone.after(20)
    zone.set("light.a", "on")
    await zone.idle()
    zone.fire("go")
    await zone.after(61)
    assert zone.told() == ["lamp 40", "late 0"]


async def test_wait_template_goes_on_at_once_when_it_is_true_and_may_end_the_run() -> None:
    zone = await zone_of(f"""
    - wait_template: "{{{{ is_state('light.a', 'on') }}}}"
      timeout: 30
      continue_on_timeout: false
    - {tell("{{ wait.completed }}")}
""")  # fmt: skip
    zone.fire("go")
    await zone.after(31)
    assert (zone.told(), zone.trace("a")["status"]) == ([], "aborted")
    zone.set("light.a", "on")
    zone.fire("go")
    await zone.idle()
    assert zone.told() == ["True"]


async def test_a_wait_survives_a_restart() -> None:
    steps = f"""
    - wait_for_trigger: [{{trigger: state, entity_id: light.a, to: 'on', for: 5}}]
      timeout: 60
    - {tell("{{ 'came' if wait.trigger else 'late' }}")}
"""
    zone = await zone_of(steps)
    text = zone.engine._entries["a"].automation
    zone.fire("go")
    await zone.after(10)
    source = f"- id: a\n  mode: parallel\n  triggers: {{trigger: event, event_type: go}}\n  actions:\n{steps}"
    other = await zone.restart(source)
    assert other.engine._entries["a"].automation.hash == text.hash
    other.set("light.a", "on")
    await other.after(4)
    again = await other.restart(source)  # while the "for" runs
    await again.after(2)
    assert again.told() == ["came"]


@pytest.mark.parametrize(
    ("loop", "told"),
    [
        ("count: 3", ["1 True False", "2 False False", "3 False True"]),
        ("count: \"{{ 1 + 1 }}\"", ["1 True False", "2 False True"]),
        ("for_each: [x, y]", ["1 True False x", "2 False True y"]),
        ("while: \"{{ repeat.index < 3 }}\"", ["1 True ", "2 False "]),
        ("until: \"{{ repeat.index == 2 }}\"", ["1 True ", "2 False "]),
        ("count: 0", []),
    ],
)
async def test_repeat(loop: str, told: list[str]) -> None:
    words = "{{ repeat.index }} {{ repeat.first }} {{ repeat.last }} {{ repeat.item }}"
    zone = await zone_of(f"""
    - repeat:
        {loop}
        sequence:
          - delay: 1
          - {tell(words)}
""")  # fmt: skip
    zone.fire("go")
    for _ in range(8):
        await zone.after(1)
    assert [line.strip() for line in zone.told()] == [line.strip() for line in told]


async def test_parallel_branches_run_side_by_side_and_are_joined() -> None:
    zone = await zone_of(f"""
    - parallel:
        - sequence: [{{delay: 5}}, {tell("five")}]
        - [{{delay: 3}}, {tell("three")}]
        - {tell("now")}
    - {tell("after")}
""")  # fmt: skip
    zone.fire("go")
    await zone.idle()
    assert zone.told() == ["now"]
    await zone.after(3)
    assert zone.told() == ["now", "three"]
    await zone.after(2)
    assert zone.told() == ["now", "three", "five", "after"]


async def test_a_branch_that_fails_fails_the_run_when_all_have_ended() -> None:
    zone = await zone_of(f"""
    - parallel:
        - {{action: light.turn_on, target: {{entity_id: light.a}}, data: {{brightness: "{{{{ 'x' }}}}"}}}}
        - [{{delay: 3}}, {tell("still done")}]
    - {tell("never")}
""")  # fmt: skip
    zone.fire("go")
    await zone.after(3)
    assert zone.told() == ["still done"]
    assert zone.trace("a")["status"] == "failed"
    assert "brightness" in str(zone.trace("a")["error"])


SCRIPTS = """
script:
  greet:
    fields: {who: {default: all}}
    sequence:
      - delay: 2
      - {action: notify.tell, data: {to: x, text: "hello {{ who }}"}}
      - variables: {answer: {said: "{{ who }}"}}
      - {stop: done, response_variable: answer}
  again:
    mode: restart
    sequence: [{action: script.again}]
automation:
  - id: a
    triggers: {trigger: event, event_type: go}
    actions:
      - {action: script.greet, data: {who: you}, response_variable: got}
      - {action: notify.tell, data: {to: x, text: "said {{ got.said }}"}}
      - {action: script.turn_on, target: {entity_id: script.greet}}
      - {action: notify.tell, data: {to: x, text: "on {{ is_state('script.greet', 'on') }}"}}
  - id: b
    triggers: {trigger: event, event_type: round}
    actions: [{action: script.again}]
"""


async def test_scripts_are_called_waited_for_and_answer() -> None:
    zone = await Zone().start(SCRIPTS)
    zone.fire("go")
    await zone.after(2)
    assert zone.told() == ["hello you", "said you", "on True"]
    await zone.after(2)
    assert zone.told()[3:] == ["hello all"]
    assert zone.trace("script.greet")["status"] == "stopped"


async def test_a_called_script_survives_a_restart_and_its_caller_hears_of_it() -> None:
    zone = await Zone().start(SCRIPTS)
    zone.fire("go")
    await zone.after(1)
    other = await zone.restart(SCRIPTS)
    await other.after(1)
    assert other.told()[:2] == ["hello you", "said you"]


async def test_a_script_that_restarts_itself_is_stopped_with_words() -> None:
    zone = await Zone().start(SCRIPTS)
    zone.fire("round")
    await zone.idle()
    assert "calls itself" in str(zone.trace("script.again")["error"])


async def test_automations_switch_and_trigger_each_other() -> None:
    zone = await Zone().start("""
- id: a
  alias: First rule
  triggers: {trigger: event, event_type: go}
  conditions: "{{ false }}"
  actions: [{action: notify.tell, data: {to: x, text: a}}]
- id: b
  triggers: {trigger: event, event_type: push}
  actions:
    - {action: automation.trigger, target: {entity_id: automation.first_rule}}
    - {action: automation.turn_off, target: {entity_id: automation.a}}
    - {action: notify.tell, data: {to: x, text: "{{ states('automation.a') }}"}}
""")
    zone.fire("push")
    await zone.idle()
    assert zone.told() == ["a", "off"]
    assert [row["enabled"] for row in zone.engine.list()] == [False, True]


async def test_escalation_goes_to_the_next_until_somebody_acknowledges() -> None:
    steps = f"""
    - escalate:
        - {{sequence: [{tell("first")}], within: 60}}
        - {{sequence: [{tell("second")}], within: 60}}
        - {{sequence: [{tell("third")}], within: 60}}
      until: "{{{{ is_state('light.a', 'on') }}}}"
    - {tell("over")}
"""
    zone = await zone_of(steps)
    zone.fire("go")
    await zone.idle()
    await zone.after(61)
    assert zone.told() == ["first", "second"]
    zone.set("light.a", "on")
    await zone.idle()
    assert zone.told() == ["first", "second", "over"]


@pytest.mark.parametrize(
    ("policy", "told", "status"),
    [("resume", ["late"], "finished"), ("expire", [], "failed"), ("{run_late_within: 60}", [], "failed"),
     ("{run_late_within: 600}", ["late"], "finished")],
)  # fmt: skip
async def test_what_becomes_of_a_deadline_that_passed_while_the_hub_was_down(
    policy: str, told: list[str], status: str
) -> None:
    text = (
        "- id: a\n  triggers: {trigger: event, event_type: go}\n"
        f"  on_restart: {policy}\n  actions: [{{delay: 10}}, {tell('late')}]\n"
    )
    zone = await Zone().start(text)
    zone.fire("go")
    await zone.idle()
    other = await zone.restart(text, down=300)
    await other.idle()
    assert (other.told(), other.trace("a")["status"]) == (told, status)


async def test_shadow_notes_and_does_nothing() -> None:
    zone = await zone_of(f"    - {tell('x')}\n    - {{event: made_up, event_data: {{a: 1}}}}\n")
    zone.engine.set_shadow("a", True)
    zone.fire("go")
    await zone.idle()
    trace: dict[str, Any] = zone.trace("a")
    assert (zone.told(), trace["shadow"], zone.events("made_up")) == ([], True, [])
    assert [line["detail"].get("action") or line["detail"].get("event") for line in trace["steps"]] == [
        "notify.tell", "made_up"
    ]  # fmt: skip
    other = await zone.restart("")  # the decision is durable
    other.engine.load([Source("- {id: a, triggers: {trigger: event, event_type: go}, actions: []}", "a.yaml", OFFICER)])
    assert other.engine.list()[0]["shadow"] is True


async def test_a_rule_waits_for_a_plugin_that_is_still_starting() -> None:
    zone = Zone()
    late = zone.specs.pop("notify.tell")
    zone.actions._specs.pop("notify.tell")
    zone.engine._host.expected = lambda name: name == "notify.tell"  # type: ignore[method-assign]
    tell = "{action: notify.tell, data: {to: x, text: hi}}"
    rule = f"- {{id: a, triggers: {{trigger: event, event_type: go}}, actions: {tell}}}"
    await zone.pipeline.start()
    zone.engine.load([Source(rule, "a.yaml", OFFICER)])
    zone.engine.resume()
    zone.fire("go")
    await zone.after(5)
    assert (zone.told(), [row[1]["strands"][0]["status"] for row in zone.runs()]) == ([], ["waiting"])
    zone.actions.declare({"notify.tell": late})
    zone.actions.provide(late, zone._execute)
    await zone.after(2)
    assert zone.told() == ["hi"]
    zone.actions._specs.pop("notify.tell")
    zone.fire("go")
    for _ in range(130):
        await zone.after(1)
    assert zone.trace("a")["error"] == "action/0: notify.tell: no action 'notify.tell' (see docs/reference/actions.md)"
    assert zone.runs() == []
