"""Kinds of values that stand in a spec more than once. Used by the modules of the spec only."""

from typing import Annotated

from msgspec import Meta

Positive = Annotated[int, Meta(ge=1)]
NotNegative = Annotated[int, Meta(ge=0)]
Percent = Annotated[float, Meta(ge=0, le=100)]
RelativePath = Annotated[
    str, Meta(pattern=r"^[^/\\].*$", max_length=200, description="a path inside the model's folder")
]
