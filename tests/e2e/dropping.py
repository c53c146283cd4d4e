"""Uploads files for many models as `upkeep drop` does for one: `python -m tests.e2e.dropping MODEL=FILE …`.

Run by the tests in a process of its own, because the Azure SDKs read the environment when they are imported.
"""

import sys
from pathlib import Path

from shared.adapters.credentials import credential
from shared.operator import landing
from shared.settings import Settings


def main(arguments: list[str]) -> None:
    """Upload each file into its model's folder."""
    import os

    service = Settings.of(os.environ).blob_service
    for argument in arguments:
        model, _, path = argument.partition("=")
        landing.drop(service, credential(), model, [Path(path)], lambda *_: None)


if __name__ == "__main__":
    main(sys.argv[1:])
