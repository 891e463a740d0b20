"""The service on a switchboard that answers at once: no call leaks, no failure drops a caller, nothing said is lost."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable, Coroutine
from concurrent.futures import Future
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from detector.audio.files import read_clip
from detector.audio.frames import BLOCK_SAMPLES, SAMPLE_RATE, Samples
from detector.call import Language
from detector.clock import VirtualClock
from detector.decision.fusion import FusionModel
from detector.decision.policy import PolicyOptions
from detector.dialogue.acts import Act
from detector.dialogue.prompts import PromptLibrary
from detector.errors import RecognitionError, StoreError
from detector.screener import CallScreener, ScreenerOptions, ScreenerParts
from detector.service import live_call
from detector.service.answering import AnsweringOptions, AnsweringService, utc_now
from detector.service.desk import CallDesk, ForwardOptions
from detector.service.known_numbers import KnownNumbers
from detector.service.spectator import Spectator
from detector.sip.protocol import (
    Answer,
    Audio,
    Bridge,
    CallAnswered,
    CallEnded,
    Command,
    HangUp,
    IncomingCall,
    Play,
    PromptEnded,
    PromptStarted,
    Refer,
    RegistrationFailed,
    Reject,
    StopPlaying,
    TransferProgress,
)
from detector.sip.supervisor import CallLost, SipSupervisor, SupervisorEvent, WorkerLost
from detector.speech.transcript import Transcript
from detector.stores.lists import parse_entry
from detector.stores.records import CallDetail
from detector.stores.store import Store
from detector.stores.writer import StoreWriter
from detector.text.lexicon import Lexicon
from detector.text.matcher import Matcher

NUMBER = "13811220457"
OPTIONS = ScreenerOptions(languages=("zh",))


@pytest.fixture(scope="module")
def parts() -> ScreenerParts:
    return ScreenerParts(Matcher(Lexicon.load()), FusionModel.load(), PromptLibrary.load())


@pytest.fixture(scope="module")
def sentences(parts: ScreenerParts) -> list[Samples]:
    """Somebody says one thing each for a few seconds, and then nothing for two."""
    rng, spoken = np.random.default_rng(1), []
    for act in (Act.GREETING, Act.TAKE_MESSAGE, Act.REFUSE):
        for prompt in parts.prompts.for_act(act, "zh")[:3]:
            pieces = [
                np.zeros(SAMPLE_RATE // 2, np.int16),
                read_clip(prompt.path),
                np.zeros(2 * SAMPLE_RATE, np.int16),
            ]
            audio = np.concatenate(pieces)
            spoken.append(np.asarray(audio + np.rint(rng.normal(0, 6, len(audio))), np.int16))
    return spoken


@pytest.fixture(scope="module")
def sentence(sentences: list[Samples]) -> Samples:
    return sentences[1]


class Switchboard:
    """SIP workers that do at once what they are told. Prompts are over as soon as they begin."""

    def __init__(self, *, transfer: int = 200) -> None:
        self.calls: frozenset[int] = frozenset()
        self.sent: list[Command] = []
        self._transfer = transfer
        self._events: asyncio.Queue[SupervisorEvent | None] = asyncio.Queue()

    async def events(self) -> AsyncIterator[SupervisorEvent]:
        while (event := await self._events.get()) is not None:
            yield event

    def stop(self) -> None:
        self._events.put_nowait(None)

    def put(self, event: SupervisorEvent) -> None:
        match event:
            case IncomingCall(call=call):
                self.calls |= {call}
            case CallEnded(call=call) | CallLost(call=call):
                self.calls -= {call}
            case _:
                pass
        self._events.put_nowait(event)

    def send(self, command: Command) -> None:
        self.sent.append(command)
        call = getattr(command, "call", -1)
        if call not in self.calls:
            return
        match command:
            case Answer():
                self.put(CallAnswered(call, "PCMA", encrypted=False))
            case Reject(code=code):
                self.put(CallEnded(call, code, "", "command"))
            case Play(prompt=prompt):
                self.put(PromptStarted(call, prompt, 0))
                self.put(PromptEnded(call, prompt, cut=False, position=0))
            case HangUp():
                self.put(CallEnded(call, 200, "", "command"))
            case Refer() | Bridge():
                self.put(TransferProgress(call, self._transfer, "", final=True))
                if self._transfer < 300:
                    self.put(CallEnded(call, 200, "", "transferred"))
            case _:
                pass

    def told(self, call: int, kind: type[Command]) -> list[Any]:
        return [each for each in self.sent if isinstance(each, kind) and getattr(each, "call", None) == call]


class Recognition:
    """Answers with `texts` one after the other, the last again and again; held back until `release` if told so."""

    def __init__(self, *texts: str | Exception) -> None:
        self._texts = list(texts)
        self._held: list[tuple[Future[Transcript], str | Exception]] | None = None

    def hold(self) -> None:
        self._held = []

    def release(self) -> None:
        held, self._held = self._held or [], None
        for future, outcome in held:
            self._settle(future, outcome)

    def submit(self, samples: Samples, language: Language | None) -> Future[Transcript]:
        outcome = self._texts.pop(0) if len(self._texts) > 1 else self._texts[0]
        future: Future[Transcript] = Future()
        if self._held is None:
            self._settle(future, outcome)
        else:
            self._held.append((future, outcome))
        return future

    @staticmethod
    def _settle(future: Future[Transcript], outcome: str | Exception) -> None:
        if isinstance(outcome, Exception):
            future.set_exception(outcome)
        else:
            future.set_result(Transcript(outcome, "zh", -0.3))


@dataclass
class Rig:
    """A running service, and hands to make calls with."""

    service: AnsweringService
    board: Switchboard
    clock: VirtualClock
    store: Store
    writer: StoreWriter
    recognition: Recognition
    positions: dict[int, int] = field(default_factory=dict)
    numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    async def settle(self) -> None:
        """Let the service work off everything, lookups in threads included."""
        for _ in range(400):
            await asyncio.sleep(0)
            if not self.service._arriving and self.board._events.empty():
                break
            await asyncio.sleep(0.001)
        for _ in range(20):
            await asyncio.sleep(0)

    async def ring(self, number: str = NUMBER) -> int:
        call = next(self.numbers)
        self.board.put(IncomingCall(call, "127.0.0.1:5060", (("From", f"<sip:{number}@127.0.0.1>"),)))
        await self.settle()
        return call

    async def say(self, call: int, samples: Samples) -> None:
        """Have the caller be heard; time goes on with him."""
        position = self.positions.get(call, 0)
        for start in range(0, len(samples) - BLOCK_SAMPLES + 1, BLOCK_SAMPLES):
            if call not in self.board.calls:
                break
            block = samples[start : start + BLOCK_SAMPLES]
            self.clock.advance_to(self.clock.now() + BLOCK_SAMPLES / SAMPLE_RATE)
            self.board.put(Audio(call, position, 0.0, block.astype("<i2").tobytes()))
            position += BLOCK_SAMPLES
            if start % (5 * BLOCK_SAMPLES) == 0:
                await self.settle()
        self.positions[call] = position
        await self.settle()

    async def hang_up(self, call: int) -> None:
        self.board.put(CallEnded(call, 200, "", "remote"))
        await self.settle()

    def stored(self) -> list[CallDetail]:
        """The calls in the store, the oldest first."""
        assert self.writer.flush(20)
        return list(self.store.calls())[::-1]

    def stored_messages(self) -> list[str]:
        assert self.writer.flush(20)
        return [message.text for message in self.store.messages()]


@asynccontextmanager
async def answering(
    parts: ScreenerParts,
    folder: Path,
    recognition: Recognition | None = None,
    *,
    options: ScreenerOptions = OPTIONS,
    transfer: int = 200,
    target: str | None = "sip:home@127.0.0.1",
    most_screened: int = 16,
    lists: tuple[tuple[str, str], ...] = (),
    spectator: Spectator | None = None,
) -> AsyncIterator[Rig]:
    board, clock = Switchboard(transfer=transfer), VirtualClock(500.0)
    recognition = recognition or Recognition("喂")
    with Store(folder / "calls.sqlite3") as store:
        writer = StoreWriter(store, retry_seconds=())
        desk = CallDesk(
            send=board.send,
            parts=parts,
            options=lambda: options,
            forward=ForwardOptions("refer", target),
            recognition=recognition,
            clock=clock,
            scheduler=asyncio.get_running_loop(),
            spectator=spectator or Spectator(),
        )
        entries = tuple(parse_entry(entry, "own", cast("Any", verdict)) for verdict, entry in lists)
        known = KnownNumbers(store, entries, clock, utc_now, patience=5.0)
        supervisor = cast("SipSupervisor", board)
        service = AnsweringService(
            supervisor, desk, writer, known, AnsweringOptions(most_screened=most_screened)
        )
        running = asyncio.create_task(service.run())
        try:
            yield Rig(service, board, clock, store, writer, recognition)
        finally:
            board.stop()
            await running
            writer.close()


def play(story: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(story())


def silence(seconds: float) -> Samples:
    return np.asarray(np.rint(np.random.default_rng(2).normal(0, 6, int(seconds * SAMPLE_RATE))), np.int16)


def test_two_hundred_calls_leave_nothing_behind(parts: ScreenerParts, tmp_path: Path) -> None:
    async def story() -> None:
        async with answering(parts, tmp_path) as rig:
            for number in range(200):
                call = await rig.ring(f"138{number:08d}")
                await rig.say(call, silence(0.4))
                if number % 5 == 4:
                    rig.board.put(CallLost(call))
                    await rig.settle()
                else:
                    await rig.hang_up(call)
                assert rig.service.calls == 0
            assert rig.service.unfinished == 0
            assert not rig.service._lost_on_arrival
            stored = rig.stored()
            assert len(stored) == 200
            assert all(
                each.call.ended_at is not None and each.call.answered_at is not None for each in stored
            )
            reasons = [each.call.end_reason for each in stored]
            assert reasons == ["lost" if number % 5 == 4 else "caller_hung_up" for number in range(200)]
            assert rig.writer.lost_writes == 0
            assert len(asyncio.all_tasks()) == 2, "the service and this test"

    play(story)


def test_a_caller_who_hangs_up_early_leaves_the_judgement_so_far(
    parts: ScreenerParts, tmp_path: Path, sentence: Samples
) -> None:
    async def story() -> None:
        async with answering(parts, tmp_path, Recognition("无抵押贷款月息低至三厘")) as rig:
            call = await rig.ring()
            await rig.say(call, sentence)
            await rig.hang_up(call)
            (detail,) = rig.stored()
            assert detail.call.end_reason == "caller_hung_up"
            assert detail.call.label is not None
            assert detail.call.unwanted is not None
            assert any(turn.speaker == "caller" for turn in detail.turns)
            assert any(item.source.startswith("patter") for item in detail.evidence)

    play(story)


def test_words_still_being_recognized_when_he_hangs_up_are_kept(
    parts: ScreenerParts, tmp_path: Path, sentence: Samples
) -> None:
    async def story() -> None:
        async with answering(parts, tmp_path, Recognition("我是物业请回电")) as rig:
            call = await rig.ring()
            rig.recognition.hold()
            await rig.say(call, sentence[: 3 * SAMPLE_RATE])
            await rig.hang_up(call)
            assert rig.service.calls == 0, "the line is free at once"
            assert rig.service.unfinished == 1
            assert rig.stored()[0].call.ended_at is None
            rig.recognition.release()
            await rig.settle()
            assert rig.service.unfinished == 0
            (detail,) = rig.stored()
            assert "我是物业请回电" in [turn.text for turn in detail.turns]
            assert detail.call.ended_at is not None

    play(story)


def test_the_last_words_of_a_message_are_part_of_it(
    parts: ScreenerParts, tmp_path: Path, sentence: Samples
) -> None:
    quiet_hours = replace(OPTIONS, policy=PolicyOptions(put_through=False, deadline=1.0))

    async def story() -> None:
        recognition = Recognition("喂你好", "请转告他明天下午三点开会")
        async with answering(parts, tmp_path, recognition, options=quiet_hours) as rig:
            call = await rig.ring()
            await rig.say(call, silence(2.0))
            await rig.say(call, sentence)
            rig.recognition.hold()
            await rig.say(call, sentence[: 4 * SAMPLE_RATE])
            await rig.hang_up(call)
            rig.recognition.release()
            await rig.settle()
            (message,) = rig.stored_messages()
            assert message.endswith("请转告他明天下午三点开会")
            assert rig.stored()[0].call.end_reason == "message_taken"

    play(story)


def test_all_that_a_notice_said_is_its_message(
    parts: ScreenerParts, tmp_path: Path, sentence: Samples
) -> None:
    said = ("您好您的快递已到丰巢快递柜", "取件码是六八二一请及时取件", "这是自动通知")

    async def story() -> None:
        async with answering(parts, tmp_path, Recognition(*said)) as rig:
            call = await rig.ring()
            for _ in said:
                await rig.say(call, sentence)
            await rig.say(call, silence(10.0))
            if call in rig.board.calls:
                await rig.hang_up(call)
            (detail,) = rig.stored()
            assert detail.call.label == "notice"
            assert detail.call.end_reason == "message_taken"
            (message,) = rig.stored_messages()
            assert message.split("\n")[: len(said)] == list(said)

    play(story)


def test_lists_decide_before_anything_is_heard(parts: ScreenerParts, tmp_path: Path) -> None:
    lists = (("allow", "13900000001"), ("deny", "13900000002"))

    async def story() -> None:
        async with answering(parts, tmp_path, lists=lists) as rig:
            allowed, denied = await rig.ring("13900000001"), await rig.ring("13900000002")
            assert [type(each) for each in rig.board.sent] == [Answer, Refer, Reject]
            assert rig.board.told(denied, Reject)[0].code == 603
            assert not rig.board.told(allowed, Play), "put through untouched"
            reasons = [each.call.end_reason for each in rig.stored()]
            assert reasons == ["forwarded", "rejected"]
            assert rig.service.calls == rig.service.unfinished == 0

    play(story)


def test_lists_in_the_store_count_and_outlive_it(
    parts: ScreenerParts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story() -> None:
        async with answering(parts, tmp_path) as rig:
            rig.store.put_list_entry(parse_entry("13900000002", "own", "deny"), utc_now())
            assert rig.board.told(await rig.ring("13900000002"), Reject)

            def gone(*_: object) -> None:
                raise StoreError("gone")

            monkeypatch.setattr(rig.store, "history", gone)
            monkeypatch.setattr(rig.store, "lists", gone)
            rig.clock.advance_to(rig.clock.now() + 60)
            assert rig.board.told(await rig.ring("13900000002"), Reject), "as it was read last"
            other = await rig.ring()
            assert rig.board.told(other, Answer)
            await rig.say(other, silence(0.5))
            assert rig.board.told(other, Play), "a caller is screened without the store"
            await rig.hang_up(other)

    play(story)


def test_a_store_that_does_not_answer_is_not_waited_for(
    parts: ScreenerParts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import threading  # noqa: PLC0415

    async def story() -> None:
        async with answering(parts, tmp_path) as rig:
            answered = threading.Event()
            monkeypatch.setattr(rig.store, "history", lambda *_: answered.wait(20))
            rig.service._known._patience = 0.05
            call = await rig.ring()
            for _ in range(100):
                if rig.board.told(call, Answer):
                    break
                await asyncio.sleep(0.02)
            assert rig.board.told(call, Answer)
            answered.set()
            await rig.hang_up(call)

    play(story)


@pytest.mark.parametrize("unsure", ["forward", "take_message"])
def test_more_calls_than_can_be_screened(
    parts: ScreenerParts, tmp_path: Path, sentence: Samples, unsure: Any
) -> None:
    options = replace(OPTIONS, policy=PolicyOptions(unsure=unsure))

    async def story() -> None:
        recognition = Recognition("我晚点再打来")
        async with answering(parts, tmp_path, recognition, options=options, most_screened=1) as rig:
            first, second = await rig.ring("13800000001"), await rig.ring("13800000002")
            await rig.say(first, silence(0.5))
            assert rig.board.told(first, Play)
            if unsure == "forward":
                assert not rig.board.told(second, Play)
                assert rig.board.told(second, Refer)
                assert second not in rig.board.calls
            else:
                await rig.say(second, sentence)
                await rig.say(second, silence(8))
                assert rig.stored_messages() == ["我晚点再打来"]
                assert not rig.board.told(second, Refer)
            await rig.hang_up(first)
            third = await rig.ring("13800000003")
            await rig.say(third, silence(0.5))
            assert rig.board.told(third, Play), "there is room again"
            await rig.hang_up(third)

    play(story)


@pytest.mark.parametrize("listed", [False, True], ids=["screened", "on the allow list"])
@pytest.mark.parametrize("target", ["sip:home@127.0.0.1", None], ids=["refused", "no target"])
def test_where_nobody_can_be_reached_a_message_is_taken(
    parts: ScreenerParts, tmp_path: Path, sentences: list[Samples], target: str | None, listed: bool
) -> None:
    lists = (("allow", NUMBER),) if listed else ()
    said = "请让他给我回电话"

    async def story() -> None:
        recognition = (
            Recognition(said) if listed else Recognition("喂你好", "我是他的同学小李", "周末聚会", said)
        )
        async with answering(parts, tmp_path, recognition, transfer=603, target=target, lists=lists) as rig:
            call = await rig.ring()
            for sentence in sentences[:6]:
                await rig.say(call, sentence)
            await rig.say(call, silence(10))
            assert bool(rig.board.told(call, Refer)) == (target is not None)
            assert call not in rig.board.calls, "the message is over, and so is the call"
            (message,) = rig.stored_messages()
            assert said in message
            assert rig.stored()[0].call.end_reason == "message_taken"
            assert rig.service.unfinished == 0

    play(story)


def test_broken_recognition_puts_the_caller_through(
    parts: ScreenerParts, tmp_path: Path, sentence: Samples
) -> None:
    async def story() -> None:
        recognition = Recognition("喂", RecognitionError("killed"))
        async with answering(parts, tmp_path, recognition) as rig:
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
    parts: ScreenerParts,
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
        async with answering(parts, tmp_path, transfer=transfer) as rig:
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
            assert reason == "forwarded" if transfer == 200 else reason is not None

    play(story)
    assert NUMBER not in caplog.text


def test_an_engine_that_breaks_once_is_replaced_to_take_the_message(
    parts: ScreenerParts, tmp_path: Path, sentence: Samples, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, engines = CallScreener.__init__, []

    def breaks_first(self: CallScreener, *arguments: Any) -> None:
        whole(self, *arguments)
        engines.append(self)
        if len(engines) == 1:
            monkeypatch.setattr(self, "next_event", explode)

    monkeypatch.setattr(CallScreener, "__init__", breaks_first)

    async def story() -> None:
        async with answering(parts, tmp_path, Recognition("请给我回电"), transfer=603) as rig:
            call = await rig.ring()
            await rig.say(call, silence(1))
            await rig.say(call, sentence)
            await rig.say(call, silence(8))
            assert rig.stored_messages() == ["请给我回电"]
            assert len(engines) == 2

    play(story)


def test_what_breaks_before_the_answer_leaves_nobody_ringing(
    parts: ScreenerParts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def story() -> None:
        async with answering(parts, tmp_path) as rig:
            monkeypatch.setattr(rig.service._known, "look_up", explode)
            call = await rig.ring()
            assert rig.board.told(call, Answer)
            assert rig.board.told(call, Refer)
            assert rig.stored()[0].call.end_reason == "forwarded"

    play(story)
    assert NUMBER not in caplog.text


def test_a_caller_who_gives_up_while_he_is_looked_up(parts: ScreenerParts, tmp_path: Path) -> None:
    async def story() -> None:
        async with answering(parts, tmp_path) as rig:
            incoming = IncomingCall(1, "127.0.0.1:5060", (("From", f"<sip:{NUMBER}@127.0.0.1>"),))
            for end, reason in ((CallEnded(1, 487, "", "remote"), "caller_hung_up"), (CallLost(1), "lost")):
                rig.board.put(incoming)
                rig.board.put(cast("SupervisorEvent", end))
                await rig.settle()
                assert not rig.board.told(1, Answer)
                assert rig.stored()[-1].call.end_reason == reason
            assert rig.service.unfinished == 0

    play(story)


def test_a_lost_call_is_put_straight_through_the_next_time(parts: ScreenerParts, tmp_path: Path) -> None:
    async def story() -> None:
        async with answering(parts, tmp_path) as rig:
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


def test_watching_never_touches_a_call(parts: ScreenerParts, tmp_path: Path) -> None:
    class Gone:
        def __getattr__(self, _name: str) -> Callable[..., None]:
            def broken(*_: object) -> None:
                raise BrokenPipeError

            return broken

    async def story() -> None:
        async with answering(parts, tmp_path, spectator=Spectator(cast("Any", Gone()))) as rig:
            call = await rig.ring()
            await rig.say(call, silence(1))
            assert rig.board.told(call, Play)
            assert not rig.board.told(call, Refer)
            await rig.hang_up(call)

    play(story)


def test_a_refused_registration_and_odd_events_do_not_end_the_service(
    parts: ScreenerParts, tmp_path: Path
) -> None:
    async def story() -> None:
        async with answering(parts, tmp_path) as rig:
            rig.board.put(RegistrationFailed(1, 403, "Forbidden", 30.0))
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


def test_calls_that_are_up_when_the_service_ends_are_written_down(
    parts: ScreenerParts, tmp_path: Path
) -> None:
    async def story() -> None:
        async with answering(parts, tmp_path) as rig:
            call = await rig.ring()
            await rig.say(call, silence(1))
        with Store(tmp_path / "calls.sqlite3") as store:
            (detail,) = store.calls()
        assert detail.call.end_reason == "lost"

    play(story)
