"""The pure parts of the platform: settings, certificates, ports, tokens, the reading of Azurite's log."""

import base64
import datetime as dt
import json
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import pytest
from cryptography import x509

from localcloud import ca, supervisor
from localcloud.accesslog import AccessLog, BlobWrite
from localcloud.cloud import Ports
from localcloud.egress import is_loopback
from localcloud.environment import child_env, operator_env, write
from localcloud.identity import token
from localcloud.isolation import read_pairs, scrubbed, write_pairs
from localcloud.processes import Processes, lives, tail

PORTS = Ports(gateway=18443, blob=20000, queue=20001, table=20002, functions=17071, egress=18899)
LOG_LINE = '127.0.0.1 - - [22/Nov/2026:21:06:50 +0000] "{call} HTTP/1.1" {status} -\n'


# --- settings ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    ["AZURE_CLIENT_SECRET", "azure_tenant_id", "AZUREML_RUN_ID", "ARM_CLIENT_ID", "MSI_ENDPOINT", "UPKEEP_WORKSPACE"],
)
def test_a_persons_own_azure_setting_is_not_inherited(name: str) -> None:
    assert scrubbed({name: "x", "PATH": "/bin"}) == {"PATH": "/bin"}


def test_the_local_clouds_own_settings_are_inherited() -> None:
    assert scrubbed({"UPKEEP_LOCAL_ENVS": "/x"}) == {"UPKEEP_LOCAL_ENVS": "/x"}


def test_every_pointer_of_a_child_names_this_machine(tmp_path: Path) -> None:
    urls = [value for value in child_env(tmp_path, PORTS).values() if "://" in value]
    assert urls
    assert all(value.split("://")[1].startswith(("localhost:", "127.0.0.1:")) for value in urls)


def test_a_child_signs_in_by_managed_identity_alone(tmp_path: Path) -> None:
    assert child_env(tmp_path, PORTS)["AZURE_TOKEN_CREDENTIALS"] == "ManagedIdentityCredential"


def test_a_secret_stays_the_same_for_a_folder(tmp_path: Path) -> None:
    first = child_env(tmp_path, PORTS)["IDENTITY_HEADER"]
    assert child_env(tmp_path, PORTS)["IDENTITY_HEADER"] == first


def test_the_operators_key_is_the_functions_hosts_default_key(tmp_path: Path) -> None:
    key = operator_env(tmp_path, PORTS)["UPKEEP_APP_KEY"]
    assert json.loads((tmp_path / "host-keys.json").read_text())["default"] == key


def test_what_the_childs_settings_displaced_is_kept_for_installers(tmp_path: Path) -> None:
    write(tmp_path, PORTS, {"HTTPS_PROXY": "http://proxy.example:3128", "HOME": "/home/me"})
    assert read_pairs((tmp_path / "install.env").read_text()) == {"HTTPS_PROXY": "http://proxy.example:3128"}


def test_files_with_secrets_are_private(tmp_path: Path) -> None:
    write(tmp_path, PORTS, {})
    assert (tmp_path / "child.env").stat().st_mode & 0o077 == 0


def test_settings_read_back_as_they_were_written() -> None:
    pairs = {"PLAIN": "a=b", "CRON": "*/10 * * * * *", "URL": "https://localhost:1/x?y=1", "EMPTY": ""}
    assert read_pairs(write_pairs(pairs, "a heading")) == pairs


# --- certificates -----------------------------------------------------------------------------------


def test_the_server_certificate_covers_localhost_and_the_loopback_address(tmp_path: Path) -> None:
    ca.ensure(tmp_path)
    server = x509.load_pem_x509_certificate((tmp_path / "server.pem").read_bytes())
    names = server.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert {"localhost", "*.localhost"} <= set(names.get_values_for_type(x509.DNSName))
    assert [str(address) for address in names.get_values_for_type(x509.IPAddress)] == ["127.0.0.1"]


def test_the_authority_can_vouch_for_loopback_names_only(tmp_path: Path) -> None:
    ca.ensure(tmp_path)
    authority = x509.load_pem_x509_certificate((tmp_path / "ca.pem").read_bytes())
    constraints = authority.extensions.get_extension_for_class(x509.NameConstraints)
    assert constraints.critical
    assert x509.DNSName("localhost") in (constraints.value.permitted_subtrees or [])


