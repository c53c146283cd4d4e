"""What a deployment would make with each file of parameters, checked with its values filled in.

Called by __main__.py; tests take `deployments` for the facts of the infrastructure. It finds what cannot be seen in
the text: names too long, values outside an enumeration, circles, outputs of what is not deployed.
"""

import re
from collections.abc import Iterator

from infra.check import ordering
from infra.check.evaluate import deploy
from infra.check.inference import Scope
from infra.check.matching import Matcher
from infra.check.nodes import Literal, Parameter, Source
from infra.check.parameters import as_written, files, roots
from infra.check.problems import Problem
from infra.check.project import Project
from infra.check.roles import name_of
from infra.check.types import Types
from infra.check.typing_rules import existing, writable
from infra.check.values import Deployment, Made, Runtime, Value

_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
ASSIGNMENT = "Microsoft.Authorization/roleAssignments"
DEFINITION = "Microsoft.Authorization/roleDefinitions"


def deployments(project: Project) -> Iterator[tuple[str, Deployment]]:
    """Each root with each of its files of parameters, and with everything switched on."""
    found, _ = files(project)
    for root in roots(project):
        own = [file for file in found if file.root is root]
        for file in own:
            yield file.path.name, deploy(project, root, file.values)
        yield f"{root.path.name} and everything switched on", deploy(project, root, everything(root))


def everything(root: Source) -> dict[str, Value]:
    """Values that switch on whatever a parameter can: what is behind a condition is looked at too."""
    return {
        each.name: _on(each)
        for each in root.parameters.values()
        if each.required or isinstance(each.default, Literal)
    }


def _on(parameter: Parameter) -> Value:
    value = parameter.default.value if isinstance(parameter.default, Literal) else None
    if isinstance(value, bool):
        return True
    if isinstance(value, int):
        return value or 1
    return value or Runtime(f"parameter:{parameter.name}")


def check(project: Project, types: Types) -> Iterator[Problem]:
    """Each mistake once, with the file of parameters by which it was found."""
    told: set[tuple[object, ...]] = set()
    for label, deployment in deployments(project):
        for problem in _problems(project, types, deployment):
            key = (problem.path, problem.line, problem.rule, problem.message)
            if key not in told:
                told.add(key)
                yield Problem(problem.path, problem.line, problem.rule, f"{problem.message} (with {label})")


def _problems(project: Project, types: Types, deployment: Deployment) -> Iterator[Problem]:
    for path, line, message in deployment.failures:
        yield Problem(path, line, "deployment", message)
    yield from ordering.check(deployment)
    yield from _twins(deployment)
    yield from _assignments(deployment)
    for made in deployment.resources:
        found = types.resource(f"{made.type}@{made.api_version}")
        source = project.sources[made.path]
        if found:
            wanted = existing(found.body) if made.existing else writable(found.body)
            body = as_written(dict(made.body), made.line)
            for line, rule, message in Matcher(Scope(project, source, types)).match(body, wanted, made.type):
                yield Problem(made.path, line, rule, message)


def _twins(deployment: Deployment) -> Iterator[Problem]:
    seen: dict[str, Made] = {}
    for made in deployment.resources:
        other = seen.setdefault(made.id.lower(), made) if not made.existing else made
        if other is not made:
            where = f"{other.path.name}:{other.line}"
            message = f"'{made.name}' ({made.type}) is made here and at {where}; give one another name or remove it"
            yield Problem(made.path, made.line, "twin", message)


def _assignments(deployment: Deployment) -> Iterator[Problem]:
    own = {made.name.lower() for made in deployment.of_type(DEFINITION)}
    for made in deployment.of_type(ASSIGNMENT):
        if not _GUID.fullmatch(made.name.lower()):
            message = f"the name of a role assignment must be a GUID, not '{made.name}'; make it by guid()"
            yield Problem(made.path, made.line, "role", message)
        role = made.properties.get("roleDefinitionId")
        if isinstance(role, str) and not isinstance(role, Runtime):
            known = name_of(role) or role.rsplit("/", maxsplit=1)[-1].lower() in own
            if not known:
                message = f"'{role}' is no known role; take its id from infra/check/roles.py"
                yield Problem(made.path, made.line, "role", message)
