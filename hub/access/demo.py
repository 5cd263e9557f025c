"""The demo's accounts: two officers, and two owners of private cameras. They exist while the demo runs on loopback."""

from __future__ import annotations

from typing import Final

from hub.access.accounts import Accounts

TITLE: Final = "demo"
# Known to everybody who reads this; so they exist only while the hub listens on loopback alone.
USER: Final = "demo"
PASSWORD: Final = "sukhothai-demo"  # noqa: S105
ACCOUNTS: Final[tuple[tuple[str, tuple[str, ...], str | None], ...]] = (
    (USER, ("ccoc", "operator", "commander"), None),
    ("second", ("ccoc", "commander"), None),  # two officers are on duty, and some things need both
    ("goldshop", ("partner",), "gold_shop_2"),
    ("hotel", ("partner",), "hotel_1"),
)


def set_demo_accounts(accounts: Accounts, wanted: bool) -> None:
    """Make them when they are wanted and their names are free, remove those made here when not."""
    for name, roles, owner in ACCOUNTS:
        known = accounts.get(name)
        if wanted and known is None:
            accounts.add(name, PASSWORD, roles, owner=owner, title=TITLE)
        elif not wanted and known is not None and known.title == TITLE:
            accounts.remove(name)
