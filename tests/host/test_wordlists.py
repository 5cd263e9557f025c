"""Lists of words outlive the process that compares them."""

from __future__ import annotations

import asyncio
import os
import signal

import pytest

from hub.core.error import InvalidInput, LimitExceeded, Unavailable
from hub.host import wordlists
from hub.host.vision import Vision
from hub.host.wordlists import HostWordList
from tests.host.conftest import Bench

READ = [[("1", 0.0)], [("ก", 0.0)], [("ข", 0.25), ("ช", 1.5)], [("7", 0.0)]]


async def near(words: HostWordList) -> list[tuple[str, float]]:
    return await words.nearest(READ, other=9.0, gap=5.0, bound=2.0)


async def again(words: HostWordList) -> list[tuple[str, float]]:
    """As soon as a new process answers: it tells nobody when it is there."""
    async with asyncio.timeout(30):
        while True:
            try:
                return await near(words)
            except Unavailable:
                await asyncio.sleep(0.05)


async def test_a_killed_process_is_sent_the_list_again(bench: Bench) -> None:
    vision = Vision(bench.media, bench.pipeline.clock, bench.pipeline.ids)  # the real one
    words = HostWordList(vision, "watchlist/plates")
    assert await near(words) == []  # without a word nothing is started
    assert (vision.pid, vision.restarts) == (None, 0)
    await words.put({"a": "1กช7", "b": "1กข7", "c": "1กค7", "d": "?กข7"})
    assert await near(words) == [("b", 0.25), ("d", 0.25), ("a", 1.5)]
    first = vision.pid or 0
    os.kill(first, signal.SIGKILL)
    with pytest.raises(Unavailable):
        await near(words)
    await words.put({"b": None})
    assert await again(words) == [("d", 0.25), ("a", 1.5)]
    await vision.stop()


async def test_what_is_no_word_is_refused_and_the_others_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    words = HostWordList(None, "watchlist/plates")
    await words.put({"a": "1กข7"})
    for wrong in ("", "ก", "ก" * 13, "ก\n1"):
        with pytest.raises(InvalidInput, match="2 to 12 letters"):
            await words.put({"b": wrong})
    monkeypatch.setattr(wordlists, "MOST_WORDS", 1)
    with pytest.raises(LimitExceeded, match="more than 1 words"):
        await words.put({"b": "1กข8"})
    with pytest.raises(Unavailable):  # a hub without a vision process
        await near(words)
