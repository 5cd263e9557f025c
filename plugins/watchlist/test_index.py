"""The list alone: what is the same plate, what is one error away, and what a look-up costs."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugins.watchlist import device
from plugins.watchlist.device import Entry, PlateIndex, apart, normal, same_province

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


def found(made: PlateIndex, plate: str) -> list[tuple[str, str]]:
    """(entry, how it was found)."""
    word = normal(plate)
    exact = [one.id for one in made.exact(word)]
    return [(name, "exact") for name in exact] + [(one.id, "near") for one in made.near(word) if one.id not in exact]


@pytest.mark.parametrize(
    ("read", "kind"),
    [
        ("1กข1234", "exact"),
        ("๑กข ๑๒๓๔", "exact"),
        (" 1 กข-1234 ", "exact"),
        ("1กช1234", "near"),
        ("กข1234", "near"),
        ("1กข123", "near"),
        ("1กข12344", "near"),
        ("71กข1234", "near"),
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


def test_provinces_are_compared_as_people_write_them() -> None:
    assert same_province("ลำปาง", "ล\u0e4d\u0e32ปาง")  # ำ written as two signs
    assert (same_province("กรุงเทพมหานคร", "กรุงเทพ มหานคร"), same_province("ตาก", "แพร่")) == (True, False)
    assert same_province("", "ตาก") and same_province("ตาก", "")


@pytest.mark.parametrize(
    ("text", "plate", "province"),
    [
        ("?ข 12?4 สุโขทัย", "?ข 12?4", "สุโขทัย"), ("กข1234นครพนม", "กข1234", "นครพนม"), ("70-1234 ตาก", "70-1234", "ตาก"),
        ("๑กข ๑๒๓๔ กรุงเทพ มหานคร ", "๑กข ๑๒๓๔", "กรุงเทพ มหานคร"), ("กข ???? ลำปาง", "กข ????", "ลำปาง"),
        ("1กข 1234", "1กข 1234", ""), ("1กข", "1กข", ""), ("กข 1234", "กข 1234", ""), ("", "", ""),
    ],
)  # fmt: skip
def test_a_province_behind_the_number_is_none_of_the_plate(text: str, plate: str, province: str) -> None:
    assert apart(text) == (plate, province)


def test_an_entry_is_active_while_it_is_approved_or_urgent() -> None:
    usual, asked = entry("กข1234"), entry("กข1234", approved_by=None)
    urgent, ended = entry("กข1234", approved_by=None, urgent_until=20.0), entry("กข1234", expires_at=10.0)
    assert [one.active(9.0) for one in (usual, asked, urgent, ended)] == [True, False, True, True]
    assert [one.active(20.0) for one in (usual, asked, urgent, ended)] == [True, False, False, False]


def test_what_was_taken_out_leaves_nothing() -> None:
    made = index(entry("กข1234"), entry("กข1235"))
    made.drop("กข1234")
    made.drop("กข1234")
    assert found(made, "กข1234") == [("กข1235", "near")]
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
        kinds = {0: "exact", 1: "near"}
        wanted = kinds.get(distance(read, listed))
        assert found(index(entry(listed)), read) == ([(listed, wanted)] if wanted else [])


def test_digits_of_three_scripts_are_one() -> None:
    assert normal("๑กข ๒๓๔") == normal("1กข234") == normal("１กข２３４") == "1กข234"
    assert normal("ab-12") == "AB12"
    assert (normal("?ข 12?4"), normal("?ข 12?4", partial=True)) == ("ข124", "?ข12?4")


class Counted(dict[str, list[Entry]]):
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
    errors = device.errors

    def note(read: str, plate: str) -> int:
        compared.append(plate)
        return errors(read, plate)

    monkeypatch.setattr(device, "errors", note)
    reads = [*listed[:200], *(plate[:-1] + "0" for plate in listed[:200])]
    for read in reads:
        made.near(read)
    assert counted.looked <= 7 * len(reads)  # the plate itself and its six deletions
    assert len(compared) <= 4 * len(reads)  # of 10,000
