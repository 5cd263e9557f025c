"""Citizens' pages over real HTTP: answered once, durable before the thanks, and what bad input does."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from typing import Any

import aiohttp
import pytest
import yaml

from hub.sdk import ManualClock, WebRequest, WebResponse
from hub.testing import Harness, contract, harness
from plugins.survey import fake, tokens

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
FORM: dict[str, Any] = yaml.safe_load((HERE / "examples" / "fear_trust.yaml").read_text())
FULL = {
    "q_community": "ratchathani", "q_fear": "4", "q_trust": "5", "q_worries": "dark", "q_patrols": "3",
    "q_words": "ไฟดับ",
}  # fmt: skip
NAMED = {"form": "fear_trust"}
POSTED = "application/x-www-form-urlencoded"

test_contract = contract(HERE, {"forms": [FORM]}, params={"survey.open": NAMED, "survey.close": NAMED})


@asynccontextmanager
async def asking(
    clock: ManualClock | None = None, **changed: Any
) -> AsyncIterator[tuple[Harness, aiohttp.ClientSession]]:
    async with harness(HERE, {"forms": [FORM | changed]}, clock=clock) as hub, aiohttp.ClientSession() as web:
        yield hub, web


async def page(hub: Harness, web: aiohttp.ClientSession, **query: str) -> tuple[int, str]:
    async with web.get(hub.hook("f/fear_trust"), params=query) as answer:
        return answer.status, await answer.text()


async def send(hub: Harness, web: aiohttp.ClientSession, fields: Mapping[str, str]) -> tuple[int, str]:
    """Status and where it leads, or what the page says."""
    async with web.post(hub.hook("f/fear_trust"), data=fields, allow_redirects=False) as answer:
        text = await answer.text()
        said = re.search(r'<h1>(.*?)</h1>|role="alert">(.*?)<', text)
        return answer.status, answer.headers.get("Location") or (said[1] or said[2] if said else text)


def hidden(text: str) -> dict[str, str]:
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', text))


async def staff(hub: Harness, path: str, **query: str) -> WebResponse:
    """A staff page; the hub itself checks who asks."""
    routes = hub.app.host.routes
    request = WebRequest("GET", path, query, {}, b"", "127.0.0.1", "user:noi")
    return await routes.ask(routes.staff(hub.instance, "GET", path), request)


def faults(hub: Harness) -> list[Mapping[str, Any]]:
    return [event.data for event in hub.events("fault") if event.data["where"] == hub.instance]


def answers(hub: Harness) -> list[Mapping[str, Any]]:
    return [event.data for event in hub.events("survey_answered")]


async def test_a_page_is_small_needs_no_script_and_speaks_both_languages() -> None:
    async with asking() as (hub, web):
        for lang, words in (("th", "ท่านอาศัยอยู่ชุมชนใด"), ("en", "Where do you live?")):
            status, text = await page(hub, web, via="qr", lang=lang)
            assert (status, words in text, len(text.encode()) <= 10_240, "<script" in text) == (200, True, True, False)
        assert 'href="?via=qr&amp;lang=th"' in text


async def test_the_answer_is_durable_before_the_thanks_and_keeps_nobody() -> None:
    async with asking() as (hub, web):
        _, text = await page(hub, web, via="line", lang="en")
        status, place = await send(hub, web, hidden(text) | FULL)
        assert (status, place) == (303, "/hook/survey/thanks/fear_trust?lang=en&via=line")
        (answer,) = answers(hub)
        assert answer["choices"] == {
            "community": "ratchathani", "fear": 4, "trust": 5, "worries": ["dark"], "patrols": 3,
        }  # fmt: skip
        assert (answer["words"], answer["via"], answer["answers"]) == ({"words": "ไฟดับ"}, "line", 1)
        assert "127.0.0.1" not in str(answer) and "Mozilla" not in str(answer)
        kind = hub.app.pipeline.types.need("survey_answered")
        assert {name: one.value for name, one in kind.personal.items()} == {"choices": "text", "words": "text"}
        async with web.get(hub.hook("thanks/fear_trust"), params={"via": "line", "lang": "en"}) as thanks:
            assert "Your answers were saved" in await thanks.text()


async def test_the_same_page_sent_twice_counts_once_also_after_a_restart() -> None:
    async with asking() as (hub, web):
        fields = hidden((await page(hub, web))[1]) | FULL
        assert [(await send(hub, web, fields))[0] for _ in range(2)] == [303, 303]
        assert await hub.restart() == "running"
        assert (await send(hub, web, fields))[0] == 303
        assert len(answers(hub)) == 1
        again = hidden((await page(hub, web))[1]) | FULL
        assert (await send(hub, web, again))[0] == 303
        assert [answer["answers"] for answer in answers(hub)] == [1, 2]


async def test_a_page_of_yesterday_or_of_nobody_is_refused() -> None:
    clock = ManualClock()
    async with asking(clock) as (hub, web):
        fields = hidden((await page(hub, web))[1]) | FULL
        forged = fields | {"n": fields["n"][:-1] + ("0" if fields["n"][-1] != "0" else "1")}
        assert (await send(hub, web, forged))[0] == 400
        clock.advance(86_401)
        assert await send(hub, web, fields) == (400, "หน้านี้เปิดทิ้งไว้นานเกินไปหรือไม่สมบูรณ์ กรุณาเปิดใหม่")
        assert answers(hub) == []


async def test_a_tablet_begins_again_after_the_thanks() -> None:
    async with asking() as (hub, web):
        _, text = await page(hub, web, via="tablet")
        _, place = await send(hub, web, hidden(text) | FULL)
        async with web.get(f"http://127.0.0.1:{hub.port}{place}") as thanks:
            begin = re.search(r'href="([^"]+)"', await thanks.text())
        assert begin is not None
        async with web.get(f"http://127.0.0.1:{hub.port}{begin[1].replace('&amp;', '&')}") as start:
            text = await start.text()
            assert (start.status, start.headers["Cache-Control"], " checked" in text) == (200, "no-store", False)
            assert 'href="?via=tablet&amp;lang=th">ล้างคำตอบ' in text  # for whoever finds it half filled


def scanned(pdf: bytes, folder: Path) -> list[str]:
    """What the QR codes of a PDF say, by poppler and zbar."""
    try:
        subprocess.run(["pdftoppm", "-v"], capture_output=True, check=False)
        subprocess.run(["zbarimg", "--version"], capture_output=True, check=False)
    except FileNotFoundError as missing:
        pytest.skip(f"needs {missing.filename}: apt-get install poppler-utils zbar-tools")
    (folder / "page.pdf").write_bytes(pdf)
    subprocess.run(["pdftoppm", "-r", "150", "-png", folder / "page.pdf", folder / "page"], check=True)
    found: list[str] = []
    for picture in sorted(folder.glob("page*.png")):
        read = subprocess.run(["zbarimg", "--raw", "-q", picture], capture_output=True, text=True, check=False)
        found += read.stdout.splitlines()
    return found


async def test_a_printed_token_answers_once(tmp_path: Path) -> None:
    async with asking(once="token") as (hub, web):
        assert (await page(hub, web))[0] == 403
        made = await staff(hub, "sheets.pdf", count="3")
        printed = hub.events("survey_sheet_printed")
        assert [(event.data["count"], event.data["by"]) for event in printed] == [(3, "user:noi")]
        urls = await asyncio.to_thread(scanned, made.body, tmp_path)
        assert len(set(urls)) == 3 and all(url.startswith(hub.hook("f/fear_trust")) for url in urls)
        token = dict(re.findall(r"(\w+)=([^&]+)", urls[0]))
        first, second = [hidden((await page(hub, web, **token))[1]) | FULL for _ in range(2)]
        assert (await send(hub, web, first))[0] == 303
        assert await send(hub, web, second) == (409, "รหัสบนใบนี้ใช้ตอบไปแล้ว ใบหนึ่งตอบได้หนึ่งครั้ง")
        assert (await send(hub, web, first))[0] == 303  # the same page again: its answer is there
        assert await hub.restart() == "running"
        assert (await send(hub, web, second))[0] == 409
        assert (len(answers(hub)), token["t"] in str(answers(hub))) == (1, False)
        other = dict(re.findall(r"(\w+)=([^&]+)", urls[1]))
        await hub.call("survey.close", params={"form": "fear_trust"})
        await hub.call("survey.open", params={"form": "form.fear_trust"})
        assert (await page(hub, web, **other))[0] == 403  # of the round before
        assert (await page(hub, web, t="a" * 32))[0] == 403


def test_a_token_has_one_spelling() -> None:
    key, random = bytes(32), Random(3)
    while not {"s", "i"} <= set(token := tokens.make_token(key, "f", 1, random)):
        pass
    assert {tokens.read_token(key, "f", 1, one) for one in (token, token.upper(), token.title())} == {token}
    wrong = [token.replace("s", "ſ"), token.replace("i", "ı"), token[:-1], token + "a" * 8, token + "=", "", "ก" * 32]
    assert {tokens.read_token(key, "f", 1, one) for one in wrong} == {""}
    assert (tokens.read_token(key, "f", 2, token), tokens.read_token(key, "g", 1, token)) == ("", "")


async def test_one_answer_a_device() -> None:
    async with asking(once="device") as (hub, web):
        first, second = [hidden((await page(hub, web))[1]) | FULL for _ in range(2)]
        assert (await send(hub, web, first))[0] == 303
        assert await send(hub, web, second) == (409, "เครื่องนี้ตอบรอบนี้ไปแล้ว")
        async with aiohttp.ClientSession(headers={"User-Agent": "another"}) as other:
            assert (await send(hub, other, hidden((await page(hub, other))[1]) | FULL))[0] == 303
        assert len(answers(hub)) == 2


async def test_the_codes_on_the_wall_lead_to_the_forms(tmp_path: Path) -> None:
    async with asking() as (hub, _):
        made = await staff(hub, "codes.pdf")
        assert await asyncio.to_thread(scanned, made.body, tmp_path) == [hub.hook("f/fear_trust") + "?via=qr"]
        assert (await staff(hub, "sheets.pdf")).status == 404
        assert (await staff(hub, "sheets.pdf", count="121")).status == 400


# --- bad input


@pytest.mark.parametrize(
    ("changed", "question"),
    [
        ({"q_fear": ""}, "fear"), ({"q_fear": "6"}, "fear"), ({"q_community": "mars"}, "community"),
        ({"q_patrols": "many"}, "patrols"), ({"q_patrols": "51"}, "patrols"), ({"q_patrols": "nan"}, "patrols"),
        ({"q_words": "ก" * 301}, "words"), ({"q_worries": "weather"}, "worries"),
    ],
)  # fmt: skip
async def test_a_wrong_answer_is_named_and_the_others_stay(changed: dict[str, str], question: str) -> None:
    async with asking() as (hub, web):
        fields = hidden((await page(hub, web))[1]) | FULL | changed
        async with web.post(hub.hook("f/fear_trust"), data=fields) as answer:
            text = await answer.text()
        marked = re.findall(r'class="bad">[^<]+</p>.*?name="q_(\w+)"', text)
        assert (answer.status, marked, answers(hub)) == (400, [question], [])
        assert ('value="5" checked' in text, len(text.encode()) <= 10_240 + 1000) == (True, True)


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"q_fear=%ff%fe", POSTED, 400), (b"\xff\xfe", POSTED, 400), (b"no equals", POSTED, 400), (b"", POSTED, 400),
        (b"a=1&" * 300, POSTED, 400), (b'{"q_fear": 4}', "application/json", 415),
        (b"q_words=" + b"x" * 70_000, POSTED, 413), (b"q_words=" + b"x" * (1 << 20), POSTED, 413),
    ],
)  # fmt: skip
async def test_what_is_no_filled_page_is_refused(body: bytes, kind: str, status: int) -> None:
    async with asking() as (hub, web):
        async with web.post(hub.hook("f/fear_trust"), data=body, headers={"Content-Type": kind}) as answer:
            assert answer.status == status
        assert answers(hub) == [] and faults(hub) == []
        assert (await page(hub, web))[0] == 200


async def test_a_flood_is_held_back_and_what_was_thanked_is_there() -> None:
    async with asking(ManualClock()) as (hub, web):  # on which nobody gets new room
        fields = hidden((await page(hub, web))[1]) | FULL
        marks = [hidden((await page(hub, web))[1])["n"] for _ in range(30)]
        sent = await asyncio.gather(*(send(hub, web, fields | {"n": mark}) for mark in marks * 4))
        statuses = [status for status, _ in sent]
        assert set(statuses) == {303, 429}
        thanked = {mark for mark, (status, _) in zip(marks * 4, sent, strict=True) if status == 303}
        assert len(answers(hub)) == len(thanked) > 0


async def test_silence_in_the_middle_of_a_page_harms_nobody() -> None:
    async with asking() as (hub, web):
        reader, writer = await asyncio.open_connection("127.0.0.1", hub.port)
        head = "POST /hook/survey/f/fear_trust HTTP/1.1\r\nHost: x\r\nContent-Length: 900\r\n"
        writer.write(f"{head}Content-Type: application/x-www-form-urlencoded\r\n\r\nq_fear=4&".encode())
        await writer.drain()
        fields = hidden((await page(hub, web))[1]) | FULL
        assert (await send(hub, web, fields))[0] == 303
        writer.close()
        assert [answer["choices"]["fear"] for answer in answers(hub)] == [4]
        assert faults(hub) == []
        del reader


async def test_an_unknown_and_a_closed_form_say_so() -> None:
    async with asking() as (hub, web):
        async with web.get(hub.hook("f/mars")) as answer:
            assert answer.status == 404
        fields = hidden((await page(hub, web))[1]) | FULL
        await hub.call("survey.close", params={"form": "form.fear_trust"})
        assert await send(hub, web, fields) == (410, "แบบสอบถามนี้ปิดรับคำตอบแล้ว")
        outcome = await hub.call("survey.open", params={"form": "mars"})
        assert outcome.error is not None
        assert (outcome.error["message"], outcome.error["hint"]) == ("no form 'mars'", "one of fear_trust")


WRONG = {
    "counts: [4, 5], below: 40": ("counts: [4, 6], below: 40", "target fear counts 6, which is no answer"),
    "at_least: 80": ("at_least: 80, below: 20", "write one of below and at_least"),
    "wichian_chamnong: 680": ("mars: 680", "residents must name each option of community and no other"),
    "kind: scale": ("kind: slider", "questions.1.kind"),
    "id: worries": ("id: fear", "an id is used twice"),
    "longest: 300": ("longest: 300, colour: red", "unknown field 'colour'"),
}


@pytest.mark.parametrize("right", WRONG)
def test_a_mistake_in_a_form_is_told_with_file_line_and_column(right: str, tmp_path: Path) -> None:
    wrong, words = WRONG[right]
    (tmp_path / "forms").mkdir()
    text = (HERE / "examples" / "fear_trust.yaml").read_text()
    assert right in text
    (tmp_path / "forms" / "fear.yaml").write_text(text.replace(right, wrong, 1))
    (tmp_path / "config.yaml").write_text(
        "zone: {name: test, center: [17.0, 99.8]}\n"
        "plugins:\n  - plugin: survey\n    config:\n      forms: !include_dir_list forms\n"
    )
    command = [sys.executable, "-m", "hub", "check", "--config", str(tmp_path / "config.yaml")]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    said = done.stdout + done.stderr
    assert (done.returncode != 0, words in said) == (True, True), said
    assert re.search(r"fear\.yaml:\d+:\d+: ", said), said


def test_a_form_whose_page_would_be_too_large_is_refused() -> None:
    from plugins.survey import Settings

    many = [{"id": f"q{n}", "kind": "text", "text": {"th": "ก" * 100, "en": "e"}} for n in range(20)]
    with pytest.raises(ValueError, match=r"its page has \d+ bytes, at most 10240: make two forms of it"):
        Settings.model_validate({"forms": [{"id": "big", "title": {"th": "ใ", "en": "B"}, "questions": many}]})


async def test_the_fake_residents_are_the_same_for_the_same_seed() -> None:
    said = []
    for _ in range(2):
        async with asking() as (hub, _):
            lean = fake.leanings("fear=5:3:1:1:1")
            thanked = await fake.crowd(hub.hook(""), "fear_trust", 12, 7, 0.001, lean, asyncio.Event())
            assert thanked == 12
            said.append([(answer["choices"], answer["words"], answer["via"]) for answer in answers(hub)])
    assert said[0] == said[1]
    assert len({answer[0]["community"] for answer in said[0]}) == 3
