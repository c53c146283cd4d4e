"""The schedules of a model's folder: put what is new or changed, switch off what has no file any more.

Called by publish.py. A monitor of the live deployment is put when there is one, and again when another is live: Azure
ML binds a monitor to one deployment, and a release is a deployment of its own.
"""

import hashlib
from collections.abc import Iterator
from functools import partial

from shared.adapters.azureml_schedule_file import ScheduleFile
from shared.adapters.azureml_schedules import GONE, ScheduleSeen
from shared.domain.base import canonical
from shared.errors import BadInput
from shared.operator.publish_code import HASH_DIGITS
from shared.operator.publish_files import Folder
from shared.operator.publish_target import Change, Schedules, Step


def steps(schedules: Schedules, found: Folder, live: str | None) -> Iterator[Step]:
    """What is to be done. `live` is the deployment that carries the live model, if there is one."""
    model, seen = found.spec.name, {each.name.lower(): each for each in schedules.seen()}
    for file in found.schedules:
        there = seen.get(file.name.lower())
        _refuse_strangers(model, file, there)
        wanted = found.placed(file, live)
        if wanted is not None:
            yield from _put(schedules, model, wanted, there)
    named = {file.name.lower() for file in found.schedules}
    for name, there in sorted(seen.items()):
        if there.model == model and name not in named and there.content != GONE:
            change = Change(what="schedule", name=there.name, how="switch off")
            yield Step(change, partial(schedules.switch_off, there.name))


def waiting(found: Folder, live: str | None) -> list[str]:
    """Names of monitors that cannot be put yet, because no deployment is live."""
    return [file.name for file in found.schedules if found.placed(file, live) is None]


def _put(schedules: Schedules, model: str, wanted: ScheduleFile, there: ScheduleSeen | None) -> Iterator[Step]:
    content = hashlib.sha256(canonical(wanted)).hexdigest()[:HASH_DIGITS]
    if there is not None and there.content == content:
        return
    # One that a person switched off stays so; one that we switched off comes back with its file.
    enabled = there is None or there.enabled or there.content == GONE
    change = Change(what=wanted.kind, name=wanted.name)
    yield Step(change, partial(schedules.put, model, content, wanted, enabled=enabled))


def _refuse_strangers(model: str, file: ScheduleFile, there: ScheduleSeen | None) -> None:
    if there is not None and there.model != model:
        whose = f"belongs to {there.model}" if there.model else "was not made by Upkeep"
        raise BadInput(f"{model}: the {file.kind} {file.name} is there already and {whose}; give yours another name")
