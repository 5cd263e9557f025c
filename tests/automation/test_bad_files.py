"""What cannot be read is a mistake at its place, of that automation or file alone: all others work."""

from __future__ import annotations

from datetime import UTC
from pathlib import Path

import pytest
import yaml

from hub.automation import Source, check_text
from hub.automation.language import parse
from hub.automation.language.blueprint import folder_blueprints, no_blueprints
from hub.automation.language.parse import Parser
from hub.automation.language.reader import Reader
from hub.automation.language.source import Map, load
from hub.automation.language.steps import Automation
from hub.automation.templates.template import Templates
from hub.automation.templates.views import World
from hub.automation.texts import Texts
from hub.core.clock import ManualClock
from hub.core.error import ConfigError, Mistake
from hub.core.event import EventTypes
from hub.core.state import State
from tests.automation.zone import OFFICER, START, Zone

GOOD = "- id: good\n  triggers: {trigger: event, event_type: x}\n  actions: {event: y}\n"
MINUTES = "- id: a\n  triggers: {trigger: time_pattern, minutes: %s}\n  actions: {event: y}\n"
VARIABLE = "- id: a\n  variables: {x: %s}\n  triggers: {trigger: event, event_type: x}\n  actions: {event: y}\n"
DELAY = "- id: a\n  triggers: {trigger: event, event_type: x}\n  actions: [{delay: %s}]\n"
NO_MINUTES = "'minutes' must be a number below 60, '/5' for every fifth, or '*'"
NO_NUMBER = "this number has more than 40 digits; if it is a name, put it in quotes"
NO_DELAY = "'delay' must be from 0 to less than ten years"
DEEP = f"[&a {'[' * 20}{']' * 20}, {'[' * 30}*a{']' * 31}"
TEXTS = {
    "a blueprint's path that no file can have": (
        f"- id: a\n  use_blueprint: {{path: {'a' * 300}.yaml}}\n", f"2:25 there is no blueprint '{'a' * 300}.yaml'"
    ),
    "digits": (MINUTES % f"'{'9' * 5000}'", f"2:46 {NO_MINUTES}"),
    "a number of too many digits to be read": (MINUTES % ("9" * 5000), "2:46 '999"),
    "a number of too many digits": (VARIABLE % ("9" * 41), f"2:18 {NO_NUMBER}"),
    "a hexadecimal number": (VARIABLE % ("0x" + "f" * 5000), f"2:18 {NO_NUMBER}"),
    "no number": (VARIABLE % "!!int ''", "2:18 '' cannot be read: "),
    "no truth value": (VARIABLE % "!!bool maybe", "2:18 'maybe' cannot be read: 'maybe'"),
    "900 filters": (VARIABLE % f'"{{{{ 1{"|upper" * 900} }}}}"', "2:18 template: nested too deeply"),
    "a template's number": (VARIABLE % f'"{{{{ {"9" * 5000} }}}}"', "2:18 template: Exceeds the limit (4300 digits)"),
    "half a character": ("- id: a\n  alias: x\ud800\n", "2:11 this is no character; save the file as UTF-8"),
    "aliases that go down": (VARIABLE % DEEP, "2:94 nested deeper than 40 levels"),
    "a scene of a list": ("scene: [{id: s, entities: [light.a]}]\n", "1:27 'entities' must be a mapping of fields"),
    "a delay of no number": (DELAY % ".nan", f"3:21 {NO_DELAY}"),
    "a delay without an end": (DELAY % ".inf", f"3:21 {NO_DELAY}"),
    "a delay of a thousand years": (DELAY % "1e300", f"3:21 {NO_DELAY}"),
    "ten years": (DELAY % "{days: 3650}", f"3:21 {NO_DELAY}"),
    "a negative delay": (DELAY % "{minutes: -1}", f"3:21 {NO_DELAY}"),
    "a part that is no number": (DELAY % "{minutes: .nan, seconds: '{{ 1 }}'}", f"3:21 {NO_DELAY}"),
    "an offset": (
        "- id: a\n  triggers: {trigger: sun, event: sunset, offset: .inf}\n  actions: []\n",
        "2:51 'offset' must be less than ten years",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", TEXTS)
async def test_a_text_that_cannot_be_read_harms_no_other(name: str, tmp_path: Path) -> None:
    text, words = TEXTS[name]
    zone = await Zone(blueprints=folder_blueprints(tmp_path)).start("[]")
    (mistake,) = zone.engine.load([Source(text, "bad.yaml", OFFICER), Source(GOOD, "good.yaml", OFFICER)])
    assert f"{mistake.line}:{mistake.column} {mistake.words}".startswith(words)
    assert (mistake.file, [row["id"] for row in zone.engine.list()]) == ("bad.yaml", ["good"])
    assert check_text(text, "bad.yaml", None, folder_blueprints(tmp_path)) == [mistake]


def test_a_delay_of_almost_ten_years_is_one() -> None:
    assert check_text(DELAY % "{days: 3649}", "f.yaml") == []
    assert check_text(DELAY % "{hours: '{{ 1 }}', minutes: -5}", "f.yaml") == []


def test_half_a_character_written_as_an_escape_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.automation.language.source._Loader", yaml.SafeLoader)  # libyaml itself refuses it
    with pytest.raises(ConfigError) as told:
        load('a: "\\ud800"\n', "f.yaml")
    assert told.value.mistakes == [Mistake("f.yaml", 1, 4, "this text holds half a character, which cannot be written")]


async def test_a_blueprint_that_is_no_utf_8_is_told_in_its_own_file(tmp_path: Path) -> None:
    (tmp_path / "b.yaml").write_bytes(b"blueprint:\n  name: caf\xe9\n")
    zone = await Zone(blueprints=folder_blueprints(tmp_path)).start("[]")
    found = zone.engine.load([Source("- id: a\n  use_blueprint: {path: b.yaml}\n" + GOOD, "a.yaml", OFFICER)])
    assert found == [Mistake("b.yaml", 2, 12, "this is no character; save the file as UTF-8")]
    assert [row["id"] for row in zone.engine.list()] == ["good"]


async def test_a_file_that_cannot_be_opened_leaves_what_it_held_at_work() -> None:
    zone = await Zone().start(GOOD, file="good.yaml")
    wrong = Mistake("good.yaml", 1, 1, "there is no file good.yaml")
    more = Source(GOOD.replace("good", "more"), "more.yaml", OFFICER)
    assert zone.engine.load([Source("", "good.yaml", OFFICER, wrong), more]) == [wrong]
    assert [row["id"] for row in zone.engine.list()] == ["good", "more"]
    assert zone.engine.mistakes() == {"good.yaml": [wrong]}


async def test_a_fault_that_nobody_foresaw_is_a_mistake_of_its_automation(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    whole = parse.automation

    def faulty(reader: Reader, source: Map, name: str) -> Automation:
        if name == "bad":
            raise RuntimeError("a bug")
        return whole(reader, source, name)

    zone = await Zone().start(GOOD.replace("good", "bad") + GOOD)
    monkeypatch.setattr(parse, "automation", faulty)
    changed = (GOOD.replace("good", "bad") + GOOD).replace("event: y", "event: z")
    (mistake,) = zone.engine.load([Source(changed, "a.yaml", OFFICER)])
    assert mistake == Mistake("a.yaml", 1, 3, "this cannot be read: RuntimeError: a bug")
    assert [row["id"] for row in zone.engine.list()] == ["bad", "good"]  # the one with its old text
    assert "RuntimeError: a bug" in caplog.text and "Traceback" in caplog.text


def test_a_fault_in_the_whole_text_names_its_first_line(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def faulty(*_: object) -> None:
        raise RuntimeError("a bug")

    templates = Templates(World(State(EventTypes()), ManualClock(START), UTC))
    monkeypatch.setattr("hub.automation.language.source._Builder", faulty)
    read = Texts(templates, no_blueprints, lenient=False).read([Source("\n\n" + GOOD, "a.yaml", OFFICER)], None)
    ((_, parsed),) = read["a.yaml"]
    assert parsed.mistakes == (Mistake("a.yaml", 3, 1, "this cannot be read: RuntimeError: a bug"),)
    monkeypatch.undo()
    monkeypatch.setattr(Parser, "_parts", faulty)
    parsed = Parser(templates, no_blueprints).parse("\n" + GOOD, "a.yaml")
    assert (parsed.automations, parsed.broken) == ((), frozenset())
    assert parsed.mistakes == (Mistake("a.yaml", 2, 1, "this cannot be read: RuntimeError: a bug"),)
    assert caplog.text.count("Traceback") == 2


def test_what_is_decided_at_load_has_a_budget_of_its_own() -> None:
    """A text may be read in a thread while the loop renders."""
    templates = Templates(World(State(EventTypes()), ManualClock(START), UTC))
    assert templates.compile("{% for i in range(2) %}{{ i }}{% endfor %}", limited=True).render({}) == "01"
    assert (templates._budget._until, templates._apart is not None and templates._apart._budget._until > 0) == (0, True)
