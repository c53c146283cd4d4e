"""Plays the demo's year without a cloud: every training of the drop plan, on the real months, by train.py itself.

Run by hand (`python models/flight-duration/rehearse.py`) after a change to the model; prints the table of README.md.
Parts are made by Upkeep's intake, manifests sealed and candidates judged by Upkeep's own rules; there is no rollout.
"""

import contextlib
import io
import os
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pyarrow.compute as pc
import pyarrow.parquet as pq
import yaml

# As in job.yml, and before scikit-learn is there: threads that spin while they wait slow a busy machine down.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE / "train"), str(HERE.parents[1])]

import features  # noqa: E402 - found on the path made above
import model_file  # noqa: E402
import train  # noqa: E402

from localcloud import flights  # noqa: E402
from shared.domain import gates, names  # noqa: E402
from shared.domain.base import canonical  # noqa: E402
from shared.domain.case import Case  # noqa: E402
from shared.domain.evaluation import Evaluation, Scores  # noqa: E402
from shared.domain.manifest import Manifest, Part, seal  # noqa: E402
from shared.domain.record import Serving  # noqa: E402
from shared.domain.spec import Document  # noqa: E402
from shared.intake.reading import read  # noqa: E402

CANARY_FAILS = "Its canary is made to fail."
# Months dropped together, and what else happens. November alone is one fresh part: no batch, so the alert trains.
PLAN = (
    ((1, 2), ""),
    ((3, 4), ""),
    ((5, 6), CANARY_FAILS),
    ((7, 8), ""),
    ((9, 10), ""),
    ((11,), "Trained on the alert."),
)


@dataclass(frozen=True)
class Live:
    """The model in production: where it lies, its release, its error when it was judged."""

    folder: Path
    release: int
    mae: float


def accept(spec: Document, source: Path, folder: Path) -> Part:
    """A month's CSV file as an accepted part."""
    waiting = folder / "waiting.parquet"
    reading = read([source.read_bytes()], spec.data, waiting)
    if reading.part is None:
        raise SystemExit(f"{source.name} breaks the contract")
    waiting.rename(folder / f"{reading.part.name}.parquet")
    return reading.part


def run(work: Path, release: int, manifest: Manifest, live: Live | None) -> Evaluation:
    """One job, as job.yml starts it; its evaluation."""
    (work / "manifest.json").write_bytes(canonical(manifest))
    out = work / f"release-{release}"
    code = train.main(
        ["--manifest", str(work / "manifest.json"), "--parts", str(work / "parts"),
         "--champion", str(live.folder if live else work), "--champion-version", str(live.release if live else 0),
         "--model", str(out / "model"), "--evaluation", str(out / "evaluation")]
    )  # fmt: skip
    if code:
        raise SystemExit(code)
    return msgspec.json.decode((out / "evaluation" / "evaluation.json").read_bytes(), type=Evaluation)


def real_errors(live: Live, folder: Path, parts: Sequence[Part]) -> str:
    """What the live model is off by on all flights of each of these months, as its users meet it."""
    loaded = model_file.load(live.folder)
    errors = []
    for part in parts:
        table = pq.read_table(folder / f"{part.name}.parquet")
        flown = table.filter(pc.is_valid(table["air_time"]))
        predicted = loaded.model.predict(features.matrix(flown, loaded.inputs))
        errors.append(float(abs(predicted - flown["air_time"].to_numpy()).mean()))
    return ", ".join(f"{error:.2f} ({error / live.mae:.2f} x)" for error in errors)


def serving(live: Live) -> Serving:
    """The live model as the gates know it; only its version matters to them."""
    return Serving(
        release=live.release,
        version=live.release,
        deployment=names.deployment(live.release),
        job=names.job("flight-duration", live.release, 1),
        artifact="",
        publication="",
        since=datetime(2013, 1, 1, tzinfo=UTC),
    )


def mae(scores: Scores | None) -> str:
    """An error for the table."""
    return f"{scores.metrics['mae']:.2f}" if scores else "none"


def main() -> None:
    """Print one row for each release."""
    spec = msgspec.convert(yaml.safe_load((HERE / "upkeep.yaml").read_text()), Document)
    print("| release | months dropped | live error on them (x reference) | candidate | champion | baseline", end="")
    print(" | held-out rows | outcome |\n|" + "---|" * 8)
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        (work / "parts").mkdir()
        parts = tuple(accept(spec, path, work / "parts") for path in flights.write_months(work / "csv"))
        live: Live | None = None
        for release, (dropped, event) in enumerate(PLAN, 1):
            drift = real_errors(live, work / "parts", parts[dropped[0] - 1 : dropped[-1]]) if live else ""
            manifest = seal(spec.name, spec.data, parts[: dropped[-1]])
            assert manifest
            with contextlib.redirect_stdout(io.StringIO()):
                told = run(work, release, manifest, live)
            case = Case(
                manifest=manifest,
                champion=serving(live) if live else None,
                columns=spec.data.columns,
                sample=(HERE / spec.rollout.sample_request).read_text(),
            )
            verdict = gates.judge(spec.gates, told, case)
            months, said = (
                ", ".join(map(str, dropped)),
                f"{verdict.outcome}: {verdict.text}",
            )
            cells = (str(release), months, drift, mae(told.candidate), mae(told.champion), mae(told.baseline))
            print(f"| {' | '.join(cells)} | {told.held_out.rows} | {said} {event} |", flush=True)
            if verdict.passed and event != CANARY_FAILS:
                live = Live(work / f"release-{release}" / "model", release, told.candidate.metrics["mae"] or 0.0)


if __name__ == "__main__":
    main()
