"""The list alone: what is the same plate, what is one error away, and what a look-up costs."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugins.watchlist import device
from plugins.watchlist.device import Entry, PlateIndex, normal, same_province

LETTERS = "กขคฆงจฉชฌญฎฐฒณตถธนบปผพภมยรลวศษสฬอฮ"
PLATES = st.tuples(st.text("0123456789", max_size=1), st.text(LETTERS, min_size=2, max_size=2),
                   st.text("0123456789", min_size=1, max_size=4)).map("".join)  # fmt: skip


def entry(plate: str, *, id: str = "", province: str = "", **changed: object) -> Entry:
    values: dict[str, object] = {
        "priority": "high", "requested_by": "user:a", "requested_at": 0.0, "expires_at": 1000.0,
        "approved_by": "user:b",
    }  # fmt: skip
    return Entry(id or plate, plate, province, "รถหาย", "ป.วิ.อาญา", "งานสืบสวน", **(values | changed))  # type: ignore[arg-type]


def index(*entries: Entry) -> PlateIndex:
    made = PlateIndex()
    for one in entries:
        made.put(one)
    return made


def found(made: PlateIndex, plate: str, province: str = "", now: float = 1.0) -> list[tuple[str, str]]:
    return [(match.entry.id, match.kind) for match in made.find(plate, province, now)]


@pytest.mark.parametrize(
    ("read", "kind"),
    [
        ("1กข1234", "exact"),
        ("๑กข ๑๒๓๔", "exact"),
        (" 1 กข-1234 ", "exact"),
        ("1กช1234", "one_error"),
        ("กข1234", "one_error"),
        ("1กข123", "one_error"),
        ("1กข12344", "one_error"),
        ("71กข1234", "one_error"),
        ("1กข1243", None),
        ("1กช1235", None),
        ("กข123", None),
        ("71กข12345", None),
        ("2กข123", None),
        ("", None),
        ("x" * 300, None),
    ],
)
def test_what_is_one_plate(read: str, kind: str | None) -> None:
    assert found(index(entry("1กข1234")), read) == ([("1กข1234", kind)] if kind else [])


def test_another_province_counts_as_the_error() -> None:
    made = index(entry("กข1234", province="ลำปาง"))
    assert found(made, "กข1234", "ลำปาง") == [("กข1234", "exact")]
    assert found(made, "กข1234", "ล\u0e4d\u0e32ปาง") == [("กข1234", "exact")]  # ำ written as two signs
    assert found(made, "กข1234") == [("กข1234", "exact")]
    assert found(made, "กข1234", "ตาก") == [("กข1234", "one_error")]
    assert found(made, "กข1235", "ลำปาง") == [("กข1234", "one_error")]
    assert found(made, "กข1235", "ตาก") == []
    assert (same_province("กรุงเทพมหานคร", "กรุงเทพ มหานคร"), same_province("ตาก", "แพร่")) == (True, False)


def test_exact_ones_come_first_and_only_active_ones_come() -> None:
    made = index(
        entry("กข1235", id="a"), entry("กข1234", id="b"), entry("กข1234", id="c", approved_by=None),
        entry("กข1234", id="d", expires_at=10.0), entry("กข1234", id="e", approved_by=None, urgent_until=20.0),
    )  # fmt: skip
    assert found(made, "กข1234", now=9.0) == [("b", "exact"), ("d", "exact"), ("e", "exact"), ("a", "one_error")]
    assert found(made, "กข1234", now=20.0) == [("b", "exact"), ("a", "one_error")]


def test_what_was_taken_out_leaves_nothing() -> None:
    made = index(entry("กข1234"), entry("กข1235"))
    made.drop("กข1234")
    made.drop("กข1234")
    assert found(made, "กข1234") == [("กข1235", "one_error")]
    made.drop("กข1235")
    assert (len(made), made._near) == (0, {})


def distance(a: str, b: str) -> int:
    """Levenshtein's, by his recurrence."""
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        before, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (x != y))
    return row[-1]


@given(PLATES, PLATES, st.data())
def test_it_finds_what_the_definition_says(listed: str, other: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(listed) - 1))
    near = [listed, other, listed[:at] + listed[at + 1 :], listed[:at] + data.draw(st.sampled_from("9ฮ")) + listed[at:]]
    for read in near:
        kinds = {0: "exact", 1: "one_error"}
        wanted = kinds.get(distance(read, listed))
        assert found(index(entry(listed)), read) == ([(listed, wanted)] if wanted else [])


def test_digits_of_three_scripts_are_one() -> None:
    assert normal("๑กข ๒๓๔") == normal("1กข234") == normal("１กข２３４") == "1กข234"
    assert normal("ab-12") == "AB12"


class Counted(dict[str, set[str]]):
    """Counts what is looked up."""

    looked = 0

    def get(self, key: str, default: object = None) -> object:  # type: ignore[override]
        self.looked += 1
        return super().get(key, default)


def plates(count: int) -> Iterator[str]:
    draw = random.Random(7)
    seen: set[str] = set()
    while len(seen) < count:
        word = "".join(draw.choices(LETTERS, k=2)) + str(draw.randrange(1000, 10_000))
        if word not in seen:
            seen.add(word)
            yield word


@pytest.mark.parametrize("size", [10, 1_000, 10_000])
def test_a_look_up_costs_the_same_in_a_long_list(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work is counted, not timed: keys looked up and entries compared, for reads that hit and reads that miss."""
    listed = list(plates(size))
    made = index(*(entry(plate) for plate in listed))
    counted = made._near = Counted(made._near)
    compared: list[str] = []
    errors = device._errors

    def note(read: str, plate: str) -> int:
        compared.append(plate)
        return errors(read, plate)

    monkeypatch.setattr(device, "_errors", note)
    reads = [*listed[:200], *(plate[:-1] + "0" for plate in listed[:200])]
    for read in reads:
        made.find(read, "", 1.0)
    assert counted.looked <= 7 * len(reads)  # the plate itself and its six deletions
    assert len(compared) <= 4 * len(reads)  # of 10,000
