"""What must hold between app and infrastructure. Each function names one thing and tells what breaks it.

test_app_and_infra.py asks each of the real folder; test_seeded_mistakes.py asks them of changed copies.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import yaml

from localcloud.eventgrid import SUBSCRIPTIONS
from shared.domain import names
from shared.intake.message import BLOB_CREATED, COMPLETE
from shared.settings import VARIABLES
from tests.infra import app_side, needs
from tests.infra.azure_side import ROOT, Azure

Promise = Callable[[Azure], Iterator[str]]
SETTINGS_PAGE = ROOT / "docs" / "reference" / "settings.md"
FOR_EVER = -1
# Containers without a rule of the lifecycle, and why.
AS_IT_IS = {"app-package": "a deployment replaces the one package in it, which every start reads"}


def every_queue_that_the_app_reads_or_fills_is_made(azure: Azure) -> Iterator[str]:
    made = azure.boxes("queueServices/queues")
    for queue in sorted((app_side.queue_triggers() | app_side.SENT_QUEUES) - set(made)):
        yield f"queue {queue} is not made"


def every_queue_has_a_trigger(azure: Azure) -> Iterator[str]:
    for queue in sorted(set(azure.boxes("queueServices/queues")) - app_side.queue_triggers()):
        yield f"nothing reads queue {queue}"


def every_container_that_the_app_uses_is_made_and_no_other(azure: Azure) -> Iterator[str]:
    platform = {
        _package_container(azure),
        *(_dead_letters(each).get("blobContainerName") for each in azure.subscriptions),
    }
    made = set(azure.boxes("blobServices/containers"))
    for container in sorted(app_side.CONTAINERS - made):
        yield f"container {container} is not made"
    for container in sorted(map(str, platform - made)):
        yield f"container {container} of the platform is not made"
    for container in sorted(made - app_side.CONTAINERS - platform):
        yield f"nothing uses container {container}"


def every_table_that_the_app_uses_is_made_and_no_other(azure: Azure) -> Iterator[str]:
    made = set(azure.boxes("tableServices/tables"))
    for table in sorted(app_side.TABLES ^ made):
        yield f"table {table} is {'not used' if table in made else 'not made'}"


def the_datastores_lead_to_the_containers_that_the_code_means(azure: Azure) -> Iterator[str]:
    made = azure.all("Microsoft.MachineLearningServices/workspaces/datastores")
    found = {each.name: each.properties.get("containerName") for each in made}
    if found != app_side.DATASTORES:
        yield f"datastores are {found}, and the code means {app_side.DATASTORES}"
    for each in made:
        if each.properties.get("accountName") != azure.storage.name:
            yield f"datastore {each.name} is on another account than the queues"


def the_cluster_is_the_one_that_jobs_name(azure: Azure) -> Iterator[str]:
    made = {each.name for each in azure.all("Microsoft.MachineLearningServices/workspaces/computes")}
    for path in sorted(ROOT.glob("models/*/train/job.yml")):
        compute = yaml.safe_load(path.read_text())["compute"].removeprefix("azureml:")
        if compute not in made:
            yield f"{path.parent.parent.name} trains on {compute}, which is not made"


def event_grid_has_the_subscriptions_of_the_local_cloud(azure: Azure) -> Iterator[str]:
    made = {_queue(each): each for each in azure.subscriptions}
    wanted = {each.queue: each for each in SUBSCRIPTIONS}
    for queue in sorted(set(made) ^ set(wanted)):
        yield f"queue {queue} has a subscription {'in Azure' if queue in made else 'locally'} only"
    for queue in sorted(set(made) & set(wanted)):
        rules = made[queue].properties["filter"]
        if rules.get("subjectBeginsWith", "") != wanted[queue].subject_begins_with:
            yield f"the filter on the subject of {queue} differs from the local cloud's"
        for kind in rules["includedEventTypes"]:
            if not kind.startswith(wanted[queue].event_types):
                yield f"the local cloud does not deliver {kind} into {queue}"


def every_subscription_feeds_a_trigger_from_the_right_source(azure: Azure) -> Iterator[str]:
    sources = {"uploads": azure.storage.id, "azureml-events": _workspace_id(azure)}
    for each in azure.subscriptions:
        queue = _queue(each)
        if queue not in app_side.queue_triggers():
            yield f"subscription {each.name} fills {queue}, which no trigger reads"
        elif azure.topic_of(each).properties.get("source") != sources.get(queue):
            yield f"the events of {queue} come from the wrong resource"
        if _destination(each).get("resourceId") != azure.storage.id:
            yield f"subscription {each.name} delivers to another account"


def the_events_that_the_app_acts_on_are_subscribed_and_no_other(azure: Azure) -> Iterator[str]:
    wanted = {"uploads": {BLOB_CREATED}, "azureml-events": app_side.event_types_heard()}
    for each in azure.subscriptions:
        kinds = set(each.properties["filter"]["includedEventTypes"])
        if kinds != wanted.get(_queue(each)):
            yield f"{_queue(each)} gets {sorted(kinds)}, and the app acts on {sorted(wanted.get(_queue(each), ()))}"


def an_upload_is_announced_when_it_is_complete(azure: Azure) -> Iterator[str]:
    for each in azure.subscriptions:
        if _queue(each) == "uploads":
            filters = each.properties["filter"].get("advancedFilters") or []
            calls = [
                rule["values"] for rule in filters if rule["key"] == "data.api" and rule["operatorType"] == "StringIn"
            ]
            if not calls or {call.lower() for call in calls[0]} != COMPLETE:
                yield f"uploads are announced for {calls}, and complete after {sorted(COMPLETE)}"


def messages_wait_for_ever_and_lost_ones_are_kept(azure: Azure) -> Iterator[str]:
    for each in azure.subscriptions:
        if _destination(each).get("queueMessageTimeToLiveInSeconds") != FOR_EVER:
            yield f"messages of {each.name} expire (the default is 7 days): set queueMessageTimeToLiveInSeconds to -1"
        if not _dead_letters(each).get("blobContainerName"):
            yield f"subscription {each.name} has no dead-letter container"
        if "retryPolicy" not in each.properties:
            yield f"subscription {each.name} has no retryPolicy"


def event_grid_signs_in_by_its_system_assigned_identity(azure: Azure) -> Iterator[str]:
    for each in azure.subscriptions:
        for part in ("deliveryWithResourceIdentity", "deadLetterWithResourceIdentity"):
            identity = each.properties.get(part, {}).get("identity", {}).get("type")
            if identity != "SystemAssigned":
                yield f"{part} of {each.name} has no system-assigned identity"
        if azure.topic_of(each).body.get("identity", {}).get("type") != "SystemAssigned":
            yield f"the topic of {each.name} has no system-assigned identity"


def every_setting_that_is_read_is_set(azure: Azure) -> Iterator[str]:
    for name in sorted(app_side.settings_needed() - set(azure.settings)):
        yield f"setting {name} is read and not set"


def every_setting_that_is_set_is_read(azure: Azure) -> Iterator[str]:
    for name in sorted(set(azure.settings) - app_side.settings_read()):
        yield f"setting {name} is set, and nobody reads it"


def every_setting_is_documented(azure: Azure) -> Iterator[str]:
    page = SETTINGS_PAGE.read_text()
    for name in sorted(set(azure.settings) | app_side.settings_read()):
        if f"`{name}`" not in page:
            yield f"docs/reference/settings.md does not tell of {name}"


def the_operator_gets_every_setting_from_the_deployment(azure: Azure) -> Iterator[str]:
    needed = {name for name, rule in VARIABLES.items() if rule.required} | {"UPKEEP_APP_URL"}
    for name in sorted(needed - set(azure.main.outputs)):
        yield f"main.bicep has no output {name} for .upkeep.env"


def the_settings_name_the_identity_of_the_app(azure: Azure) -> Iterator[str]:
    identities = list((azure.site.body.get("identity") or {}).get("userAssignedIdentities") or {})
    if len(identities) != 1:
        yield f"the app has {len(identities)} user-assigned identities"
        return
    for name in ("AZURE_CLIENT_ID", "UPKEEP_STORAGE__clientId", "AzureWebJobsStorage__clientId"):
        if azure.settings.get(name) != f"{identities[0]}#properties.clientId":
            yield f"{name} is not the client id of the app's identity"
    for name in ("UPKEEP_STORAGE__credential", "AzureWebJobsStorage__credential"):
        if azure.settings.get(name) != "managedidentity":
            yield f"{name} is not managedidentity"
    if azure.settings.get("AZURE_TOKEN_CREDENTIALS") != "ManagedIdentityCredential":
        yield "AZURE_TOKEN_CREDENTIALS does not choose the managed identity"


def every_service_address_is_the_accounts(azure: Azure) -> Iterator[str]:
    for prefix in ("UPKEEP_STORAGE", "AzureWebJobsStorage"):
        for end in app_side.SERVICES:
            part = end.removesuffix("ServiceUri")
            wanted = f"{azure.storage.id}#properties.primaryEndpoints.{part}"
            if azure.settings.get(f"{prefix}__{end}") != wanted:
                yield f"{prefix}__{end} is not the {part} address of the account"


def every_need_of_a_role_is_met(azure: Azure) -> Iterator[str]:
    given = {(each.who, each.role, each.where) for each in azure.assignments}
    for need in needs.NEEDS:
        if (need.who, need.role, need.where) not in given:
            yield f"{need.who} lacks {need.role} on {need.where}: {', '.join(need.calls) or need.others}"


def every_role_that_is_given_is_needed(azure: Azure) -> Iterator[str]:
    known = {(need.who, need.role, need.where) for need in needs.NEEDS}
    for each in azure.assignments:
        if (each.who, each.role, each.where) not in known:
            yield f"{each.line} gives {each.who} {each.role} on {each.where}, which no call needs"


def every_lifecycle_rule_is_about_a_container_that_is_made(azure: Azure) -> Iterator[str]:
    made = azure.boxes("blobServices/containers")
    for name, prefixes, _ in _lifecycle(azure):
        for prefix in prefixes:
            if prefix.split("/")[0] not in made:
                yield f"the lifecycle rule {name} is about {prefix}, which is in no container"


def every_container_has_a_lifecycle_rule_or_a_reason_for_none(azure: Azure) -> Iterator[str]:
    made = set(azure.boxes("blobServices/containers"))
    ruled = {prefix.split("/")[0] for _, prefixes, _ in _lifecycle(azure) for prefix in prefixes}
    for container in sorted(made - ruled - AS_IT_IS.keys()):
        yield f"no lifecycle rule is about container {container}: make one, or say here why it needs none"
    for container in sorted(AS_IT_IS.keys() & ruled):
        yield f"container {container} is said to need no lifecycle rule, and has one"
    for container in sorted(AS_IT_IS.keys() - made):
        yield f"container {container} is said to need no lifecycle rule, and is not made"


def what_explains_a_decision_and_what_nobody_has_looked_at_is_never_deleted(azure: Azure) -> Iterator[str]:
    kept = {names.ACCEPTED, names.RUNS, names.STATE, names.LANDING}
    for name, prefixes, actions in _lifecycle(azure):
        touched = {prefix.split("/")[0] for prefix in prefixes} or kept
        if "delete" in actions.get("baseBlob", {}) and touched & kept:
            yield f"the lifecycle rule {name} deletes blobs of {', '.join(sorted(touched & kept))}"


def nothing_is_archived(azure: Azure) -> Iterator[str]:
    for name, _, actions in _lifecycle(azure):
        for kind, what in actions.items():
            if "tierToArchive" in what:
                yield f"the lifecycle rule {name} archives ({kind}): whoever reads that waits for hours"


def every_alert_that_a_spec_acts_on_has_its_rule(azure: Azure) -> Iterator[str]:
    made = {each.name for each in azure.models.of_type("Microsoft.Insights/scheduledQueryRules")}
    heard: set[str] = set()
    for path in sorted(ROOT.glob("models/*/upkeep.yaml")):
        spec = yaml.safe_load(path.read_text())
        heard |= set(spec.get("alerts") or {})
        made |= {name for file in spec.get("schedules") or () for name in _signals(path.parent / file)}
    for name in sorted(made ^ heard):
        yield f"alert {name} is {'heard by no spec' if name in made else 'raised by no rule'}"


def _signals(schedule: Path) -> set[str]:
    """Names of a monitor's signals, whose breaches are alerts as well."""
    monitor = yaml.safe_load(schedule.read_text()).get("create_monitor") or {}
    return set(monitor.get("monitoring_signals") or {})


