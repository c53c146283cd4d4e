"""What is legal Bicep and still wrong: secrets, places and addresses written out, values known too late.

Called by __main__.py. Most are rules of Bicep's own linter (docs: bicep linter), under the names that it gives them.
"""

import re
from collections.abc import Iterator

from infra.check.functions import RUNTIME
from infra.check.nodes import (
    Call,
    Expr,
    Index,
    Literal,
    Loop,
    Member,
    Module,
    Name,
    Nested,
    Operation,
    Output,
    Parameter,
    Properties,
    Resource,
    Source,
    Text,
    Variable,
    When,
    expressions,
    walk,
)
from infra.check.problems import Problem
from infra.check.project import Project, is_secure

# Hosts that differ between the clouds (docs: no-hardcoded-env-urls); environment() knows them.
HOSTS = re.compile(
    r"(?<!schema\.)\b(api\.loganalytics\.io|api\.monitor\.azure\.com|batch\.core\.windows\.net|core\.windows\.net|"
    r"database\.windows\.net|gallery\.azure\.com|graph\.windows\.net|login\.microsoftonline\.com|"
    r"management\.azure\.com|management\.core\.windows\.net|trafficmanager\.net|vault\.azure\.net)\b",
    re.IGNORECASE,
)
SECRETIVE = re.compile(
    r"(password|secret|connection_?string|api_?key|account_?key|access_?key|token_?value)$", re.IGNORECASE
)
KEY_TEXT = re.compile(
    r"(AccountKey|SharedAccessKey|SharedAccessSignature|InstrumentationKey|Password)=", re.IGNORECASE
)
SETTLED = frozenset(("id", "name", "type", "apiVersion"))
"""What of a resource is known before the deployment begins."""


def check(project: Project) -> Iterator[Problem]:
    """Every rule on every file."""
    for source in project.sound():
        rules = _Rules(project, source)
        for declaration in source.declarations:
            for top in expressions(declaration):
                if top not in declaration.decorators:
                    yield from rules.texts(top)
        for parameter in source.parameters.values():
            yield from rules.parameter(parameter)
        for output in source.outputs.values():
            yield from rules.output(output)
        for resource, _ in source.resources:
            yield from rules.resource(resource)
        for module in source.of_kind(Module):
            assert isinstance(module, Module)
            yield from rules.module(module)


