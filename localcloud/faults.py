"""Faults that tests and the demo inject into the gateway's routes through the admin API."""

import random
from dataclasses import dataclass, field


@dataclass
class Fault:
    """Answer `status` to the next `count` calls whose name contains `match`, each with probability `rate`.

    A call's name is "METHOD path"; for scoring it is "SCORE endpoint deployment".
    """

    match: str
    status: int
    count: int | None = None  # None: until cleared
    rate: float = 1.0
    body: str = '{"error":{"code":"InjectedFault","message":"a fault was injected"}}'


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
