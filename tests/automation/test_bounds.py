"""What a hostile template may make and how long it may compute: each step is bounded, not only its result."""

from __future__ import annotations

from datetime import UTC
from typing import Any

import pytest

from hub.automation.templates import bounds
from hub.automation.templates.template import TemplateFailed, Templates, TemplateWrong
from hub.automation.templates.views import World
from hub.core.clock import ManualClock
from hub.core.event import EventTypes
from hub.core.state import State

LONG = "a" * 65_000
THAI = "ก" * 65_000
LIST = list(range(9_990))
LATE = "the template ran longer than 40 ms"


def templates() -> Templates:
    return Templates(World(State(EventTypes()), ManualClock(), UTC))


def refused(source: str, **values: Any) -> str:
    compiled = templates().compile(source)
    with pytest.raises(TemplateFailed) as wrong:
        compiled.render(values)
    return str(wrong.value)


@pytest.mark.parametrize("how", ["regex_findall('a.*b|a')", "regex_findall_index('a.*b|a', 0)",
                                 "regex_replace('a.*b|a', '')"])  # fmt: skip
def test_many_matches_that_each_read_the_whole_text_are_stopped_by_the_time(how: str) -> None:
    assert refused(f"{{{{ x | {how} | length }}}}", x=LONG) == LATE
    assert refused(f"{{% set y = x | {how} %}}{{{{ y | length }}}}", x=LONG) == LATE


@pytest.mark.parametrize("how", ["x | regex_search({})", "x | regex_match({})", "x is search({})", "x is match({})",
                                 "x | regex_findall({})", "x | regex_replace({}, '')"])  # fmt: skip
@pytest.mark.parametrize("around", ["{{{{ {} }}}}", "{{% if {} %}}1{{% endif %}}"])
def test_a_single_match_is_bounded_by_its_pattern_and_its_text(how: str, around: str) -> None:
    source = around.format(how.format("'(?:(?:a?){30}){30}b'"))
    words = "the pattern '(?:(?:a?){30}){30}b' takes too long on a text of 65000 characters"
    assert refused(source, x=LONG) == words
    templates().compile(source).render({"x": LONG[:500]})


def test_a_loop_of_matches_looks_at_the_time_at_each(monkeypatch: pytest.MonkeyPatch) -> None:
    source = "{% for i in range(60) %}{{ x is search('(?:(?:a?){8}){8}b' ~ i) }}{% endfor %}"
    looked: list[str] = []
    monkeypatch.setattr(bounds.Budget, "look", lambda _budget: looked.append("late?"))
    templates().compile(source).render({"x": "aaaa"})
    assert looked == ["late?"] * 60


@pytest.mark.parametrize(
    ("source", "result"),
    [
        ("{{ 'a1b22' | regex_findall('[0-9]+') }}", ["1", "22"]),
        ("{{ 'a1b22' | regex_findall('([a-z])([0-9])') }}", [("a", "1"), ("b", "2")]),
        ("{{ 'a1b22' | regex_findall('[a-z]([0-9]*)x?') }}", ["1", "22"]),
        ("{{ 'a1b22' | regex_findall_index('[0-9]+', 1) }}", 22),
        ("{{ 'a1b22' | regex_replace('([a-z])([0-9])', '\\\\2\\\\1-') }}", "1a-2b-2"),
        ("{{ 'กขค' | regex_replace('ข', '-') }}", "ก-ค"), ("{{ 'ab' | regex_replace('x*', '-') }}", "-a-b-"),
        ("{{ 'aXb' | regex_replace('x', '', ignorecase=true) }}", "ab"),
        ("{{ ('x' * 2000) | regex_replace('x', '') | length }}", 0),
        ("{{ range(900) | list | to_json(pretty_print=true) | length }}", 6192),
        ("{{ [1, 2, 3] | batch(2, 'x') | list }}", [[1, 2], [3, "x"]]), ("{{ ' xax '.strip() }}", "xax"),
        ("{{ ' xax ' | trim(' x') }}", "a"), ("{{ 'ff' | int(0, 16) }}", 255),
        ("{{ ['a', 'b'] | map('upper') | map('to_json') | list }}", ['"A"', '"B"']),
    ],
)  # fmt: skip
def test_what_is_within_bounds_is_as_ever(source: str, result: Any) -> None:
    assert templates().compile(source).render({}) == result


