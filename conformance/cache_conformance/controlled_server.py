"""The server that the clauses about faults kill, pause and cut off: one of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from typing import TYPE_CHECKING, Any

from cache_conformance.vocabulary import NotApplicable

if TYPE_CHECKING:
    from cache_targets import Target
    from cache_targets.proxy import Proxy

DEFAULT_FAULT_BOUND = 10.0
"""Seconds that an operation may take while something is wrong, and a backend to recover."""

SLOW = 0.8
"""Seconds for which a slow reply is held back before it comes in pieces."""


class ControlledServer:
    """A server like the one at ``place``, started when it is first needed.

    What others use is left alone. A reply can be harmed on its way through a proxy.
    """

    def __init__(self, place: Mapping[str, Any], bound: float = DEFAULT_FAULT_BOUND) -> None:
        """``bound``: the seconds after which a fault is over for whoever waits for its end."""
        self.bound = bound
        self.works_on_it = False
        """Whether the server is being started again, which takes as long as it takes."""
        self._place = place
        self._open = ExitStack()
        self._target: Target | None = None
        self._proxy: Proxy | None = None
        self._whole = True
        self._told: dict[str, Any] = {}

    def __repr__(self) -> str:
        """Return what stands in the message of a failure."""
        return "<a {target} ({provider}) for faults>".format_map(self._place)

    @property
    def unfit(self) -> str | None:
        """Return why there is no such server, None where there is one."""
        if not self._place:
            return (
                "it needs a server that the kit starts, kills and pauses; where the backend uses "
                "one that the kit knows, name it with --cache-target"
            )
        if not self._place["owned"]:
            return (
                f"the kit has not started the {self._place['target']}, so it is left alone; "
                "give no address, to have one started"
            )
        if self._place.get("location") is None:
            return "its store is a database, whose failures are not a matter of the cache"
        return None

    def start(self) -> None:
        """Have the server run. Raises ``cache_targets.TargetUnavailable``."""
        from cache_targets import start

        if self._target is None:
            wanted = "{target}:{members}:{provider}".format_map(self._place)
            self._target = self._open.enter_context(start(wanted))
        elif not self._whole:
            self._target.restart()
        self._whole = True

    def close(self) -> None:
        """Stop the server, where it has been started."""
        self._open.close()
        self._target = self._proxy = None

    def once(self, fault: str, tell: Callable[[Callable[[], Any]], Any]) -> Any:
        """Return ``tell(self.killed)`` or of another fault, or what it has returned before."""
        if fault not in self._told:
            self._told[fault] = tell(getattr(self, fault))
        return self._told[fault]

    def location(self) -> str:
        """Return the LOCATION of the server itself."""
        assert self._target is not None
        location = self._target.location
        assert location is not None
        return location

    def proxied_location(self) -> str:
        """Return a LOCATION like no other, at which every reply passes through a proxy."""
        from cache_targets.proxy import Proxy

        assert self._target is not None
        server = self._target.members[0].address
        self._proxy = self._open.enter_context(closing(Proxy(server)))
        location = self._target.kind.location(self._proxy.address)
        assert location is not None
        return location

    @contextmanager
    def killed(self) -> Iterator[None]:
        """Kill the server; at the end it is back on the same port, with an empty store."""
        with self._harm() as target:
            target.kill()
            yield
            self.works_on_it = True
            try:
                target.restart()
            finally:
                self.works_on_it = False

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Freeze the server, which keeps its connections and answers nothing, until the end."""
        with self._harm() as target:
            target.pause()
            yield
            target.resume()

    @contextmanager
    def cut(self) -> Iterator[None]:
        """Cut each connection in the middle of its next reply; new connections are whole."""
        with self._harmed_replies() as proxy:
            proxy.cut_next_replies()
            yield

    @contextmanager
    def slow(self) -> Iterator[None]:
        """Hold each reply back, and let it come in small pieces."""
        with self._harmed_replies() as proxy, proxy.slow_replies(SLOW):
            yield

    @contextmanager
    def _harm(self) -> Iterator[Target]:
        assert self._target is not None
        self._whole = False
        yield self._target
        self._whole = True

    @contextmanager
    def _harmed_replies(self) -> Iterator[Proxy]:
        assert self._proxy is not None
        harmed = self._proxy.harmed
        yield self._proxy
        if self._proxy.harmed == harmed:
            raise NotApplicable("its replies do not come from the LOCATION that it is given")
