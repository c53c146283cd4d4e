"""A product in miniature, for tests of its packaging."""

from pathlib import Path

FILES = {
    ".funcignore": "tests/\n*.md\n__pycache__/\n.funcignore\npyproject.toml\nshared/operator/\n",
    "function_app.py": "import os\nfrom shared.triggers import uploads\n",
    "host.json": "{}",
    "requirements.txt": "azure-functions==1.26.0 \\\n    --hash=sha256:"
    + "a" * 64
    + "\n    # via -r requirements.in\n",
    "pyproject.toml": '[project]\nname = "upkeep"\nversion = "1.2.3"\n',
    "README.md": "Read me.",
    "shared/__init__.py": "",
    "shared/triggers/__init__.py": "",
    "shared/triggers/uploads.py": "def run() -> None:\n    from shared.intake import Intake\n",
    "shared/intake.py": "class Intake: ...\n",
    "shared/publish.py": "import shared.intake\n",
    "shared/operator/cli.py": "import shared.publish\n",
    "shared/__pycache__/intake.cpython-311.pyc": "bytecode",
    "tests/test_all.py": "",
}


def write(root: Path) -> Path:
    """Write it into `root`."""
    for name, text in FILES.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root
