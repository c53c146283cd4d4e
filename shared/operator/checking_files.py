"""The Azure ML files of a model's folder, read as `upkeep publish` would read them. Called by cli.py for `validate`.

Needs the Azure ML SDK and no cloud: importing it would ask the cloud that the environment names, such as a local one
that is down, so that it is told to think of the public one, which it knows by heart.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from shared.errors import BadInput
from shared.operator.checking import Checked

_CLOUD, _KNOWN = "AZUREML_CURRENT_CLOUD", "AzureCloud"


def check_files(found: list[Checked]) -> list[Checked]:
    """The same, with what is wrong in the files of the folders whose specs are right."""
    with _no_cloud():
        return [one if one.problems else msgspec.structs.replace(one, problems=_problems(one)) for one in found]


def _problems(one: Checked) -> tuple[str, ...]:
    from shared.operator.publish_files import read_folder

    problems = list[str]()
    for environment in one.environments or ("",):
        try:
            read_folder(Path(one.folder), environment)
        except BadInput as error:
            problems += error.problems
    return tuple(dict.fromkeys(problems))


@contextmanager
def _no_cloud() -> Iterator[None]:
    before = os.environ.get(_CLOUD)
    os.environ[_CLOUD] = _KNOWN
    try:
        yield
    finally:
        os.environ.pop(_CLOUD)
        if before is not None:
            os.environ[_CLOUD] = before
