"""Keys that a caller presses reach the engine of his call, which asks for one that nobody can foresee."""

import asyncio
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from detector.audio.frames import Samples
from detector.decision.policy import PolicyOptions
from detector.decision.thresholds import Thresholds
from detector.dialogue.planner import PlannerOptions
from detector.screener import ScreenerOptions
from detector.service.desk import secret_seed
from detector.sip.protocol import Dtmf, Play


@pytest.fixture
def asking_for_keys(answering: Any, undecided: Thresholds) -> Any:
    """The service, which goes on to its last question."""
    policy = PolicyOptions(deadline=100.0, thresholds=undecided)
    options = ScreenerOptions(languages=("zh",), policy=policy, planner=PlannerOptions(press_key=True))
    return partial(answering, options=options)


@pytest.mark.parametrize("method", ["rfc2833", "info"])
@pytest.mark.parametrize(("pressed", "found"), [("6", [-1.5]), ("7", [0.2]), ("", []), ("66", [])])
def test_the_key_of_a_live_caller_is_evidence(
    asking_for_keys: Any,
    hears: Any,
    sentence: Samples,
    tmp_path: Path,
    method: str,
    pressed: str,
    found: list[float],
) -> None:
    async def story() -> None:
        recognition = hears("无抵押无担保当天就能放款")
        async with asking_for_keys(tmp_path, recognition, seed=lambda: 5) as rig:
            call = await rig.ring()
            for _ in range(8):
                await rig.say(call, sentence)
                if any("zh-press-key-6" in play.path for play in rig.board.told(call, Play)):
                    break
            else:
                pytest.fail("the agent asked for no key")
            rig.board.put(Dtmf(call, pressed, method, 0))
            await rig.say(call, sentence[:8000])
            await rig.hang_up(call)
            (stored,) = rig.stored()
            keys = [each.llr for each in stored.evidence if each.source == "responsive.key"]
            assert keys == pytest.approx(found)

    asyncio.run(story())


def test_the_chance_of_a_live_call_is_the_system_s_own() -> None:
    seeds = {secret_seed() for _ in range(100)}
    assert len(seeds) == 100
    assert len({seed % 9 for seed in seeds}) > 5
