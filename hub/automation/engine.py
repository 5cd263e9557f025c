"""The engine: which automations there are, and what happens when one of their triggers fires.

It listens to the bus that serves inside the commit group, so an event, the run it starts and the actions that the
run owes are committed together.
"""

from __future__ import annotations

import logging
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, tzinfo
from typing import Any

from hub.automation.entry import Entry, defaults_of, not_run, origin_of, row_of, told_of
from hub.automation.execution.arming import Arming
from hub.automation.execution.holds import Holds
from hub.automation.execution.on_templates import Shared
from hub.automation.execution.records import actor_from
from hub.automation.execution.run import Plan, Run, Strand
from hub.automation.execution.runs import Runs
from hub.automation.execution.steps import compile_plan
from hub.automation.execution.trace import Notes, masked
from hub.automation.execution.triggers import KINDS
from hub.automation.execution.values import with_variables
from hub.automation.host import Host
from hub.automation.language.blueprint import Blueprints, no_blueprints
from hub.automation.language.known import Known
from hub.automation.language.model import Source, Trigger
from hub.automation.language.parse import Parsed, automation, slug
from hub.automation.language.reader import Reader
from hub.automation.language.source import placed
from hub.automation.language.steps import Automation
from hub.automation.listening import Listening
from hub.automation.locals import EngineActions, as_entity, entity_of
from hub.automation.names import Names
from hub.automation.publishing import Publishing
from hub.automation.settings import Settings
from hub.automation.templates.template import TemplateFailed, Templates
from hub.automation.templates.views import World
from hub.automation.texts import Texts
from hub.core.access import Actor
from hub.core.bus import Subscription
from hub.core.error import HubError, LimitExceeded, Mistake, NotFound
from hub.core.event import MAX_DEPTH, Event
from hub.core.state import EntityState

log = logging.getLogger(__name__)

NOT_RUN_KEPT = 5

Mistakes = list[Mistake]
Rows = list[dict[str, Any]]  # the class has a method called list


