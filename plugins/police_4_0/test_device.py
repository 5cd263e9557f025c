"""The reader of logs: the two forms, Thai times and headings, and each mistake with its line and column."""

from __future__ import annotations

import json
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugins.police_4_0 import fake
from plugins.police_4_0.device import MAX_FILE, BadFile, parse_log

NOW = datetime.fromisoformat("2026-11-23T23:00:00+07:00").timestamp()
AT = datetime.fromisoformat("2026-11-23T22:15:00+07:00").timestamp()


def mistakes(text: str) -> list[tuple[int, str, str]]:
    return [(one.line, one.column, one.message) for one in parse_log(text.encode(), NOW).mistakes]


@pytest.mark.parametrize(
    "time", ["2026-11-23T22:15:00+07:00", "2026-11-23 22:15", "2569-11-23T22:15", "2026-11-23T15:15:00Z",
             "23/11/2569 22:15", "23/11/2026 22:15:00"],
)  # fmt: skip
def test_times_as_they_are_written(time: str) -> None:
    (row,) = parse_log(f"time,box\n{time},RB1\n".encode(), NOW).rows
    assert (row.at, row.box, row.line) == (AT, "RB1", 2)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp874"])
@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_thai_headings_of_any_export(encoding: str, mark: str) -> None:
    text = "ลำดับ,เจ้าหน้าที่,รหัสตู้,วันเวลา\r\n1,ด.ต. สมชาย,RB1,23/11/2569 22:15\r\n".replace(",", mark)
    (row,) = parse_log(text.encode(encoding), NOW).rows
    assert (row.at, row.box, row.officer) == (AT, "RB1", "ด.ต. สมชาย")


def test_json_of_both_shapes() -> None:
    item = {"time": "2026-11-23T22:15:00+07:00", "box": "RB1", "lat": 17.0, "lon": "99.8", "accuracy": 5}
    for document in ([item], {"scans": [item]}):
        (row,) = parse_log(json.dumps(document).encode(), NOW).rows
        assert (row.line, row.at, row.lat, row.lon, row.accuracy_m) == (1, AT, 17.0, 99.8, 5.0)


def test_the_same_visit_has_the_same_id_in_both_forms() -> None:
    rows = fake.visits(["RB1", "RB2"], NOW - 60, 4)
    by_csv, by_json = (parse_log(raw, NOW).rows for raw in (fake.as_csv(rows), fake.as_json(rows)))
    assert [row.id for row in by_csv] == [row.id for row in by_json]
    assert len({row.id for row in by_csv}) == 4


def test_each_mistake_has_its_line_and_column_and_the_rest_is_read() -> None:
    text = (
        "time,box,officer,lat,lon\n"
        "23/11/2569 22:15,RB1,ก,17.0,99.8\n"
        "yesterday,RB1,ก,,\n"
        "23/11/2569 22:15,,ก,,\n"
        "23/11/2569 22:15,RB1,ก,north,99.8\n"
        "23/11/2569 22:15,RB1\n"
        "\n"
        "24/11/2569 22:15,RB1,ก,,\n"
        "23/11/2568 22:15,RB1,ก,,\n"
        "23/11/2569 22:20,RB1,ก,17.0,\n"
        '23/11/2569 22:25,"RB2",ข,,\n'
    )
    log = parse_log(text.encode(), NOW)
    assert [(row.line, row.box) for row in log.rows] == [(2, "RB1"), (11, "RB2")]
    assert log.bad == 7
    assert mistakes(text) == [
        (3, "time (1)", "'yesterday' is no time: 2026-11-23T22:15:00+07:00 or 23/11/2569 22:15"),
        (4, "box (2)", "it is empty"),
        (5, "lat (4)", "'north' is no number within -90 to 90"),
        (6, "", "2 columns, the heading has 5"),
        (8, "time (1)", "'24/11/2569 22:15' has not come yet"),
        (9, "time (1)", "'23/11/2568 22:15' is more than 92 days ago"),
        (10, "lon (5)", "latitude and longitude belong together"),
    ]


def test_items_of_json_that_are_wrong_are_named_by_their_number() -> None:
    items = [{"time": "23/11/2569 22:15", "box": "RB1"}, 5, {"time": 7, "box": ["x"]}, {"time": "23/11/2569 22:15"}]
    log = parse_log(json.dumps(items).encode(), NOW)
    assert len(log.rows) == 1
    assert [(one.line, one.column) for one in log.mistakes] == [(2, "time"), (3, "time"), (4, "box")]


@pytest.mark.parametrize(
    ("raw", "line", "words"),
    [
        (b"", 1, "the file is empty"),
        (b"a,b\n1,2\n", 1, "the first line names no column time or เวลา or วันเวลา or scanned_at"),
        (b"x" * (MAX_FILE + 1), 1, "the file is over 4 MiB: export fewer days"),
        (b"time,box\n\xff\xfe\x00\x81", 2, "the file is no text: save it as CSV UTF-8"),
        (b'{"scans": [\n{"time": }]}', 2, "no JSON: Expecting value"),
        (b'{"other": 1}', 1, "neither a list of scans nor an object with the list scans"),
        (b"[" * 100_000, 1, "no JSON that can be read: too deep, or a number too long"),
        (b'time,box\n"23/11/2569 22:15,RB1', 2, "no CSV: unexpected end of data"),
        (b"time,box\n" + b"23/11/2569 22:15,RB1\n" * 5001, 5002, "more than 5000 rows: export fewer days"),
    ],
)
def test_files_that_cannot_be_used(raw: bytes, line: int, words: str) -> None:
    with pytest.raises(BadFile) as wrong:
        parse_log(raw, NOW)
    assert (wrong.value.line, str(wrong.value)) == (line, words)


@given(st.binary(max_size=300))
def test_no_bytes_break_the_reader(raw: bytes) -> None:
    try:
        log = parse_log(b"time,box\n" + raw, NOW)
    except BadFile:
        return
    assert log.bad >= len(log.mistakes)
