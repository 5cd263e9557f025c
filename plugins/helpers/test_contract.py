"""The contract that every plugin keeps."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hub.testing import contract

HERE = Path(__file__).parent
CONFIG: dict[str, Any] = {
    "input_boolean": {"night_mode": {"name": {"th": "โหมดกลางคืน", "en": "Night mode"}}},
    "input_number": {"level": {"min": 0, "max": 10, "step": 0.5, "unit_of_measurement": "คน"}},
    "input_select": {"mode": {"options": ["ปกติ", "เทศกาล", "น้ำท่วม"]}},
    "input_text": {"note": {"max": 20, "pattern": "[ก-๙a-z ]*"}},
    "input_datetime": {"wake": {"has_date": True, "has_time": True}},
    "timer": {"quiet": {"duration": "00:05:00"}},
    "counter": {"visits": None},
    "schedule": {"market": {"monday": [{"from": "06:00:00", "to": "10:00:00"}]}},
}

test_contract = contract(
    HERE, CONFIG,
    params={
        "input_select.select_option": {"option": "เทศกาล"}, "input_datetime.set_datetime": {"time": "22:00"},
        "timer.start": {"duration": 300}, "timer.change": {"duration": "-00:01:00"},
    },
)  # fmt: skip
