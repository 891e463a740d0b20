"""Keys that a caller presses reach the engine of his call, which asks for one that nobody can foresee."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from detector.audio.frames import Samples
from detector.decision.fusion import FusionModel
from detector.decision.policy import PolicyOptions
from detector.dialogue.planner import PlannerOptions
from detector.screener import ScreenerOptions
from detector.service.desk import secret_seed
from detector.sip.protocol import Dtmf, Play

NEVER = replace(
    FusionModel.load().thresholds,
    hang_up_at=99.0,
    forward_at=(-99.0,),
    neutral_at=(-99.0,),
    suspicious_at=-99.0,
)
UNDECIDED = PolicyOptions(deadline=100.0, thresholds=NEVER)
OPTIONS = ScreenerOptions(languages=("zh",), policy=UNDECIDED, planner=PlannerOptions(press_key=True))


@pytest.mark.parametrize("method", ["rfc2833", "info"])
@pytest.mark.parametrize(("pressed", "found"), [("6", [-1.5]), ("7", [0.2]), ("", []), ("66", [])])
def test_the_key_of_a_live_caller_is_evidence(
    answering: Any,
    hears: Any,
    sentence: Samples,
    tmp_path: Path,
    method: str,
    pressed: str,
    found: list[float],
) -> None:
    async def story() -> None:
        recognition = hears("无抵押无担保当天就能放款")
        async with answering(tmp_path, recognition, options=OPTIONS, seed=lambda: 5) as rig:
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
