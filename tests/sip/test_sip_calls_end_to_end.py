"""Calls between two real workers: media both ways, prompts, digits, limits."""

import asyncio
import os
import signal
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Any

import numpy as np
import pytest

from detector.audio.frames import Frame, Samples
from detector.errors import SipError
from detector.sip.client import CallerCall, SipCaller
from detector.sip.headers import call_info
from detector.sip.protocol import (
    Answer,
    AudioSent,
    CallAnswered,
    CallEnded,
    CallProgress,
    DropAudio,
    Dtmf,
    HangUp,
    IncomingCall,
    PlaceCall,
    Play,
    PromptEnded,
    PromptFailed,
    PromptStarted,
    Reject,
    SendAudio,
    StopPlaying,
)

pytestmark = pytest.mark.end_to_end

Options = Callable[..., Any]
Tone = Callable[[float, float], Samples]
Level = Callable[[Samples, float], float]


async def listen(call: CallerCall, seconds: float) -> Samples:
    """Hear a call for so long."""
    pieces: list[Samples] = []
    frame: Frame
    async with asyncio.timeout(10):
        async for frame in call.frames():
            pieces.append(frame.samples)
            if sum(map(len, pieces)) >= seconds * 8000:
                break
    return np.concatenate(pieces)


def test_media_flows_both_ways(
    agent: Any, loopback: Options, tone: Tone, tone_level: Level, prompt_file: Callable[[float, float], str]
) -> None:
    async def run() -> None:
        async with agent(loopback()) as callee, SipCaller(loopback(rtp_ports=(20000, 20999))) as caller:
            target = f"sip:agent@127.0.0.1:{await callee.port()}"
            headers = (("P-Asserted-Identity", "<tel:+8613800138000>"), ("Diversion", "<sip:1001@pbx>"))
            call = await caller.call(target, number="13800138000", display_name="张三", headers=headers)
            await call.wait_answered()
            answered = await callee.event(CallAnswered)
            incoming = await callee.event(IncomingCall)
            info = call_info(incoming.headers)
            assert (info.number, info.display_name) == ("13800138000", "张三")
            assert (info.asserted_number, info.diverted_from) == ("+8613800138000", "1001")
            assert incoming.source.startswith("127.0.0.1:")
            assert answered.codec == "PCMA"

            # The prompt is heard by the caller, from its start to its end.
            callee.send(Play(answered.call, 5, prompt_file(440.0, 1.0)))
            heard = await listen(call, 1.4)
            loud = heard[np.abs(heard) > 1000]
            assert tone_level(heard, 440.0) > 0.9
            assert 0.6 < len(loud) / 8000 < 1.05
            started = await callee.event(PromptStarted, prompt=5)
            ended = await callee.event(PromptEnded, prompt=5)
            assert not ended.cut
            assert 0.9 < (ended.position - started.position) / 8000 < 1.3

            # What the caller says arrives, in order and without a gap.
            await call.send(tone(1000.0, 1.0))
            await call.drain()
            await callee.until(lambda: tone_level(callee.heard(answered.call)[-8000:], 1000.0) > 0.9)
            positions = [each.position for each in callee.audio[answered.call]]
            assert positions == list(range(0, 160 * len(positions), 160))
            assert {len(each.samples) for each in callee.audio[answered.call]} == {320}

            call.send_dtmf("5")
            call.send_dtmf("#", "info")
            assert (await callee.event(Dtmf, digit="5")).method == "rfc2833"
            assert (await callee.event(Dtmf, digit="#")).method == "info"

            call.hang_up()
            assert (await callee.event(CallEnded)).cause == "remote"
            ended_here = await call.wait_ended(5)
            assert isinstance(ended_here, CallEnded)
            assert ended_here.cause == "command"
            assert not callee.supervisor.calls

    asyncio.run(run())


def test_prompts_are_cut_replaced_and_refused(
    agent: Any, loopback: Options, prompt_file: Callable[[float, float], str], tmp_path: Any
) -> None:
    async def run() -> None:
        async with agent(loopback()) as callee, SipCaller(loopback(rtp_ports=(20000, 20999))) as caller:
            call = await caller.call(f"sip:agent@127.0.0.1:{await callee.port()}")
            await call.wait_answered()
            number = (await callee.event(CallAnswered)).call
            path = prompt_file(440.0, 5.0)
            callee.send(Play(number, 1, path))
            await callee.event(PromptStarted, prompt=1)
            callee.send(Play(number, 2, path))
            assert (await callee.event(PromptEnded, prompt=1)).cut
            await callee.event(PromptStarted, prompt=2)
            callee.send(StopPlaying(number))
            assert (await callee.event(PromptEnded, prompt=2)).cut
            callee.send(Play(number, 3, str(tmp_path / "missing.wav")))
            await callee.event(PromptFailed, prompt=3)
            (tmp_path / "broken.wav").write_bytes(b"RIFF no audio")
            callee.send(Play(number, 4, str(tmp_path / "broken.wav")))
            await callee.event(PromptFailed, prompt=4)
            # Twenty short ones in a row: players come and go while the bridge runs.
            short = prompt_file(300.0, 0.04)
            for prompt in range(10, 30):
                callee.send(Play(number, prompt, short))
                await callee.event(PromptEnded, prompt=prompt)
            callee.send(Play(number, 40, path))
            await callee.event(PromptStarted, prompt=40)
            callee.send(HangUp(number))
            assert (await callee.event(PromptEnded, prompt=40)).cut
            assert (await callee.event(CallEnded)).cause == "command"

    asyncio.run(run())