class Engine:
    """All automations of a zone. Every method runs on the loop thread; none waits.

    ``zone``: the time zone of times of day and of ``now()``. ``publisher_now``: a publisher's rights as they are
    now; ``None`` when the account is gone (its automations then fail, and say so).
    """

    def __init__(
        self, host: Host, zone: tzinfo = UTC, *, location: tuple[float, float] = (0.0, 0.0),
        blueprints: Blueprints = no_blueprints, publisher_now: Callable[[Actor], Actor | None] = lambda actor: actor,
        lenient: bool = False,
    ) -> None:  # fmt: skip
        self._host = host
        world = World(host.state, host.clock, zone, location)
        world.provider = self
        self._templates = Templates(world)
        self._texts = Texts(self._templates, blueprints, lenient=lenient)
        self._holds = Holds(host, world)
        self._arming = Arming(host, self._templates, self._holds, Shared(host), Counter(), KINDS)
        self._runs = Runs(host, world, publisher_now, self._arming)
        self._listening = Listening(self._arming, self._fire, self._fault)
        self._actions = EngineActions(self, lambda: Notes(host.clock), lambda name: self._runs.active(name) > 0)
        self._entries: dict[str, Entry] = {}
        self._names = Names()
        self._broken: dict[str, Mistakes] = {}  # by file
        self._settings = Settings(host)
        self.publishing = Publishing(self._settings, self._texts, self._entries)
        self._resumed = False
        self._finished = host.rules.add(Subscription(self._runs.finished, "action_finished"))
        host.on_recover(self._forget, self._recover)

    # --- which automations

    def load(self, sources: Iterable[Source], known: Known | None = None) -> Mistakes:
        """Replace all automations by those of the sources. One with mistakes is left out, the others work."""
        sources = list(sources)
        self._settings.first()
        files = {source.file for source in sources}
        for name in [name for name, entry in self._entries.items() if entry.file not in files]:
            self._remove(name)
        for file in self._broken.keys() - files:
            del self._broken[file]
        self._texts.keep_only(files)
        return self.reload(sources, known)

    def reload(self, changed: Iterable[Source], known: Known | None = None) -> Mistakes:
        """Take in files that changed. An automation that did not change is not touched; one whose new text has
        mistakes goes on as it was; runs that began go on with the version they began with."""
        read = self._texts.read(changed, known)
        return [mistake for file, texts in read.items() for mistake in self._take(file, texts)]

    def _take(self, file: str, texts: list[tuple[Source, Parsed]]) -> Mistakes:
        mistakes = [mistake for _, parsed in texts for mistake in parsed.mistakes]
        here = {name for _, parsed in texts for name in {made.id for made in parsed.automations} | parsed.broken}
        whole = all(parsed.automations or parsed.broken or not parsed.mistakes for _, parsed in texts)  # all YAML
        for name in [name for name, entry in self._entries.items() if entry.file == file]:
            if whole and name not in here:
                self._remove(name)
        taken: set[str] = set()
        for source, made in [(source, made) for source, parsed in texts for made in parsed.automations]:
            there = self._entries.get(made.id)
            if made.id in taken or (there is not None and there.file != file):
                holder = there.file if there is not None else file
                mistakes.append(made.place.mistake(f"the id {made.id!r} is taken already in {holder}"))
                continue
            taken.add(made.id)
            self._install(made, file, self._publisher_of(made, source.publisher))
        self._broken[file] = mistakes
        return mistakes

    def _publisher_of(self, made: Automation, default: Actor) -> Actor:
        """Who published exactly this version; for any other text, who answers for the file."""
        setting = self._settings.of(made.id)
        if setting.get("hash") == made.hash and setting.get("publisher"):
            return actor_from(setting["publisher"])
        return default

    def publish(self, text: str, publisher: Actor, file: str = "", known: Known | None = None) -> list[str]:
        """Take in one text with its publisher's rights: all of it, or ``ConfigError`` with every mistake.

        The ids of its automations. Saving the text is the caller's; ``file`` is where it is saved.
        """
        decision = self.publishing.decide(text, publisher, file, known)
        for made in decision.automations:
            there = self._entries.get(made.id)
            self._install(made, file or (there.file if there else ""), publisher)
        return decision.ids

    def remove(self, automation_id: str) -> None:
        """Take one out for good: what runs is ended, and nothing is kept of it."""
        self._entry(automation_id)
        self._remove(automation_id)
        self._settings.drop(automation_id)
        self._runs.reports.forget(automation_id)

    def set_enabled(self, automation_id: str, enabled: bool) -> None:
        """Switch one on or off, durably; what runs goes on."""
        entry = self._entry(automation_id)
        self._settings.put(automation_id, enabled=enabled)
        if entry.enabled != enabled:
            entry.enabled = enabled
            self._listening.set(entry)

    def set_shadow(self, automation_id: str, shadow: bool) -> None:
        """Let one only note what it would do, or do it, durably; runs that began go on as they began."""
        entry = self._entry(automation_id)
        self._settings.put(automation_id, shadow=shadow)
        if entry.plan.shadow != shadow:
            entry.plan = self._plan(entry.automation, entry.plan.publisher, shadow=shadow)

    def _install(self, made: Automation, file: str, publisher: Actor) -> None:
        there = self._entries.get(made.id)
        setting = self._settings.of(made.id)
        shadow = bool(setting.get("shadow"))
        if there and (there.automation.hash, there.plan.publisher, there.plan.shadow) == (made.hash, publisher, shadow):
            return
        plan = self._plan(made, publisher, shadow=shadow)
        enabled = setting.get("enabled", made.enabled)
        entry = Entry(plan, file, enabled)
        if there is not None:
            self._listening.stop(there)
            entry.last_run, entry.skipped = there.last_run, there.skipped
        self._entries[made.id] = entry
        if made.kind == "automation":
            self._names.put(made.id, slug(made.alias))
        self._listening.set(entry)

    def _plan(self, made: Automation, publisher: Actor, *, shadow: bool) -> Plan:
        return compile_plan(made, publisher, self._host, self._templates.world, self._actions, shadow=shadow)

    def _remove(self, name: str) -> None:
        entry = self._entries.pop(name)
        self._listening.stop(entry)
        self._names.drop(name)
        self._runs.cancel(name, "the automation was removed")
        self._runs.reports.not_run.pop(name, None)

    def _entry(self, name: str) -> Entry:
        entry = self._entries.get(name)
        if entry is None:
            raise NotFound(f"no automation {name!r}", where=name)
        return entry

    # --- what happens

    def _fire(self, entry: Entry, trigger: Trigger, told: dict[str, Any], event: Event | None) -> None:
        plan, made, clock = entry.plan, entry.automation, self._host.clock
        try:
            told.update(id=trigger.id, idx=trigger.path.partition("/")[2], alias=trigger.alias)
            values: dict[str, Any] = {"trigger": told}
            if made.uses_this:
                values["this"] = self._this(entry)
            for variables in (made.trigger_variables, made.variables, trigger.variables):
                if variables:
                    values = with_variables(values, variables)
            notes, origin = Notes(clock), origin_of(trigger, told, event)
            if not plan.check(values, notes):
                self._not_run(entry, "condition", origin, event, notes)
                return
            self._begun(entry, self._runs.begin(plan, values, origin, event, notes), origin, event, notes)
        except (HubError, TemplateFailed) as wrong:
            self._fault(entry, f"{trigger.path}: {wrong}", event)
        except Exception as fault:  # one automation's fault must not cost another its event
            log.exception("automation %s failed", made.id)
            self._fault(entry, f"{type(fault).__name__}: {fault}", event)

    def _begun(
        self, entry: Entry, run: Run | None, origin: dict[str, Any], event: Event | None, notes: Notes
    ) -> None:
        if run is not None:
            entry.last_run = self._host.clock.now()
            return
        entry.skipped += 1
        if not entry.automation.silent:
            self._not_run(entry, "skipped", origin, event, notes)

    def start(
        self, entry: Entry, variables: Mapping[str, Any], *, caller: Strand | None, key: str | None, notes: Notes,
        check: bool = True,
    ) -> Run | None:  # fmt: skip
        """Run one because somebody asked for it: ``caller`` waits under ``key`` for its end, if there is one. ``None``
        when its mode allows no further run, or ``check`` and its conditions are false."""
        made, plan = entry.automation, entry.plan
        values: dict[str, Any] = {"this": self._this(entry), **defaults_of(made), **variables}
        if made.kind == "automation":
            values["trigger"] = {"platform": None}
        values = {**with_variables(values, made.variables), **variables}
        callers = [*caller.run.trigger.get("callers", ()), caller.run.plan.automation.id] if caller else []
        if len(callers) > MAX_DEPTH:
            raise LimitExceeded(f"{len(callers)} scripts call each other", where=made.id)
        origin: dict[str, Any] = {"path": "", "id": None, "platform": None, "callers": callers}
        if made.kind == "automation" and check and not plan.check(values, notes):
            self._not_run(entry, "condition", origin, None, notes)
            return None
        run = self._runs.begin(plan, values, origin, None, notes, caller=caller.run if caller else None, key=key)
        self._begun(entry, run, origin, None, notes)
        return run

    def run_script(self, name: str, variables: Mapping[str, Any]) -> Run | None:
        """Run ``script.NAME`` or ``automation.ID`` as a person asked; ``NotFound`` without one."""
        entry = self.named(name)
        if entry is None:
            raise NotFound(f"no {name!r}", where=name)
        return self.start(entry, variables, caller=None, key=None, notes=Notes(self._host.clock), check=False)

    # --- names

    def named(self, entity: str) -> Entry | None:
        """``automation.X`` by its id or by its name, ``script.X``, ``scene.X``, or an id; ``None`` without one."""
        name = entity.removeprefix("automation.")
        return self._entries.get(name) or self._entries.get(self._names.of(name))

    def all_entries(self) -> Iterable[Entry]:
        """Everything."""
        return self._entries.values()

    def cancel(self, automation_id: str, reason: str) -> None:
        """End the runs of one."""
        self._runs.cancel(automation_id, reason)

    def entity(self, name: str) -> EntityState | None:
        """See ``hub.automation.templates.functions.Provider``."""
        if not name.startswith(("automation.", "script.", "scene.")):
            return None
        entry = self.named(name)
        return as_entity(entry, self._runs.active(entry.automation.id)) if entry is not None else None

    def entities(self) -> Iterable[EntityState]:
        """See ``Provider``."""
        return [as_entity(entry, self._runs.active(name)) for name, entry in self._entries.items()]

    def _this(self, entry: Entry) -> dict[str, Any]:
        made, last = entry.automation, entry.last_run
        return {
            "entity_id": entity_of(made), "state": "on",
            "attributes": {
                "id": made.id, "friendly_name": made.alias, "mode": made.mode, "current": self._runs.active(made.id),
                "last_triggered": datetime.fromtimestamp(last, self._templates.world.zone) if last else None,
            },
        }  # fmt: skip

    def _not_run(
        self, entry: Entry, status: str, origin: dict[str, Any], event: Event | None, notes: Notes
    ) -> None:
        told = not_run(entry.automation.id, entry.plan.version, status, origin, event, notes, self._host.clock.now())
        kept = self._runs.reports.not_run.setdefault(entry.automation.id, deque(maxlen=NOT_RUN_KEPT))
        kept.append(told)

    def _fault(self, entry: Entry, words: str, event: Event | None) -> None:
        said = masked(words, self._runs.reports.privacy.of(event))
        self._runs.reports.last_error[entry.automation.id] = said
        self._runs.reports.fault(entry.automation.id, said, event.id if event else None, event.depth if event else 0)

    # --- restart

    def resume(self) -> None:
        """After the journal and ``load``: go on with what the records hold. What fell due meanwhile runs at once."""
        self._resumed = True
        self._runs.resume(self._plan_of)
        self._runs.reports.forget_gone(self._entries)
        for name, kept in self._runs.reports.traces.items():
            if name in self._entries and kept:
                self._entries[name].last_run = kept[-1]["started"]
        self._holds.resume({**self._listening.armed(self._entries), **self._runs.armed})

    def _plan_of(self, version: str, source: Mapping[str, Any]) -> Plan:
        publisher = actor_from(source["publisher"])
        entry = self._entries.get(source["id"])
        if entry is not None and entry.plan.version == version:
            return entry.plan
        reader = Reader(self._templates, lenient=True)
        made = automation(reader, placed(source["tree"]), source["id"])
        if reader.mistakes:
            raise ValueError(reader.mistakes[0].words)
        return self._plan(made, publisher, shadow=version.endswith(":shadow"))

    def _forget(self) -> None:
        """A commit failed: what is in memory is void."""
        self._runs.forget()
        self._holds.forget()
        self._settings.read()

    def _recover(self) -> None:
        """Everybody's memory is as the journal has it: go on from there."""
        self.rearm()
        if self._resumed:
            self.resume()

    def rearm(self) -> None:
        """Let all triggers look at the world as it is now."""
        self._listening.reset(self._entries.values())

    def keep_not_run(self, most: int) -> None:
        """Of each automation: keep so many of the times that it was triggered and did not run."""
        self._runs.reports.not_run.update({name: deque(maxlen=most) for name in self._entries})

    def stop(self) -> None:
        """Hear nothing more; runs stay in their records."""
        for entry in self._entries.values():
            self._listening.stop(entry, keep_holds=True)
        self._host.rules.remove(self._finished)
        self._runs.forget()
        self._holds.forget()

    # --- what is told

    def list(self) -> Rows:
        """All automations and scripts, by id, for a screen; those of files with mistakes are in ``mistakes()``."""
        reports = self._runs.reports
        rows = sorted(self._entries.items())
        return [row_of(name, entry, self._runs.active(name), reports.last_error.get(name)) for name, entry in rows]

    def mistakes(self) -> dict[str, Mistakes]:
        """Mistakes by file, of what was loaded last."""
        return {file: list(found) for file, found in self._broken.items() if found}

    def traces(self, automation_id: str) -> Rows:
        """The last runs, those that go on, and the last times it did not run because a condition was false (``status:
        condition``) or its mode allowed no further run (``skipped``); newest first."""
        self._entry(automation_id)
        return told_of(self._runs, automation_id)
