"""Faults that tests and the demo inject into the gateway's routes through the admin API.

Drawn by whoever knows the call's name: the middleware, the scoring router, provisioning, jobs, events. A fault
says what to answer and how late; carrying it out is theirs.
"""

import json
import random
import re
from dataclasses import dataclass, field

_ROWS = re.compile(r"\$rows\(([^()]*)\)")


@dataclass
class Fault:
    """Answer `status` to the next `count` calls whose name contains `match`, each with probability `rate`.

    A call's name is "METHOD path"; for scoring it is "SCORE endpoint deployment". With `delay_ms` the answer comes
    that much later; without a status it is then the real one. In the body of a scoring answer, `$rows(VALUE)` stands
    for VALUE repeated for each row of the request, so that nonsense can be well-formed: {"predictions": [$rows(-1)]}.
    """

    match: str
    status: int | None = None  # None: only late
    count: int | None = None  # None: until cleared
    rate: float = 1.0
    body: str = '{"error":{"code":"InjectedFault","message":"a fault was injected"}}'
    delay_ms: int = 0

    def __post_init__(self) -> None:
        """Refuse a fault that would do nothing: TypeError, as for a field that there is not."""
        if self.status is None and not self.delay_ms > 0:
            raise TypeError("a fault has a status, or a delay_ms above 0, or both")

    @property
    def delay_s(self) -> float:
        """How much later the answer comes."""
        return self.delay_ms / 1000

    def scored(self, request: bytes) -> bytes:
        """The body as an answer to this scoring request."""
        rows = _rows_of(request)
        return _ROWS.sub(lambda found: ", ".join([found[1]] * rows), self.body).encode()


@dataclass
class Faults:
    """The faults in force. Decisions are drawn from a seeded generator, so that a test can repeat them."""

    active: list[Fault] = field(default_factory=list)
    generator: random.Random = field(default_factory=lambda: random.Random(1))  # noqa: S311 - not for secrets

    def pick(self, call: str) -> Fault | None:
        """The fault that hits this call ("GET /path", or for scoring "SCORE endpoint deployment"), if any."""
        for fault in self.active:
            if fault.match.lower() in call.lower() and self.generator.random() < fault.rate:
                if fault.count is not None:
                    fault.count -= 1
                    if fault.count == 0:
                        self.active.remove(fault)
                return fault
        return None


def _rows_of(request: bytes) -> int:
    """How many rows a scoring request has: the first list in it, at the top or one level below."""
    try:
        body = json.loads(request)
    except ValueError:
        return 1
    candidates = [body, *body.values()] if isinstance(body, dict) else [body]
    return next((len(found) for found in candidates if isinstance(found, list)), 1)
