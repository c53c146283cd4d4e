"""The functions of Bicep: how many arguments each takes and what it gives (docs: bicep-functions).

Read by symbols.py (known, count) and inference.py (what it gives).
"""

from typing import NamedTuple

from infra.check.shapes import ANY, ARRAY, BOOL, INT, OBJECT, STRING, Shape, array_of

MANY = 100


class Signature(NamedTuple):
    """Fewest and most arguments, and the shape of the result."""

    fewest: int
    most: int
    gives: Shape


def _all(names: str, fewest: int, most: int, gives: Shape) -> dict[str, Signature]:
    return {name: Signature(fewest, most, gives) for name in names.split()}


STRINGS = array_of(STRING)
FUNCTIONS: dict[str, Signature] = {
    **_all("any first last json fail", 1, 1, ANY),
    **_all("loadJsonContent loadYamlContent", 1, 3, ANY),
    **_all("coalesce union intersection max min", 1, MANY, ANY),
    **_all("tryGet", 2, MANY, ANY),
    **_all("reference", 1, 3, ANY),
    **_all("skip take", 2, 2, ANY),
    **_all("reduce", 3, 3, ANY),
    **_all("array flatten items shallowMerge", 1, 1, ARRAY),
    **_all("objectKeys", 1, 1, STRINGS),
    **_all("concat", 1, MANY, ARRAY),
    **_all("filter map sort", 2, 2, ARRAY),
    **_all("range", 2, 2, array_of(INT)),
    **_all("split", 2, 2, STRINGS),
    **_all("pickZones", 3, 5, STRINGS),
    **_all("contains endsWith startsWith", 2, 2, BOOL),
    **_all("empty bool", 1, 1, BOOL),
    **_all("indexOf lastIndexOf", 2, 2, INT),
    **_all("length int dateTimeToEpoch", 1, 1, INT),
    **_all("toObject", 2, 3, OBJECT),
    **_all("groupBy mapValues", 2, 2, OBJECT),
    **_all("parseCidr parseUri", 1, 1, OBJECT),
    **_all("deployment environment deployer tenant", 0, 0, OBJECT),
    **_all("subscription managementGroup", 0, 1, OBJECT),
    **_all("resourceGroup", 0, 2, OBJECT),
    **_all("cidrSubnet", 3, 3, STRING),
    **_all("cidrHost uri join", 2, 2, STRING),
    **_all("dateTimeAdd", 2, 3, STRING),
    **_all("dateTimeFromEpoch string toLower toUpper trim nameof buildUri", 1, 1, STRING),
    **_all("utcNow", 0, 1, STRING),
    **_all("newGuid", 0, 0, STRING),
    **_all("loadFileAsBase64", 1, 1, STRING),
    **_all("loadTextContent", 1, 2, STRING),
    **_all("base64 base64ToString dataUri dataUriToString uriComponent uriComponentToString", 1, 1, STRING),
    **_all("base64ToJson", 1, 1, ANY),
    **_all("format guid uniqueString", 1, MANY, STRING),
    **_all("padLeft", 2, 3, STRING),
    **_all("replace", 3, 3, STRING),
    **_all("substring", 2, 3, STRING),
    **_all("extensionResourceId managementGroupResourceId", 3, MANY, STRING),
    **_all("resourceId subscriptionResourceId tenantResourceId", 2, MANY, STRING),
}

_LIMITS = ("minLength", "maxLength", "minValue", "maxValue", "allowed", "discriminator", "sealed", "validate")
_OTHERS = ("batchSize", "description", "export", "metadata", "onlyIfNotExists", "retryOn", "secure", "waitUntil")
DECORATORS = frozenset((*_LIMITS, *_OTHERS))

RUNTIME = frozenset(("reference",))
"""Functions whose result is known only while the deployment runs; `list…` of a resource is another."""
