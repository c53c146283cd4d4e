"""The Functions host is killed in the middle of a release, five times over. Nothing is lost, nothing doubled."""

from typing import Any

import pytest

from tests.e2e.conftest import Cloud

pytestmark = [pytest.mark.localcloud, pytest.mark.timeout(600)]

MOMENTS = ("training", "deploying", "canary", "baking")


def past(phase: str, status: dict[str, Any]) -> bool:
    return bool(status["phase"] == phase or status["live"])


def test_a_release_survives_five_kills_of_the_host(cloud: Cloud) -> None:
    cloud.drop()
    cloud.kill_host()  # files are on their way in
    met = []
    for moment in MOMENTS:
        status = cloud.wait(moment, lambda seen, moment=moment: past(moment, seen))
        met.append(status["phase"])
        cloud.kill_host()
    status = cloud.wait("the release to be live", lambda seen: bool(seen["live"]))
    assert met == list(MOMENTS), "each kill must hit the phase that it is meant for"
    assert status["live"]["release"] == 1
    left = cloud.left_over()
    assert left["jobs"] == ["flight-duration-0001-a1"]
    assert left["unread"] == []
    assert len(left["parts"]) == 2
    assert not [name for name in left["queues"] if name.endswith("-poison")]
