"""What a draft would have done, over a real journal."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hub.automation import replay as module
from hub.automation import replay_answer
from hub.automation.heard import Heard
from hub.automation.language.blueprint import no_blueprints
from hub.automation.replay import Replay
from hub.core.access import Actor
from hub.core.clock import ManualClock
from hub.core.error import ConfigError, Denied, InvalidInput
from hub.core.event import Event, EventTypes
from hub.core.system import SYSTEM_TYPES
from hub.store.journal_sqlite import SqliteJournal
from hub.store.keys import KeyRing
from tests.automation.zone import BANGKOK, TELL, PlateRead

START = 1_700_000_000.0
HOUR = 3600.0
WHO = Actor("user:somchai", grants=frozenset({"*"}), person=True)
RULE = """
- id: night_plate
  triggers: {trigger: event, event_type: plate_read, event_data: {province: สุโขทัย}}
  conditions:
    - {condition: state, entity_id: light.a, state: "on"}
    - "{{ trigger.event.data.confidence > 0.5 }}"
  actions:
    - {action: notify.tell, data: {to: desk, text: "{{ trigger.event.data.plate }}"}}
    - delay: 120
    - {action: notify.tell, data: {to: patrol, text: late}}
  mode: parallel
"""


def fact(seq: int, at: float, kind: str, entity: str | None = None, source: str = "instance:x", **data: Any) -> Event:
    return Event(seq, f"e{seq}", kind, at, at, entity, source, data)


def story() -> list[Event]:
    """The lamp is on from the second to the fourth hour; a plate every half hour."""
    made = [fact(1, START - HOUR, "state_changed", "light.a", state="off", attributes={})]
    plates = [(START + n * HOUR / 2, "สุโขทัย" if n % 2 else "ตาก", 0.9 if n % 3 else 0.2) for n in range(12)]
    moments = [*((at, "plate", province, sure) for at, province, sure in plates),
               (START + HOUR, "lamp", "on", 0.0), (START + 4 * HOUR - 1, "lamp", "off", 0.0)]  # fmt: skip
    for at, what, word, sure in sorted(moments, key=lambda row: (row[0], row[1])):
        seq = len(made) + 1
        if what == "lamp":
            made.append(fact(seq, at, "state_changed", "light.a", state=word, attributes={}))
        else:
            data: dict[str, Any] = {"plate": f"กก{seq}", "province": word, "confidence": sure}
            made.append(fact(seq, at, "plate_read", "camera.x", **data))
    return made


@pytest.fixture
def replay(tmp_path: Path) -> Callable[..., Replay]:
    types = EventTypes((*SYSTEM_TYPES, PlateRead.type))
    clock = ManualClock(START)
    journal = SqliteJournal(tmp_path / "journal.db", types, KeyRing(b"k" * 32), clock)

    def made(events: list[Event], live: Callable[[str], str | None] = lambda _id: None) -> Replay:
        journal.commit(events, [])
        return Replay(
            journal, types, BANGKOK, (17.0, 99.8), no_blueprints, action={"notify.tell": TELL}.get,
            check=lambda actor, right, entity: None, live=live,
        )  # fmt: skip

    return made


def test_it_tells_how_often_when_and_why_not(replay: Callable[..., Replay]) -> None:
    answer = replay(story()).run(RULE, START, START + 6 * HOUR, WHO)
    assert [(row["at"] - START) / HOUR for row in answer["fired"]] == [2.5, 3.5]
    assert [action["action"] for action in answer["fired"][0]["actions"]] == ["notify.tell", "notify.tell"]
    assert (answer["total"], answer["alarms"], answer["budget_per_hour"]) == (2, 0, 12.0)
    near = [((row["at"] - START) / HOUR, row["path"], row["why"].get("state")) for row in answer["near"]]
    assert near == [
        (0.5, "condition/0", "off"), (1.5, "condition/1", None), (4.5, "condition/0", "off"),
        (5.5, "condition/0", "off"),
    ]  # fmt: skip
    assert answer["live"] is None
    assert answer["events"] == 12 + 2


def test_it_says_how_it_differs_from_the_rule_that_works(replay: Callable[..., Replay]) -> None:
    story_ = story()
    own = fact(len(story_) + 1, START + 5.9 * HOUR, "plate_read", "camera.x", "automation:night_plate",
               plate="own", province="สุโขทัย", confidence=1.0)  # fmt: skip
    draft = RULE.replace("    - {condition: state, entity_id: light.a, state: \"on\"}\n", "")
    answer = replay([*story_, own], live=lambda name: RULE).run(draft, START, START + 6 * HOUR, WHO)
    assert (answer["total"], answer["live"]["total"]) == (4, 2)  # what the rule itself brought about is no trigger
    assert (answer["live"]["only_draft"], answer["live"]["only_live"]) == (2, 0)
    assert {row["side"] for row in answer["live"]["differences"]} == {"draft"}


def test_a_run_that_waits_at_the_end_of_the_span_has_fired_too(replay: Callable[..., Replay]) -> None:
    waits = "- {id: w, triggers: {trigger: event, event_type: plate_read}, actions: [{delay: 60}, {action: x.y}]}"
    read = fact(1, START + 10, "plate_read", "camera.x", plate="x", province="", confidence=1.0)
    answer = replay([read]).run(waits, START, START + 30, WHO)
    assert (answer["total"], [(one["status"], one["seq"]) for one in answer["fired"]]) == (1, [("waiting", 1)])


def test_mistakes_and_spans_are_refused(replay: Callable[..., Replay]) -> None:
    made = replay(story())
    with pytest.raises(ConfigError) as wrong:
        made.run(RULE.replace("conditions", "conditons"), START, START + HOUR, WHO)
    assert [(one.line, one.column) for one in wrong.value.mistakes] == [(4, 3)]
    for span in ((START, START), (START, START + 93 * 86_400)):
        with pytest.raises(InvalidInput, match="at most 92 days"):
            made.run(RULE, *span, WHO)


@pytest.mark.parametrize(
    ("template", "everything"),
    [
        ("{{ is_state('light.a', 'on') }}", False), ("{{ states.light | list | count }}", True),
        ("{{ states(trigger.entity_id) }}", True), ("{{ expand('group.x') }}", True), ("{{ now().hour > 5 }}", False),
        ("{% for s in states %}{{ s }}{% endfor %}", True), ("{{ states.light.a.state }}", False),
    ],
)
def test_what_is_read_is_known_from_the_text(template: str, everything: bool) -> None:
    class Made:
        tree = {"triggers": {"trigger": "event", "event_type": ["go", "come"]}, "conditions": [template]}

    found = Heard.of([Made()])  # type: ignore[list-item] # only the tree is looked at
    assert (found.types, found.everything) == (frozenset({"go", "come"}), everything)


def test_a_week_of_a_million_events(replay: Callable[..., Replay]) -> None:
    """The same answer when most of the journal is none of its business."""
    noise = [fact(n, START + n * 0.02, "state_changed", f"sensor.s{n % 50}", state=str(n), attributes={})
             for n in range(1, 20_001)]  # fmt: skip
    plates = [fact(20_000 + n, START + 400 + n, "plate_read", "camera.x", plate=f"x{n}", province="สุโขทัย",
                   confidence=1.0) for n in range(1, 51)]  # fmt: skip
    lamp = fact(20_051, START + 451, "state_changed", "light.a", state="on", attributes={})
    answer = replay([*noise, *plates, lamp]).run(RULE, START, START + HOUR, WHO)
    assert (answer["total"], answer["events"], len(answer["near"])) == (0, 51, 50)


def test_a_near_miss_tells_no_plate(replay: Callable[..., Replay]) -> None:
    rule = (
        "- {id: near, triggers: {trigger: event, event_type: plate_read}, variables: {seen: "
        "'{{ trigger.event.data.plate }}'}, conditions: {condition: state, entity_id: light.a, state: '{{ seen }}'},"
        " actions: {action: notify.tell}}"
    )
    lamp = fact(1, START + 1, "state_changed", "light.a", state="1กข1234", attributes={})
    read = fact(2, START + 10, "plate_read", "camera.x", plate="1กข1234", province="", confidence=1.0)
    answer = replay([lamp, read]).run(rule, START, START + 30, WHO)
    assert len(answer["near"]) == 1
    assert "1กข1234" not in str(answer)


def test_whose_data_was_looked_at_is_told_and_needs_clearance(replay: Callable[..., Replay]) -> None:
    made = replay(story())
    answer = made.run(RULE, START, START + 6 * HOUR, WHO)
    assert answer["personal"] == ["plate_read"]
    with pytest.raises(Denied, match="plate_read"):  # when it ran tells when that plate passed
        made.run(RULE, START, START + 6 * HOUR, WHO, cleared=False)
    lamp = "- {id: t, triggers: {trigger: state, entity_id: light.a}, actions: [{event: x}]}"
    answer = made.run(lamp, START, START + 6 * HOUR, WHO, cleared=False)
    assert (answer["total"], answer["personal"]) == (2, [])


EACH_SECOND = "- {id: t, triggers: {trigger: time_pattern, seconds: '*'}, actions: [{event: x}]}"


def test_of_many_runs_the_first_are_kept(replay: Callable[..., Replay], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replay_answer, "MAX_COMPARED", 250)
    answer = replay([story()[0]], live=lambda name: EACH_SECOND).run(EACH_SECOND, START, START + 600, WHO)
    assert (answer["total"], len(answer["fired"])) == (600, 200)
    assert (answer["live"]["total"], answer["live"]["only_draft"], answer["live"]["only_live"]) == (600, 0, 0)


def test_time_without_events_is_bounded_too(replay: Callable[..., Replay], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WITHIN_S", 0.0)
    with pytest.raises(InvalidInput, match="took longer than 0 s"):
        replay([]).run(EACH_SECOND, START, START + 6 * HOUR, WHO)


def test_rules_that_start_themselves_end(replay: Callable[..., Replay]) -> None:
    text = """
- id: t
  mode: parallel
  triggers: [{trigger: state, entity_id: light.a, to: "on"}, {trigger: event, event_type: boom}]
  actions: [{event: boom}]
"""
    answer = replay(story()).run(text, START, START + 6 * HOUR, WHO)
    assert (answer["total"], answer["fired"][0]["status"]) == (9, "failed")  # eight deep, as in the hub
    assert "a chain of 9 events was stopped" in answer["fired"][0]["error"]
