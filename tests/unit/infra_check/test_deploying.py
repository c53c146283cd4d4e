"""The check with parameters filled in: what only shows when the files are run, and the files of parameters."""

import json

import pytest

from infra.check.deployed import deployments
from infra.check.project import Project
from tests.unit.infra_check.world import World, box

PARTS = "@description('Which.')\nparam parts array = ['a', 'b']\n"


def deployed(world: World, text: str) -> dict[str, object]:
    assert world.problems(text, typed=False) == []
    [(_, deployment)] = deployments(Project(world.folder))
    return deployment.outputs


def test_text_is_put_together(world: World) -> None:
    assert deployed(world, "output o string = '${toUpper('a')}-${1 + 2 * 3}'\n") == {"o": "A-7"}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("union({ a: 1 }, { b: 2 })", {"a": 1, "b": 2}),
        ("toObject(['a', 'b'], x => x, x => '${x}!')", {"a": "a!", "b": "b!"}),
        ("{ first: first(split('a,b', ',')), last: last(['x', 'y']) }", {"first": "a", "last": "y"}),
        ("{ sum: reduce([1, 2, 3], 0, (a, b) => a + b) }", {"sum": 6}),
        (
            "{ names: map(filter([{ n: 'a', ok: true }, { n: 'b', ok: false }], x => x.ok), x => x.n) }",
            {"names": ["a"]},
        ),
        (
            "{ empty: empty(''), has: contains(['a'], 'a'), none: null ?? 'x' }",
            {"empty": True, "has": True, "none": "x"},
        ),
        ("loadJsonContent('data.json')", {"a": [1]}),
    ],
)
def test_functions_give_what_bicep_gives(world: World, value: str, expected: object) -> None:
    world.folder.mkdir(parents=True)
    (world.folder / "data.json").write_text('{"a": [1]}')
    assert deployed(world, f"output o object = {value}\n") == {"o": expected}


def test_a_loop_makes_a_resource_for_each(world: World) -> None:
    text = (
        PARTS + "resource box 'Microsoft.Test/boxes@2024-01-01' = [for part in parts: {\n  name: 'box-${part}'\n}]\n"
    )
    assert world.problems(text, typed=False) == []
    [(_, deployment)] = deployments(Project(world.folder))
    assert [made.name for made in deployment.of_type("microsoft.test/BOXES")] == ["box-a", "box-b"]


def test_a_resource_whose_condition_is_false_is_not_made(world: World) -> None:
    text = (
        "resource box 'Microsoft.Test/boxes@2024-01-01' = if (false) {\n  name: 'box'\n}\noutput id string = box.id\n"
    )
    assert world.problems(text, typed=False) == []
    [(_, deployment)] = deployments(Project(world.folder))
    assert deployment.resources == []


def test_the_output_of_a_module_that_is_not_deployed_is_told(world: World) -> None:
    text = "module part 'modules/part.bicep' = if (false) {\n  name: 'part'\n}\noutput o int = part.outputs.p\n"
    assert "'part' is not deployed here, but its 'outputs' is read" in world.one(text, part="output p int = 2\n")


def test_a_circle_is_told(world: World) -> None:
    text = "var a = 'x${b}'\nvar b = 'x${a}'\noutput o string = a\n"
    assert any("these need one another: a → b → a" in problem for problem in world.problems(text))


def test_two_resources_of_one_name_are_told(world: World) -> None:
    twin = box("").replace("resource box", "resource twin").split("resource", 1)[1].split("output")[0]
    problems = world.problems(box("") + "resource" + twin)
    assert any("is made here and at main.bicep" in problem for problem in problems)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"plce": {"value": "x"}}, "main.bicep has no parameter 'plce'; did you mean 'place'?"),
        ({}, "the parameter 'place' of main.bicep is not given; add it"),
        ({"place": {"value": 3}}, "'place' must be"),
        ({"place": {"value": "c"}}, "'place' may not be 'c'"),
    ],
)
def test_a_mistake_in_a_file_of_parameters_is_told(world: World, given: dict[str, object], words: str) -> None:
    world.folder.mkdir(parents=True)
    (world.folder / "main.parameters.json").write_text(json.dumps({"parameters": given}))
    text = "@description('Where.')\n@allowed(['a', 'b'])\nparam place string\noutput o string = place\n"
    assert any(words in problem and "main.parameters.json" in problem for problem in world.problems(text))


def test_azds_placeholders_fit_every_parameter(world: World) -> None:
    world.folder.mkdir(parents=True)
    values = {"place": {"value": "${PLACE}"}, "count": {"value": "${COUNT=3}"}}
    (world.folder / "main.parameters.json").write_text(json.dumps({"parameters": values}))
    declared = "@description('Where.')\nparam place string\n@description('How many.')\nparam count int\n"
    text = declared + "output o string = '${place}${count}'\n"
    assert world.problems(text) == []


def test_what_is_looked_up_in_a_module_must_be_made_before_it(world: World) -> None:
    call = "module part 'modules/part.bicep' = {\n  name: 'part'\nORDER}\noutput o string = part.outputs.id\n"
    made = "resource box 'Microsoft.Test/boxes@2024-01-01' = {\n  name: 'box'\n}\n"
    part = "resource box 'Microsoft.Test/boxes@2024-01-01' existing = {\n  name: 'box'\n}\n"
    part += "resource lid 'Microsoft.Test/boxes/lids@2024-01-01' = {\n  parent: box\n  name: 'lid'\n}\n"
    part += "output id string = lid.id\n"
    late = made + call.replace("ORDER", "  dependsOn: [\n    box\n  ]\n")
    assert world.problems(late, typed=False, part=part) == []
    assert "and lid may come before it" in world.one(made + call.replace("ORDER", ""), typed=False, part=part)
