"""What `upkeep check` found, as JUnit XML: for the Tests tab of Azure Pipelines, and whatever else reads it.

Called by monitor_command.py. A failure is a failed test, no data a skipped one.
"""

import re
import xml.etree.ElementTree as Xml
from collections.abc import Sequence

from shared.domain.health import Check, Verdict
from shared.operator.monitor_report import name_of
from shared.operator.monitoring import Health

# What XML 1.0 cannot hold, however it is escaped.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def junit(found: Sequence[Health]) -> bytes:
    """One suite an endpoint, one test a check."""
    root = Xml.Element("testsuites", name="upkeep check")
    for health in found:
        now = health.seen.now
        seconds = (now.end - now.start).total_seconds() if now else 0.0
        verdicts = [check.verdict for check in health.checks]
        suite = Xml.SubElement(
            root,
            "testsuite",
            name=health.target.endpoint,
            tests=str(len(verdicts)),
            failures=str(verdicts.count(Verdict.FAIL)),
            errors="0",
            skipped=str(verdicts.count(Verdict.NO_DATA)),
            time=f"{seconds:.3f}",
            timestamp=f"{health.seen.since:%Y-%m-%dT%H:%M:%S}",
        )
        for check in health.checks:
            _case(suite, health.target.endpoint, check)
    Xml.indent(root)
    written: bytes = Xml.tostring(root, encoding="utf-8", xml_declaration=True)
    return written


def _case(suite: Xml.Element, endpoint: str, check: Check) -> None:
    case = Xml.SubElement(suite, "testcase", classname=endpoint, name=_plain(name_of(check)), time="0")
    text = _plain(check.text)
    match check.verdict:
        case Verdict.FAIL:
            Xml.SubElement(case, "failure", message=text, type=check.aspect.value).text = text
        case Verdict.NO_DATA:
            Xml.SubElement(case, "skipped", message=text)
        case Verdict.PASS:
            Xml.SubElement(case, "system-out").text = text


def _plain(text: str) -> str:
    return _CONTROL.sub("?", text)
