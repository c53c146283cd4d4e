"""`python -m infra.hooks.models`: publishes the models, then deploys models.bicep, and notes the function app's key.

Run by azd after the code is deployed, and by the pipelines. In this order, because the template reads a key that only
deployed code has, and gives rights to endpoints that only publishing makes. With --what-if it says what the template
would change, and writes nothing.
"""

import argparse
import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from infra.hooks.environment import KEY, path_of, write
from infra.hooks.tools import Failed, Run, run
from infra.hooks.watched import watched
from shared.domain import names
from shared.operator.surroundings import read_pairs

INFRA = Path(__file__).resolve().parents[1]
ENDPOINT_TIMEOUT_S = 1200
# Parameters of models.bicep that are parameters and outputs of main.bicep too, so that they are said in one place.
OPTIONS = {
    "emails": "UPKEEP_EMAILS",
    "alertsAppId": "UPKEEP_ALERTS_APP_ID",
    "alertsObjectId": "UPKEEP_ALERTS_OBJECT_ID",
    "sharedRegistryName": "UPKEEP_SHARED_REGISTRY",
    "sharedRegistryGroup": "UPKEEP_SHARED_REGISTRY_GROUP",
}
ENDPOINTS = "Microsoft.MachineLearningServices/workspaces/onlineEndpoints"
SCHEMA = "https://schema.management.azure.com/schemas/2019-04-01/deploymentParameters.json#"
Models = Sequence[Mapping[str, Any]]
Options = Mapping[str, str]


def publish(file: Path, settings: Mapping[str, str], models: Models) -> Iterator[list[str]]:
    """The commands that make the endpoints, and wait until they are there."""
    yield [str(Path(sys.executable).with_name("upkeep")), "publish", "--env-file", str(file)]
    for endpoint in sorted({endpoint_of(model, settings) for model in models}):
        wait = ["--created", "--interval", "10", "--timeout", str(ENDPOINT_TIMEOUT_S)]
        yield ["az", "resource", "wait", *wait, "--ids", endpoint_id(settings, endpoint)]


def deploy(how: Sequence[str], settings: Mapping[str, str], models: Models, options: Options, az: Run) -> str:
    """Hand models.bicep to `az deployment group`, which does with it what `how` says; what it printed."""
    given = {"token": settings["UPKEEP_TOKEN"], "models": models, **guarded(options, settings, az)}
    values = {name: {"value": value} for name, value in given.items()}
    text = json.dumps({"$schema": SCHEMA, "contentVersion": "1.0.0.0", "parameters": values})
    # By a file: on Windows the quotes of JSON do not outlive the command line.
    with TemporaryDirectory() as folder:
        file = Path(folder) / "models.parameters.json"
        file.write_text(text, encoding="utf-8")
        template = ["--template-file", str(INFRA / "models.bicep"), "--parameters", f"@{file}"]
        return az(["az", "deployment", "group", *how, *group(settings), *template])


def chosen(settings: Mapping[str, str], environ: Mapping[str, str]) -> dict[str, str]:
    """The options, as main.bicep put them out; by azd's environment where an older main.bicep did not."""
    # secure_webhook.py tells azd of the guard without provisioning anew. Not so people: their group comes with that.
    newer = {name: environ[name] for name in (OPTIONS["alertsAppId"], OPTIONS["alertsObjectId"]) if environ.get(name)}
    told = {**environ, **settings, **newer}
    return {name: told.get(variable, "") for name, variable in OPTIONS.items()}


def guarded(options: Options, settings: Mapping[str, str], az: Run) -> dict[str, str]:
    """The options that say something; where they name no Entra app that guards the alerts, the one that is deployed.

    Without it Azure Monitor would show no token any more, and the app, which still asks for one, refuse every alert.
    """
    said = {name: value for name, value in options.items() if value}
    if ("alertsAppId" in said) != ("alertsObjectId" in said):
        raise Failed("alertsAppId and alertsObjectId belong together: give both, or neither.")
    if "alertsAppId" in said:
        return said
    kept = _guard(settings, az)
    if kept:
        print(
            f"The Entra app that guards the alerts is kept. Give main.bicep its parameters: "
            f"alertsAppId {kept['alertsAppId']}, alertsObjectId {kept['alertsObjectId']}.",
            file=sys.stderr,
        )
    return {**said, **kept}


