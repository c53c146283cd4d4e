"""The check of names: symbols, modules, imports, functions, and what Bicep's syntax allows."""

import pytest

from tests.unit.infra_check.world import World

MODULE = "param count int\nparam mark string = 'm'\noutput both string = '${mark}${count}'\n"
CALL = """
module part 'modules/part.bicep' = {
  name: 'part'
  params: {
    count: 1
  }
}
output o string = part.outputs.both
"""


def test_a_module_is_sound(world: World) -> None:
    assert world.problems(CALL, part=MODULE) == []


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("count: 1", "coumt: 1\n    count: 1", "part.bicep has no parameter 'coumt'; did you mean 'count'?"),
        ("count: 1", "", "lacks the parameter 'count' of part.bicep; pass it"),
        ("count: 1", "count: 'one'", "'part.count' must be an int, not a string"),
        ("outputs.both", "outputs.boths", "part.bicep has no output 'boths'; did you mean 'both'?"),
        ("part.outputs.both", "part.both", "its results are under 'part.outputs'"),
        ("part.bicep'", "prt.bicep'", "the module's file 'modules/prt.bicep' is not there"),
        ("  name: 'part'", "  nme: 'part'", "a module has no property 'nme'; did you mean 'name'?"),
    ],
)
def test_a_mistake_in_calling_a_module_is_told(world: World, old: str, new: str, words: str) -> None:
    assert any(words in problem for problem in world.problems(CALL.replace(old, new), part=MODULE))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("output o string = nme", "there is no 'nme' here"),
        ("var name = 'a'\noutput o string = nam", "did you mean 'name'?"),
        ("var name = 'a'", "the variable 'name' is never used"),
        ("@description('x')\nparam name string", "the parameter 'name' is never used"),
        ("output o string = toUper('a')", "there is no function 'toUper'; did you mean 'toUpper'?"),
        ("output o string = toUpper('a', 'b')", "toUpper takes 1 arguments, not 2"),
        ("import { a } from 'no.bicep'\noutput o string = a", "the file 'no.bicep' is not there"),
        ("@secured()\n@description('x')\nparam p string\noutput o int = length(p)", "no decorator 'secured'"),
        ("@description('x')\nparam p Sise\noutput o int = length(p)", "there is no type 'Sise'"),
        ("@description('x')\nparam p string = v\nvar v = 'a'\noutput o string = p", "may name other parameters only"),
        ("output o int = 'a'", "'o' must be an int, not a string"),
        ("var a = 'x'\nvar a = 'y'\noutput o string = a", "'a' is declared twice"),
        ("output o string = resourceGroup().nam", "has no property 'nam'; did you mean 'name'?"),
    ],
)
def test_a_mistake_with_a_name_is_told(world: World, text: str, words: str) -> None:
    assert any(words in problem for problem in world.problems(text + "\n"))


@pytest.mark.parametrize(
    "text",
    [
        "var list = ['a', 'b']\noutput o array = map(list, x => '${x}-${list[0]}')",
        "var list = [{ n: 'a', k: 1 }]\noutput o array = filter(list, (x, i) => x.n == 'a' && i < x.k)",
        "output o array = [for (each, at) in ['a']: { each: each, at: at }]",
        "func twice(text string) string => '${text}${text}'\noutput o string = twice('a')",
        "type Size = {\n  nodes: int\n  sku: string?\n}\nvar size = { nodes: 1 }\noutput o Size = size",
        "output o string = environment().suffixes.storage",
        "var other = { a: { b: 'c' } }\noutput o string = other.?a.?b ?? 'none'",
        "output o array = [\n  toUpper('a')\n  resourceGroup().name\n]",
        "output o string = 'it\\'s \\${not} a hole'",
        "output o string = true ? toLower('A') : 'b'",
    ],
)
def test_legal_bicep_has_no_problem(world: World, text: str) -> None:
    assert world.problems(text + "\n") == []


def test_a_syntax_error_is_told_with_its_line(world: World) -> None:
    assert world.one("var a = 'x'\noutput o string = a +\n").startswith("main.bicep:2: syntax error")


def test_an_import_brings_variables_and_types_that_are_exported(world: World) -> None:
    shared = "@export()\nvar names = { a: 'x' }\nvar inner = 1\n"
    assert world.problems("import { names } from 'modules/shared.bicep'\noutput o string = names.a\n", shared=shared)[
        0
    ].endswith("the variable 'inner' is never used; use it or remove it [unused]")


def test_an_import_of_what_is_not_exported_is_told(world: World) -> None:
    problems = world.problems(
        "import { a } from 'modules/shared.bicep'\noutput o string = a\n", shared="var a = 'x'\n"
    )
    assert any("is not exported; put @export() before it" in problem for problem in problems)


def test_a_module_that_nobody_calls_is_told(world: World) -> None:
    assert "no module or import names this file" in world.one("output o int = 1\n", stray="output p int = 2\n")


def test_a_module_for_a_group_needs_a_scope_in_a_subscription(world: World) -> None:
    problems = world.problems("targetScope = 'subscription'\n" + CALL, part=MODULE)
    assert any("give the module a scope" in problem for problem in problems)
