"""Trouble is news when it lasts or only a person can mend it, and the same trouble is told once."""

from datetime import UTC, datetime, timedelta

import pytest

from shared.domain.observation import LASTING, Trouble, alike

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("for_person", "age", "news"),
    [(False, timedelta(0), False), (False, LASTING, True), (True, timedelta(0), True)],
)
def test_it_is_news_when_it_lasts_or_is_for_a_person(for_person: bool, age: timedelta, news: bool) -> None:
    assert Trouble(text="", since=NOW - age, for_person=for_person).is_news(NOW) is news


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("refused at 12:00:01 (id 6f1c-0a)", "refused at 12:00:31 (id 9b2e-11)", True),
        ("refused with 403", "the log is gone", False),
        ("", "refused", False),
    ],
)
def test_sentences_that_differ_in_numbers_and_ids_are_the_same_trouble(one: str, other: str, same: bool) -> None:
    assert alike(one, other) is same
