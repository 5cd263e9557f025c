"""The pages of ``docs/reference``, from what the code declares. The same code gives the same bytes."""

from __future__ import annotations

import argparse
import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from hub.access.retention import CLASSES
from hub.access.rights import OWN, RIGHTS, ROLES, matches
from hub.capabilities import CAPABILITIES, EVENT_TYPES
from hub.cli.reference import words
from hub.cli.reference.fields import field_rows, settings_table, shown, table, type_of
from hub.cli.reference.language import language
from hub.core.action import ActionSpec, actions_of
from hub.core.event import EventType, Projection
from hub.core.system import SYSTEM_TYPES
from hub.host.discover import Found
from hub.host.registry import Registry
from hub.host.settings import Children, Upkeep, Web, Zone
from hub.sdk.manifest import API_VERSION, ActionTable, Manifest
from hub.sdk.spec import PluginSpec
from hub.sdk.views import View

MADE = "<!-- Made by `hub reference`: change the code, not this page. -->"
Plugins = Mapping[str, Found]


def page(title: str, lines: Iterable[str]) -> str:
    """A page as text."""
    return "\n".join([f"# {title}", "", MADE, "", *lines]).rstrip() + "\n"


def doc(thing: Any) -> str:
    """A docstring on one line, without the reference marks of Python; pydantic's own is nobody's words."""
    return " ".join((inspect.cleandoc(thing.__doc__ or "")).split()).replace("``", "`")


# --- events


def events(plugins: Plugins) -> str:
    """Each event type."""
    lines = ["Fields marked with a kind of personal data are encrypted in the journal and masked for readers without",
             "`personal.read`. An event of the lane `telemetry` may be replaced by the next of its entity while the",
             "hub is busy. `state` and attributes are what an event does to its entity.", ""]  # fmt: skip
    for kind in sorted(EVENT_TYPES, key=lambda kind: kind.name):
        lines += _event(kind, "")
    for name, found in sorted(plugins.items()):
        for kind in sorted(found.manifest.types(), key=lambda kind: kind.name):
            lines += _event(kind, f"Declared by the plugin {name}.")
    lines += ["# Of the hub itself", "", "These have no outside door, unless they say so.", ""]
    for kind in sorted(SYSTEM_TYPES, key=lambda kind: kind.name):
        lines += _event(kind, "Plugins may emit it for their own entities." if kind.outside else "")
    rows = [(f"`{one.name}`", str(one.days), one.title.en, one.ground) for one in CLASSES.values()]
    lines += ["# Retention classes", "", *table(("class", "days", "what", "ground"), rows)]
    return page("Event types", lines)


def _event(kind: EventType, note: str) -> Iterator[str]:
    yield from (f"## {kind.name}", "", f"{kind.title.en} · {kind.title.th}. {_said(kind.model)}".rstrip(), "")
    if note:
        yield from (note, "")
    yield f"Lane `{kind.lane}`, retention `{kind.retention}`, version {kind.version}. {_projected(kind.projection)}"
    yield ""
    schema = kind.model.model_json_schema()
    needed, parts = schema.get("required", ()), schema.get("$defs", {})
    rows = [
        (
            f"`{name}`", type_of(part, parts), "must be given" if name in needed else shown(part.get("default")),
            str(kind.personal.get(name, "")), part.get("description", ""),
        )
        for name, part in schema.get("properties", {}).items()
    ]  # fmt: skip
    if rows:
        yield from table(("field", "type", "default", "personal", "what"), rows)
        yield ""


def _said(model: Any) -> str:
    return doc(model) if "__doc__" in vars(model) and model.__module__.startswith("hub.") else ""


def _projected(projection: Projection | None) -> str:
    if projection is None:
        return "Changes no state."
    if projection.remove:
        return "Removes its entity."
    parts = []
    if projection.state is not None:
        parts.append(f"state becomes `{projection.state}`")
    if projection.state_from is not None:
        parts.append(f"state is `{projection.state_from}`")
    if projection.attributes:
        pairs = (f"`{to}`" if to == of else f"`{to}` (from `{of}`)" for to, of in projection.attributes.items())
        parts.append(f"sets {', '.join(pairs)}")
    if projection.merge_from is not None:
        parts.append(f"merges `{projection.merge_from}` into the attributes")
    text = "; ".join(parts)
    return f"{text[:1].upper()}{text[1:]}."


