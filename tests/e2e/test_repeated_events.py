"""Events that come thrice, and out of order, against the whole product: each file is taken in once."""

import pytest

from tests.e2e.conftest import Cloud

pytestmark = [pytest.mark.localcloud, pytest.mark.timeout(600)]


def test_files_delivered_three_times_and_out_of_order_are_taken_in_once(cloud: Cloud) -> None:
    gateway = cloud.azure
    gateway._call("PUT", f"{gateway.url}/admin/events/conditions", body={"duplicates": 2, "shuffle": True})
    cloud.drop()
    status = cloud.wait("the release to be live", lambda seen: bool(seen["live"]))
    gateway._call("PUT", f"{gateway.url}/admin/events/conditions", body={})
    for event in gateway._call("GET", f"{gateway.url}/admin/events")["value"]:
        gateway._call("POST", f"{gateway.url}/admin/events/{event['event']['id']}/replay")
    cloud.wait("the queues to be empty", lambda _: not any(cloud.left_over()["queues"].values()))
    left = cloud.left_over()
    assert left["jobs"] == ["flight-duration-0001-a1"]
    assert len(left["parts"]) == 2
    assert status["parts"] == {"accepted": 2, "fresh": 0}
