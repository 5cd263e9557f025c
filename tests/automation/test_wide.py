"""Templates that read whole domains are looked at once in a period, however much happens."""

from __future__ import annotations

import pytest

from hub.automation.templates.template import Template, Templates
from hub.automation.templates.views import Reads
from tests.automation.zone import OFFICER, Zone

ALL = "{{ states | selectattr('state', 'eq', 'on') | list | count >= 3 }}"
LIGHTS = "{{ states.light | selectattr('state', 'eq', 'on') | list | count >= 3 }}"
NAMED = "{{ states | list | count > 0 and is_state('light.l0', 'on') }}"


async def zone_of(template: str) -> Zone:
    zone = await Zone().start()
    for number in range(20):
        zone.add(f"light.l{number}")
    await zone.idle()
    rule = f'- {{id: a, triggers: {{trigger: template, value_template: "{template}"}}, actions: {{event: tick}}}}'
    zone.engine.publish(rule, OFFICER, "a.yaml")
    return zone


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    seen: list[str] = []
    watching = Templates.watching

    def counted(templates: Templates, template: Template, values: dict[str, object]) -> tuple[object, Reads]:
        seen.append(template.source)
        return watching(templates, template, values)

    monkeypatch.setattr(Templates, "watching", counted)
    return seen


@pytest.mark.parametrize(("template", "period"), [(ALL, 60), (LIGHTS, 1)])
async def test_the_first_change_is_looked_at_at_once_and_those_of_a_period_together(
    template: str, period: int, looks: list[str]
) -> None:
    zone = await zone_of(template)
    begun = zone.clock.now()
    looks.clear()
    zone.set("light.l0", "on")
    assert len(looks) == 1
    for number in range(1, 20):
        zone.set(f"light.l{number}", "on")
    await zone.after(period - 0.5)
    assert (len(looks), zone.events("tick")) == (1, [])
    await zone.after(0.5)
    assert (len(looks), [event.at - begun for event in zone.events("tick")]) == (2, [period])
    await zone.after(10 * period)
    assert len(looks) == 2  # nothing happened
    zone.set("light.l0", "off")
    assert len(looks) == 3


async def test_other_domains_are_no_matter(looks: list[str]) -> None:
    zone = await zone_of(LIGHTS)
    looks.clear()
    for number in range(5):
        zone.set("sensor.t", str(number))
    assert looks == []


async def test_an_entity_that_is_named_is_looked_at_at_once(looks: list[str]) -> None:
    zone = await zone_of(NAMED)
    zone.set("light.l1", "on")
    looks.clear()
    zone.set("light.l0", "on")
    await zone.idle()
    assert (len(looks), len(zone.events("tick"))) == (1, 1)


async def test_what_is_taken_out_looks_no_more(looks: list[str]) -> None:
    zone = await zone_of(ALL)
    for number in range(5):
        zone.set(f"light.l{number}", "on")
    zone.engine.remove("a")
    looks.clear()
    await zone.after(120)
    assert (looks, zone.events("tick")) == ([], [])