# --- actions and capabilities


def actions(plugins: Plugins) -> str:
    """Each action."""
    lines = ["An action is asked for by `POST /api/actions/DOMAIN.VERB`, an automation's step or a plugin.",
             "*Dangerous*: a person with the right confirms it within 60 s. *Idempotent*: it may be sent again after a",
             "crash.", "",
             "## Of capabilities", ""]  # fmt: skip
    for domain, capability in sorted(CAPABILITIES.items()):
        for spec in actions_of(capability, domain).values():
            lines += _action(spec, doc(_method(capability, spec)))
    lines += ["## Of plugins", "", "Their parameters stand in `GET /api/actions` once the plugin runs.", ""]
    rows = [
        (
            f"`{one.name}`", f"{one.title.en} · {one.title.th}", f"`{one.right}`", _marks(one), f"{one.timeout_s:g} s",
            name,
        )
        for name, found in sorted(plugins.items())
        for one in found.manifest.actions
    ]  # fmt: skip
    lines += table(("action", "what", "right", "", "time limit", "plugin"), rows)
    return page("Actions", lines)


def _method(capability: type, spec: ActionSpec) -> Any:
    return vars(capability).get(spec.verb) or vars(capability)[f"{spec.verb}_"]


def _marks(one: ActionSpec | ActionTable) -> str:
    return ", ".join(word for word, so in (("dangerous", one.dangerous), ("idempotent", one.idempotent)) if so)


def _action(spec: ActionSpec, said: str) -> Iterator[str]:
    yield from (f"### {spec.name}", "", f"{spec.title.en} · {spec.title.th}. {said}", "")
    marks = f", {_marks(spec)}" if _marks(spec) else ""
    yield f"Target: a `{spec.capability}`. Right `{spec.right}`, time limit {spec.timeout:g} s{marks}."
    yield ""
    if rows := field_rows(spec.params):
        cells = [(f"`{row.name}`", row.type, row.default or "must be given") for row in rows]
        yield from table(("parameter", "type", "default"), cells)
        yield ""


def capabilities(_: Plugins) -> str:
    """What an entity can do."""
    lines = ["An entity names its capabilities; its device has their methods. Import them from `hub.capabilities`.", ""]
    for name, capability in sorted(CAPABILITIES.items()):
        lines += [f"## {name}", "", f"`hub.capabilities.{capability.__name__}`. {doc(capability)}", ""]
        specs = actions_of(capability, name).values()
        rows = [
            (f"`{_signature(_method(capability, spec))}`", doc(_method(capability, spec)), f"`{spec.name}`")
            for spec in specs
        ]
        lines += [*table(("method", "what", "action"), rows), ""] if rows else ["No methods: it marks what comes.", ""]
    return page("Capabilities", lines)


def _signature(method: Any) -> str:
    given = inspect.signature(method)
    kept = given.replace(parameters=[one for name, one in given.parameters.items() if name != "self"])
    return f"async {method.__name__}{kept}".replace("'", "")


# --- configuration


def configuration(plugins: Plugins) -> str:
    """``config.yaml`` with the settings of each plugin."""
    lines = ["`config.yaml` and what it includes: `!include FILE`, `!include_dir_list FOLDER`, `!secret NAME` (from",
             "`secrets.yaml`), `!env_var NAME DEFAULT`. `hub check` names every mistake with file, line and column.",
             "",
             *table(("key", "what"), ((f"`{key}`", said) for key, said in words.TOP.items())), ""]  # fmt: skip
    for key, model in (("zone", Zone), ("web", Web), ("upkeep", Upkeep), ("children", Children)):
        lines += [f"## {key}", "", doc(model), "", *settings_table(field_rows(model, words.SETTINGS)), ""]
    lines += ["## plugins", "", "Each entry:", ""]
    lines += [*table(("key", "what"), ((f"`{key}`", said) for key, said in words.ENTRY.items())), ""]
    for name, spec in specs(plugins):
        lines += [f"### {name}", "", plugins[name].manifest.description.en, "", *plugin_settings(spec), ""]
    return page("Configuration", lines)


