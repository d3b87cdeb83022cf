"""The trial of a clause about faults, which has a server to kill and to pause."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Any

from cache_conformance.bounded import BoundedThread
from cache_conformance.outcome import Outcome
from cache_conformance.trial import Trial


class FaultTrial(Trial):
    """A trial whose check gets a server, which runs when it begins, and a builder for each api."""

    def unfit(self) -> str | None:
        """Return why the clause does not apply, None where it does."""
        return super().unfit() or self.implementation.server.unfit

    def start(self, thread: BoundedThread) -> None:
        """Have the server run, and run the check to its end."""
        if self.implementation.unavailable is None and self.unfit() is None:
            from cache_targets import TargetUnavailable

            try:
                self.implementation.server.start()
            except TargetUnavailable as error:
                self._end(Outcome.UNAVAILABLE, str(error))
                return
        super().start(thread)

    def _call(self, check: Callable[..., Any], arguments: Any) -> Any:
        return check(
            server=self.implementation.server,
            aliases={api: partial(arguments.face, api) for api in self.clause.apis},
            api=self.api,
        )

    def _sign(self) -> float:
        at_work = self.implementation.server.works_on_it
        return time.monotonic() if at_work else super()._sign()
