"""Actions that the engine itself does: scripts, scenes, and switching automations; and their entities."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol

from hub.automation.execution.calls import Local
from hub.automation.execution.run import StepFailed, Strand, Waiting
from hub.automation.execution.trace import Notes
from hub.automation.language.steps import Automation
from hub.core.error import NotFound
from hub.core.state import EntityState


class Entries(Protocol):
    """What of the engine these actions use."""

    def named(self, entity: str) -> Any:
        """The entry of ``automation.X`` (by id or by name), ``script.X`` or ``scene.X``; ``None`` without one."""

    def all_entries(self) -> Iterable[Any]:
        """All of them."""

    def set_enabled(self, automation_id: str, enabled: bool) -> None:
        """Switch durably."""

    def start(
        self, entry: Any, variables: Mapping[str, Any], *, caller: Strand | None, key: str | None, notes: Notes,
        check: bool = True,
    ) -> Any:  # fmt: skip
        """Begin a run; ``None`` when the mode skipped it."""

    def cancel(self, automation_id: str, reason: str) -> None:
        """End its runs."""


class EngineActions:
    """A ``hub.automation.execution.calls.Locals``."""

    def __init__(self, entries: Entries, notes: Callable[[], Notes], is_on: Callable[[str], bool]) -> None:
        self._entries, self._notes, self._is_on = entries, notes, is_on
        self._table: dict[str, Local] = {
            "automation.turn_on": self._automation_switch(True), "automation.turn_off": self._automation_switch(False),
            "automation.toggle": self._automation_switch(None), "automation.trigger": self._trigger,
            "automation.reload": _nothing, "script.reload": _nothing, "scene.reload": _nothing,
            "script.turn_on": self._script_on, "script.turn_off": self._script_off,
            "script.toggle": self._script_toggle, "scene.turn_on": self._scene_on, "logbook.log": _noted,
            "system_log.write": _noted, "homeassistant.update_entity": _nothing,
        }  # fmt: skip

    def local(self, name: str) -> Local | None:
        """The action of that name."""
        found = self._table.get(name)
        if found is None and name.startswith("script."):
            return self._script(name)
        return found

    # --- scripts and scenes

    def _script(self, name: str) -> Local | None:
        entry = self._entries.named(name)
        if entry is None:
            return None

        def call(at: Strand, wait: Waiting, params: dict[str, Any], _targets: Sequence[str]) -> None:
            self._begin(entry, at, wait, params)

        return call

    def _begin(self, entry: Any, at: Strand, wait: Waiting, params: dict[str, Any]) -> None:
        """Run it and wait for its end."""
        made: Automation = entry.automation
        if _calls_itself(at, made):
            raise StepFailed(f"{made.id} calls itself; in mode {made.mode} that would never end")
        key = "script:" + at.run.key(wait.path, made.id)
        wait.keys[key] = made.id
        run = self._entries.start(entry, params, caller=at, key=key, notes=self._notes())
        if run is None:
            wait.keys.pop(key)
            wait.results[made.id] = {}
            at.run.notes.add(wait.path, False, {"skipped": made.id})
            return
        if run.status not in ("running", "waiting", "queued"):  # it is over already
            wait.keys.pop(key)
            if run.status == "failed":
                wait.error = f"{made.id}: {run.root.error}"
            else:
                wait.results[made.id] = run.response or {}

    def _script_on(self, at: Strand, wait: Waiting, params: dict[str, Any], targets: Sequence[str]) -> None:
        """Begin scripts, and do not wait for their end."""
        variables = params.get("variables") or {}
        for entry in self._each(targets):
            if _calls_itself(at, entry.automation):
                raise StepFailed(f"{entry.automation.id} calls itself; in mode {entry.automation.mode} it cannot")
            self._entries.start(entry, variables, caller=at, key=None, notes=self._notes())

    def _script_off(self, at: Strand, wait: Waiting, params: dict[str, Any], targets: Sequence[str]) -> None:
        for entry in self._each(targets):
            self._entries.cancel(entry.automation.id, "turned off")

    def _script_toggle(self, at: Strand, wait: Waiting, params: dict[str, Any], targets: Sequence[str]) -> None:
        for entry in self._each(targets):
            act = self._script_off if self._is_on(entry.automation.id) else self._script_on
            act(at, wait, params, [entry.automation.id])

    def _scene_on(self, at: Strand, wait: Waiting, params: dict[str, Any], targets: Sequence[str]) -> None:
        for entry in self._each(targets):
            self._begin(entry, at, wait, {})

    # --- automations

    def _automation_switch(self, on: bool | None) -> Local:
        def switch(at: Strand, wait: Waiting, params: dict[str, Any], targets: Sequence[str]) -> None:
            for entry in self._each(targets):
                self._entries.set_enabled(entry.automation.id, not entry.enabled if on is None else on)
                itself = entry.automation is at.run.plan.automation
                if not entry.enabled and params.get("stop_actions", True) and not itself:
                    self._entries.cancel(entry.automation.id, "turned off")

        return switch

    def _trigger(self, at: Strand, wait: Waiting, params: dict[str, Any], targets: Sequence[str]) -> None:
        skip = params.get("skip_condition", True)
        for entry in self._each(targets):
            self._entries.start(entry, {}, caller=at, key=None, notes=self._notes(), check=not skip)

    def _each(self, targets: Sequence[str]) -> list[Any]:
        found = []
        for name in targets:
            entry = self._entries.named(name)
            if entry is None:
                raise NotFound(f"there is no {name}", where=name)
            found.append(entry)
        return found


def _calls_itself(at: Strand, made: Automation) -> bool:
    """A script that is restarted or queued by itself never ends."""
    if made.mode == "single" or made.mode == "parallel":
        return False
    return made.id == at.run.plan.automation.id or made.id in at.run.trigger.get("callers", ())


def _nothing(at: Strand, wait: Waiting, params: dict[str, Any], targets: Sequence[str]) -> None:
    """Files are read again by ``hub reload``; entities say what is new by themselves."""


def _noted(at: Strand, wait: Waiting, params: dict[str, Any], targets: Sequence[str]) -> None:
    """A word for the reader of the trace."""
    at.run.notes.add(wait.path, True, {"said": str(params.get("message", ""))})


def as_entity(entry: Any, running: int) -> EntityState:
    """An automation or script as templates and conditions see it."""
    made: Automation = entry.automation
    on = running > 0 if made.kind == "script" else entry.enabled
    about = {
        "id": made.id, "name": {"th": made.alias, "en": made.alias}, "friendly_name": made.alias, "mode": made.mode,
        "current": running, "last_triggered": entry.last_run,
    }  # fmt: skip
    at = entry.last_run or 0.0
    return EntityState(entity_of(made), "on" if on else "off", about, at, at, 0)


def entity_of(made: Automation) -> str:
    """``automation.ID`` or the script's own id."""
    return made.id if made.kind == "script" else f"automation.{made.id}"

