"""Gates and evaluation.json are documented, field by field and metric by metric."""

import re
from pathlib import Path

import msgspec
import pytest

from shared.adapters.blob_archive import read_evaluation
from shared.domain import evaluation, spec_gates
from shared.domain.metrics import STANDARD, Metric
from shared.domain.spec import Approval

DOCS = Path(__file__).parents[3] / "docs" / "reference"


def fields(*structs: type[msgspec.Struct]) -> list[str]:
    return [field.name for struct in structs for field in msgspec.structs.fields(struct)]


@pytest.mark.parametrize("name", fields(spec_gates.Gates, spec_gates.Bound, spec_gates.Slices, spec_gates.Leaks))
def test_every_setting_of_the_gates_is_documented(name: str) -> None:
    assert re.search(rf"`(leaks\.)?{name}`", (DOCS / "gates.md").read_text())


@pytest.mark.parametrize("name", [name for name in fields(Approval) if name not in ("required", "expires_s")])
def test_every_rule_of_approval_is_documented(name: str) -> None:
    assert f"| `{name}` |" in (DOCS / "gates.md").read_text()


@pytest.mark.parametrize("metric", STANDARD.values(), ids=STANDARD)
def test_every_metric_is_documented_with_its_loss(metric: Metric) -> None:
    table = (DOCS / "gates.md").read_text().partition("| metric | task |")[2].splitlines()
    [row] = [line for line in table if f"`{metric.name}`" in line.split(" | ")[0]]
    by = f"`{metric.loss}`" if metric.loss else "bootstrap"
    assert ("the loss of the same name" if metric.loss == metric.name else by) in row


@pytest.mark.parametrize(
    "name",
    fields(
        evaluation.Evaluation,
        evaluation.HeldOut,
        evaluation.Paired,
        evaluation.Groups,
        evaluation.Resampled,
        evaluation.Slice,
        evaluation.Leakage,
        evaluation.Scoring,
        evaluation.Artifact,
    ),
)
def test_every_field_of_an_evaluation_is_documented(name: str) -> None:
    assert re.search(rf'"{name}"|`{name}`', (DOCS / "evaluation.md").read_text())


def test_the_example_of_an_evaluation_is_one() -> None:
    example = (DOCS / "evaluation.md").read_text().split("```json\n")[1].split("```")[0]
    seen = read_evaluation(example.replace(", …", "").encode())
    assert seen.evaluation is not None, seen.problem
