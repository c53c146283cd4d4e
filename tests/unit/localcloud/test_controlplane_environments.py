"""Conda files as virtual environments."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from localcloud.controlplane.environments import (
    CondaFile,
    EnvironmentBuildError,
    build,
    environments_folder,
    read_conda,
)

PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
EMPTY = f"dependencies: [python={PYTHON}, pip]"


class TestReadConda:
    def test_reads_python_and_the_pip_list(self) -> None:
        text = "name: n\ndependencies:\n- python=3.11\n- pip\n- pip: [scikit-learn==1.7, pandas]\n"
        assert read_conda(text) == CondaFile("3.11", ("scikit-learn==1.7", "pandas"))

    @pytest.mark.parametrize("line", ["python", "python=3.11", "python==3.11.*", "python = 3.11", "pip=25"])
    def test_knows_python_and_pip_however_written(self, line: str) -> None:
        assert read_conda(f"dependencies: ['{line}']").requirements == ()

    @pytest.mark.parametrize("line", ["gcc=12", "numpy", "pypy", "pipenv"])
    def test_refuses_other_conda_packages_by_name(self, line: str) -> None:
        with pytest.raises(EnvironmentBuildError, match=line):
            read_conda(f"dependencies: [{line}]")

    @pytest.mark.parametrize("text", ["- [", "a string", "dependencies: python"])
    def test_refuses_what_is_no_conda_file(self, text: str) -> None:
        with pytest.raises(EnvironmentBuildError):
            read_conda(text)


class TestBuild:
    def test_gives_a_python_that_runs(self, tmp_path: Path) -> None:
        python = build(tmp_path, EMPTY, os.environ)
        prefix = subprocess.run(
            [python, "-c", "import sys; print(sys.prefix)"], capture_output=True, text=True, check=True
        )
        assert Path(prefix.stdout.strip()) == python.parent.parent

    def test_gives_racing_builders_the_same_environment(self, tmp_path: Path) -> None:
        with ThreadPoolExecutor(4) as pool:
            pythons = set(pool.map(lambda _: build(tmp_path, EMPTY, os.environ), range(4)))
        assert len(pythons) == 1
        assert pythons.pop().exists()

    def test_builds_again_what_a_dead_builder_left_half_done(self, tmp_path: Path) -> None:
        python = build(tmp_path, EMPTY, os.environ)
        (python.parent.parent / "complete").unlink()
        python.unlink()
        assert build(tmp_path, EMPTY, os.environ).exists()

    def test_tells_what_the_installer_said(self, tmp_path: Path) -> None:
        with pytest.raises(EnvironmentBuildError, match="no/such/folder"):
            build(tmp_path, f"dependencies: [python={PYTHON}, pip: ['./no/such/folder']]", os.environ)

    def test_depends_on_the_content_alone(self, tmp_path: Path) -> None:
        assert build(tmp_path, EMPTY, os.environ) == build(tmp_path, f"name: other\n{EMPTY}", os.environ)


class TestEnvironmentsFolder:
    def test_is_the_one_that_was_named(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("UPKEEP_LOCAL_ENVS", str(tmp_path))
        assert environments_folder(Path("elsewhere")) == tmp_path

    def test_is_shared_by_all_local_clouds_of_a_user(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("UPKEEP_LOCAL_ENVS", raising=False)
        monkeypatch.setenv("HOME", "/home/someone")
        assert environments_folder(Path("elsewhere")) == Path("/home/someone/.cache/upkeep/envs")
