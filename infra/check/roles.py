"""Azure's built-in roles that this project may use, by id, and the check of every id that a file writes.

Called by __main__.py; the tests that hold app and infrastructure together read ROLES. The ids are the same in every
tenant (docs: built-in-roles). A role that is missing here is added with its id copied from that page.
"""

import re
from collections.abc import Iterator

from infra.check.nodes import Expr, Literal, Properties, Source, Variable, expressions, walk
from infra.check.problems import Problem, nearest
from infra.check.project import Project

ROLES = {
    "b24988ac-6180-42a0-ab88-20f7382dd24c": "Contributor",
    "8e3af657-a8ff-443c-a75c-2fe8c4bcb635": "Owner",
    "acdd72a7-3385-48ef-bd42-f606fba81ae7": "Reader",
    "7f951dda-4ed3-4680-a7ca-43fe172d538d": "AcrPull",
    "8311e382-0749-4cb8-b61a-304f252e45ec": "AcrPush",
    "b556d68e-0be0-4f35-a333-ad7ee1ce17ea": "Azure AI Enterprise Network Connection Approver",
    "e503ece1-11d0-4e8e-8e2c-7a6c3bf38815": "AzureML Compute Operator",
    "f6c7c914-8db3-469d-8ca1-694a8f32e121": "AzureML Data Scientist",
    "1823dd4f-9b8c-4ab6-ab4e-7397a3684615": "AzureML Registry User",
    "635dd51f-9968-44d3-b7fb-6d9a6bd613ae": "AzureML Metrics Writer (preview)",
    "4633458b-17de-408a-b874-0445c86b69e6": "Key Vault Secrets User",
    "b86a8fe4-44ce-4948-aee5-eccb2c155cd7": "Key Vault Secrets Officer",
    "73c42c96-874c-492b-b04d-ab87d138a893": "Log Analytics Reader",
    "92aaf0da-9dab-42b6-94a3-d43ce8d16293": "Log Analytics Contributor",
    "3913510d-42f4-4e42-8a64-420c390055eb": "Monitoring Metrics Publisher",
    "43d0d8ad-25c7-4714-9337-8ba259a9fe05": "Monitoring Reader",
    "17d1049b-9a84-46fb-8f53-869881c3d3ab": "Storage Account Contributor",
    "ba92f5b4-2d11-453d-a403-e96b0029c9fe": "Storage Blob Data Contributor",
    "b7e6dc6d-f1e8-4753-8033-0f276bb0955b": "Storage Blob Data Owner",
    "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1": "Storage Blob Data Reader",
    "69566ab7-960f-475b-8e7c-b3118f30c6bd": "Storage File Data Privileged Contributor",
    "974c5e8b-45b9-4653-ba55-5f855dd0fb88": "Storage Queue Data Contributor",
    "8a0f0c08-91a1-4084-bc3d-661d67233fed": "Storage Queue Data Message Processor",
    "c6a89b2d-59bc-44d0-9896-0f6e12d7b80a": "Storage Queue Data Message Sender",
    "19e7f393-937e-4f77-808e-94535e297925": "Storage Queue Data Reader",
    "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3": "Storage Table Data Contributor",
    "76199698-9eea-4c19-bc75-cec21354c6b6": "Storage Table Data Reader",
    "de139f84-1756-47ae-9be6-808fbbe84772": "Website Contributor",
}
WIDE = frozenset(("Owner", "Contributor"))
"""Roles that nothing here may give: least privilege names what is needed."""

_GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_IDS = {name: guid for guid, name in ROLES.items()}


def name_of(role_definition_id: str) -> str | None:
    """The name of a built-in role from its definition's id or GUID; None when it is not in the table."""
    return ROLES.get(role_definition_id.rsplit("/", maxsplit=1)[-1].lower())


def check(project: Project) -> Iterator[Problem]:
    """Every GUID that is written out must be a role's, and the one of the role that it is called by."""
    for source in project.sound():
        for declaration in source.declarations:
            own = declaration.name if isinstance(declaration, Variable) else ""
            for top in expressions(declaration):
                yield from _ids(source, top, own)


def _ids(source: Source, top: Expr, own: str) -> Iterator[Problem]:
    called = {id(top): own} if own else {}
    for each in walk(top):
        if isinstance(each, Properties):
            called |= {id(item.value): item.name for item in each.properties}
        if isinstance(each, Literal) and isinstance(each.value, str) and _GUID.fullmatch(each.value):
            yield from _id(source, each.line, each.value.lower(), called.get(id(each), ""))


def _id(source: Source, line: int, guid: str, called: str) -> Iterator[Problem]:
    role = ROLES.get(guid)
    if role is None:
        hint = nearest(guid, ROLES)
        meant = f"; {ROLES[hint.split(chr(39))[1]]} has '{hint.split(chr(39))[1]}'" if hint else ""
        message = f"'{guid}' is the id of no known role{meant}; correct it, or add the role to infra/check/roles.py"
        yield Problem(source.path, line, "role", message)
        return
    meant_role = next((name for name in _IDS if _plain(name) == _plain(called)), None)
    if meant_role and meant_role != role:
        message = f"'{called}' has the id of the role {role}; that of {meant_role} is '{_IDS[meant_role]}'"
        yield Problem(source.path, line, "role", message)
    elif role in WIDE:
        yield Problem(source.path, line, "role", f"the role {role} gives too much; name the role of what is needed")


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())