GROWING = [
    ("{{ '\"' " + "| to_json" * 24 + " | length }}", "a value of 98302 characters; at most 65536"),
    ("{{ ['\"'] " + "| map('to_json')" * 24 + " | list | length }}", "a value of 98302 characters; at most 65536"),
    ("{{ 'aaaa' " + "| base64_encode" * 50 + " | length }}", "a value of 82680 characters; at most 65536"),
    ("{{ x | urlencode | length }}", "a value of 585000 characters; at most 65536"),
    ("{{ range(9000) | map('string') | map('center', 60000) | list | length }}",
     "a value of 120000 characters; at most 65536"),
    ("{{ y ~ y ~ y | length }}", "a text of more than 65536 characters or 10000 parts"),
    ("{% set a = [l] %}" + "{% set a = a + a %}" * 12 + "{{ a | length }}", "a value of more than 10000 items"),
    ("{{ ([l] * 9000) | to_json | length }}", "a value of more than 10000 items"),
    ("{{ zip(" + ", ".join("l" * 900) + ") | length }}", "a value of more than 10000 items"),
    ("{{ [1] | batch(1000000000, 'x') | list | length }}", "a value of 1000000000 items; at most 10000"),
    ("{{ '" + "{0}" * 20 + "'.format(x) | length }}", "a value of 1300000 characters; at most 1048576"),
    ("{{ ('" + "%(a)s" * 20 + "' | format(a=x)) | length }}", "a value of 1300000 characters; at most 1048576"),
    ("{{ y | regex_replace('(a+)', '" + "\\\\1" * 20 + "') | length }}", "a replacement that becomes too long"),
    ("{{ x.strip(many) | length }}", "a value of 500 letters to strip; at most 64"),
    ("{{ x | trim(many) | length }}", "a value of 500 letters to strip; at most 64"),
    ("{{ (y | int(base=16)) // 3 }}", "int got '" + "a" * 40 + "', which it cannot use, and there is no default"),
]  # fmt: skip


@pytest.mark.parametrize(("source", "words"), GROWING)
def test_each_step_is_bounded_so_that_nothing_large_is_made_on_the_way(source: str, words: str) -> None:
    many = "".join(map(chr, range(0x4E00, 0x4E00 + 500)))
    assert refused(source, x=THAI, y=LONG, l=LIST, many=many).startswith(words)


def test_a_long_chain_of_quick_filters_is_stopped_by_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    passed = iter(range(1_000_000))
    monkeypatch.setattr(bounds, "perf_counter", lambda: next(passed) * 0.01)  # each look comes 10 ms later
    monkeypatch.setattr(bounds, "thread_time", lambda: next(passed) * 0.01)
    assert refused("{{ x" + " | upper | lower" * 40 + " | length }}", x=THAI) == LATE
    assert refused("{{ " + " + ".join(["l | sum"] * 80) + " }}", l=LIST) == LATE
    assert templates().compile("{{ x | upper | lower | length }}").render({"x": THAI}) == 65_000


def test_a_chain_too_deep_to_be_computed_is_refused_when_it_is_compiled() -> None:
    with pytest.raises(TemplateWrong, match="nested too deeply"):
        templates().compile("{{ x" + " | upper | lower" * 300 + " }}")


def test_a_text_of_more_items_than_a_list_may_have_stays_text() -> None:
    compiled = templates().compile("{{ x }}")
    assert compiled.render({"x": "[" + "1," * 9_000 + "]"}) == [1] * 9_000
    assert compiled.render({"x": "[" + "1," * 32_000 + "]"}) == "[" + "1," * 32_000 + "]"
