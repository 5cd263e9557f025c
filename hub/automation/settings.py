"""What an officer decided about each automation: switched off, in shadow, published by whom. Durable."""

from __future__ import annotations

from typing import Any

from hub.automation.host import Host
from hub.core.journal import Drop, Put

TABLE = "automations"


class Settings:
    """By automation, in memory and in the journal."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._by_id: dict[str, dict[str, Any]] = {}
        self._read = False

    def first(self) -> None:
        """Read them once; later ones are in memory, some not yet committed."""
        if not self._read:
            self.read()

    def read(self) -> None:
        """Take them from the records."""
        self._by_id = {key: dict(value) for key, value in self._host.records(TABLE)}
        self._read = True

    def of(self, automation: str) -> dict[str, Any]:
        """Those of one; empty when nothing was decided."""
        return self._by_id.get(automation, {})

    def put(self, automation: str, **values: Any) -> None:
        """Decide something."""
        setting = self._by_id.setdefault(automation, {})
        setting.update(values)
        self._host.put(Put(TABLE, automation, dict(setting)))

    def restore(self, automation: str, setting: dict[str, Any] | None) -> None:
        """Decide again what was decided before; ``None``: nothing was."""
        self.drop(automation)
        if setting is not None:
            self.put(automation, **setting)

    def drop(self, automation: str) -> None:
        """Forget what was decided about one."""
        self._by_id.pop(automation, None)
        self._host.put(Drop(TABLE, automation))
