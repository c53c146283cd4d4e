"""The command line of the local cloud: `python -m localcloud up|down|status|reset|…`.

Called by people, the Makefile, tests and the demo.
"""

import argparse
import sys
import time
from pathlib import Path

from localcloud.azurite import AzuriteMissingError
from localcloud.processes import tail
from localcloud.supervisor import DEFAULT_FOLDER, NAMES, StartError, Supervisor


def _up(args: argparse.Namespace, supervisor: Supervisor) -> None:
    start_s = time.monotonic()
    supervisor.up(None if args.no_host else args.app, args.operator_env)
    ports = supervisor.ports
    print(f"The local cloud is up after {time.monotonic() - start_s:.1f} s.")
    print(f"  Azure          https://localhost:{ports.gateway}")
    print(f"  blob storage   https://127.0.0.1:{ports.blob}/devstoreaccount1")
    if not args.no_host:
        print(f"  function app   http://127.0.0.1:{ports.functions}")
    print(f"  state and logs {supervisor.folder}")


def _down(_args: argparse.Namespace, supervisor: Supervisor) -> None:
    print(f"stopped: {', '.join(supervisor.down()) or 'nothing ran'}")


def _status(_args: argparse.Namespace, supervisor: Supervisor) -> None:
    rows = supervisor.status()
    print(f"{'process':10} {'pid':>8} {'memory':>8}  state")
    for row in rows:
        state = "stopped" if row.pid is None else "healthy" if row.healthy else "does not answer"
        memory = "" if row.pid is None else f"{row.memory_mb} MB"
        print(f"{row.name:10} {row.pid or '':>8} {memory:>8}  {state}")
    if not all(row.healthy for row in rows if row.name != "host"):
        sys.exit(3)


def _reset(_args: argparse.Namespace, supervisor: Supervisor) -> None:
    supervisor.reset()
    print("reset: the local cloud is empty")


def _restart(args: argparse.Namespace, supervisor: Supervisor) -> None:
    name = args.command.removeprefix("restart-")
    supervisor.restart(name, kill=args.kill)
    print(f"restarted: {name}")


def _prepare(args: argparse.Namespace, supervisor: Supervisor) -> None:
    # Imported here: the other commands have no use for what it brings along.
    from localcloud.controlplane.environments import EnvironmentBuildError, prepare

    files = sorted(args.models.glob("*/*/environment.yml"))
    if not files:
        sys.exit(f"localcloud: no model below {args.models} has a environment.yml")
    for file in files:
        start_s = time.monotonic()
        try:
            prepare(supervisor.folder, file)
        except EnvironmentBuildError as error:
            sys.exit(f"localcloud: {file}: {error}")
        print(f"environment of {file} is ready after {time.monotonic() - start_s:.1f} s", flush=True)


def _logs(args: argparse.Namespace, supervisor: Supervisor) -> None:
    for name in [args.name] if args.name else NAMES:
        print(f"== {supervisor.log(name)}")
        print(tail(supervisor.log(name), args.lines))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m localcloud", description="An Azure for this machine alone.")
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument(
        "--folder", type=Path, default=Path(DEFAULT_FOLDER), help=f"state folder (default {DEFAULT_FOLDER})"
    )
    commands = parser.add_subparsers(dest="command", required=True)

    up = commands.add_parser("up", parents=[common], help="start it")
    up.add_argument("--app", type=Path, default=Path(), help="folder of function_app.py (default: here)")
    up.add_argument("--no-host", action="store_true", help="without the Functions host")
    up.add_argument(
        "--operator-env", type=Path, default=Path(".upkeep.env"), help="settings file for the command line"
    )
    up.set_defaults(run=_up)
    commands.add_parser("down", parents=[common], help="end everything").set_defaults(run=_down)
    commands.add_parser("status", parents=[common], help="what runs").set_defaults(run=_status)
    commands.add_parser("reset", parents=[common], help="back to an empty state").set_defaults(run=_reset)
    for name in NAMES:
        restart = commands.add_parser(f"restart-{name}", parents=[common], help=f"end {name} and start it again")
        restart.add_argument("--kill", action="store_true", help="end it as a crash would")
        restart.set_defaults(run=_restart)
    prepare = commands.add_parser("prepare", parents=[common], help="build the environments of models ahead of time")
    prepare.add_argument("models", type=Path, nargs="?", default=Path("models"), help="folder of the models")
    prepare.set_defaults(run=_prepare)
    logs = commands.add_parser("logs", parents=[common], help="the ends of the logs")
    logs.add_argument("name", nargs="?", choices=NAMES)
    logs.add_argument("--lines", type=int, default=40)
    logs.set_defaults(run=_logs)
    return parser


def main() -> None:
    """Run one command."""
    args = _parser().parse_args()
    try:
        args.run(args, Supervisor(args.folder))
    except (StartError, AzuriteMissingError) as error:
        sys.exit(f"localcloud: {error}")
    except FileNotFoundError as error:
        sys.exit(f"localcloud: {error.filename} is missing; `python -m localcloud up` makes it")


if __name__ == "__main__":
    main()