def specs(plugins: Plugins) -> Iterator[tuple[str, PluginSpec]]:
    """The declarations of the plugins that came with the hub."""
    registry = Registry()
    for name, found in sorted(plugins.items()):
        yield name, registry.load(name, found.folder, found.fingerprint)


def plugin_settings(spec: PluginSpec) -> list[str]:
    """The table of a plugin's settings."""
    rows = field_rows(spec.config)
    return settings_table(rows) if rows else ["It has no settings."]


# --- plugins, roles, commands


def plugin_files(_: Plugins) -> str:
    """The vocabulary of ``plugin.toml``."""
    kinds = table(("key", "what"), ((f"`{key}`", said) for key, said in words.EVENT_TABLE.items()))
    lines = ["`plugin.toml` says what a plugin is, so that nothing of its code has to run for it. This hub speaks",
             f"plugin API {API_VERSION}.", "", *settings_table(_own(Manifest)), "", "## [[event_types]]", "", *kinds,
             "", "## [[actions]]", "", doc(ActionTable), "", *settings_table(_own(ActionTable)), "",
             "## [[views]]", "", doc(View), "", *settings_table(field_rows(View, words.MANIFEST))]  # fmt: skip
    return page("plugin.toml", lines)


def _own(model: Any) -> list[Any]:
    """Without the fields of the tables that have a section of their own."""
    inner = ("actions[].", "views[].")
    return [row for row in field_rows(model, words.MANIFEST) if not row.name.startswith(inner)]


def roles(_: Plugins) -> str:
    """Rights × roles."""
    names = [name for name in ROLES if name not in ("system",)]
    rows = [
        (f"`{right}`", text.en, text.th, *(_mark(role, right) for role in names))
        for right, text in sorted(RIGHTS.items())
    ]  # fmt: skip
    lines = ["● for all entities, ○ for the owner's own. Rights of actions that are not listed here (`light.dim`)",
             "belong to the roles whose pattern covers them; what nobody has needs a grant.", "",
             *table(("right", "what", "สิทธิ", *names), rows), "", "## Patterns", "",
             *table(("role", "holds"), ((f"`{name}`", _patterns(name)) for name in names))]  # fmt: skip
    return page("Roles and rights", lines)


def _mark(role: str, right: str) -> str:
    if any(matches(pattern, right) for pattern in ROLES[role]):
        return "●"
    return "○" if any(matches(pattern, right) for pattern in OWN.get(role, ())) else ""


def _patterns(role: str) -> str:
    own = [f"`{pattern}` of its own" for pattern in sorted(OWN.get(role, ()))]
    return ", ".join([*(f"`{pattern}`" for pattern in sorted(ROLES[role])), *own])


def commands(parser: argparse.ArgumentParser) -> str:
    """Each command with its options."""
    lines = ["Exit status: 0 well, 1 it could not be done (one line on stderr says why), 2 the command line was wrong.",
             ""]  # fmt: skip
    for name, command in _leaves(parser, "hub"):
        rows = [(_option(one), one.help or "") for one in command._actions if not isinstance(one, argparse._HelpAction)]
        lines += [f"## {name}", "", command.description or "", "", *table(("", "what"), rows), ""]
    return page("Commands", lines)


def _leaves(parser: argparse.ArgumentParser, name: str) -> Iterator[tuple[str, argparse.ArgumentParser]]:
    inner = [one for one in parser._actions if isinstance(one, argparse._SubParsersAction)]
    if not inner:
        yield name, parser
    for group in inner:
        for verb, command in group.choices.items():
            yield from _leaves(command, f"{name} {verb}")


def _option(one: argparse.Action) -> str:
    written = " ".join(filter(None, [one.option_strings[-1] if one.option_strings else "", _metavar(one)]))
    return f"`{written}`" if one.required else f"`[{written}]`"


def _metavar(one: argparse.Action) -> str:
    return str(one.metavar or one.dest.upper()) if one.nargs != 0 else ""


def automations(_plugins: Plugins) -> str:
    """The automation language."""
    return page("Automations", language())


PAGES: Mapping[str, Callable[[Plugins], str]] = {
    "events.md": events, "actions.md": actions, "capabilities.md": capabilities, "configuration.md": configuration,
    "plugins.md": plugin_files, "roles.md": roles, "automations.md": automations,
}  # fmt: skip
