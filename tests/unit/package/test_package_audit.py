"""What an audit of the locks means."""

from pathlib import Path

from infra.package_audit import judged, locks

ROOT = Path(__file__).resolve().parents[3]
REFUSED = "HTTPSConnectionPool(host='advisories.example', port=443): Max retries exceeded with url: /a/1/json"


def test_no_finding_is_good() -> None:
    assert judged(0, "", "No known vulnerabilities found") == (0, "nothing is known.")


def test_a_finding_is_told_whole() -> None:
    table = "Name Version ID\n---- ------- --\nurllib3 1.0 PYSEC-1"
    assert judged(1, table, "Found 1 known vulnerability in 1 package") == (1, table)


def test_a_service_that_cannot_be_reached_is_told_and_is_no_pass() -> None:
    code, told = judged(1, "", f"Traceback\n{REFUSED}")
    assert code == 2
    assert told.startswith("NOT AUDITED: the advisory service could not be reached")


def test_any_other_trouble_is_no_pass_either() -> None:
    code, told = judged(1, "", "ERROR:pip_audit._cli:invalid requirement")
    assert (code, told) == (2, "NOT AUDITED: pip-audit failed (ERROR:pip_audit._cli:invalid requirement).")


def test_every_lock_is_audited() -> None:
    names = {path.name for path in locks(ROOT)}
    assert names >= {"requirements.txt", "requirements-dev.txt", "requirements-host.txt", "requirements-node.txt"}
