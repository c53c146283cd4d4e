"""`python -m localcloud.host --folder F --app DIR`: run a Functions app against the local cloud.

Started by the local cloud's supervisor, by tests, or by hand. Serves plain http on 127.0.0.1, as on Azure
too TLS ends before the host: callers reach http://127.0.0.1:PORT. Prints "host ready in X ms, N functions"
once its triggers run. Ends with 0 on SIGTERM and SIGINT, after at most 10 s for what still runs; with 1 and
one message when the app cannot be hosted. SIGKILL loses nothing: messages come back.

The environment is the folder's child.env. When this process was started without it, it replaces itself by
one that has it, because TLS trust and the guard against direct sockets are read when Python starts.
"""

import argparse
import os
import sys
from pathlib import Path

from localcloud.cloud import read_env
from localcloud.isolation import scrubbed

_REPLACED = "UPKEEP_LOCAL_HOST_REPLACED"


def main() -> int:
    """Parse the command line, complete the environment, run."""
    arguments = _parse()
    folder: Path = arguments.folder.resolve()
    env_file: Path = arguments.env_file or folder / "child.env"
    if not env_file.is_file():
        print(f"localcloud.host: there is no {env_file}; start the local cloud first", file=sys.stderr)
        return 1
    if os.environ.pop(_REPLACED, None) is None and not os.environ.items() >= read_env(env_file).items():
        _replace_process({**scrubbed(os.environ), **read_env(env_file), _REPLACED: "1"})
    # Only now: what it imports reads SSL_CERT_FILE on import.
    from localcloud.host.run import run

    home = Path.cwd()
    code = run(folder, arguments.app.resolve(), arguments.port)
    if code is None:
        os.chdir(home)
        _replace_process(dict(os.environ))
    return code or 0


def _replace_process(environment: dict[str, str]) -> None:
    sys.stdout.flush()
    sys.stderr.flush()
    command = [sys.executable, "-m", "localcloud.host", *sys.argv[1:]]
    os.execve(sys.executable, command, environment)  # noqa: S606 - no shell is wanted


def _parse() -> argparse.Namespace:
    about = (__doc__ or "").partition("\n")[0]
    parser = argparse.ArgumentParser(prog="python -m localcloud.host", description=about)
    parser.add_argument("--folder", type=Path, default=Path(".local"), help="state folder of the local cloud")
    parser.add_argument("--app", type=Path, default=Path(), help="folder of function_app.py")
    parser.add_argument("--port", type=int, help="instead of the port in FOLDER/ports.json")
    parser.add_argument("--env-file", type=Path, help="instead of FOLDER/child.env")
    return parser.parse_args()


if __name__ == "__main__":
    exit_code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    # Not sys.exit: a pooled function that did not end in time would be waited for.
    os._exit(exit_code)
