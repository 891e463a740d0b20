"""A service that is told to stop: what becomes of its callers."""

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import numpy as np

from detector.audio.frames import SAMPLE_RATE, Samples
from detector.service.answering import utc_now
from detector.sip.protocol import Bridged, Refer, Reject

NUMBER = "13811220457"


def play(story: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(story())


def silence(seconds: float) -> Samples:
    return np.asarray(np.rint(np.random.default_rng(2).normal(0, 6, int(seconds * SAMPLE_RATE))), np.int16)


def test_a_service_that_is_stopped_puts_its_callers_through_first(answering: Any, tmp_path: Path) -> None:
    async def story() -> None:
        async with answering(tmp_path) as rig:
            call = await rig.ring()
            await rig.say(call, silence(0.5))
            await rig.service.drain(5.0)
            assert rig.board.told(call, Refer)
            late = await rig.ring()
            assert rig.board.told(late, Reject)[0].code == 480, "it may ring elsewhere"
            first, second = rig.stored()
            assert first.call.end_reason == "forwarded"
            assert first.call.reason == "the service is being stopped"
            assert second.call.lost

    play(story)


def test_who_is_cut_off_as_the_service_stops_is_known_when_he_calls_again(
    answering: Any, tmp_path: Path
) -> None:
    async def story() -> None:
        async with answering(tmp_path, target=None) as rig:
            call = await rig.ring()
            await rig.say(call, silence(0.5))
            await rig.service.drain(0.0)
            assert rig.stored()[0].call.lost
            history = rig.store.history(NUMBER, utc_now())
            assert history.lost_by_us

    play(story)


def test_a_conversation_that_the_stop_cuts_was_put_through_and_is_no_lost_call(
    answering: Any, tmp_path: Path
) -> None:
    async def story() -> None:
        async with answering(tmp_path) as rig:
            call = await rig.ring()
            await rig.say(call, silence(0.5))
            rig.board.put(Bridged(call))
            await rig.settle()
            await rig.service.drain(0.0)
            (stored,) = rig.stored()
            assert (stored.call.end_reason, stored.call.lost) == ("forwarded", False)

    play(story)
