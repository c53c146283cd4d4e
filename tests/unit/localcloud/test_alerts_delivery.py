"""The action group's deliveries: which answers are tried again, and how often."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from localcloud.alerting.action_group import Delivery, deliver

URL = "http://127.0.0.1:7071/api/alerts?code=K"


def delivered(answers: list[int | None]) -> Delivery:
    """Deliver to a receiver that answers in turn; None stands for a connection that failed."""
    left = iter(answers)

    async def post(url: str, body: dict[str, Any]) -> int | None:
        return next(left)

    return asyncio.run(deliver(URL, {}, Path("ca.pem"), delays_s=(0,) * 5, post=post))


@pytest.mark.parametrize("answer", [408, 429, 503, 504, None])
def test_a_receiver_that_is_busy_or_away_is_tried_again(answer: int | None) -> None:
    assert delivered([answer, answer, 202]) == Delivery(URL, 202, 3)


@pytest.mark.parametrize("answer", [400, 401, 404, 500, 502])
def test_any_other_refusal_loses_the_alert(answer: int) -> None:
    delivery = delivered([answer, 202])
    assert (delivery.tries, delivery.delivered) == (1, False)


def test_after_five_more_tries_it_is_given_up() -> None:
    assert delivered([503] * 6 + [202]) == Delivery(URL, 503, 6)
