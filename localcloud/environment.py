"""The environment variables that point unmodified Azure SDKs at the local cloud, and at nothing else.

Called by the supervisor (which writes FOLDER/child.env and the command line's .upkeep.env) and by
`Cloud.child_env`. It never passes on what a person's own shell says about Azure.
"""

import secrets
from collections.abc import Mapping
from pathlib import Path

from localcloud.constants import ACCOUNT, LOG_WORKSPACE_GUID, RESOURCE_GROUP, SUBSCRIPTION, WORKSPACE, Ports

GUARD = Path(__file__).resolve().parent / "guard"
NO_PROXY = "localhost,.localhost,127.0.0.1,::1"
# A person's own credentials, clouds and settings begin with these; a child gets ours or none.
FOREIGN = ("AZURE", "ARM_", "MSI_", "IDENTITY_", "IMDS_", "APPLICATIONINSIGHTS_", "MLFLOW_", "UPKEEP_")
