"""One automation at work, and what is told of it to a screen."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from hub.automation.execution.arming import Armed
from hub.automation.execution.run import Plan
from hub.automation.execution.runs import Runs
from hub.automation.execution.trace import Notes, masked
from hub.automation.language.model import Source, Trigger
from hub.automation.language.steps import Automation
from hub.core.event import Event


@dataclass(slots=True, eq=False)
class Entry:
    """One automation at work."""

    plan: Plan
    file: str
    enabled: bool
    armed: Armed | None = None
    last_run: float | None = None
    skipped: int = 0  # triggered while the mode allowed no further run

    @property
    def automation(self) -> Automation:
        return self.plan.automation


def row_of(name: str, entry: Entry, running: int, last_error: str | None) -> dict[str, Any]:
    """One row of the list."""
    made = entry.automation
    return {
        "id": name, "kind": made.kind, "alias": made.alias, "description": made.description, "enabled": entry.enabled,
        "shadow": entry.plan.shadow, "mode": made.mode, "max": made.max, "file": entry.file, "line": made.place.line,
        "publisher": entry.plan.publisher.id, "version": entry.plan.version, "running": running,
        "last_run": entry.last_run, "last_error": last_error, "skipped": entry.skipped,
    }  # fmt: skip


def text_of(entry: Entry | None) -> str | None:
    """Its source with all blanks filled, as YAML (which JSON is); ``None`` without one, or for a script."""
    if entry is None or entry.automation.kind != "automation":
        return None
    return json.dumps([{**entry.automation.tree, "id": entry.automation.id}], ensure_ascii=False)


def scripts_of(entries: Iterable[Entry]) -> dict[str, Source]:
    """The scripts and scenes among these: by id, as texts of their own."""
    found = {}
    for entry in list(entries):
        made = entry.automation
        kind, _, name = made.id.partition(".")
        if made.kind != "script":
            continue
        value = {name: made.tree} if kind == "script" else [
            {"id": name, "name": made.alias, "actions": made.tree["sequence"]}
        ]  # fmt: skip
        text = json.dumps({kind: value}, ensure_ascii=False)
        found[made.id] = Source(text, f"{made.id}.yaml", entry.plan.publisher)
    return found


def told_of(runs: Runs, automation: str) -> list[dict[str, Any]]:
    """The traces of its runs, those that go on too, and the times it did not run, newest first."""
    reports = runs.reports
    told = [*reports.traces.get(automation, ()), *runs.going(automation)]
    for kept in reports.not_run.get(automation, ()):
        shown = {key: value for key, value in kept.items() if key != "event"}
        told.append(masked(shown, reports.privacy.of(kept["event"])))
    told.reverse()  # of those that ended at the same time, the later first
    return sorted(told, key=lambda trace: float(trace["finished"]), reverse=True)


def not_run(
    automation: str, version: str, status: str, origin: dict[str, Any], event: Event | None, notes: Notes, now: float
) -> dict[str, Any]:
    """What is kept when a trigger fired and nothing ran."""
    return {
        "run_id": None, "automation": automation, "version": version, "trigger": origin, "started": now,
        "finished": now, "status": status, "error": None, "event": event, "steps": notes.lines,
        "left_out": notes.left_out,
    }  # fmt: skip


def origin_of(trigger: Trigger, told: Mapping[str, Any], event: Event | None) -> dict[str, Any]:
    """What a trace says of its trigger: names and the event's number, no contents."""
    return {
        "path": trigger.path, "id": trigger.id, "platform": told["platform"],
        "seq": event.seq if event else None, "event": event.id if event else None,
        "type": event.type if event else None, "entity": event.entity if event else told.get("entity_id"),
    }  # fmt: skip


def defaults_of(made: Automation) -> dict[str, Any]:
    """What a script's fields are when the caller leaves them out."""
    fields = made.fields.items()
    return {name: about["default"] for name, about in fields if isinstance(about, dict) and "default" in about}
