"""Who serves what: an entity's actions, an action of a plugin, a route, a service.

While an instance is reloaded its new self claims what the old one still holds; the newest claim serves, and when it
is given up the one before serves again. So a reload that fails half-way leaves the old instance as it was.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from hub.core.error import Conflict


@dataclass(frozen=True, slots=True)
class _Claim:
    holder: object
    instance: str
    put: Callable[[], None]
    drop: Callable[[], None]


class Claims:
    """Stacks of claims by (kind, name)."""

    def __init__(self) -> None:
        self._stacks: dict[tuple[str, str], list[_Claim]] = {}

    def take(
        self, kind: str, name: str, holder: object, instance: str,
        put: Callable[[], None], drop: Callable[[], None],
    ) -> None:  # fmt: skip
        """Serve it from now on; ``Conflict`` when another instance does."""
        stack = self._stacks.setdefault((kind, name), [])
        if stack and stack[-1].instance != instance:
            words = f"{name} is already served by {stack[-1].instance}"
            raise Conflict(words, where=name, hint="only one may serve it")
        stack[:] = [claim for claim in stack if claim.holder is not holder]
        stack.append(_Claim(holder, instance, put, drop))
        put()

    def give_up(self, holder: object) -> None:
        """All that the holder claimed; what it served goes back to the claim before."""
        for key in list(self._stacks):
            self.release(*key, holder)

    def release(self, kind: str, name: str, holder: object) -> None:
        """One claim; harmless when the holder has none."""
        stack = self._stacks.get((kind, name), [])
        mine = next((claim for claim in stack if claim.holder is holder), None)
        if mine is None:
            return
        served = stack[-1] is mine
        stack.remove(mine)
        if not stack:
            del self._stacks[kind, name]
            mine.drop()
        elif served:
            stack[-1].put()

    def holds(self, kind: str, name: str) -> bool:
        """Does anybody serve it?"""
        return (kind, name) in self._stacks