def _guard(settings: Mapping[str, str], az: Run) -> dict[str, str]:
    # az prints nothing where there is nothing.
    groups = json.loads(az(["az", "monitor", "action-group", "list", *group(settings), "--output", "json"]) or "[]")
    ours = [each for each in groups if each["name"] == f"ag-upkeep-{settings['UPKEEP_TOKEN']}"]
    receivers = [one for each in ours for one in each.get("webhookReceivers") or [] if one.get("useAadAuth")]
    if not receivers:
        return {}
    app_id = receivers[0]["identifierUri"].removeprefix("api://")
    return {"alertsAppId": app_id, "alertsObjectId": receivers[0]["objectId"]}


def planned(environment: str) -> dict[str, str]:
    """The options as the next deployment of main.bicep will put them out, from the pipelines' file of parameters."""
    file = INFRA / "environments" / f"{environment}.parameters.json"
    given = json.loads(file.read_text(encoding="utf-8"))["parameters"]
    return {name: str(given.get(name, {}).get("value", "")) for name in OPTIONS}


def there(settings: Mapping[str, str], models: Models, az: Run) -> Models:
    """The models whose endpoint is there. Of another nothing can be planned: its identity is not known yet."""
    query = ["--resource-type", ENDPOINTS, "--query", "[].name", "--output", "json"]
    found = json.loads(az(["az", "resource", "list", *group(settings), *query]) or "[]")
    known = {name.rpartition("/")[2].lower() for name in found}
    missing = [model for model in models if endpoint_of(model, settings).lower() not in known]
    for model in missing:
        print(f"{model['name']}: its rules and rights come with its endpoint, which publishing makes.")
    return [model for model in models if model not in missing]


def group(settings: Mapping[str, str]) -> list[str]:
    """Where Upkeep lies, as options of az."""
    where = {"--resource-group": "UPKEEP_RESOURCE_GROUP", "--subscription": "UPKEEP_SUBSCRIPTION_ID"}
    return [word for option, name in where.items() for word in (option, settings[name])]


def endpoint_of(model: Mapping[str, Any], settings: Mapping[str, str]) -> str:
    """Name of a model's endpoint on Azure."""
    return names.endpoint(model["endpoint"], settings["UPKEEP_TOKEN"])


def endpoint_id(settings: Mapping[str, str], endpoint: str) -> str:
    """Full id of an online endpoint."""
    return (
        f"/subscriptions/{settings['UPKEEP_SUBSCRIPTION_ID']}/resourceGroups/{settings['UPKEEP_RESOURCE_GROUP']}"
        f"/providers/Microsoft.MachineLearningServices/workspaces/{settings['UPKEEP_WORKSPACE']}"
        f"/onlineEndpoints/{endpoint}"
    )


def app_key(settings: Mapping[str, str], az: Run) -> str:
    """A key with which people's commands reach the app; another than the one in the action group."""
    app = ["--name", settings["UPKEEP_APP_NAME"], *group(settings)]
    query = ["--query", "functionKeys.default", "--output", "tsv"]
    return az(["az", "functionapp", "keys", "list", *app, *query]).strip()


def apply(file: Path, settings: Mapping[str, str], models: Models, az: Run) -> None:
    """Take all steps; the first that fails ends it, and a second run takes all of them again."""
    for command in publish(file, settings, models):
        sys.stdout.write(az(command))
    deploy(["create", "--name", "models", "--output", "none"], settings, models, chosen(settings, os.environ), az)
    write(file, {**settings, KEY: app_key(settings, az)})
    print(f"The models are published and watched. See them with: upkeep status --env-file {file}")


def plan(environment: str, settings: Mapping[str, str], models: Models, az: Run) -> None:
    """Say what applying would change."""
    # Asks the providers, without the right to write.
    how = ["what-if", "--only-show-errors", "--name", "models-plan", "--validation-level", "ProviderNoRbac"]
    sys.stdout.write(deploy(how, settings, there(settings, models, az), planned(environment), az))


def main(arguments: Sequence[str], az: Run = run) -> int:
    """Apply, or plan."""
    parser = argparse.ArgumentParser(prog="python -m infra.hooks.models", description="Publish and watch the models.")
    parser.add_argument("--environment", default=os.environ.get("AZURE_ENV_NAME"), help="default: AZURE_ENV_NAME")
    parser.add_argument("--what-if", action="store_true", help="only say what models.bicep would change")
    options = parser.parse_args(arguments)
    if not options.environment:
        parser.error("which environment? Give --environment, or let azd run this")
    file = path_of(options.environment)
    if not file.is_file():
        print(f"There is no {file}: run python -m infra.hooks.environment first.", file=sys.stderr)
        return 1
    try:
        settings = read_pairs(file)
        models = watched(INFRA.parent, settings["UPKEEP_ENVIRONMENT"])
        if options.what_if:
            plan(options.environment, settings, models, az)
        else:
            apply(file, settings, models, az)
    except Failed as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
