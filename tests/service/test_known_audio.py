"""The same audio in calls from other numbers, from the first call to the second, and a store that breaks meanwhile."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from detector.audio.files import read_clip
from detector.audio.frames import SAMPLE_RATE, Samples
from detector.errors import StoreError
from detector.sip.protocol import HangUp, Refer
from detector.stores.fingerprints import FingerprintStore
from detector.stores.records import CallDetail

TAKES = Path(__file__).parent.parent / "signals" / "takes"
LOAN = "loan_first same-words-other-voice_first"
FASTER = "loan_faster insurance_faster"
INSURANCE = "insurance_first loan_blend"
OURS, OTHER, THIRD = "13811220457", "17012345678", "02160953318"


def play(story: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(story())


def recorded(names: str, seed: int) -> Samples:
    """A caller who plays takes, the first of them 0.6 s after the answer, and says nothing more."""
    clips = [read_clip(TAKES / f"{name}.wav") for name in names.split()]
    wave = np.concatenate([np.zeros(4800 + 13 * seed), *clips, np.zeros(2 * SAMPLE_RATE)])
    return np.asarray(np.rint(wave + np.random.default_rng(seed).normal(0, 6, len(wave))), np.int16)


async def hear(rig: Any, number: str, audio: Samples) -> int:
    """Have `number` call and be heard, and hang up where nobody else does."""
    call: int = await rig.ring(number)
    await rig.say(call, audio)
    if call in rig.board.calls:
        await rig.hang_up(call)
    return call


def known(detail: CallDetail) -> list[tuple[str, bool]]:
    """What was said of the call's audio, and whether it speaks against the caller."""
    return [
        (item.detail, item.llr > 0) for item in detail.evidence if item.source.startswith("playback.known")
    ]


def test_audio_that_other_numbers_played_is_evidence(answering: Any, tmp_path: Path) -> None:
    async def story() -> None:
        async with answering(tmp_path) as rig:
            for seed, number in enumerate((OURS, OTHER, THIRD)):
                await hear(rig, number, recorded(LOAN, seed))
                rig.stored()
            first, second, third = (known(detail) for detail in rig.stored())
            assert first == []
            assert [(said[-19:], against) for said, against in second] == [("from 1 other number", True)]
            assert [(said[-20:], against) for said, against in third] == [("from 2 other numbers", True)]
            (campaign,) = rig.store.fingerprints.campaigns()
            assert (campaign.calls, campaign.numbers) == (3, 3)

    play(story)


def test_the_same_number_again_and_other_audio_are_no_other_numbers(answering: Any, tmp_path: Path) -> None:
    async def story() -> None:
        async with answering(tmp_path) as rig:
            for number, name in ((OURS, LOAN), (OURS, LOAN), (OTHER, FASTER)):
                await hear(rig, number, recorded(name, 1))
                rig.stored()
            first, second, third = (known(detail) for detail in rig.stored())
            assert (first, third) == ([], [])
            assert [said.endswith("from this number") for said, _ in second] == [True]

    play(story)


def test_what_the_user_wanted_never_speaks_against_the_next_caller(answering: Any, tmp_path: Path) -> None:
    async def story() -> None:
        async with answering(tmp_path) as rig:
            await hear(rig, OURS, recorded(INSURANCE, 1))
            (detail,) = rig.stored()
            (campaign,) = rig.store.fingerprints.campaigns(1)
            rig.store.fingerprints.label_campaign(campaign.id, "unwanted")
            rig.store.rate(detail.call.id, "wanted")
            await hear(rig, OTHER, recorded(INSURANCE, 2))
            assert [against for _, against in known(rig.stored()[1])] == [False]

    play(story)


def test_a_store_that_cannot_look_up_ends_no_call(
    answering: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> None:
        raise StoreError("the disk is full")

    monkeypatch.setattr(FingerprintStore, "find", broken)
    monkeypatch.setattr(FingerprintStore, "add", broken)

    async def story() -> None:
        async with answering(tmp_path) as rig:
            call = await hear(rig, OURS, recorded(LOAN, 1))
            assert not rig.board.told(call, HangUp)
            (detail,) = rig.stored()
            assert detail.call.ended_at is not None
            assert known(detail) == []
            assert "cannot look up fingerprints" in caplog.text

    play(story)


def test_a_store_that_is_slow_delays_no_call(
    answering: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    release = threading.Event()

    def slow(*_: object) -> list[Any]:
        release.wait(30)
        return []

    monkeypatch.setattr(FingerprintStore, "find", slow)

    async def story() -> None:
        async with answering(tmp_path, patience=0.02) as rig:
            rig.awaits_known_audio = False
            call = await rig.ring()
            try:
                await rig.say(call, recorded(LOAN, 1))
                await rig.say(call, np.zeros(60 * SAMPLE_RATE, np.int16))
                assert rig.board.told(call, Refer) or rig.board.told(call, HangUp), (
                    "decided without the answer"
                )
            finally:
                release.set()
            assert "did not look up a fingerprint in time" in caplog.text

    play(story)


def test_look_ups_that_pile_up_are_refused(
    answering: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    release = threading.Event()
    answers: list[Any] = []
    monkeypatch.setattr(FingerprintStore, "find", lambda *_: [release.wait(30)][:0])

    async def story() -> None:
        async with answering(tmp_path) as rig:
            landmarks: Any = None
            for _ in range(40):
                rig.known_audio.look_up(landmarks, None, answers.append)
            assert answers == []
            for _ in range(5):
                await asyncio.sleep(0)
            assert answers == [None] * 8
            release.set()
            await rig.settle()
            assert answers == [None] * 8 + [[]] * 32

    play(story)