def the_traffic_log_of_every_endpoint_is_kept(azure: Azure) -> Iterator[str]:
    kept = {
        each.id.split("/providers/Microsoft.Insights/")[0].rsplit("/", maxsplit=1)[-1]
        for each in azure.models.of_type("Microsoft.Insights/diagnosticSettings")
        if any(log["category"] == "AmlOnlineEndpointTrafficLog" and log["enabled"] for log in each.properties["logs"])
    }
    for path in sorted(ROOT.glob("models/*/score/endpoint.yml")):
        endpoint = names.endpoint(yaml.safe_load(path.read_text())["name"], azure.token)
        if endpoint not in kept:
            yield f"the traffic of endpoint {endpoint} is not logged: no canary could be judged"


def alerts_reach_the_function_in_the_common_schema(azure: Azure) -> Iterator[str]:
    route = next(each["route"] for each in app_side.bindings() if each.get("route") == "alerts")
    path = f"/{app_side.host()['extensions']['http']['routePrefix']}/{route}"
    receivers = [
        receiver
        for each in azure.models.of_type("Microsoft.Insights/actionGroups")
        for receiver in each.properties.get("webhookReceivers", ())
    ]
    if not any(path in str(each["serviceUri"]) and each["useCommonAlertSchema"] for each in receivers):
        yield f"no action group calls {path} in the common alert schema"


