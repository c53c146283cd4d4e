"""`make audit`: are vulnerabilities known of anything that is locked? Asks the advisory service through pip-audit.

Run by both pipelines on every pull request, on every commit on main and every night, never by `make check`: it needs
the network, and its answer changes without a change here. The models' environment.yml have no hashes, are no locks,
and are not looked at. Ends with 0 when nothing is known, 1 when something is, 2 when the service could not be asked,
which is no good news and is never taken for it.
"""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
UNREACHED = ("ServiceError", "ConnectionError", "Connection refused", "Max retries exceeded", "Could not connect")
_KNOWN, _NOT_ASKED = 1, 2
_LONGEST = 200


def locks(root: Path) -> list[Path]:
    """Every lock of the project: a lock is what has hashes."""
    return [path for path in sorted(root.glob("requirements*.txt")) if "--hash=" in path.read_text(encoding="utf-8")]


def audit(lock: Path) -> tuple[int, str]:
    """0, 1 or 2 as above, and what to tell."""
    done = subprocess.run(
        [
            sys.executable, "-m", "pip_audit", "--requirement", str(lock), "--require-hashes", "--disable-pip",
            "--progress-spinner", "off",
        ],
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    return judged(done.returncode, done.stdout.strip(), done.stderr.strip())


def judged(code: int, found: str, said: str) -> tuple[int, str]:
    """What a run of pip-audit means. It ends with 1 for a finding and for a trouble of its own alike."""
    if code == 0:
        return 0, "nothing is known."
    if found:
        return _KNOWN, found
    last = said.splitlines()[-1][:_LONGEST] if said else "it said nothing"
    if any(word in said for word in UNREACHED):
        return _NOT_ASKED, f"NOT AUDITED: the advisory service could not be reached ({last})."
    return _NOT_ASKED, f"NOT AUDITED: pip-audit failed ({last})."


def main() -> int:
    """All locks, each with its own answer."""
    codes = []
    for lock in locks(ROOT):
        code, told = audit(lock)
        print(f"{lock.name}: {told}", flush=True)
        codes.append(code)
    return max(codes, key=lambda code: (code == _KNOWN, code))


if __name__ == "__main__":
    sys.exit(main())
