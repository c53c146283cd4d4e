"""Fits the slope of y over x on the training parts, and scores it on the held-out ones beside the champion."""

import argparse
import hashlib
import json
import statistics
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

Rows = list[tuple[datetime, float, float]]


def main() -> None:
    """Train, score, write both down."""
    parser = argparse.ArgumentParser()
    for name in ("manifest", "parts", "champion", "model", "evaluation"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--champion-version", default="0")
    paths = parser.parse_args()

    manifest = json.loads(paths.manifest.read_text())
    train, held_out = (_rows(paths.parts, manifest[which]) for which in ("train", "held_out"))
    slope = sum(x * y for _, x, y in train) / sum(x * x for _, x, _ in train)
    paths.model.mkdir(parents=True, exist_ok=True)
    model = paths.model / "model.json"
    model.write_text(json.dumps({"slope": slope}))

    losses = [abs(slope * x - y) for _, x, y in held_out]
    middle = statistics.median(y for *_, y in train)
    champion = None
    if paths.champion_version != "0":
        before = json.loads(next(paths.champion.rglob("model.json")).read_text())["slope"]
        champion = [abs(before * x - y) for _, x, y in held_out]
    document = {
        "schema": "upkeep.evaluation/1",
        "task": "regression",
        "data_version": _version(manifest),
        "held_out": {
            "parts": manifest["held_out"],
            "rows": len(held_out),
            "sha256": _sha256(repr(held_out).encode()),
        },
        "candidate": _scores(losses),
        "baseline": _scores([abs(middle - y) for *_, y in held_out]),
        "champion": champion and {"version": paths.champion_version, **_scores(champion)},
        "paired": champion and _paired(losses, champion),
        "leakage": {
            "overlapping_rows": len({at for at, *_ in train} & {at for at, *_ in held_out}),
            "train_until": max(at for at, *_ in train).isoformat(),
            "held_out_from": min(at for at, *_ in held_out).isoformat(),
        },
        "inputs": [{"name": "x", "type": "number"}],
        "artifact": {"sha256": _sha256(model.read_bytes()), "path": "model.json"},
    }
    paths.evaluation.mkdir(parents=True, exist_ok=True)
    (paths.evaluation / "evaluation.json").write_text(json.dumps(document))


def _rows(folder: Path, names: list[str]) -> Rows:
    table = pa.concat_tables(pq.read_table(folder / f"{name}.parquet", columns=["at", "x", "y"]) for name in names)
    return list(zip(*(table[name].to_pylist() for name in ("at", "x", "y")), strict=True))


def _version(manifest: object) -> str:
    canonical = json.dumps(manifest, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return _sha256(canonical.encode())[:30]


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _scores(losses: list[float]) -> dict[str, dict[str, float]]:
    return {"metrics": {"mae": statistics.fmean(losses)}}


def _paired(candidate: list[float], champion: list[float]) -> dict[str, object]:
    differences = [one - other for one, other in zip(candidate, champion, strict=True)]
    return {
        "metric": "mae",
        "rows": len(differences),
        "mean_difference": statistics.fmean(differences),
        "standard_deviation": statistics.stdev(differences),
    }


if __name__ == "__main__":
    main()
