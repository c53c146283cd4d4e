"""Simulated requests of a canary and of the live deployment beside it, poll by poll.

Called by comparing.py. A stream is made once for each run and stage, and every rule reads the same one from its
beginning, however far: rules differ in what they make of it only.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from benchmarks.verdicts.plan import POLL_S, PUBLICATION, STAGES, polls
from shared.domain.observation import Slice, Stats
from shared.domain.traffic_checks import grid_of

Counts = NDArray[np.int64]
CHUNK = polls(STAGES[0].hold_s)


@dataclass(frozen=True)
class Outage:
    """Polls [first, last) of a stage in which a share of the requests fails: of all, or of the candidate's alone.

    Without a last one it goes on to the end, later stages included.
    """

    stage: int
    first: int
    last: int | None
    share: float
    of_both: bool = True

    def strikes(self, stage: int, poll: int) -> bool:
        """Whether it is on."""
        if self.last is None:
            return (stage, poll) >= (self.stage, self.first)
        return stage == self.stage and self.first <= poll < self.last


@dataclass(frozen=True)
class Scenario:
    """Shares of requests that fail (0..1). With a `burst` of more than 1, they come in rows of so many."""

    name: str
    live: float
    candidate: float
    burst: int = 1
    outage: Outage | None = None


@dataclass
class Stream:
    """One stage of one run. Columns of counts: candidate's requests and errors, live's requests and errors."""

    scenario: Scenario
    rate_per_s: float
    stage: int
    rng: np.random.Generator
    slices: Counts = field(default_factory=lambda: np.zeros((0, 4), dtype=np.int64))
    totals: Counts = field(default_factory=lambda: np.zeros((0, 4), dtype=np.int64))
    made: dict[tuple[int, int], list[Slice]] = field(default_factory=dict)

    def cumulative(self, count: int) -> Counts:
        """Counts since the stage began, after each of the first polls; at least `count` of them."""
        self._extend(count)
        return self.totals

    def seen(self, count: int) -> tuple[Stats, Stats]:
        """Candidate and live after so many polls, as the traffic log tells of them."""
        self._extend(count)
        row, wide = self.totals[count - 1].tolist(), grid_of(PUBLICATION.spec, count * POLL_S).slice_s // POLL_S
        parts = [self._slices(side, count, wide) for side in (0, 2)]
        candidate = Stats(requests=row[0], errors=row[1], slices=parts[0])
        return candidate, Stats(requests=row[2], errors=row[3], slices=parts[1])

    def _slices(self, side: int, count: int, wide: int) -> tuple[Slice, ...]:
        """Whole slices are made once; the last one may be cut short."""
        whole, made = count // wide, self.made.setdefault((side, wide), [])
        for number in range(len(made), whole):
            made.append(self._slice(side, number * wide, (number + 1) * wide))
        last = () if count % wide == 0 else (self._slice(side, whole * wide, count),)
        return (*made[:whole], *last)

    def _slice(self, side: int, start: int, end: int) -> Slice:
        requests, errors = self.slices[start:end, side : side + 2].sum(axis=0).tolist()
        return Slice(requests=requests, errors=errors, levels=((0, requests),))

    def by_slice(self, count: int) -> Counts:
        """Counts of each of the first `count` slices."""
        self._extend(count)
        return self.slices[:count]

    def _extend(self, count: int) -> None:
        while len(self.slices) < count:
            self.slices = np.vstack([self.slices, self._chunk(len(self.slices))])
            self.totals = np.cumsum(self.slices, axis=0)

    def _chunk(self, start: int) -> Counts:
        share = STAGES[self.stage].traffic_pct / 100
        requests = np.array([share, 1 - share]) * self.rate_per_s * POLL_S
        rates = np.array([self.scenario.candidate, self.scenario.live])
        if self.scenario.burst > 1:
            size = self.scenario.burst
            bursts = size * self.rng.poisson(requests * rates / size, (CHUNK, 2))
            sent, failed = self.rng.poisson(requests * (1 - rates), (CHUNK, 2)) + bursts, bursts
        else:
            sent = self.rng.poisson(requests, (CHUNK, 2))
            failed = self.rng.binomial(sent, self._failing(rates, start))
        return np.column_stack([sent[:, 0], failed[:, 0], sent[:, 1], failed[:, 1]])

    def _failing(self, rates: NDArray[np.float64], start: int) -> NDArray[np.float64]:
        shares = np.tile(rates, (CHUNK, 1))
        outage = self.scenario.outage
        if outage is not None:
            struck = np.array([outage.strikes(self.stage, poll) for poll in range(start, start + CHUNK)])
            lost = np.array([outage.share, outage.share if outage.of_both else 0.0])
            shares[struck] = 1 - (1 - shares[struck]) * (1 - lost)
        return shares


def streams(scenario: Scenario, rate_per_s: float, seeds: list[int]) -> list[Stream]:
    """The stages of one run. `seeds` tell seed, scenario, rate and run apart."""
    return [
        Stream(scenario, rate_per_s, stage, np.random.Generator(np.random.PCG64([*seeds, stage])))
        for stage in range(len(STAGES))
    ]
