"""All mistakes of a text of automations, without running it: for the command line, the API and the editor."""

from __future__ import annotations

from datetime import UTC

from hub.automation.language.blueprint import Blueprints, no_blueprints
from hub.automation.language.known import Catalogue, Known
from hub.automation.language.parse import parse_text
from hub.automation.templates.template import Templates
from hub.automation.templates.views import World
from hub.core.clock import SystemClock
from hub.core.error import Mistake
from hub.core.event import EventTypes
from hub.core.state import State


def check_text(
    text: str, file: str, known: Known | None = None, blueprints: Blueprints = no_blueprints
) -> list[Mistake]:
    """Every mistake with file, line and column, in the order of the text; without ``known`` names are not checked."""
    templates = Templates(World(State(EventTypes()), SystemClock(), UTC))
    found = parse_text(text, file, templates, blueprints, known).mistakes
    return sorted(found, key=lambda mistake: (mistake.file, mistake.line, mistake.column))


__all__ = ["Catalogue", "Known", "check_text"]
