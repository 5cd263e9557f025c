"""The reader of position posts, against texts of real clients and against walking phones over real HTTP."""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
import math
import sys
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from hypothesis import given
from hypothesis import strategies as st

from hub.sdk import InvalidInput, distance_m
from plugins.units import device, fake
from plugins.units.device import BadPosition, Fix, Post, parse_post, presented
from plugins.units.phone import items_of

NOW = 1_790_000_000.0
TRACCAR: dict[str, Any] = {
    "location": {
        "timestamp": "2026-09-21T14:13:10.500Z",
        "coords": {
            "latitude": 17.0079, "longitude": 99.8228, "accuracy": 4.5, "speed": 1.25, "heading": 270, "altitude": 50,
        },
        "battery": {"level": 0.62, "is_charging": False},
        "is_moving": True,
    },
    "device_id": "s211",
}  # fmt: skip


def changed(path: str, value: Any) -> bytes:
    """The Traccar post with one field changed (or removed, for ``...``)."""
    document = json.loads(json.dumps(TRACCAR))
    *above, last = path.split(".")
    holder = document
    for name in above:
        holder = holder[name]
    if value is ...:
        del holder[last]
    else:
        holder[last] = value
    return json.dumps(document).encode()


def test_traccar_json() -> None:
    post = parse_post({}, json.dumps(TRACCAR).encode(), NOW)
    assert post == Post("traccar", Fix("s211", 1789999990.5, 17.0079, 99.8228, 4.5, 1.25, 270.0, 62.0, True), b"{}")


def test_unknown_measurements_are_none() -> None:
    document = json.loads(json.dumps(TRACCAR))
    document["location"]["coords"] |= {"speed": -1, "heading": -1, "accuracy": None}
    document["location"] |= {"battery": {"level": -1}, "is_moving": None}
    fix = parse_post({}, json.dumps(document).encode(), NOW).fix
    assert fix == Fix("s211", 1789999990.5, 17.0079, 99.8228)


def test_older_query_form_has_knots() -> None:
    query = {"id": "123456", "lat": "17.01", "lon": "99.82", "timestamp": "1789999999", "batt": "41.0",
             "accuracy": "12.5", "speed": "10", "bearing": "360"}  # fmt: skip
    post = parse_post(query, b"", NOW)
    assert post.form == "osmand"
    assert post.fix is not None
    assert post.fix.speed_mps == pytest.approx(5.14444, abs=1e-5)
    assert (post.fix.device_id, post.fix.at, post.fix.heading_deg, post.fix.battery_pct) == ("123456", NOW - 1, 0, 41)


@pytest.mark.parametrize("stamp", ["1789999999", "1789999999000", "2026-09-21T14:13:19Z", "2026-09-21 14:13:19"])
def test_times_of_clients(stamp: str) -> None:
    fix = parse_post({"id": "a", "lat": "1", "lon": "2", "timestamp": stamp}, b"", NOW).fix
    assert fix is not None
    assert fix.at == 1789999999


def test_owntracks() -> None:
    body = {"_type": "location", "tid": "11", "tst": 1789999999, "lat": 17.01, "lon": 99.82, "acc": 8, "batt": 33,
            "vel": 36, "cog": 91}  # fmt: skip
    post = parse_post({}, json.dumps(body).encode(), NOW, "s212")
    assert post == Post("owntracks", Fix("s212", 1789999999, 17.01, 99.82, 8, 10.0, 91, 33), b"[]")


@pytest.mark.parametrize("body", [b"", b" \n", b'{"_type":"lwt","tst":1}', b'{"_type":"transition"}'])
def test_what_is_no_position_is_answered_with_an_array(body: bytes) -> None:
    assert parse_post({}, body, NOW, "s212") == Post("owntracks", None, b"[]")


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("device_id", ..., "device_id is missing: it names the device"),
        ("device_id", "x" * 65, "device_id is no device id: a text of at most 64 characters"),
        ("device_id", "a\nb", "device_id is no device id: a text of at most 64 characters"),
        ("location", [], "location is no JSON object"),
        ("location.coords", ..., "location.coords is missing"),
        ("location.coords.latitude", 90.001, "location.coords.latitude is 90.001, not within -90 to 90"),
        ("location.coords.latitude", True, "location.coords.latitude is no number"),
        ("location.coords.longitude", "NaN", "location.coords.longitude is no number"),
        ("location.coords.longitude", math.inf, "location.coords.longitude is no number"),
        ("location.coords.speed", 900, "location.coords.speed is 900, not within 0 to 350"),
        ("location.battery.level", 55, "location.battery.level is 55, not within 0 to 1"),
        ("location.coords.heading", 361, "location.coords.heading is 361, not within 0 to 360"),
        ("location.coords.accuracy", 10**400, "location.coords.accuracy is no number"),
        ("location.timestamp", "yesterday", "location.timestamp is no time: seconds since 1970 or ISO 8601"),
        ("location.timestamp", NOW + 601, "location.timestamp is 601 s ahead: set the phone's clock"),
        ("location.timestamp", NOW - 31 * 86400, "location.timestamp is more than 30 days old"),
    ],
)
def test_refusals_say_what_is_wrong(path: str, value: Any, words: str) -> None:
    with pytest.raises(BadPosition) as refused:
        parse_post({}, changed(path, value), NOW)
    assert str(refused.value) == words


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"x" * (device.MAX_BODY + 1), "the body is over 16 KB"),
        (b"lat=1", "the body is no JSON"),
        (b"[" * 9000, "the body is no JSON"),
        (b"[1]", "the body is no JSON object"),
        (b'{"_type":"location","lat":1,"lon":2,"tst":1790000000}', "the user name of HTTP Basic is missing"),
    ],
)
def test_bodies_that_are_refused(body: bytes, words: str) -> None:
    with pytest.raises(BadPosition, match=words):
        parse_post({}, body, NOW)


