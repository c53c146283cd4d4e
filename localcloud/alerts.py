"""Azure Monitor's alerts: scheduled query rules over Log Analytics, and alerts that are fired by hand.

Called by tests, the demo and people under /admin/alerts. A rule that fires does so once, until its condition
is gone and it has said so; what has fired is in the store and survives a restart.
"""

import asyncio
import json
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol
from uuid import uuid4

from aiohttp import web

from localcloud.alerting.action_group import Delivery, deliver
from localcloud.alerting.rules import Rule, breached, measure, read_rule
from localcloud.alerting.schema import Incident, payload
from localcloud.cloud import Cloud
from localcloud.logs import QueryError

RULES = "alert-rules"
FIRED = "alerts-fired"
ACTION_GROUP = "action-group"
TICK_S = 0.25
_LOG = logging.getLogger("localcloud.alerts")

Deliver = Callable[[str, dict[str, Any], Path], Awaitable[Delivery]]


class Workspace(Protocol):
    """What the rules ask: Log Analytics."""

    async def query(self, query: str, timespan: str | None = None) -> dict[str, Any]:
        """The answer, or QueryError."""
        ...


class Alerts:
    """The rules and the action group."""

    def __init__(self, cloud: Cloud, logs: Workspace, send: Deliver = deliver) -> None:
        self._cloud = cloud
        self._post = send
        self._logs = logs
        self._evaluator: asyncio.Task[None] | None = None
        self._deliveries: set[asyncio.Task[Delivery | None]] = set()
        self._due: dict[str, float] = {}

    def routes(self) -> list[web.RouteDef]:
        """Rules, the action group, and firing by hand."""
        return [
            web.get("/admin/alerts", self._list_fired),
            web.get("/admin/alerts/rules", self._list_rules),
            web.put("/admin/alerts/rules/{name}", self._put_rule),
            web.get("/admin/alerts/rules/{name}", self._get_rule),
            web.delete("/admin/alerts/rules/{name}", self._delete_rule),
            web.put("/admin/alerts/action-group", self._put_action_group),
            web.post("/admin/alerts/fire", self._fire_by_hand),
        ]

    async def start(self) -> None:
        """Begin to evaluate the rules; tell again what a stop cut off."""
        self._due = {}
        for name, fired in self._cloud.store.items(FIRED):
            rule = self._cloud.store.get(RULES, name)
            if rule is not None and not fired["told"]:
                self._send(read_rule(name, rule), _incident(fired))
        self._evaluator = asyncio.create_task(self._keep_evaluating())

    async def stop(self) -> None:
        """Stop evaluating. A delivery that is under way is given up."""
        tasks = [*self._deliveries, *([self._evaluator] if self._evaluator else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def evaluate(self, rule: Rule, now: datetime) -> None:
        """Look once whether the rule's condition is met, and fire or resolve."""
        window = f"{(now - timedelta(seconds=rule.window_s)).isoformat()}/{now.isoformat()}"
        try:
            answer = await self._logs.query(rule.query, window)
            value = measure(rule, answer["tables"][0])
        except (QueryError, ValueError) as error:
            # On Azure too a rule whose query fails neither fires nor resolves; it becomes unhealthy.
            _LOG.warning("alerts.rule_failed rule=%s error=%s", rule.name, error)
            return
        fired = self._cloud.store.get(FIRED, rule.name)
        if breached(rule, value):
            if fired is None or not rule.auto_mitigate:
                self._raise(rule, Incident(str(uuid4()), now, value))
        elif fired is not None:
            self._mitigate(rule, fired, value, now)

    def _raise(self, rule: Rule, incident: Incident) -> None:
        if rule.auto_mitigate:
            self._remember(rule, incident, told=False)
        self._send(rule, incident)

    def _remember(self, rule: Rule, incident: Incident, *, told: bool) -> None:
        fired_at = incident.fired_at.isoformat()
        document = {"alert_id": incident.alert_id, "fired_at": fired_at, "value": incident.value, "told": told}
        self._cloud.store.put(FIRED, rule.name, document)

    def _mitigate(self, rule: Rule, fired: Mapping[str, Any], value: float | None, now: datetime) -> None:
        self._cloud.store.delete(FIRED, rule.name)
        self._send(rule, replace(_incident(fired), value=value, resolved_at=now))

    def _send(self, rule: Rule, incident: Incident) -> asyncio.Task[Delivery | None]:
        _LOG.info("alerts.%s rule=%s value=%s", incident.condition.lower(), rule.name, incident.value)
        task = asyncio.create_task(self._deliver(rule, incident))
        self._deliveries.add(task)
        task.add_done_callback(self._deliveries.discard)
        return task

    async def _deliver(self, rule: Rule, incident: Incident) -> Delivery | None:
        url = rule.action_url or self._default_url()
        if url is None:
            _LOG.warning("alerts.no_action_group rule=%s", rule.name)
            return None
        body = payload(rule, incident, self._cloud.gateway_url)
        delivery = await self._post(url, body, self._cloud.ca_file)
        level = logging.INFO if delivery.delivered else logging.ERROR
        _LOG.log(level, "alerts.delivery rule=%s result=%s", rule.name, delivery.shown())
        fired = self._cloud.store.get(FIRED, rule.name)
        if fired is not None and fired["alert_id"] == incident.alert_id:
            self._remember(rule, incident, told=True)
        return delivery

    def _default_url(self) -> str | None:
        document = self._cloud.store.get(ACTION_GROUP, "default")
        written = self._cloud.folder / "action-group.json"
        if document is None and written.exists():
            document = json.loads(written.read_text())
        return None if document is None else str(document["url"])

    async def _keep_evaluating(self) -> None:
        while True:
            now_s = time.monotonic()
            for name, document in self._cloud.store.items(RULES):
                if document["enabled"] and self._due.get(name, 0.0) <= now_s:
                    self._due[name] = now_s + document["evaluation_period_s"]
                    await self._evaluate_stored(name, document)
            await asyncio.sleep(TICK_S)

    async def _evaluate_stored(self, name: str, document: dict[str, Any]) -> None:
        try:
            await self.evaluate(read_rule(name, document), datetime.now(UTC))
        except Exception:  # noqa: BLE001 - one rule must not end the evaluation of all the others
            _LOG.exception("alerts.evaluation_crashed rule=%s", name)

    async def _list_rules(self, _request: web.Request) -> web.Response:
        return web.json_response({"value": [rule for _, rule in self._cloud.store.items(RULES)]})

    async def _list_fired(self, _request: web.Request) -> web.Response:
        fired = [{"rule": name, **document} for name, document in self._cloud.store.items(FIRED)]
        return web.json_response({"value": fired})

    async def _put_rule(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        try:
            rule = read_rule(name, await _object(request))
        except (TypeError, ValueError) as error:
            return _refusal(400, str(error))
        self._cloud.store.put(RULES, name, rule.saved())
        self._due.pop(name, None)
        return web.json_response(rule.saved())

    async def _get_rule(self, request: web.Request) -> web.Response:
        rule = self._cloud.store.get(RULES, request.match_info["name"])
        return _refusal(404, "There is no such rule.") if rule is None else web.json_response(rule)

    async def _delete_rule(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        self._cloud.store.delete(FIRED, name)
        return web.Response(status=200 if self._cloud.store.delete(RULES, name) else 204)

    async def _put_action_group(self, request: web.Request) -> web.Response:
        url = (await _object(request)).get("url")
        if not isinstance(url, str) or not url.startswith(("http://", "https://")):
            return _refusal(400, "An action group has a url.")
        self._cloud.store.put(ACTION_GROUP, "default", {"url": url})
        return web.json_response({"url": url})

    async def _fire_by_hand(self, request: web.Request) -> web.Response:
        """{rule, condition, severity, description, customProperties, url, alertId}; answers when delivered."""
        body = await _object(request)
        name = str(body.get("rule") or "")
        stored = self._cloud.store.get(RULES, name) or {"query": "print Fired = 'by hand'", "threshold": 0}
        try:
            rule = read_rule(name, stored)
            rule = replace(rule, **_overrides(body))
            read_rule(name, rule.saved())
        except (TypeError, ValueError) as error:
            return _refusal(400, str(error))
        now = datetime.now(UTC)
        resolved = str(body.get("condition", "Fired")).lower() == "resolved"
        alert_id = str(body.get("alertId") or uuid4())
        incident = Incident(alert_id, now, body.get("metricValue"), resolved_at=now if resolved else None)
        delivery = await self._send(rule, incident)
        shown = None if delivery is None else delivery.shown()
        status = 200 if delivery is not None and delivery.delivered else 502
        return web.json_response({"alertId": alert_id, "delivery": shown}, status=status)


def _incident(fired: Mapping[str, Any]) -> Incident:
    return Incident(fired["alert_id"], datetime.fromisoformat(fired["fired_at"]), fired["value"])


def _overrides(body: Mapping[str, Any]) -> dict[str, Any]:
    names = {"description": "description", "customProperties": "custom_properties", "url": "action_url"}
    given = {own: body[sent] for sent, own in names.items() if sent in body}
    severity = body.get("severity")
    if severity is not None:
        given["severity"] = int(str(severity).lower().removeprefix("sev"))
    return given


async def _object(request: web.Request) -> dict[str, Any]:
    body = await request.json()
    if not isinstance(body, dict):
        raise web.HTTPBadRequest(text="the body is not a JSON object")
    return body


def _refusal(status: int, message: str) -> web.Response:
    code = "NotFound" if status == 404 else "InvalidRequest"
    return web.json_response({"error": {"code": code, "message": message}}, status=status)
