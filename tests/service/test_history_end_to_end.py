"""Earlier calls, from the telephone line through the store to what the next call is taken for."""

import asyncio
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from detector.audio.frames import SAMPLE_RATE, Samples
from detector.decision.verdict import Action, Axes, Verdict
from detector.stores.store import Store

PERSON, DIALER, NEXT_DIALER = "13811220457", "17012340001", "17012340002"


class Watch:
    """The time of day, set by hand."""

    def __init__(self) -> None:
        self.time = datetime(2026, 3, 7, 10, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.time

    def advance(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


def play(story: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(story())


def noise(seconds: float) -> Samples:
    return np.asarray(np.rint(np.random.default_rng(2).normal(0, 6, int(seconds * SAMPLE_RATE))), np.int16)


async def ring(rig: Any, watch: Watch, number: str, *, stays: float, then: float) -> dict[str, float]:
    """One call that the caller ends after `stays` seconds; return what was said of the number's history."""
    call = await rig.ring(number)
    await rig.say(call, noise(0.4))
    watch.advance(stays)
    await rig.hang_up(call)
    detail = rig.stored()[-1]
    watch.advance(then)
    return {item.source: item.llr for item in detail.evidence if item.source.startswith("history.")}


def test_who_rings_once_again_and_again_is_noticed(answering: Any, tmp_path: Path) -> None:
    async def story() -> None:
        watch = Watch()
        async with answering(tmp_path, wall_clock=watch) as rig:
            told = [await ring(rig, watch, DIALER, stays=1, then=3600) for _ in range(3)]
            assert told[0] == {}
            assert 0 < told[1]["history.one_ring"] < told[2]["history.one_ring"]
            assert "history.tries_again" not in told[2]

    play(story)


def test_who_needs_something_and_tries_again_is_let_through_sooner(answering: Any, tmp_path: Path) -> None:
    async def story() -> None:
        watch = Watch()
        async with answering(tmp_path, wall_clock=watch) as rig:
            told = [await ring(rig, watch, PERSON, stays=20, then=300) for _ in range(3)]
            assert [each.get("history.tries_again", 0) < 0 for each in told] == [False, True, True]
            assert told[2]["history.tries_again"] < told[1]["history.tries_again"]

    play(story)


def test_double_dialling_earns_nothing(answering: Any, tmp_path: Path) -> None:
    async def story() -> None:
        watch = Watch()
        async with answering(tmp_path, wall_clock=watch) as rig:
            assert await ring(rig, watch, DIALER, stays=2, then=20) == {}
            at_once = await ring(rig, watch, DIALER, stays=2, then=200)
            assert at_once.get("history.tries_again", 0) == 0
            later = await ring(rig, watch, DIALER, stays=20, then=0)
            assert later.get("history.tries_again", 0) == 0, "it rang once, twice"

    play(story)


def judge(store: Store, call_id: str, action: Action) -> None:
    store.set_verdict(call_id, Verdict("telemarketer", action, 0.9, Axes(0, 0, 0), 9.0, 9.0, "a test"))


def test_a_refusal_is_remembered_and_so_is_the_next_number_of_the_block(
    answering: Any, tmp_path: Path
) -> None:
    async def story() -> None:
        watch = Watch()
        async with answering(tmp_path, wall_clock=watch) as rig:
            await ring(rig, watch, DIALER, stays=20, then=0)
            (first,) = rig.stored()
            judge(rig.store, first.call.id, "hang_up")
            rig.store.record_refusal(first.call.id, watch())
            watch.advance(120)
            assert set(await ring(rig, watch, NEXT_DIALER, stays=20, then=0)) == {"history.related_burst"}
            assert await ring(rig, watch, PERSON, stays=20, then=86400) == {}
            assert set(await ring(rig, watch, DIALER, stays=20, then=0)) == {"history.refused"}

    play(story)
