"""The schedules of a model's folder: put what is new or changed, switch off what has no file any more.

Called by publish.py. Azure ML binds a monitor to one deployment, and a release is a deployment of its own: the
publication carries the monitors of the live one, so that the app points them at the next (aftercare.py). Publishing
puts them as well when there is a live one, because they may be new or changed.
"""

import hashlib
from collections.abc import Iterator
from functools import partial

from shared.adapters.azureml_schedule_file import ScheduleFile
from shared.adapters.azureml_schedules import GONE, ScheduleSeen
from shared.domain.base import canonical
from shared.domain.publication import Monitor
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
            yield from _put(schedules, model, _content(file if file.kind == "monitor" else wanted), wanted, there)
    named = {file.name.lower() for file in found.schedules}
    for name, there in sorted(seen.items()):
        if there.model == model and name not in named and there.content != GONE:
            change = Change(what="schedule", name=there.name, how="switch off")
            yield Step(change, partial(schedules.switch_off, there.name))


def waiting(found: Folder, live: str | None) -> list[str]:
    """Names of monitors that cannot be put yet, because no deployment is live."""
    return [file.name for file in found.schedules if found.placed(file, live) is None]


def monitors(found: Folder) -> tuple[Monitor, ...]:
    """Those of the live deployment, as the publication carries them."""
    return tuple(
        Monitor(
            name=file.name,
            document=file.document,
            endpoint=found.written_endpoint,
            stand_in=found.deployment.name,
            content=_content(file),
        )
        for file in found.schedules
        if file.kind == "monitor" and found.follows(file)
    )


def _content(file: ScheduleFile) -> str:
    """A hash of what a schedule is made from: a monitor's file, whatever is live, or all of a pipeline's."""
    return hashlib.sha256(canonical(file)).hexdigest()[:HASH_DIGITS]


def _put(
    schedules: Schedules, model: str, content: str, wanted: ScheduleFile, there: ScheduleSeen | None
) -> Iterator[Step]:
    if there is not None and there.content == content and there.watches == wanted.watched:
        return
    enabled = there is None or there.stays_on
    change = Change(what=wanted.kind, name=wanted.name)
    yield Step(change, partial(schedules.put, model, content, wanted, enabled=enabled))


def _refuse_strangers(model: str, file: ScheduleFile, there: ScheduleSeen | None) -> None:
    if there is not None and there.model != model:
        whose = f"belongs to {there.model}" if there.model else "was not made by Upkeep"
        raise BadInput(f"{model}: the {file.kind} {file.name} is there already and {whose}; give yours another name")
