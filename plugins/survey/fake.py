"""Residents that answer a form through its real pages: open it, fill it by chance with a seed, send it.

As a program: ``python plugins/survey/fake.py --url http://127.0.0.1:8123/hook/survey --form fear_trust --people 400
--seed 7 --every 0.5 --lean fear=1:2,trust=4:3``. Everything they say is invented. It shares no code with the plugin:
it reads the page as a browser does.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser
from random import Random

import aiohttp

from hub.sdk.program import end_asked, say_ready

SENTENCES = (
    "ไฟหน้าตลาดดับ", "อยากให้มีสายตรวจตอนค่ำ", "ขอบคุณตำรวจที่มาดูแล", "รถจอดกีดขวางหน้าโรงเรียน", "สุนัขจรจัดเยอะ",
)  # fmt: skip
MAX_PEOPLE = 5_000


@dataclass
class Field:
    """What a browser knows of one name in a form."""

    kind: str
    values: list[str] = field(default_factory=list)


class FormReader(HTMLParser):
    """The fields of the page's form."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.fields: dict[str, Field] = {}
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        name = given.get("name", "")
        if tag == "textarea":
            self.fields[name] = Field("textarea")
        elif tag == "input" and name:
            self.fields.setdefault(name, Field(given.get("type", "text"))).values.append(given.get("value", ""))


Lean = Mapping[str, Sequence[float]]
"""By question: how likely each of its choices is, in order."""


def fill(fields: Mapping[str, Field], random: Random, lean: Lean) -> list[tuple[str, str]]:
    """One person's answers."""
    said: list[tuple[str, str]] = []
    for name, one in fields.items():
        if one.kind == "hidden":
            said.append((name, one.values[0]))
        elif one.kind == "radio":
            weights = lean.get(name.removeprefix("q_")) or [1.0] * len(one.values)
            said.append((name, random.choices(one.values, weights=weights)[0]))
        elif one.kind == "checkbox":
            said += [(name, value) for value in one.values if random.random() < 0.3]
        elif one.kind == "textarea" and random.random() < 0.2:
            said.append((name, random.choice(SENTENCES)))
        elif one.kind == "text" and random.random() < 0.7:
            said.append((name, str(random.randint(0, 9))))
    return said


async def answer(session: aiohttp.ClientSession, url: str, via: str, random: Random, lean: Lean) -> int:
    """Open the form at ``url``, fill it and send it; the HTTP status at the end (200 when thanked)."""
    async with session.get(url, params={"via": via}) as page:
        if page.status != 200:
            return page.status
        fields = FormReader(await page.text()).fields
    async with session.post(url, data=fill(fields, random, lean)) as sent:
        await sent.read()
        return sent.status


async def crowd(base: str, form: str, people: int, seed: int, every_s: float, lean: Lean, asked: asyncio.Event) -> int:
    """``people`` answer one after another; how many were thanked."""
    random, thanked = Random(seed), 0
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=20)) as session:
        for _ in range(people):
            via = random.choice(("qr", "qr", "line", "tablet"))
            with contextlib.suppress(aiohttp.ClientError, TimeoutError):  # the hub is away: this person goes home
                thanked += await answer(session, f"{base}/f/{form}", via, random, lean) == 200
            try:
                await asyncio.wait_for(asked.wait(), every_s)
                break
            except TimeoutError:
                continue
    return thanked


def leanings(text: str) -> dict[str, list[float]]:
    """``fear=5:3:1:1:1,trust=1:1:2:6:5`` as weights by question."""
    parts = [part.split("=", 1) for part in text.split(",") if "=" in part]
    return {name: [float(one) for one in weights.split(":")] for name, weights in parts}


async def main(arguments: Sequence[str]) -> None:
    """The program."""
    parser = argparse.ArgumentParser(description="residents that answer a form (simulated)")
    parser.add_argument("--url", required=True, help="http://HUB/hook/INSTANCE")
    parser.add_argument("--form", required=True)
    parser.add_argument("--people", type=int, default=50, choices=range(1, MAX_PEOPLE + 1), metavar="N")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--every", type=float, default=1.0, help="seconds between two people")
    parser.add_argument("--lean", default="", help="weights of the choices, such as fear=5:3:1:1:1")
    given = parser.parse_args(arguments)
    asked = end_asked()
    say_ready(people=given.people)
    base, every_s = given.url.rstrip("/"), max(0.001, given.every)
    thanked = await crowd(base, given.form, given.people, given.seed, every_s, leanings(given.lean), asked)
    sys.stdout.write(f"thanked {thanked} of {given.people}\n")
    sys.stdout.flush()
    await asked.wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
