"""Is too large a share of a deployment's requests of some kind: errors, slow answers, refusals?

Called by traffic_checks.py. Hits that come in a burst are no independent evidence: a proof has to hold for all of the
counts, and once more without the deployment's worst slice of time and with the rest divided by its design effect.
(The discount is estimated from the same counts, so that the promise of `evidence_over` is not exact any more;
docs/reference/verdicts.md has what it comes to.)
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from shared.domain.analysis import FALSE_ALARM, proven_over
from shared.domain.observation import Slice
from shared.domain.statistics import design_effect, evidence_more


class Counts(NamedTuple):
    """Requests, and the hits among them."""

    requests: int
    hits: int


class Series(NamedTuple):
    """Counts of a window, and how to find those of each of its slices. Without slices nothing can be discounted."""

    total: Counts
    slices: tuple[Slice, ...]
    counts_of: Callable[[Slice], Counts]

    @classmethod
    def summed(cls, slices: tuple[Slice, ...], counts_of: Callable[[Slice], Counts]) -> "Series":
        """A window that is known by its slices only."""
        counts = [counts_of(each) for each in slices]
        return cls(
            Counts(sum(each.requests for each in counts), sum(each.hits for each in counts)), slices, counts_of
        )


def over(found: Series, limit: float) -> bool:
    """Whether more than `limit` (0..1) of the requests are proven to be hits."""

    def proven(ours: Counts) -> bool:
        return proven_over(ours.hits, ours.requests, limit)

    return proven(found.total) and proven(_without_worst(found))


def more(found: Series, beside: Series, ratio: float) -> bool:
    """Whether hits are proven to be more than `ratio` times as frequent as beside, over the same time."""
    return any_more([(found, beside)], ratio, ways=1)


def any_more(pairs: Sequence[tuple[Series, Series]], ratio: float, ways: int) -> bool:
    """As `more`, for hits defined in several ways at once. Of the `ways`, those that found no hit may be left out.

    The evidence is the mean over all ways, fixed beforehand: a mean of test martingales is one, after one way or
    another has been looked at too (Vovk and Wang 2021, Annals of Statistics 49, 1736-1754).
    """

    def proven(counts: Sequence[tuple[Counts, Counts]]) -> bool:
        evidence = (evidence_more(*ours[::-1], *other[::-1], ratio) for ours, other in counts)
        return sum(evidence) / ways >= 1 / FALSE_ALARM

    return proven([(found.total, beside.total) for found, beside in pairs]) and proven(
        [(_without_worst(found), _thinned(beside)) for found, beside in pairs]
    )


def _without_worst(found: Series) -> Counts:
    """Without the slice that has the most hits, and thinned."""
    slices = [found.counts_of(each) for each in found.slices]
    if slices:
        slices.remove(max(slices, key=lambda each: each.hits))
        return _divided(slices)
    return found.total


def _thinned(found: Series) -> Counts:
    return _divided([found.counts_of(each) for each in found.slices]) if found.slices else found.total


def _divided(slices: Sequence[Counts]) -> Counts:
    requests, hits = [each.requests for each in slices], [each.hits for each in slices]
    effect = design_effect(requests, hits)
    return Counts(round(sum(requests) / effect), round(sum(hits) / effect))
