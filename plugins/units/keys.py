"""Who is this phone? The secret of each device, and keys that stand for it in the cookie of a page."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping

from hub.sdk import Clock

from .unit import Unit

KEY_LIFE_S = 30 * 86_400.0
MAX_KEY = 256


class Keys:
    """Offers ``hub.capabilities.PhoneKeys``. Who is not known and whose secret is wrong are told the same.

    A key is ``DEVICE.END.MAC``: signed with the device's secret, so that a new secret ends all keys of the old one and
    nothing has to be kept.
    """

    def __init__(self, clock: Clock, units: Mapping[str, Unit]) -> None:
        self._clock, self._units = clock, units

    def known(self, device: str, secret: str) -> Unit | None:
        """The unit of a device that shows its secret."""
        unit = self._units.get(device)
        fits = hmac.compare_digest((unit.secret if unit else "").encode(), secret.encode())
        return unit if unit is not None and fits else None

    def of_key(self, key: str) -> Unit | None:
        """The unit whose key this is."""
        device, _, rest = key[:MAX_KEY].partition(".")
        end, _, mac = rest.partition(".")
        unit = self._units.get(device)
        fits = hmac.compare_digest(_mac(unit.secret if unit else "", device, end), mac)
        if unit is None or not fits or int(end) < self._clock.now():
            return None
        return unit

    def make(self, device: str) -> str:
        """A key for a device that is known."""
        end = str(int(self._clock.now() + KEY_LIFE_S))
        return f"{device}.{end}.{_mac(self._units[device].secret, device, end)}"

    async def admit(self, device: str, secret: str) -> str | None:
        return self.make(device) if self.known(device, secret) is not None else None

    async def holder(self, key: str) -> str | None:
        unit = self.of_key(key)
        return unit.entity if unit is not None else None


def _mac(secret: str, device: str, end: str) -> str:
    return hmac.new(secret.encode(), f"phone|{device}|{end}".encode(), hashlib.sha256).hexdigest()
