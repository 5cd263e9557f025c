"""Look-ups in registers of the police. What was found is told to who asked and is written down nowhere."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from hub.core.event import EventData, Personal, event_type, personal


@event_type("looked_up", "ค้นทะเบียน", "Register looked up", retention="audit")
class LookedUp(EventData):
    """Somebody looked somebody or something up; also an entry of the audit ledger.

    ``registry``: the plugin instance; ``subject_kind``: person, vehicle or case; ``incident``: the open incident it
    was for; ``outcome``: ``waiting`` is a question that a person answers by hand, ``failed`` an answer that never came.
    """

    registry: str
    by: str
    subject_kind: Literal["person", "vehicle", "case"]
    purpose: Annotated[str, Field(max_length=300), personal(Personal.TEXT)]
    incident: str
    outcome: Literal["hit", "no_hit", "waiting", "failed"]
    request: str
