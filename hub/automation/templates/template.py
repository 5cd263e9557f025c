"""Templates: ``{{ … }}`` compiled once, within an allow-list of the syntax tree and with bounded cost.

A template that is one simple expression becomes a chain of Python closures (``closures.py``); any other becomes a
compiled jinja template whose every intermediate value passes ``Budget.keep``. Results are native: ``{{ 1 + 1 }}``
is the number 2, as in Home Assistant.
"""

from __future__ import annotations

import re
from ast import literal_eval
from collections.abc import Mapping
from difflib import get_close_matches
from itertools import islice
from typing import Any, cast

import jinja2
from jinja2 import nodes
from jinja2.runtime import Undefined
from jinja2.sandbox import SandboxedEnvironment
from jinja2.utils import Cycler, Joiner, Namespace
from jinja2.visitor import NodeTransformer

from hub.automation.templates.bounds import ARITHMETIC, MAX_CHARS, MAX_ITEMS, NUMBERS, SMALL, Budget, TooCostly
from hub.automation.templates.closures import Closure, Closures, Values
from hub.automation.templates.functions import STATEFUL, names
from hub.automation.templates.lookup import lookup
from hub.automation.templates.named import entities_in
from hub.automation.templates.views import Reads, World

MAX_SOURCE = 16_384
MAX_NODES = 2_000
MAX_CACHED = 20_000
PARTS = 256  # of a rendering that are joined at once; each is bounded itself

_MARKS = ("{{", "{%", "{#")
_NUMERIC = re.compile(r"[+-]?(?!0\d)\d*(?:\.\d*)?")
_JINJA_FILTERS = (
    "count d default first last length list map reject rejectattr reverse select selectattr sort unique items "
    "slice groupby dictsort"
).split()
_TESTS = (
    "defined undefined none number integer float string mapping sequence iterable boolean true false even odd in "
    "eq equalto ne lt lessthan le gt greaterthan ge == != < <= > >= divisibleby lower upper sameas callable"
).split()
_ALLOWED = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.For, nodes.If, nodes.Assign, nodes.Name, nodes.Const,
    nodes.Tuple, nodes.List, nodes.Dict, nodes.Pair, nodes.Keyword, nodes.CondExpr, nodes.Filter, nodes.Test,
    nodes.Call, nodes.Getattr, nodes.Getitem, nodes.Slice, nodes.Concat, nodes.Compare, nodes.Operand,
    nodes.BinExpr, nodes.UnaryExpr, nodes.AssignBlock, nodes.NSRef, nodes.Macro, nodes.FilterBlock, nodes.ExprStmt,
    nodes.Break, nodes.Continue, nodes.CallBlock, nodes.With, nodes.Scope,
)  # fmt: skip


class TemplateWrong(ValueError):
    """The template cannot be used: its syntax, a name that does not exist, or what is not allowed here."""


class TemplateFailed(ValueError):
    """Rendering failed: a missing value, a wrong type, too costly."""


def is_template(value: object) -> bool:
    return isinstance(value, str) and any(mark in value for mark in _MARKS)


class Template:
    """One compiled template. ``entities``: those named in it literally, known without rendering."""

    __slots__ = ("_native", "_text", "entities", "source")

    def __init__(self, source: str, native: Closure, text: Closure, entities: frozenset[str]) -> None:
        self.source, self._native, self._text, self.entities = source, native, text, entities

    def render(self, values: Values) -> Any:
        """The native result. ``TemplateFailed`` when it cannot be computed."""
        return _failing(self._native, values)

    def text(self, values: Values) -> str:
        """The result as text, for fields that hold text: ``0812`` keeps its zero and ``1.50`` its places."""
        return str(_failing(self._text, values))

    def __repr__(self) -> str:
        return f"Template({self.source!r})"


def _failing(closure: Closure, values: Values) -> Any:
    try:
        return closure(values)
    except jinja2.TemplateError as wrong:
        raise TemplateFailed(wrong.message or type(wrong).__name__) from None
    except KeyError as missing:
        raise TemplateFailed(f"nothing is called {missing}") from None
    except (ValueError, TypeError, ArithmeticError, AttributeError, IndexError, RecursionError) as wrong:
        raise TemplateFailed(str(wrong)[:300] or type(wrong).__name__) from None


