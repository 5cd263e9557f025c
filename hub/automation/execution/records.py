"""Records of the runs that wait, and of the versions of automations that they need."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hub.automation.execution.holds import RUNS
from hub.automation.execution.run import Plan, Run
from hub.automation.execution.values import NotKeepable
from hub.automation.host import Host
from hub.core.access import Actor
from hub.core.journal import Drop, Put

SOURCES = "automation_sources"  # versions that some run still needs
MAX_RUNS = 5_000  # that wait at one time


class Records:
    """Writes in the open commit group."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self.versions: dict[str, int] = {}  # how many records need a version

    def keep(self, run: Run) -> None:
        """Write the run's record; a run that cannot be kept fails at that step."""
        if not run.kept and sum(self.versions.values()) >= MAX_RUNS:
            run.root.fail(f"{MAX_RUNS} runs wait already")
            return
        try:
            data = run.as_data()
        except NotKeepable as wrong:
            paths = [strand.waiting.path for strand in run.strands.values() if strand.waiting]
            path = paths[-1] if paths else "start"
            run.notes.failed(path, str(wrong))
            run.root.fail(f"{path}: {wrong}")
            return
        if not run.kept:
            self._need(run.plan)
            run.kept = True
        self._host.put(Put(RUNS, run.id, data, sealed="actions"))

    def drop(self, run: Run) -> None:
        """The run has ended."""
        if not run.kept:
            return
        self._host.put(Drop(RUNS, run.id))
        version = run.plan.version
        count = self.versions.get(version, 0) - 1
        if count <= 0:
            self.versions.pop(version, None)
            self._host.put(Drop(SOURCES, version))
        else:
            self.versions[version] = count

    def _need(self, plan: Plan) -> None:
        count = self.versions.get(plan.version, 0)
        if count == 0:
            source = {
                "id": plan.automation.id, "tree": plan.automation.tree, "publisher": actor_data(plan.publisher),
            }  # fmt: skip
            self._host.put(Put(SOURCES, plan.version, source))
        self.versions[plan.version] = count + 1

    def forget_unneeded(self, known: set[str]) -> None:
        """Drop versions that no run needs."""
        for version in known - self.versions.keys():
            self._host.put(Drop(SOURCES, version))


def actor_data(actor: Actor) -> dict[str, Any]:
    """An actor as JSON data."""
    return {
        "id": actor.id, "roles": sorted(actor.roles), "owner": actor.owner, "grants": sorted(actor.grants),
        "purpose": actor.purpose, "person": actor.person,
    }  # fmt: skip


def actor_from(data: Mapping[str, Any]) -> Actor:
    """The actor that ``actor_data`` described."""
    return Actor(
        data["id"], frozenset(data["roles"]), data["owner"], frozenset(data["grants"]), data["purpose"], data["person"]
    )
