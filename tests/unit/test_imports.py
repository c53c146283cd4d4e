"""What the deployed app loads when it starts, and what it must not know."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HEAVY = ["azure.ai.ml", "pandas", "pyarrow", "sklearn", "numpy", "localcloud", "requests_toolbelt"]
INDEX = """
import json, sys
import function_app
from shared.bootstrap import build
from shared.settings import Settings
with open("local.settings.sample.json") as file:
    app = build(Settings.of(json.load(file)["Values"]))
parts = [getattr(app, name) for name in dir(app) if not name.startswith("_")]
names = sorted(function.get_function_name() for function in function_app.app.get_functions())
print(json.dumps({"names": names, "modules": sorted(sys.modules)}))
"""


@pytest.fixture(scope="module")
def indexed() -> dict[str, list[str]]:
    """Names of the functions, and of all modules after indexing and building the app, in a process of its own."""
    environment = {
        key: value for key, value in os.environ.items() if not key.startswith(("UPKEEP", "AZURE", "PYTHONPATH"))
    }
    done = subprocess.run(
        [sys.executable, "-c", INDEX], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_all_functions_are_indexed(indexed: dict[str, list[str]]) -> None:
    assert indexed["names"] == [
        "alerts", "azureml_events", "card", "commands", "history", "model", "models", "nudge", "page", "sweep",
        "uploads",
    ]  # fmt: skip


@pytest.mark.parametrize("module", HEAVY)
def test_indexing_and_building_the_app_load_nothing_heavy(indexed: dict[str, list[str]], module: str) -> None:
    assert [name for name in indexed["modules"] if name == module or name.startswith(f"{module}.")] == []


@pytest.mark.parametrize("word", ["localhost", "localcloud", "azurite", "127.0.0.1"])
def test_the_product_knows_no_local_cloud(word: str) -> None:
    files = [ROOT / "function_app.py", ROOT / "host.json", *(ROOT / "shared").rglob("*")]
    texts = [path for path in files if path.is_file() and path.suffix != ".pyc"]
    assert [str(path.relative_to(ROOT)) for path in texts if word in path.read_text(errors="ignore").lower()] == []
