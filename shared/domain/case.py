"""What the evaluation of a candidate is held against. Built by making.py, read by the judge and its parts."""

import hashlib

from shared.domain.base import Kept
from shared.domain.manifest import Manifest
from shared.domain.record import HeldOutRows, Serving
from shared.domain.spec import Column


class Case(Kept, frozen=True, kw_only=True):
    """The data that it must be of, the model in production, and what is known of both from elsewhere.

    `known` is what an earlier evaluation by the same code said of the same held-out parts; `columns` are those of the
    data contract; `sample` is the JSON text of the sample request, and `rows_at` says where its rows stand in it, as
    in the spec's `rollout.answer`; None where the spec does not say.
    """

    manifest: Manifest
    champion: Serving | None = None
    known: HeldOutRows | None = None
    columns: dict[str, Column] = {}
    sample: str = ""
    rows_at: str | None = None


def held_out_key(manifest: Manifest, code_id: str) -> str:
    """Names held-out parts as this code reads them: other code may leave out other rows."""
    return hashlib.sha256("|".join((code_id, *sorted(manifest.held_out))).encode()).hexdigest()[:32]
