"""Messages: whatever a caller said since he was asked for one is kept, and who said nothing is told so."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from detector.audio.frames import SAMPLE_RATE, Samples
from detector.decision.policy import PolicyOptions
from detector.dialogue.acts import Act
from detector.dialogue.prompts import PromptLibrary
from detector.errors import RecognitionError
from detector.screener import ScreenerOptions
from detector.sip.protocol import (
    Play,
    Refer,
)

NUMBER = "13811220457"
OPTIONS = ScreenerOptions(languages=("zh",))
PROMPTS = PromptLibrary.load()


def spoken_last(rig: Any, call: int) -> Act:
    """What the agent said last in a call."""
    path = rig.board.told(call, Play)[-1].path
    return next(each.act for each in PROMPTS.prompts if str(each.path) == path)


def test_the_last_words_of_a_message_are_part_of_it(
    answering: Any, hears: Any, tmp_path: Path, sentence: Samples, silence: Callable[[float], Samples]
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

    asyncio.run(story())


@pytest.mark.parametrize("heard", ["", RecognitionError("killed")], ids=["nothing", "broken"])
@pytest.mark.parametrize("hangs_up", [False, True])
def test_who_spoke_has_left_a_message_though_not_a_word_was_recognized(
    answering: Any,
    hears: Any,
    tmp_path: Path,
    sentence: Samples,
    heard: str | Exception,
    hangs_up: bool,
    silence: Callable[[float], Samples],
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

    asyncio.run(story())


def test_of_a_caller_who_says_nothing_no_message_is_kept_and_he_is_told_so(
    answering: Any, tmp_path: Path, sentence: Samples, silence: Callable[[float], Samples]
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

    asyncio.run(story())


def test_all_that_a_notice_said_is_its_message(
    answering: Any, hears: Any, tmp_path: Path, sentence: Samples, silence: Callable[[float], Samples]
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

    asyncio.run(story())


@pytest.mark.parametrize("listed", [False, True], ids=["screened", "on the allow list"])
@pytest.mark.parametrize("target", ["sip:home@127.0.0.1", None], ids=["refused", "no target"])
def test_where_nobody_can_be_reached_a_message_is_taken(
    answering: Any,
    hears: Any,
    tmp_path: Path,
    sentences: list[Samples],
    target: str | None,
    listed: bool,
    silence: Callable[[float], Samples],
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

    asyncio.run(story())
