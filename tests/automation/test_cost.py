"""What an event costs: counted calls, not time; and where a run that costs too much is ended."""

from __future__ import annotations

import pytest

from hub.automation.templates.views import World
from hub.core.bus import Bus, Subscription
from hub.core.journal import Record
from hub.core.state import EntityState
from tests.automation.zone import Zone


def rules(count: int) -> str:
    return "\n".join(
        f"- {{id: p{n}, triggers: {{trigger: event, event_type: plate_read,"
        f" event_data: {{province: กรุงเทพ, plate: A{n}}}}},"
        " actions: {action: notify.tell, data: {to: x, text: hit}}}"
        for n in range(count)
    )


@pytest.mark.parametrize("count", [10, 2000])
async def test_an_event_reaches_only_its_own_rule_however_many_there_are(
    count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    zone = await Zone().start(rules(count))
    served: list[Subscription] = []
    matching = Bus._matching

    def counted(bus: Bus, *args: object) -> list[Subscription]:
        found = list(matching(bus, *args))  # type: ignore[arg-type]
        served.extend(found if bus is zone.pipeline.rules else [])
        return found

    monkeypatch.setattr(Bus, "_matching", counted)
    zone.plate("B1", province="กรุงเทพ")
    # the first rule took the field that all share, before another wanted it
    assert len(served) <= 1
    served.clear()
    zone.plate(f"A{count - 1}", province="กรุงเทพ")
    await zone.idle()
    assert zone.told() == ["hit"]
    assert len([one for one in served if one.type == "plate_read"]) <= 2


async def test_a_template_is_rendered_only_when_what_it_reads_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "\n".join(
        f"- {{id: t{n}, triggers: {{trigger: template, value_template: \"{{{{ is_state('light.l{n}', 'on') }}}}\"}},"
        " actions: [{stop: x}]}"
        for n in range(300)
    )
    zone = await Zone().start(text)
    looked: list[str] = []
    get = World.get

    def noted(world: World, entity: str) -> EntityState | None:
        looked.append(entity)
        return get(world, entity)

    monkeypatch.setattr(World, "get", noted)
    zone.set("light.l7", "on")
    assert looked == ["light.l7"]
    assert zone.trace("t7")["status"] == "stopped"


async def test_a_run_that_never_waits_writes_no_record_of_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "- {id: a, triggers: {trigger: event, event_type: go}, actions: [{event: x}, {event: y}]}"
    zone = await Zone().start(text)
    written: list[str] = []
    put = zone.pipeline.put

    def noted(record: Record) -> None:
        written.append(record.table)
        put(record)

    monkeypatch.setattr(zone.engine._host, "put", noted)
    zone.fire("go")
    assert written == ["traces"]


async def test_a_run_that_computes_too_long_does_not_hold_up_the_rest() -> None:
    loop = "{% for i in range(9000) %}{{ i }}{% endfor %}"
    zone = await Zone().start(
        "- {id: heavy, triggers: {trigger: event, event_type: plate_read}, actions: "
        f'{{repeat: {{count: 9000, sequence: [{{variables: {{x: "{loop}"}}}}]}}}}}}'
    )
    zone.plate("x")
    await zone.idle()
    assert zone.trace("heavy")["error"] == (
        "its steps computed for more than 0.25 s without a wait; put a delay between them"
    )
    assert zone.runs() == []


async def test_variables_that_are_too_large_to_be_kept_end_the_run() -> None:
    large = ", ".join(f"v{n}: \"{{{{ 'a' * 60000 }}}}\"" for n in range(9))
    zone = await Zone().start(
        "- {id: large, triggers: {trigger: event, event_type: plate_read}, actions: "
        f"[{{variables: {{{large}}}}}, {{delay: 10}}]}}"
    )
    zone.plate("x")
    await zone.idle()
    assert "hold more than 500000 letters" in zone.trace("large")["error"]
    assert zone.runs() == []
