"""The model's users: they ask for real flights at a steady rate, count the answers, and know what came true.

Started by story.py in threads of its own. They know the scoring URI and a key, and nothing of releases.
"""

import random
import threading
import time
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import cycle
from typing import Any

import requests

from localcloud import flights
from localcloud.demo.azure import Azure

THREADS = 4
FLIGHTS_A_MONTH = 4_000
REPORT_EVERY_S = 1.0
TABLE = "ModelPerformance_CL"
COLUMNS = {
    "TimeGenerated": "datetime",
    "EndpointName": "string",
    "DeploymentName": "string",
    "AbsoluteError": "real",
}
Count = Counter[tuple[str, int]]
Asked = tuple[dict[str, Any], float]


@dataclass
class Tally:
    """What the users have seen since somebody last looked."""

    answers: Count = field(default_factory=Counter)
    errors: deque[float] = field(default_factory=lambda: deque(maxlen=300))


class Users:
    """Threads that score. `month` says of which month the flights are that they ask for."""

    def __init__(self, azure: Azure, endpoint: str, per_second: float) -> None:
        self._azure, self._endpoint = azure, endpoint
        self._interval_s = 1 / per_second
        self._lock = threading.Lock()
        self._flights: Iterator[Asked] = iter(())
        self._key = ""
        self._next_s = 0.0
        self._tally = Tally()
        self._outcomes: list[dict[str, Any]] = []
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []
        self.troubles: list[str] = []
        self.total: Count = Counter()

    def fly(self, month: int) -> None:
        """From now on, ask for flights of this month, spread over all of it, over and over."""
        asked = list(flights.scoring_requests(month, FLIGHTS_A_MONTH))
        # In an order of no meaning, or a minute's error would be that of three days of the month.
        random.Random(month).shuffle(asked)  # noqa: S311 - the same in every run, and not for secrets
        rows = cycle(asked)
        with self._lock:
            self._flights = rows
            self._tally.errors.clear()

    def begin(self) -> None:
        """Start to ask."""
        self._key = self._azure.scoring_key(self._endpoint)
        self._next_s = time.monotonic()
        jobs = [self._ask_on] * THREADS + [self._report_on]
        self._threads = [threading.Thread(target=self._guarded, args=(job,), daemon=True) for job in jobs]
        for thread in self._threads:
            thread.start()

    def end(self) -> None:
        """Stop asking, and wait for the last answers."""
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def seen(self) -> Count:
        """Answers by deployment and status since the last call."""
        with self._lock:
            answers, self._tally.answers = self._tally.answers, Counter()
        return answers

    def error_minutes(self) -> float | None:
        """Mean absolute error of the last few hundred answers, once there are enough to speak of."""
        with self._lock:
            errors = list(self._tally.errors)
        return sum(errors) / len(errors) if len(errors) >= 100 else None

    def one(self) -> tuple[dict[str, Any], int, str]:
        """Score one flight: what was asked, and status and text of the answer."""
        with self._lock:
            flight, _ = next(self._flights)
        response = self._post(flight)
        return flight, response.status_code, response.text

    def _guarded(self, job: Any) -> None:
        try:
            job()
        except Exception as trouble:  # noqa: BLE001 - kept, and told by the story, which stops for it
            self.troubles.append(f"{type(trouble).__name__}: {trouble}")

    def _ask_on(self) -> None:
        while not self._stop.is_set():
            with self._lock:
                now_s = time.monotonic()
                # After a pause the users do not make up for the requests that they left out.
                wait_s = max(0.0, self._next_s - now_s)
                self._next_s = max(self._next_s, now_s) + self._interval_s
                flight, minutes = next(self._flights)
            if self._stop.wait(wait_s):
                return
            self._ask(flight, minutes)

    def _ask(self, flight: dict[str, Any], minutes: float) -> None:
        try:
            response = self._post(flight)
        except requests.RequestException:
            self._count("nobody", 0, None)
            return
        deployment = response.headers.get("azureml-model-deployment", "nobody")
        error = abs(response.json()["predictions"][0] - minutes) if response.ok else None
        self._count(deployment, response.status_code, error)

    def _count(self, deployment: str, status: int, error: float | None) -> None:
        with self._lock:
            self._tally.answers[deployment, status] += 1
            self.total[deployment, status] += 1
            if error is None:
                return
            self._tally.errors.append(error)
            self._outcomes.append(
                {
                    "TimeGenerated": datetime.now(UTC).isoformat(),
                    "EndpointName": self._endpoint,
                    "DeploymentName": deployment,
                    "AbsoluteError": error,
                }
            )

    def _post(self, flight: dict[str, Any]) -> requests.Response:
        return self._azure.session().post(
            f"{self._azure.url}/score/{self._endpoint}",
            json={"data": [flight]},
            headers={"Authorization": f"Bearer {self._key}"},
            timeout=10,
        )

    def _report_on(self) -> None:
        """Tell Log Analytics how far off each answer was, as soon as the flight has landed (here: at once)."""
        while not self._stop.wait(REPORT_EVERY_S):
            with self._lock:
                rows, self._outcomes = self._outcomes, []
            if rows:
                self._azure.log(TABLE, rows)
