"""Names: undefined, unused, declared twice; functions and decorators; modules, their parameters and outputs.

Called by __main__.py with a Project. It looks at names only; whether a value fits is matching.py's matter.
"""

from collections import Counter
from collections.abc import Iterator

from infra.check.functions import DECORATORS, FUNCTIONS
from infra.check.nodes import (
    Alias,
    Call,
    Declaration,
    Expr,
    Function,
    Import,
    Index,
    Lambda,
    Literal,
    Loop,
    Member,
    Module,
    Name,
    Nested,
    Output,
    Parameter,
    Properties,
    Property,
    Resource,
    Source,
    Variable,
    expressions,
    walk,
)
from infra.check.problems import Problem, nearest
from infra.check.project import Project
from infra.check.shapes import Shape

NAMESPACES = frozenset(("az", "sys"))
_UNUSED: dict[type[Declaration], str] = {
    Parameter: "parameter",
    Variable: "variable",
    Import: "import",
    Alias: "type",
    Function: "function",
}
MODULE_PROPERTIES = frozenset(("name", "params", "scope", "dependsOn", "identity"))


def check(project: Project) -> Iterator[Problem]:
    """Everything about names, file by file."""
    for source in project.sound():
        yield from _Names(project, source).check()
        yield from _modules(project, source)
        yield from _only_parameters(source)
    used = project.used_paths()
    for source in project.sound():
        if source.path.parent != project.folder and source.path not in used:
            yield Problem(source.path, 1, "unused-file", "no module or import names this file; use it or remove it")


class _Names:
    """The names of one file: what is declared, what is used."""

    def __init__(self, project: Project, source: Source):
        self._project = project
        self._source = source
        self._nested = {each.name: each for each, outer in source.resources if outer}
        self._top = source.symbols
        self._used: set[str] = set()

    def check(self) -> Iterator[Problem]:
        yield from self._twice()
        yield from self._imports()
        for declaration in self._source.declarations:
            yield from self._declaration(declaration)
        yield from self._unused()

    def _problem(self, line: int, rule: str, message: str) -> Problem:
        return Problem(self._source.path, line, rule, message)

    def _twice(self) -> Iterator[Problem]:
        counts = Counter(each.name for each in self._source.declarations if not isinstance(each, Output))
        for each in self._source.declarations:
            if counts[each.name] > 1 and not isinstance(each, Output):
                yield self._problem(each.line, "duplicate", f"'{each.name}' is declared twice; rename one")

    def _imports(self) -> Iterator[Problem]:
        for each in self._source.of_kind(Import):
            assert isinstance(each, Import)
            if self._project.target(self._source, each.path) is None:
                yield self._problem(each.line, "import", f"the file '{each.path}' is not there; correct the path")
            elif each.original is not None:
                found = self._project.imported(self._source, each)
                if found is None:
                    yield self._problem(
                        each.line, "import", f"'{each.path}' declares no '{each.original}'; correct the name"
                    )
                elif not found[1].decorator("export"):
                    yield self._problem(
                        each.line,
                        "import",
                        f"'{each.original}' of '{each.path}' is not exported; put @export() before it",
                    )

    def _declaration(self, declaration: Declaration) -> Iterator[Problem]:
        for decorator in declaration.decorators:
            yield from self._decorator(decorator)
        for shape in _shapes(declaration):
            yield from self._type(declaration, shape)
        local = (
            frozenset(name for name, _ in declaration.parameters)
            if isinstance(declaration, Function)
            else frozenset()
        )
        for expression in expressions(declaration):
            if expression not in declaration.decorators:
                yield from self._expression(expression, local)

    def _decorator(self, decorator: Call) -> Iterator[Problem]:
        if decorator.function not in DECORATORS:
            hint = nearest(decorator.function, DECORATORS) or "; remove it"
            yield self._problem(decorator.line, "decorator", f"there is no decorator '{decorator.function}'{hint}")

    def _type(self, declaration: Declaration, shape: Shape) -> Iterator[Problem]:
        if shape.kind == "alias" and shape.alias:
            self._used.add(shape.alias.split(".")[0])
            if self._project.alias(self._source, shape.alias) is None:
                known = [each.name for each in self._source.of_kind(Alias)]
                hint = nearest(shape.alias, [*known, "string", "int", "bool", "object", "array"]) or "; declare it"
                yield self._problem(declaration.line, "undefined", f"there is no type '{shape.alias}'{hint}")
        inner = [slot.get() for slot in (shape.slots or {}).values()]
        for each in (*inner, *((shape.item(),) if shape.item else ()), *shape.choices):
            yield from self._type(declaration, each)

    def _expression(self, expression: Expr, local: frozenset[str]) -> Iterator[Problem]:
        match expression:
            case Name(name=name):
                yield from self._name(expression, name, local)
            case Nested(name=name) if name not in self._nested:
                yield self._problem(
                    expression.line, "undefined", f"no nested resource is called '{name}'; correct the name"
                )
            case Call(of=None):
                yield from self._call(expression)
            case Member(of=Name(name=module), name=name) if module not in local:
                yield from self._module_member(expression, module, name)
            case Member(of=Member(name="outputs", of=of), name=name):
                yield from self._output(expression, of, name)
        inside = self._locals(expression, local)
        for inner in expression.inner():
            # What a loop runs over does not see the loop's own names.
            seen = local if isinstance(expression, Loop) and inner is expression.over else inside
            yield from self._expression(inner, seen)
        if isinstance(expression, Properties):
            for resource in expression.resources:
                for each in resource.decorators:
                    yield from self._decorator(each)
                yield from self._expression(resource.body, inside)

    def _locals(self, expression: Expr, local: frozenset[str]) -> frozenset[str]:
        match expression:
            case Loop(item=item, index=index):
                return local | {item} | ({index} if index else set())
            case Lambda(parameters=parameters):
                return local | set(parameters)
            case Properties(resources=resources):
                return local | {each.name for each in resources}
            case _:
                return local

    def _name(self, expression: Expr, name: str, local: frozenset[str]) -> Iterator[Problem]:
        if name in local or name in NAMESPACES:
            return
        self._used.add(name)
        if name not in self._top:
            hint = nearest(name, [*self._top, *local]) or "; declare it or correct the name"
            yield self._problem(expression.line, "undefined", f"there is no '{name}' here{hint}")

    def _call(self, call: Call) -> Iterator[Problem]:
        own = self._top.get(call.function)
        if isinstance(own, Import) and (found := self._project.imported(self._source, own)):
            own = found[1]
        self._used.add(call.function)
        if isinstance(own, Function):
            fewest = most = len(own.parameters)
        elif signature := FUNCTIONS.get(call.function):
            fewest, most = signature.fewest, signature.most
        else:
            hint = nearest(call.function, FUNCTIONS) or "; correct the name"
            yield self._problem(call.line, "undefined", f"there is no function '{call.function}'{hint}")
            return
        if not fewest <= len(call.arguments) <= most:
            wanted = str(fewest) if fewest == most else f"{fewest} to {most}" if most < 100 else f"at least {fewest}"
            yield self._problem(
                call.line,
                "arguments",
                f"{call.function} takes {wanted} arguments, not {len(call.arguments)}; correct them",
            )

    def _module_member(self, expression: Expr, module: str, name: str) -> Iterator[Problem]:
        if isinstance(self._top.get(module), Module) and name not in ("outputs", "name"):
            yield self._problem(
                expression.line, "module", f"a module has no '{name}'; its results are under '{module}.outputs'"
            )

    def _output(self, expression: Expr, of: Expr, name: str) -> Iterator[Problem]:
        while isinstance(of, Index):
            of = of.of
        module = self._top.get(of.name) if isinstance(of, Name) else None
        target = self._project.module(self._source, module) if isinstance(module, Module) else None
        if target and not target.errors and name not in target.outputs:
            hint = nearest(name, target.outputs) or "; add the output or correct the name"
            yield self._problem(expression.line, "module", f"{target.path.name} has no output '{name}'{hint}")

    def _unused(self) -> Iterator[Problem]:
        for each in self._source.declarations:
            kind = _UNUSED.get(type(each))
            if isinstance(each, Resource):
                kind = "existing resource" if each.existing else None
            exported = each.decorator("export") is not None
            if kind and each.name not in self._used and not exported:
                yield self._problem(
                    each.line, "unused", f"the {kind} '{each.name}' is never used; use it or remove it"
                )


