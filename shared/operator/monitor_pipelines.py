"""Where a report goes: to the file that was asked for, and to where a pipeline shows it inline.

Called by monitor_command.py. GitHub Actions shows what is appended to the file $GITHUB_STEP_SUMMARY; Azure Pipelines
(TF_BUILD is set) uploads the Markdown file that a logging command names. (docs.github.com: workflow commands, adding
a job summary; learn.microsoft.com: logging commands, UploadSummary)
"""

import tempfile
from collections.abc import Mapping
from pathlib import Path

from shared.errors import BadInput

NAME = "upkeep-check.md"


def report_file(asked: Path) -> Path:
    """The file that is meant by FILE.md or by a folder."""
    return asked if asked.suffix == ".md" else asked / NAME


def writable(file: Path | None) -> None:
    """Make the file's folder. BadInput now, rather than after minutes of watching, if that cannot be."""
    if file is None:
        return
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadInput(f"{file.parent}: cannot be made: {error.strerror}") from error
    if file.is_dir():
        raise BadInput(f"{file}: is a folder")


def deliver(report: str, file: Path | None, environ: Mapping[str, str]) -> str:
    """Write the report wherever it is wanted; the logging command to be printed for Azure Pipelines, if any."""
    if file is not None:
        file.write_text(report, encoding="utf-8")
    if summary := environ.get("GITHUB_STEP_SUMMARY"):
        with Path(summary).open("a", encoding="utf-8") as stream:
            stream.write(f"\n{report}")
    if not environ.get("TF_BUILD"):
        return ""
    if file is None:
        folder = Path(tempfile.mkdtemp(prefix="upkeep-check-", dir=environ.get("AGENT_TEMPDIRECTORY")))
        file = folder / NAME
        file.write_text(report, encoding="utf-8")
    return f"##vso[task.uploadsummary]{file.resolve()}"


def harmless(line: str) -> str:
    """A line without anything that a pipeline would take for a command of ours."""
    flat = " ".join(line.split())
    return flat.replace("##vso[", "## vso[").replace("##[", "## [").replace("::", ": :")
