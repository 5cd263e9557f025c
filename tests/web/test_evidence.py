"""Pictures and the ledger of who looked at them; the public listener."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

import pytest

from hub.access.audit import Entry, entries
from tests.web.conftest import Door, Start

JPEG = b"\xff\xd8\xff\xe0 not much of a picture \xff\xd9"


def chain_holds(found: list[Entry]) -> bool:
    """Numbers without gaps, each entry's hash its own, each holding the one before."""
    before = "0" * 64
    for n, entry in enumerate(found, 1):
        if (entry.n, entry.prev) != (n, before) or entry.computed() != entry.hash:
            return False
        before = entry.hash
    return True


async def test_each_look_at_a_picture_leaves_a_line(door: Door) -> None:
    name = await door.app.media.put(JPEG, "image/jpeg", "incidents")
    signed = await door.signed_in("ccoc")
    for headers in (signed, door.folks.bearer("patrol")):
        async with door.http.get(f"{door.url}/api/media/{name}", headers=headers) as answer:
            assert (answer.status, await answer.read(), answer.content_type) == (200, JPEG, "image/jpeg")
            assert "Content-Disposition" not in answer.headers
            assert answer.headers["Cache-Control"].startswith("private")
    for role in ("display", "partner"):  # the wall shows no plate, and a picture does not say yet whose it is
        async with door.http.get(f"{door.url}/api/media/{name}", headers=door.folks.bearer(role)) as answer:
            assert answer.status == 403
    token = door.folks.tokens["patrol"].split("_")[1]
    lines = [(row["who"], row["what"], row["subject"], row["purpose"]) for row in entries(door.app.journal)]
    assert lines == [
        ("user:is_ccoc", "media.read", name, "duty.ccoc_watch"), (f"token:{token}", "media.read", name, "duty.patrol"),
    ]  # fmt: skip


async def test_what_a_browser_might_run_is_not_shown_inline(door: Door) -> None:
    name = await door.app.media.put(b"<script>alert(1)</script>", "text/html", "incidents")
    async with door.http.get(f"{door.url}/api/media/{name}", headers=door.folks.bearer("ccoc")) as answer:
        assert (answer.status, answer.headers["Content-Disposition"]) == (200, "attachment")


async def test_an_unknown_picture_is_not_found_and_leaves_no_line(door: Door) -> None:
    for name in (hashlib.sha256(b"x").hexdigest(), "x", "..%2f..%2fmaster.key", "%2e%2e"):
        status, answer = await door.ask("GET", f"/api/media/{name}", "ccoc")
        assert (status, answer["error"]["code"]) == (404, "not_found"), name
    assert entries(door.app.journal) == []


async def test_the_ledger_holds_together_and_shows_a_change(start: Start) -> None:
    door = await start(memory=False)
    name = await door.app.media.put(JPEG, "image/jpeg", "incidents")
    for role in ("ccoc", "operator", "patrol"):
        assert (await door.ask("GET", f"/api/media/{name}", role, raw=True))[0] == 200
    page = (await door.ask("GET", "/api/audit", "auditor"))[1]
    found = [Entry(**row) for row in page["entries"]]
    assert [entry.what for entry in found] == ["media.read"] * 3 + ["audit.read"]  # who reads it stands in it
    assert chain_holds(found) and found[-1].hash == page["head"]["hash"]
    assert not chain_holds([found[0], replace(found[1], who="user:other"), *found[2:]])
    assert not chain_holds([found[0], *found[2:]])
    part = (await door.ask("GET", "/api/audit?after=2&limit=2", "auditor"))[1]
    assert [row["n"] for row in part["entries"]] == [3, 4]


async def test_reading_plates_leaves_a_line_with_the_purpose(door: Door) -> None:
    door.entity("camera.c")
    door.emit("plate_read", {"series": "1กข", "number": "1"}, "camera.c")
    signed = await door.signed_in("ccoc")
    assert len((await door.ask("GET", "/api/events?type=plate_read", headers=signed))[1]) == 1
    assert len((await door.ask("GET", "/api/events?type=plate_read", "display"))[1]) == 1  # masked: nothing was seen
    (line,) = entries(door.app.journal)
    assert (line["who"], line["what"], line["purpose"], line["detail"]) == (
        "user:is_ccoc", "event.read", "duty.ccoc_watch", {"events": 1},
    )  # fmt: skip
    assert "1กข1" not in str(line)


async def test_the_public_listener_serves_hooks_and_health_alone(start: Start) -> None:
    door = await start(top="web: {host: 127.0.0.1, port: 0, public: {host: 127.0.0.1, port: 0}}\n")
    public = f"http://127.0.0.1:{door.app.addresses[1][1]}"
    assert door.app.addresses[1][1] != door.app.addresses[0][1]
    for route in door.app.server.routes:
        headers = door.folks.bearer("commander")
        url = public + route.path.replace("{", "").replace("}", "")
        async with door.http.request(route.method, url, headers=headers) as answer:
            assert answer.status == (200 if route.path == "/api/health" else 404), route
            if answer.status == 200:
                assert (await answer.json()).keys() == {"status", "version", "seq"}
    async with door.http.get(f"{public}/") as answer:
        assert answer.status == 404 and "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
    position = {"id": "s1", "secret": "secret-of-s1", "lat": "17.0", "lon": "99.8"}
    at = {"timestamp": str(int(door.app.clock.now()))}
    async with door.http.post(f"{public}/hook/units/position", params=position | at) as answer:
        assert answer.status == 200
    async with door.http.post(f"{public}/hook/units/position", params=position | at | {"secret": "wrong"}) as answer:
        assert answer.status == 401
    async with door.http.post(f"{door.url}/hook/units/position", params=position | at) as answer:
        assert answer.status in (404, 405)  # and the staff listener has no hooks then
    async with door.http.post(f"{public}/hook/units/position", data=b"x" * (1 << 20) + b"y") as answer:
        assert answer.status == 413


async def test_a_page_of_the_ledger_reads_no_more_than_the_page(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    door = await start(memory=False)
    for n in range(1, 2_001):
        door.app.ledger.record("user:x", "test", f"n{n}")
    await door.app.pipeline.settled()
    read, rows = door.app.journal.records, list[int]()

    def counted(table: str, after: str | None = None, limit: int | None = None) -> list[tuple[str, Any]]:
        found = read(table, after, limit)
        if table == "audit":
            rows.append(len(found))
        return found

    monkeypatch.setattr(door.app.journal, "records", counted)
    for after, numbers in ((0, range(1, 51)), (1_234, range(1_235, 1_285)), (1_990, range(1_991, 2_004)), (9_999, ())):
        page = (await door.ask("GET", f"/api/audit?after={after}&limit=50", "auditor"))[1]
        assert [row["n"] for row in page["entries"]] == list(numbers)
    assert rows == [50, 50, 13, 0]
