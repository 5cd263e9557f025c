"""The contract that every plugin keeps."""

from __future__ import annotations

from pathlib import Path

from hub.testing import contract

HERE = Path(__file__).parent
CONFIG = {
    "lamps": [{"unique_id": "charot_1", "position": [17.007, 99.822]}, {"unique_id": "charot_2"}],
    "groups": [{"id": "charot", "name": {"th": "ถนนจรดวิถีถ่อง", "en": "Charot road"}, "members": ["charot_*"]}],
    "schedule": {"position": [17.007, 99.822]},
}

test_contract = contract(HERE, CONFIG, dead_config=CONFIG)
