"""The model card of a version: what it is for, what it was trained on, how it did, who let it go on, its limits.

`card_of` is called by wanted.py when a version is registered; `markdown` by whoever shows or stores one. It tells
what the verdict's facts give: a check that is added to the gates shows in the card without a change here.
"""

from typing import Literal

from shared.domain.base import Kept
from shared.domain.gatecheck import SliceResult, SliceTable
from shared.domain.lineage import properties
from shared.domain.manifest import Manifest
from shared.domain.publication import Publication
from shared.domain.reasons import Fact
from shared.domain.record import Record, Release

_SCORES = ("candidate", "champion", "baseline")


class Interval(Kept, frozen=True, kw_only=True, omit_defaults=False):
    """A number of the verdict with its bounds, by the facts NAME_low and NAME_high."""

    name: str
    low: float
    high: float


class Card(Kept, frozen=True, kw_only=True, omit_defaults=False):
    """One version's card. `scores` are the gate's metric by who was scored; `facts` the verdict's other numbers."""

    model: str
    version: int
    purpose: str
    decision: str
    approved_by: str
    metric: str
    scores: dict[str, float]
    intervals: tuple[Interval, ...]
    facts: dict[str, Fact]
    data: tuple[str, ...]
    limits: tuple[str, ...]
    lineage: dict[str, str]
    slices: SliceTable | None = None
    schema: Literal["upkeep.card/1"] = "upkeep.card/1"


def card_of(publication: Publication, record: Record, release: Release) -> Card:
    """The card of the version that the release in flight registers."""
    facts = dict(release.judged.facts) if release.judged else {}
    return made(
        publication,
        release,
        decision=release.judged.text if release.judged else "The verdict was not kept.",
        facts=facts,
        lineage=properties(publication, record, release),
        data=_data(release.manifest) if release.manifest else (),
    )


def made(
    publication: Publication,
    release: Release,
    *,
    decision: str,
    facts: dict[str, Fact],
    lineage: dict[str, str],
    data: tuple[str, ...],
) -> Card:
    """A card of these parts, with the verdict's facts sorted into scores, intervals and the rest."""
    intervals = tuple(_intervals(facts))
    told = {"metric", *_SCORES, *(f"{each.name}_{end}" for each in intervals for end in ("low", "high"))}
    return Card(
        model=publication.spec.name,
        version=release.version,
        purpose=publication.spec.description,
        decision=decision,
        approved_by=release.approved_by,
        metric=str(facts.get("metric") or publication.spec.gates.metric),
        scores={who: float(value) for who in _SCORES if (value := _number(facts.get(who))) is not None},
        intervals=intervals,
        facts={name: value for name, value in facts.items() if name not in told},
        data=data,
        limits=_limits(publication, release.manifest),
        lineage=lineage,
        slices=release.judged.slices if release.judged else None,
    )


def markdown(card: Card) -> str:
    """The card as people read it."""
    approved_by = f"Approved by: {_cell(card.approved_by) or 'nobody was asked'}."
    intervals = {each.name: f"{each.low:.4g} … {each.high:.4g}" for each in card.intervals}
    return "\n".join(
        [
            f"# {card.model}, version {card.version}",
            *_section("Purpose", [_cell(card.purpose) or "Nobody wrote down what this model is for."]),
            *_section("Decision", [_cell(card.decision), "", approved_by]),
            *_section(f"Metrics ({_cell(card.metric)})", _table("on the held-out rows", card.metric, card.scores)),
            *_section("Intervals", _table("of", "from … to", intervals)),
            *_section("Slices", _sliced(card.slices) if card.slices else []),
            *_section("Further numbers of the verdict", _table("fact", "value", card.facts)),
            *_section("Data", [f"- {_cell(line)}" for line in card.data]),
            *_section("Limits", [f"- {_cell(line)}" for line in card.limits]),
            *_section("Lineage", _table("property", "value", card.lineage)),
            "",
        ]
    )


