"""Values of a run in tagged JSON, and fields that are filled in."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest

from hub.automation.execution.values import NotKeepable, filled, from_json, to_json, truth
from hub.automation.templates.template import Templates
from hub.automation.templates.views import EventView, StateView, World
from hub.core.clock import ManualClock
from hub.core.event import Event, EventTypes
from hub.core.state import EntityState, State

EVENT = EventView(Event(4, "e4", "go", 1.0, 2.0, "light.a", "user:x", {"$set": [1]}), UTC)
STATE = StateView(EntityState("light.a", "on", {"lat": 17.0}, 1.0, 2.0, 3, {"lat": "position"}), UTC)


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (datetime(2024, 2, 3, 4, tzinfo=UTC), {"$datetime": "2024-02-03T04:00:00+00:00"}),
        (date(2024, 2, 3), {"$date": "2024-02-03"}),
        (time(4, 5), {"$time": "04:05:00"}),
        (timedelta(minutes=1), {"$seconds": 60.0}),
        ((1, "a"), {"$tuple": [1, "a"]}),
        ({2}, {"$set": [2]}),
        ({1: {"$x": None}}, {"$dict": [[1, {"$dict": [["$x", None]]}]]}),
        ([{"a": [True, 1.5]}], [{"a": [True, 1.5]}]),
    ],
)
def test_tagged_json_there_and_back(value: Any, kept: Any) -> None:
    assert to_json(value) == kept
    assert from_json(kept, UTC) == value


def test_events_and_states_there_and_back() -> None:
    assert from_json(to_json(EVENT), UTC).raw == EVENT.raw
    again = from_json(to_json(STATE), UTC).raw
    assert (again, again.personal) == (STATE.raw, {"lat": "position"})


@pytest.mark.parametrize("value", [object(), [object()], {"a": b"x"}, list(range(30_000))])
def test_what_has_no_such_form_is_refused(value: Any) -> None:
    with pytest.raises(NotKeepable):
        to_json(value)


def test_text_fields_are_filled_as_text_and_none_stays_none() -> None:
    compiled = Templates(World(State(EventTypes()), ManualClock(), UTC)).compile
    data = {
        "a": compiled("{{ x }}"),
        "b": compiled("{{ x }}"),
        "c": compiled("{{ none }}"),
        "d": [compiled("{{ 1.50 }}")],
    }
    assert filled(data, {"x": "007"}, {"a", "c"}) == {"a": "007", "b": "007", "c": None, "d": [1.5]}
    assert filled({"a": compiled("{{ x }}"), "b": compiled("{{ x }}")}, {"x": "12"}, {"a"}) == {"a": "12", "b": 12}


def test_truth_has_home_assistants_words() -> None:
    assert [truth(value) for value in ("True", "on", "1", "yes", 2, "off", "", "maybe", 0, None)] == [True] * 5 + [
        False
    ] * 5
