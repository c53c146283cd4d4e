"""Where a report goes: to the file that was asked for, and to where a pipeline shows it inline.

Called by monitor_command.py. GitHub Actions shows what is appended to the file $GITHUB_STEP_SUMMARY; Azure Pipelines
(TF_BUILD is set) uploads the Markdown file that a logging command names. (docs.github.com: workflow commands, adding
a job summary; learn.microsoft.com: logging commands, UploadSummary)
"""

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from shared.errors import BadInput

NAME = "upkeep-check.md"


def report_file(asked: Path) -> Path:
    """The file that is meant by FILE.md or by a folder. BadInput for the name of another kind of file."""
    if asked.suffix.lower() == ".md":
        return asked
    if asked.suffix and not asked.is_dir():
        raise BadInput(
            f"{asked}: the report is Markdown: give a FILE.md, or a folder, which must be there if its name has a dot"
        )
    return asked / NAME


def writable(file: Path | None) -> None:
    """BadInput now, rather than after minutes of watching, if the file cannot be written.

    Makes nothing: the check may yet be refused for something else, and would leave an empty folder behind.
    """
    if file is None:
        return
    there = next(folder for folder in file.absolute().parents if folder.exists())
    if not there.is_dir():
        raise BadInput(f"{file.parent}: cannot be made: {there} is a file")
    if not os.access(there, os.W_OK | os.X_OK):
        raise BadInput(f"{file}: cannot be written: {there} may not be changed")
    if file.is_dir():
        raise BadInput(f"{file}: is a folder")


def write(content: bytes, file: Path) -> None:
    """Write the file, and make its folder. BadInput if that cannot be."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    except OSError as error:
        raise BadInput(f"{file}: cannot be written: {error.strerror}") from error


def deliver(report: str, file: Path | None, environ: Mapping[str, str]) -> str:
    """Write the report wherever it is wanted; the logging command to be printed for Azure Pipelines, if any."""
    if file is not None:
        write(report.encode(), file)
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
