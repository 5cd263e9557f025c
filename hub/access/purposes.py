"""Purposes: personal data is looked at for an open incident or for a named duty, and for nothing else.

A purpose is written ``incident.ID`` (the incident's entity) or ``duty.NAME``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from hub.core.access import Actor
from hub.core.error import Denied
from hub.core.text import Text


@dataclass(frozen=True, slots=True)
class Duty:
    """A standing duty for which the roles named may look at personal data."""

    title: Text
    roles: frozenset[str]


DUTIES: Final[Mapping[str, Duty]] = {
    "ccoc_watch": Duty(Text("เวรศูนย์ควบคุม", "Control centre watch"), frozenset({"ccoc", "commander", "operator"})),
    "patrol": Duty(Text("สายตรวจ", "Patrol"), frozenset({"patrol", "commander"})),
    "traffic": Duty(Text("งานจราจร", "Traffic"), frozenset({"ccoc", "patrol", "commander"})),
    "investigation": Duty(Text("งานสืบสวน", "Investigation"), frozenset({"commander", "ccoc"})),
    "missing_person": Duty(Text("ติดตามคนหาย", "Missing person"), frozenset({"ccoc", "patrol", "commander"})),
    "data_subject": Duty(Text("คำขอของเจ้าของข้อมูล", "Request of the person concerned"), frozenset({"commander"})),
}


class Purposes:
    """Decides whether a purpose holds. ``is_open`` answers for an incident's entity id."""

    def __init__(self, is_open: Callable[[str], bool], duties: Mapping[str, Duty] = DUTIES) -> None:
        self._is_open, self._duties = is_open, duties

    def require(self, actor: Actor) -> str:
        """The actor's purpose when it holds now; ``Denied`` says what to name instead."""
        purpose = require_purpose(actor)
        kind, _, name = purpose.partition(".")
        if kind == "incident" and name:
            if self._is_open(purpose):
                return purpose
            raise Denied(f"{purpose} is not an open incident", where="purpose", hint=self._hint(actor))
        duty = self._duties.get(name) if kind == "duty" else None
        if duty is None:
            raise Denied(f"{purpose!r} is no purpose", where="purpose", hint=self._hint(actor))
        if not duty.roles & actor.roles:
            raise Denied(f"{actor.id} does not have the duty {name}", where="purpose", hint=self._hint(actor))
        return purpose

    def open_to(self, actor: Actor) -> dict[str, Text]:
        """The duties the actor may name: ``duty.NAME`` to title."""
        return {f"duty.{name}": duty.title for name, duty in self._duties.items() if duty.roles & actor.roles}

    def _hint(self, actor: Actor) -> str:
        return f"name an open incident (incident.ID){''.join(f' or {name}' for name in self.open_to(actor))}"


def require_purpose(actor: Actor) -> str:
    """The purpose the actor gives; ``Denied`` with what to do when none is given."""
    if not actor.purpose:
        raise Denied(
            "people's data is looked at for a purpose only", where="purpose",
            hint="name an open incident (incident.ID) or your duty (duty.NAME)",
        )  # fmt: skip
    return actor.purpose
