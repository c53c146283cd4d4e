"""A folder of Bicep files and a folder of published types that are small enough to see through."""

import json
from pathlib import Path
from typing import Any

from infra.check.__main__ import found_in

STRING, INT, BOOL, ANY = ({"$type": f"{kind}Type"} for kind in ("String", "Integer", "Boolean", "Any"))


class TypeFile:
    """Builds one file of types; every method gives a reference."""

    def __init__(self) -> None:
        self.entries: list[dict[str, Any]] = []

    def add(self, entry: dict[str, Any]) -> dict[str, str]:
        self.entries.append(entry)
        return {"$ref": f"#/{len(self.entries) - 1}"}

    def words(self, *values: str, beside: bool = False) -> dict[str, str]:
        elements = [self.add({"$type": "StringLiteralType", "value": value}) for value in values]
        return self.add({"$type": "UnionType", "elements": [*elements, *([self.add(STRING)] if beside else [])]})

    def array(self, item: dict[str, str]) -> dict[str, str]:
        return self.add({"$type": "ArrayType", "itemType": item})

    def object(self, **properties: tuple[dict[str, str], int]) -> dict[str, str]:
        slots = {name: {"type": type_, "flags": flags} for name, (type_, flags) in properties.items()}
        return self.add({"$type": "ObjectType", "name": "Inner", "properties": slots})

    def resource(self, name: str, body: dict[str, str], scopes: int = 8) -> None:
        self.add({"$type": "ResourceType", "name": name, "body": body, "writableScopes": scopes})


OPTIONAL, REQUIRED, READ_ONLY, ID, NAME = 0, 1, 2, 10, 9


def write_types(folder: Path) -> Path:
    """Microsoft.Test/boxes, boxes/lids, locks (an extension) in the version 2024-01-01."""
    file = TypeFile()
    string, number, truth = file.add(STRING), file.add(INT), file.add(BOOL)
    short = file.add({"$type": "StringType", "minLength": 3, "maxLength": 12, "pattern": "^[a-z0-9-]+$"})
    form = file.add(
        {
            "$type": "DiscriminatedObjectType",
            "name": "Form",
            "discriminator": "kind",
            "baseProperties": {"label": {"type": string, "flags": OPTIONAL}},
            "elements": {
                "Round": file.object(kind=(file.words("Round"), REQUIRED), radius=(number, REQUIRED)),
                "Square": file.object(kind=(file.words("Square"), REQUIRED), side=(number, REQUIRED)),
            },
        }
    )
    properties = file.object(
        color=(file.words("Red", "Green"), REQUIRED),
        wood=(file.words("Oak", "Beech", beside=True), OPTIONAL),
        count=(file.add({"$type": "IntegerType", "minValue": 1, "maxValue": 9}), OPTIONAL),
        closed=(truth, OPTIONAL),
        labels=(file.array(string), OPTIONAL),
        form=(form, OPTIONAL),
        state=(string, READ_ONLY),
    )
    common = {"id": (string, ID), "name": (short, NAME), "type": (string, ID), "apiVersion": (string, ID)}
    body = file.object(**common, location=(string, REQUIRED), properties=(properties, OPTIONAL))
    file.resource("Microsoft.Test/boxes@2024-01-01", body)
    lid = file.object(**common, properties=(file.object(heavy=(truth, OPTIONAL)), OPTIONAL))
    file.resource("Microsoft.Test/boxes/lids@2024-01-01", lid)
    file.resource("Microsoft.Test/locks@2024-01-01", file.object(**common), scopes=16)
    save(folder, "Microsoft.Test", "2024-01-01", file)
    return folder


def save(folder: Path, namespace: str, version: str, file: TypeFile) -> None:
    """Put a file of types where the check looks for it."""
    path = folder / namespace.lower() / version / "types.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(file.entries))


BOX = """
@description('Where.')
param location string
resource box 'Microsoft.Test/boxes@2024-01-01' = {
  name: 'box'
  location: location
  properties: {
    color: 'Red'
    EXTRA
  }
}
output id string = box.id
"""


def box(extra: str) -> str:
    """A sound file with one more property in the box."""
    return BOX.replace("EXTRA", extra)


class World:
    """Files in a folder, checked."""

    def __init__(self, folder: Path):
        self.folder = folder / "infra"
        self.types = write_types(folder / "types")

    def problems(self, main: str, *, typed: bool = True, **modules: str) -> list[str]:
        """What the check says, as `FILE:LINE: …`, of main.bicep and modules by their names."""
        files = {"main": main, **{f"modules/{name}": text for name, text in modules.items()}}
        for name, text in files.items():
            path = self.folder / f"{name}.bicep"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        found = found_in(self.folder, self.types if typed else None)
        return [str(each).removeprefix(f"{self.folder}/") for each in found]

    def one(self, main: str, *, typed: bool = True, **modules: str) -> str:
        """The only problem."""
        found = self.problems(main, typed=typed, **modules)
        assert len(found) == 1, found
        return found[0]