def test_certificates_are_made_once(tmp_path: Path) -> None:
    ca.ensure(tmp_path)
    first = (tmp_path / "ca.pem").read_bytes()
    ca.ensure(tmp_path)
    assert (tmp_path / "ca.pem").read_bytes() == first


def test_a_certificate_that_ends_within_a_month_is_renewed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ca, "LIFETIME", dt.timedelta(days=20))
    ca.ensure(tmp_path)
    first = (tmp_path / "server.pem").read_bytes()
    monkeypatch.undo()
    ca.ensure(tmp_path)
    assert (tmp_path / "server.pem").read_bytes() != first


# --- tokens -----------------------------------------------------------------------------------------


def test_a_token_names_its_audience_and_outlives_the_present() -> None:
    text, expires_on = token("https://storage.azure.com/", "key", now_s=1_000_000)
    payload = text.split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    assert claims["aud"] == "https://storage.azure.com"
    assert claims["iss"].startswith("https://sts.windows.net/")
    assert claims["nbf"] < 1_000_000 < claims["exp"] == expires_on


# --- ports ------------------------------------------------------------------------------------------


def test_a_folder_of_the_usual_name_gets_the_well_known_ports_when_all_are_free(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("localcloud.health.free", lambda port: True)
    assert supervisor.choose_ports(Path("/a/.local")) == supervisor.DEFAULT_PORTS


def test_the_well_known_ports_are_passed_over_when_one_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("localcloud.health.free", lambda port: port != 10001)
    assert supervisor.choose_ports(Path("/a/.local")).gateway >= supervisor.FIRST_BLOCK


def test_two_folders_get_different_ports(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("localcloud.health.free", lambda port: True)
    one, other = (asdict(supervisor.choose_ports(Path(name))) for name in ("/a", "/b"))
    assert len({*one.values(), *other.values()}) == 12


def test_a_block_of_ports_that_is_taken_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("localcloud.health.free", lambda port: True)
    first = supervisor.choose_ports(Path("/a"))
    monkeypatch.setattr("localcloud.health.free", lambda port: port != first.table)
    assert supervisor.choose_ports(Path("/a")).gateway == first.gateway + 10


# --- the proxy --------------------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST.", "a.blob.localhost", "127.0.0.1", "127.8.8.8", "[::1]"])
def test_the_proxy_takes_a_host_for_loopback(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host", ["management.azure.com", "localhost.example.com", "10.0.0.1", "127.0.0.1.example.com", "", "2130706433"]
)
def test_the_proxy_takes_a_host_for_a_stranger(host: str) -> None:
    assert not is_loopback(host)


# --- Azurite's access log ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "status", "api"),
    [
        ("PUT /devstoreaccount1/landing/m/a.csv", 201, "PutBlob"),
        ("PUT /devstoreaccount1/landing/m/a.csv?timeout=30", 201, "PutBlob"),
        ("PUT /devstoreaccount1/landing/m/a.csv?comp=blocklist", 201, "PutBlockList"),
        ("PUT /devstoreaccount1/landing/m/a.csv", 202, "CopyBlob"),
        ("PUT /landing/m/a.csv", 201, "PutBlob"),
    ],
)
def test_a_finished_write_of_a_blob_is_seen(tmp_path: Path, call: str, status: int, api: str) -> None:
    log = _log(tmp_path, LOG_LINE.format(call=call, status=status))
    assert _writes(log) == [BlobWrite(0, api, "landing", "m/a.csv")]


@pytest.mark.parametrize(
    ("call", "status"),
    [
        ("PUT /devstoreaccount1/landing/m/a.csv?comp=block&blockid=AA==", 201),
        ("PUT /devstoreaccount1/landing/m/a.csv?comp=lease", 201),
        ("PUT /devstoreaccount1/landing/m/a.csv?comp=metadata", 200),
        ("PUT /devstoreaccount1/landing/m/a.csv", 412),
        ("PUT /devstoreaccount1/landing?restype=container", 201),
        ("PUT /devstoreaccount1/uploads/messages/1?popreceipt=x&visibilitytimeout=0", 204),
        ("GET /devstoreaccount1/landing/m/a.csv", 200),
        ("DELETE /devstoreaccount1/landing/m/a.csv", 202),
    ],
)
def test_another_call_is_no_finished_write(tmp_path: Path, call: str, status: int) -> None:
    assert _writes(_log(tmp_path, LOG_LINE.format(call=call, status=status))) == []


def test_the_name_of_a_blob_is_decoded(tmp_path: Path) -> None:
    log = _log(tmp_path, LOG_LINE.format(call="PUT /devstoreaccount1/landing/m/%C3%A4%20%231.csv", status=201))
    assert [write.path for write in _writes(log)] == ["m/ä #1.csv"]


def test_a_line_that_is_still_being_written_is_left_for_later(tmp_path: Path) -> None:
    line = LOG_LINE.format(call="PUT /devstoreaccount1/landing/a.csv", status=201)
    log = _log(tmp_path, line + line.rstrip("\n"))
    assert [write.offset for write in _writes(log)] == [0]
    _log(tmp_path, line + line)
    assert [write.offset for _, write in log.writes(len(line)) if write] == [len(line)]


def _log(folder: Path, text: str) -> AccessLog:
    (folder / "azurite.log").write_text(text)
    return AccessLog(folder / "azurite.log")


def _writes(log: AccessLog) -> list[BlobWrite]:
    return [write for _, write in log.writes(0) if write]


# --- processes --------------------------------------------------------------------------------------

SLEEPER = [sys.executable, "-c", "import time; print('begun', flush=True); time.sleep(600)"]


@pytest.fixture
def processes(tmp_path: Path) -> Processes:
    return Processes(tmp_path)


def test_a_started_process_is_found_until_it_is_stopped(processes: Processes, tmp_path: Path) -> None:
    started = processes.start("sleeper", SLEEPER, {}, tmp_path)
    assert processes.find("sleeper") == started
    assert processes.stop("sleeper")
    assert processes.find("sleeper") is None
    assert not lives(started)


def test_a_process_id_that_now_belongs_to_somebody_else_is_not_signalled(
    processes: Processes, tmp_path: Path
) -> None:
    stranger = processes.start("stranger", SLEEPER, {}, tmp_path)
    identity = {"pid": stranger.pid, "created": stranger.create_time() - 100}
    (tmp_path / "pids" / "sleeper.json").write_text(json.dumps(identity))
    assert not processes.stop("sleeper")
    assert stranger.is_running()
    processes.stop("stranger")


def test_stopping_a_process_ends_what_it_started(processes: Processes, tmp_path: Path) -> None:
    script = f"import subprocess, time; subprocess.Popen({SLEEPER!r}); print('x', flush=True); time.sleep(600)"
    parent = processes.start("parent", [sys.executable, "-c", script], {}, tmp_path)
    while "begun" not in tail(processes.log("parent")):
        assert parent.is_running()
    children = parent.children(recursive=True)
    assert children
    processes.stop("parent")
    assert not any(lives(child) for child in children)


def test_a_process_can_be_stopped_without_what_it_started(processes: Processes, tmp_path: Path) -> None:
    script = f"import subprocess, time; subprocess.Popen({SLEEPER!r}); print('x', flush=True); time.sleep(600)"
    parent = processes.start("parent", [sys.executable, "-c", script], {}, tmp_path)
    while "begun" not in tail(processes.log("parent")):
        assert parent.is_running()
    (child,) = parent.children(recursive=True)
    processes.stop("parent", family=False)
    assert lives(child)
    child.kill()


def test_what_a_killed_process_left_behind_is_found_by_its_mark(processes: Processes, tmp_path: Path) -> None:
    script = f"import subprocess, time; subprocess.Popen({SLEEPER!r}, start_new_session=True); time.sleep(600)"
    parent = processes.start("parent", [sys.executable, "-c", script], {}, tmp_path)
    while "begun" not in tail(processes.log("parent")):
        assert parent.is_running()
    children = parent.children(recursive=True)
    processes.kill("parent")
    assert [p.pid for p in processes.orphans()] == [child.pid for child in children]
    for child in children:
        child.kill()


def test_a_process_without_the_mark_is_never_an_orphan(processes: Processes) -> None:
    with subprocess.Popen(SLEEPER, stdout=subprocess.DEVNULL) as stranger:
        assert processes.orphans() == []
        stranger.kill()


def test_the_tail_of_a_log_is_its_last_lines(tmp_path: Path) -> None:
    (tmp_path / "x.log").write_text("\n".join(str(n) for n in range(100)))
    assert tail(tmp_path / "x.log", 2) == "98\n99"
