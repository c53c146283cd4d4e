"""Candidate against champion: how much better, how sure, and whether that is worth a release.

Called by gates.py with an evaluation that was found sound. Two ways: an interval from the sums of paired differences,
or, for a metric that is no mean over rows, the bootstrap interval that the job computed.
"""

from shared.domain import intervals
from shared.domain.base import Kept
from shared.domain.evaluation import Evaluation, Paired, Resampled
from shared.domain.gatecheck import GateCheck, failed, inconclusive
from shared.domain.metrics import Metric, metric_at
from shared.domain.pairing import both
from shared.domain.reasons import Fact
from shared.domain.spec_gates import Gates

GATE = "champion"


class Effect(Kept, frozen=True, kw_only=True):
    """How much better the candidate is, in percent of the champion's metric, with the ends of its interval."""

    pct: float
    low_pct: float
    high_pct: float
    groups: int
    facts: dict[str, Fact]


def compare(gates: Gates, metric: Metric, evaluation: Evaluation) -> GateCheck:
    """Pass: better by the least effect, and better by more than chance. Fail: surely not better by that much."""
    effect = _effect(gates, metric, evaluation)
    candidate, champion = both(metric, evaluation)
    least = gates.min_improvement_pct
    facts: dict[str, Fact] = {
        "improvement_pct": effect.pct,
        "improvement_pct_low": effect.low_pct,
        "improvement_pct_high": effect.high_pct,
        "confidence_pct": gates.confidence_pct,
        **effect.facts,
    }
    text = (
        f"{metric.name} goes from {champion:.4g} to {candidate:.4g}, {_words(effect.pct)}"
        f" ({gates.confidence_pct:g} % interval {effect.low_pct:+.1f} to {effect.high_pct:+.1f} %,"
        f" {_grouped(gates, effect.groups)})"
    )
    if gates.groups != "none" and effect.groups < gates.min_groups:
        return inconclusive(GATE, f"{text}; {gates.min_groups} groups are the least that an interval needs.", facts)
    if effect.high_pct < least or effect.high_pct <= 0:
        return failed(GATE, f"{text}; {_wanted(least)}.", facts)
    if effect.pct < least or effect.low_pct <= 0:
        return inconclusive(GATE, f"{text}: that does not show it to be better; {_wanted(least)}.", facts)
    return GateCheck(gate=GATE, text=f"{text}.", facts=facts)


def _effect(gates: Gates, metric: Metric, evaluation: Evaluation) -> Effect:
    paired, resampled = evaluation.paired, evaluation.resampled
    if paired is not None and metric.loss and paired.metric == metric.loss:
        return _of_sums(gates, metric, evaluation, paired)
    assert resampled is not None
    return _of_draws(metric, evaluation, resampled)


def _of_sums(gates: Gates, metric: Metric, evaluation: Evaluation, paired: Paired) -> Effect:
    assert paired.mean_difference is not None
    assert paired.standard_deviation is not None
    share, groups = gates.confidence_pct / 100, paired.groups
    if gates.groups == "none" or groups is None:
        found = intervals.of_rows(paired.rows, paired.mean_difference, paired.standard_deviation, share)
    elif len(groups.rows) < 2:
        found = intervals.unknown(paired.mean_difference)
    else:
        found = intervals.of_groups(groups.rows, groups.sums, share)
    candidate, champion = both(metric, evaluation)
    ends = [
        _pct(metric, metric_at(metric, candidate, champion, found.mean, end), champion)
        for end in (found.high, found.low)
    ]
    facts: dict[str, Fact] = {
        "loss": paired.metric,
        "difference": found.mean,
        "difference_low": found.low,
        "difference_high": found.high,
        "standard_error": found.error,
        "groups": found.degrees + 1,
        "grouped_by": gates.groups,
    }
    return Effect(
        pct=_pct(metric, candidate, champion),
        low_pct=min(ends),
        high_pct=max(ends),
        groups=found.degrees + 1,
        facts=facts,
    )


def _of_draws(metric: Metric, evaluation: Evaluation, told: Resampled) -> Effect:
    candidate, champion = both(metric, evaluation)
    ends = [_pct(metric, champion + end, champion) for end in (told.low, told.high)]
    facts: dict[str, Fact] = {
        "difference": told.difference,
        "difference_low": told.low,
        "difference_high": told.high,
        "bootstrap": told.method,
        "replicates": told.replicates,
        "seed": told.seed,
        "groups": told.groups,
        "grouped_by": told.by,
    }
    return Effect(
        pct=_pct(metric, candidate, champion),
        low_pct=min(ends),
        high_pct=max(ends),
        groups=told.groups,
        facts=facts,
    )


def _pct(metric: Metric, value: float, champion: float) -> float:
    """How much better than the champion, in percent of its metric. Of nought there is no share: all or nothing."""
    gain = metric.better_by(value, champion)
    if champion == 0:
        return 100.0 * ((gain > 0) - (gain < 0))
    return 100 * gain / abs(champion)


def _grouped(gates: Gates, groups: int) -> str:
    if gates.groups == "none":
        return "by rows, which the spec takes for independent"
    return f"{groups} {gates.groups}s"


def _words(pct: float) -> str:
    if pct == 0:
        return "no better"
    return f"{abs(pct):.1f} % {'better' if pct > 0 else 'worse'}"


def _wanted(least: float) -> str:
    return f"{least:g} % better is the least worth a release" if least else "a release has to be better"
