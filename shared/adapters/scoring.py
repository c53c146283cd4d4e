"""Scores sample requests on a named deployment: one as the smoke test of a release, many as its load test or probes.

Used by azureml.py. The SDK's own `invoke` keeps the deployment header of an earlier call for all later ones, so
the request is sent here. Requests and answers are never logged or kept.
"""

import threading
from typing import NamedTuple
from uuid import uuid4

import requests
from requests.adapters import HTTPAdapter
from requests.exceptions import ConnectionError as UnreachableError

from shared.adapters import bursts
from shared.adapters.answers import fault
from shared.adapters.azureml_workspace import Workspace
from shared.adapters.faults import ML_ROLE, translated
from shared.domain.observation import SmokeSeen
from shared.domain.sample import Sample
from shared.domain.tally import MARK, Burst, Tally
from shared.errors import NeedsPerson, RetryLater

CONNECT_TIMEOUT_S = 5
READ_TIMEOUT_S = 65  # a deployment's own limit is 5 s unless set, and 180 s at most; a smoke test is not that patient
BURST_TIMEOUT_S = 15  # two deployments' bursts, and what is late in them, take less than a lease
_REFUSED = {401, 403}


class Access(NamedTuple):
    """Where an endpoint scores, and a key or token for it."""

    uri: str
    key: str


class Scoring:
    """Calls endpoints with keys that are fetched once and fetched again when they are refused."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._session = requests.Session()
        # As many connections as a burst has requests under way; else each would be opened anew, and be slow for it.
        self._session.mount("https://", HTTPAdapter(pool_maxsize=bursts.MOST_AT_ONCE))
        self._known: dict[str, Access] = {}
        self._lock = threading.Lock()

    def burst(self, endpoint: str, deployment: str, sample: Sample, burst: Burst) -> Tally:
        """Send the sample request for the burst's seconds; each answer is judged as that of a smoke test."""
        self._access(endpoint)  # before the clock runs
        return bursts.send(burst, lambda: self.smoke(endpoint, deployment, sample, BURST_TIMEOUT_S))

    def smoke(self, endpoint: str, deployment: str, sample: Sample, timeout_s: float = READ_TIMEOUT_S) -> SmokeSeen:
        """Send the sample request; good is an answer of 200 in which nothing is wrong (answers.py)."""
        answer = self._post(self._access(endpoint), deployment, sample.request, timeout_s)
        if isinstance(answer, SmokeSeen):
            return answer
        if answer.status_code in _REFUSED:
            answer = self._post(self._access(endpoint, fresh=True), deployment, sample.request, timeout_s)
            if isinstance(answer, SmokeSeen):
                return answer
        if answer.status_code in _REFUSED:
            raise NeedsPerson(
                f"scoring on {endpoint}: refused with {answer.status_code} with a fresh key;"
                f" does the identity have the role {ML_ROLE}?"
            )
        return _judged(answer, sample)

    def _post(self, access: Access, deployment: str, body: str, timeout_s: float) -> "requests.Response | SmokeSeen":
        headers = {
            "Authorization": f"Bearer {access.key}",
            "Content-Type": "application/json",
            "azureml-model-deployment": deployment,
            **_signed(),
        }
        limits_s = (CONNECT_TIMEOUT_S, timeout_s)
        try:
            return self._session.post(access.uri, data=body.encode(), headers=headers, timeout=limits_s)
        except requests.ReadTimeout:
            return SmokeSeen(ok=False, status=0, detail=f"there was no answer within {timeout_s:g} s")
        except (UnreachableError, requests.Timeout) as error:
            # That says something about the way to the endpoint, and nothing about the deployment.
            raise RetryLater(f"scoring on {deployment}: the endpoint could not be reached") from error

    def _access(self, endpoint: str, *, fresh: bool = False) -> Access:
        with self._lock:
            if fresh or endpoint not in self._known:
                self._known[endpoint] = self._fetch(endpoint)
            return self._known[endpoint]

    def _fetch(self, endpoint: str) -> Access:
        with translated(f"fetching the key of endpoint {endpoint}", ML_ROLE):
            endpoints = self._workspace.client.online_endpoints
            uri = endpoints.get(endpoint).scoring_uri
            keys = endpoints.get_keys(endpoint)
        # Endpoints of auth mode key give a pair of keys, the others a token.
        key = getattr(keys, "primary_key", None) or getattr(keys, "access_token", None)
        if not uri or not key:
            raise RetryLater(f"endpoint {endpoint} has no scoring URI or key yet")
        return Access(uri, str(key))


def _signed() -> dict[str, str]:
    """Headers that say in the traffic log, and in what a deployment collects, that no user sent this."""
    name = f"{MARK}-{uuid4()}"
    return {"User-Agent": MARK, "x-ms-client-request-id": name, "x-request-id": name}


def _judged(answer: requests.Response, sample: Sample) -> SmokeSeen:
    status = answer.status_code
    if status != requests.codes.ok:
        # The body may hold rows of data; these headers hold what the scoring server said of itself.
        reason = answer.headers.get("ms-azureml-model-error-reason") or answer.reason or ""
        model_status = answer.headers.get("ms-azureml-model-error-statuscode")
        told = f"{reason} (the scoring script answered {model_status})" if model_status else reason
        return SmokeSeen(ok=False, status=status, detail=told[:200])
    detail = fault(answer.content, sample)
    return SmokeSeen(ok=not detail, status=status, detail=detail)
