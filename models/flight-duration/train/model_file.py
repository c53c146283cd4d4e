"""Writes and reads the model's folder: model.skops, and signature.json with the columns that it takes.

Called by train.py, for the candidate and for the champion. Reading executes nothing: skops builds known types
only. The list of trusted types is written down here and in score.py; it is never asked of the file itself.
"""

import hashlib
import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile, ZipFile, ZipInfo

import skops.io  # type: ignore[import-untyped]  # ships no types
from data import BrokenInputError
from skops.io.exceptions import UntrustedTypesFoundException  # type: ignore[import-untyped]  # ships no types

MODEL = "model.skops"
SIGNATURE = "signature.json"
TRUSTED = [
    "functools.partial",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.utils.validation.check_array",
]


@dataclass(frozen=True)
class Loaded:
    """A fitted model with the columns that it takes, in order, each "string" or "number"."""

    model: Any
    inputs: dict[str, str]


def save(folder: Path, model: Any, inputs: dict[str, str]) -> str:
    """Write the folder; returns the SHA-256 of the model file."""
    folder.mkdir(parents=True, exist_ok=True)
    content = _repeatable(skops.io.dumps(model))
    (folder / MODEL).write_bytes(content)
    signature = {"inputs": [{"name": name, "type": kind} for name, kind in inputs.items()]}
    (folder / SIGNATURE).write_text(json.dumps(signature, indent=2) + "\n")
    return hashlib.sha256(content).hexdigest()


def load(folder: Path) -> Loaded:
    """Read the folder. A model lies where the job put it, or one folder further down."""
    found = sorted(folder.rglob(MODEL))
    if len(found) != 1:
        raise BrokenInputError(f"{folder}: {len(found)} files {MODEL} in it, there must be one")
    try:
        signature = json.loads(found[0].with_name(SIGNATURE).read_text())
        inputs = {entry["name"]: entry["type"] for entry in signature["inputs"]}
        return Loaded(skops.io.load(found[0], trusted=TRUSTED), inputs)
    except (OSError, ValueError, KeyError, TypeError, BadZipFile, UntrustedTypesFoundException) as error:
        raise BrokenInputError(f"{found[0]}: not a model of ours: {type(error).__name__}: {error}") from error


def _repeatable(content: bytes) -> bytes:
    """The same archive with memory addresses and the time of day taken out: equal models, equal bytes.

    skops names arrays and objects by `id()`, and a zip entry bears the time at which it was written.
    """
    with ZipFile(io.BytesIO(content)) as source:
        schema = json.loads(source.read("schema.json"))
        numbers: dict[int, int] = {}
        files: dict[str, str] = {}
        _renumber(schema, numbers, files)
        target = io.BytesIO()
        with ZipFile(target, "w") as archive:
            for old, new in files.items():
                archive.writestr(ZipInfo(new), source.read(old))
            archive.writestr(ZipInfo("schema.json"), json.dumps(schema, indent=1))
    return target.getvalue()


def _renumber(node: Any, numbers: dict[int, int], files: dict[str, str]) -> None:
    """Walk the schema in its own order, counting objects and files from one."""
    if isinstance(node, list):
        for item in node:
            _renumber(item, numbers, files)
    if not isinstance(node, dict):
        return
    if isinstance(node.get("__id__"), int):
        node["__id__"] = numbers.setdefault(node["__id__"], len(numbers) + 1)
    if "__loader__" in node and isinstance(node.get("file"), str):
        old = node["file"]
        node["file"] = files.setdefault(old, f"{len(files) + 1}{Path(old).suffix}")
    for item in node.values():
        _renumber(item, numbers, files)
