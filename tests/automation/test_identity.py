"""Whose a run, a name and a trace are: also after a restart, and when an automation goes."""

from __future__ import annotations

from typing import Any

from hub.automation import Source
from hub.automation.execution.trace import Notes
from tests.automation.zone import OFFICER, Zone

TWINS = """
script:
  one: {sequence: [{delay: 60}]}
  two: {sequence: [{delay: 60}]}
"""


async def test_two_scripts_of_one_text_keep_their_own_runs_over_a_restart() -> None:
    zone = await Zone().start(TWINS)
    for name in ("script.one", "script.two"):
        assert zone.engine.run_script(name, {}) is not None
    await zone.idle()
    other = await zone.restart(TWINS)
    assert {row["id"]: row["running"] for row in other.engine.list()} == {"script.one": 1, "script.two": 1}
    await other.after(61)
    assert [len(other.engine.traces(name)) for name in ("script.one", "script.two")] == [1, 1]


RULE = """\
- id: {id}
  alias: Night
  triggers: {{trigger: event, event_type: go}}
  conditions: "{{{{ trigger.event.data.n != 1 }}}}"
  actions: [{{action: notify.tell, data: {{to: x, text: "{{{{ 1 // trigger.event.data.n }}}}"}}}}]
"""


def kept(zone: Zone) -> dict[str, list[Any]]:
    """What is held of automations' pasts, in memory and in the journal."""
    reports = zone.engine._runs.reports
    return {
        "traces": sorted(reports.traces), "not_run": sorted(reports.not_run), "errors": sorted(reports.last_error),
        "records": [key.partition("/")[0] for key, _ in zone.journal.records("traces")],
    }  # fmt: skip


def everywhere(ids: list[str]) -> dict[str, list[str]]:
    """The same ids in all of it."""
    return dict.fromkeys(("traces", "not_run", "errors", "records"), ids)


async def ran(*ids: str) -> Zone:
    """A zone whose rules failed once and did not run once each."""
    zone = await Zone().start("".join(RULE.format(id=name) for name in ids))
    for n in (0, 1):
        zone.fire("go", n=n)
    await zone.idle()
    assert kept(zone) == everywhere(sorted(ids))
    return zone


async def test_nothing_is_kept_of_a_rule_that_somebody_removed() -> None:
    zone = await ran("a", "b")
    zone.engine.remove("a")
    await zone.idle()
    assert kept(zone) == everywhere(["b"])


async def test_a_file_that_is_away_for_a_while_takes_no_traces_along() -> None:
    zone = await ran("a")
    assert zone.engine.load([]) == []
    await zone.idle()
    assert kept(zone) == {"traces": ["a"], "not_run": [], "errors": ["a"], "records": ["a"]}
    month = 30 * 86_400
    other = await zone.restart(down=month - 60)
    assert kept(other)["records"] == ["a"]
    again = await other.restart(RULE.format(id="a"), down=120)  # it is back: older traces are kept too
    assert [trace["status"] for trace in again.engine.traces("a")] == ["failed"]
    last = await again.restart()
    assert kept(last) == everywhere([])


async def test_a_late_failure_of_what_was_removed_brings_nothing_back() -> None:
    text = "- {id: a, triggers: {trigger: event, event_type: go}, actions: [{action: notify.tell, data: {to: x}}]}"
    zone = await Zone().start(text)
    reports = zone.engine._runs.reports
    zone.fire("go")
    await zone.idle()
    run = zone.engine._runs.begin(zone.engine._entries["a"].plan, {}, {}, None, Notes(zone.clock))
    await zone.idle()
    old = reports.traces["a"][-1]
    assert run is not None and old["run_id"] == run.id
    zone.engine.remove("a")
    reports.failed_late(run, old, "key", "action/0", "too late")
    await zone.idle()
    assert kept(zone) == everywhere([])


async def test_a_name_that_two_have_stays_with_the_other_when_one_goes() -> None:
    zone = await Zone().start(RULE.format(id="one") + RULE.format(id="two"))
    names = [zone.engine.named("automation.night")]
    zone.engine.remove("two")
    names.append(zone.engine.named("automation.night"))
    renamed = RULE.format(id="one").replace("Night", "Dawn")
    assert zone.engine.load([Source(renamed, "a.yaml", OFFICER)]) == []
    names += [zone.engine.named("automation.night"), zone.engine.named("automation.dawn")]
    zone.engine.remove("one")
    assert [name and name.automation.id for name in names] == ["two", "one", None, "one"]
    assert (zone.engine._names._ids, zone.engine._names._name_of) == ({}, {})
