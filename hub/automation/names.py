"""Automations by their names: several may have the same, and the others keep it when one goes."""

from __future__ import annotations


class Names:
    """Ids by name, as an object id; of several with one name the latest is meant."""

    def __init__(self) -> None:
        self._ids: dict[str, dict[str, None]] = {}  # in the order in which they came
        self._name_of: dict[str, str] = {}

    def put(self, automation: str, name: str) -> None:
        """It is called so now."""
        self.drop(automation)
        self._ids.setdefault(name, {})[automation] = None
        self._name_of[automation] = name

    def drop(self, automation: str) -> None:
        """It is gone."""
        name = self._name_of.pop(automation, None)
        if name is not None:
            del self._ids[name][automation]
            if not self._ids[name]:
                del self._ids[name]

    def of(self, name: str) -> str:
        """The id; empty when nothing is called so."""
        return next(reversed(self._ids.get(name, {})), "")