class _Rules:
    """The rules with the file that they look at."""

    def __init__(self, project: Project, source: Source):
        self._project, self._source = project, source

    def _problem(self, line: int, rule: str, message: str) -> Problem:
        return Problem(self._source.path, line, rule, message)

    def texts(self, top: Expr) -> Iterator[Problem]:
        inside = list(walk(top))
        keys = {id(item.key) for each in inside if isinstance(each, Properties) for item in each.properties}
        for each in inside:
            for text in _written(each):
                if found := HOSTS.search(text):
                    message = f"'{found[0]}' differs between clouds; take it from environment() or from the resource"
                    yield self._problem(each.line, "no-hardcoded-env-urls", message)
                if found := KEY_TEXT.search(text):
                    message = f"'{found[0]}' begins a secret; sign in by an identity instead"
                    yield self._problem(each.line, "no-keys", message)
            if isinstance(each, Text) and len(each.parts) == 1 and id(each) not in keys:
                message = "this text is a single interpolation; write the expression alone"
                yield self._problem(each.line, "simplify-interpolation", message)
            if isinstance(each, Call):
                yield from self._key_call(each)

    def _key_call(self, call: Call) -> Iterator[Problem]:
        if not (call.function.startswith("list") and call.function[4:5].isupper()):
            return
        of = call.of
        while isinstance(of, Index):
            of = of.of
        owner = self._source.symbols.get(of.name) if isinstance(of, Name) else None
        kind = owner.type.lower() if isinstance(owner, Resource) else ""
        if not kind.startswith("microsoft.web/"):
            message = f"{call.function}() reads keys that are switched off or should be; sign in by an identity"
            yield self._problem(call.line, "no-keys", message)

    def parameter(self, parameter: Parameter) -> Iterator[Problem]:
        root = self._source.path.parent == self._project.folder
        if root and not parameter.decorator("description"):
            message = (
                f"the parameter '{parameter.name}' of a file that people deploy has no @description(); write one"
            )
            yield self._problem(parameter.line, "description", message)
        default = parameter.default
        if is_secure(parameter):
            fresh = isinstance(default, Call) and default.function == "newGuid"
            empty = isinstance(default, Literal) and default.value in ("", None)
            if default is not None and not fresh and not empty:
                message = f"the secure parameter '{parameter.name}' has a default; remove it"
                yield self._problem(parameter.line, "secure-parameter-default", message)
        elif SECRETIVE.search(parameter.name):
            message = f"'{parameter.name}' sounds like a secret; put @secure() before it"
            yield self._problem(parameter.line, "secure-secrets-in-params", message)
        if parameter.name.lower() == "location" and isinstance(default, Literal) and default.value != "global":
            message = "the default of location is a fixed region; remove it or use resourceGroup().location"
            yield self._problem(parameter.line, "no-hardcoded-location", message)

    def output(self, output: Output) -> Iterator[Problem]:
        if is_secure(output):
            return
        secret = next(self._secrets(output.value, frozenset()), None)
        if secret:
            message = f"the output '{output.name}' shows {secret} in the deployment's history; remove it"
            yield self._problem(output.line, "outputs-should-not-contain-secrets", message)
        elif SECRETIVE.search(output.name):
            message = f"the output '{output.name}' sounds like a secret; remove it"
            yield self._problem(output.line, "outputs-should-not-contain-secrets", message)

    def _secrets(self, value: Expr, seen: frozenset[str]) -> Iterator[str]:
        for each in walk(value):
            if isinstance(each, Call) and each.function.startswith("list") and each.function[4:5].isupper():
                yield f"what {each.function}() gives"
            if isinstance(each, Member) and each.name.lower() in ("connectionstring", "instrumentationkey"):
                yield f"'{each.name}'"
            if isinstance(each, Name) and each.name not in seen:
                found = self._source.symbols.get(each.name)
                if isinstance(found, Parameter) and is_secure(found):
                    yield f"the secure parameter '{each.name}'"
                elif isinstance(found, Variable):
                    yield from self._secrets(found.value, seen | {each.name})

    def resource(self, resource: Resource) -> Iterator[Problem]:
        body = resource.properties
        for each in body.properties:
            if each.name == "location":
                yield from self._location(each.value)
            if each.name in ("name", "scope", "parent"):
                yield from self._settled(each.value, f"the {each.name} of '{resource.name}'")
        yield from self._conditions(resource)
        if resource.type.lower().startswith("microsoft.authorization/roleassignments@") and not resource.existing:
            yield from self._assignment(resource)

    def _assignment(self, resource: Resource) -> Iterator[Problem]:
        properties = resource.properties.find("properties")
        inner = list(walk(properties.value)) if properties else []
        names = {item.name for each in inner if isinstance(each, Properties) for item in each.properties}
        if "principalType" not in names:
            message = "without principalType the assignment fails when the identity is new; add it"
            yield self._problem(resource.line, "principal-type", message)

    def module(self, module: Module) -> Iterator[Problem]:
        for each in module.properties.properties:
            if each.name in ("name", "scope"):
                yield from self._settled(each.value, f"the {each.name} of '{module.name}'")
        params = module.properties.find("params")
        for inner in walk(params.value) if params else ():
            if isinstance(inner, Properties):
                for item in inner.properties:
                    if item.name == "location":
                        yield from self._location(item.value)
        yield from self._conditions(module)

    def _location(self, value: Expr) -> Iterator[Problem]:
        if isinstance(value, Literal) and isinstance(value.value, str) and value.value.lower() != "global":
            message = f"the region '{value.value}' is written out; take it from the parameter location"
            yield self._problem(value.line, "no-hardcoded-location", message)
        elif any(isinstance(each, Call) and each.function == "resourceGroup" for each in walk(value)):
            message = "resourceGroup().location stands outside a parameter's default; make it a parameter"
            yield self._problem(value.line, "no-loc-expr-outside-params", message)

    def _conditions(self, declared: Resource | Module) -> Iterator[Problem]:
        body = declared.body
        while isinstance(body, Loop | When):
            head = body.over if isinstance(body, Loop) else body.condition
            what = "what is looped over for" if isinstance(body, Loop) else "the condition of"
            yield from self._settled(head, f"{what} '{declared.name}'")
            body = body.body

    def _settled(self, value: Expr, what: str) -> Iterator[Problem]:
        """Names, scopes, conditions and loops must be known before the deployment begins (BCP120, BCP178, BCP182)."""
        late = next(self._late(value, frozenset()), None)
        if late:
            message = f"{what} needs {late}, known only while deploying; use a parameter, an id or a name"
            yield self._problem(value.line, "deploy-time-constant", message)

    def _late(self, value: Expr, seen: frozenset[str]) -> Iterator[str]:
        match value:
            case Member(of=Member(name="outputs", of=of)) if isinstance(self._declared(of), Module):
                yield "an output of a module"
            case Member(of=of, name=name) if isinstance(self._declared(of), Resource):
                if name not in SETTLED:
                    yield f"'{name}' of a resource"
            case Call(function=function, of=of) if function in RUNTIME or (of and function.startswith("list")):
                yield f"{function}()"
            case Name(name=name) if name not in seen:
                found = self._source.symbols.get(name)
                if isinstance(found, Variable):
                    yield from self._late(found.value, seen | {name})
            case Operation() | _:
                for inner in value.inner():
                    yield from self._late(inner, seen)

    def _declared(self, of: Expr) -> object:
        while isinstance(of, Index):
            of = of.of
        if isinstance(of, Nested):
            return next((each for each, _ in self._source.resources if each.name == of.name), None)
        return self._source.symbols.get(of.name) if isinstance(of, Name) else None


def _written(each: Expr) -> list[str]:
    match each:
        case Literal(value=str(text)):
            return [text]
        case Text(parts=parts):
            return [part for part in parts if isinstance(part, str)]
        case _:
            return []
