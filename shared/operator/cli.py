"""`upkeep`: what a person, or a pipeline, asks of Upkeep. argparse, because nothing more is needed of a parser.

Ends with 0 when done, 1 with one sentence per problem when not, 2 when the command itself is wrong; `upkeep check`
also with 3, for no data. Each command imports what it needs: the parser loads nothing of Azure.
"""

import argparse
import getpass
import json
import os
import sys
import uuid
import webbrowser
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from shared.domain.events import Command
from shared.errors import BadInput, LostRace, NeedsPerson, RetryLater
from shared.operator import checking, monitor_command, surroundings, views
from shared.operator.api import Api

DONE, FAILED, INTERRUPTED = 0, 1, 130
MOST_HISTORY = 1000


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit code."""
    options = _parser().parse_args(arguments)
    try:
        os.environ.update(surroundings.gather(os.environ, _env_file(options.env_file)))
        run: Callable[[argparse.Namespace], int] = options.run
        return run(options)
    except BadInput as error:
        return _fail(*error.problems)
    except RetryLater as error:
        return _fail(f"{error}")
    except (NeedsPerson, LostRace) as error:
        return _fail(str(error))
    except KeyboardInterrupt:
        return INTERRUPTED


def _fail(*problems: str) -> int:
    console = views.console(stderr=True)
    for problem in problems:
        console.print(f"upkeep: {problem}", style="red", markup=False)
    return FAILED


def _env_file(named: Path | None) -> Path | None:
    if named is not None and not named.is_file():
        raise BadInput(f"{named}: there is no such file of settings")
    default = Path(surroundings.FILE)
    return named or (default if default.is_file() else None)


def _validate(options: argparse.Namespace) -> int:
    from shared.operator.checking_files import check_files

    found = check_files(checking.check(checking.folders(options.folder)))
    _show(options, [msgspec.to_builtins(one) for one in found], lambda: views.checked(found))
    return FAILED if any(one.problems for one in found) else DONE


def _publish(options: argparse.Namespace) -> int:
    found = checking.check(checking.folders(options.folder))
    problems = [problem for one in found for problem in one.problems]
    if problems:
        raise BadInput(*problems)
    from shared.operator.publish import publish, told
    from shared.settings import Settings

    settings, commit = Settings.of(os.environ), _commit()
    made = {one.model: publish(Path(one.folder), settings, options.dry_run, commit) for one in found}
    _show(options, msgspec.to_builtins(made), lambda: "\n".join(told(made, dry_run=options.dry_run)))
    return DONE


def _commit() -> str:
    """The commit that a pipeline works on, by the names that GitHub Actions and Azure Pipelines give it."""
    return os.environ.get("GITHUB_SHA") or os.environ.get("BUILD_SOURCEVERSION", "")


def _drop(options: argparse.Namespace) -> int:
    from shared.operator import landing

    landing.readable(options.file)
    service = surroundings.blob_service(os.environ)
    _api().model(options.model)  # an upload for a model that nobody published would lie there for ever
    from shared.adapters.credentials import credential

    console, dropped = views.console(), list[str]()

    def done(path: Path, where: str) -> None:
        dropped.append(where)
        if not options.json:
            console.print(f"{path.name} is in {where}", markup=False)

    landing.drop(service, credential(), options.model, options.file, done)
    if options.json:
        _print_json({"dropped": dropped})
    return DONE


def _status(options: argparse.Namespace) -> int:
    api = _api()
    if options.model:
        one = api.model(options.model)
        _show(options, one, lambda: views.model(one))
    else:
        every = api.models()
        _show(options, every, lambda: views.models(every) if every else "No model was published yet.")
    return DONE


def _history(options: argparse.Namespace) -> int:
    decisions = _api().history(options.model, options.most)
    _show(options, decisions, lambda: views.history(decisions) if decisions else "Nothing was decided yet.")
    return DONE


def _page(options: argparse.Namespace) -> int:
    address = surroundings.app(os.environ).page
    if options.address:
        sys.stdout.write(f"{address}\n")
    elif not webbrowser.open(address):
        raise BadInput("no browser could be opened: open what `upkeep page --address` prints; it holds the key")
    return DONE


def _card(options: argparse.Namespace) -> int:
    from shared.domain.card import Card, markdown

    found = _api().card(options.model, options.version)
    # Plainly: Markdown is to be read, and to be kept in a file.
    _show(options, found, lambda: views.plain(markdown(msgspec.convert(found, Card))))
    return DONE


def _command(options: argparse.Namespace) -> int:
    command = {
        "command": options.command,
        "by": getpass.getuser(),
        "reason": options.reason,
        "id": options.id or uuid.uuid4().hex,
    }
    for name in ("version", "release"):
        if getattr(options, name, None) is not None:
            command[name] = getattr(options, name)
    answer = _api().command(options.model, command)
    _show(
        options,
        {**command, **answer},
        lambda: f"{options.command} of {options.model} is recorded as {command['id']}.",
    )
    return DONE


def _api() -> Api:
    return Api(surroundings.app(os.environ))


def _show(options: argparse.Namespace, value: Any, view: Callable[[], Any]) -> None:
    if options.json:
        _print_json(value)
    else:
        views.console().print(view())


def _print_json(value: Any) -> None:
    sys.stdout.write(json.dumps(value, indent=2, default=str) + "\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="upkeep", description="Keeps machine-learning models on Azure up to date.", allow_abbrev=False
    )
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--json", action="store_true", help="answer in JSON")
    common.add_argument(
        "--env-file", type=Path, metavar="FILE", help=f"settings as KEY=VALUE (default: {surroundings.FILE} if there)"
    )
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    def add(name: str, run: Callable[[argparse.Namespace], int], text: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=text, description=text, parents=[common], allow_abbrev=False)
        sub.set_defaults(run=run)
        return sub

    _add_for_folders(add)
    _add_for_models(add)
    _add_commands(add)
    return parser


Add = Callable[[str, Callable[[argparse.Namespace], int], str], argparse.ArgumentParser]


def _add_for_folders(add: Add) -> None:
    validate = add("validate", _validate, "tell every mistake in the models' folders, in all environments")
    publish = add("publish", _publish, "register code, environments and component, put schedules, publish the specs")
    for sub in (validate, publish):
        sub.add_argument("folder", nargs="*", type=Path, help="folder of a model (default: all of models/)")
    publish.add_argument("--dry-run", action="store_true", help="say what would be done, and do nothing")


def _add_for_models(add: Add) -> None:
    drop = add("drop", _drop, "upload files of new data")
    drop.add_argument("file", nargs="+", type=Path)
    drop.add_argument("--model", required=True)
    check = add("check", monitor_command.run, "look at endpoints for a while: pass, fail or no data")
    monitor_command.add_arguments(check)
    status = add("status", _status, "show where the models stand")
    status.add_argument("model", nargs="?")
    page = add("page", _page, "open the page that shows and steers the models in a browser")
    page.add_argument("--address", action="store_true", help="print its address with the key, and open nothing")
    history = add("history", _history, "show what was decided, newest first, and why")
    history.add_argument("model")
    history.add_argument("--most", type=_most, default=20, metavar="N", help="how many decisions (default: 20)")
    card = add("card", _card, "show the model card of a registered version, as Markdown")
    card.add_argument("model")
    card.add_argument("version", nargs="?", type=int, help="default: the live one")


def _add_commands(add: Add) -> None:
    texts = {
        Command.RETRAIN: "begin a training, with the data that there is",
        Command.PAUSE: "begin nothing new and move no traffic forward",
        Command.RESUME: "go on after a pause",
        Command.ROLLBACK: "take the release in flight back, or bring back a version that was live before",
        Command.APPROVE: "let the candidate that waits for approval go on",
        Command.REJECT: "refuse the candidate that waits for approval, for ever",
        Command.ABORT: "end the release in flight, wherever it stands",
        Command.TAKE: "take a version over that another workspace shared by the registry of the spec",
        Command.PROMOTE: "go on to the last step, to the bake, or out of it",
    }
    for command, text in texts.items():
        sub = add(command.value, _command, text)
        sub.set_defaults(command=command.value)
        sub.add_argument("model")
        sub.add_argument("--reason", required=True, help="kept in the history")
        sub.add_argument("--id", help="name of this command; giving it again is the same command (default: random)")
        if command is Command.ROLLBACK:
            sub.add_argument("--to", dest="version", type=int, metavar="VERSION", help="default: the one before")
        if command in (Command.APPROVE, Command.REJECT, Command.ABORT, Command.PROMOTE):
            text = "refuse when another one is in flight by then (default: whichever is)"
            sub.add_argument("--release", type=int, metavar="N", help=text)
        if command is Command.TAKE:
            sub.add_argument("--version", type=int, metavar="N", help="default: the one of the highest number")


def _most(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= MOST_HISTORY:
        raise argparse.ArgumentTypeError(f"must be a whole number, 1 to {MOST_HISTORY}")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