@given(st.dictionaries(st.sampled_from(["id", "lat", "lon", "timestamp", "speed", "batt"]), st.text()), st.binary())
def test_nothing_but_a_position_or_a_refusal_comes_out(query: dict[str, str], body: bytes) -> None:
    try:
        fix = parse_post(query, body, NOW, "s1").fix
    except BadPosition:
        return
    assert fix is None or (abs(fix.lat) <= 90 and abs(fix.lon) <= 180 and NOW - device.MAX_AGE_S <= fix.at <= NOW + 600)


def test_how_secrets_are_presented() -> None:
    basic = "Basic " + base64.b64encode(b"s212:a:b").decode()
    assert presented({}, {"authorization": basic}) == ("s212", "a:b")
    assert presented({"id": "s211", "secret": "x"}, {}) == ("s211", "x")
    assert presented({"secret": "x"}, {"authorization": "Basic ***"}) == ("", "")
    assert presented({}, {}) == ("", "")


def test_a_walk_keeps_to_its_round() -> None:
    route = ((17.0, 99.0), (17.001, 99.0), (17.001, 99.001))
    north = fake.along(route, 50)
    assert (round(north.lat, 6), north.lon, north.heading) == (17.00045, 99.0, 0.0)
    assert fake.along(route, 150).heading == pytest.approx(90, abs=0.1)
    steps = [fake.along(fake.ROUTE, metres) for metres in range(0, 5000, 10)]
    gaps = [distance_m((a.lat, a.lon), (b.lat, b.lon)) for a, b in itertools.pairwise(steps)]
    assert max(gaps) < 10.1
    assert min(gaps) > 5  # corners are cut


async def test_phones_of_all_forms_over_http() -> None:
    seen: list[tuple[Fix, str]] = []

    async def hook(request: web.Request) -> web.Response:
        who, secret = presented(request.query, {k.lower(): v for k, v in request.headers.items()})
        post = parse_post(request.query, await request.read(), NOW, who)
        assert post.fix is not None
        seen.append((post.fix, secret))
        return web.Response(body=post.answer, content_type="application/json")

    app = web.Application()
    app.router.add_post("/hook/units/position", hook)
    phones = [fake.Phone(f"s{form}", f"key-{form}", form, speed_mps=10) for form in fake.FORMS]
    async with TestServer(app) as server:
        ticks = iter([NOW - 100.0] + [NOW - 90.0] * 3)
        url = str(server.make_url("/hook/units/position"))
        await asyncio.wait_for(fake.walk(url, phones, interval_s=0, posts=1, now=lambda: next(ticks)), 10)
    place = fake.along(fake.ROUTE, 100)
    assert sorted(secret for _, secret in seen) == ["key-osmand", "key-owntracks", "key-traccar"]
    for fix, secret in seen:
        assert fix.device_id == f"s{secret[4:]}"
        assert (fix.at, fix.accuracy_m, fix.battery_pct) == (NOW - 90, 6, 87)
        assert distance_m((fix.lat, fix.lon), (place.lat, place.lon)) < 0.05
        assert fix.speed_mps == pytest.approx(10, abs=0.01)
        assert fix.heading_deg == pytest.approx(place.heading, abs=0.6)


async def test_a_phone_counts_what_did_not_arrive(capfd: pytest.CaptureFixture[str]) -> None:
    phone = fake.Phone("s1", "k")
    await fake.walk("http://127.0.0.1:9/nobody", [phone], interval_s=0, posts=2)
    assert (phone.posted, phone.failed, phone.last_status) == (0, 2, None)
    assert capfd.readouterr().err == "s1: http://127.0.0.1:9/nobody answers nothing\n"


async def test_the_program_ends_when_standard_input_closes() -> None:
    came = asyncio.Event()

    async def hook(request: web.Request) -> web.Response:
        came.set()
        return web.json_response({})

    app = web.Application()
    app.router.add_post("/p", hook)
    async with TestServer(app) as server:
        words = ["--url", str(server.make_url("/p")), "--phone", "s211:k", "--interval", "0.05"]
        program = await asyncio.create_subprocess_exec(
            sys.executable, str(Path(fake.__file__)), *words, stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        assert program.stdin is not None
        assert program.stdout is not None
        line = await asyncio.wait_for(program.stdout.readline(), 20)
        assert json.loads(line) == {"ready": True, "port": None, "phones": ["s211"]}
        await asyncio.wait_for(came.wait(), 20)
        program.stdin.close()
        assert await asyncio.wait_for(program.wait(), 10) == 0


def test_half_a_letter_is_no_json_since_it_could_not_be_answered() -> None:
    with pytest.raises(InvalidInput, match="the body is no JSON"):
        items_of(b'{"items": [{"id": "\\ud800", "kind": "tap"}]}')
    with pytest.raises(BadPosition, match="no device id"):
        parse_post({}, b'{"device_id": "\\ud800", "location": {"coords": {}}}', NOW)
