"""Several automations of one file, each given as a text of its own: an inline list in the configuration."""

from __future__ import annotations

from hub.automation.language.model import Source
from tests.automation.zone import OFFICER, Zone

ONE = """\
id: {name}
alias: {name}
triggers: [{{trigger: event, event_type: lamp_seen}}]
actions: []
"""


def sources(*names: str) -> list[Source]:
    return [Source(ONE.format(name=name), "config.yaml", OFFICER) for name in names]


def ids(zone: Zone) -> list[str]:
    return sorted(str(row["id"]) for row in zone.engine.list())


async def test_all_of_an_inline_list_are_there() -> None:
    zone = await Zone().start("[]")
    assert zone.engine.load(sources("one", "two", "three")) == []
    assert ids(zone) == ["one", "three", "two"]
    zone.engine.load(sources("one", "three"))
    assert ids(zone) == ["one", "three"]


async def test_the_same_id_twice_in_one_file_is_told_and_the_first_stays() -> None:
    zone = await Zone().start("[]")
    (mistake,) = zone.engine.load(sources("one", "one"))
    assert mistake.words == "the id 'one' is taken already in config.yaml"
    assert ids(zone) == ["one"]
