"""Whatever breaks inside the service, no caller is dropped, and nothing of him reaches a log line."""

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from detector.audio.frames import SAMPLE_RATE, Samples
from detector.errors import RecognitionError
from detector.screener import CallScreener
from detector.service import live_call
from detector.service.spectator import Spectator
from detector.sip.protocol import (
    Answer,
    CallEnded,
    HangUp,
    IncomingCall,
    Play,
    PromptEnded,
    PromptStarted,
    Refer,
    RegistrationFailed,
    StopPlaying,
    TransferProgress,
)
from detector.sip.supervisor import CallLost, SupervisorEvent, WorkerLost
from detector.stores.store import Store

NUMBER = "13811220457"


def play(story: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(story())


def silence(seconds: float) -> Samples:
    return np.asarray(np.rint(np.random.default_rng(2).normal(0, 6, int(seconds * SAMPLE_RATE))), np.int16)


def test_broken_recognition_puts_the_caller_through(
    answering: Any, hears: Any, tmp_path: Path, sentence: Samples
) -> None:
    async def story() -> None:
        recognition = hears("喂", RecognitionError("killed"))
        async with answering(tmp_path, recognition) as rig:
            call = await rig.ring()
            for _ in range(4):
                await rig.say(call, sentence)
            assert rig.board.told(call, Refer)
            assert not rig.board.told(call, HangUp)
            (detail,) = rig.stored()
            assert (detail.call.end_reason, detail.call.label) == ("forwarded", "unsure")

    play(story)


def explode(*_: object, **__: object) -> None:
    raise ValueError(f"{NUMBER} said something")


@pytest.mark.parametrize("where", ["next_event", "__init__"])
@pytest.mark.parametrize("transfer", [200, 603])
def test_a_broken_engine_drops_nobody(
    answering: Any,
    tmp_path: Path,
    sentence: Samples,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    where: str,
    transfer: int,
) -> None:
    monkeypatch.setattr(CallScreener, where, explode)
    monkeypatch.setattr(live_call, "LAST_RESORT_SECONDS", 0.05)

    async def story() -> None:
        async with answering(tmp_path, transfer=transfer) as rig:
            call = await rig.ring()
            await rig.say(call, sentence)
            assert rig.board.told(call, Refer)
            if transfer == 603:
                assert rig.board.told(call, Play), "he is asked for a message even so"
                await asyncio.sleep(0.1)
                await rig.settle()
            assert call not in rig.board.calls
            assert rig.service.unfinished == 0
            reason = rig.stored()[0].call.end_reason
            assert reason == ("forwarded" if transfer == 200 else "message_taken")

    play(story)
    assert NUMBER not in caplog.text


def test_an_engine_that_breaks_once_is_replaced_to_take_the_message(
    answering: Any,
    hears: Any,
    tmp_path: Path,
    sentence: Samples,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole, engines = CallScreener.__init__, []

    def breaks_first(self: CallScreener, *arguments: Any) -> None:
        whole(self, *arguments)
        engines.append(self)
        if len(engines) == 1:
            monkeypatch.setattr(self, "next_event", explode)

    monkeypatch.setattr(CallScreener, "__init__", breaks_first)

    async def story() -> None:
        async with answering(tmp_path, hears("请给我回电"), transfer=603) as rig:
            call = await rig.ring()
            await rig.say(call, silence(1))
            await rig.say(call, sentence)
            await rig.say(call, silence(8))
            assert rig.stored_messages() == ["请给我回电"]
            assert len(engines) == 2

    play(story)


def test_what_breaks_before_the_answer_leaves_nobody_ringing(
    answering: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def story() -> None:
        async with answering(tmp_path) as rig:
            monkeypatch.setattr(rig.service._known, "look_up", explode)
            call = await rig.ring()
            assert rig.board.told(call, Answer)
            assert rig.board.told(call, Refer)
            assert rig.stored()[0].call.end_reason == "forwarded"

    play(story)
    assert NUMBER not in caplog.text


def test_a_caller_who_gives_up_while_he_is_looked_up(answering: Any, tmp_path: Path) -> None:
    async def story() -> None:
        async with answering(tmp_path) as rig:
            incoming = IncomingCall(1, "127.0.0.1:5060", (("From", f"<sip:{NUMBER}@127.0.0.1>"),))
            for end, reason in ((CallEnded(1, 487, "", "remote"), "caller_hung_up"), (CallLost(1), "lost")):
                rig.board.put(incoming)
                rig.board.put(cast("SupervisorEvent", end))
                await rig.settle()
                assert not rig.board.told(1, Answer)
                assert rig.stored()[-1].call.end_reason == reason
            assert rig.service.unfinished == 0

    play(story)


def test_a_lost_call_is_put_straight_through_the_next_time(answering: Any, tmp_path: Path) -> None:
    async def story() -> None:
        async with answering(tmp_path) as rig:
            call = await rig.ring()
            await rig.say(call, silence(1))
            rig.board.put(CallLost(call))
            rig.board.put(WorkerLost(1, -9))
            await rig.settle()
            assert rig.stored()[0].call.lost
            again = await rig.ring()
            await rig.say(again, silence(1))
            acts = [Path(each.path).name for each in rig.board.told(again, Play)]
            assert all("connecting" in name for name in acts), acts
            assert rig.board.told(again, Refer)
            assert rig.stored()[1].call.end_reason == "forwarded"

    play(story)


@pytest.mark.parametrize(
    "how", [BrokenPipeError, UnicodeEncodeError("latin-1", "喂", 0, 1, ""), SystemExit(1)]
)
def test_watching_never_touches_a_call(answering: Any, tmp_path: Path, how: BaseException) -> None:
    class Gone:
        def __getattr__(self, _name: str) -> Callable[..., None]:
            def broken(*_: object) -> None:
                raise how

            return broken

    async def story() -> None:
        async with answering(tmp_path, spectator=Spectator(cast("Any", Gone()))) as rig:
            call = await rig.ring()
            await rig.say(call, silence(1))
            assert rig.board.told(call, Play)
            assert not rig.board.told(call, Refer)
            await rig.hang_up(call)

    play(story)


def test_a_refused_registration_and_odd_events_do_not_end_the_service(answering: Any, tmp_path: Path) -> None:
    async def story() -> None:
        async with answering(tmp_path) as rig:
            rig.board.put(RegistrationFailed(1, 403, "Forbidden", 30.0))
            rig.board.put(RegistrationFailed(1, 408, "no answer", 60.0))
            rig.board.put(CallEnded(999, 200, "", "remote"))
            rig.board.put(PromptStarted(999, 1, 0))
            call = await rig.ring()
            rig.board.put(PromptEnded(call, 77, cut=False, position=0))
            rig.board.put(TransferProgress(call, 603, "", final=True))
            await rig.settle()
            assert rig.board.told(call, Answer)
            assert not rig.board.told(call, StopPlaying)
            await rig.hang_up(call)

    play(story)


def test_calls_that_are_up_when_the_service_ends_are_written_down(answering: Any, tmp_path: Path) -> None:
    async def story() -> None:
        async with answering(tmp_path) as rig:
            call = await rig.ring()
            await rig.say(call, silence(1))
        with Store(tmp_path / "calls.sqlite3") as store:
            (detail,) = store.calls()
        assert detail.call.end_reason == "lost"

    play(story)
