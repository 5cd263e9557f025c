"""Phrases, templates, blanks and recordings."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import pytest

from plugins.radio_gateway.clips import RATE, BadClip, Library, Phrase, packets, read_clip, tones

PHRASES = [Phrase("sos", "ขอความช่วยเหลือ", "help", "sos.wav"), Phrase("unit", "หน่วย", "unit"), Phrase("2", "สอง", "two"),
           Phrase("1", "หนึ่ง", "one"), Phrase("s", "เอส", "s")]  # fmt: skip


def write_wav(path: Path, seconds: float, rate: int = 16_000) -> None:
    sound = (np.sin(2 * np.pi * 440 * np.arange(int(rate * seconds)) / rate) * 12_000).astype("<i2")
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(sound.tobytes())


def test_a_blank_is_a_phrase_or_else_read_letter_by_letter() -> None:
    library = Library("", PHRASES)
    plan = library.plan(["unit", "{who}", "sos"], {"who": "S211"})
    assert (plan.clips, plan.text, plan.unknown) == (
        ("unit", "s", "2", "1", "1", "sos"), "หน่วย S211 ขอความช่วยเหลือ", ()
    )  # fmt: skip
    assert library.plan(["{who}"], {"who": "unit"}).clips == ("unit",)


def test_what_no_phrase_has_is_named_and_the_rest_stays() -> None:
    plan = Library("", PHRASES).plan(["unit", "{who}", "{where}", "bridge"], {"who": "2ก"})
    assert (plan.clips, plan.unknown) == (("unit", "2"), ("ก", "{where}", "bridge"))
    assert plan.text == "หน่วย 2ก bridge"


def test_recordings_are_joined_at_48_khz_with_gaps(tmp_path: Path) -> None:
    write_wav(tmp_path / "sos.wav", 0.5)
    library = Library(str(tmp_path), PHRASES, gap_ms=100)
    said = library.sound(library.plan(["sos", "sos"], {}), 60)
    assert (said.missing, said.simulated) == ({}, False)
    assert said.seconds == pytest.approx(1.1, abs=0.005)
    assert int(np.abs(said.sound).max()) == pytest.approx(12_000, rel=0.03)
    assert not said.sound[int(0.51 * RATE) : int(0.59 * RATE)].any()
    assert library.sound(library.plan(["sos", "sos"], {}), 0.3).seconds == pytest.approx(0.3)


def test_a_missing_recording_is_said_and_a_tone_is_marked(tmp_path: Path) -> None:
    plan = Library(str(tmp_path), PHRASES).plan(["sos", "unit"], {})
    said = Library(str(tmp_path), PHRASES).sound(plan, 60)
    assert said.missing == {"sos": f"the file sos.wav is not in {tmp_path}", "unit": "it is not recorded"}
    assert (len(said.sound), said.simulated) == (0, False)
    demo = Library(str(tmp_path), PHRASES, demo_tones=True).sound(plan, 60)
    assert (demo.missing, demo.simulated) == ({}, True)
    assert not np.array_equal(tones("sos"), tones("unit"))


def test_broken_empty_and_endless_recordings_are_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "text.wav").write_bytes(b"no sound at all" * 100)
    (tmp_path / "empty.wav").write_bytes(b"")
    write_wav(tmp_path / "long.wav", 21, 8_000)
    for name, words in (("text", "is no sound that can be read"), ("empty", "is no sound that can be read"),
                        ("long", "is longer than 20 s")):  # fmt: skip
        with pytest.raises(BadClip, match=f"the file {name}.wav {words}"):
            read_clip(tmp_path / f"{name}.wav")


def test_a_second_is_fifty_packets_that_fit_the_server() -> None:
    made = packets(np.concatenate([tones(one) for one in "abc"])[:RATE])
    assert len(made) in (50, 51)  # the encoder's look-ahead may need one more
    assert sum(map(len, made)) * 8 < 45_000