def the_host_is_the_one_that_the_code_is_written_for(azure: Azure) -> Iterator[str]:
    runtime = azure.site.properties["functionAppConfig"]["runtime"]
    if runtime != {"name": "python", "version": "3.11"}:
        yield f"the app runs on {runtime}, and is tested on Python 3.11"
    if "FUNCTIONS_WORKER_RUNTIME" in azure.settings:
        yield "Flex Consumption refuses FUNCTIONS_WORKER_RUNTIME"
    host = app_side.host()
    if host["extensionBundle"]["version"] != "[4.*, 5.0.0)":
        yield "host.json asks for another extension bundle than 4"
    if host["extensions"]["queues"]["messageEncoding"] != "base64":
        yield "Event Grid and the adapters write base64 into queues"


def whatever_is_looked_up_is_made(azure: Azure) -> Iterator[str]:
    made = {
        each.id for deployment in (azure.main, azure.models) for each in deployment.resources if not each.existing
    }
    # upkeep publish, the deployment of the code, and another environment's deployment or a person
    made_by_others = ("/onlineEndpoints/", "/functions/", "/registries/parameter:shared")
    for deployment in (azure.main, azure.models):
        for each in deployment.resources:
            if each.existing and each.id not in made and not any(part in each.id for part in made_by_others):
                yield f"{each.path.name}:{each.line} looks up {azure.plain(each.id)}, which nothing makes"


