"""Recording: the only thing that a trigger does. Once under a stable key, then a nudge."""

import logging
from datetime import timedelta

from shared.domain.events import Event
from shared.reconcile.ports import Clock, Nudges, StateStore

STALE_AFTER = timedelta(days=30)
"""How long `seen` rows are kept: longer than any sender retries. An older event has no effect."""

log = logging.getLogger(__name__)


class Inbox:
    """Records events of models and nudges the reconciler."""

    def __init__(self, state: StateStore, nudges: Nudges, clock: Clock) -> None:
        self._state, self._nudges, self._clock = state, nudges, clock

    def record(self, model: str, event: Event) -> bool:
        """Keep the event unless it is known or stale; True when it was new.

        The nudge goes out for a known event too: the sender may be repeating it because we crashed between
        the two. Raises RetryLater when the state cannot be written; the sender must then send again.
        """
        now = self._clock.now()
        if event.at < now - STALE_AFTER:
            log.warning("event.stale", extra={"model": model, "key": event.key})
            return False
        new = self._state.record_event(model, event, now)
        self._nudges.send(model, 0, None)
        log.info("event.recorded" if new else "event.known", extra={"model": model, "key": event.key})
        return new
