"""Template expressions as chains of Python closures: several times faster than a general template.

Works on jinja's syntax tree by the names of its node types, so that jinja itself stays in ``template.py``.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any

from hub.automation.templates.bounds import ARITHMETIC, NUMBERS, QUICK, SHORT, SMALL, joined

Values = Mapping[str, Any]
Closure = Callable[[Values], Any]
Node = Any  # a node of jinja2.nodes, allowed by template.py

def contained(value: Any, many: Any) -> bool:
    """``value in many``; a long list of the rule's own text answers by hash (``FixedList.has``)."""
    has = getattr(many, "has", None) if type(many) is not str else None
    return bool(has(value)) if has is not None else value in many


_COMPARES: dict[str, Callable[[Any, Any], Any]] = {
    "eq": operator.eq, "ne": operator.ne, "lt": operator.lt, "lteq": operator.le, "gt": operator.gt,
    "gteq": operator.ge, "in": contained, "notin": lambda a, b: not contained(a, b),
}  # fmt: skip


class Closures:
    """Expressions as closures; ``None`` for what is left to jinja. ``get`` is ``value[name]`` within the allow-list,
    ``undefined`` the class of missing values; what each step makes passes ``keep`` when it can grow."""

    def __init__(
        self, names: Mapping[str, Any], filters: Mapping[str, Callable[..., Any]],
        tests: Mapping[str, Callable[..., Any]], get: Callable[[Any, Any], Any], undefined: type[Any],
        keep: Callable[[Any], Any],
    ) -> None:  # fmt: skip
        def default(value: Any, instead: Any = "", falsy: bool = False) -> Any:
            return instead if isinstance(value, undefined) or (falsy and not value) else value

        self._names, self._get, self._undefined, self._keep = names, get, undefined, keep
        # jinja's own want its environment; those are left to it
        plain = {name: call for name, call in filters.items() if not hasattr(call, "jinja_pass_arg")}
        self._filters = {**plain, "default": default, "d": default}
        self._tests: dict[str, Callable[..., bool]] = {
            **{name: call for name, call in tests.items() if not hasattr(call, "jinja_pass_arg")},
            "defined": lambda value: not isinstance(value, undefined),
            "undefined": lambda value: isinstance(value, undefined),
            "none": lambda value: value is None,
        }
        binary = dict.fromkeys(("add", "sub", "mul", "div", "floordiv", "mod", "pow"), self._binary)
        self._builders: dict[str, Callable[[Node], Closure | None]] = {
            **binary, "const": self._const, "name": self._name, "getattr": self._getattr, "getitem": self._getitem,
            "and": self._and, "or": self._or, "not": self._not, "neg": self._neg, "concat": self._concat,
            "condexpr": self._condexpr, "compare": self._compare, "test": self._test, "filter": self._filter,
            "call": self._call,
        }  # fmt: skip

    def closure(self, node: Node) -> Closure | None:
        """The expression's closure."""
        build = self._builders.get(type(node).__name__.lower())
        return build(node) if build else None

    def _all(self, parts: list[Node]) -> list[Closure] | None:
        made = [self.closure(part) for part in parts]
        found = [part for part in made if part is not None]
        return found if len(found) == len(made) else None

    def _const(self, node: Node) -> Closure:
        value = node.value
        return lambda _: value

    def _name(self, node: Node) -> Closure:
        name, names, undefined = node.name, self._names, self._undefined

        def get(values: Values) -> Any:
            if name in values:
                return values[name]
            return names[name] if name in names else undefined(name=name)

        return get

    def _getattr(self, node: Node) -> Closure | None:
        of, name, get = self.closure(node.node), node.attr, self._get
        if of is None:
            return None

        def attribute(values: Values) -> Any:
            value = of(values)
            if type(value) is dict and name in value:
                return value[name]
            return get(value, name)

        return attribute

    def _getitem(self, node: Node) -> Closure | None:
        of, item, get = self.closure(node.node), self.closure(node.arg), self._get
        return of and item and (lambda values: get(of(values), item(values)))

    def _binary(self, node: Node) -> Closure | None:
        compute = ARITHMETIC[node.operator]
        left, right = self.closure(node.left), self.closure(node.right)
        if left is None or right is None:
            return None
        keep = self._keep

        def computed(values: Values) -> Any:
            made = compute(left(values), right(values))
            return made if type(made) in NUMBERS else keep(made)

        return computed

    def _and(self, node: Node) -> Closure | None:
        left, right = self.closure(node.left), self.closure(node.right)
        return left and right and (lambda values: left(values) and right(values))

    def _or(self, node: Node) -> Closure | None:
        left, right = self.closure(node.left), self.closure(node.right)
        return left and right and (lambda values: left(values) or right(values))

    def _not(self, node: Node) -> Closure | None:
        of = self.closure(node.node)
        return of and (lambda values: not of(values))

    def _neg(self, node: Node) -> Closure | None:
        of = self.closure(node.node)
        return of and (lambda values: -of(values))

    def _concat(self, node: Node) -> Closure | None:
        parts = self._all(node.nodes)
        return None if parts is None else (lambda values: joined(part(values) for part in parts))

    def _condexpr(self, node: Node) -> Closure | None:
        if node.expr2 is None:
            return None
        test, yes, no = self.closure(node.test), self.closure(node.expr1), self.closure(node.expr2)
        return test and yes and no and (lambda values: yes(values) if test(values) else no(values))

    def _compare(self, node: Node) -> Closure | None:
        if len(node.ops) != 1:
            return None
        left, right = self.closure(node.expr), self.closure(node.ops[0].expr)
        compare = _COMPARES[node.ops[0].op]
        return left and right and (lambda values: compare(left(values), right(values)))

    def _test(self, node: Node) -> Closure | None:
        test = self._tests.get(node.name)
        if test is None or node.dyn_args or node.dyn_kwargs:
            return None
        return self._applied(test, [node.node, *(node.args or [])], node.kwargs or [])

    def _filter(self, node: Node) -> Closure | None:
        function = self._filters.get(node.name)
        if function is None or node.node is None or node.dyn_args or node.dyn_kwargs:
            return None
        return self._kept(node.name, self._applied(function, [node.node, *node.args], node.kwargs))

    def _call(self, node: Node) -> Closure | None:
        if node.dyn_args or node.dyn_kwargs or type(node.node).__name__ != "Name":
            return None
        return self._kept(node.node.name, self._applied(self._names[node.node.name], node.args, node.kwargs))

    def _kept(self, name: str, of: Closure | None) -> Closure | None:
        if of is None or name in SMALL:
            return of
        closure, keep, quick = of, self._keep, SHORT if name in QUICK else 0

        def kept(values: Values) -> Any:
            made = closure(values)
            return made if type(made) is str and len(made) < quick else keep(made)

        return kept

    def _applied(
        self, function: Callable[..., Any], args: list[Node], kwargs: list[Node]
    ) -> Closure | None:
        of, named = self._all(args), self._all([pair.value for pair in kwargs])
        if of is None or named is None:
            return None
        if len(of) == 1 and not named:
            one = of[0]
            return lambda values: function(one(values))
        if len(of) == 2 and not named:
            first, second = of
            return lambda values: function(first(values), second(values))
        keys = [pair.key for pair in kwargs]
        return lambda values: function(
            *[part(values) for part in of], **{key: part(values) for key, part in zip(keys, named, strict=True)}
        )
