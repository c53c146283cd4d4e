"""Copies of live requests: how many are drawn, how many may be under way, and that nobody waits for them."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from localcloud.endpoints.mirror import Draw, Mirror

Scenario = Callable[[], Awaitable[None]]


def play(scenario: Scenario) -> None:
    asyncio.run(asyncio.wait_for(scenario(), timeout=5))


async def answered() -> bool:
    return True


async def refused() -> bool:
    return False


async def never() -> bool:
    await asyncio.Event().wait()
    return True


async def settled(mirror: Mirror, deployment: str) -> dict[str, int]:
    while mirror.counts()[deployment]["pending"]:
        await asyncio.sleep(0)
    return mirror.counts()[deployment]


def test_the_share_of_requests_is_mirrored() -> None:
    draw = Draw()
    drawn = [draw.draw("flights", {"r0001": 0, "r0002": 20}) for _ in range(5000)]
    assert set(drawn) == {"r0002", None}
    assert drawn.count("r0002") == pytest.approx(1000, rel=0.1)


@pytest.mark.parametrize("mirror", [{}, {"r0002": 0}])
def test_without_a_share_nothing_is_mirrored(mirror: dict[str, int]) -> None:
    draw = Draw()
    assert {draw.draw("flights", mirror) for _ in range(50)} == {None}


def test_the_same_requests_are_mirrored_again() -> None:
    one, other = Draw(), Draw()
    shares = {"r0002": 50}
    assert [one.draw("flights", shares) for _ in range(50)] == [other.draw("flights", shares) for _ in range(50)]


def test_an_offer_returns_before_the_copy_is_answered() -> None:
    async def scenario() -> None:
        mirror = Mirror()
        assert mirror.offer("flights/r0002", 10, never)
        assert mirror.counts()["flights/r0002"] == {
            "sent": 0,
            "failed": 0,
            "dropped": 0,
            "pending": 1,
            "pending_bytes": 10,
        }
        await mirror.stop()

    play(scenario)


def test_a_slow_mirror_drops_what_it_cannot_take_and_counts_it() -> None:
    async def scenario() -> None:
        mirror = Mirror(max_pending=3)
        assert [mirror.offer("flights/r0002", 1, never) for _ in range(5)] == [True, True, True, False, False]
        assert mirror.counts()["flights/r0002"]["dropped"] == 2
        await mirror.stop()

    play(scenario)


def test_large_requests_fill_a_mirror_sooner() -> None:
    async def scenario() -> None:
        mirror = Mirror(max_pending_bytes=100)
        assert mirror.offer("flights/r0002", 80, never)
        assert not mirror.offer("flights/r0002", 30, never)
        assert mirror.offer("flights/r0002", 20, never)
        await mirror.stop()

    play(scenario)


def test_one_endpoints_slow_mirror_leaves_room_for_anothers() -> None:
    async def scenario() -> None:
        mirror = Mirror(max_pending=1)
        assert mirror.offer("flights/r0002", 1, never)
        assert mirror.offer("weather/r0002", 1, never)
        await mirror.stop()

    play(scenario)


def test_room_comes_back_when_copies_are_answered() -> None:
    async def scenario() -> None:
        mirror = Mirror(max_pending=1)
        for _ in range(3):
            assert mirror.offer("flights/r0002", 1, answered)
            await settled(mirror, "flights/r0002")
        assert (await settled(mirror, "flights/r0002"))["sent"] == 3

    play(scenario)


def test_a_copy_that_is_answered_with_an_error_counts_as_failed() -> None:
    async def scenario() -> None:
        mirror = Mirror()
        mirror.offer("flights/r0002", 1, refused)
        mirror.offer("flights/r0002", 1, answered)
        counts = await settled(mirror, "flights/r0002")
        assert (counts["sent"], counts["failed"]) == (2, 1)

    play(scenario)


def test_a_copy_that_raises_is_told_in_the_log_and_frees_its_room(caplog: pytest.LogCaptureFixture) -> None:
    async def raises() -> bool:
        raise ValueError("a bug of ours")

    async def scenario() -> None:
        mirror = Mirror()
        mirror.offer("flights/r0002", 1, raises)
        assert (await settled(mirror, "flights/r0002"))["failed"] == 1

    play(scenario)
    assert "mirror.failed" in caplog.text
