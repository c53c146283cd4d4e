"""What the names of `upkeep check` mean: models that were published, their endpoints, or any other endpoint.

Called by monitor_command.py. Reads what is published; needs no file of the model's folder.
"""

import re
from collections.abc import Sequence

import msgspec

from shared.domain.base import Kept
from shared.domain.health import Limits
from shared.domain.publication import Publication
from shared.errors import BadInput
from shared.operator.monitoring import Endpoints, Target
from shared.operator.shape import nearest
from shared.reconcile.ports import Archive, StateStore

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]{1,30}[A-Za-z0-9]")


class Given(Kept, frozen=True, kw_only=True):
    """What the person said instead of the spec; None: the spec's, or the default for an endpoint without one."""

    max_error_rate_pct: float | None = None
    max_latency_p95_ms: float | None = None
    max_latency_ratio: float | None = None
    min_requests: int | None = None
    log_lag_s: float | None = None


DEFAULT_LOG_LAG_S = 300.0
"""As the default of a spec's rollout.log_lag_s."""


def resolve(
    names: Sequence[str], given: Given, state: StateStore, archive: Archive, endpoints: Endpoints
) -> list[Target]:
    """A target for each endpoint that is meant, each once; without names, those of all published models.

    BadInput for the names that are neither one's.
    """
    published = [archive.publication(pointer.model, pointer.publication) for pointer in state.pointers()]
    found, problems = dict[str, Target](), list[str]()
    if not names and not published:
        raise BadInput("no model was published yet; name the endpoint to look at")
    for name in names or [publication.spec.name for publication in published]:
        meant = _meant(name, published)
        if meant is not None:
            target = _of(meant)
        elif _NAME.fullmatch(name) and endpoints.endpoint(name).exists:
            target = Target(endpoint=name, limits=Limits(), log_lag_s=DEFAULT_LOG_LAG_S)
        else:
            problems.append(_unknown(name, [publication.spec.name for publication in published]))
            continue
        found.setdefault(target.endpoint, _with(target, given))
    if problems:
        raise BadInput(*problems)
    return list(found.values())


def _meant(name: str, published: Sequence[Publication]) -> Publication | None:
    """The model of that name comes first, then the model behind the endpoint of that name."""
    by_model = (each for each in published if each.spec.name == name)
    by_endpoint = (each for each in published if each.serving.endpoint == name)
    return next(by_model, None) or next(by_endpoint, None)


def _of(publication: Publication) -> Target:
    rollout, limits = publication.spec.rollout, publication.spec.rollout.analysis
    # The least that the model's owner calls enough to judge a step by; no step may make silence enough.
    asked = [step.min_requests for step in rollout.steps if step.min_requests]
    return Target(
        endpoint=publication.serving.endpoint,
        model=publication.spec.name,
        log_lag_s=rollout.log_lag_s,
        limits=Limits(
            max_error_rate_pct=limits.max_error_rate_pct,
            max_error_rate_ratio=limits.max_error_rate_ratio,
            max_latency_p95_ms=limits.max_latency_p95_ms,
            max_latency_ratio=limits.max_latency_ratio,
            min_requests=min(asked, default=Limits().min_requests),
        ),
    )


def _with(target: Target, given: Given) -> Target:
    said = {name: value for name, value in msgspec.structs.asdict(given).items() if value is not None}
    log_lag_s = said.pop("log_lag_s", target.log_lag_s)
    limits = msgspec.structs.replace(target.limits, **said)
    return msgspec.structs.replace(target, limits=limits, log_lag_s=log_lag_s)


def _unknown(name: str, models: Sequence[str]) -> str:
    there = f"published models: {', '.join(models)}" if models else "no model was published yet"
    if "/" in name:
        there += "; the spec in a folder is read by `upkeep validate`"
    return f'"{name}" is neither a published model nor an endpoint of the workspace; {there}{nearest(name, models)}'
