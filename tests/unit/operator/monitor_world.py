"""An endpoint under watch in virtual time: requests are written down as they happen, and the log shows them late."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from shared.domain.health import Limits, ReleaseSeen
from shared.domain.lifecycle import Phase
from shared.domain.observation import DeploymentState, EndpointSeen, Stats
from shared.operator.monitoring import Eyes, Health, Plan, Target, monitor
from tests.fakes.clock import FakeClock

LAG_S = 60


@dataclass(frozen=True)
class Request:
    at: datetime
    deployment: str
    ok: bool
    ms: float


def stats_of(requests: list[Request]) -> Stats:
    times = sorted(request.ms for request in requests)

    def percentile(share: float) -> float | None:
        return times[min(len(times) - 1, int(share * len(times)))] if times else None

    return Stats(
        requests=len(requests),
        errors=sum(not request.ok for request in requests),
        latency_p50_ms=percentile(0.50),
        latency_p95_ms=percentile(0.95),
        latency_p99_ms=percentile(0.99),
    )


@dataclass
class World:
    """Fulfils Log and Endpoints. `answers` (seconds since the start → status ok) is asked once a second."""

    clock: FakeClock = field(default_factory=FakeClock)
    traffic: dict[str, int] = field(default_factory=lambda: {"r0002": 100})
    release: ReleaseSeen | None = None
    ok: Callable[[float], bool] = lambda _: True
    per_s: int = 2
    ms: float = 40.0
    lag_s: float = LAG_S
    trouble: Callable[[str], None] = lambda _: None
    on_sleep: Callable[[], None] = lambda: None
    requests: list[Request] = field(default_factory=list)
    told: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.start = self.clock.now()
        self.before()

    def before(self) -> None:
        """An hour of good answers."""
        self.requests = [
            Request(self.start - timedelta(seconds=second), "r0001", True, self.ms) for second in range(1, 3_601)
        ]

    def sleep(self, seconds: float) -> None:
        """Let time pass, with its requests."""
        end = self.clock.now() + timedelta(seconds=seconds)
        while self.clock.now() < end:
            self.clock.move_to(min(end, self.clock.now() + timedelta(seconds=1)))
            second = (self.clock.now() - self.start).total_seconds()
            for deployment, pct in self.traffic.items():
                count = self.per_s if pct else 0
                self.requests += [Request(self.clock.now(), deployment, self.ok(second), self.ms)] * count
        self.on_sleep()

    def endpoint(self, endpoint: str) -> EndpointSeen:
        self.trouble("endpoint")
        states = dict.fromkeys(self.traffic, DeploymentState.READY)
        return EndpointSeen(exists=True, traffic=dict(self.traffic), deployments=states)

    def latency(self, endpoint: str, start: datetime, end: datetime) -> dict[str, Stats]:
        self.trouble("latency")
        found = self._arrived(start, end)
        names = {request.deployment for request in found}
        return {name: stats_of([each for each in found if each.deployment == name]) for name in names}

    def overall(self, endpoint: str, start: datetime, end: datetime) -> Stats:
        self.trouble("overall")
        return stats_of(self._arrived(start, end))

    def slices(self, endpoint: str, start: datetime, end: datetime, slice_s: float) -> dict[int, Stats]:
        self.trouble("slices")
        parts: dict[int, list[Request]] = {}
        for request in self._arrived(start, end):
            parts.setdefault(int((request.at - start).total_seconds() / slice_s), []).append(request)
        return {number: stats_of(part) for number, part in parts.items()}

    def _arrived(self, start: datetime, end: datetime) -> list[Request]:
        late = self.clock.now() - timedelta(seconds=self.lag_s)
        return [request for request in self.requests if start <= request.at < end and request.at <= late]

    def eyes(self) -> Eyes:
        return Eyes(
            log=self,
            endpoints=self,
            release=self._release if self.release else None,
            clock=self.clock,
            sleep=self.sleep,
        )

    def _release(self, model: str) -> ReleaseSeen:
        self.trouble("release")
        return self.release or ReleaseSeen(phase=Phase.COLLECTING)

    def check(self, limits: Limits | None = None, **plan: Any) -> Health:
        """Watch it for ten minutes, unless said otherwise."""
        target = Target(endpoint="flights", model="flights", limits=limits or Limits(), log_lag_s=LAG_S)
        wanted = Plan(**{"window_s": 600, "every_s": 30, "baseline_s": 3_600, **plan})
        return monitor([target], wanted, self.eyes(), self.told.append)[0]

    @property
    def passed_s(self) -> float:
        return (self.clock.now() - self.start).total_seconds()