class Templates:
    """Compiles templates over one ``World``; equal texts are compiled once."""

    def __init__(self, world: World, *, strict: bool = False) -> None:
        self.world = world
        self._budget = Budget()
        self._strict, self._apart = strict, cast("Templates | None", None)
        self._env = env = _Environment(world, self._budget, jinja2.StrictUndefined if strict else Undefined)
        tests: dict[str, Any] = {**env.tests}
        self._closures = Closures(env.globals, env.filters, tests, env.getitem, env.undefined, self._budget.keep)
        self._cache: dict[str, Template] = {}

    def compile(self, source: str, *, limited: bool = False) -> Template:
        """``TemplateWrong`` with words for its author. ``limited``: it may not look at states and the time, since it
        is rendered once, when its file is loaded."""
        try:
            return self._compiled(source, limited=limited)
        except TemplateWrong:
            raise
        except RecursionError:
            raise TemplateWrong("template: nested too deeply") from None
        except Exception as wrong:  # a number of 5,000 digits, and what else nobody foresaw: it is this template's
            raise TemplateWrong(f"template: {str(wrong)[:300] or type(wrong).__name__}") from None

    def _compiled(self, source: str, *, limited: bool) -> Template:
        if limited and is_template(source):
            self._limited(source)
            # it is rendered at once, and where a text is read that may be in a thread: with a budget of its own
            self._apart = self._apart or Templates(self.world, strict=self._strict)
            return self._apart.compile(source)
        made = self._cache.get(source)
        if made is None:
            if len(self._cache) >= MAX_CACHED:
                self._cache.clear()
            made = self._cache[source] = self._make(source)
        return made

    def _limited(self, source: str) -> None:
        try:
            tree = self._env.parse(source)
        except jinja2.TemplateSyntaxError:
            return  # compile says it
        named = (nodes.Name, nodes.Filter, nodes.Test)
        used = {node.name for node in _walk(tree) if isinstance(node, named)} & STATEFUL
        if used:
            raise TemplateWrong(f"template: {sorted(used)[0]!r} cannot be used here: this is decided when it is loaded")

    def watching(self, template: Template, values: Values) -> tuple[Any, Reads]:
        """Render and note what was read, also when it fails (the result is then ``None``)."""
        world, reads = self.world, Reads()
        before, world.reads = world.reads, reads
        try:
            return template.render(values), reads
        except TemplateFailed:
            return None, reads
        finally:
            world.reads = before

    def _make(self, source: str) -> Template:
        if len(source) > MAX_SOURCE:
            raise TemplateWrong(f"the template is longer than {MAX_SOURCE} characters")
        try:
            tree = self._env.parse(source)
        except jinja2.TemplateSyntaxError as wrong:
            raise TemplateWrong(f"template: {wrong.message} (line {wrong.lineno} of it)") from None
        except RecursionError:
            raise TemplateWrong("template: nested too deeply") from None
        every = _check(tree, self._env)
        entities = entities_in(tree)
        expression = _single(tree)
        try:
            closure = self._closures.closure(expression) if expression is not None else None
        except RecursionError:
            raise TemplateWrong("template: nested too deeply") from None
        if closure is not None:
            return self._from_closure(source, closure, entities, watched=any(map(_grows, every)))
        return self._from_tree(source, tree, entities)

    def _from_closure(
        self, source: str, closure: Closure, entities: frozenset[str], *, watched: bool
    ) -> Template:
        budget = self._budget

        def native(values: Values) -> Any:
            if watched:
                budget.begin()
            value = closure(values)
            if value is True or value is False or value is None:  # most are conditions
                return value
            if not watched:
                budget.begin()
            return _native(budget.keep(value))

        def text(values: Values) -> str:
            budget.begin()
            value = closure(values)
            if value is True or value is False:
                return "True" if value else "False"
            return str(budget.keep(value)).strip()

        return Template(source, native, text, entities)

    def _from_tree(self, source: str, tree: nodes.Template, entities: frozenset[str]) -> Template:
        bounded = _Bounded().visit(tree)
        try:
            # compiled from the checked tree, never from text: what runs is what was allowed
            code = self._env.compile(bounded)
            made = jinja2.Template.from_code(self._env, code, self._env.globals)
        except (jinja2.TemplateError, RecursionError, SyntaxError) as wrong:
            raise TemplateWrong(f"template: {wrong}") from None
        budget = self._budget

        def text(values: Values) -> str:
            budget.begin()
            parts, length = [], 0
            rendering = made.root_render_func(made.new_context(dict(values)))
            while some := list(islice(rendering, PARTS)):
                chunk = "".join(some)
                parts.append(chunk)
                length += len(chunk)
                if length > MAX_CHARS:
                    raise TooCostly(f"a result of more than {MAX_CHARS} characters")
            return "".join(parts).strip()

        return Template(source, lambda values: parsed(text(values)), text, entities)


