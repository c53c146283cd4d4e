"""Several checks say one thing together, and say who said it."""

import pytest

from shared.domain.analysis import Aspect, Check, Finding, combined


def check(aspect: Aspect, finding: Finding, **others: bool) -> Check:
    return Check(aspect=aspect, finding=finding, text=f"{aspect}: {finding}.", facts={aspect: 1}, **others)


GOOD, OPEN = check(Aspect.ERRORS, Finding.PASS), check(Aspect.LATENCY, Finding.INCONCLUSIVE)
BAD = check(Aspect.QUERIES, Finding.FAIL, noisy=True)


@pytest.mark.parametrize(
    ("checks", "together"),
    [
        ([], Finding.INCONCLUSIVE),
        ([GOOD], Finding.PASS),
        ([GOOD, OPEN], Finding.INCONCLUSIVE),
        ([GOOD, OPEN, BAD], Finding.FAIL),
    ],
)
def test_checks_say_together_what_the_worst_of_them_says(checks: list[Check], together: Finding) -> None:
    assert combined(checks).finding is together


def test_only_the_checks_that_decided_are_quoted_and_named() -> None:
    found = combined([GOOD, OPEN, BAD])
    assert (found.text, found.facts["failed"]) == ("queries: fail.", "queries")


def test_the_numbers_of_all_checks_are_kept_together() -> None:
    assert combined([GOOD, OPEN, BAD]).facts.keys() >= {"errors", "latency", "queries"}


def test_a_failure_is_noisy_only_if_every_check_that_failed_is() -> None:
    assert combined([GOOD, BAD]).noisy
    assert not combined([check(Aspect.ERRORS, Finding.FAIL), BAD]).noisy


def test_a_suspicion_of_one_check_is_one_of_all() -> None:
    assert combined([GOOD, check(Aspect.ERRORS, Finding.INCONCLUSIVE, suspect=True)]).suspect


def test_what_the_spec_skips_decides_nothing() -> None:
    assert combined([GOOD, OPEN, BAD], skip=[Aspect.LATENCY, Aspect.QUERIES]).finding is Finding.PASS


def test_what_was_skipped_is_said_and_its_numbers_are_kept() -> None:
    found = combined([GOOD, BAD], skip=[Aspect.ERRORS, Aspect.QUERIES])
    assert "Not judged, as the spec says: errors, queries." in found.text
    assert (found.facts["skipped"], found.facts["errors"]) == ("errors, queries", 1)


def test_with_everything_skipped_there_is_nothing_to_pass_by() -> None:
    assert combined([GOOD], skip=[Aspect.ERRORS]).finding is Finding.INCONCLUSIVE
