"""Reads every spec as it would be in each environment. Called by cli.py for `validate` and before publishing; needs
no cloud and nothing of Azure."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from shared.domain.spec import RegistryMode
from shared.errors import BadInput
from shared.operator.reading import FILE, environments, read_spec

MODELS = Path("models")


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """What was found of one folder. Without problems it may be published.

    `takes` are the environments in which its versions come from a registry.
    """

    folder: str
    model: str = ""
    environments: tuple[str, ...] = ()
    takes: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()


def folders(named: Iterable[Path], models: Path = MODELS) -> list[Path]:
    """The folders that are meant: those named, else every one of `models`."""
    chosen = list(named) or sorted(path.parent for path in models.glob(f"*/{FILE}"))
    if not chosen:
        raise BadInput(f"there is no {models}/NAME/{FILE} below {Path.cwd()}; name the folder of a model")
    return chosen


def check(chosen: list[Path]) -> list[Checked]:
    """Check each folder, and that no two are of one model."""
    found = [_check(folder) for folder in chosen]
    models = [one.model for one in found if one.model]
    return [_also(one, models) for one in found]


def _check(folder: Path) -> Checked:
    try:
        overlays = environments(folder)
    except BadInput as error:
        return Checked(folder=str(folder), problems=error.problems)
    model, takes, problems = "", list[str](), list[str]()
    for environment in (None, *overlays):
        try:
            spec = read_spec(folder, environment)
        except BadInput as error:
            problems += error.problems
            continue
        model = spec.name
        if environment is not None and spec.registry is not None and spec.registry.mode is RegistryMode.TAKE:
            takes.append(environment)
    return Checked(
        folder=str(folder),
        model=model,
        environments=overlays,
        takes=tuple(takes),
        problems=tuple(dict.fromkeys(problems)),
    )


def _also(one: Checked, models: list[str]) -> Checked:
    return msgspec.structs.replace(one, problems=tuple(_problems(one, models)))


def _problems(one: Checked, models: list[str]) -> Iterator[str]:
    yield from one.problems
    if models.count(one.model) > 1:
        yield f"{one.folder}: another folder has a model of that name too, {one.model}"
