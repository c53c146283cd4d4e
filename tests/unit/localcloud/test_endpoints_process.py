"""The process of a scoring server: what it is started with, and that it is known by more than its number."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from localcloud.endpoints.process import Launch, ServerProcess


@pytest.fixture
def launch(tmp_path: Path) -> Launch:
    """A launch whose python is a program that sleeps, whatever it is told to run."""
    python = tmp_path / "python"
    python.write_text(f"#!{sys.executable}\nimport time\nprint('begun', flush=True)\ntime.sleep(60)\n")
    python.chmod(0o755)
    return Launch(
        python=str(python),
        code=str(tmp_path),
        scoring_script="score.py",
        model_dir=str(tmp_path / "models"),
        variables={"WHO": "r0001", "OMP_NUM_THREADS": "2"},
        log=str(tmp_path / "server.log"),
    )


def test_the_server_listens_on_loopback_only(launch: Launch) -> None:
    command = launch.command(4711)
    assert command[command.index("-b") + 1] == "127.0.0.1:4711"


def test_the_deployments_own_variables_win(launch: Launch) -> None:
    environment = launch.environment({"WHO": "nobody", "PATH": "/bin"})
    assert environment["WHO"] == "r0001"
    assert environment["OMP_NUM_THREADS"] == "2"
    assert environment["PATH"] == "/bin"


def test_a_server_without_model_gets_no_model_folder(launch: Launch) -> None:
    assert "AZUREML_MODEL_DIR" not in replace(launch, model_dir=None).environment({})


def test_a_stopped_server_is_not_alive(launch: Launch) -> None:
    server = ServerProcess.start(launch, {})
    assert server.alive()
    server.stop(grace_s=5)
    assert not server.alive()


def test_a_process_that_got_the_number_later_is_not_taken_for_the_server(launch: Launch) -> None:
    server = ServerProcess.start(launch, {})
    try:
        assert not replace(server, created=server.created - 1).alive()
    finally:
        server.stop(grace_s=5)
