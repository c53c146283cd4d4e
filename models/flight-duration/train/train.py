"""The training job: fit a candidate on the manifest's parts, score it beside the champion, write both down.

Started by the command in job.yml. It trusts nothing that it is given, decides nothing about promotion, and ends
with one sentence and exit code 2 when its inputs are broken. The same manifest gives the same bytes.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import evaluate
import evaluation_file
import features
import model_file
import numpy as np
from data import BrokenInputError, Part, Rows, read_manifest, read_rows
from progress import Progress

NO_CHAMPION = "0"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the job; the exit code."""
    try:
        _run(_arguments(argv), Progress())
    except BrokenInputError as error:
        sys.stderr.write(f"training stopped: {error}\n")
        return 2
    return 0


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Train and evaluate one candidate.")
    for name, text in (
        ("manifest", "file that lists the parts of the data version"),
        ("parts", "folder of the accepted parts"),
        ("champion", "folder of the model in production"),
        ("model", "folder to write the candidate to"),
        ("evaluation", "folder to write evaluation.json to"),
    ):
        parser.add_argument(f"--{name}", type=Path, required=True, help=text)
    parser.add_argument("--champion-version", default=NO_CHAMPION, help="its registered version; 0: there is none")
    return parser.parse_args(argv)


def _run(paths: argparse.Namespace, progress: Progress) -> None:
    manifest = read_manifest(paths.manifest)
    champion = None if paths.champion_version == NO_CHAMPION else model_file.load(paths.champion)
    train = _rows(paths.parts, manifest.train, features.INPUTS, "train", progress)
    needed = {**features.INPUTS, **dict.fromkeys(evaluate.SLICES, "string"), **(champion.inputs if champion else {})}
    held_out = _rows(paths.parts, manifest.held_out, needed, "held_out", progress)

    inputs = features.matrix(train.table, features.INPUTS)
    candidate = features.fit(inputs, train.minutes, progress.iteration, features.ITERATIONS)
    sha256 = model_file.save(paths.model, candidate, features.INPUTS)
    size = (paths.model / model_file.MODEL).stat().st_size
    # What was written is what is scored: a model that does not survive its file must not be promoted.
    written = evaluate.Written(model_file.load(paths.model), sha256, size)
    predictions = {
        "candidate": _predict(written.loaded, held_out),
        "baseline": evaluate.route_medians(train, held_out),
    }
    if champion:
        predictions["champion"] = _predict(champion, held_out)
    rows = {"train": train, "held_out": held_out}
    document = evaluate.evaluation(manifest, rows, predictions, paths.champion_version, written)
    evaluation_file.write(paths.evaluation, document)
    for who in predictions:
        mae = document[who]["metrics"]["mae"]
        progress.line(f"{who}: {mae:.2f} minutes mean absolute error on {len(held_out.minutes)} held-out rows")
    progress.metrics(
        {f"{who}_{name}": value for who in predictions for name, value in document[who]["metrics"].items()}
    )


def _rows(folder: Path, parts: Sequence[Part], inputs: dict[str, str], what: str, progress: Progress) -> Rows:
    rows = read_rows(folder, parts, list(inputs))
    flown = len(rows.minutes)
    progress.line(f"{what}: {flown} rows of {len(parts)} parts, {rows.cancelled} cancelled flights left out")
    progress.metrics({f"{what}_rows": flown, f"{what}_cancelled": rows.cancelled})
    if not flown:
        raise BrokenInputError(f"{what}: no row with a time in the air")
    return rows


def _predict(loaded: model_file.Loaded, rows: Rows) -> np.ndarray:
    predicted: np.ndarray = loaded.model.predict(features.matrix(rows.table, loaded.inputs))
    return predicted


if __name__ == "__main__":
    sys.exit(main())
