"""`python -m infra.check.checkov FOLDER --checkov PROGRAM`: checkov's findings, each fixed or accepted with a reason.

Called by `make check-infra`. FOLDER/checkov.toml lists what is accepted and why; a line there that no finding needs
is a problem too, and so is a skip in a Bicep file that gives no reason. checkov exits with 0 when it cannot parse a
file, so that the count of parsing errors is looked at, and every file must have been seen.
"""

import argparse
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

TABLE = "checkov.toml"
LEAST_REASON_CHARS = 20


@dataclass(frozen=True)
class Finding:
    """One check that a resource fails; `resource` is its symbol in the file."""

    check: str
    title: str
    file: str
    line: int
    resource: str


@dataclass(frozen=True)
class Accepted:
    """Checks that need not pass on one resource, and why."""

    checks: frozenset[str]
    file: str
    resource: str
    reason: str

    def covers(self, finding: Finding) -> bool:
        """Whether the finding is one of these."""
        return (finding.file, finding.resource) == (self.file, self.resource) and finding.check in self.checks


def scan(program: Path, folder: Path) -> dict[str, Any]:
    """checkov's report. Offline: nothing is downloaded, no guide is looked up."""
    command = [str(program), "--framework", "bicep", "--skip-download", "--quiet", "--compact", "-o", "json", "-d"]
    with TemporaryDirectory() as copy:
        for path in folder.rglob("*.bicep"):
            target = Path(copy) / path.relative_to(folder)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(plain(path.read_text(encoding="utf-8")), encoding="utf-8")
        done = subprocess.run([*command, copy], capture_output=True, text=True, check=False)
    try:
        report = json.loads(done.stdout)
    except json.JSONDecodeError as error:
        raise RuntimeError(f"checkov gave no report: {done.stderr[-2000:]}") from error
    if not isinstance(report, dict) or "summary" not in report:
        raise RuntimeError("checkov saw no Bicep file: name the folder that holds main.bicep")
    return report


def plain(text: str) -> str:
    """The same lines in the Bicep that checkov reads: without `string[]` and without decorators inside types."""
    text = re.sub(r"^((?:param|output) \w+ )\w+\[\]", r"\1array", text, flags=re.MULTILINE)
    return re.sub(r"^\s+@\w+\(.*\)$", "", text, flags=re.MULTILINE)


def problems(report: dict[str, Any], accepted: Sequence[Accepted]) -> Iterator[str]:
    """What keeps the report from being clean, one line each."""
    if errors := report["summary"]["parsing_errors"]:
        yield f"checkov could not parse {errors} files; write them in Bicep that it knows"
    found = [_finding(each) for each in report["results"]["failed_checks"]]
    for each in found:
        if not any(entry.covers(each) for entry in accepted):
            what = f"{each.check} on '{each.resource}': {each.title}"
            yield f"{each.file}:{each.line}: {what}; mend it or accept it in {TABLE}"
    for entry in accepted:
        for check in sorted(entry.checks):
            if not any(each.check == check and entry.covers(each) for each in found):
                yield f"{TABLE}: {check} is not found on '{entry.resource}' of {entry.file}; remove it from the table"
        if len(entry.reason) < LEAST_REASON_CHARS:
            yield f"{TABLE}: nothing says why '{entry.resource}' of {entry.file} is accepted; write a reason"
    for skipped in report["results"].get("skipped_checks") or ():
        if len(skipped["check_result"].get("suppress_comment") or "") < LEAST_REASON_CHARS:
            what = f"{skipped['file_path'].lstrip('/')}: the skip of {skipped['check_id']}"
            yield f"{what} gives no reason; write one behind a colon"


def table(path: Path) -> list[Accepted]:
    """The accepted findings."""
    if not path.is_file():
        return []
    entries = tomllib.loads(path.read_text(encoding="utf-8")).get("accepted", [])
    return [
        Accepted(frozenset(each["checks"]), each["file"], each["resource"], " ".join(each["reason"].split()))
        for each in entries
    ]


def main(arguments: Sequence[str]) -> int:
    """Scan and print."""
    parser = argparse.ArgumentParser(prog="python -m infra.check.checkov", description="Run checkov on Bicep files.")
    parser.add_argument("folder", type=Path, help="folder of main.bicep")
    parser.add_argument("--checkov", type=Path, required=True, help="the program, in an environment of its own")
    options = parser.parse_args(arguments)
    try:
        report = scan(options.checkov, options.folder)
    except RuntimeError as error:
        print(error, file=sys.stderr)
        return 2
    accepted = table(options.folder / TABLE)
    found = list(problems(report, accepted))
    for line in found:
        print(line)
    summary = report["summary"]
    count = sum(len(entry.checks) for entry in accepted)
    print(
        f"checkov {summary['checkov_version']}: {summary['passed']} passed, {count} accepted, {len(found)} problems."
    )
    return 1 if found else 0


def _finding(each: dict[str, Any]) -> Finding:
    resource = each["resource"].rsplit(".", maxsplit=1)[-1]
    return Finding(
        each["check_id"], each["check_name"], each["file_path"].lstrip("/"), each["file_line_range"][0], resource
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