def _modules(project: Project, source: Source) -> Iterator[Problem]:
    for module in source.of_kind(Module):
        assert isinstance(module, Module)
        target = project.module(source, module)
        if target is None:
            message = f"the module's file '{module.path}' is not there; correct the path"
            yield Problem(source.path, module.line, "module", message)
        elif not target.errors:
            yield from _module(source, module, target)


def _module(source: Source, module: Module, target: Source) -> Iterator[Problem]:
    body = module.properties
    for each in body.properties:
        if each.name not in MODULE_PROPERTIES:
            hint = nearest(each.name, MODULE_PROPERTIES) or "; remove it"
            yield Problem(source.path, each.line, "module", f"a module has no property '{each.name}'{hint}")
    if target.scope != source.scope and body.find("scope") is None:
        message = (
            f"{target.path.name} is for a {target.scope}, this file for a {source.scope}; give the module a scope"
        )
        yield Problem(source.path, module.line, "scope", message)
    given = _given(body)
    for each in given:
        if each.name not in target.parameters:
            hint = nearest(each.name, target.parameters) or "; remove it or add the parameter"
            yield Problem(
                source.path, each.line, "module", f"{target.path.name} has no parameter '{each.name}'{hint}"
            )
    names = {each.name for each in given}
    for parameter in target.parameters.values():
        if parameter.required and parameter.name not in names:
            message = (
                f"the module '{module.name}' lacks the parameter '{parameter.name}' of {target.path.name}; pass it"
            )
            yield Problem(source.path, module.line, "module", message)


def _given(body: Properties) -> tuple[Property, ...]:
    found = body.find("params")
    return found.value.properties if found and isinstance(found.value, Properties) else ()


def _shapes(declaration: Declaration) -> Iterator[Shape]:
    match declaration:
        case Parameter(shape=shape) | Alias(shape=shape) | Output(shape=shape):
            yield shape
        case Function(parameters=parameters, returns=returns):
            yield from (shape for _, shape in parameters)
            yield returns


def _only_parameters(source: Source) -> Iterator[Problem]:
    """Defaults of parameters may name other parameters only (BCP072)."""
    for parameter in source.parameters.values():
        if parameter.default is None or isinstance(parameter.default, Literal):
            continue
        for each in walk(parameter.default):
            if isinstance(each, Name) and isinstance(source.symbols.get(each.name), Variable | Resource | Module):
                message = (
                    f"the default of '{parameter.name}' may name other parameters only, not '{each.name}'; move it"
                )
                yield Problem(source.path, each.line, "default", message)
