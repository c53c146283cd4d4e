"""The families of trouble that some caller tells apart. Adapters translate the SDKs' exceptions into them, once."""


class RetryLater(Exception):  # noqa: N818 - the name says what to do, not that it is an error
    """The world cannot answer now; the same pass may succeed after `delay_s` seconds."""

    def __init__(self, message: str, delay_s: float = 30.0) -> None:
        super().__init__(message)
        self.delay_s = delay_s


class LostRace(Exception):  # noqa: N818 - expected between two workers; nothing was written
    """Somebody else wrote the record, or changed the endpoint, first: throw the pass away and look again."""


class NeedsPerson(Exception):  # noqa: N818 - an answer to be shown, not a bug
    """Only a person can mend it: a missing role, a refused request, a name taken by a stranger."""


class BadInput(Exception):  # noqa: N818 - a refusal with its reasons
    """Something that a person wrote or sent is wrong. `problems` has one sentence per mistake."""

    def __init__(self, *problems: str) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems
