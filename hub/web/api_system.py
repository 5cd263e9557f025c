"""How the hub itself is: health, plugins, views."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from hub.access.roles import Roles
from hub.core.pipeline import Pipeline
from hub.web.route import OPEN, Ask, NoBody, Route


class HostView(Protocol):
    """What the pages need of the host."""

    def health(self) -> list[dict[str, Any]]:
        """One row an instance."""

    def processes(self) -> list[dict[str, Any]]:
        """The hub's process and its children."""

    def describe(self) -> list[dict[str, Any]]:
        """Health rows with description, views and settings schema."""

    async def restart(self, instance: str) -> str:
        """Stop and start one instance; its state afterwards."""


class SystemApi:
    """Health is open in one word, so that a monitor needs no account; the rest needs rights."""

    def __init__(
        self, pipeline: Pipeline, roles: Roles, host: HostView, storage: Callable[[], dict[str, Any]], version: str
    ) -> None:
        self._pipeline, self._roles, self._host = pipeline, roles, host
        self._storage, self._version = storage, version

    def routes(self) -> list[Route]:
        """Its part of the table."""
        return [
            Route("GET", "/api/health", OPEN, "Is it well?", self.health),
            Route("GET", "/api/plugins", "plugin.read", "Plugin instances with their views", self.plugins),
            Route("POST", "/api/plugins/{instance}/restart", "plugin.manage", "Restart an instance", self.restart),
            Route("GET", "/api/views", "state.read", "Declared cards and pages", self.views),
            Route("GET", "/api/event_types", "state.read", "What people call each type of event", self.event_types),
        ]

    def summary(self) -> dict[str, Any]:
        """What anybody may know."""
        rows = self._host.health()
        well = all(row["state"] in ("running", "stopped") for row in rows) and self._storage()["well"]
        return {"status": "ok" if well else "degraded", "version": self._version, "seq": self._pipeline.committed_seq}

    async def health(self, ask: Ask[NoBody]) -> dict[str, Any]:
        summary = self.summary()
        if not self._roles.may(ask.actor, "plugin.read"):
            return summary
        return {
            **summary,
            "plugins": self._host.health(),
            "processes": self._host.processes(),
            "storage": self._storage(),
        }

    async def plugins(self, ask: Ask[NoBody]) -> dict[str, Any]:
        return {"plugins": self._host.describe()}

    async def restart(self, ask: Ask[NoBody]) -> dict[str, Any]:
        return {"state": await self._host.restart(ask.path["instance"])}

    async def event_types(self, ask: Ask[NoBody]) -> dict[str, Any]:
        return {"event_types": {kind.name: kind.title.as_data() for kind in self._pipeline.types}}

    async def views(self, ask: Ask[NoBody]) -> dict[str, Any]:
        return {
            "views": [
                {
                    **view, "plugin": row["plugin"], "instance": row["instance"], "plugin_title": row["title"],
                    "section": row["section"],
                }
                for row in self._host.describe()
                for view in row["views"]
                if self._roles.may(ask.actor, view["right"])
            ]
        }
