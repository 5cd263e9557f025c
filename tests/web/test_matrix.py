"""Every route × every role, from the tables themselves; the table, the OpenAPI document and the manual agree."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from openapi_spec_validator import validate

from hub.access.rights import ASSIGNABLE, RIGHTS, holders
from hub.web.route import OPEN, SIGNED_IN, Route
from tests.web.conftest import Door

MANUAL = Path(__file__).parents[2] / "docs" / "reference" / "api.md"
CONFIRM = "/api/confirmations/{id}"


def address(route: Route) -> str:
    return re.sub(r"{\w+}", "nothing", route.path)


def expected(route: Route, role: str) -> int | None:
    """401, 403, or ``None`` for let in."""
    if route.right == OPEN:
        return None
    if role == "nobody":
        return 401
    if route.path == CONFIRM:  # any person may knock; a token and the wall are no persons
        return 403 if role in ("nothing", "display") else None
    return None if route.right == SIGNED_IN or role in holders(route.right) else 403


@pytest.mark.parametrize("role", ["nobody", "nothing", *ASSIGNABLE])
async def test_each_route_lets_in_whom_the_tables_name(door: Door, role: str) -> None:
    wrong: list[str] = []
    for route in door.app.server.routes:
        if role == "nobody":
            headers: dict[str, str] = {}
        elif role == "nothing":
            headers = door.folks.bearer(role)
        else:
            headers = await door.signed_in(role)
        body = {"answer": "no"} if route.path == CONFIRM else {}
        async with door.http.request(route.method, door.url + address(route), headers=headers, json=body) as answer:
            got = answer.status if answer.status in (401, 403) else None
        if got != expected(route, role):
            wrong.append(f"{route.method} {route.path}: {answer.status}, not {expected(route, role)}")
    assert wrong == []


async def test_routes_name_known_rights_and_few_are_open(door: Door) -> None:
    routes = door.app.server.routes
    assert {route.right for route in routes} - {OPEN, SIGNED_IN} <= RIGHTS.keys()
    assert {(route.method, route.path) for route in routes if route.right == OPEN} == {
        ("GET", "/api/login"), ("POST", "/api/session"), ("GET", "/api/health"), ("GET", "/api/openapi.json"),
    }  # fmt: skip


async def test_what_no_table_names_is_not_served(door: Door) -> None:
    assert (await door.ask("GET", "/api/secrets", "commander"))[0] == 404
    status, body = await door.ask("DELETE", "/api/states", "commander")
    assert (status, body["error"]["code"]) == (405, "invalid_input")


def manual() -> dict[tuple[str, str], str]:
    """Method and path to the right, as the manual's tables say."""
    found: dict[tuple[str, str], str] = {}
    for line in MANUAL.read_text(encoding="utf-8").splitlines():
        for row in re.finditer(r"`(GET|POST|PUT|DELETE|WS) (/(?:api|plugin)/[^`?\s]*)[^`]*`", line):
            cells = line.split(" | ")
            first = len(cells) > 2 and line.startswith("| `") and row[0] in cells[0]
            right = cells[1].strip(" `|") if first else ""
            method = "GET" if row[1] == "WS" else row[1]
            path = re.sub(r"/(ENTITY|ID|DOMAIN\.VERB|INSTANCE|PATH|FILE|N)(?=/|$)", "/{}", row[2])
            found[method, path] = found.get((method, path)) or right
    return found


def said(route: Route) -> str:
    return {OPEN: "none", SIGNED_IN: "signed in"}.get(route.right, route.right)


async def test_the_manual_names_every_route_with_its_right_and_no_other(door: Door) -> None:
    table = {(route.method, re.sub(r"{\w+}", "{}", route.path)): said(route) for route in door.app.server.routes}
    written = manual()
    assert written.keys() == table.keys()
    by_table = {"the action's own": "signed in", "the action's own, a person only": "signed in"}
    for key, right in written.items():
        if right and key[1] != "/api/health":  # health is open in one word; its row says so in a sentence
            assert by_table.get(right, right) == table[key], key


async def test_the_openapi_document_is_valid_and_names_every_route(door: Door) -> None:
    status, document = await door.ask("GET", "/api/openapi.json")
    assert status == 200
    validate(document)
    assert {(method.upper(), path) for path, methods in document["paths"].items() for method in methods} == {
        (route.method, route.path) for route in door.app.server.routes
    }
    emit = document["paths"]["/api/events"]["post"]
    assert (emit["x-right"], emit["security"]) == ("event.emit", [{"session": []}, {"token": []}])
    assert document["components"]["schemas"]["EmitBody"]["required"] == ["type", "data"]
