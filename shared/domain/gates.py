"""Judge a candidate by its evaluation. Closed by default: what is missing, not finite or not ours is never a pass.

Called by decide only. The numbers come from the model's own code, so each is looked at before it counts.
"""

import math

from shared.domain.base import Kept
from shared.domain.evaluation import Evaluation
from shared.domain.manifest import Manifest
from shared.domain.reasons import Fact
from shared.domain.record import Serving
from shared.domain.spec import Gates
from shared.domain.statistics import Z_95


class Verdict(Kept, frozen=True, kw_only=True):
    """Pass or not, in one sentence, with every number that was looked at."""

    passed: bool
    text: str
    facts: dict[str, Fact] = {}


def judge(gates: Gates, evaluation: Evaluation, manifest: Manifest, champion: Serving | None) -> Verdict:
    """The verdict on one candidate. Each check that fails adds a sentence; none may fail."""
    facts = _facts(gates, evaluation)
    checks = [
        _same_rows(evaluation, manifest, champion),
        _enough_rows(gates, evaluation),
        _floor(gates, facts),
        _baseline(gates, facts),
    ]
    if champion is not None:
        checks.append(_champion(gates, evaluation, facts))
    failures = [sentence for sentence in checks if sentence]
    if failures:
        return Verdict(passed=False, text=" ".join(failures), facts=facts)
    return Verdict(passed=True, text=_praise(gates, facts, champion), facts=facts)


def _facts(gates: Gates, evaluation: Evaluation) -> dict[str, Fact]:
    facts: dict[str, Fact] = {"metric": gates.metric, "rows": evaluation.held_out.rows}
    scores = {"candidate": evaluation.candidate, "champion": evaluation.champion, "baseline": evaluation.baseline}
    for who, score in scores.items():
        value = score.metrics.get(gates.metric) if score else None
        facts[who] = value if value is not None and math.isfinite(value) else None
    candidate, held = facts["candidate"], facts["champion"]
    if isinstance(candidate, float) and isinstance(held, float) and held != 0:
        gain = (held - candidate) if gates.direction == "minimize" else (candidate - held)
        facts["improvement_pct"] = 100 * gain / abs(held)
    return facts


def _same_rows(evaluation: Evaluation, manifest: Manifest, champion: Serving | None) -> str:
    if evaluation.data_version != manifest.version:
        return f"The evaluation is of data {evaluation.data_version}, not of {manifest.version}."
    if set(evaluation.held_out.parts) != set(manifest.held_out):
        return "The evaluation held out other parts than the manifest says."
    if not evaluation.artifact.sha256:
        return "The evaluation does not say which artifact it scored."
    wanted = str(champion.version) if champion else None
    scored = evaluation.champion.version if evaluation.champion else None
    if wanted != scored:
        return f"The champion is version {wanted or 'none'}, but the evaluation scored {scored or 'none'}."
    return ""


def _enough_rows(gates: Gates, evaluation: Evaluation) -> str:
    if evaluation.held_out.rows < gates.min_rows:
        return f"{evaluation.held_out.rows} held-out rows are fewer than the {gates.min_rows} required."
    return ""


def _floor(gates: Gates, facts: dict[str, Fact]) -> str:
    candidate = facts["candidate"]
    if not isinstance(candidate, float):
        return f"The candidate has no finite {gates.metric}."
    if gates.floor is not None and not _at_least(gates, candidate, gates.floor):
        return f"The candidate's {gates.metric} of {candidate:.4g} misses the floor of {gates.floor:.4g}."
    return ""


def _baseline(gates: Gates, facts: dict[str, Fact]) -> str:
    candidate, baseline = facts["candidate"], facts["baseline"]
    if not isinstance(baseline, float):
        return f"There is no finite {gates.metric} of a baseline."
    if isinstance(candidate, float) and (candidate == baseline or not _at_least(gates, candidate, baseline)):
        return f"The candidate's {gates.metric} of {candidate:.4g} does not beat the baseline's {baseline:.4g}."
    return ""


def _champion(gates: Gates, evaluation: Evaluation, facts: dict[str, Fact]) -> str:
    gain, candidate, held = facts.get("improvement_pct"), facts["candidate"], facts["champion"]
    if not isinstance(gain, float):
        return f"Candidate and champion cannot be compared by {gates.metric}."
    if gain < gates.min_improvement_pct:
        how = "worse" if gain < 0 else "better"
        return (
            f"{gates.metric} goes from {held:.4g} to {candidate:.4g}, {abs(gain):.1f} % {how};"
            f" {gates.min_improvement_pct:g} % better is the least worth a release."
        )
    return _paired(gates, evaluation, facts)


def _paired(gates: Gates, evaluation: Evaluation, facts: dict[str, Fact]) -> str:
    """The paired mean difference of losses must be below nought by more than chance (normal interval, 95 %)."""
    paired = evaluation.paired
    if paired is None or paired.mean_difference is None or paired.standard_deviation is None:
        return "The evaluation has no paired differences."
    if not (math.isfinite(paired.mean_difference) and math.isfinite(paired.standard_deviation)):
        return "The evaluation's paired differences are not finite."
    if paired.rows < gates.min_rows:
        return f"{paired.rows} paired rows are fewer than the {gates.min_rows} required."
    half = Z_95 * paired.standard_deviation / math.sqrt(paired.rows)
    facts["difference_low"] = paired.mean_difference - half
    facts["difference_high"] = paired.mean_difference + half
    if paired.mean_difference + half >= 0:
        return (
            f"The paired difference of {paired.mean_difference:+.4g} ± {half:.2g} per row"
            " does not rule out that the champion is as good."
        )
    return ""


def _at_least(gates: Gates, value: float, limit: float) -> bool:
    return value <= limit if gates.direction == "minimize" else value >= limit


def _praise(gates: Gates, facts: dict[str, Fact], champion: Serving | None) -> str:
    if champion is None:
        return f"First candidate: {gates.metric} {facts['candidate']:.4g}, baseline {facts['baseline']:.4g}."
    return (
        f"{gates.metric} goes from {facts['champion']:.4g} (version {champion.version})"
        f" to {facts['candidate']:.4g}, {facts['improvement_pct']:.1f} % better on {facts['rows']} held-out rows."
    )
