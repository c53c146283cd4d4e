"""A few of Azure's resource types, written by hand and only as far as the mistakes of mistakes.toml need them.

They are for the tests alone, so that the check against types is tried on the real templates where the published ones
are not at hand. What they leave out of a type is told as unknown: no template is right by them.
"""

from pathlib import Path

from tests.unit.infra_check.world import BOOL, ID, OPTIONAL, READ_ONLY, REQUIRED, STRING, TypeFile, save

Slot = tuple[dict[str, str], int]


def write(folder: Path) -> Path:
    """Storage, Web, Event Grid and Key Vault in the API versions of the templates."""
    storage = TypeFile()
    string, truth = storage.add(STRING), storage.add(BOOL)
    account = storage.object(
        allowSharedKeyAccess=(truth, OPTIONAL),
        accessTier=(storage.words("Hot", "Cool"), OPTIONAL),
        creationTime=(string, READ_ONLY),
        primaryEndpoints=(storage.object(blob=(string, READ_ONLY), queue=(string, READ_ONLY)), READ_ONLY),
    )
    kind = storage.words("StorageV2", "BlobStorage")
    _resource(storage, "Microsoft.Storage/storageAccounts@2025-01-01", kind=(kind, REQUIRED), properties=(account, 0))
    _resource(storage, "Microsoft.Storage/storageAccounts/queueServices/queues@2025-01-01")
    save(folder, "Microsoft.Storage", "2025-01-01", storage)

    web = TypeFile()
    _resource(web, "Microsoft.Web/sites@2024-04-01")
    save(folder, "Microsoft.Web", "2024-04-01", web)

    vaults = TypeFile()
    vault = vaults.object(tenantId=(vaults.add(STRING), REQUIRED))
    _resource(vaults, "Microsoft.KeyVault/vaults@2023-07-01", properties=(vault, REQUIRED))
    save(folder, "Microsoft.KeyVault", "2023-07-01", vaults)

    events = TypeFile()
    identity = events.object(type=(events.words("None", "SystemAssigned", "UserAssigned"), OPTIONAL))
    _resource(events, "Microsoft.EventGrid/systemTopics@2025-02-15", identity=(identity, OPTIONAL))
    delivery = events.object(destination=(_destination(events), OPTIONAL))
    subscription = events.object(deliveryWithResourceIdentity=(delivery, OPTIONAL))
    name = "Microsoft.EventGrid/systemTopics/eventSubscriptions@2025-02-15"
    _resource(events, name, properties=(subscription, OPTIONAL))
    save(folder, "Microsoft.EventGrid", "2025-02-15", events)
    return folder


def _destination(events: TypeFile) -> dict[str, str]:
    string = events.add(STRING)
    queue = events.object(resourceId=(string, OPTIONAL), queueName=(string, OPTIONAL))
    blob = events.object(resourceId=(string, OPTIONAL), blobContainerName=(string, OPTIONAL))
    variants = {"StorageQueue": queue, "StorageBlob": blob}
    elements = {
        kind: events.object(endpointType=(events.words(kind), REQUIRED), properties=(inner, OPTIONAL))
        for kind, inner in variants.items()
    }
    return events.add(
        {
            "$type": "DiscriminatedObjectType",
            "name": "Destination",
            "discriminator": "endpointType",
            "baseProperties": {},
            "elements": elements,
        }
    )


def _resource(file: TypeFile, name: str, **own: Slot) -> None:
    string = file.add(STRING)
    common = {"id": (string, ID), "name": (string, REQUIRED), "type": (string, ID), "apiVersion": (string, ID)}
    file.resource(name, file.object(**common, location=(string, OPTIONAL), **own))
