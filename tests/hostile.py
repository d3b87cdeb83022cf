"""Backends that do to the kit what a backend under development can do."""

import ctypes
import os
import signal
import sys
import threading
import time

from conforming.culling import EvictsOneByOne
from django.core.cache.backends.base import BaseCache
from django.core.cache.backends.locmem import LocMemCache

NOT_A_CLASS = object()


class WithoutMethods:
    """A class that is no backend."""

    def __init__(self, location, params):
        pass


class Bare(BaseCache):
    """A backend that implements nothing."""

    def __init__(self, location, params):
        super().__init__(params)


class CannotBeBuilt(LocMemCache):
    """A backend whose constructor fails."""

    def __init__(self, location, params):
        raise RuntimeError("no\nsuch cluster")


class ExitsWhenBuilt(LocMemCache):
    """A backend whose constructor leaves the interpreter."""

    def __init__(self, location, params):
        sys.exit(7)


class RaisesEverywhere(LocMemCache):
    """A backend that is not there yet."""

    def get(self, *args, **kwargs):
        raise NotImplementedError("later")

    add = set = touch = delete = clear = has_key = incr = get_many = set_many = get


class HangsInGet(LocMemCache):
    """A backend that waits for an answer that never comes."""

    def get(self, *args, **kwargs):
        time.sleep(3600)


class HangsInIncr(LocMemCache):
    """A backend that waits in one operation."""

    def incr(self, *args, **kwargs):
        time.sleep(3600)


class HangsWhenMuchIsWritten(EvictsOneByOne):
    """A backend with a fault in one operation, of which the store stalls under load."""

    def set(self, key, *args, **kwargs):
        if key == "k700":
            time.sleep(3600)
        super().set(key, *args, **kwargs)

    def touch(self, key, timeout=300, version=None):
        return super().touch(key, 1, version)


class Prints(LocMemCache):
    """A backend with forgotten output."""

    def get(self, *args, **kwargs):
        print("get", args)
        os.write(2, b"get\n")
        return super().get(*args, **kwargs)


class Exits(LocMemCache):
    """A backend that gives up."""

    def touch(self, *args, **kwargs):
        sys.exit(3)


class Interrupts(LocMemCache):
    """A backend that raises what Ctrl-C raises."""

    def touch(self, *args, **kwargs):
        raise KeyboardInterrupt


class KillsItsThread(LocMemCache):
    """A backend that ends the thread it runs on."""

    def touch(self, *args, **kwargs):
        ctypes.pythonapi.PyThreadState_SetAsyncExc(
            ctypes.c_ulong(threading.get_ident()), ctypes.py_object(SystemExit)
        )
        return True


class Crashes(LocMemCache):
    """A backend whose C extension ends the process."""

    def touch(self, *args, **kwargs):
        os.kill(os.getpid(), signal.SIGSEGV)


class Quits(LocMemCache):
    """A backend that ends the process itself."""

    def touch(self, *args, **kwargs):
        os._exit(3)


class BadRepr(LocMemCache):
    """A backend that returns what cannot even be shown."""

    class Unshowable:
        def __repr__(self):
            raise ValueError("no repr")

    def touch(self, *args, **kwargs):
        return self.Unshowable()
