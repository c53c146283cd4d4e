"""Route templates of HTTP functions: `models/{model}`, `{id:int}`, `{rest?}`, `{*path}`. Pure.

Called by http_trigger.py. Literals are compared without case. Of several templates that match the more
literal one wins, segment by segment, as in ASP.NET Core.
"""

import re
from dataclasses import dataclass
from urllib.parse import unquote

from localcloud.host.errors import HostError

_PARAMETER = re.compile(r"\{(\*?)([A-Za-z_]\w*)(?::([^{}?]+))?(\??)\}")
_CONSTRAINTS = {
    "int": r"-?\d{1,10}",
    "long": r"-?\d{1,19}",
    "alpha": r"[A-Za-z]+",
    "bool": r"(?i:true|false)",
    "guid": r"[0-9A-Fa-f]{8}(-?[0-9A-Fa-f]{4}){3}-?[0-9A-Fa-f]{12}",
}


@dataclass(frozen=True)
class _Segment:
    rank: int  # 0 literal, 1 constrained, 2 parameter, 3 catch-all
    text: str  # the literal in lower case, or the parameter's name
    pattern: re.Pattern[str] | None = None
    optional: bool = False


@dataclass(frozen=True)
class Route:
    """A parsed template. Sort by `precedence`, and take the first that matches."""

    segments: tuple[_Segment, ...]

    @classmethod
    def parse(cls, template: str) -> "Route":
        """HostError for a template that this host does not know."""
        return cls(tuple(_segment(text, template) for text in template.strip("/").split("/") if text))

    @property
    def precedence(self) -> tuple[int, ...]:
        """Smaller is more literal."""
        return tuple(segment.rank for segment in self.segments)

    def match(self, raw_path: str) -> dict[str, str] | None:
        """Parameters of a path as it came over the wire, or None. Encoded slashes stay encoded."""
        given = [_decode(part) for part in raw_path.strip("/").split("/")] if raw_path.strip("/") else []
        values: dict[str, str] = {}
        for index, segment in enumerate(self.segments):
            if segment.rank == 3:
                if given[index:]:
                    values[segment.text] = "/".join(given[index:])
                return values
            if index >= len(given):
                if segment.optional:
                    continue
                return None
            if segment.rank == 0:
                if given[index].lower() != segment.text:
                    return None
            elif segment.pattern is not None and not segment.pattern.fullmatch(given[index]):
                return None
            else:
                values[segment.text] = given[index]
        return values if len(given) <= len(self.segments) else None


def _segment(text: str, template: str) -> _Segment:
    if "{" not in text and "}" not in text:
        return _Segment(0, text.lower())
    match = _PARAMETER.fullmatch(text)
    if match is None:
        raise HostError(f"the route {template!r}: {text!r} is a segment that the local host does not know")
    star, name, constraint, question = match.groups()
    if constraint is not None and constraint not in _CONSTRAINTS:
        raise HostError(f"the route {template!r}: the local host does not know the constraint {constraint!r}")
    pattern = re.compile(_CONSTRAINTS[constraint]) if constraint else None
    return _Segment(3 if star else 1 if pattern else 2, name, pattern, bool(question))


def _decode(part: str) -> str:
    return "%2F".join(unquote(piece) for piece in re.split("%2[fF]", part))
