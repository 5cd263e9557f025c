"""The handover note: what the hub knows to be open, an officer's own words, and two signatures."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

from hub.capabilities import ShiftHandedOver, ShiftHandoverSigned
from hub.sdk import Conflict, Context, EntityState, HubError, NotFound

CURRENT = "shift.current"
MAX_LINES = 100  # of one kind on the page; the count is of all
DAY_S = 86_400.0
KEPT = 2_000
NO_DEVICES = frozenset({"alarm", "incident", "report", "hit", "shift", "officer", "notice", "confirmation", "track"})
Line = dict[str, Any]
SECTIONS = ("incidents", "alarms", "shelved", "silent", "reports", "lights", "watchlist")


def canonical(document: Mapping[str, Any]) -> bytes:
    """JSON in one way only: keys in order, no spaces, UTF-8."""
    return json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def digest(document: Mapping[str, Any]) -> str:
    """SHA-256 (hex) over the note and its signatures, without the hash itself."""
    return hashlib.sha256(canonical({key: value for key, value in document.items() if key != "hash"})).hexdigest()


def _name(state: EntityState) -> str:
    name = state.attributes.get("name")
    return str(name.get("th", state.entity)) if isinstance(name, dict) else state.entity


def _line(state: EntityState, what: str, detail: object = "", since: object = None) -> Line:
    when = since if isinstance(since, (int, float)) else state.changed
    return {"ref": state.entity, "what": what[:200], "detail": str(detail or "")[:200], "since": when}


def _silent(state: EntityState) -> str:
    about = state.attributes
    if about.get("silent") is True:
        return "เงียบ"
    if about.get("available") is False or state.state == "unavailable":
        return "ติดต่อไม่ได้"
    return "ขัดข้อง" if state.domain == "plugin" and state.state in ("retrying", "failed") else ""


class Survey:
    """Looks at what is open now. ``domains``: of the devices that are looked at."""

    def __init__(self, ctx: Context, domains: Iterable[str], expiring_days: float) -> None:
        self._ctx, self._domains = ctx, sorted(set(domains) - NO_DEVICES)
        self._expiring_s = expiring_days * DAY_S

    async def sections(self) -> dict[str, dict[str, Any]]:
        """``{"count", "lines", "problem"}`` of each kind. What cannot be looked at says so: nothing is left out."""
        looks: dict[str, Callable[[], Awaitable[list[Line]]]] = {
            "incidents": self._incidents, "alarms": self._alarms, "shelved": self._shelved, "silent": self._devices,
            "reports": self._reports, "lights": self._lights, "watchlist": self._expiring,
        }  # fmt: skip
        made: dict[str, dict[str, Any]] = {}
        for kind in SECTIONS:
            try:
                lines = await looks[kind]()
                made[kind] = {"count": len(lines), "lines": lines[:MAX_LINES], "problem": ""}
            except HubError as wrong:
                made[kind] = {"count": 0, "lines": [], "problem": str(wrong)[:200]}
        return made

    async def _incidents(self) -> list[Line]:
        there = [one for one in await self._ctx.states("incident") if one.state not in ("closed", "unknown")]
        lines = [
            _line(one, f"{one.attributes.get('reference', '')} {one.attributes.get('title') or _name(one)}".strip(),
                  " · ".join(filter(None, (one.state, one.attributes.get("unit")))), one.attributes.get("opened_at"))
            for one in there
        ]  # fmt: skip
        return sorted(lines, key=lambda line: float(line["since"]))

    async def _alarms(self) -> list[Line]:
        there = [one for one in await self._ctx.states("alarm") if one.state in ("unacknowledged", "acknowledged")]
        return [_line(one, str(one.attributes.get("title") or _name(one)),
                      " · ".join(filter(None, (one.state, one.attributes.get("owner_officer")))),
                      one.attributes.get("raised_at")) for one in there]  # fmt: skip

    async def _shelved(self) -> list[Line]:
        there = [one for one in await self._ctx.states("alarm") if one.state == "shelved"]
        return [
            {**_line(one, str(one.attributes.get("title") or _name(one)), one.attributes.get("shelve_reason")),
             "until": one.attributes.get("shelved_until")}
            for one in there
        ]  # fmt: skip

    async def _devices(self) -> list[Line]:
        lines = []
        for domain in self._domains:
            for one in await self._ctx.states(domain):
                if words := _silent(one):
                    lines.append(_line(one, _name(one), f"{words} {one.attributes.get('reason') or ''}".strip()))
        return lines

    async def _reports(self) -> list[Line]:
        there = [one for one in await self._ctx.states("report")
                 if one.state not in ("closed", "unknown") and not one.attributes.get("merged_into")]  # fmt: skip
        lines = [
            _line(one, f"{one.attributes.get('receipt', '')} {one.attributes.get('place') or ''}".strip(),
                  f"{one.attributes.get('channel', '')} · {one.state}", one.attributes.get("received_at"))
            for one in there
        ]  # fmt: skip
        return sorted(lines, key=lambda line: float(line["since"]))

    async def _lights(self) -> list[Line]:
        there = [one for one in await self._ctx.states("light") if one.attributes.get("override_pct") is not None]
        return [
            {**_line(one, _name(one), f"{one.attributes['override_pct']:g}% {one.attributes.get('override_by') or ''}"),
             "until": one.attributes.get("override_until")}
            for one in there
        ]  # fmt: skip

    async def _expiring(self) -> list[Line]:
        """Entries that end soon, without their plates: the note is printed and lies on a desk."""
        outcome = await self._ctx.call("watchlist.entries", params={"limit": 1_000})
        if outcome.status != "done":
            raise NotFound(f"the watch-list cannot be read: {(outcome.error or {}).get('message', outcome.status)}")
        until = self._ctx.clock.now() + self._expiring_s
        soon = sorted((one for one in outcome.result if one["expires_at"] < until), key=lambda one: one["expires_at"])
        return [{"ref": one["id"], "what": str(one["reason"])[:200], "detail": str(one["owner"])[:200],
                 "since": one["requested_at"], "until": one["expires_at"]} for one in soon]  # fmt: skip


class Handovers:
    """Notes and their signatures, durable. The newest that waits is the one that is accepted."""

    def __init__(self, ctx: Context, survey: Survey) -> None:
        self._ctx, self._survey = ctx, survey
        self._rows = ctx.records("handovers")
        self._notes: dict[str, dict[str, Any]] = {}

    async def load(self) -> None:
        """Read them; the oldest beyond what is kept go."""
        rows = await self._rows.all()
        order = sorted(rows, key=lambda one: float(rows[one]["given_at"]))
        for gone in order[:-KEPT]:
            await self._rows.delete(gone)
        self._notes = {one: rows[one] for one in order[-KEPT:]}

    def note(self, handover: str = "") -> dict[str, Any]:
        """One by id, or the newest; ``NotFound`` otherwise."""
        found = self._notes.get(handover) if handover else next(reversed(self._notes.values()), None)
        if found is None:
            raise NotFound(f"no handover {handover!r}" if handover else "nothing was handed over yet", where="id")
        return found

    def _waiting(self) -> dict[str, Any] | None:
        newest = next(reversed(self._notes.values()), None)
        return newest if newest is not None and newest["accepted_by"] is None else None

    async def give(self, key: str, by: dict[str, Any], about: Mapping[str, Any], words: str) -> dict[str, Any]:
        """Write the note and sign it. A newer one takes the place of one that waits."""
        handover = "h" + hashlib.sha256(key.encode()).hexdigest()[:12]
        if (known := self._notes.get(handover)) is None:
            known = {
                "id": handover, **about, "sections": await self._survey.sections(), "note": words,
                "given_by": by, "given_at": self._ctx.clock.now(), "accepted_by": None, "accepted_at": None,
            }  # fmt: skip
            known["given_hash"] = known["hash"] = digest(known)
            await self._keep(known)
        signed = ShiftHandoverSigned(
            handover=handover, shift=known["shift"], by=known["given_by"]["account"], hash=known["given_hash"]
        )
        if known["accepted_by"] is None:
            await self._ctx.emit(signed, entity=CURRENT)
        return {"handover": handover, "hash": known["given_hash"]}

    async def accept(self, key: str, by: dict[str, Any]) -> dict[str, Any]:
        """Sign as the one who takes over. ``Conflict`` when nothing waits or it is one's own."""
        for done in self._notes.values():
            if done.get("accept_key") == key:
                return {"handover": done["id"], "hash": done["hash"]}
        known = self._waiting()
        if known is None:
            raise Conflict("no handover waits for a signature", where=CURRENT, hint="first shift.hand_over")
        if known["given_by"]["account"] == by["account"]:
            raise Conflict("who hands over cannot accept it", where=CURRENT, hint="the officer who takes over signs")
        known = {**known, "accepted_by": by, "accepted_at": self._ctx.clock.now(), "accept_key": key}
        known["hash"] = digest(known)
        await self._keep(known)
        done_event = ShiftHandedOver(
            handover=known["id"], shift=known["shift"], given_by=known["given_by"]["account"],
            accepted_by=by["account"], at=known["accepted_at"], hash=known["hash"],
            counts={kind: section["count"] for kind, section in known["sections"].items()},
        )  # fmt: skip
        await self._ctx.emit(done_event, entity=CURRENT)
        return {"handover": known["id"], "hash": known["hash"]}

    async def _keep(self, note: dict[str, Any]) -> None:
        await self._rows.put(note["id"], note)
        self._notes[note["id"]] = note
        if len(self._notes) > KEPT:
            gone = next(iter(self._notes))
            del self._notes[gone]
            await self._rows.delete(gone)
