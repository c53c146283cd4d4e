"""The check against published types: what is told of a resource's properties, kinds and versions."""

import pytest

from tests.unit.infra_check.world import BOX, World, box


def test_a_sound_file_has_no_problem(world: World) -> None:
    assert world.problems(box("labels: ['a', location]")) == []


@pytest.mark.parametrize(
    ("extra", "words"),
    [
        ("closd: true", "has no property 'closd'; did you mean 'closed'?"),
        ("closed: 'yes'", "'Microsoft.Test/boxes.properties.closed' must be a bool, not a string"),
        ("count: location", "must be an int, not a string"),
        ("count: 0", "is 0 and must be at least 1"),
        ("labels: 'a'", "must be an array, not a string"),
        ("labels: [1]", "labels[0]' must be a string, not an int"),
        ("labels: [for each in range(0, 3): each]", "labels[]' must be a string, not an int"),
        ("state: 'new'", "'Microsoft.Test/boxes.properties.state' is read-only"),
        ("wood: 'Baech'", "may not be 'Baech'; did you mean 'Beech'?"),
        ("closed: location == 'a' ? true : 'no'", "must be a bool, not a string"),
        ("form: { kind: 'Oval' }", "may not be 'Oval'; it must be one of 'Round', 'Square'"),
        ("form: { kind: 'Round', side: 1, radius: 2 }", "has no property 'side'"),
        ("form: { kind: 'Round' }", "lacks the required property 'radius'"),
        ("form: { label: 'x' }", "needs 'kind', which says its kind: Round, Square"),
    ],
)
def test_a_wrong_property_is_told_with_its_line(world: World, extra: str, words: str) -> None:
    problem = world.one(box(extra))
    assert problem.startswith("main.bicep:")
    assert words in problem


@pytest.mark.parametrize(
    "extra",
    [
        "wood: 'Mahogany'",
        "form: { kind: 'Square', side: 2, label: 'x' }",
        "closed: null",
        "count: length(location)",
        "labels: location == 'a' ? [] : [location]",
    ],
)
def test_what_azure_takes_is_no_problem(world: World, extra: str) -> None:
    assert world.problems(box(extra)) == []


def test_a_value_outside_a_closed_enumeration_is_told(world: World) -> None:
    assert "may not be 'Gren'; did you mean 'Green'?" in world.one(box("").replace("'Red'", "'Gren'"))


def test_a_missing_required_property_is_told(world: World) -> None:
    assert "lacks the required property 'color'" in world.one(box("").replace("color: 'Red'", ""))


def test_an_unknown_type_is_told_with_the_nearest(world: World) -> None:
    assert "did you mean 'Microsoft.Test/boxes'?" in world.one(
        BOX.replace("EXTRA", "").replace("Test/boxes", "Test/boxs")
    )


def test_an_unknown_api_version_is_told_with_the_known_ones(world: World) -> None:
    problem = world.one(box("").replace("2024-01-01", "2023-09-09"))
    assert "no API version '2023-09-09'" in problem
    assert "2024-01-01" in problem


def test_a_nested_resource_has_the_type_and_version_of_its_parents(world: World) -> None:
    nested = "}\n  resource lid 'lids' = {\n    name: 'lid'\n    properties: {\n      heavi: true\n    }"
    assert "has no property 'heavi'; did you mean 'heavy'?" in world.one(
        box("").replace("    \n  }\n}", f"  {nested}\n  }}\n}}")
    )


def test_a_property_that_is_read_must_exist(world: World) -> None:
    problem = world.one(box("") + "output state string = box.properties.stat\n")
    assert "has no property 'stat'; did you mean 'state'?" in problem


def test_an_existing_resource_needs_its_name_only(world: World) -> None:
    text = (
        "resource box 'Microsoft.Test/boxes@2024-01-01' existing = {\n  name: 'box'\n}\noutput id string = box.id\n"
    )
    assert world.problems(text) == []


def test_a_name_is_measured_with_the_parameters_filled_in(world: World) -> None:
    end = "@description('x')\nparam end string = '1234567890'\n"
    assert "longer than 12 characters" in world.one(box("").replace("name: 'box'", "name: 'box-${end}'") + end)


def test_an_extension_may_have_a_scope_and_another_resource_may_not(world: World) -> None:
    lock = "resource lock 'Microsoft.Test/locks@2024-01-01' = {\n  scope: box\n  name: 'lock'\n}\n"
    assert world.problems(box("") + lock) == []
    child = lock.replace("locks@", "boxes/lids@").replace("lock'", "lid'")
    assert any("cannot be made on another resource" in problem for problem in world.problems(box("") + child))


def test_without_a_folder_of_types_the_rest_is_checked(world: World) -> None:
    assert world.problems(box("closd: true"), typed=False) == []
    assert "no 'nowhere' here" in world.one(box("closed: nowhere"), typed=False)


NESTED = box("").replace(
    "    \n  }\n}",
    "  }\n  resource lid 'lids' = {\n    name: 'lid'\n    properties: {\n      heavy: true\n    }\n  }\n}",
)


def test_a_nested_resource_is_reached_by_two_colons(world: World) -> None:
    assert world.problems(NESTED + "output lid bool = box::lid.properties.heavy\n") == []


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("box::lit.properties.heavy", "no nested resource is called 'lit'"),
        ("box::lid.properties.heavi", "has no property 'heavi'; did you mean 'heavy'?"),
        ("box::lid.name", "'lid' must be a bool, not a string"),
    ],
)
def test_what_is_read_of_a_nested_resource_must_be_there(world: World, value: str, words: str) -> None:
    assert words in "\n".join(world.problems(NESTED + f"output lid bool = {value}\n"))


def test_a_child_by_its_parent_needs_no_slashes_in_its_name(world: World) -> None:
    child = "resource lid 'Microsoft.Test/boxes/lids@2024-01-01' = {\n  parent: box\n  name: 'lid'\n}\n"
    assert world.problems(box("") + child) == []
    assert "give it a parent" in world.one(box("") + child.replace("  parent: box\n", ""))
