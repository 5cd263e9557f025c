"""What is told of a replay: how often it would have run, when it nearly did, and how it differs from the live rule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

# EEMUA 191 (2013): one alarm in ten minutes is what one operator can handle; two are on duty.
BUDGET_PER_HOUR = 12.0
MAX_SHOWN = 200
MAX_NEAR = 50
MAX_COMPARED = 20_000  # runs of one side that are kept to be compared

Row = dict[str, Any]


class Ran:
    """What one side, draft or live, did. All runs are counted; the first are kept. ``ids``: its rules, not the scripts
    that they call."""

    def __init__(self) -> None:
        self.ids: list[str] = []
        self.total = self.alarms = 0
        self.shown: list[Row] = []
        self.by_moment: dict[tuple[Any, Any], Row] = {}

    def take(self, trace: Mapping[str, Any]) -> None:
        """A run that has ended, or has not at the end of the span."""
        self.total += 1
        if len(self.by_moment) < MAX_COMPARED:
            self.by_moment[_moment(trace)] = _told(trace)
        if len(self.shown) < MAX_SHOWN:
            self.shown.append(_told(trace))


def fired(ran: Ran, start: float, end: float) -> Row:
    """How often, when, and how many alarms an hour that is."""
    hours = (end - start) / 3600
    return {
        "total": ran.total, "fired": ran.shown, "alarms": ran.alarms,
        "alarms_per_hour": round(ran.alarms / hours, 3), "budget_per_hour": BUDGET_PER_HOUR,
    }  # fmt: skip


def near(rows: Sequence[Mapping[str, Any]]) -> list[Row]:
    """The times it was triggered and did not run, each with the first condition that was false and its values."""
    found = []
    for row in rows:
        false = next((line for line in row["steps"] if line["result"] is False), None)
        found.append({
            "automation": row["automation"], "at": row["started"], "status": row["status"],
            "type": row["trigger"].get("type"), "entity": row["trigger"].get("entity"),
            "seq": row["trigger"].get("seq"), "path": false["path"] if false else None,
            "why": (false.get("error") or false.get("detail")) if false else None,
        })  # fmt: skip
    return sorted(found, key=lambda row: float(row["at"]))[:MAX_NEAR]


def compared(draft: Ran, live: Ran | None) -> Row | None:
    """How often only one of both ran, by the event or moment that started them; ``None`` when no rule works yet."""
    if live is None:
        return None
    only_draft = [row for moment, row in draft.by_moment.items() if moment not in live.by_moment]
    only_live = [row for moment, row in live.by_moment.items() if moment not in draft.by_moment]
    return {
        "total": live.total, "only_draft": len(only_draft), "only_live": len(only_live),
        "differences": [*({**row, "side": "draft"} for row in only_draft[:25]),
                        *({**row, "side": "live"} for row in only_live[:25])],
    }  # fmt: skip


def _told(trace: Mapping[str, Any]) -> Row:
    origin = trace["trigger"]
    done = [line["detail"] for line in trace["steps"] if "action" in (line.get("detail") or {})]
    return {
        "automation": trace["automation"], "at": trace["started"], "event": origin.get("event"),
        "seq": origin.get("seq"), "type": origin.get("type"), "entity": origin.get("entity"),
        "trigger": origin.get("id"), "status": trace["status"], "error": trace["error"],
        "actions": [{"action": detail["action"], "targets": detail["targets"]} for detail in done],
    }  # fmt: skip


def _moment(trace: Mapping[str, Any]) -> tuple[Any, Any]:
    origin = trace["trigger"]
    return (trace["automation"], origin.get("seq") if origin.get("seq") is not None else trace["started"])
