"""All mistakes of a text of automations, without running it: for the command line, the API and the editor."""

from __future__ import annotations

from datetime import UTC

from hub.automation.language.blueprint import Blueprints, no_blueprints
from hub.automation.language.known import Catalogue, Known
from hub.automation.language.parse import Parser
from hub.automation.language.reader import Reader
from hub.automation.language.sample import check_blueprint
from hub.automation.language.source import Map, load
from hub.automation.templates.template import Templates
from hub.automation.templates.views import World
from hub.core.clock import SystemClock
from hub.core.error import ConfigError, Mistake
from hub.core.event import EventTypes
from hub.core.state import State


def check_text(
    text: str, file: str, known: Known | None = None, blueprints: Blueprints = no_blueprints, *, lenient: bool = False
) -> list[Mistake]:
    """Every mistake with file, line and column, in the order of the text; without ``known`` names are not checked.

    The text is a file of automations, or a blueprint. ``lenient``: entities, actions and kinds of domains that the hub
    does not have pass, for a file that was written for Home Assistant.
    """
    templates = Templates(World(State(EventTypes()), SystemClock(), UTC))
    parser = Parser(templates, blueprints, known, lenient)
    try:
        value, place = load(text, file)
    except ConfigError as wrong:
        return wrong.mistakes
    if isinstance(value, Map) and isinstance(value.get("blueprint"), Map):
        found = _blueprint(Reader(templates, known, lenient=lenient), value, parser)
    else:
        found = list(parser.parse_value(value, place).mistakes)
    return sorted(found, key=lambda mistake: (mistake.file, mistake.line, mistake.column))


def _blueprint(reader: Reader, body: Map, parser: Parser) -> list[Mistake]:
    domain = body["blueprint"].get("domain")
    if domain not in ("automation", "script"):
        at = body["blueprint"].values_at.get("domain", body["blueprint"].place)
        return [at.mistake("'domain' must be automation or script")]

    def check(made: Map) -> list[Mistake]:
        made.pop("id", None)
        made.put("id", made.place, "blueprint", made.place)
        if domain == "automation":
            return list(parser.parse_value(made, made.place).mistakes)
        made.pop("id")
        named, whole = Map(made.place), Map(made.place)
        named.put("blueprint", made.place, made, made.place)
        whole.put("script", made.place, named, made.place)
        return list(parser.parse_value(whole, made.place).mistakes)

    return check_blueprint(reader, body, check)


__all__ = ["Catalogue", "Known", "check_text"]
