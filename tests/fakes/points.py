"""Points at which a fake may be interrupted: before and after every read, write and call."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

Interrupt = Callable[[str], None]


def never(_point: str) -> None:
    """No interruption: what plain tests use."""


@contextmanager
def around(interrupt: Interrupt, name: str) -> Iterator[None]:
    """Interrupt before and after the effect inside. The effect itself is all or nothing."""
    interrupt(f"before {name}")
    yield
    interrupt(f"after {name}")
