"""The example's training job, end to end on a few thousand real flights, with parts made by the intake."""

import csv
import dataclasses
import importlib
import io
import itertools
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from localcloud import flights
from shared.domain.analysis import Finding
from shared.domain.base import canonical
from shared.domain.case import Case
from shared.domain.evaluation import Evaluation
from shared.domain.gates import judge
from shared.domain.manifest import Manifest, Part, seal
from shared.domain.spec import Data
from shared.intake.reading import read
from shared.operator.reading import read_spec
from tests.unit.domain.judged import CHAMPION

MODEL = Path(__file__).resolve().parents[2] / "models" / "flight-duration"
LEAKS = {"dep_time", "dep_delay", "arr_time", "arr_delay", "air_time"}
ROWS = 1_500


@dataclasses.dataclass(frozen=True)
class World:
    """Two accepted parts of January, and the manifest that holds the later one out."""

    folder: Path
    data: Data
    parts: tuple[Part, Part]
    manifest: Manifest
    cancelled: int

    def train(self, *more: str, manifest: bytes | None = None, out: str = "out") -> int:
        """Run the job; its exit code."""
        path = self.folder / "manifest.json"
        path.write_bytes(canonical(self.manifest) if manifest is None else manifest)
        paths = {"manifest": path, "parts": self.folder / "parts", "champion": self.folder}
        paths |= {name: self.folder / out / name for name in ("model", "evaluation")}
        given = [text for name, value in paths.items() for text in (f"--{name}", str(value))]
        return importlib.import_module("train").main([*given, *more])

    def model(self, out: str) -> bytes:
        """The model file that the job wrote."""
        return (self.folder / out / "model/model.skops").read_bytes()

    def evaluation(self, out: str = "out") -> Evaluation:
        """What the job wrote, read as Upkeep reads it."""
        return msgspec.json.decode((self.folder / out / "evaluation/evaluation.json").read_bytes(), type=Evaluation)


@pytest.fixture(scope="module", autouse=True)
def _training_code() -> Iterator[None]:
    """The job runs in train/; its modules have plain names there, and must not stay for other tests."""
    sys.path.insert(0, str(MODEL / "train"))
    own = {path.stem for path in (MODEL / "train").glob("*.py")}
    yield
    sys.path.remove(str(MODEL / "train"))
    for name in own:
        sys.modules.pop(name, None)


@pytest.fixture(scope="module")
def january() -> list[flights.Row]:
    """The first flights in the order of their departure: the package's file has each day's cancelled ones last."""
    return sorted(itertools.islice(flights.rows([1]), 2 * ROWS), key=lambda row: row["time_hour"])


