"""Plays rollouts by the thousand and counts how each rule ends them. Called by __main__.

Every run has its own seed, so that its streams do not depend on what any rule did before, nor on the order of work.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context

import numpy as np

from benchmarks.verdicts import kayenta, rules
from benchmarks.verdicts.plan import Ending, Kind
from benchmarks.verdicts.streams import Outage, Scenario, Stream, streams

RULES: dict[str, Callable[[list[Stream]], Ending]] = {
    "product": rules.product,
    "threshold": partial(rules.threshold, wait=False),
    "threshold, min_requests": partial(rules.threshold, wait=True),
    "Kayenta, 1 min": partial(kayenta.judge_errors, slice_s=60, repeated=False),
    "Kayenta, 1 min, repeated": partial(kayenta.judge_errors, slice_s=60, repeated=True),
    "Kayenta, 3 min": partial(kayenta.judge_errors, slice_s=180, repeated=False),
}
SCENARIOS = (
    Scenario("identical, 0.1 %", 0.001, 0.001),
    Scenario("identical, 0.5 %", 0.005, 0.005),
    Scenario("identical, both at the limit of 1 %", 0.01, 0.01),
    Scenario("identical, both over the limit, 2 %", 0.02, 0.02),
    Scenario("identical, 0.5 % in bursts of 10", 0.005, 0.005, burst=10),
    Scenario("identical, an outage of both at 10 %", 0.001, 0.001, outage=Outage(0, 20, 30, 0.3)),
    Scenario("identical, an outage of both at 50 %", 0.001, 0.001, outage=Outage(1, 20, 30, 0.3)),
    Scenario(
        "identical, 30 s of outage of the canary alone", 0.001, 0.001, outage=Outage(0, 20, 21, 0.3, of_both=False)
    ),
    Scenario("just twice as bad, 0.4 to 0.8 %", 0.004, 0.008),
    Scenario("twice as bad, 0.1 to 0.2 %", 0.001, 0.002),
    Scenario("5 times as bad, 0.1 to 0.5 %", 0.001, 0.005),
    Scenario("at the limit, 0.1 to 1 %", 0.001, 0.01),
    Scenario("over the limit, 0.1 to 2 %", 0.001, 0.02),
    Scenario("5 % fail", 0.001, 0.05),
    Scenario("50 % fail", 0.001, 0.5),
    Scenario("50 % fail from minute 10 on", 0.001, 0.001, outage=Outage(0, 20, None, 0.5, of_both=False)),
)
RATES_PER_S = (0.1, 1.0, 10.0)
SILENT = Scenario("hardly any traffic, identical", 0.001, 0.001)
SILENT_PER_S = 0.005


@dataclass(frozen=True)
class Played:
    """The endings of `runs` rollouts of one scenario at one rate, by rule."""

    scenario: str
    rate_per_s: float
    runs: int
    endings: dict[str, list[Ending]]

    def count(self, rule: str, kind: Kind) -> int:
        """How many ended so."""
        return Counter(ending.kind for ending in self.endings[rule])[kind]

    def requests_to_fail(self, rule: str, quantile: float) -> int | None:
        """Requests that the candidate had answered when it was failed, in so large a share of the failures."""
        found = [ending.requests for ending in self.endings[rule] if ending.kind is Kind.FAILED]
        return int(np.quantile(found, quantile, method="inverted_cdf")) if found else None


def play(scenario: Scenario, rate_per_s: float, seed: int, runs: int) -> Played:
    """One scenario at one rate."""
    endings: dict[str, list[Ending]] = {rule: [] for rule in RULES}
    for number in range(runs):
        # Rates may differ by a thousandth; names do not change with the order of the list.
        run = streams(scenario, rate_per_s, [seed, *scenario.name.encode(), round(1000 * rate_per_s), number])
        for rule, judged in RULES.items():
            endings[rule].append(judged(run))
    return Played(scenario.name, rate_per_s, runs, endings)


def measure(seed: int, runs: int, rates_per_s: Iterable[float], workers: int) -> list[Played]:
    """Every scenario at every rate, the slowest traffic with a tenth of the runs."""
    work = [(scenario, rate, seed, runs) for scenario in SCENARIOS for rate in rates_per_s]
    work.append((SILENT, SILENT_PER_S, seed, max(1, runs // 10)))
    if workers == 1:
        return [play(*item) for item in work]
    with ProcessPoolExecutor(workers, get_context("spawn")) as pool:
        return list(pool.map(play, *zip(*work, strict=True)))
