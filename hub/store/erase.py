"""Destroying the keys of a retention class, inside one transaction, with a receipt for each."""

from __future__ import annotations

from typing import Any

from hub.store.driver import Connection
from hub.store.rows import dump


def erase(db: Connection, retention_class: str, before_day: str, now: float) -> list[dict[str, Any]]:
    """Destroy the class's keys of the days before ``before_day``.

    A receipt has ``class``, ``day``, ``destroyed_at`` (seconds), and how many ``events``, ``records`` and
    ``snapshots`` could no longer be read for it.
    """
    sql = "SELECT id, day FROM keys WHERE class = ? AND day < ? AND wrapped IS NOT NULL ORDER BY day"
    return [
        _destroy(db, number, {"class": retention_class, "day": day, "destroyed_at": now})
        for number, day in db.execute(sql, (retention_class, before_day)).fetchall()
    ]


def _destroy(db: Connection, number: int, receipt: dict[str, Any]) -> dict[str, Any]:
    events = db.execute("SELECT count(*) FROM events WHERE key = ?", (number,)).fetchall()[0][0]
    records = db.execute("SELECT count(*) FROM records WHERE key = ?", (number,)).fetchall()[0][0]
    db.execute("DELETE FROM digests WHERE key = ?", (number,))
    db.execute("DELETE FROM records WHERE key = ?", (number,))
    # the state copies fields of events: a snapshot under another key may hold what this one sealed
    doomed = "" if events else " WHERE key = ?"
    values = () if events else (number,)
    snapshots = db.execute(f"SELECT count(*) FROM snapshots{doomed}", values).fetchall()[0][0]  # noqa: S608 - constant
    db.execute(f"DELETE FROM snapshots{doomed}", values)  # noqa: S608 - constant
    receipt |= {"events": events, "records": records, "snapshots": snapshots}
    db.execute("UPDATE keys SET wrapped = NULL, receipt = ? WHERE id = ?", (dump(receipt), number))
    return receipt
