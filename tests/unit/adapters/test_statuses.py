"""Every word of Azure ML for a status has a meaning here; the SDK's own lists are the witnesses."""

import subprocess
import sys

import pytest

from shared.adapters.azureml_endpoints import STATES
from shared.adapters.azureml_jobs import STATUSES


@pytest.mark.parametrize(
    ("known", "enum"),
    [(STATUSES, "JobStatus"), (STATES, "DeploymentProvisioningState")],
)
def test_every_status_of_the_sdk_is_known(known: dict[str, object], enum: str) -> None:
    from azure.ai.ml._restclient.arm_ml_service.models import _enums

    assert {word.value for word in getattr(_enums, enum)} - known.keys() == set()


def test_building_the_app_imports_neither_azure_ml_nor_what_reads_data() -> None:
    program = (
        "import sys; import shared.bootstrap; "
        "print([name for name in ('azure.ai.ml', 'pyarrow', 'pandas', 'sklearn', 'yaml') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
