"""The service: no call leaks, lists and overload are kept to, and nothing said is lost."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from detector.audio.frames import SAMPLE_RATE, Samples
from detector.decision.policy import PolicyOptions
from detector.errors import StoreError
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


def test_two_hundred_calls_leave_nothing_behind(
    answering: Any, tmp_path: Path, silence: Callable[[float], Samples]
) -> None:
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

    asyncio.run(story())


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

    asyncio.run(story())


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

    asyncio.run(story())


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

    asyncio.run(story())


def test_lists_in_the_store_count_and_outlive_it(
    answering: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, silence: Callable[[float], Samples]
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

    asyncio.run(story())


def test_a_tag_set_while_the_service_runs_counts_in_the_next_call(
    answering: Any, tmp_path: Path, silence: Callable[[float], Samples]
) -> None:
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

    asyncio.run(story())


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

    asyncio.run(story())


@pytest.mark.parametrize("unsure", ["forward", "take_message"])
def test_more_calls_than_can_be_screened(
    answering: Any,
    hears: Any,
    tmp_path: Path,
    sentence: Samples,
    unsure: Any,
    silence: Callable[[float], Samples],
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

    asyncio.run(story())


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

    asyncio.run(story())
    assert started == [shown]
