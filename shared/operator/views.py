"""What the app's answers look like to a person: tables, plain when nobody sits at a terminal. Called by cli.py.

Only shapes what it is given; asks nobody anything.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from shared.operator.checking import Checked

Json = dict[str, Any]
GOOD, BAD, BUSY = "green", "red", "yellow"
COLOURS = {
    "live": GOOD,
    "collecting": "",
    "rejected": BAD,
    "failed": BAD,
    "rolling_back": BAD,
    "rolled_back": BAD,
    "superseded": BUSY,
}


def console(*, stderr: bool = False) -> Console:
    """A console that keeps lines whole when its output is read by a program."""
    found = Console(stderr=stderr, highlight=False)
    if not found.is_terminal:
        found = Console(stderr=stderr, highlight=False, width=200, soft_wrap=True)
    return found


def plain(text: str) -> Text:
    """Text as it is, whatever brackets stand in it."""
    return Text(text, end="")


def models(statuses: Iterable[Json]) -> Table:
    """One line a model."""
    table = _table("MODEL", "PHASE", "RELEASE", "LIVE", "FRESH PARTS", "NOTE")
    for status in statuses:
        live = status.get("live") or {}
        table.add_row(
            status["model"],
            phase(status.get("phase", "collecting")),
            _release(status.get("release")),
            f"{live['deployment']} since {when(live['since'])}" if live else "nothing yet",
            str(status["parts"]["fresh"]),
            _note(status),
        )
    return table


def model(status: Json) -> Table:
    """One model, a line a fact."""
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    release, live, last = status.get("release") or {}, status.get("live") or {}, status.get("last") or {}
    table.add_row("model", status["model"])
    table.add_row("phase", phase(status.get("phase", "collecting")))
    if release:
        table.add_row("release", _release(release))
        table.add_row("began", f"{when(release['began'])}, because {release['cause']['text']}")
    if release.get("waiting"):
        table.add_row("waiting", release["waiting"])
    if live:
        table.add_row("live", f"{live['deployment']}, version {live['version']}, since {when(live['since'])}")
    if previous := status.get("previous"):
        table.add_row("before it", f"{previous['deployment']}, version {previous['version']}")
    if last:
        ended = f"release {last['release']} {last['phase']} at {when(last['at'])}: {last['text']}"
        table.add_row("last", ended)
    table.add_row("parts", f"{status['parts']['accepted']} accepted, {status['parts']['fresh']} of them fresh")
    for row in status.get("findings") or []:
        table.add_row("look at", Text(f"{row['blob']}, {row['state'].replace('_', ' ')}: {row['why']}", style=BUSY))
    if note := _note(status):
        table.add_row("note", note)
    return table


def history(decisions: Iterable[Json]) -> Table:
    """One line a reason, oldest last, as the app gives them."""
    table = _table("TIME (UTC)", "RELEASE", "PHASE", "REASON", "")
    for decision in decisions:
        before, after = decision["before"], decision["after"]
        change = Text(after, COLOURS.get(after, "")) if before != after else Text(after, "dim")
        first: list[str | Text] = [when(decision["at"]), str(decision.get("release") or ""), change]
        for reason in decision.get("reasons") or [{"why": "", "text": "nothing to tell"}]:
            table.add_row(*first, Text(reason["why"], style="bold"), Text(reason["text"]))
            first = ["", "", Text("")]
    return table


def checked(found: Iterable[Checked]) -> Group:
    """What `upkeep validate` found, folder by folder."""
    lines = []
    for one in found:
        if one.problems:
            lines.append(Text(f"{one.folder}: {_count(len(one.problems), 'mistake')}", style=BAD))
            lines += [Text(f"  {problem}") for problem in one.problems]
        else:
            overlays = f" (environments: {', '.join(one.environments)})" if one.environments else ""
            lines.append(Text(f"{one.folder}: {one.model} is right{overlays}", style=GOOD))
    return Group(*lines)


def phase(name: str) -> Text:
    """A phase in its colour: one that is under way is yellow."""
    return Text(name.replace("_", " "), style=COLOURS.get(name, BUSY))


def when(stamp: str | datetime) -> str:
    """A time as it is read: to the second, in UTC."""
    moment = datetime.fromisoformat(stamp) if isinstance(stamp, str) else stamp
    return f"{moment:%Y-%m-%d %H:%M:%S}"


def _release(release: Json | None) -> Text:
    if not release:
        return Text("")
    text = Text(f"{release['number']} ")
    text.append_text(phase(release["phase"]))
    if release["phase"] == "canary":
        text.append(f", step {release.get('step', 0) + 1}")
    return text


def _note(status: Json) -> str:
    if status.get("alarm"):
        return str(status["alarm"])
    if status.get("hand_made"):
        return "the endpoint was changed by hand"
    paused = status.get("paused")
    if paused:
        return f"paused by {paused['by']}" + (f": {paused['reason']}" if paused.get("reason") else "")
    if status.get("held_up"):
        return str(status["held_up"])
    asked = status.get("asked")
    if asked:
        return f"a training is asked for: {asked['text']}"
    found = len(status.get("findings") or [])
    return f"{_count(found, 'upload')} to look at" if found else ""


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"


def _table(*heads: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for head in heads:
        table.add_column(head, overflow="fold")
    return table