@pytest.fixture
def world(tmp_path: Path, january: list[flights.Row], monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(importlib.import_module("features"), "ITERATIONS", 31)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    (tmp_path / "parts").mkdir()
    data = read_spec(MODEL, "local").data
    parts = tuple(accept(rows, data, tmp_path / "parts") for rows in (january[:ROWS], january[ROWS:]))
    manifest = seal("flight-duration", data, parts)
    assert manifest
    return World(tmp_path, data, parts, manifest, sum(not row["air_time"] for row in january[ROWS:]))


def accept(rows: list[flights.Row], data: Data, folder: Path) -> Part:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    reading = read([text.getvalue().encode()], data, folder / "waiting")
    assert reading.part
    (folder / "waiting").rename(folder / f"{reading.part.name}.parquet")
    return reading.part


def test_a_first_candidate_is_scored_beside_the_baseline_only(world: World):
    assert world.train() == 0
    told = world.evaluation()
    assert told.champion is None
    assert told.paired is None
    assert {each.champion for each in told.slices} == {None}
    assert told.baseline
    assert 0 < (told.candidate.metrics["mae"] or 0) < 30


def test_the_evaluation_names_the_data_version_that_upkeep_sealed(world: World):
    world.train()
    assert world.evaluation().data_version == world.manifest.version


def test_the_judge_can_use_what_the_job_tells(world: World):
    spec = read_spec(MODEL, "local")
    lenient = msgspec.structs.replace(spec.gates, min_rows=100, min_groups=2, slices=None)
    sample = (MODEL / spec.rollout.sample_request).read_text()
    case = Case(manifest=world.manifest, columns=spec.data.columns, sample=sample)
    world.train(out="first")
    assert judge(lenient, world.evaluation("first"), case).usable
    world.train("--champion", str(world.folder / "first/model"), "--champion-version", "1")
    verdict = judge(lenient, world.evaluation(), msgspec.structs.replace(case, champion=CHAMPION))
    assert verdict.usable, verdict.text
    assert verdict.outcome is Finding.FAIL, "a copy is no better"


def test_rows_of_both_models_are_summed_by_day(world: World, january: list[flights.Row]):
    world.train(out="first")
    world.train("--champion", str(world.folder / "first/model"), "--champion-version", "1")
    paired = world.evaluation().paired
    assert paired
    assert paired.groups
    flown = [row["time_hour"][:10] for row in january[ROWS:] if row["air_time"]]
    assert (paired.groups.by, paired.groups.rows) == ("day", tuple(Counter(sorted(flown)).values()))


def test_no_held_out_flight_is_trained_on(world: World):
    world.train()
    leakage = world.evaluation().leakage
    assert leakage
    assert leakage.overlapping_rows == 0
    assert leakage.train_until
    assert leakage.held_out_from
    assert leakage.train_until <= leakage.held_out_from


def test_cancelled_flights_are_left_out_of_the_held_out_rows(world: World):
    world.train()
    assert world.cancelled > 0
    assert world.evaluation().held_out.rows == ROWS - world.cancelled


def test_cancelled_flights_are_counted_in_the_log(world: World, capsys: pytest.CaptureFixture[str]):
    world.train()
    assert f"{world.cancelled} cancelled flights left out" in capsys.readouterr().out


def test_a_champion_that_is_the_candidate_itself_differs_by_nothing(world: World):
    world.train(out="first")
    world.train("--champion", str(world.folder / "first/model"), "--champion-version", "1")
    told = world.evaluation()
    assert told.champion
    assert told.champion.metrics == told.candidate.metrics
    assert told.paired
    assert (told.paired.mean_difference, told.paired.standard_deviation) == (0, 0)


def test_the_same_manifest_gives_the_same_bytes_and_numbers(world: World):
    world.train(out="one")
    world.train(out="two")
    assert world.model("one") == world.model("two")
    one, two = (msgspec.structs.replace(world.evaluation(name), scoring=None) for name in ("one", "two"))
    assert one == two


def test_the_inputs_hold_nothing_that_is_known_only_after_departure():
    assert not LEAKS & set(importlib.import_module("features").INPUTS)


def test_how_the_flights_went_does_not_reach_the_model(world: World, january: list[flights.Row]):
    late = [{**row, "dep_delay": "99", "arr_delay": "99", "dep_time": "1", "arr_time": "1"} for row in january[:ROWS]]
    other = accept(late, world.data, world.folder / "parts")
    assert other.name != world.parts[0].name
    world.train(out="one")
    world.train(manifest=sealed(world.data, other, world.parts[1]), out="two")
    assert world.model("one") == world.model("two")


def test_a_file_in_the_folder_that_the_manifest_does_not_list_is_not_read(world: World):
    (world.folder / "parts" / f"{'0' * 32}.parquet").write_bytes(b"not a part of this version")
    assert world.train() == 0


def sealed(data: Data, *parts: Part) -> bytes:
    """The manifest over these parts, as Upkeep writes it."""
    manifest = seal("flight-duration", data, parts)
    assert manifest
    return canonical(manifest)


def broken(world: World, case: str) -> dict[str, bytes]:
    """Spoil the world in one way; the manifest to use when it is that which is broken."""
    text = canonical(world.manifest)
    held_out = world.folder / "parts" / f"{world.manifest.held_out[0]}.parquet"
    match case:
        case "not JSON":
            return {"manifest": b"{"}
        case "another schema":
            return {"manifest": text.replace(b"upkeep.manifest/1", b"upkeep.manifest/9")}
        case "no held-out parts":
            return {"manifest": canonical(msgspec.structs.replace(world.manifest, held_out=()))}
        case "a part outside the folder":
            return {"manifest": text.replace(world.manifest.train[0].encode(), b"../../etc/passwd")}
        case "other rows than it says":
            return {"manifest": text.replace(b'"rows":1500', b'"rows":1499')}
        case "a part that is missing":
            held_out.unlink()
        case "a part that is cut off":
            held_out.write_bytes(held_out.read_bytes()[:1000])
        case "a champion that is missing":
            pass
    return {}


@pytest.mark.parametrize(
    "case",
    [
        "not JSON",
        "another schema",
        "no held-out parts",
        "a part outside the folder",
        "other rows than it says",
        "a part that is missing",
        "a part that is cut off",
        "a champion that is missing",
    ],
)
def test_broken_inputs_end_the_job_with_one_sentence(world: World, case: str, capsys: pytest.CaptureFixture[str]):
    champion = ("--champion-version", "7") if case == "a champion that is missing" else ()
    assert world.train(*champion, **broken(world, case)) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("training stopped: ")
    assert not (world.folder / "out/evaluation").exists()


def test_held_out_rows_without_one_flown_flight_end_the_job(world: World, january: list[flights.Row]):
    grounded = accept([{**row, "air_time": ""} for row in january[ROWS:]], world.data, world.folder / "parts")
    assert world.train(manifest=sealed(world.data, world.parts[0], grounded)) == 2
