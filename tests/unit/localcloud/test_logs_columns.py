"""Column types: what is declared, what is guessed from JSON."""

import pytest

from localcloud.loganalytics.columns import declared, inferred


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([1, 2], "long"),
        ([1, 2.5], "real"),
        ([True, None], "bool"),
        (["a"], "string"),
        ([{"a": 1}, [1]], "dynamic"),
        ([1, "a"], "string"),
        ([True, 1], "string"),
    ],
)
def test_a_column_gets_the_narrowest_type_that_holds_its_values(values: list[object], kind: str) -> None:
    assert inferred([{"x": value} for value in values])["x"] == kind


def test_a_column_of_nulls_is_left_out() -> None:
    assert "x" not in inferred([{"x": None}])


def test_every_table_has_its_time() -> None:
    assert declared([]) == {"TimeGenerated": "datetime"}


def test_a_rules_own_spellings_of_types_are_understood() -> None:
    assert declared([{"name": "Ok", "type": "boolean"}, {"name": "Mae", "type": "double"}]) == {
        "TimeGenerated": "datetime",
        "Ok": "bool",
        "Mae": "real",
    }


def test_an_unknown_type_is_refused_by_the_columns_name() -> None:
    with pytest.raises(ValueError, match="'Mae'"):
        declared([{"name": "Mae", "type": "number"}])
