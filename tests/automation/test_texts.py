"""What was parsed before is parsed again only when the text, the names that exist, or a blueprint of it changed."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from hub.automation import Catalogue, Source
from hub.automation.language.known import Known
from hub.automation.language.parse import Parsed
from hub.automation.templates.template import Templates
from hub.automation.templates.views import World
from hub.automation.texts import Texts
from hub.core.clock import ManualClock
from hub.core.event import EventTypes
from hub.core.state import State
from tests.automation.zone import OFFICER, START, Zone

RULE = "- {id: a, triggers: {trigger: event, event_type: x}, actions: {delay: 1}}\n"
USES = "- {id: b, use_blueprint: {path: p.yaml, input: {}}}\n"
BLUEPRINT = """\
blueprint: {name: p, domain: automation, input: {}}
triggers: {trigger: event, event_type: x}
actions: {delay: 1}
"""


def made(blueprints: dict[str, str]) -> Texts:
    world = World(State(EventTypes()), ManualClock(START), ZoneInfo("Asia/Bangkok"), (0.0, 0.0))
    return Texts(Templates(world), blueprints.get, lenient=False)


def read(texts: Texts, text: str, file: str = "a.yaml", known: Known | None = None) -> Parsed:
    ((_, parsed),) = texts.read([Source(text, file, OFFICER)], known)[file]
    return parsed


def test_an_unchanged_text_is_not_parsed_again() -> None:
    texts = made({})
    first = read(texts, RULE)
    assert [automation.id for automation in first.automations] == ["a"]
    assert read(texts, RULE) is first
    assert texts.parse(RULE, "a.yaml", None) is first
    assert texts.parse(RULE, "other.yaml", None) is not first  # its mistakes would name another file
    assert read(texts, RULE + "\n") is not first


def test_names_that_came_or_went_are_looked_at_again() -> None:
    texts = made({})
    light = RULE.replace("{delay: 1}", "{wait_template: \"{{ is_state('light.z', 'on') }}\"}").replace(
        "event, event_type: x", "state, entity_id: light.z"
    )
    wrong = read(texts, light, known=Catalogue({}))
    assert [mistake.words for mistake in wrong.mistakes][:1] == ["there is no entity 'light.z'"]
    assert read(texts, light, known=Catalogue({})) is wrong
    assert read(texts, light, known=Catalogue({"light.z": ("light",)})).mistakes == ()


def test_a_changed_blueprint_changes_what_uses_it() -> None:
    blueprints = {"p.yaml": BLUEPRINT}
    texts = made(blueprints)
    first = read(texts, USES)
    assert first.mistakes == ()
    assert read(texts, USES) is first
    blueprints["p.yaml"] = BLUEPRINT.replace("delay: 1", "delay: 2")
    second = read(texts, USES)
    assert second.automations[0].hash != first.automations[0].hash
    del blueprints["p.yaml"]
    assert read(texts, USES).automations == ()


def test_what_a_file_held_before_is_forgotten_and_so_is_a_file_that_is_gone() -> None:
    texts = made({})
    first = read(texts, RULE)
    read(texts, RULE.replace("id: a", "id: c"))
    assert read(texts, RULE) is not first
    again = read(texts, RULE)
    texts.keep_only({"b.yaml"})
    assert read(texts, RULE) is not again


async def test_a_reload_of_unchanged_files_leaves_the_rules_as_they_are() -> None:
    zone = await Zone().start(RULE)
    before = zone.engine.named("a")
    assert zone.engine.load([Source(RULE, "a.yaml", OFFICER)]) == []
    assert zone.engine.named("a") is before
