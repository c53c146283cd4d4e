"""What keeps the deployment safe, with the parameters filled in: where checkov sees a parameter, these see its value.

As contract.py: each function gives what breaks it. All conditions are on, the stage is the default one.
"""

import re
from collections.abc import Callable, Iterator

from infra.check.values import Made
from tests.infra.azure_side import ACCOUNTS, Azure

Promise = Callable[[Azure], Iterator[str]]
SECRET = re.compile(r"(AccountKey|SharedAccessKey|SharedAccessSignature|Password|sig)=", re.IGNORECASE)
KEYS = re.compile(r"#list\w+\(\)")


def storage_takes_tokens_only_over_https(azure: Azure) -> Iterator[str]:
    wanted = {
        "allowSharedKeyAccess": False,
        "allowBlobPublicAccess": False,
        "allowCrossTenantReplication": False,
        "isLocalUserEnabled": False,
        "supportsHttpsTrafficOnly": True,
        "minimumTlsVersion": "TLS1_2",
    }
    for account in azure.all(ACCOUNTS):
        yield from _differs(account, wanted)


def no_container_is_public(azure: Azure) -> Iterator[str]:
    for container in azure.all(f"{ACCOUNTS}/blobServices/containers"):
        yield from _differs(container, {"publicAccess": "None"})


def deleted_blobs_can_be_brought_back(azure: Azure) -> Iterator[str]:
    for service in azure.all(f"{ACCOUNTS}/blobServices"):
        for policy in ("deleteRetentionPolicy", "containerDeleteRetentionPolicy"):
            if not (service.properties.get(policy) or {}).get("enabled"):
                yield f"{service.path.name}:{service.line}: {policy} is off"


def the_app_speaks_https_only_and_takes_no_password(azure: Azure) -> Iterator[str]:
    yield from _differs(azure.site, {"httpsOnly": True})
    config = azure.site.properties["siteConfig"]
    for name, value in {"minTlsVersion": "1.2", "scmMinTlsVersion": "1.2", "ftpsState": "Disabled"}.items():
        if config.get(name) != value:
            yield f"siteConfig.{name} is {config.get(name)}"
    policies = azure.all("Microsoft.Web/sites/basicPublishingCredentialsPolicies")
    if {each.name for each in policies if each.properties.get("allow") is False} != {"ftp", "scm"}:
        yield "publishing passwords are not switched off for both ftp and scm"


def no_setting_holds_a_secret(azure: Azure) -> Iterator[str]:
    for name, value in azure.settings.items():
        if SECRET.search(str(value)) or KEYS.search(str(value)):
            yield f"setting {name} holds a key"
        if "connectionstring" in name.lower().replace("_", "") and name != "APPLICATIONINSIGHTS_CONNECTION_STRING":
            yield f"setting {name} is a connection string"


def no_output_shows_a_key(azure: Azure) -> Iterator[str]:
    for deployment in (azure.main, azure.models):
        for name, value in deployment.outputs.items():
            if KEYS.search(str(value)) or SECRET.search(str(value)):
                yield f"output {name} shows a key"


def telemetry_takes_tokens_only(azure: Azure) -> Iterator[str]:
    for insights in azure.all("Microsoft.Insights/components"):
        yield from _differs(insights, {"DisableLocalAuth": True})
    for logs in azure.all("Microsoft.OperationalInsights/workspaces"):
        if (logs.properties.get("features") or {}).get("disableLocalAuth") is not True:
            yield "the log workspace takes shared keys"


def the_package_is_read_by_identity(azure: Azure) -> Iterator[str]:
    signs_in = azure.site.properties["functionAppConfig"]["deployment"]["storage"]["authentication"]
    identities = (azure.site.body.get("identity") or {}).get("userAssignedIdentities") or {}
    if (
        signs_in.get("type") != "UserAssignedIdentity"
        or signs_in.get("userAssignedIdentityResourceId") not in identities
    ):
        yield "the package is not read by the app's identity"


def machine_learning_takes_tokens_only(azure: Azure) -> Iterator[str]:
    for workspace in azure.all("Microsoft.MachineLearningServices/workspaces"):
        yield from _differs(workspace, {"systemDatastoresAuthMode": "Identity", "v1LegacyMode": False})
    for compute in azure.all("Microsoft.MachineLearningServices/workspaces/computes"):
        yield from _differs(compute, {"disableLocalAuth": True})
        if (compute.body.get("identity") or {}).get("type") != "UserAssigned":
            yield f"cluster {compute.name} has no identity of its own"
    for store in azure.all("Microsoft.MachineLearningServices/workspaces/datastores"):
        if store.properties["credentials"] != {"credentialsType": "None"}:
            yield f"datastore {store.name} holds a credential"
    for registry in azure.all("Microsoft.ContainerRegistry/registries"):
        yield from _differs(registry, {"adminUserEnabled": False, "anonymousPullEnabled": False})
    for vault in azure.all("Microsoft.KeyVault/vaults"):
        yield from _differs(vault, {"enableRbacAuthorization": True, "enableSoftDelete": True})


def a_private_network_is_closed(azure: Azure) -> Iterator[str]:
    for account in azure.all(ACCOUNTS):
        # Not publicNetworkAccess: Event Grid delivers from outside, as a service that the firewall trusts.
        if account.properties["networkAcls"]["defaultAction"] != "Deny":
            yield f"{account.name} lets the internet in"
    for kind in ("KeyVault/vaults", "ContainerRegistry/registries", "MachineLearningServices/workspaces"):
        for each in azure.all(f"Microsoft.{kind}"):
            yield from _differs(each, {"publicNetworkAccess": "Disabled"})
    if azure.site.properties["siteConfig"].get("ipSecurityRestrictionsDefaultAction") != "Deny":
        yield "the app answers everybody"
    if azure.site.properties["siteConfig"].get("scmIpSecurityRestrictionsUseMain") is not True:
        yield "the deployment site answers everybody"


def every_resource_carries_the_tags(azure: Azure) -> Iterator[str]:
    for each in (*azure.main.resources, *azure.models.resources):
        top = each.type.count("/") == 1
        if top and not each.existing and "location" in each.body and not each.body.get("tags"):
            yield f"{each.path.name}:{each.line}: '{each.symbol}' has no tags"


def _differs(made: Made, wanted: dict[str, object]) -> Iterator[str]:
    for name, value in wanted.items():
        if made.properties.get(name) != value:
            found = made.properties.get(name)
            yield f"{made.path.name}:{made.line}: {name} of '{made.symbol}' is {found}, not {value}"


PROMISES: tuple[Promise, ...] = tuple(
    value
    for name, value in list(globals().items())
    if callable(value) and getattr(value, "__module__", "") == __name__ and not name.startswith("_")
)
