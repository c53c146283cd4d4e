"""The end of the demo: a table of what happened, and whether that is the story of the plan. Called by __main__.py.

It judges by the history that Upkeep kept, not by what was printed on the way.
"""

from collections import Counter
from itertools import groupby
from typing import Any

from rich.table import Table
from rich.text import Text

from localcloud.demo.plan import ACTS, MILESTONES, MODEL
from localcloud.demo.story import Story
from localcloud.demo.watch import Told

ENDS = {
    "ReleaseLive": "live",
    "GatesFailed": "refused",
    "GatesInconclusive": "let go",
    "RolledBack": "rolled back",
    "TrainingFailed": "failed",
}

VERDICTS = ("GatesPassed", "GatesFailed", "GatesInconclusive")


def problems(story: Story, history: list[dict[str, Any]]) -> list[str]:
    """What in the recorded history is not as planned; empty when all is."""
    words = [reason["why"] for decision in reversed(history) for reason in decision["reasons"]]
    kept = [word for word in words if word in MILESTONES]
    planned = [word for act in ACTS for word in act.follows]
    found = []
    if kept != planned:
        found.append(f"planned: {', '.join(planned)}; kept: {', '.join(kept)}")
    if words.count("DataArrived") != sum(len(act.months) for act in ACTS):
        found.append(f"{words.count('DataArrived')} parts were taken in")
    if len(story.refused) != 1 or story.refused[0]["state"] != "quarantined":
        found.append(f"refused files: {story.refused}")
    if not story.errors.get("before", 0) > story.errors.get("after", 0) > 0:
        found.append(f"the error before and after the alert: {story.errors}")
    return found


def table(story: Story) -> Table:
    """One line a release, and one for the file that was refused."""
    result = Table(title="What happened", title_justify="left", title_style="bold", box=None, padding=(0, 2, 0, 0))
    for head in ("", "because", "candidate", "champion", "ended", "reason"):
        result.add_column(head, overflow="fold", max_width=60)
    releases = [told for told in story.watch.told if told.release is not None]
    for number, group in groupby(
        sorted(releases, key=lambda told: (told.release, told.seq)), lambda told: told.release
    ):
        result.add_row(*_release(number, list(group)))
    for finding in story.refused:
        name = finding["blob"].rpartition("/")[2]
        result.add_row("file", "dropped", "", "", Text("refused", style="red"), f"{name}: {finding['why']}")
    return result


def _release(number: int | None, told: list[Told]) -> list[str | Text]:
    by_word = {each.why: each for each in told}
    begun, verdict = by_word.get("ReleaseBegun"), next((by_word[word] for word in VERDICTS if word in by_word), None)
    end = next((each for each in reversed(told) if each.why in ENDS), None)
    facts = verdict.facts if verdict else {}
    word = ENDS[end.why] if end else "under way"
    said = verdict if end and end.why == "ReleaseLive" else end
    return [
        f"release {number}",
        str(begun.facts.get("cause", "")) if begun else "",
        _minutes(facts.get("candidate")),
        _minutes(facts.get("champion")),
        Text(word, style="green" if word == "live" else "red"),
        f"{end.why if end else ''}: {said.text if said else ''}",
    ]


def _minutes(value: object) -> str:
    return f"{value:.2f} min" if isinstance(value, int | float) else "none"


def answers(total: Counter[tuple[str, int]]) -> str:
    """How the users fared, in one sentence."""
    failed = [
        f"{count} of {deployment} with {status or 'no answer'}"
        for (deployment, status), count in sorted(total.items())
        if status != 200
    ]
    text = f"Meanwhile {sum(total.values())} requests were made; failed"
    return f"{text} {', '.join(failed) if failed else 'none'}."


def where_to_look(folder: str, *, running: bool) -> list[str]:
    """Commands and files for those who want to see more."""
    settings = f"--env-file {folder}/operator.env"
    lines = [
        f"upkeep history {MODEL} {settings}     every decision, and why",
        f"upkeep status {MODEL} {settings}      where it stands",
    ]
    logs = [
        f"{folder}/logs/host.log       what the function app did",
        f"{folder}/logs/gateway.log    every call to the local Azure",
        f"{folder}/files/              the months that were dropped",
    ]
    again = ["make up                     a local cloud of your own, to play with"]
    return [*(lines if running else []), *logs, *again]
