"""Speaks with the function app over HTTP. Called by cli.py; knows nothing of Azure's SDKs.

Every failure becomes one sentence: BadInput for what the caller must mend, RetryLater for what may pass.
"""

from typing import Any
from urllib.parse import quote

import requests

from shared.errors import BadInput, NeedsPerson, RetryLater
from shared.operator.shape import nearest
from shared.operator.surroundings import App

TIMEOUT_S = 30.0
Json = dict[str, Any]


class UnknownModel(BadInput):
    """The app knows no such model."""


class Api:
    """The app's HTTP functions."""

    def __init__(self, app: App, session: requests.Session | None = None) -> None:
        self._app = app
        self._session = session or requests.Session()
        if app.key:
            self._session.headers["x-functions-key"] = app.key

    def models(self) -> list[Json]:
        """Status of every published model."""
        found: list[Json] = self._call("GET", "models")["models"]
        return found

    def model(self, name: str) -> Json:
        """Status of one model."""
        return self._of(name, "GET", "")

    def history(self, name: str, most: int) -> list[Json]:
        """The newest decisions, newest first."""
        found: list[Json] = self._of(name, "GET", "/history", params={"most": most})["decisions"]
        return found

    def card(self, name: str, version: int | None) -> Json:
        """The model card of a registered version, by default of the live one."""
        return self._of(name, "GET", "/card", params={"version": version} if version else None)

    def command(self, name: str, command: Json) -> Json:
        """Give a command; giving the same id again is the same command."""
        return self._of(name, "POST", "/commands", body=command)

    def _of(self, name: str, method: str, below: str, params: Json | None = None, body: Json | None = None) -> Json:
        try:
            return self._call(method, f"models/{quote(name, safe='')}{below}", params, body)
        except UnknownModel as error:
            known = [model["model"] for model in self.models()]
            there = f"there are {', '.join(known)}" if known else "there is none yet"
            raise BadInput(f'no published model is called "{name}"; {there}{nearest(name, known)}') from error

    def _call(self, method: str, path: str, params: Json | None = None, body: Json | None = None) -> Json:
        url = f"{self._app.url}/api/{path}"
        try:
            response = self._session.request(method, url, params=params, json=body, timeout=TIMEOUT_S)
        except requests.exceptions.SSLError as error:
            raise NeedsPerson(f"{self._app.url} shows a certificate that is not trusted here") from error
        except requests.RequestException as error:
            raise RetryLater(f"the app does not answer at {self._app.url}: is it running?") from error
        if response.ok:
            answer: Json = _json(response)
            return answer
        raise self._refusal(response)

    def _refusal(self, response: requests.Response) -> Exception:
        told = _told(response)
        match response.status_code:
            case 401 | 403:
                return NeedsPerson(f"{self._app.url} refuses the key: check UPKEEP_APP_KEY")
            case 404 if told:
                return UnknownModel(told)
            case 400 | 404 | 409:
                return BadInput(told or f"{self._app.url} answered {response.status_code}")
            case 429 | 503:
                return RetryLater(told or f"{self._app.url} is busy; try again in a moment")
            case status:
                return NeedsPerson(f"the app failed with {status}{': ' + told if told else ''}; its log says more")


def _json(response: requests.Response) -> Json:
    try:
        answer = response.json()
    except requests.JSONDecodeError as error:
        raise NeedsPerson(f"{response.url} did not answer JSON: is that the app?") from error
    return answer if isinstance(answer, dict) else {"value": answer}


def _told(response: requests.Response) -> str:
    """The app's own sentence, when it sent one as {"error": …}."""
    try:
        answer = response.json()
    except requests.JSONDecodeError:
        return ""
    told = answer.get("error") if isinstance(answer, dict) else None
    return told if isinstance(told, str) else ""
