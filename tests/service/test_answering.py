"""The service: no call leaks, lists and overload are kept to, and nothing said is lost."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from detector.audio.frames import SAMPLE_RATE, Samples
from detector.decision.policy import PolicyOptions
from detector.dialogue.acts import Act
from detector.dialogue.prompts import PromptLibrary
from detector.errors import RecognitionError, StoreError
from detector.screener import ScreenerOptions
from detector.service.answering import utc_now
from detector.service.spectator import Spectator
from detector.sip.protocol import (
    Answer,
    Play,
    Refer,
    Reject,
)
from detector.sip.supervisor import CallLost
from detector.stores.lists import parse_entry, parse_tagged

NUMBER = "13811220457"
OPTIONS = ScreenerOptions(languages=("zh",))
PROMPTS = PromptLibrary.load()


def play(story: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(story())


def silence(seconds: float) -> Samples:
    return np.asarray(np.rint(np.random.default_rng(2).normal(0, 6, int(seconds * SAMPLE_RATE))), np.int16)


def spoken_last(rig: Any, call: int) -> Act:
    """What the agent said last in a call."""
    path = rig.board.told(call, Play)[-1].path
    return next(each.act for each in PROMPTS.prompts if str(each.path) == path)


def test_two_hundred_calls_leave_nothing_behind(answering: Any, tmp_path: Path) -> None:
    async def story() -> None:
        async with answering(tmp_path) as rig:
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
    answering: Any, hears: Any, tmp_path: Path, sentence: Samples
) -> None:
    async def story() -> None:
        async with answering(tmp_path, hears("无抵押贷款月息低至三厘")) as rig:
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
    answering: Any, hears: Any, tmp_path: Path, sentence: Samples
) -> None:
    async def story() -> None:
        async with answering(tmp_path, hears("我是物业请回电")) as rig:
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
    answering: Any, hears: Any, tmp_path: Path, sentence: Samples
) -> None:
    quiet_hours = replace(OPTIONS, policy=PolicyOptions(put_through=False, deadline=1.0))

    async def story() -> None:
        recognition = hears("喂你好", "请转告他明天下午三点开会")
        async with answering(tmp_path, recognition, options=quiet_hours) as rig:
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


@pytest.mark.parametrize("heard", ["", RecognitionError("killed")], ids=["nothing", "broken"])
@pytest.mark.parametrize("hangs_up", [False, True])
def test_who_spoke_has_left_a_message_though_not_a_word_was_recognized(
    answering: Any, hears: Any, tmp_path: Path, sentence: Samples, heard: str | Exception, hangs_up: bool
) -> None:
    quiet_hours = replace(OPTIONS, policy=PolicyOptions(put_through=False, deadline=1.0))

    async def story() -> None:
        async with answering(tmp_path, hears(heard), options=quiet_hours) as rig:
            call = await rig.ring()
            await rig.say(call, silence(2.0))
            await rig.say(call, sentence)
            if hangs_up:
                await rig.hang_up(call)
            else:
                await rig.say(call, silence(10.0))
                assert spoken_last(rig, call) is Act.MESSAGE_TAKEN
            assert rig.stored_messages() == ["(not transcribed)"]
            assert rig.stored()[0].call.end_reason == "message_taken"

    play(story)


def test_of_a_caller_who_says_nothing_no_message_is_kept_and_he_is_told_so(
    answering: Any, tmp_path: Path, sentence: Samples
) -> None:
    quiet_hours = replace(OPTIONS, policy=PolicyOptions(put_through=False, deadline=8.0))

    async def story() -> None:
        async with answering(tmp_path, options=quiet_hours) as rig:
            call = await rig.ring()
            await rig.say(call, sentence)  # before he was asked for a message: it is none
            await rig.say(call, silence(30.0))
            assert call not in rig.board.calls
            assert spoken_last(rig, call) is Act.NO_MESSAGE
            assert rig.stored_messages() == []
            assert rig.stored()[0].call.end_reason == "no_message"

    play(story)


def test_all_that_a_notice_said_is_its_message(
    answering: Any, hears: Any, tmp_path: Path, sentence: Samples
) -> None:
    said = ("您好您的快递已到丰巢快递柜", "取件码是六八二一请及时取件", "这是自动通知")

    async def story() -> None:
        async with answering(tmp_path, hears(*said)) as rig:
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


def test_lists_decide_before_anything_is_heard(answering: Any, tmp_path: Path) -> None:
    lists = (("allow", "13900000001"), ("deny", "13900000002"))

    async def story() -> None:
        async with answering(tmp_path, lists=lists) as rig:
            allowed, denied = await rig.ring("13900000001"), await rig.ring("13900000002")
            assert [type(each) for each in rig.board.sent] == [Answer, Refer, Reject]
            assert rig.board.told(denied, Reject)[0].code == 603
            assert not rig.board.told(allowed, Play), "put through untouched"
            ends = [(each.call.end_reason, each.call.reason) for each in rig.stored()]
            assert ends == [("forwarded", "on the allow list"), ("rejected", "on the deny list")]
            assert rig.service.calls == rig.service.unfinished == 0

    play(story)


def test_lists_in_the_store_count_and_outlive_it(
    answering: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story() -> None:
        async with answering(tmp_path) as rig:
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


def test_a_tag_set_while_the_service_runs_counts_in_the_next_call(answering: Any, tmp_path: Path) -> None:
    async def story() -> None:
        async with answering(tmp_path) as rig:
            await rig.hang_up(await rig.ring())
            rig.store.put_list_entry(parse_tagged(f"{NUMBER} loan", "own"), utc_now())
            rig.clock.advance_to(rig.clock.now() + 60)
            call = await rig.ring()
            await rig.say(call, silence(0.5))
            await rig.hang_up(call)
            earlier, later = rig.stored()
            assert "number.tag" in {piece.source for piece in later.evidence}
            assert "number.tag" not in {piece.source for piece in earlier.evidence}

    play(story)


def test_a_store_that_does_not_answer_is_not_waited_for(
    answering: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import threading  # noqa: PLC0415

    async def story() -> None:
        async with answering(tmp_path) as rig:
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
    answering: Any, hears: Any, tmp_path: Path, sentence: Samples, unsure: Any
) -> None:
    options = replace(OPTIONS, policy=PolicyOptions(unsure=unsure))

    async def story() -> None:
        recognition = hears("我晚点再打来")
        async with answering(tmp_path, recognition, options=options, most_screened=1) as rig:
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
    answering: Any,
    hears: Any,
    tmp_path: Path,
    sentences: list[Samples],
    target: str | None,
    listed: bool,
) -> None:
    lists = (("allow", NUMBER),) if listed else ()
    said = "请让他给我回电话"

    async def story() -> None:
        recognition = hears(said) if listed else hears("喂你好", "我是他的同学小李", "周末聚会", said)
        async with answering(tmp_path, recognition, transfer=603, target=target, lists=lists) as rig:
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


@pytest.mark.parametrize(
    ("presented", "shown"),
    [
        ("02160953318", ("02160953318", "landline, Shanghai")),
        ("agent", ("agent", "no telephone number")),
        ("anonymous", ("a withheld number", "")),
    ],
)
def test_a_caller_is_shown_by_what_he_presents(
    answering: Any, tmp_path: Path, presented: str, shown: tuple[str, str]
) -> None:
    started: list[tuple[str, str]] = []

    class Watching(Spectator):
        def call_started(self, call: str, number: str, about: str) -> None:
            started.append((number, about))

    async def story() -> None:
        async with answering(tmp_path, spectator=Watching()) as rig:
            await rig.hang_up(await rig.ring(presented))

    play(story)
    assert started == [shown]