def _native(value: Any) -> Any:
    """A closure's value as if it had been printed and read again."""
    kind = type(value)
    if value is None or kind is bool or kind is int:
        return value
    if kind is float:
        text = repr(value)
        return value if _NUMERIC.fullmatch(text) else text
    return parsed(str(value).strip())


def parsed(text: str) -> Any:
    """Text as the literal it looks like: number, truth value, ``None``, list, dict; else the text itself."""
    if not text or text[0].isalpha():
        return {"True": True, "False": False, "None": None}.get(text, text)
    if (text[0].isdigit() or text[0] in "+-.") and "," not in text:
        if not _NUMERIC.fullmatch(text):
            return text  # a plate, a time, a scientific number: text, told without parsing
        return _number(text)
    if text.count(",") > MAX_ITEMS:  # no list that a template may make; reading it takes long
        return text
    try:
        value = literal_eval(text)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return text
    if isinstance(value, str | bytes | complex):
        return text
    if isinstance(value, int | float) and not isinstance(value, bool) and not _NUMERIC.fullmatch(text):
        return text
    return value


def _number(text: str) -> Any:
    """What matches ``_NUMERIC``."""
    try:
        return float(text) if "." in text else int(text)
    except ValueError:  # a sign or a point alone
        return text


# --- the allow-list


def _walk(tree: nodes.Template) -> list[nodes.Node]:
    """All nodes, without recursion: a hostile tree is deep."""
    found: list[nodes.Node] = []
    pending = list(tree.iter_child_nodes())
    while pending:
        node = pending.pop()
        pending += node.iter_child_nodes()
        found.append(node)
        if len(found) > MAX_NODES:
            raise TemplateWrong("template: too long; divide it")
    return found


def _check(tree: nodes.Template, env: jinja2.Environment) -> list[nodes.Node]:
    """All its nodes, when each is allowed."""
    every = _walk(tree)
    own = {"caller"} | {node.name for node in every if isinstance(node, nodes.Macro)}
    own |= {node.name for node in every if isinstance(node, nodes.Name) and node.ctx in ("store", "param")}
    for node in every:
        if not isinstance(node, _ALLOWED) or (isinstance(node, nodes.For) and node.recursive):
            raise TemplateWrong(
                f"template: {type(node).__name__.lower()} is not allowed here (line {node.lineno} of it)"
            )
        if isinstance(node, nodes.Name | nodes.Getattr):
            name = node.name if isinstance(node, nodes.Name) else node.attr
            if name.startswith("_"):
                raise TemplateWrong(f"template: {name!r}: names that begin with _ are not allowed")
        elif isinstance(node, nodes.Filter):
            _exists(node.name, env.filters, "filter")
        elif isinstance(node, nodes.Test):
            _exists(node.name, env.tests, "test")
        if isinstance(node, nodes.Call) and isinstance(node.node, nodes.Name) and node.node.name not in own:
            _exists(node.node.name, env.globals, "function")
    return every


