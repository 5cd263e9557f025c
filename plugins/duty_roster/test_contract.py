"""The contract that every plugin keeps."""

from __future__ import annotations

from pathlib import Path

from hub.testing import contract

HERE = Path(__file__).parent
CONFIG = {
    "officers": [{"account": "somchai", "name": "สมชาย", "title": "ร.ต.อ."}],
    "shifts": [{"id": "all", "name": {"th": "ทั้งวัน", "en": "All day"}, "start": "00:00", "end": "24:00"}],
}

test_contract = contract(
    HERE, CONFIG,
    params={
        "roster.set_officer": {"account": "malee", "name": "มาลี"}, "roster.remove_officer": {"account": "somchai"},
        "roster.set_shift": {"day": "2026-11-23", "shift": "all", "officers": []},
        "roster.clear_shift": {"day": "2026-11-23", "shift": "all"},
    },
)  # fmt: skip
