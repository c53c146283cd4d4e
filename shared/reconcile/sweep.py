"""The net under the nudges: once a minute, look at every model whether or not anything was heard of it."""

from datetime import timedelta

from shared.domain.events import ScheduleDue
from shared.errors import RetryLater
from shared.reconcile.inbox import STALE_AFTER, Inbox
from shared.reconcile.ports import Clock, Nudges, Pointer, StateStore

MISSED_AFTER = timedelta(days=7)
"""A schedule that came due longer ago than this, while the app was down, is let go. Must be under STALE_AFTER."""


def sweep(state: StateStore, inbox: Inbox, nudges: Nudges, clock: Clock) -> None:
    """Record schedules that came due, nudge every model, forget events that nobody will send again.

    A model whose turn fails does not take the others' away; the failure is raised when all had theirs.
    """
    failures: list[RetryLater] = []
    for pointer in state.pointers():
        try:
            if not _record_due(inbox, clock, pointer):
                nudges.send(pointer.model, 0, None)
            state.forget_seen(pointer.model, clock.now() - STALE_AFTER)
        except RetryLater as failure:
            failures.append(failure)
    if failures:
        raise RetryLater(f"{len(failures)} models could not be swept: {failures[0]}") from failures[0]


def _record_due(inbox: Inbox, clock: Clock, pointer: Pointer) -> bool:
    """The last due time is recorded in every sweep; its key makes that once. True: a nudge went out with it."""
    if pointer.schedule is None:
        return False
    from croniter import croniter  # only a model with a schedule has use for it

    now = clock.now()
    due = croniter(pointer.schedule, now).get_prev(type(now))
    if due < pointer.published_at or due < now - MISSED_AFTER:
        return False
    inbox.record(pointer.model, ScheduleDue(at=due))
    return True