def _destination(subscription: object) -> dict[str, object]:
    delivery = subscription.properties.get("deliveryWithResourceIdentity", {})  # type: ignore[attr-defined]  # a Made
    return dict(delivery.get("destination", {}).get("properties", {}))


def _queue(subscription: object) -> str:
    return str(_destination(subscription).get("queueName", ""))


def _dead_letters(subscription: object) -> dict[str, object]:
    buried = subscription.properties.get("deadLetterWithResourceIdentity", {})  # type: ignore[attr-defined]  # a Made
    return dict(buried.get("deadLetterDestination", {}).get("properties", {}))


def _package_container(azure: Azure) -> str:
    value = str(azure.site.properties["functionAppConfig"]["deployment"]["storage"]["value"])
    return value.removeprefix(f"{azure.storage.id}#properties.primaryEndpoints.blob")


def _workspace_id(azure: Azure) -> str:
    return azure.one("Microsoft.MachineLearningServices/workspaces").id


def _lifecycle(azure: Azure) -> Iterator[tuple[str, list[str], dict[str, dict[str, object]]]]:
    for policy in azure.all("Microsoft.Storage/storageAccounts/managementPolicies"):
        for rule in policy.properties["policy"]["rules"]:
            filters = rule["definition"].get("filters", {})
            yield rule["name"], filters.get("prefixMatch", []), rule["definition"]["actions"]


PROMISES: tuple[Promise, ...] = tuple(
    value
    for name, value in list(globals().items())
    if callable(value) and getattr(value, "__module__", "") == __name__ and not name.startswith("_")
)
