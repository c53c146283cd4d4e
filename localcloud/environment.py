"""The environment variables that point unmodified Azure SDKs at the local cloud, and at nothing else.

Called by the supervisor, which writes three files: FOLDER/child.env for every process that is started,
FOLDER/install.env with what those values displaced (a package index is outside of the local cloud), and the
command line's .upkeep.env.
"""

import json
import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from localcloud.cloud import ACCOUNT, DATASTORES, LOG_WORKSPACE_GUID, RESOURCE_GROUP, SUBSCRIPTION, WORKSPACE, Ports
from localcloud.host import keys
from localcloud.isolation import write_pairs

GUARD = Path(__file__).resolve().parent / "guard"
LOOPBACK = "localhost,.localhost,127.0.0.1,::1"
SWEEP_SCHEDULE = "*/10 * * * * *"  # Azure sweeps once a minute; nobody wants to watch that on a laptop


def secret(folder: Path, name: str) -> str:
    """A random secret of the state folder, made when first asked for."""
    path = folder / "secrets" / name
    if not path.exists():
        path.parent.mkdir(mode=0o700, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(32))
    return path.read_text()


def sdk_pointers(folder: Path, ports: Ports) -> dict[str, str]:
    """What azure-identity, azure-ai-ml, requests and OpenSSL read; the proxy refuses all but loopback."""
    gateway = f"https://localhost:{ports.gateway}"
    authority = str(folder / "ca" / "ca.pem")
    proxy = f"http://127.0.0.1:{ports.egress}"
    proxies = {name: proxy for base in ("HTTP_PROXY", "HTTPS_PROXY") for name in (base, base.lower())}
    return {
        "AZUREML_CURRENT_CLOUD": "AzureLocal",
        "ARM_CLOUD_METADATA_URL": f"{gateway}/metadata/endpoints?api-version=2019-05-01",
        "REGISTRY_DISCOVERY_ENDPOINT_URL": f"{gateway}/",
        "IDENTITY_ENDPOINT": f"{gateway}/msi/token",
        "IDENTITY_HEADER": secret(folder, "identity-header"),
        "AZURE_TOKEN_CREDENTIALS": "ManagedIdentityCredential",
        "REQUESTS_CA_BUNDLE": authority,
        "SSL_CERT_FILE": authority,
        "CURL_CA_BUNDLE": authority,
        **proxies,
        "NO_PROXY": LOOPBACK,
        "no_proxy": LOOPBACK,
    }


def product_settings(ports: Ports) -> dict[str, str]:
    """The product's settings, by the names that they have on Azure."""
    return {
        **_storage("UPKEEP_STORAGE", ports),
        "UPKEEP_SUBSCRIPTION_ID": SUBSCRIPTION,
        "UPKEEP_RESOURCE_GROUP": RESOURCE_GROUP,
        "UPKEEP_WORKSPACE": WORKSPACE,
        "UPKEEP_LOG_WORKSPACE_ID": LOG_WORKSPACE_GUID,
        "UPKEEP_LOGS_ENDPOINT": f"https://localhost:{ports.gateway}",
        "UPKEEP_COLLECTED_DATA_URI": f"https://127.0.0.1:{ports.blob}/{ACCOUNT}/{DATASTORES['workspaceblobstore']}",
        "UPKEEP_ENVIRONMENT": "local",
    }


def _storage(connection: str, ports: Ports) -> dict[str, str]:
    # 127.0.0.1 and path-style: DNS knows no account names here.
    services = {"blob": ports.blob, "queue": ports.queue, "table": ports.table}
    return {
        f"{connection}__{service}ServiceUri": f"https://127.0.0.1:{port}/{ACCOUNT}"
        for service, port in services.items()
    }


def child_env(folder: Path, ports: Ports) -> dict[str, str]:
    """What every started process gets on top of the scrubbed environment."""
    return {
        **sdk_pointers(folder, ports),
        "PYTHONPATH": str(GUARD),
        **_storage("AzureWebJobsStorage", ports),
        **product_settings(ports),
        "UPKEEP_SWEEP_SCHEDULE": SWEEP_SCHEDULE,
    }


def operator_env(folder: Path, ports: Ports) -> dict[str, str]:
    """What the operator's command line reads."""
    return {
        **sdk_pointers(folder, ports),
        **product_settings(ports),
        "UPKEEP_APP_URL": f"http://127.0.0.1:{ports.functions}",
        "UPKEEP_APP_KEY": keys.load_or_create(folder).host["default"],
    }


def write(folder: Path, ports: Ports, outside: Mapping[str, str] = os.environ) -> None:
    """Write child.env and install.env for this start."""
    child = child_env(folder, ports)
    displaced = {key: outside[key] for key in child if key in outside}
    _write_private(folder / "child.env", child, "Given to everything that the local cloud starts.")
    _write_private(folder / "install.env", displaced, "What child.env displaced; for package installers only.")


def write_operator_env(path: Path, folder: Path, ports: Ports) -> None:
    """Write the command line's settings; they name the local cloud and hold its keys."""
    _write_private(path, operator_env(folder, ports), "Written by `python -m localcloud up`.")


def write_action_group(folder: Path, ports: Ports) -> None:
    """Tell the emulated Azure Monitor where its action group sends alerts: to the app, with a function key."""
    key = keys.load_or_create(folder).host["default"]
    path = folder / "action-group.json"
    path.touch(mode=0o600)
    path.write_text(json.dumps({"url": f"http://127.0.0.1:{ports.functions}/api/alerts?code={key}"}))


def _write_private(path: Path, pairs: Mapping[str, str], heading: str) -> None:
    path.touch(mode=0o600)
    path.write_text(write_pairs(pairs, heading))
