"""A text is published in two steps: what is decided is written down first, and when that is durable the text is taken
up. In between, and when the writing fails, what works goes on as it was."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from hub.automation.entry import Entry
from hub.automation.execution.records import actor_data
from hub.automation.language.known import Known
from hub.automation.language.steps import Automation
from hub.automation.settings import Settings
from hub.automation.texts import Texts
from hub.core.access import Actor
from hub.core.error import ConfigError


@dataclass(frozen=True, slots=True)
class Decision:
    """The automations of a text, and what was decided about each, and about those that go, ``before``."""

    automations: tuple[Automation, ...]
    before: Mapping[str, dict[str, Any] | None]

    @property
    def ids(self) -> list[str]:
        """Of its automations."""
        return [made.id for made in self.automations]


class Publishing:
    """Writes in the open commit group."""

    def __init__(self, settings: Settings, texts: Texts, entries: Mapping[str, Entry]) -> None:
        self._settings, self._texts, self._entries = settings, texts, entries

    def prepare(self, text: str, file: str, known: Known | None) -> None:
        """Parse a text that will be published with the same ``known``: in a thread, since a large one takes seconds."""
        self._texts.parse(text, file, known)

    def decide(
        self, text: str, publisher: Actor, file: str = "", known: Known | None = None, *, shadow: bool | None = None,
        gone: Iterable[str] = (),
    ) -> Decision:  # fmt: skip
        """Write down who publishes this text; ``ConfigError`` with every mistake, and then nothing is written.
        ``gone``: ids that the file held and this text may not hold any more."""
        parsed = self._texts.parse(text, file, known)
        mistakes = list(parsed.mistakes)
        for made in parsed.automations:
            there = self._entries.get(made.id)
            if there is not None and file and there.file != file:
                mistakes.append(made.place.mistake(f"the id {made.id!r} is taken already in {there.file}"))
        if mistakes:
            raise ConfigError(mistakes)
        ids = [made.id for made in parsed.automations]
        gone = [name for name in gone if name not in ids]
        before = {name: dict(self._settings.of(name)) or None for name in (*ids, *gone)}
        told = {} if shadow is None else {"shadow": shadow}
        for made in parsed.automations:
            self._settings.put(made.id, publisher=actor_data(publisher), hash=made.hash, **told)
        for name in gone:
            self._settings.drop(name)
        return Decision(parsed.automations, before)

    def undo(self, decision: Decision) -> None:
        """As it was before."""
        for name, setting in decision.before.items():
            self._settings.restore(name, setting)
