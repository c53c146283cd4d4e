"""The JSON Schemas of upkeep.yaml and evaluation.json: `python -m shared.operator.schema` writes them into
docs/reference/.

A test holds the files and the types together.
"""

import json
import sys
from pathlib import Path
from typing import Any

import msgspec

from shared.domain.evaluation import Evaluation
from shared.domain.spec import Document

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "reference"
FILE = FOLDER / "upkeep.schema.json"
EVALUATION_FILE = FOLDER / "evaluation.schema.json"
_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schema() -> dict[str, Any]:
    """The schema of upkeep.yaml as plain values."""
    return {"$schema": _DIALECT, "title": "upkeep.yaml", **msgspec.json.schema(Document, schema_hook=_anything)}


def evaluation_schema() -> dict[str, Any]:
    """The schema of evaluation.json. Keys that it does not know are let pass, as Upkeep does."""
    return {"$schema": _DIALECT, "title": "evaluation.json", **msgspec.json.schema(Evaluation)}


def texts() -> dict[Path, str]:
    """Each file with the schema as it stands in it."""
    schemas = {FILE: schema(), EVALUATION_FILE: evaluation_schema()}
    return {file: json.dumps(body, indent=2) + "\n" for file, body in schemas.items()}


def _anything(kind: type) -> dict[str, Any]:
    if kind is object:
        return {"description": "The same keys as above; what stands here is laid over them."}
    raise NotImplementedError(f"no JSON Schema for {kind}")


def main() -> None:
    """Write the files."""
    for file, text in texts().items():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        sys.stdout.write(f"wrote {file}\n")


if __name__ == "__main__":
    main()
