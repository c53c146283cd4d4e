"""upkeep.yaml is read whole or refused with one sentence per mistake."""

from pathlib import Path

import pytest

from shared.domain.spec import Spec
from shared.errors import BadInput
from shared.operator.reading import environments, read_spec

GOOD = """\
version: 1
name: trips
data:
  time_column: at
  columns:
    at: {type: timestamp}
    fare: {type: float64, min: 0, max: 900}
    zone: {type: string, values: [a, b], max_length: 3}
  train_parts: 2
training: {job: job.yml}
gates: {metric: mae, direction: minimize, floor: 20}
rollout:
  endpoint: endpoint.yml
  deployment: deployment.yml
  sample_request: sample.json
  steps:
    - {traffic_pct: 10, hold_s: 60}
    - {traffic_pct: 100, hold_s: 60}
"""
OVERLAY = """\
environments:
  dev:
    rollout:
      steps: [{traffic_pct: 100, hold_s: 1}]
  prod: {}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("job.yml", "endpoint.yml", "deployment.yml", "sample.json"):
        (tmp_path / name).write_text("{}")
    return tmp_path


def read(folder: Path, text: str, environment: str | None = None) -> Spec:
    (folder / "upkeep.yaml").write_text(text)
    return read_spec(folder, environment)


def problems(folder: Path, text: str, environment: str | None = None) -> list[str]:
    with pytest.raises(BadInput) as caught:
        read(folder, text, environment)
    head = f"{folder / 'upkeep.yaml'}: "
    assert all(problem.startswith(head) for problem in caught.value.problems)
    return [problem.removeprefix(head) for problem in caught.value.problems]


def test_a_check_that_cannot_be_skipped_is_told(folder: Path) -> None:
    skipping = GOOD.replace("  steps:", "  analysis: {skip: [requests, latency, latency]}\n  steps:")
    first, second = problems(folder, skipping)
    assert first.startswith(
        "rollout.analysis.skip[0]: requests cannot be skipped; a stage with min_requests: 0 passes"
    )
    assert second.startswith('rollout.analysis.skip[2]: "latency" stands twice')


def test_a_right_file_becomes_a_spec_with_the_defaults_filled_in(folder: Path) -> None:
    spec = read(folder, GOOD)
    assert (spec.name, spec.gates.floor, spec.retrain.schedule, spec.poll_s) == ("trips", 20.0, None, 30)


def test_the_file_itself_may_be_named_in_place_of_its_folder(folder: Path) -> None:
    (folder / "upkeep.yaml").write_text(GOOD)
    assert read_spec(folder / "upkeep.yaml", None).name == "trips"


def test_an_overlay_replaces_lists_and_merges_maps(folder: Path) -> None:
    spec = read(folder, GOOD + OVERLAY, "dev")
    assert [step.traffic_pct for step in spec.rollout.steps] == [100]
    assert spec.rollout.endpoint == "endpoint.yml"


def test_without_an_environment_no_overlay_is_laid_over(folder: Path) -> None:
    assert len(read(folder, GOOD + OVERLAY).rollout.steps) == 2


def test_a_file_without_overlays_holds_in_every_environment(folder: Path) -> None:
    assert read(folder, GOOD, "prod").name == "trips"


def test_an_unknown_environment_is_told_with_those_there_are(folder: Path) -> None:
    assert problems(folder, GOOD + OVERLAY, "prd") == [
        'environments: has no "prd", only dev, prod; did you mean prod? (line 19)'
    ]


def test_the_names_of_the_overlays_can_be_asked_for(folder: Path) -> None:
    (folder / "upkeep.yaml").write_text(GOOD + OVERLAY)
    assert environments(folder) == ("dev", "prod")


def test_an_overlay_may_not_rename_the_model(folder: Path) -> None:
    text = GOOD + "environments: {dev: {name: other}}\n"
    assert problems(folder, text, "dev") == [
        "environments.dev.name: is the same in every environment; take it out (line 19)"
    ]


def test_a_mistake_in_an_overlay_is_told_where_it_was_written(folder: Path) -> None:
    text = GOOD + OVERLAY.replace("traffic_pct: 100", "traffic_pct: 140")
    assert problems(folder, text, "dev") == [
        "environments.dev.rollout.steps[0].traffic_pct: 140 is more than 100, the most that is allowed (line 22)"
    ]


def test_a_sensible_mistake_in_an_overlay_is_told_where_it_was_written(folder: Path) -> None:
    text = GOOD + OVERLAY.replace("traffic_pct: 100", "traffic_pct: 90")
    assert problems(folder, text, "dev") == [
        "environments.dev.rollout.steps[0].traffic_pct: 90 is the last step; the last one must give 100 (line 22)"
    ]


def test_a_mistake_left_of_an_overlay_keeps_its_own_place(folder: Path) -> None:
    text = GOOD.replace("time_column: at", "time_column: fare") + OVERLAY
    assert problems(folder, text, "dev") == [
        "data.time_column: fare is a column of type float64; it must be a timestamp (line 4)"
    ]


def test_all_mistakes_of_shape_are_told_at_once_in_the_order_of_their_lines(folder: Path) -> None:
    text = (
        GOOD.replace("name: trips", "nmae: trips")
        .replace("type: float64", "type: flot64")
        .replace("direction: minimize", "direction: down")
        .replace("traffic_pct: 10,", "traffic_pct: ten,")
    )
    assert problems(folder, text) == [
        "name: is missing (line 1)",
        "nmae: is not a key that there is here; did you mean name? (line 2)",
        (
            'data.columns.fare.type: must be int64, float64, string, bool or timestamp, not "flot64";'
            " did you mean float64? (line 7)"
        ),
        'gates.direction: must be maximize or minimize, not "down" (line 11)',
        'rollout.steps[0].traffic_pct: must be a whole number, not "ten" (line 17)',
    ]


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("version: 1", "version: 2", "version: must be 1, not the number 2 (line 1)"),
        (
            "name: trips",
            "name: Trips!",
            (
                'name: "Trips!" will not do: 3 to 24 characters: lower-case letters,'
                " digits and hyphens, a letter first. (line 2)"
            ),
        ),
        (
            "time_column: at",
            "time_column: att",
            'data.time_column: "att" is none of the columns; did you mean at? (line 4)',
        ),
        (
            "at: {type: timestamp}",
            "at: {type: timestamp, nullable: true}",
            "data.time_column: at is nullable; every row needs its time (line 4)",
        ),
        ("min: 0, max: 900", "min: 9, max: 1", "data.columns.fare.min: 9 is more than max, 1 (line 7)"),
        (
            "min: 0, max: 900",
            "max: .inf",
            "data.columns.fare.max: must be a finite number, not the number inf (line 7)",
        ),
        (
            "min: 0, max: 900",
            "values: [a]",
            "data.columns.fare.values: is for columns of type string, and this one is of type float64 (line 7)",
        ),
        (
            "min: 0, max: 900",
            "max_length: 3",
            "data.columns.fare.max_length: is for columns of type string, and this one is of type float64 (line 7)",
        ),
        (
            "max_length: 3",
            "min: 3",
            "data.columns.zone.min: bounds numbers, and this column is of type string (line 8)",
        ),
        ("[a, b]", "[a, a]", 'data.columns.zone.values[1]: "a" stands twice (line 8)'),
        (
            "[a, b]",
            "[]",
            "data.columns.zone.values: is empty: no value would be right; leave it out to allow any (line 8)",
        ),
        ("[a, b]", "[a, abcd]", 'data.columns.zone.values[1]: "abcd" is longer than max_length, 3 (line 8)'),
        (
            "[a, b]",
            "[a, no]",
            (
                "data.columns.zone.values[1]: must be text, not the truth value false;"
                " put quotes around it if text is meant (line 8)"
            ),
        ),
        (
            "train_parts: 2",
            "train_parts: 2\n  batch: {min_parts: 4}",
            (
                "data.batch.min_parts: 4 fresh parts are more than the 3 that a training reads"
                " (train_parts + held_out_parts): the oldest would never be used (line 10)"
            ),
        ),
        ("job: job.yml", "job: jobs.yml", 'training.job: there is no file "jobs.yml" in {folder} (line 10)'),
        ("job: job.yml", "job: ../job.yml", 'training.job: "../job.yml" leads out of the model\'s folder (line 10)'),
        (
            "job: job.yml",
            "job: /job.yml",
            'training.job: "/job.yml" will not do: a path inside the model\'s folder (line 10)',
        ),
        (
            "training: {job: job.yml}",
            "training:",
            "training: must be a mapping with keys such as job, not nothing (line 10)",
        ),
        (
            "traffic_pct: 10,",
            "traffic_pct: 140,",
            "rollout.steps[0].traffic_pct: 140 is more than 100, the most that is allowed (line 17)",
        ),
        (
            "traffic_pct: 10,",
            "traffic_pct: 100,",
            "rollout.steps[1].traffic_pct: 100 is not more than 100, the step before; steps rise (line 18)",
        ),
        (
            "traffic_pct: 100",
            "traffic_pct: 90",
            "rollout.steps[1].traffic_pct: 90 is the last step; the last one must give 100 (line 18)",
        ),
        (
            "100, hold_s: 60",
            "100, hold_s: 90000",
            "rollout.steps[1].hold_s: 90000 is more than rollout.max_hold_s, 86400 (line 18)",
        ),
        (
            "rollout:",
            "retrain: {schedule: '0 0 3 * * 1'}\nrollout:",
            'retrain.schedule: "0 0 3 * * 1" has 6 fields; cron has 5: minute hour day month weekday (line 12)',
        ),
        (
            "rollout:",
            "registry: {name: m, mode: take}\nrollout:",
            (
                'registry.name: "m" will not do: the name of an Azure ML registry: 3 to 33 letters, digits,'
                " hyphens or underscores. (line 12)"
            ),
        ),
        (
            "rollout:",
            "registry: {name: models, mode: take}\nretrain: {schedule: '0 3 * * 1'}\nrollout:",
            (
                "retrain.schedule: would never train: registry.mode is take, so versions come from the registry;"
                " make it null here (line 13)"
            ),
        ),
        (
            "rollout:",
            "retrain: {schedule: '61 3 * * 1'}\nrollout:",
            'retrain.schedule: "61 3 * * 1" is no cron expression; "0 3 * * 1" is every Monday at 3:00 UTC (line 12)',
        ),
        (
            "rollout:",
            "freezes: [{days: [sat], time_zone: Mars/Olympus}]\nrollout:",
            'freezes[0].time_zone: "Mars/Olympus" is no time zone; "Europe/Berlin" is one (line 12)',
        ),
        (
            "rollout:",
            "alerts: {slow: restart}\nrollout:",
            'alerts.slow: must be retrain, rollback or pause, not "restart" (line 12)',
        ),
        ("name: trips", "name: trips\nname: trips", "name: stands twice, in lines 2 and 3; keep one (line 2)"),
        (
            "metric: mae",
            "metric: !!python/object:os.system mae",
            (
                "is not YAML: could not determine a constructor for"
                " the tag 'tag:yaml.org,2002:python/object:os.system' (line 11)"
            ),
        ),
        ("name: trips", "<<: {name: trips}", "keys must be plain words; merge keys (<<) are not read (line 1)"),
        ("train_parts: 2", "train_parts: &a [*a]", "is not YAML: is too deep or too large (line 9)"),
    ],
)
def test_one_mistake_is_one_sentence_with_its_place(folder: Path, before: str, after: str, told: str) -> None:
    assert before in GOOD
    assert problems(folder, GOOD.replace(before, after, 1)) == [told.replace("{folder}", str(folder))]


def test_an_empty_list_of_steps_is_refused(folder: Path) -> None:
    head, _, _ = GOOD.partition("  steps:")
    assert problems(folder, head + "  steps: []\n") == [
        "rollout.steps: is empty; the last step must give 100 % of the traffic (line 16)"
    ]


def test_aliases_that_multiply_without_end_are_refused(folder: Path) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    [told] = problems(folder, "\n".join(lines))
    assert "too deep or too large" in told


@pytest.mark.parametrize(("text", "told"), [("", "the file is empty (line 1)"), ("- a", "must be a mapping")])
def test_a_file_that_is_no_mapping_is_refused(folder: Path, text: str, told: str) -> None:
    assert told in problems(folder, text)[0]


def test_broken_yaml_is_told_with_its_line(folder: Path) -> None:
    [told] = problems(folder, "version: 1\nname: [trips\ndata: {}\n")
    assert told.startswith("is not YAML: ")
    assert told.endswith("(line 3)")


def test_a_missing_file_is_told_by_its_path(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"upkeep\.yaml: there is no such file"):
        read_spec(tmp_path / "nowhere" / "upkeep.yaml", None)


def test_a_file_that_is_not_text_is_refused(folder: Path) -> None:
    (folder / "upkeep.yaml").write_bytes(b"version: \xff")
    with pytest.raises(BadInput, match="is not UTF-8 text: byte 9 is 0xff"):
        read_spec(folder, None)
