"""Against Debian's Mumble server and a second client: Thai text both ways, and the sound that arrives is compared."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import av
import numpy as np
import pytest

from hub.testing import harness
from plugins.radio_gateway.clips import RATE, Library, Phrase, Sound, tones
from plugins.radio_gateway.conftest import PHRASES, settings
from plugins.radio_gateway.device import Hears, Link, LinkError, Server, Told
from plugins.radio_gateway.wire import Voice

HERE = Path(__file__).parent
ROOT = [{"id": "root", "name": {"th": "รวม", "en": "All"}}]
THAI = "ทุกหน่วยโปรดทราบ น้ำท่วมถนนจรดวิถีถ่อง ฎฏฐ"


class Listener:
    """A second client: what it hears and reads."""

    def __init__(self, port: int, name: str) -> None:
        self.packets: list[Voice] = []
        self.texts: list[Told] = []
        self._changed = asyncio.Event()
        hears = Hears(text=self._text, voice=self._voice)
        self.link = Link(Server("127.0.0.1", port, name, ping_s=0.5), hears)

    def _voice(self, packet: Voice, speaker: str) -> None:
        self.packets.append(packet)
        self._changed.set()

    def _text(self, told: Told) -> None:
        self.texts.append(told)
        self._changed.set()

    async def until(self, what: str, count: int = 1) -> None:
        async with asyncio.timeout(10):
            while not (len(self.texts) >= count if what == "text" else any(one.last for one in self.packets)):
                self._changed.clear()
                await self._changed.wait()

    def sound(self) -> Sound:
        """What was heard, decoded (RFC 6716)."""
        codec = av.CodecContext.create("opus", "r")
        assert isinstance(codec, av.AudioCodecContext)
        codec.sample_rate, codec.layout = RATE, "mono"
        parts = [frame.to_ndarray()[0] for one in self.packets for frame in codec.decode(av.Packet(one.opus))]
        return (np.concatenate(parts) * 32_767).astype(np.int16)


@contextlib.asynccontextmanager
async def listening(port: int, name: str) -> AsyncIterator[Listener]:
    made = Listener(port, name)
    await made.link.open()
    serving = asyncio.create_task(made.link.serve())
    try:
        yield made
    finally:
        serving.cancel()
        with contextlib.suppress(asyncio.CancelledError, LinkError):
            await serving
        await made.link.close()


def envelope(sound: Sound, step_s: float = 0.02) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Loudness (root mean square) of each 20 ms."""
    step = int(RATE * step_s)
    whole = sound[: len(sound) // step * step].astype(np.float64).reshape(-1, step)
    return np.asarray(np.sqrt((whole**2).mean(axis=1)))


def likeness(sent: Sound, heard: Sound) -> float:
    """The greatest correlation of the two envelopes within 100 ms of shift (the codec delays by some of them)."""
    one, two = envelope(sent), envelope(heard)
    best = 0.0
    for shift in range(6):
        length = min(len(one), len(two) - shift)
        best = max(best, float(np.corrcoef(one[:length], two[shift : shift + length])[0, 1]))
    return best


async def test_the_sound_that_arrives_is_the_sound_that_was_sent(murmur: int) -> None:
    library = Library("", [Phrase(one["id"], one["th"], one["en"]) for one in PHRASES], 80, demo_tones=True)
    sent = library.sound(library.plan(["attention", "unit", "{unit}", "sos"], {"unit": "S211"}), 60).sound
    config = settings(murmur, channels=ROOT, demo_tones=True)
    async with listening(murmur, "สายตรวจ211") as radio, harness(HERE, config) as hub:
        await hub.wait_event("radio_channel_changed", match={"count": 1}, timeout=15)
        asked = {"template": "sos", "params": {"unit": "S211"}, "text": THAI, "priority": "critical"}
        outcome = await hub.call("radio.announce", "radio.root", asked)
        assert (outcome.status, outcome.result["listeners"], outcome.result["missing"]) == ("done", 1, {})
        await radio.until("voice")
        heard = radio.sound()
        assert len(heard) == pytest.approx(len(sent), rel=0.02)
        assert likeness(sent, heard) > 0.9
        other = np.concatenate([tones("x")] * (len(sent) // len(tones("x"))))
        assert likeness(other, heard) < 0.7  # the measure tells other sounds apart
        assert [(told.sender, told.text) for told in radio.texts] == [("CCOC", THAI)]
        sequences = [packet.sequence for packet in radio.packets]
        assert sequences == list(range(0, 2 * len(sequences), 2))
        assert [packet.last for packet in radio.packets].count(True) == 1
    print(f"sent {len(sent) / RATE:.3f} s, heard {len(heard) / RATE:.3f} s, likeness {likeness(sent, heard):.3f}")


async def test_texts_talk_and_calls_come_from_a_real_server(murmur: int) -> None:
    async with listening(murmur, "S211") as radio, harness(HERE, settings(murmur, channels=ROOT)) as hub:
        await hub.wait_event("radio_channel_changed", match={"count": 1}, timeout=15)
        assert await radio.link.say(f"{THAI}\n<b>ไม่ใช่แท็ก</b> & สอง") == 1
        told = await hub.wait_event("radio_text_received")
        assert (told.data["sender"], told.data["text"]) == ("S211", f"{THAI}\n<b>ไม่ใช่แท็ก</b> & สอง")
        await radio.link.say("SOS")
        assert (await hub.wait_event("radio_alarm")).data["callsign"] == "S211"

        async def talk() -> AsyncIterator[bytes]:
            for _ in range(25):
                yield bytes.fromhex("f8fffe")
                await asyncio.sleep(0.02)

        assert await radio.link.speak(talk()) == 1
        ended = await hub.wait_event("radio_talk_ended")
        assert ended.data["duration_s"] == pytest.approx(0.5, abs=0.15)


@pytest.mark.parametrize("murmur", ["รหัสวิทยุ"], indirect=True)
async def test_a_real_server_refuses_the_wrong_password_by_name(murmur: int) -> None:
    async with harness(HERE, settings(murmur, channels=ROOT, password="ผิด")) as hub:
        gone = await hub.wait_event("radio_channel_changed", match={"state": "unavailable"}, timeout=15)
        assert gone.data["reason"].startswith("the server's password is wrong")
    async with harness(HERE, settings(murmur, channels=ROOT, password="รหัสวิทยุ")) as hub:
        await hub.wait_event("radio_channel_changed", match={"state": "quiet"}, timeout=15)
