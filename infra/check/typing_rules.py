"""Where a file's values must have shapes: parameters, outputs, modules, resources, and what is read of them.

Called by __main__.py. What concerns resources needs the published types; the rest is checked without them.
"""

from collections.abc import Iterator
from dataclasses import replace

from infra.check.inference import Scope, has_member, locals_of
from infra.check.matching import Finding, Matcher
from infra.check.nodes import (
    Expr,
    Function,
    Literal,
    Loop,
    Member,
    Module,
    Output,
    Parameter,
    Properties,
    Resource,
    When,
    expressions,
)
from infra.check.problems import Problem, nearest
from infra.check.project import Project
from infra.check.shapes import STRING, Shape, Slot
from infra.check.types import SCOPES, ResourceType, Types

# What Bicep itself understands in the body of a resource, beside what the type has.
LANGUAGE = ("parent", "scope", "dependsOn")


def check(project: Project, types: Types) -> Iterator[Problem]:
    """Everything about types, file by file."""
    for source in project.sound():
        scope = Scope(project, source, types)
        for line, rule, message in _source(scope):
            yield Problem(source.path, line, rule, message)


def _source(scope: Scope) -> Iterator[Finding]:
    for each in scope.source.declarations:
        inside = _inside(each, scope)
        for expression in expressions(each):
            yield from _members(expression, inside)
        match each:
            case Parameter(default=Expr() as default, shape=shape) | Output(value=default, shape=shape):
                yield from Matcher(scope).match(default, scope.project.resolve(scope.source, shape), each.name)
            case Module():
                yield from _module(each, scope)
            case Resource():
                yield from _resource(each, scope)


def _inside(declaration: object, scope: Scope) -> Scope:
    if not isinstance(declaration, Function):
        return scope
    return scope.within(
        **{name: scope.project.resolve(scope.source, shape) for name, shape in declaration.parameters}
    )


def _members(expression: Expr, scope: Scope) -> Iterator[Finding]:
    """Properties that are read of something that has no such property."""
    if isinstance(expression, Member) and not expression.safe and not _is_outputs(expression.of):
        of = scope.infer(expression.of)
        if not has_member(of, expression.name):
            known = nearest(expression.name, of.slots or {}) or "; correct the name"
            yield expression.line, "property", f"{of.name or _an(of.kind)} has no property '{expression.name}'{known}"
    inside = locals_of(expression, scope)
    for inner in expression.inner():
        # What a loop runs over does not see the loop's own names.
        over = isinstance(expression, Loop) and inner is expression.over
        yield from _members(inner, scope if over else inside)
    if isinstance(expression, Properties):
        for resource in expression.resources:
            yield from _members(resource.body, scope)


def _is_outputs(expression: Expr) -> bool:
    """The outputs of a module, whose names symbols.py looks at."""
    return isinstance(expression, Member) and expression.name == "outputs"


def _module(module: Module, scope: Scope) -> Iterator[Finding]:
    target = scope.project.module(scope.source, module)
    params = module.properties.find("params")
    if target is None or target.errors or params is None or not isinstance(params.value, Properties):
        return
    inner = _body_scope(module.body, scope)
    for given in params.value.properties:
        if parameter := target.parameters.get(given.name):
            shape = scope.project.resolve(target, parameter.shape)
            wanted = shape.or_null() if parameter.default is not None else shape
            yield from Matcher(inner).match(given.value, wanted, f"{module.name}.{given.name}")


def _resource(resource: Resource, scope: Scope) -> Iterator[Finding]:
    inner = _body_scope(resource.body, scope)
    yield from _typed(resource, inner)
    for nested in resource.properties.resources:
        yield from _resource(nested, inner)


def _typed(resource: Resource, scope: Scope) -> Iterator[Finding]:
    if not scope.types.known:
        return
    kind = scope.kind(resource)
    found = scope.types.resource(kind)
    if found is None:
        yield resource.line, "resource-type", unknown(kind, scope.types)
        return
    yield from _placed(resource, found, scope)
    # Properties that are only read are no requirement of an existing resource.
    body = existing(found.body) if resource.existing else found.body
    yield from Matcher(scope).match(resource.properties, writable(body), found.name)


def _placed(resource: Resource, found: ResourceType, scope: Scope) -> Iterator[Finding]:
    properties = resource.properties
    if resource.existing or properties.find("parent") or resource.outer:
        return
    own = properties.find("scope")
    needed = SCOPES["extension"] if own else SCOPES.get(scope.source.scope, 0)
    # An extension resource without a scope goes to the file's own.
    if not found.scopes & (needed | SCOPES["extension"]):
        where = "on another resource" if own else f"at the scope {scope.source.scope}"
        yield resource.line, "scope", f"{found.name} cannot be made {where}; put it into a module with another scope"
    name = properties.find("name")
    if found.name.count("/") > 1 and name and isinstance(name.value, Literal):
        wanted = found.name.count("/")
        if str(name.value.value).count("/") + 1 != wanted:
            yield name.line, "parent", f"{found.name} is a child: give it a parent, and a name without slashes"


def unknown(kind: str, types: Types) -> str:
    """What is wrong with a type that the folder does not have."""
    name, _, version = kind.partition("@")
    if versions := types.versions(name):
        shown = ", ".join(versions[-4:])
        return f"{name} has no API version '{version}' among the published types; the newest are {shown}"
    namespace = name.split("/", maxsplit=1)[0]
    hint = nearest(name, types.names(namespace, version)) or nearest(namespace, types.namespaces())
    return f"there is no resource type '{name}' among the published types{hint or '; correct it'}"


def writable(body: Shape) -> Shape:
    """The body as a file writes it."""
    slots = {name: slot for name, slot in (body.slots or {}).items() if name not in ("id", "type", "apiVersion")}
    added = {name: Slot(lambda: Shape("any")) for name in LANGUAGE}
    return replace(body, slots={**slots, **added})


def existing(body: Shape) -> Shape:
    """The body of a resource that is only looked up: its name."""
    name = (body.slots or {}).get("name") or Slot(lambda: STRING, required=True)
    return Shape("object", slots={"name": name}, name=body.name)


def _body_scope(body: Expr, scope: Scope) -> Scope:
    while isinstance(body, Loop | When):
        scope = locals_of(body, scope)
        body = body.body
    return scope


def _an(kind: str) -> str:
    return f"an {kind}" if kind[0] in "aio" else f"a {kind}"
