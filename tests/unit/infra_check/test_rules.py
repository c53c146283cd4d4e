"""The rules for legal Bicep that is wrong: secrets, regions, addresses, values known too late, roles."""

import pytest

from tests.unit.infra_check.world import World, box

ASSIGNMENT = """
resource box 'Microsoft.Test/boxes@2024-01-01' existing = {
  name: 'box'
}
resource role 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: box
  name: guid(box.id, 'reader')
  properties: {
    principalId: box.identity.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('x/y', '2a2b9908-6ea1-4ae2-8e65-a410df84e7d1')
  }
}
"""
OTHER = """
resource box2 'Microsoft.Test/boxes@2024-01-01' existing = {
  name: 'other'
}
output o string = box2.id
"""


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("output o string = 'https://x.blob.core.windows.net'", "no-hardcoded-env-urls"),
        (
            "@description('x')\nparam location string = 'westeurope'\noutput o string = location",
            "no-hardcoded-location",
        ),
        (
            "@secure()\n@description('x')\nparam p string = 'abc'\noutput o int = length(p)",
            "secure-parameter-default",
        ),
        (
            "@secure()\n@description('x')\nparam p string\noutput o string = '${p}!'",
            "outputs-should-not-contain-secrets",
        ),
        (
            "@secure()\n@description('x')\nparam p string\nvar q = '${p}!'\noutput o string = q",
            "outputs-should-not-contain-secrets",
        ),
        (
            "@description('x')\nparam adminPassword string\noutput o int = length(adminPassword)",
            "secure-secrets-in-params",
        ),
        ("output o string = 'DefaultEndpointsProtocol=https;AccountKey=abc'", "no-keys"),
        ("param p string\noutput o string = p", "description"),
        ("var a = 'x'\noutput o string = '${a}'", "simplify-interpolation"),
    ],
)
def test_what_a_rule_forbids_is_told(world: World, text: str, rule: str) -> None:
    assert any(problem.endswith(f"[{rule}]") for problem in world.problems(text + "\n"))


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        ("location: location", "location: 'westeurope'", "no-hardcoded-location"),
        ("location: location", "location: '${location}${resourceGroup().location}'", "no-loc-expr-outside-params"),
        ("color: 'Red'", "color: 'Red'\n    labels: [box2.listKeys().keys[0].value]", "no-keys"),
        ("name: 'box'", "name: box2.properties.state", "deploy-time-constant"),
    ],
)
def test_what_a_rule_forbids_in_a_resource_is_told(world: World, old: str, new: str, rule: str) -> None:
    problems = world.problems(box("").replace(old, new) + OTHER, typed=False)
    assert any(problem.endswith(f"[{rule}]") for problem in problems)


def test_a_pragma_with_a_reason_hides_the_next_line(world: World) -> None:
    text = "// why: there is no other\n#disable-next-line no-hardcoded-env-urls\noutput o string = 'https://vault.azure.net'\n"
    assert world.problems(text) == []


def test_a_pragma_without_a_reason_is_told(world: World) -> None:
    text = "#disable-next-line no-hardcoded-env-urls\noutput o string = 'https://vault.azure.net'\n"
    assert "nothing says why this is hidden" in world.one(text)


def test_a_pragma_that_hides_nothing_is_told(world: World) -> None:
    assert "remove the pragma" in world.one(
        "// why\n#disable-next-line no-hardcoded-env-urls\noutput o string = 'a'\n"
    )


def test_a_role_assignment_is_sound(world: World) -> None:
    assert world.problems(ASSIGNMENT, typed=False) == []


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("2a2b9908", "2a2b9909", "is the id of no known role; Storage Blob Data Reader has '2a2b9908"),
        (
            "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1",
            "8e3af657-a8ff-443c-a75c-2fe8c4bcb635",
            "the role Owner gives too much",
        ),
        ("    principalType: 'ServicePrincipal'\n", "", "without principalType"),
        ("guid(box.id, 'reader')", "'reader'", "the name of a role assignment must be a GUID"),
    ],
)
def test_a_wrong_role_assignment_is_told(world: World, old: str, new: str, words: str) -> None:
    assert words in "\n".join(world.problems(ASSIGNMENT.replace(old, new), typed=False))


def test_a_role_under_the_name_of_another_is_told(world: World) -> None:
    text = "var roles = { storageBlobDataOwner: '2a2b9908-6ea1-4ae2-8e65-a410df84e7d1' }\noutput o object = roles\n"
    assert "has the id of the role Storage Blob Data Reader" in world.one(text)
