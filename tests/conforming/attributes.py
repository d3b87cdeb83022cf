"""Backends with attributes of an unusual kind."""

from django.core.cache.backends.locmem import LocMemCache

from conforming import conforms


@conforms
class Frozen(LocMemCache):
    """Takes no attributes once it is built."""

    def __init__(self, name, params):
        super().__init__(name, params)
        self.built = True

    def __setattr__(self, name, value):
        if "built" in vars(self):
            raise AttributeError(f"{name} cannot be set")
        super().__setattr__(name, value)
