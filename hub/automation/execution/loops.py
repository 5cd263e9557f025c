"""Repeats: where they stand and whether another turn follows."""

from __future__ import annotations

from typing import Any

from hub.automation.execution.circumstances import Check
from hub.automation.execution.run import Frame, Loop, StepFailed, Strand
from hub.automation.execution.values import filled
from hub.automation.language.steps import RepeatStep

MAX_TURNS = 10_000  # of one repeat


def loop_of(step: RepeatStep, values: dict[str, Any]) -> Loop:
    """A repeat at its beginning."""
    if step.items is not None:
        items = filled(step.items, values)
        if not isinstance(items, list | tuple):
            raise StepFailed(f"'for_each' needs a list, not {str(items)[:60]!r}")
        if len(items) > MAX_TURNS:
            raise StepFailed(f"'for_each' has {len(items)} items; at most {MAX_TURNS}")
        return Loop(step.path, 1, items=list(items))
    if step.count is not None:
        count = filled(step.count, values)
        try:
            number = int(float(count))
        except (ValueError, TypeError, OverflowError):
            raise StepFailed(f"'count' needs a whole number, not {str(count)[:60]!r}") from None
        if number > MAX_TURNS:
            raise StepFailed(f"'count' is {number}; at most {MAX_TURNS}")
        return Loop(step.path, 1, count=max(0, number))
    return Loop(step.path, 1)


def turn_values(values: dict[str, Any], loop: Loop) -> dict[str, Any]:
    """The variables of one turn: ``repeat.index``, ``first``, ``last`` and ``item``."""
    repeat: dict[str, Any] = {"first": loop.turn == 1, "index": loop.turn}
    size = loop.count if loop.items is None else len(loop.items)
    if size is not None:
        repeat["last"] = loop.turn == size
    if loop.items is not None:
        repeat["item"] = loop.items[loop.turn - 1]
    return {**values, "repeat": repeat}


def next_turn(at: Strand, frame: Frame, before: Check | None, after: Check | None) -> bool:
    """At the end of a turn: does another follow? It begins with the variables from outside the repeat."""
    loop, notes = frame.loop, at.run.notes
    if loop is None or (after is not None and after(frame.values, notes)):
        return False
    size = loop.count if loop.items is None else len(loop.items)
    if size is not None and loop.turn >= size:
        return False
    if loop.turn >= MAX_TURNS:
        raise StepFailed(f"the repeat made {MAX_TURNS} turns, and was to go on")
    loop.turn += 1
    outside = at.frames[at.frames.index(frame) - 1].values if at.frames[0] is not frame else frame.values
    frame.values = turn_values(outside, loop)
    if before is not None and not before(frame.values, notes):
        return False
    frame.index = 0
    return True