def _section(title: str, lines: list[str]) -> list[str]:
    return ["", f"## {title}", "", *lines] if lines else []


def _table(first: str, second: str, rows: dict[str, float] | dict[str, str] | dict[str, Fact]) -> list[str]:
    lines = [f"| {_cell(name)} | {_cell(_said(value))} |" for name, value in rows.items()]
    return [f"| {_cell(first)} | {_cell(second)} |", "|---|---|", *lines] if lines else []


def _sliced(table: SliceTable) -> list[str]:
    """The slices, worst first, and how many there were besides."""
    if not table.slices:
        return []
    names = ("slice", "rows", "loss", "candidate", "champion", "difference", f"{table.confidence_pct:g} % interval")
    lines = [f"| {' | '.join((*names, 'finding'))} |", f"|{'---|' * (len(names) + 1)}", *map(_slice, table.slices)]
    more = ["", f"{table.left_out} more slices are not listed."] if table.left_out else []
    return ["Mean losses, the worst finding first; a difference above nought is worse.", "", *lines, *more]


def _slice(found: SliceResult) -> str:
    judged = found.low is not None and found.high is not None
    cells = (
        _cell(found.name),
        str(found.rows),
        _cell(found.loss),
        *(f"{value:.4g}" for value in (found.candidate, found.champion)),
        f"{found.difference:+.4g}",
        f"{found.low:+.4g} … {found.high:+.4g}" if judged else "none",
        found.finding.value,
    )
    return f"| {' | '.join(cells)} |"


def _said(value: Fact) -> str:
    return f"{value:.4g}" if isinstance(value, float) else "unknown" if value is None else str(value)


def _cell(text: str) -> str:
    """Text from elsewhere can neither end its cell nor begin a line of its own."""
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")


def _intervals(facts: dict[str, Fact]) -> list[Interval]:
    found = []
    for key in facts:
        name = key.removesuffix("_low")
        low, high = _number(facts[key]), _number(facts.get(f"{name}_high"))
        if name != key and low is not None and high is not None:
            found.append(Interval(name=name, low=low, high=high))
    return found


def _number(value: Fact) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _data(manifest: Manifest) -> tuple[str, ...]:
    """The manifest in words; the manifest itself lists every part."""
    return (
        _said_of(manifest, manifest.train, "Trained on"),
        _said_of(manifest, manifest.held_out, "Held out"),
        f"Version of the data: {manifest.version}.",
    )


def _said_of(manifest: Manifest, names: tuple[str, ...], what: str) -> str:
    parts = [part for part in manifest.parts if part.name in names]
    if not parts:
        return f"{what}: nothing."
    start, end = min(part.start for part in parts), max(part.end for part in parts)
    return f"{what}: {sum(part.rows for part in parts)} rows of {start:%Y-%m-%d} to {end:%Y-%m-%d}."


def _limits(publication: Publication, manifest: Manifest | None) -> tuple[str, ...]:
    """What the numbers do not say."""
    data, gates = publication.spec.data, publication.spec.gates
    found = []
    if manifest is not None and manifest.parts:
        start, end = min(part.start for part in manifest.parts), max(part.end for part in manifest.parts)
        found.append(
            f"It knows the world from {start:%Y-%m-%d} to {end:%Y-%m-%d}; nothing is claimed of any other time."
        )
    bounds = [
        f"{name} {'any' if column.min is None else f'{column.min:g}'} to"
        f" {'any' if column.max is None else f'{column.max:g}'}"
        for name, column in data.columns.items()
        if column.min is not None or column.max is not None
    ]
    if bounds:
        found.append(f"Rows outside of these bounds were never trained on: {', '.join(bounds)}.")
    if gates.floor is not None:
        found.append(f"The least that was asked of it: {gates.metric} {gates.floor:g} on {gates.min_rows} rows.")
    return tuple(found)
