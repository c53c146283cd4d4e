"""The JSON Schema of upkeep.yaml, for editors: `python -m shared.operator.schema` writes it into docs/reference/.

A test holds the file and the types together.
"""

import json
import sys
from pathlib import Path
from typing import Any

import msgspec

from shared.domain.spec import Document

FILE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "upkeep.schema.json"


def schema() -> dict[str, Any]:
    """The schema as plain values."""
    body = msgspec.json.schema(Document, schema_hook=_anything)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "upkeep.yaml", **body}


def text() -> str:
    """The schema as it stands in the file."""
    return json.dumps(schema(), indent=2) + "\n"


def _anything(kind: type) -> dict[str, Any]:
    if kind is object:
        return {"description": "The same keys as above; what stands here is laid over them."}
    raise NotImplementedError(f"no JSON Schema for {kind}")


def main() -> None:
    """Write the file."""
    FILE.parent.mkdir(parents=True, exist_ok=True)
    FILE.write_text(text(), encoding="utf-8")
    sys.stdout.write(f"wrote {FILE}\n")


if __name__ == "__main__":
    main()
