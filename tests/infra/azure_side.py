"""What infra/ makes, as the tests that hold app and infrastructure together ask for it.

Every condition is on (all parameters set), so that whatever can be made is looked at. The seeded mistakes build one
of these from a changed copy of the folder.
"""

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from infra.check.deployed import everything
from infra.check.evaluate import deploy
from infra.check.project import Project
from infra.check.roles import name_of
from infra.check.values import Deployment, Made, Runtime

ROOT = Path(__file__).resolve().parents[2]
INFRA = ROOT / "infra"
GIVEN = {"environmentName": "test", "location": "westeurope"}
ACCOUNTS = "Microsoft.Storage/storageAccounts"


@dataclass(frozen=True)
class Assignment:
    """One role assignment: who may do what, where, without the token of the names."""

    who: str
    role: str
    where: str
    line: str


@dataclass(frozen=True)
class Azure:
    """main.bicep and models.bicep, deployed one after the other."""

    main: Deployment
    models: Deployment

    @classmethod
    def of(cls, folder: Path = INFRA, **given: object) -> "Azure":
        """Deploy both."""
        project = Project(folder)
        sources = {path.name: source for path, source in project.sources.items() if path.parent == folder}
        first = sources["main.bicep"]
        main = deploy(project, first, {**everything(first), **GIVEN, **given})
        group = next(iter(main.of_type("Microsoft.Resources/resourceGroups"))).name
        second = sources["models.bicep"]
        # Without people: what is theirs alone is looked for by other names.
        known = {"token": main.outputs.get("UPKEEP_TOKEN"), "location": "westeurope"}
        return cls(main, deploy(project, second, {**everything(second), **known}, group))

    def all(self, kind: str) -> list[Made]:
        """The resources of a type from both."""
        return [*self.main.of_type(kind), *self.models.of_type(kind)]

    def one(self, kind: str) -> Made:
        """The only resource of a type."""
        found = self.all(kind)
        assert len(found) == 1, f"{len(found)} resources of {kind}"
        return found[0]

    @cached_property
    def token(self) -> str:
        """What the names of this deployment end in."""
        return str(self.main.outputs["UPKEEP_TOKEN"])

    @cached_property
    def site(self) -> Made:
        """The function app."""
        return self.one("Microsoft.Web/sites")

    @cached_property
    def settings(self) -> dict[str, Any]:
        """Its settings."""
        found = [each for each in self.main.of_type("Microsoft.Web/sites/config") if each.name == "appsettings"]
        return dict(found[0].properties) if found else {}

    @cached_property
    def storage(self) -> Made:
        """The account of the containers, queues and tables: the one whose queues the triggers' connection names."""
        uri = str(self.settings.get("UPKEEP_STORAGE__queueServiceUri", ""))
        found = [each for each in self.main.of_type(ACCOUNTS) if uri.startswith(f"{each.id}#")]
        assert found, "UPKEEP_STORAGE__queueServiceUri names no storage account that is made"
        return found[0]

    def boxes(self, kind: str) -> dict[str, Made]:
        """Containers, queues or tables of that account, by name: `blobServices/containers` and the like."""
        return {each.name: each for each in self.main.inside(self.storage, f"{ACCOUNTS}/{kind}")}

    @property
    def subscriptions(self) -> list[Made]:
        """Event Grid's."""
        return self.main.of_type("Microsoft.EventGrid/systemTopics/eventSubscriptions")

    def topic_of(self, subscription: Made) -> Made:
        """The topic that a subscription belongs to."""
        topics = self.main.of_type("Microsoft.EventGrid/systemTopics")
        return next(each for each in topics if subscription.id.startswith(f"{each.id}/"))

    @cached_property
    def assignments(self) -> list[Assignment]:
        """All role assignments."""
        return [self._assignment(each) for each in self.all("Microsoft.Authorization/roleAssignments")]

    def _assignment(self, made: Made) -> Assignment:
        role = name_of(str(made.properties.get("roleDefinitionId"))) or "an unknown role"
        scope = made.id.split("/providers/Microsoft.Authorization/")[0]
        return Assignment(self._who(made), role, self.plain(scope), f"{made.path.name}:{made.line}")

    def _who(self, made: Made) -> str:
        principal = str(made.properties.get("principalId"))
        return (
            self.plain(principal.split("#")[0])
            if isinstance(made.properties.get("principalId"), Runtime)
            else principal
        )

    def plain(self, resource_id: str) -> str:
        """The end of an id without the token: `queues/uploads`, `workspaces/mlw-upkeep`."""
        if resource_id.startswith("parameter:"):
            return resource_id
        short = "/".join(resource_id.split("/")[-2:])
        return re.sub(f"-?{re.escape(self.token)}", "", short)
