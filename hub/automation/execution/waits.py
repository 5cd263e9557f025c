"""Waits for a template or a trigger: armed while a strand stands there, and its time-out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hub.automation.execution.arming import Armed, Arming
from hub.automation.execution.reports import Reports
from hub.automation.execution.run import Strand, Waiting
from hub.automation.execution.trace import masked
from hub.automation.execution.values import truth
from hub.automation.language.model import TemplateTrigger, Trigger
from hub.automation.language.steps import WaitStep
from hub.automation.templates.template import TemplateFailed
from hub.core.clock import Clock
from hub.core.event import Event


class Waits:
    """``wake`` goes on with a strand; ``give_up`` ends its run."""

    def __init__(
        self, clock: Clock, arming: Arming, wake: Callable[[Strand], None], give_up: Callable[[Strand], None],
        reports: Reports,
    ) -> None:  # fmt: skip
        self._fault, self._privacy = reports.fault, reports.privacy
        self._clock, self._arming, self._wake, self._give_up = clock, arming, wake, give_up

    def listen(self, strand: Strand, waiting: Waiting) -> None:
        """Arm what a wait_template or wait_for_trigger waits for."""
        run, step = strand.run, strand.run.plan.waits[waiting.path]
        triggers = step.triggers
        if step.template is not None:
            triggers = (TemplateTrigger(path=waiting.path, template=step.template),)

        def fire(trigger: Trigger, told: dict[str, Any], event: Event | None) -> None:
            if strand.waiting is waiting:
                run.secrets = tuple(dict.fromkeys((*run.secrets, *self._privacy.of(event))))
                told.update(id=trigger.id, idx=trigger.path.rpartition("/")[2], alias=trigger.alias)
                self._happened(strand, waiting, None if step.template is not None else told)

        def failed(words: str, event: Event | None) -> None:
            said = masked(words, run.secrets)
            self._fault(run.plan.automation.id, said, event.id if event else run.cause, run.depth)

        name = f"{run.id}#{strand.number}"
        strand.armed = Armed(self._arming, name, waiting.path, triggers, strand.values, fire, failed)
        if step.template is not None and strand.waiting is waiting and self._true(step, strand):
            self._happened(strand, waiting, None)

    @staticmethod
    def _true(step: WaitStep, strand: Strand) -> bool:
        """Has the template become true already?"""
        try:
            return step.template is not None and truth(step.template.render(strand.values))
        except TemplateFailed:
            return False

    def _happened(self, strand: Strand, waiting: Waiting, told: dict[str, Any] | None) -> None:
        left = None if waiting.until is None else max(0.0, waiting.until - self._clock.now())
        came = {"completed": True} if told is None else {"trigger": told}
        strand.respond("wait", {"remaining": left, **came})
        self._wake(strand)

    def too_late(self, strand: Strand, waiting: Waiting) -> None:
        """The time-out of a wait."""
        step = strand.run.plan.waits[waiting.path]
        missed: dict[str, Any] = {"completed": False} if step.template is not None else {"trigger": None}
        strand.respond("wait", {"remaining": 0.0, **missed})
        strand.run.notes.add(waiting.path, step.go_on_late, {"timeout": True})
        if step.go_on_late:
            self._wake(strand)
        else:
            self._give_up(strand)
