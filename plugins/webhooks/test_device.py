"""Bodies, signatures and senders, value by value."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError

from hub.sdk import ManualClock
from plugins.webhooks.device import MAX_BODY, Bad, is_local, read_body, sender_of, sign, signed_at
from plugins.webhooks.limit import Limit
from plugins.webhooks.settings import Settings

JSON, FORM = "application/json; charset=utf-8", "application/x-www-form-urlencoded"
HOOK: dict[str, Any] = {"id": "a", "name": {"th": "ก", "en": "A"}, "secret": "sixteen-letters-1"}


@pytest.mark.parametrize("value", [{"a": [1, None, "ก"]}, [], "x", 5, 1.5, True, None])
def test_any_json_is_read(value: Any) -> None:
    assert read_body(JSON, json.dumps(value).encode()).json == value
    assert read_body("application/cloudevents+json", json.dumps(value).encode()).json == value


def test_a_form_is_read_and_nothing_is_nothing() -> None:
    assert read_body(FORM, b"a=1&b=%E0%B8%81&c=").form == {"a": "1", "b": "ก", "c": ""}
    nothing = read_body("", b"")
    assert (nothing.json, nothing.form) == (None, {})


@pytest.mark.parametrize(
    ("kind", "body", "status", "words"),
    [
        (JSON, b"{", 400, "not JSON in UTF-8: "), (JSON, b"\xff\xfe", 400, "not JSON in UTF-8: "),
        (JSON, b'"\\ud800"', 400, "not JSON in UTF-8: "), (JSON, b"1e999", 400, "not JSON in UTF-8: "),
        (JSON, b"[" * 17 + b"]" * 17, 400, "nested deeper than 16 levels"),
        (JSON, b"[" * 30_000, 400, "not JSON in UTF-8: "),
        (JSON, b"[" + b"1," * 5_000 + b"1]", 400, "more than 5000 values"),
        (JSON, b'"' + b"x" * MAX_BODY + b'"', 413, f"the body has {MAX_BODY + 2} bytes; at most {MAX_BODY} are taken"),
        (FORM, b"a=%FF", 400, "the form is not in UTF-8"), (FORM, b"\xff=1", 400, "the form is not in UTF-8"),
        (FORM, b"a", 400, "not a form: "), (FORM, b"&".join([b"a=1"] * 201), 400, "not a form: "),
        ("text/plain", b"x", 415, "the content type 'text/plain' is not taken"),
        ("", b"{}", 415, "the content type '' is not taken"),
        ("multipart/form-data; boundary=x", b"--x", 415, "the content type 'multipart/form-data' is not taken"),
    ],
)  # fmt: skip
def test_a_wrong_body_is_named(kind: str, body: bytes, status: int, words: str) -> None:
    with pytest.raises(Bad) as wrong:
        read_body(kind, body)
    assert (wrong.value.status, str(wrong.value)[: len(words)]) == (status, words)


def test_sixteen_levels_are_taken() -> None:
    body = b"[" * 16 + b"]" * 16
    assert json.dumps(read_body(JSON, body).json).encode() == body


def test_only_the_exact_header_of_who_knows_the_secret_is_a_signature() -> None:
    header = sign(b"key", 7, b"body")
    # HMAC-SHA256 of "7.body" under "key", by openssl
    assert header == "t=7,v1=64089aa581edb495748bb7a47e979f6a761baedb9e06713d14122ec6b656948e"
    assert signed_at(b"key", header, b"body") == 7
    for other in ("", "t=,v1=", header.upper(), f"{header} ", header.replace("t=7", "t=07"), f"t={10**13},v1=x", "ก"):
        assert signed_at(b"key", other, b"body") is None
    assert signed_at(b"yek", header, b"body") is None
    assert signed_at(b"key", header, b"body ") is None


@pytest.mark.parametrize(
    ("remote", "local"),
    [
        ("127.0.0.1", True), ("::1", True), ("10.1.2.3", True), ("172.31.0.1", True), ("172.32.0.1", False),
        ("192.168.1.9", True), ("::ffff:192.168.1.9", True), ("::ffff:8.8.8.8", False), ("fd00::5", True),
        ("fe80::1%eth0", True), ("2001:db8::7", False), ("203.0.113.9", False), ("100.64.0.1", False), ("", False),
        ("unix:", False),
    ],
)  # fmt: skip
def test_what_is_local(remote: str, local: bool) -> None:
    assert is_local(remote) is local


def test_who_is_one_sender() -> None:
    assert sender_of("2001:db8:0:1::7") == sender_of("2001:db8:0:1:ffff::") == "2001:db8:0:1::/64"
    assert (sender_of("::ffff:8.8.8.8"), sender_of("8.8.4.4"), sender_of("")) == ("8.8.8.8", "8.8.4.4", "")


def test_one_sender_has_its_share_and_all_together_four_times_as_much() -> None:
    clock = ManualClock()
    limit = Limit(clock, 6)
    assert [limit.take("8.8.8.8") for _ in range(7)] == [True] * 6 + [False]
    assert [limit.take(f"8.8.4.{n}") for n in range(19)] == [True] * 18 + [False]
    clock.advance(10)  # one for each sender, four for all
    assert [limit.take(f"8.8.5.{n}") for n in range(5)] == [True] * 4 + [False]
    clock.advance(3_600)
    assert [limit.take("8.8.8.8") for _ in range(7)] == [True] * 6 + [False]


def test_a_thousand_senders_are_remembered_at_most() -> None:
    limit = Limit(ManualClock(), 600)
    for number in range(1_500):
        limit.take(f"8.{number // 250}.{number % 250}.1")
    assert len(limit._senders) == 1_000


@pytest.mark.parametrize(
    ("hooks", "words"),
    [
        ([HOOK | {"secret": "short"}], "at least 16 items"), ([HOOK | {"secret": "a/b" * 10}], "letters, digits"),
        ([HOOK | {"id": "A-1"}], "pattern"), ([HOOK | {"sign": True, "methods": ["GET"]}], "leave GET out"),
        ([HOOK | {"methods": ["DELETE"]}], "'POST', 'PUT' or 'GET'"), ([HOOK, HOOK], "the id 'a' is used twice"),
        ([HOOK, HOOK | {"id": "b"}], "a secret of its own"), ([], "at least 1 item"),
    ],
)  # fmt: skip
def test_wrong_settings_are_named(hooks: list[Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        Settings.model_validate({"hooks": hooks})
