"""Where a version comes from, as the tags and properties of the registered model.

Called by wanted.py when a version is to be registered. Properties hold the whole lineage and stay as they are; tags
are the few of them that people filter by in the studio.
"""

import msgspec

from shared.domain import names
from shared.domain.analysis import Finding
from shared.domain.publication import Publication
from shared.domain.reasons import Fact
from shared.domain.record import Record, Release

MARK = "upkeep_"
"""What the names of our tags and properties begin with."""
JOB = "upkeep_job"
FOLDER = "upkeep_folder_sha256"
ARTIFACT = "upkeep_artifact_sha256"
VERDICT, NUMBERS, OUTCOME = "upkeep_verdict", "upkeep_verdict_numbers", "upkeep_outcome"
APPROVED_BY = "upkeep_approved_by"
NOBODY = "nobody: no approval was needed"
INPUTS = "upkeep_inputs"
_FIRST = ("metric", "rows", "candidate", "champion", "baseline", "improvement_pct", "slices_measured_worse")
_MOST_TEXT = 200
MOST_CHARS = 1_000
"""Of one value. Azure ML documents no limit; what needs more room than this belongs into the card."""


def tags(release: Release) -> dict[str, str]:
    """What people look for: whose version it is, why it was made and of which data."""
    return {
        "upkeep": "managed",
        "upkeep_cause": release.cause.kind.value,
        "upkeep_data_version": release.manifest.version if release.manifest else "",
    }


def properties(publication: Publication, record: Record, release: Release) -> dict[str, str]:
    """The lineage of a version that was trained here. What is not known is left out."""
    training = publication.training
    found = {
        JOB: release.job(record.model),
        "upkeep_release": str(release.number),
        "upkeep_data_version": release.manifest.version if release.manifest else "",
        "upkeep_code_id": training.code_id,
        # `upkeep publish` names code by the hash of its content.
        "upkeep_code_hash": training.code_id.rpartition("/")[2],
        "upkeep_environment_id": training.environment_id,
        "upkeep_commit": publication.commit,
        "upkeep_publication": release.publication,
        ARTIFACT: release.artifact,
        FOLDER: release.folder,
        VERDICT: release.judged.text if release.judged else "",
        NUMBERS: compact(release.judged.facts) if release.judged else "",
        OUTCOME: release.judged.outcome or "" if release.judged else "",
        "upkeep_cause": release.cause.text,
        APPROVED_BY: release.approved_by or NOBODY,
        "upkeep_card": names.datastore_uri(names.RUNS_DATASTORE, names.card_path(record.model, release.version)),
    }
    taken = msgspec.json.encode(release.inputs).decode()
    # Cut, they could not be read again: rather none, and whoever takes the version over is told that they differ.
    found[INPUTS] = taken if release.inputs and len(taken) <= MOST_CHARS else ""
    return {name: value[:MOST_CHARS] for name, value in found.items() if value}


def compact(facts: dict[str, Fact]) -> str:
    """The numbers of a verdict as JSON of at most MOST_CHARS characters: four digits each, the last ones left out.

    What rules of approval ask about comes first: where the version is taken over, they are asked again.
    """
    kept: dict[str, Fact] = {}
    for name in sorted(facts, key=lambda name: _FIRST.index(name) if name in _FIRST else len(_FIRST)):
        more = {**kept, name: _short(facts[name])}
        if len(msgspec.json.encode(more)) > MOST_CHARS:
            break
        kept = more
    return msgspec.json.encode(kept).decode()


def _short(value: Fact) -> Fact:
    if isinstance(value, float):
        return float(f"{value:.4g}")
    return value[:_MOST_TEXT] if isinstance(value, str) else value


def numbers(marks: dict[str, str]) -> dict[str, Fact] | None:
    """The numbers that a version's properties hold; None if there are none to be read: somebody else wrote them."""
    try:
        return msgspec.json.decode(marks.get(NUMBERS, ""), type=dict[str, Fact])
    except msgspec.DecodeError:
        return None


def outcome(marks: dict[str, str]) -> Finding | None:
    """The outcome of the verdict that a version's properties tell; None if they do not."""
    told = marks.get(OUTCOME, "")
    return Finding(told) if told in set(Finding) else None


def approved_by(marks: dict[str, str]) -> str:
    """Who let the version go on where it was trained; empty if nobody was asked."""
    told = marks.get(APPROVED_BY, "")
    return "" if told == NOBODY else told


def inputs(marks: dict[str, str]) -> dict[str, str]:
    """The inputs that a version's properties say it takes; none if they cannot be read."""
    try:
        return msgspec.json.decode(marks.get(INPUTS, "{}"), type=dict[str, str])
    except msgspec.DecodeError:
        return {}
