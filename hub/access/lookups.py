"""Look-ups that plugins report stand in the audit ledger too, in the transaction of their event."""

from __future__ import annotations

from hub.access.audit import Ledger
from hub.core.bus import Subscription
from hub.core.event import Event
from hub.core.pipeline import Pipeline
from hub.core.state import Change

LOOKED_UP = "looked_up"


def record_lookups(pipeline: Pipeline, ledger: Ledger) -> None:
    """From now on each ``looked_up`` event is an entry: who, in which register, for which incident, hit or not."""

    def record(event: Event, change: Change | None) -> None:
        data = event.data
        detail = {"outcome": data["outcome"], "kind": data["subject_kind"], "request": data["request"]}
        why = {"purpose": data["purpose"]} if data.get("purpose") else None
        ledger.record(
            str(data["by"]), "register.look_up", str(data["registry"]), str(data["incident"]), detail, personal=why
        )

    pipeline.rules.add(Subscription(record, LOOKED_UP))
