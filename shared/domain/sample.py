"""What a deployment is tried with: the model's own sample request, and what its answer must look like.

Made by Publication.sample; the adapter that sends the request holds the answer against it. Answers are judged where
they arrive: only what is wrong with one comes further, never its content.
"""

from shared.domain.base import Kept
from shared.domain.spec_evidence import Answer


class Sample(Kept, frozen=True, kw_only=True):
    """The request, as JSON text. Without `answer` any JSON will do; `schema` is the text of its JSON Schema."""

    request: str
    answer: Answer | None = None
    schema: str = ""
