"""The two kinds of values of the core: what a person writes (strict) and what we keep (evolving); and their bytes."""

import msgspec


class Written(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Written by people: a key that nobody knows is a mistake to be told, not to be passed over."""


class Kept(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Kept by us: fields may be added; an older row that lacks them, or a newer one with more, still reads."""


def canonical(value: object) -> bytes:
    """JSON with sorted keys: equal values give equal bytes."""
    return msgspec.json.encode(value, order="sorted")