def _grows(node: nodes.Node) -> bool:
    """Can it make something large, or take long?"""
    if isinstance(node, nodes.Filter | nodes.Test):
        return node.name not in SMALL if isinstance(node, nodes.Filter) else node.name in ("match", "search")
    if isinstance(node, nodes.Call):
        return not (isinstance(node.node, nodes.Name) and node.node.name in SMALL)
    return isinstance(node, nodes.BinExpr | nodes.Concat) and not isinstance(node, nodes.And | nodes.Or)


def _exists(name: str, known: Mapping[str, Any], what: str) -> None:
    if name not in known or name.startswith("_"):
        near = get_close_matches(name, known, 1)
        raise TemplateWrong(f"template: no {what} {name!r}" + (f"; did you mean {near[0]!r}?" if near else ""))


def _single(tree: nodes.Template) -> nodes.Expr | None:
    """The expression of a template that is nothing else (blanks around it do not count)."""
    if len(tree.body) != 1 or not isinstance(tree.body[0], nodes.Output):
        return None
    parts = [
        part for part in tree.body[0].nodes if not (isinstance(part, nodes.TemplateData) and not part.data.strip())
    ]
    return parts[0] if len(parts) == 1 and not isinstance(parts[0], nodes.TemplateData) else None


# --- the general way: jinja, every value bounded

_KEEP, _EACH = "_keep", "_each"

class _Bounded(NodeTransformer):
    """Wraps what can grow, and each loop's head, where the time is looked at."""

    def generic_visit(self, node: nodes.Node, *args: Any, **kwargs: Any) -> nodes.Node:
        super().generic_visit(node, *args, **kwargs)
        if isinstance(node, nodes.For):
            node.iter = _wrapped(_EACH, node.iter)
        elif isinstance(node, nodes.Filter) and node.name not in SMALL and node.node is not None:
            return _wrapped(_KEEP, node)
        elif isinstance(node, nodes.Call):
            small = isinstance(node.node, nodes.Name) and node.node.name in SMALL
            return node if small else _wrapped(_KEEP, node)
        elif isinstance(node, nodes.Concat | nodes.List | nodes.Tuple | nodes.Dict) and _loads(node):
            return _wrapped(_KEEP, node)
        return node


def _loads(node: nodes.Node) -> bool:
    """A constant list is as large as its text."""
    if getattr(node, "ctx", "load") != "load":
        return False
    return not all(isinstance(child, nodes.Const) for child in node.iter_child_nodes())


def _wrapped(how: str, node: Any) -> nodes.Expr:
    return nodes.Filter(node, how, [], [], None, None)  # a filter is called as it is, a function by way of the sandbox


class _Environment(SandboxedEnvironment):
    """Only the names of ``functions.py``; attributes by its ``lookup``; arithmetic by ``bounds``."""

    intercepted_binops = frozenset(ARITHMETIC)

    def __init__(self, world: World, budget: Budget, undefined: type[Undefined]) -> None:
        super().__init__(
            autoescape=False, cache_size=0, undefined=undefined, extensions=["jinja2.ext.loopcontrols", "jinja2.ext.do"]
        )
        made = names(world, budget)
        self._budget = budget
        known, tests = self.filters, self.tests
        own = {_KEEP: budget.keep, _EACH: budget.each}
        self.filters = {**{name: known[name] for name in _JINJA_FILTERS}, **made.filters, **own}
        self.tests = {**{name: tests[name] for name in _TESTS}, **made.tests}
        parts = {"namespace": Namespace, "cycler": Cycler, "joiner": Joiner}
        self.globals = {**made.functions, **parts}

    def is_safe_callable(self, obj: Any) -> bool:
        return True  # nothing unsafe can be reached: ``lookup`` is the allow-list

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        made = ARITHMETIC[operator](left, right)
        return made if type(made) in NUMBERS else self._budget.keep(made)

    def getattr(self, obj: Any, attribute: str) -> Any:
        return self.getitem(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        if isinstance(obj, Undefined):
            raise jinja2.UndefinedError(f"{obj._undefined_name!r} is not defined")
        try:
            return lookup(obj, argument)
        except (KeyError, IndexError, TypeError):
            return self.undefined(obj=obj, name=str(argument))
