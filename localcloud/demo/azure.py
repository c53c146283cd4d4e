"""The few calls that the demo makes to the local Azure itself: keys, jobs, metrics, logs, alert rules, faults.

Called by the demo only. Plain HTTP, so that it can be seen what is asked; a program would use the SDKs.
"""

import json
import threading
from typing import Any

import requests

from localcloud.cloud import WORKSPACE_ID

TIMEOUT_S = 10.0
Json = dict[str, Any]


class Azure:
    """The gateway of one local cloud, and the app behind it."""

    def __init__(self, settings: dict[str, str], authority: str) -> None:
        self.url = settings["UPKEEP_LOGS_ENDPOINT"]
        self._authority = authority
        self._settings = settings
        self._local = threading.local()

    def session(self) -> requests.Session:
        """A session for this thread that trusts the local authority and uses no proxy."""
        session: requests.Session | None = getattr(self._local, "session", None)
        if session is None:
            session = requests.Session()
            session.trust_env = False
            session.verify = self._authority
            self._local.session = session
        return session

    def models(self, path: str) -> Json:
        """GET below the app's /api/models."""
        url = f"{self._settings['UPKEEP_APP_URL']}/api/models/{path}"
        return self._call("GET", url, headers={"x-functions-key": self._settings["UPKEEP_APP_KEY"]})

    def scoring_key(self, endpoint: str) -> str:
        """The endpoint's key, as the portal would show it."""
        answer = self._arm("POST", f"onlineEndpoints/{endpoint}/listKeys", "2022-02-01-preview")
        return str(answer["primaryKey"])

    def deployments(self, endpoint: str) -> list[str]:
        """Names of the endpoint's deployments."""
        answer = self._arm("GET", f"onlineEndpoints/{endpoint}/deployments", "2023-04-01-preview")
        return sorted(str(deployment["name"]) for deployment in answer["value"])

    def job_status(self, job: str) -> str:
        """Azure ML's word for where the job stands."""
        return str(self._arm("GET", f"jobs/{job}", "2024-01-01-preview")["properties"]["status"])

    def metrics(self, run: str) -> dict[str, float]:
        """The newest value of each metric that the run has logged to MLflow."""
        url = f"{self.url}/mlflow/v2.0{WORKSPACE_ID}/api/2.0/mlflow/runs/get"
        answer = self._call("GET", url, headers=self._bearer(), params={"run_id": run})
        return {metric["key"]: metric["value"] for metric in answer["run"]["data"].get("metrics", [])}

    def log(self, table: str, rows: list[Json]) -> None:
        """Send rows to a custom table, through the logs ingestion API."""
        url = f"{self.url}/dataCollectionRules/dcr-model-performance/streams/Custom-{table}"
        self._call("POST", url, headers=self._bearer(), params={"api-version": "2023-01-01"}, body=rows)

    def declare_table(self, table: str, columns: dict[str, str]) -> None:
        """Make a custom table, so that a rule over it is right before its first row."""
        named = [{"name": name, "type": kind} for name, kind in columns.items()]
        self._call("PUT", f"{self.url}/admin/logs/tables/{table}", body={"columns": named})

    def put_alert_rule(self, name: str, rule: Json) -> None:
        """Make a scheduled query rule."""
        self._call("PUT", f"{self.url}/admin/alerts/rules/{name}", body=rule)

    def put_action_group(self) -> None:
        """Send alerts to the app's webhook, with its function key."""
        url = f"{self._settings['UPKEEP_APP_URL']}/api/alerts?code={self._settings['UPKEEP_APP_KEY']}"
        self._call("PUT", f"{self.url}/admin/alerts/action-group", body={"url": url})

    def break_deployment(self, endpoint: str, deployment: str, rate: float) -> None:
        """Let a deployment answer 500 to a share of its requests."""
        fault = {"match": f"SCORE {endpoint} {deployment}", "status": 500, "rate": rate}
        self._call("POST", f"{self.url}/admin/faults", body=fault)

    def mend(self) -> None:
        """Take all faults back."""
        self._call("DELETE", f"{self.url}/admin/faults")

    def _arm(self, method: str, path: str, version: str) -> Json:
        url = f"{self.url}{WORKSPACE_ID}/{path}"
        return self._call(method, url, headers=self._bearer(), params={"api-version": version})

    def _bearer(self) -> dict[str, str]:
        answer = self._call(
            "GET",
            self._settings["IDENTITY_ENDPOINT"],
            headers={"X-IDENTITY-HEADER": self._settings["IDENTITY_HEADER"]},
            params={"api-version": "2019-08-01", "resource": self.url},
        )
        return {"Authorization": f"Bearer {answer['access_token']}"}

    def _call(
        self,
        method: str,
        url: str,
        headers: dict[str, str] | None = None,
        params: dict[str, str] | None = None,
        body: object = None,
    ) -> Json:
        response = self.session().request(method, url, headers=headers, params=params, json=body, timeout=TIMEOUT_S)
        response.raise_for_status()
        answer = json.loads(response.content) if response.content else {}
        return answer if isinstance(answer, dict) else {"value": answer}
