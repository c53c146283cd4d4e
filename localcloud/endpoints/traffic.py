"""Which deployment answers a request, who may ask, and how long the answer may take.

Called by the router for every request. Pure but for the random draw, which is seeded by the endpoint's name
so that a test can repeat it.
"""

import hmac
import random
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

DEPLOYMENT_HEADER = "azureml-model-deployment"
DEFAULT_TIMEOUT_S = 5.0
MAX_TIMEOUT_S = 180.0
_ISO_TIME = re.compile(r"PT(?:(?P<h>[\d.]+)H)?(?:(?P<m>[\d.]+)M)?(?:(?P<s>[\d.]+)S)?")


@dataclass
class Split:
    """Draws deployments by their live traffic, independently for each request.

    A fixed rotation would look smoother, but a client that alternates two kinds of requests could then
    send all of one kind to one deployment.
    """

    _generators: dict[str, random.Random] = field(default_factory=dict)

    def draw(self, endpoint: str, traffic: Mapping[str, int]) -> str | None:
        """A deployment with live traffic, or None when none has any."""
        shares = {name: share for name, share in traffic.items() if share > 0}
        if not shares:
            return None
        generator = self._generators.setdefault(endpoint, random.Random(endpoint))  # noqa: S311 - no secret
        return generator.choices(list(shares), weights=list(shares.values()))[0]


def may_score(endpoint: Mapping[str, Any], authorization: str | None) -> bool:
    """Whether the request's Authorization header is right for the endpoint's way of authentication."""
    scheme, _, token = (authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        return False
    mode = str(endpoint["properties"].get("authMode", "Key")).lower()
    if mode == "aadtoken":
        return True  # the local identity endpoint hands tokens to anybody, so that none is worth checking
    valid: Iterable[str] = [endpoint["token"]] if mode == "amltoken" else endpoint["keys"].values()
    return any(hmac.compare_digest(token.encode(), key.encode()) for key in valid)


def auth_type(endpoint: Mapping[str, Any]) -> str:
    """The column AuthType of the traffic log."""
    return str(endpoint["properties"].get("authMode", "Key"))


def timeout_s(deployment: Mapping[str, Any]) -> float:
    """The deployment's request timeout; Azure's default is 5 s and its limit 180 s."""
    text = (deployment["properties"].get("requestSettings") or {}).get("requestTimeout")
    match = _ISO_TIME.fullmatch(text) if text else None
    if match is None:
        return DEFAULT_TIMEOUT_S
    hours, minutes, seconds = (float(match[unit] or 0) for unit in "hms")
    return min(3600 * hours + 60 * minutes + seconds, MAX_TIMEOUT_S)
