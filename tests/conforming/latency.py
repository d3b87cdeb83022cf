"""Backends that are far away: an operation takes its time, whatever it does."""

import threading
import time
from functools import wraps
from itertools import count

from django.core.cache.backends.locmem import LocMemCache

from conforming import conforms

OPERATIONS = (
    *("get", "set", "add", "touch", "incr", "has_key", "delete", "clear"),
    *("get_many", "set_many", "delete_many"),
)
_journey = threading.local()


def travels(operation):
    """Return the operation so that it sleeps once, also where it is made of others."""

    @wraps(operation)
    def sleeping(self, *args, **kwargs):
        if getattr(_journey, "under_way", False):
            return operation(self, *args, **kwargs)
        time.sleep(self.latency)
        _journey.under_way = True
        try:
            return operation(self, *args, **kwargs)
        finally:
            _journey.under_way = False

    return sleeping


class Remote(LocMemCache):
    """Needs ``latency`` seconds to ask its server, which does the rest at once."""

    latency = 0.0


for name in OPERATIONS:
    setattr(Remote, name, travels(getattr(LocMemCache, name)))


@conforms
class FiveMilliseconds(Remote):
    """Is in the same town."""

    latency = 0.005


@conforms(slow=True)
class FiftyMilliseconds(Remote):
    """Is on another continent."""

    latency = 0.05


@conforms(slow=True)
class FiveMillisecondsForEachKey(LocMemCache):
    """Asks for each of many keys by itself."""

    def make_and_validate_key(self, key, version=None):
        time.sleep(0.005)
        return super().make_and_validate_key(key, version)


_turns = count(1)
_standing_still = threading.Lock()


@conforms
class StandsStill(LocMemCache):
    """Collects garbage, or fails over: now and then nobody gets an answer for five seconds."""

    def make_and_validate_key(self, key, version=None):
        with _standing_still:
            if next(_turns) % 3000 == 0:
                time.sleep(5)
        return super().make_and_validate_key(key, version)
