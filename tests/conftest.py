"""What every folder of tests shares."""

from dataclasses import replace

import pytest

from detector.decision.fusion import FusionModel
from detector.decision.thresholds import Thresholds


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give tests over real sockets and processes a second try.

    On a machine that others share, the scheduler may hold a process back for longer than any sensible wait. A second
    try is reported (`R`, and "rerun" in the last line), so that a test that needs it often is seen; what is wrong
    fails twice. Tests without sockets get none.
    """
    for item in items:
        if item.get_closest_marker("end_to_end"):
            item.add_marker(pytest.mark.flaky(reruns=1))


@pytest.fixture(scope="session")
def undecided() -> Thresholds:
    """Thresholds that no odds meet, so that the talk goes on to its last question."""
    return replace(
        FusionModel.load().thresholds,
        hang_up_at=99.0,
        forward_at=(-99.0,),
        neutral_at=(-99.0,),
        suspicious_at=-99.0,
    )
