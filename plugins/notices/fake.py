"""A partner's system that reads the notices: fetches the RSS feed, and the CAP alert behind each item.

As a program: ``python plugins/notices/fake.py --url http://127.0.0.1:8123/hook/notices --every 10``; each alert that is
new is one line of JSON on standard output. It shares no code with the plugin.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import sys
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import dataclass

import aiohttp

from hub.sdk.program import end_asked, say_ready

NAMESPACE = "{urn:oasis:names:tc:emergency:cap:1.2}"
MAX_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Alert:
    """What a partner takes of a CAP alert."""

    identifier: str
    message: str
    status: str
    headline: str
    severity: str
    expires: str


def parse(document: bytes) -> Alert:
    """A CAP 1.2 alert; ``ValueError`` when it is none."""
    try:
        root = ET.fromstring(document)
    except ET.ParseError as wrong:
        raise ValueError(f"no XML: {wrong}") from None
    info = root.find(f"{NAMESPACE}info")
    if root.tag != f"{NAMESPACE}alert" or info is None:
        raise ValueError(f"{root.tag} is no CAP 1.2 alert with information")

    def text(parent: ET.Element, tag: str) -> str:
        return parent.findtext(f"{NAMESPACE}{tag}") or ""

    return Alert(
        text(root, "identifier"), text(root, "msgType"), text(root, "status"), text(info, "headline"),
        text(info, "severity"), text(info, "expires"),
    )  # fmt: skip


async def read(session: aiohttp.ClientSession, base: str) -> list[Alert]:
    """All alerts of the feed at ``base``/rss.xml."""
    async with session.get(f"{base}/rss.xml") as answer:
        feed = ET.fromstring(await answer.content.read(MAX_BYTES))
    found = []
    for link in feed.iterfind("./channel/item/link"):
        name = (link.text or "").rpartition("/")[2]
        async with session.get(f"{base}/cap/{name}.xml") as answer:
            found.append(parse(await answer.content.read(MAX_BYTES)))
    return found


async def main(arguments: Sequence[str]) -> None:
    """The program."""
    parser = argparse.ArgumentParser(description="a partner that reads the notices")
    parser.add_argument("--url", required=True, help="http://HUB/hook/INSTANCE")
    parser.add_argument("--every", type=float, default=10.0)
    given = parser.parse_args(arguments)
    asked, seen = end_asked(), set[str]()
    say_ready(url=given.url)
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as session:
        while not asked.is_set():
            with contextlib.suppress(aiohttp.ClientError, TimeoutError, ET.ParseError, ValueError):
                for alert in await read(session, given.url.rstrip("/")):
                    if alert.identifier not in seen:
                        seen.add(alert.identifier)
                        sys.stdout.write(json.dumps({"alert": alert.identifier, "headline": alert.headline}) + "\n")
                        sys.stdout.flush()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(asked.wait(), max(0.1, given.every))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
