"""Announcements from recorded phrases: the table, what a template becomes, and the sound of it.

No Thai voice ships with the hub. A station records its own phrases; where none are recorded, the text goes out alone,
and the demo stands in with tone patterns that are marked as simulated.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import av
import numpy as np
from av.audio.resampler import AudioResampler

RATE = 48_000
FRAME = RATE // 50  # 20 ms
BIT_RATE = 32_000
MAX_CLIP_S = 20.0
MAX_FILE = 10 << 20
MAX_HELD = 300
_TONES = (523.25, 587.33, 659.25, 698.46, 783.99, 880.0, 987.77, 1046.5)  # C5 to C6, Hz

Sound = np.ndarray[tuple[int], np.dtype[np.int16]]


@dataclass(frozen=True, slots=True)
class Phrase:
    """One recorded phrase. ``file``: in the clips folder; empty when it is not recorded yet."""

    id: str
    th: str
    en: str
    file: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be said: phrases to play, words to show, and the ids that no phrase has."""

    clips: tuple[str, ...]
    text: str
    unknown: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Said:
    """The sound of a plan. ``missing``: phrase → why it is not in it. ``simulated``: tones stood for speech."""

    sound: Sound
    missing: Mapping[str, str] = field(default_factory=dict)
    simulated: bool = False

    @property
    def seconds(self) -> float:
        """How long it is."""
        return len(self.sound) / RATE


class BadClip(ValueError):
    """A recording that cannot be used; the text says why."""


class Library:
    """The phrases of a station, and their sound."""

    def __init__(self, folder: str, phrases: Sequence[Phrase], gap_ms: int = 80, demo_tones: bool = False) -> None:
        self._folder = Path(folder) if folder else None
        self._phrases = {phrase.id: phrase for phrase in phrases}
        self._gap, self._demo_tones = np.zeros(RATE * gap_ms // 1000, np.int16), demo_tones
        self._held: dict[tuple[str, int, int], Sound] = {}

    def plan(self, parts: Sequence[str], params: Mapping[str, str]) -> Plan:
        """Phrases in order; ``{name}`` is filled from ``params``: a phrase's id, or else letter by letter."""
        clips: list[str] = []
        words: list[str] = []
        unknown: list[str] = []
        for part in parts:
            blank = part.startswith("{") and part.endswith("}")
            value = params.get(part[1:-1], "").strip() if blank else part
            if value.lower() in self._phrases:
                ids, shown = [value.lower()], value if blank else self._phrases[value.lower()].th
            elif blank and value:
                ids, shown = [letter.lower() for letter in value if letter.isalnum()], value
            else:
                ids, shown = [part], value
            words.append(shown)
            clips += [one for one in ids if one in self._phrases]
            unknown += [one for one in ids if one not in self._phrases]
        return Plan(tuple(clips), " ".join(filter(None, words)), tuple(unknown))

    def sound(self, plan: Plan, longest_s: float) -> Said:
        """The recordings joined, at most ``longest_s`` seconds. It reads files: call it in a thread."""
        parts: list[Sound] = []
        missing = dict.fromkeys(plan.unknown, "there is no such phrase")
        simulated = False
        for clip in plan.clips:
            try:
                one = self._load(self._phrases[clip])
            except BadClip as wrong:
                if not self._demo_tones:
                    missing[clip] = str(wrong)
                    continue
                one, simulated = tones(clip), True
            parts += [one, self._gap]
        joined = np.concatenate(parts[:-1]) if parts else np.zeros(0, np.int16)
        return Said(joined[: int(longest_s * RATE)], missing, simulated)

    def _load(self, phrase: Phrase) -> Sound:
        if not phrase.file or self._folder is None:
            raise BadClip("it is not recorded")
        path = self._folder / phrase.file
        try:
            known = path.stat()
        except OSError:
            raise BadClip(f"the file {phrase.file} is not in {self._folder}") from None
        if known.st_size > MAX_FILE:
            raise BadClip(f"the file {phrase.file} is over {MAX_FILE >> 20} MiB")
        key = (phrase.file, known.st_mtime_ns, known.st_size)
        if key not in self._held:
            while len(self._held) >= MAX_HELD:
                del self._held[next(iter(self._held))]
            self._held[key] = read_clip(path)
        return self._held[key]


def read_clip(path: Path) -> Sound:
    """A WAV, Opus or other sound file as 48 kHz mono; ``BadClip`` when it is none or longer than 20 s."""
    parts: list[Sound] = []
    length = 0
    try:
        with av.open(str(path)) as container:
            resampler = AudioResampler(format="s16", layout="mono", rate=RATE)
            for frame in container.decode(container.streams.audio[0]):
                for even in resampler.resample(frame):
                    parts.append(even.to_ndarray()[0].astype(np.int16))
                    length += len(parts[-1])
                if length > MAX_CLIP_S * RATE:
                    raise BadClip(f"the file {path.name} is longer than {MAX_CLIP_S:g} s")
            parts += [even.to_ndarray()[0].astype(np.int16) for even in resampler.resample(None)]
    except (av.FFmpegError, IndexError, OSError, ValueError) as wrong:
        if isinstance(wrong, BadClip):
            raise
        raise BadClip(f"the file {path.name} is no sound that can be read") from None
    if not length:
        raise BadClip(f"the file {path.name} is empty")
    return np.concatenate(parts)


def tones(phrase: str) -> Sound:
    """Three tones that tell phrases apart by ear: a stand-in of the demo, not speech. About 0.4 s."""
    code = hashlib.sha256(phrase.encode()).digest()
    t = np.arange(RATE * 12 // 100) / RATE
    edge = np.minimum(1.0, np.minimum(t, t[::-1]) / 0.01)  # 10 ms in and out: no clicks
    parts = [np.sin(2 * np.pi * _TONES[code[place] % len(_TONES)] * t) * edge * 9_000 for place in range(3)]
    return np.concatenate([part.astype(np.int16) for part in parts])


def _encoder() -> av.AudioCodecContext:
    codec = av.CodecContext.create("libopus", "w")
    if not isinstance(codec, av.AudioCodecContext):  # pragma: no cover - libopus is a sound codec
        raise TypeError("libopus is no sound codec")
    codec.sample_rate, codec.layout, codec.format = RATE, "mono", "s16"
    codec.bit_rate, codec.options = BIT_RATE, {"frame_duration": "20", "application": "audio", "vbr": "constrained"}
    codec.open()
    return codec


def packets(sound: Sound) -> list[bytes]:
    """Opus packets of 20 ms (RFC 6716). A whole minute is 3,000 packets and takes about a second: use a thread."""
    codec, made = _encoder(), list[bytes]()
    for begin in range(0, len(sound), FRAME):
        part = sound[begin : begin + FRAME]
        padded = np.zeros((1, FRAME), np.int16)
        padded[0, : len(part)] = part
        frame = av.AudioFrame.from_ndarray(padded, format="s16", layout="mono")
        frame.sample_rate, frame.pts = RATE, begin
        made += [bytes(packet) for packet in codec.encode(frame)]
    return made + [bytes(packet) for packet in codec.encode(None)]


async def paced(opus: Sequence[bytes]) -> AsyncIterator[bytes]:
    """Packets in real time, 20 ms apart. Falling behind, it catches up at most half a second at once."""
    loop = asyncio.get_running_loop()
    due = loop.time()
    for packet in opus:
        due = max(due, loop.time() - 0.5)
        await asyncio.sleep(max(0.0, due - loop.time()))
        yield packet
        due += FRAME / RATE
