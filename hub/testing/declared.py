"""Do the parts of a ``plugin.toml`` agree with each other and with what exists?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from difflib import get_close_matches
from fnmatch import fnmatchcase

from hub.access.retention import CLASSES
from hub.access.rights import RIGHT_FORM
from hub.capabilities import CAPABILITIES
from hub.core.event import EventType, Personal
from hub.sdk.manifest import Manifest
from hub.sdk.views import View

_NEEDS = {
    "table": "domain", "map": "domain", "picture": "domain", "video": "domain", "actions": "domain",
    "timeline": "event_type", "chart": "event_type", "form": "action", "link": "path",
}  # fmt: skip


def disagreements(
    manifest: Manifest, domains: Set[str], served: Set[str], types: Mapping[str, EventType], actions: Set[str]
) -> list[str]:
    """What is wrong, in words. ``domains``: those of its entities; ``served``: its own actions that are; ``types`` and
    ``actions``: all that are known."""
    return [
        *_events(manifest, types), *_actions(manifest, served, actions),
        *_views(manifest, domains | CAPABILITIES.keys(), types, actions),
        *(f"reads: {kind!r} is no kind of personal data" for kind in manifest.reads if kind not in set(Personal)),
    ]  # fmt: skip


def _events(manifest: Manifest, types: Mapping[str, EventType]) -> Iterator[str]:
    for name in manifest.emits:
        kind = types.get(name)
        if kind is None:
            yield f"emits: there is no event type {name!r}{_near(name, types.keys())}"
        elif not kind.outside:
            yield f"emits: {name} is the hub's own"
    for kind in manifest.types():
        if kind.name not in manifest.emits:
            yield f"event_types: {kind.name} is declared, but it is not in emits"
        if kind.retention not in CLASSES:
            yield f"event_types: {kind.name}: there is no retention class {kind.retention!r}"
        yield from _projection(kind)


def _projection(kind: EventType) -> Iterator[str]:
    projection, fields = kind.projection, kind.model.model_fields
    if projection is not None:
        used = [*projection.attributes.values(), projection.state_from, projection.merge_from]
        for name in used:
            if name is not None and name not in fields:
                yield f"event_types: {kind.name}: its projection names {name!r}, which is no field of it"


def _actions(manifest: Manifest, served: Set[str], actions: Set[str]) -> Iterator[str]:
    for one in manifest.actions:
        if one.name not in served:
            yield f"actions: {one.name} is declared, but the set-up does not serve it with ctx.act"
        if not RIGHT_FORM.fullmatch(one.right):
            yield f"actions: {one.name}: {one.right!r} is no right; write domain.verb"
    for pattern in manifest.calls:
        domain, _, verb = pattern.partition(".")
        verbs = {name.partition(".")[2] for name in actions if name.startswith(f"{domain}.")}
        # another partner's plugin may have it; so only what is nearly a known one is a slip
        near = get_close_matches(verb, sorted(verbs), 1, 0.75)
        if near and not any(fnmatchcase(name, pattern) for name in actions):
            yield f"calls: there is no action {pattern!r}; did you mean '{domain}.{near[0]}'?"


def _views(
    manifest: Manifest, domains: Set[str], types: Mapping[str, EventType], actions: Set[str]
) -> Iterator[str]:
    seen: set[str] = set()
    for view in manifest.views:
        if view.id in seen:
            yield f"views: the id {view.id!r} is used twice"
        seen.add(view.id)
        need = _NEEDS[view.kind]
        if getattr(view, need) is None:
            yield f"views: {view.id}: a {view.kind} needs {need!r}"
        yield from _names(view, domains, types, actions)


def _names(view: View, domains: Set[str], types: Mapping[str, EventType], actions: Set[str]) -> Iterator[str]:
    for what, name, known in (
        ("domain", view.domain, domains), ("event type", view.event_type, types.keys()),
        ("action", view.action, actions), *(("action", name, actions) for name in view.actions or ()),
    ):  # fmt: skip
        if name is not None and name not in known:
            yield f"views: {view.id}: there is no {what} {name!r}{_near(name, known)}"
    if not RIGHT_FORM.fullmatch(view.right):
        yield f"views: {view.id}: {view.right!r} is no right; write domain.verb"


def _near(word: str, known: Set[str]) -> str:
    close = get_close_matches(word, sorted(known), 1, 0.75)
    return f"; did you mean {close[0]!r}?" if close else ""