def test_ringing_early_media_and_refusal(agent: Any, loopback: Options) -> None:
    async def run() -> None:
        async with (
            agent(loopback(ring_seconds=3.0), answers=False) as callee,
            SipCaller(loopback(rtp_ports=(20000, 20999))) as caller,
        ):
            target = f"sip:agent@127.0.0.1:{await callee.port()}"
            call = await caller.call(target)
            number = (await callee.event(IncomingCall)).call
            for code in (180, 183, 200):
                callee.send(Answer(number, code))
            await call.wait_answered(5)
            call.hang_up()
            codes = [event.code async for event in call.events() if isinstance(event, CallProgress)]
            assert codes == [180, 183]

            refused = await caller.call(target)
            await callee.until(lambda: sum(isinstance(e, IncomingCall) for e in callee.seen) == 2)
            callee.send(Reject([e.call for e in callee.seen if isinstance(e, IncomingCall)][-1], 603))
            with pytest.raises(SipError, match="603"):
                await refused.wait_answered(5)

            # Nobody decides about the third.
            forgotten = await caller.call(target)
            with pytest.raises(SipError, match="480"):
                await forgotten.wait_answered(8)
            assert (await callee.event(CallEnded, code=480)).cause == "time_limit"

    asyncio.run(run())


def test_the_fifth_call_is_busy(agent: Any, loopback: Options) -> None:
    async def run() -> None:
        async with AsyncExitStack() as stack:
            callee = await stack.enter_async_context(agent(loopback()))
            ready = callee.seen
            target = f"sip:agent@127.0.0.1:{await callee.port()}"
            most = ready[0].max_calls
            callers = [
                await stack.enter_async_context(
                    SipCaller(loopback(rtp_ports=(20000 + 1000 * n, 20999 + 1000 * n)))
                )
                for n in range(2)
            ]
            calls = [await callers[n % 2].call(target) for n in range(most)]
            for call in calls:
                await call.wait_answered()
            extra = await callers[0].call(target)
            with pytest.raises(SipError, match="486"):
                await extra.wait_answered(5)
            calls[0].hang_up()
            await calls[0].wait_ended(5)
            await callee.event(CallEnded)
            again = await callers[0].call(target)
            await again.wait_answered(5)
            with pytest.raises(SipError, match="no SIP address"):
                await callers[0].call("nonsense")

    asyncio.run(run())


def test_a_call_without_media_is_ended(agent: Any, loopback: Options) -> None:
    async def run() -> None:
        async with (
            agent(loopback(rtp_timeout=2.5)) as callee,
            agent(loopback(role="caller", rtp_ports=(20000, 20999))) as caller,
        ):
            caller.send(PlaceCall(1, f"sip:agent@127.0.0.1:{await callee.port()}"))
            number = (await callee.event(CallAnswered)).call
            # Silent, yet alive: packets keep coming.
            await asyncio.sleep(3.2)
            assert number in callee.supervisor.calls
            (pid,) = caller.supervisor.pids
            os.kill(pid, signal.SIGSTOP)
            try:
                assert (await callee.event(CallEnded, call=number)).cause == "rtp_dead"
            finally:
                os.kill(pid, signal.SIGCONT)

    asyncio.run(run())


def test_time_is_limited(agent: Any, loopback: Options) -> None:
    async def run() -> None:
        async with (
            agent(loopback(max_call_seconds=1.0)) as callee,
            SipCaller(loopback(rtp_ports=(20000, 20999))) as caller,
        ):
            call = await caller.call(f"sip:agent@127.0.0.1:{await callee.port()}")
            await call.wait_answered()
            assert (await callee.event(CallEnded)).cause == "time_limit"

    asyncio.run(run())


def test_what_was_said_is_accounted_for(agent: Any, loopback: Options, tone: Tone) -> None:
    async def run() -> None:
        async with (
            agent(loopback()) as callee,
            agent(loopback(role="caller", rtp_ports=(20000, 20999))) as caller,
        ):
            caller.send(PlaceCall(1, f"sip:agent@127.0.0.1:{await callee.port()}"))
            number = (await caller.event(CallAnswered)).call
            data = tone(500.0, 1.0).tobytes()
            for start in range(0, len(data), 1000):
                caller.send(SendAudio(number, data[start : start + 1000]))
            await caller.event(AudioSent, queued=0, sent=8000)
            caller.send(SendAudio(number, data))
            caller.send(DropAudio(number))
            await caller.event(AudioSent, sent=16000)

    asyncio.run(run())
