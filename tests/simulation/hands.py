"""Hands that change an endpoint past Upkeep, as Azure lets them, and the one that mends what they broke."""

import dataclasses
from datetime import timedelta

import msgspec

from shared.domain.record import Record
from tests.fakes.examples import ENDPOINT
from tests.fakes.platform import Deployment, Endpoint, FakePlatform, Fate
from tests.simulation.moves import ByHand

STRANGER = "blue"


def by_hand(platform: FakePlatform, move: ByHand) -> None:
    """Make the change, or none where Azure would refuse it."""
    platform.settle(ENDPOINT)
    endpoint, now = platform.endpoints[ENDPOINT], platform.clock.now()
    if platform.busy_until is not None and now < platform.busy_until:
        return
    there = sorted(name for name, each in endpoint.deployments.items() if each.gone is None)
    if move.what == "busy":
        platform.busy_until = now + timedelta(seconds=60)
    elif move.what == "stranger":
        endpoint.deployments.setdefault(STRANGER, Deployment(version=0, ready=now, fate=Fate()))
    elif there:
        _change(endpoint, there, move, platform)


def _change(endpoint: Endpoint, there: list[str], move: ByHand, platform: FakePlatform) -> None:
    chosen, other = there[move.which % len(there)], there[(move.which + 1) % len(there)]
    match move.what:
        case "split" if chosen != other:
            shares = {chosen: move.share, other: 100 - move.share}
            _live(endpoint, {name: pct for name, pct in shares.items() if pct})
        case "all":
            _live(endpoint, {chosen: 100})
        case "nothing":
            endpoint.traffic = {}
        case "mirror" if chosen not in endpoint.traffic:
            endpoint.mirror = {chosen: 10}
        case "unmirror":
            endpoint.mirror = {}
        case "delete" if chosen not in endpoint.traffic and chosen not in endpoint.mirror:
            endpoint.deployments[chosen].gone = platform.clock.now() + timedelta(seconds=20)
        case "break":
            found = endpoint.deployments[chosen]
            found.fate = dataclasses.replace(found.fate, deploys=False)


def _live(endpoint: Endpoint, shares: dict[str, int]) -> None:
    endpoint.traffic = shares
    endpoint.mirror = {name: pct for name, pct in endpoint.mirror.items() if name not in shares}


def mended(platform: FakePlatform, record: Record, fates: dict[int, Fate]) -> None:
    """What is live is there and healthy, cores are free and requests flow: the world of the end of a trace."""
    endpoint, now = platform.endpoints[ENDPOINT], platform.clock.now()
    platform.busy_until = None
    platform.quota_seen = msgspec.structs.replace(platform.quota_seen, free=1_000)
    platform.settle(ENDPOINT)
    for number, fate in fates.items():
        fates[number] = dataclasses.replace(fate, requests_per_s=5.0)
    for deployment in endpoint.deployments.values():
        deployment.fate = dataclasses.replace(deployment.fate, requests_per_s=5.0)
    live = record.live
    if live is not None:
        made = Deployment(version=live.version, ready=now, fate=Fate())
        kept = endpoint.deployments.setdefault(live.deployment, made)
        kept.gone, kept.fate = None, dataclasses.replace(kept.fate, deploys=True)
