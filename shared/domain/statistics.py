"""The few formulas that the judges use."""

import math
from collections.abc import Sequence

Z_95 = 1.959963984540054
"""Two-sided 95 % quantile of the normal distribution."""


def wilson(hits: int, trials: int, z: float = Z_95) -> tuple[float, float]:
    """Wilson score interval of a proportion: (low, high), each in 0..1.

    Source: Wilson (1927), as given by Brown, Cai and DasGupta (2001), equation 4. Without trials: (0, 1).
    """
    if trials == 0:
        return 0.0, 1.0
    share = hits / trials
    spread = z * math.sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials))
    middle, scale = share + z * z / (2 * trials), 1 + z * z / trials
    return max(0.0, (middle - spread) / scale), min(1.0, (middle + spread) / scale)


def difference(hits: int, trials: int, other_hits: int, other_trials: int, z: float = Z_95) -> tuple[float, float]:
    """Interval of the first proportion minus the second, of independent samples: (low, high), each in -1..1.

    Source: Newcombe (1998), Statistics in Medicine 17, 873-890, method 10. Without trials on a side: (-1, 1).
    """
    if trials == 0 or other_trials == 0:
        return -1.0, 1.0
    share, other = hits / trials, other_hits / other_trials
    low, high = wilson(hits, trials, z)
    other_low, other_high = wilson(other_hits, other_trials, z)
    down, up = math.hypot(share - low, other_high - other), math.hypot(high - share, other - other_low)
    return share - other - down, share - other + up


def evidence_over(hits: int, trials: int, limit: float) -> float:
    """How strongly hits among trials speak against a rate of at most `limit` (0..1); 1/alpha is proof at level alpha.

    The beta-binomial mixture likelihood ratio with the prior Beta(1/2, 1/2): a test martingale at the limit, so
    that it may be looked at after every request and still raises a false alarm with probability alpha at most
    over all looks together. Source: Robbins (1970); Howard, Ramdas, McAuliffe and Sekhon (2021), section 3.
    """
    if trials == 0 or hits <= limit * trials:
        return 0.0
    if limit <= 0:
        return math.inf
    mixture = math.lgamma(hits + 0.5) + math.lgamma(trials - hits + 0.5) - math.lgamma(trials + 1) - math.log(math.pi)
    at_limit = hits * math.log(limit) + (math.log1p(-limit) * (trials - hits) if limit < 1 else 0.0)
    return math.exp(min(mixture - at_limit, 700.0))


def evidence_more(hits: int, trials: int, other_hits: int, other_trials: int, ratio: float) -> float:
    """How strongly the counts speak against hits at `ratio` times the other's rate or less; read as evidence_over.

    Given that there was a hit, it is ours with probability r n / (r n + m) at the very ratio r, for n trials of ours
    and m of the other: whatever the rate itself does meanwhile, so that what befalls both alike is no evidence.
    The conditional test of Przyborowski and Wilenski (1940), Biometrika 31, 313-323, made anytime-valid by the
    mixture as by Lindon and Malek (2022), arXiv 2011.03567. Without trials on a side: none.
    """
    if trials == 0 or other_trials == 0:
        return 0.0
    return evidence_over(hits, hits + other_hits, ratio * trials / (ratio * trials + other_trials))


def design_effect(trials: Sequence[int], hits: Sequence[int]) -> float:
    """By how much hits that come together count for too many: 1 when they are strewn at random over the clusters.

    One, and the hits that each hit has beside it in its cluster beyond those that random ones would have. Counts
    divided by it may be read as independent ones: Rao and Scott (1992), Biometrics 48, 577-585.
    """
    total, found = sum(trials), sum(hits)
    if found < 2:
        return 1.0
    beside = sum(hit * (hit - 1) for hit in hits)
    at_random = (found / total) ** 2 * sum(trial * (trial - 1) for trial in trials)
    return 1.0 + max(0.0, beside - at_random) / found
