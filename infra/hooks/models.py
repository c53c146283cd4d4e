"""`python -m infra.hooks.models`: publishes the models, then deploys models.bicep, and notes the function app's key.

Run by azd after the code is deployed, and by the pipelines. In this order, because the template reads a key that only
deployed code has, and gives rights to endpoints that only publishing makes.
"""

import argparse
import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from infra.hooks.environment import KEY, path_of, write
from infra.hooks.tools import Failed, Run, run
from infra.hooks.watched import watched
from shared.operator.surroundings import read_pairs

INFRA = Path(__file__).resolve().parents[1]
ENDPOINT_TIMEOUT_S = 1200
# What the template takes from the environment: azd hands over all that `azd env set` has set.
OPTIONS = {
    "emails": "UPKEEP_EMAILS",
    "alertsAppId": "UPKEEP_ALERTS_APP_ID",
    "alertsObjectId": "UPKEEP_ALERTS_OBJECT_ID",
    "sharedRegistryName": "UPKEEP_SHARED_REGISTRY",
    "sharedRegistryGroup": "UPKEEP_SHARED_REGISTRY_GROUP",
}


def steps(file: Path, settings: Mapping[str, str], environ: Mapping[str, str]) -> Iterator[list[str]]:
    """The commands, in their order."""
    models = watched(INFRA.parent, settings["UPKEEP_ENVIRONMENT"])
    yield [str(Path(sys.executable).with_name("upkeep")), "publish", "--env-file", str(file)]
    for endpoint in sorted({model["endpoint"] for model in models}):
        wait = ["--created", "--interval", "10", "--timeout", str(ENDPOINT_TIMEOUT_S)]
        yield ["az", "resource", "wait", *wait, "--ids", endpoint_id(settings, endpoint)]
    options = {name: environ[variable] for name, variable in OPTIONS.items() if environ.get(variable)}
    chosen = {"token": settings["UPKEEP_TOKEN"], "models": json.dumps(models), **options}
    template = ["--template-file", str(INFRA / "models.bicep")]
    parameters = ["--parameters", *(f"{name}={value}" for name, value in chosen.items())]
    group = [
        "--resource-group",
        settings["UPKEEP_RESOURCE_GROUP"],
        "--subscription",
        settings["UPKEEP_SUBSCRIPTION_ID"],
    ]
    yield [
        "az",
        "deployment",
        "group",
        "create",
        "--name",
        "models",
        *group,
        *template,
        *parameters,
        "--output",
        "none",
    ]


def endpoint_id(settings: Mapping[str, str], endpoint: str) -> str:
    """Full id of an online endpoint."""
    return (
        f"/subscriptions/{settings['UPKEEP_SUBSCRIPTION_ID']}/resourceGroups/{settings['UPKEEP_RESOURCE_GROUP']}"
        f"/providers/Microsoft.MachineLearningServices/workspaces/{settings['UPKEEP_WORKSPACE']}"
        f"/onlineEndpoints/{endpoint}"
    )


def app_key(settings: Mapping[str, str], az: Run) -> str:
    """A key with which people's commands reach the app; another than the one in the action group."""
    app = ["--name", settings["UPKEEP_APP_NAME"], "--resource-group", settings["UPKEEP_RESOURCE_GROUP"]]
    subscription = ["--subscription", settings["UPKEEP_SUBSCRIPTION_ID"]]
    query = ["--query", "functionKeys.default", "--output", "tsv"]
    return az(["az", "functionapp", "keys", "list", *app, *subscription, *query]).strip()


def main(arguments: Sequence[str], az: Run = run) -> int:
    """Take all steps; the first that fails ends it, and a second run takes all of them again."""
    parser = argparse.ArgumentParser(prog="python -m infra.hooks.models", description="Publish and watch the models.")
    parser.add_argument("--environment", default=os.environ.get("AZURE_ENV_NAME"), help="default: AZURE_ENV_NAME")
    options = parser.parse_args(arguments)
    if not options.environment:
        parser.error("which environment? Give --environment, or let azd run this")
    file = path_of(options.environment)
    if not file.is_file():
        print(f"There is no {file}: run python -m infra.hooks.environment first.", file=sys.stderr)
        return 1
    try:
        settings = read_pairs(file)
        for command in steps(file, settings, os.environ):
            sys.stdout.write(az(command))
        write(file, {**settings, KEY: app_key(settings, az)})
    except Failed as error:
        print(error, file=sys.stderr)
        return 1
    print(f"The models are published and watched. See them with: upkeep status --env-file {file}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
