"""A round from opening to verdict: counting, hiding, weighting, and what survives a restart."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import yaml

from hub.sdk import Event
from hub.testing import Harness, harness
from plugins.survey.fake import FormReader

HERE = Path(__file__).parent
FORM: dict[str, Any] = yaml.safe_load((HERE / "examples" / "fear_trust.yaml").read_text())
NAMES = ("ratchathani", "pracha_ruam_jai", "wichian_chamnong")
FORM_ID = {"form": "form.fear_trust"}


@asynccontextmanager
async def polling() -> AsyncIterator[Harness]:
    async with harness(HERE, {"forms": [FORM]}) as hub:
        yield hub


async def answer(hub: Harness, people: Iterable[tuple[str, int, int]]) -> None:
    """Each of community, fear and trust, through the page; slowly enough for the door."""
    async with aiohttp.ClientSession() as web:
        for community, fear, trust in people:
            url = hub.hook("f/fear_trust")
            while True:
                async with web.get(url) as shown:
                    fields = FormReader(await shown.text()).fields
                given = {"q_community": community, "q_fear": str(fear), "q_trust": str(trust)}
                given |= {name: one.values[0] for name, one in fields.items() if one.kind == "hidden"}
                async with web.post(url, data=given, allow_redirects=False) as sent:
                    if sent.status == 303:
                        break
                    assert sent.status == 429
                await hub.app.clock.sleep(0.2)


def crowd(counts: dict[str, tuple[int, int]]) -> list[tuple[str, int, int]]:
    """By community: how many answer, and how many of them are afraid; all trust."""
    return [(name, 5 if one < afraid else 1, 5) for name, (n, afraid) in counts.items() for one in range(n)]


def results(hub: Harness) -> dict[str, Event]:
    return {str(event.entity): event for event in hub.events("survey_result")}


async def test_a_round_is_weighted_and_small_communities_are_hidden() -> None:
    """By hand: 655·(6/12) + 665·(3/15) + 680·(1/9) of 2,000 = 26.8028 %;
    n_eff = 2000² / (655²/12 + 665²/15 + 680²/9) = 4,000,000 / 116,611.75 = 34.30; Wilson of 0.26803
    and 34.30: (0.26803 + 0.0560) / 1.1120 ± 1.96·√(0.0057194 + 0.0008162) / 1.1120 = 0.29139 ± 0.14249."""
    async with polling() as hub:
        await answer(hub, crowd({NAMES[0]: (12, 6), NAMES[1]: (15, 3), NAMES[2]: (9, 1)}))
        assert results(hub) == {}  # nothing is shown while the round is open
        outcome = await hub.call("survey.close", params=FORM_ID)
        assert outcome.status == "done", outcome
        whole = hub.state("poll.fear_trust_fear")
        assert whole is not None
        drawn = whole.attributes["interval"]
        assert (whole.state, drawn["estimate"], drawn["n"], drawn["n_effective"]) == ("cannot_tell", 26.8, 36, 34.3)
        assert (drawn["mark"], drawn["direction"], drawn["method"]) == (40.0, "below", "wilson_95_kish_by_community")
        assert (drawn["low"], drawn["high"]) == (14.89, 43.39)
        cells = {name: hub.state(f"poll_cell.fear_trust_fear_{name}") for name in NAMES}
        states = {name: one.state for name, one in cells.items() if one is not None}
        # 9 people are too few; the 12 are hidden too, else the 9 were the rest of the whole
        assert states == {NAMES[0]: "hidden", NAMES[1]: "cannot_tell", NAMES[2]: "hidden"}
        for name in (NAMES[0], NAMES[2]):
            one = cells[name]
            assert one is not None
            assert (one.attributes["interval"], one.attributes["n"]) == (None, None)
        shown = cells[NAMES[1]]
        assert shown is not None and shown.attributes["interval"]["estimate"] == 20.0
        trust = hub.state("poll.fear_trust_trust")
        assert trust is not None and (trust.state, trust.attributes["interval"]["estimate"]) == ("met", 100.0)
        assert "หวาดกลัวภัยอาชญากรรม: ยังสรุปไม่ได้ 26.8%" in outcome.result["text"]


async def test_fewer_than_ten_answers_show_nothing() -> None:
    async with polling() as hub:
        await answer(hub, crowd(dict.fromkeys(NAMES, (3, 1))))
        outcome = await hub.call("survey.close", params=FORM_ID)
        assert {name: one["verdict"] for name, one in outcome.result["results"].items()} == {
            "fear": "hidden", "trust": "hidden",
        }  # fmt: skip
        assert all(event.data["interval"] is None and event.data["n"] is None for event in results(hub).values())


async def test_a_community_that_is_silent_is_named() -> None:
    async with polling() as hub:
        await answer(hub, crowd({NAMES[0]: (8, 1), NAMES[1]: (8, 1)}))
        outcome = await hub.call("survey.close", params=FORM_ID)
        fear = outcome.result["results"]["fear"]
        assert (fear["verdict"], fear["interval"]) == ("cannot_tell", None)
        assert fear["note"] == {"th": "ไม่มีคำตอบจาก วิเชียรจำนงค์", "en": "no answers from Wichian Chamnong"}


async def test_a_restart_forgets_no_answer_and_the_next_round_begins_empty() -> None:
    async with polling() as hub:
        await answer(hub, crowd(dict.fromkeys(NAMES, (4, 0))))
        assert await hub.restart() == "running"
        await answer(hub, [(NAMES[0], 5, 5)])
        closed = await hub.call("survey.close", params=FORM_ID)
        assert (closed.result["answers"], closed.result["round"]) == (13, 1)
        again = await hub.call("survey.close", params=FORM_ID)
        assert again.result == closed.result
        assert (await hub.call("survey.open", params=FORM_ID)).result == 2
        assert (await hub.call("survey.open", params=FORM_ID)).result == 2
        state = hub.state("form.fear_trust")
        assert state is not None and (state.state, state.attributes["answers"]) == ("open", 0)
        await answer(hub, [(NAMES[0], 1, 1)])
        assert hub.events("survey_answered")[-1].data["answers"] == 1
        assert len(hub.events("survey_closed")) == 1


async def test_only_who_keeps_the_documents_opens_and_closes() -> None:
    from pytest import raises

    from hub.sdk import Denied

    async with polling() as hub:
        with raises(Denied, match=r"document\.write"):
            await hub.call("survey.close", params=FORM_ID, roles=["patrol"])
        assert hub.events("survey_closed") == []
