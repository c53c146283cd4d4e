"""Small, valid values for tests to begin with."""

from datetime import UTC, datetime, timedelta

import msgspec

from shared.domain.events import DataArrived
from shared.domain.manifest import Part
from shared.domain.publication import Monitor, Publication, ServingAssets, TrainingAssets
from shared.domain.spec import AlertResponse, Batch, Column, ColumnType, Data, Retrain, Rollout, Spec, Step, Training
from shared.domain.spec_gates import Gates

MODEL = "flights"
ENDPOINT = "flights"
MONITOR = "flights-monitor"


def a_spec() -> Spec:
    """A spec whose rollout takes minutes of virtual time."""
    return Spec(
        version=1,
        name=MODEL,
        data=Data(
            time_column="at",
            columns={"at": Column(type=ColumnType.TIMESTAMP), "minutes": Column(type=ColumnType.FLOAT64)},
            batch=Batch(min_parts=1, min_rows=100, max_age_s=86_400),
            train_parts=2,
            held_out_parts=1,
        ),
        training=Training(job="train/job.yml", timeout_s=3_600, max_attempts=2),
        gates=Gates(metric="mae", direction="minimize", floor=15.0, min_improvement_pct=2.0, min_rows=1_000),
        rollout=Rollout(
            endpoint="score/endpoint.yml",
            deployment="score/deployment.yml",
            sample_request="sample-request.json",
            steps=tuple(Step(traffic_pct=pct, hold_s=120, min_requests=30) for pct in (10, 50, 100)),
            bake_s=300,
            log_lag_s=30,
            max_hold_s=3_600,
        ),
        retrain=Retrain(cooldown_s=0, max_runs_per_day=100),
        alerts={
            "error-rate": AlertResponse.ROLLBACK,
            "mae": AlertResponse.RETRAIN,
            "outage": AlertResponse.PAUSE,
        },
        poll_s=30,
    )


def a_publication(spec: Spec | None = None) -> Publication:
    """A publication of the spec, with ids that look like Azure's."""
    workspace = "/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w"
    return Publication(
        spec=spec or a_spec(),
        training=TrainingAssets(
            command="python train.py",
            code_id=f"{workspace}/codes/c/versions/1",
            environment_id=f"{workspace}/environments/train/versions/1",
            compute="cpu-cluster",
        ),
        serving=ServingAssets(
            endpoint=ENDPOINT,
            code_id=f"{workspace}/codes/s/versions/1",
            scoring_script="score.py",
            environment_id=f"{workspace}/environments/score/versions/1",
            instance_type="Standard_DS3_v2",
        ),
        sample_request='{"data": []}',
        monitors=(Monitor(name=MONITOR, document="{}", endpoint=ENDPOINT, stand_in="r0001", content="c"),),
    )


def rolled_out(**changes: object) -> Publication:
    """The same with another rollout."""
    spec = a_spec()
    return a_publication(msgspec.structs.replace(spec, rollout=msgspec.structs.replace(spec.rollout, **changes)))


def a_part(month: int, rows: int = 1_000) -> Part:
    """A part that covers one month, counted from January 2025."""
    start = datetime(2025, 1, 1, tzinfo=UTC) + timedelta(days=31 * (month - 1))
    return Part(name=f"{month:032x}", rows=rows, start=start, end=start + timedelta(days=30))


def data_arrived(month: int, at: datetime) -> DataArrived:
    """The intake's word that a month was accepted."""
    return DataArrived(at=at, part=a_part(month), source=f"{month}.csv")
