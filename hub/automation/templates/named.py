"""What a template names: the entities it reads, and whether it reads others that its text does not tell."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import jinja2
from jinja2 import nodes

READERS = frozenset({"states", "state_attr", "is_state", "is_state_attr", "has_value"})
# what looks at many entities, or at one that is not told
_WIDE = frozenset(
    "expand closest areas area_id area_name area_entities integration_entities state_translated device_entities".split()
)
_PARSER = jinja2.Environment(extensions=["jinja2.ext.loopcontrols", "jinja2.ext.do"], autoescape=True)


@dataclass(frozen=True, slots=True)
class Named:
    """``open``: which entities it reads is known only when it is rendered."""

    entities: frozenset[str]
    open: bool


def named_in(source: str) -> Named:
    """Of a template's text."""
    try:
        tree = _PARSER.parse(source)
    except (jinja2.TemplateSyntaxError, RecursionError):
        return Named(frozenset(), True)
    told = dict(_told(tree))
    opened = any(
        node.name == "states" and id(node) not in told if isinstance(node, nodes.Name) else _is_open(node)
        for node in tree.find_all((nodes.Name, nodes.Call, nodes.Filter, nodes.Test))
    )
    return Named(frozenset(told.values()), opened)


def entities_in(tree: nodes.Template) -> frozenset[str]:
    """The entities that are named literally."""
    return frozenset(entity for _, entity in _told(tree))


def _told(tree: nodes.Template) -> Iterator[tuple[int, str]]:
    """The names ``states`` (by identity) and other places that read an entity which the text tells, and the entity."""
    for call in tree.find_all(nodes.Call):
        if isinstance(call.node, nodes.Name) and call.node.name in READERS and (name := _text(_first(call))):
            yield id(call.node), name
    for node in tree.find_all((nodes.Filter, nodes.Test)):
        if isinstance(node, nodes.Filter | nodes.Test) and node.name in READERS and (name := _text(node.node)):
            yield id(node), name
    for outer in tree.find_all((nodes.Getattr, nodes.Getitem)):
        last = _part(outer)
        inner = outer.node if isinstance(outer, nodes.Getattr | nodes.Getitem) else None
        if last and "." in last and isinstance(inner, nodes.Name) and inner.name == "states":
            yield id(inner), last.lower()
        first = _part(inner)
        of = inner.node if isinstance(inner, nodes.Getattr | nodes.Getitem) else None
        if first and last and "." not in first and isinstance(of, nodes.Name) and of.name == "states":
            yield id(of), f"{first}.{last}".lower()


def _is_open(node: nodes.Node) -> bool:
    if isinstance(node, nodes.Call):
        if not isinstance(node.node, nodes.Name):
            return False
        name = node.node.name
        return name in _WIDE or (name in READERS and _text(_first(node)) is None)
    if not isinstance(node, nodes.Filter | nodes.Test):
        return False
    if node.name in READERS and _text(node.node) is None:
        return True
    # `map('states')`, `select('is_state', 'on')`: of each of a list
    return node.name in _WIDE or any(
        isinstance(part, nodes.Const) and part.value in (READERS | _WIDE) for part in node.args or ()
    )


def _first(call: nodes.Call) -> nodes.Expr | None:
    if call.args:
        return call.args[0]
    return next((pair.value for pair in call.kwargs if pair.key == "entity"), None)


def _text(node: nodes.Node | None) -> str | None:
    return node.value.lower() if isinstance(node, nodes.Const) and isinstance(node.value, str) else None


def _part(node: nodes.Node | None) -> str | None:
    """``name`` of ``x.name`` and of ``x['name']``."""
    if isinstance(node, nodes.Getattr):
        return node.attr
    if isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Const) and isinstance(node.arg.value, str):
        return node.arg.value
    return None
