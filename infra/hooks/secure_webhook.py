"""`python -m infra.hooks.secure_webhook`: makes the Entra app that guards /api/alerts, and notes it. Optional.

Run by hand, once an environment, by somebody who may register applications. azd is told of the app, and `azd deploy`
puts it in force; with --parameters the pipelines' file of parameters is, and the next run does. Bicep cannot do this:
the app, its role, and the role's assignment to Azure Monitor are Microsoft Graph's, not Resource Manager's.
Source: learn.microsoft.com, Azure Monitor, action groups, "Configure authentication for secure webhook".
"""

import argparse
import json
import os
import sys
import uuid
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from infra.hooks.tools import Failed, Run, run

GRAPH = "https://graph.microsoft.com/v1.0"
AZURE_MONITOR = "461e8683-5575-4561-ac7f-899cc907d62a"
"""Microsoft's application that calls for action groups; modules/alerts-auth.bicep lets in nobody else."""
ROLE = "ActionGroupsSecureWebhook"


def make(name: str, az: Run) -> tuple[str, str]:
    """Make the app, or mend the one of this name; its client id and object id."""
    found = json.loads(az(["az", "ad", "app", "list", "--display-name", name, "--output", "json"]))
    app = found[0] if found else _json(az, ["az", "ad", "app", "create", "--display-name", name])
    role_id = next((role["id"] for role in app["appRoles"] if role["value"] == ROLE), None)
    role_id = role_id or str(uuid.uuid5(uuid.NAMESPACE_URL, f"{app['id']}/{ROLE}"))
    _patch(az, app, role_id)
    ours, theirs = _principal(app["appId"], az), _principal(AZURE_MONITOR, az)
    _assign(az, role_id, ours, theirs)
    return app["appId"], app["id"]


def _patch(az: Run, app: dict[str, Any], role_id: str) -> None:
    role = {
        "id": role_id,
        "allowedMemberTypes": ["Application"],
        "displayName": ROLE,
        "description": "Calls /api/alerts for an action group.",
        "isEnabled": True,
        "value": ROLE,
    }
    others = [each for each in app["appRoles"] if each["value"] != ROLE]
    body = {
        "identifierUris": [f"api://{app['appId']}"],
        "appRoles": [*others, role],
        # Version 2 names the caller and the issuer as modules/alerts-auth.bicep expects them.
        "api": {"requestedAccessTokenVersion": 2},
    }
    _graph(az, "PATCH", f"applications/{app['id']}", body)


def _principal(app_id: str, az: Run) -> str:
    query = ["--filter", f"appId eq '{app_id}'", "--output", "json"]
    found = json.loads(az(["az", "ad", "sp", "list", *query]))
    return str((found[0] if found else _json(az, ["az", "ad", "sp", "create", "--id", app_id]))["id"])


def _assign(az: Run, role_id: str, ours: str, theirs: str) -> None:
    path = f"servicePrincipals/{ours}/appRoleAssignedTo"
    given = json.loads(az(["az", "rest", "--method", "GET", "--url", f"{GRAPH}/{path}"]))["value"]
    if not any(each["principalId"] == theirs and each["appRoleId"] == role_id for each in given):
        _graph(az, "POST", path, {"principalId": theirs, "resourceId": ours, "appRoleId": role_id})


def _graph(az: Run, method: str, path: str, body: dict[str, Any]) -> None:
    # By a file: on Windows the quotes of JSON do not outlive the command line.
    with TemporaryDirectory() as folder:
        file = Path(folder) / "body.json"
        file.write_text(json.dumps(body), encoding="utf-8")
        az(["az", "rest", "--method", method, "--url", f"{GRAPH}/{path}", "--body", f"@{file}"])


def _json(az: Run, command: list[str]) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(az([*command, "--output", "json"]))
    return answer


def tell_azd(environment: str, app_id: str, object_id: str, az: Run) -> str:
    """Keep the ids in azd's environment; what to do next."""
    for name, value in (("UPKEEP_ALERTS_APP_ID", app_id), ("UPKEEP_ALERTS_OBJECT_ID", object_id)):
        az(["azd", "env", "set", name, value, "--environment", environment])
    return "`azd deploy` makes Azure Monitor show its token, and the function app ask for it."


def note(file: Path, app_id: str, object_id: str) -> str:
    """Put the ids into a file of parameters; what to do next. They are names, not secrets."""
    content = json.loads(file.read_text(encoding="utf-8"))
    content["parameters"] |= {"alertsAppId": {"value": app_id}, "alertsObjectId": {"value": object_id}}
    file.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    return f"It stands in {file}: commit that, and the next run of the pipeline puts it in force."


def main(arguments: Sequence[str], az: Run = run) -> int:
    """Make the app and note it."""
    parser = argparse.ArgumentParser(prog="python -m infra.hooks.secure_webhook", description="Guard the alerts.")
    parser.add_argument("--environment", default=os.environ.get("AZURE_ENV_NAME"), help="default: AZURE_ENV_NAME")
    parser.add_argument("--parameters", type=Path, help="file to note the app in; default: azd is told")
    options = parser.parse_args(arguments)
    if not options.environment:
        parser.error("which environment? Give --environment")
    if options.parameters and not options.parameters.is_file():
        parser.error(f"there is no {options.parameters}: name a file such as infra/environments/prod.parameters.json")
    try:
        ids = make(f"upkeep-alerts-{options.environment}", az)
        done = note(options.parameters, *ids) if options.parameters else tell_azd(options.environment, *ids, az)
    except Failed as error:
        print(error, file=sys.stderr)
        return 1
    print(f"The app is there. {done}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
