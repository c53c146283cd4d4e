"""The step that looks at the locks, with a `make` that resolves as a test wants."""

import os
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.pipelines.desk import Desk


def locked(desk: Desk, days_ago: int, now: str) -> subprocess.CompletedProcess[str]:
    """Look at `requests==1.0`, locked so many days ago, where locking anew gives `now`."""
    folder = desk.folder
    (folder / "requirements.txt").write_text("requests==1.0 \\\n    --hash=sha256:ab\n")
    when = (datetime.now(UTC) - timedelta(days=days_ago)).isoformat()
    environ = {
        **os.environ,
        **{f"GIT_{who}_{what}": "a@b" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
        "GIT_AUTHOR_DATE": when,
        "GIT_COMMITTER_DATE": when,
        "GIT_CONFIG_GLOBAL": os.devnull,
    }
    for line in ("init -q", "add requirements.txt", "commit -q -m lock"):
        subprocess.run(["git", *line.split()], cwd=folder, env=environ, check=True, timeout=30)
    make = folder / ".venv" / "bin" / "make"
    make.write_text(f"#!/bin/sh\nprintf '{now} \\\\\\n    --hash=sha256:ab\\n' >requirements.txt\n")
    make.chmod(0o755)
    return desk.run("locks.sh", GITHUB_ACTIONS="true", GITHUB_STEP_SUMMARY=str(folder / "page.md"))


def page(desk: Desk) -> str:
    """What is shown with the run."""
    file: Path = desk.folder / "page.md"
    return file.read_text() if file.is_file() else ""


def test_locks_that_nothing_would_change_are_up_to_date(desk: Desk) -> None:
    done = locked(desk, 90, "requests==1.0")
    assert done.returncode == 0, done.stderr
    assert "up to date" in done.stdout
    assert page(desk) == ""


def test_newer_versions_are_shown_and_are_no_fault(desk: Desk) -> None:
    done = locked(desk, 2, "requests==2.0")
    assert done.returncode == 0
    assert "`+ requests==2.0`" in page(desk)
    assert "`- requests==1.0`" in page(desk)
    assert "::warning::" not in done.stdout


def test_locks_that_nobody_has_renewed_for_a_month_are_a_warning(desk: Desk) -> None:
    done = locked(desk, 31, "requests==2.0")
    assert done.returncode == 0
    assert "::warning::the locks are 31 days old" in done.stdout
