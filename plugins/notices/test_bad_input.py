"""What bad input does to the notices: named, refused, and the rest unharmed."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import aiohttp
import pytest

from hub.sdk import InvalidInput
from plugins.notices.conftest import START, WORDS, board, drafted, officer, published, state


@pytest.mark.parametrize(
    ("changed", "where"),
    [
        ({"until": "tomorrow"}, "until"), ({"until": float("nan")}, "until"), ({"severity": "loud"}, "severity"),
        ({"title_th": "ก" * 161}, "title_th"), ({"text_en": "x" * 2001}, "text_en"), ({"title_en": ""}, "title_en"),
    ],
)  # fmt: skip
async def test_a_draft_that_is_malformed_names_the_field(changed: dict[str, Any], where: str) -> None:
    async with board() as hub:
        with pytest.raises(InvalidInput, match=where):
            await hub.call("notice.draft", params=WORDS | {"until": START + 60} | changed)
        assert hub.events("notice_drafted") == []


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"until": START - 1}, "the end must lie in the next 31 days"), ({"area": "mars"}, "no area 'mars'"),
        ({"until": START + 32 * 86_400}, "the end must lie in the next 31 days"),
        ({"text_th": " \n"}, "there are no words in it"),
    ],
)  # fmt: skip
async def test_a_draft_that_makes_no_sense_says_why(changed: dict[str, Any], words: str) -> None:
    async with board() as hub:
        outcome = await hub.call("notice.draft", params=WORDS | {"until": START + 60} | changed)
        assert (outcome.error or {})["message"] == words
        assert hub.events("notice_drafted") == []


async def test_strange_addresses_a_flood_and_silence_harm_nobody() -> None:
    async with board() as hub, aiohttp.ClientSession() as session:
        notice = await published(hub)
        for path in ("cap/..%2f..xml", "n/" + "x" * 5000, "cap/none.xml", "n/%00"):
            async with session.get(hub.hook("") + path) as answer:
                assert answer.status in (400, 404), path
        async with session.post(hub.hook("rss.xml"), data=b"x" * (2 << 20)) as answer:
            assert answer.status in (405, 413)
        reader, writer = await asyncio.open_connection("127.0.0.1", hub.port)
        writer.write(b"GET /hook/notices/rss.xml HTTP/1.1\r\nHos")  # and then silence

        async def ask() -> int:
            async with session.get(hub.hook("rss.xml")) as answer:
                return answer.status

        statuses = await asyncio.gather(*(ask() for _ in range(150)))
        assert set(statuses) == {200, 429}
        writer.close()
        del reader
        faults = [one.data for one in hub.events("fault") if one.data["where"] == "notices"]
        assert (state(hub, notice), faults) == ("published", [])


async def test_a_full_board_makes_room_for_new_notices_only_of_what_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    async with board() as hub:
        monkeypatch.setattr(sys.modules["hub_plugins.notices.device"], "MAX_NOTICES", 2)
        first, second = await drafted(hub), await drafted(hub, title_th="สอง")
        full = await hub.call("notice.draft", params=WORDS | {"until": START + 60})
        assert (full.error or {})["message"] == "2 notices wait or hold"
        await officer(hub, "lek").call("notice.reject", first, {"reason": "ซ้ำ"})
        third = await drafted(hub, title_th="สาม")
        assert [hub.state(one) is not None for one in (first, second, third)] == [False, True, True]
