"""The wire against numbers from the specifications, and against bytes that are not Mumble."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugins.radio_gateway import fake
from plugins.radio_gateway.wire import BadMessage, Voice, decode, encode, number, varint, voice


def test_varints_are_those_of_protobuf() -> None:
    assert (varint(0), varint(1), varint(150), varint(300)) == (b"\x00", b"\x01", b"\x96\x01", b"\xac\x02")
    assert varint((1 << 64) - 1) == b"\xff" * 9 + b"\x01"


def test_a_text_message_is_these_bytes() -> None:
    raw = encode("TextMessage", {"channel_id": [3], "message": "ก"})
    assert raw.hex() == "000b000000071803" + "2a03e0b881"
    assert decode(11, raw[6:]) == ("TextMessage", {"session": [], "channel_id": [3], "tree_id": [], "message": "ก"})


def test_the_fake_and_the_client_read_each_other() -> None:
    raw = fake.message(9, (1, 300), (3, "สายตรวจ 211"), (5, 2))
    assert decode(9, raw[6:]) == ("UserState", {"session": 300, "name": "สายตรวจ 211", "channel_id": 2})
    ours = encode("UserState", {"session": 300, "channel_id": 2})
    assert list(fake.parts(ours[6:])) == [(1, 300), (5, 2)]


def test_mumbles_own_numbers() -> None:
    known = {0x7F: "7f", 0x80: "8080", 0x3FFF: "bfff", 0x4000: "c04000", 0x200000: "e0200000", 1 << 28: "f010000000"}
    assert {value: number(value).hex() for value in known} == known


@given(st.integers(0, 127), st.integers(0, (1 << 40) - 1), st.binary(max_size=600), st.booleans())
def test_voice_comes_back_as_it_was(session: int, sequence: int, opus: bytes, last: bool) -> None:
    sent = Voice(sequence, opus, last).to_server()[6:]
    heard = voice(sent[:1] + number(session) + sent[1:])
    assert heard == Voice(sequence, opus, last, session)


@given(st.integers(0, 30), st.binary(max_size=200))
def test_any_bytes_are_read_or_refused_by_name(kind: int, payload: bytes) -> None:
    for read in (lambda: decode(kind, payload), lambda: voice(payload)):
        try:
            read()
        except BadMessage as wrong:
            assert str(wrong)


@pytest.mark.parametrize(("payload", "words"), [
    (b"\x2a\x05ab", "TextMessage is malformed: field 5 is longer than the message"),
    (b"\x28\x01", "TextMessage is malformed: message has the wrong type"),
    (b"\x2a\x02\xff\xfe", "TextMessage is malformed: message is no UTF-8 text"),
    (b"\x80", "TextMessage is malformed: it ends in the middle of a number"),
    (b"\xff" * 11, "TextMessage is malformed: a number is longer than ten bytes"),
    (b"\x2b", "TextMessage is malformed: field 5 has the unknown wire type 3"),
])  # fmt: skip
def test_what_is_wrong_is_named(payload: bytes, words: str) -> None:
    with pytest.raises(BadMessage) as wrong:
        decode(11, payload)
    assert str(wrong.value) == words


def test_messages_of_no_concern_are_passed_over() -> None:
    assert decode(15, b"\x0a\x10" + bytes(16)) is None
    assert voice(b"\x20\x01") is None  # a ping
