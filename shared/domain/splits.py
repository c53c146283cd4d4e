"""How the record wants an endpoint's traffic shared, phase by phase. Called by wanted and by hands."""

from shared.domain.lifecycle import Phase
from shared.domain.record import Record
from shared.domain.rollout import mirrored, split
from shared.domain.spec import Rollout
from shared.domain.split import Split


def split_wanted(rollout: Rollout, record: Record) -> Split | None:
    """The split of the present phase; None where nothing is live and nothing is to be."""
    release = record.release
    back = Split(traffic={record.live.deployment: 100}) if record.live else None
    match record.phase:
        case Phase.SHADOWING if back is not None:
            return Split(traffic=back.traffic, mirror=mirrored(rollout, record))
        case Phase.CANARY:
            return Split(traffic=split(rollout, record))
        case Phase.BAKING if release is not None:
            return Split(traffic={release.deployment: 100})
        case _:
            return back
