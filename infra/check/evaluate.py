"""Runs Bicep without Azure: which resources one set of parameters makes, under which names, with which bodies.

Called by deployed.py and by tests. Symbols are evaluated once and when they are needed, as the resource
manager orders them; a circle, and the outputs of a module that is not deployed, are failures as they would be there.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial

from infra.check.calculate import Calculator, FailedError, Locals, member
from infra.check.nodes import (
    Declaration,
    Expr,
    Function,
    Import,
    Loop,
    Module,
    Parameter,
    Properties,
    Resource,
    Source,
    Variable,
    When,
)
from infra.check.project import Project
from infra.check.values import Absent, Deployment, Made, Place, Runtime, Value


def deploy(project: Project, root: Source, parameters: Mapping[str, Value], group: str = "group") -> Deployment:
    """Deploy a file with these parameters, into a made-up subscription and, unless it is for that, a group."""
    place = Place(group=None if root.scope == "subscription" else group)
    deployment = Deployment()
    deployment.outputs = Frame(project, root, parameters, place, deployment).run()
    return deployment


class Frame:
    """One file deployed once: its parameters' values, and its symbols as far as they were needed."""

    def __init__(
        self,
        project: Project,
        source: Source,
        arguments: Mapping[str, Value],
        place: Place,
        deployment: Deployment,
        path: tuple[str, ...] = (),
    ):
        self.project, self.source, self.place, self.deployment, self.path = project, source, place, deployment, path
        self._needs = deployment.needs.setdefault(path, {})
        self._arguments = arguments
        self._declared = source.symbols
        self._nested = {each.name: each for each, outer in source.resources if outer}
        self._values: dict[str, Value] = {}
        self._open: list[str] = []
        self._calculator = Calculator(source, place, self.symbol, self.function)

    def run(self) -> dict[str, Value]:
        """Make everything; the outputs."""
        top = [each.name for each in self.source.declarations if isinstance(each, Resource | Module)]
        for name in (*top, *self._nested):
            self._try(partial(self.symbol, name, 0))
        return {name: self._try(partial(self.value, each.value, {})) for name, each in self.source.outputs.items()}

    def _try(self, make: Callable[[], Value]) -> Value:
        try:
            return make()
        except FailedError as failure:
            if failure.told not in self.deployment.failures:
                self.deployment.failures.append(failure.told)
            return Runtime("failed")

    def symbol(self, name: str, line: int) -> Value:
        """The value of a declared name."""
        if self._open:
            self._needs.setdefault(self._open[-1], set()).add(name)
        if name in self._values:
            return self._values[name]
        declared = self._declared.get(name) or self._nested.get(name)
        if declared is None:
            raise FailedError(self.source, line, f"there is no '{name}' here; declare it")
        if name in self._open:
            circle = " → ".join([*self._open[self._open.index(name) :], name])
            raise FailedError(self.source, declared.line, f"these need one another: {circle}; break the circle")
        self._open.append(name)
        try:
            self._values[name] = self._make(declared)
        finally:
            self._open.pop()
        return self._values[name]

    def _make(self, declared: Declaration) -> Value:
        match declared:
            case Parameter(name=name, default=default):
                if self._arguments.get(name) is not None:
                    return self._arguments[name]
                if default is None:
                    return None if declared.shape.nullable else Runtime(f"parameter:{name}")
                return self.value(default, {})
            case Variable(value=value):
                return self.value(value, {})
            case Import():
                return self._import(declared)
            case Resource() | Module():
                return self._each(declared, declared.body, {})
            case _:
                raise FailedError(self.source, declared.line, f"'{declared.name}' is no value; correct the name")

    def _import(self, declared: Import) -> Value:
        target = self.project.target(self.source, declared.path)
        if target is None:
            raise FailedError(
                self.source, declared.line, f"the file '{declared.path}' is not there; correct the path"
            )
        frame = Frame(self.project, target, {}, self.place, Deployment())
        if declared.original:
            return frame.symbol(declared.original, declared.line)
        exported = [each for each in target.declarations if isinstance(each, Variable) and each.decorator("export")]
        return {each.name: frame.symbol(each.name, declared.line) for each in exported}

    def _each(self, declared: Resource | Module, body: Expr, local: Locals, *, wanted: bool = True) -> Value:
        match body:
            case Loop(item=item, index=index, over=over, body=inner):
                values = self.value(over, local)
                rounds = values if isinstance(values, list) else []
                names = [{**local, item: each, **({index: at} if index else {})} for at, each in enumerate(rounds)]
                return [self._each(declared, inner, each) for each in names]
            case When(condition=condition, body=inner):
                return self._each(declared, inner, local, wanted=bool(self.value(condition, local)))
            case Properties() if isinstance(declared, Module):
                return self._module(declared, body, local) if wanted else Absent(declared.name, None)
            case Properties() if isinstance(declared, Resource):
                return self._resource(declared, body, local, wanted)
            case _:
                raise FailedError(self.source, declared.line, f"'{declared.name}' has no body; give it one")

    def _module(self, module: Module, body: Properties, local: Locals) -> Value:
        target = self.project.module(self.source, module)
        if target is None or target.errors:
            raise FailedError(self.source, module.line, f"the module '{module.path}' cannot be read; mend it")
        scope, params = body.find("scope"), body.find("params")
        place = self._place(self.value(scope.value, local)) if scope else self.place
        arguments = self.value(params.value, local) if params else {}
        if after := body.find("dependsOn"):
            self.value(after.value, local)
        frame = Frame(self.project, target, arguments, place, self.deployment, (*self.path, module.name))
        name = body.find("name")
        return {"name": self.value(name.value, local) if name else module.name, "outputs": frame.run()}

    def _place(self, scope: Value) -> Place:
        name = scope.name if isinstance(scope, Made) else scope.get("name") if isinstance(scope, dict) else None
        location = scope.member("location") if isinstance(scope, Made) else self.place.location
        if isinstance(scope, dict) and "subscriptionId" in scope:
            return replace(self.place, group=None)
        return replace(self.place, group=str(name or "group"), location=str(location))

    def _resource(self, resource: Resource, body: Properties, local: Locals, wanted: bool) -> Value:
        written = self.value(body, local)
        outer = self._outer(resource, written)
        kind, version = self._kind(resource, outer)
        name = str(written.get("name", ""))
        scope = written.get("scope")
        made = Made(
            kind,
            version,
            name,
            self._id(kind, name, outer, scope),
            {key: value for key, value in written.items() if key not in ("parent", "scope", "dependsOn")},
            self.source.path,
            resource.line,
            resource.name,
            resource.existing,
            self.path,
        )
        if not wanted or isinstance(outer, Absent):
            return Absent(resource.name, made)
        self.deployment.resources.append(made)
        return made

    def _outer(self, resource: Resource, written: Mapping[str, Value]) -> Value:
        return self.symbol(resource.outer, resource.line) if resource.outer else written.get("parent")

    def _kind(self, resource: Resource, outer: Value) -> tuple[str, str]:
        name, _, version = resource.type.partition("@")
        if not resource.outer:
            return name, version
        above = outer.made if isinstance(outer, Absent) else outer
        if not isinstance(above, Made):
            raise FailedError(
                self.source, resource.line, f"'{resource.name}' is inside a loop; declare it by its parent"
            )
        return f"{above.type}/{name}", version or above.api_version

    def _id(self, kind: str, name: str, outer: Value, scope: Value) -> str:
        above = outer.made if isinstance(outer, Absent) else outer
        if isinstance(above, Made):
            return f"{above.id}/{kind.rsplit('/', maxsplit=1)[-1]}/{name}"
        if kind.lower() == "microsoft.resources/resourcegroups":
            return f"/subscriptions/{self.place.subscription}/resourceGroups/{name}"
        top = self.place.id if scope is None else str(member(self.source, scope, "id", 0))
        namespace, *kinds = kind.split("/")
        pairs = "/".join(f"{one}/{other}" for one, other in zip(kinds, name.split("/"), strict=False))
        return f"{top}/providers/{namespace}/{pairs}"

    def value(self, expression: Expr, local: Locals) -> Value:
        """The value of an expression."""
        return self._calculator.value(expression, local)

    def function(self, name: str) -> tuple[Function, Calculator] | None:
        """A function of the file or one that it imports, and what calculates its body."""
        found = self._declared.get(name)
        if isinstance(found, Import) and (brought := self.project.imported(self.source, found)):
            frame = Frame(self.project, brought[0], {}, self.place, Deployment())
            return frame.function(brought[1].name)
        return (found, self._calculator) if isinstance(found, Function) else None
