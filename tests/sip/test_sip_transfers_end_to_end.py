"""Putting calls through between real workers: REFER, a bridged second leg, and who may ask for it."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from detector.audio.frames import Samples
from detector.errors import SipError
from detector.sip.client import SipCaller
from detector.sip.protocol import (
    Bridge,
    Bridged,
    CallAnswered,
    CallEnded,
    HangUp,
    IncomingCall,
    PlaceCall,
    Ready,
    Refer,
    ReferReceived,
    TransferProgress,
)

pytestmark = pytest.mark.end_to_end

Options = Callable[..., Any]
Tone = Callable[[float, float], Samples]
Level = Callable[[Samples, float], float]


def test_refer_is_followed_and_the_call_let_go(
    agent: Any, loopback: Options, tone: Tone, tone_level: Level
) -> None:
    async def run() -> None:
        async with (
            agent(loopback()) as callee,
            agent(loopback(rtp_ports=(21000, 21999))) as owner,
            SipCaller(loopback(rtp_ports=(20000, 20999))) as caller,
        ):
            call = await caller.call(f"sip:agent@127.0.0.1:{await callee.port()}")
            await call.wait_answered()
            number = (await callee.event(CallAnswered)).call
            callee.send(Refer(number, f"sip:owner@127.0.0.1:{await owner.port()}"))
            put_through = await owner.event(CallAnswered)
            final = await callee.event(TransferProgress, final=True)
            assert final.code == 200
            assert (await callee.event(CallEnded)).cause == "transferred"
            new = None
            async for event in call.events():
                if isinstance(event, ReferReceived):
                    new = caller.transferred(event)
            assert new is not None
            await new.wait_answered(5)
            await new.send(tone(700.0, 1.0))
            await owner.until(lambda: tone_level(owner.heard(put_through.call)[-8000:], 700.0) > 0.9)

    asyncio.run(run())


def test_bridge_connects_two_legs_and_ends_with_either(
    agent: Any, loopback: Options, tone: Tone, tone_level: Level
) -> None:
    async def run() -> None:
        async with (
            agent(loopback(reserve_for_bridge=True, transfer_seconds=1.0)) as callee,
            agent(loopback(rtp_ports=(21000, 21999))) as owner,
            SipCaller(loopback(rtp_ports=(20000, 20999))) as caller,
        ):
            call = await caller.call(f"sip:agent@127.0.0.1:{await callee.port()}")
            await call.wait_answered()
            number = (await callee.event(CallAnswered)).call
            # A leg that nobody takes leaves the call with us.
            callee.send(Bridge(number, "sip:nobody@127.0.0.1:9"))
            assert (await callee.event(TransferProgress, final=True)).code == 408
            assert number in callee.supervisor.calls
            callee.seen.clear()
            callee.send(Bridge(number, f"sip:owner@127.0.0.1:{await owner.port()}"))
            await callee.event(Bridged)
            assert (await callee.event(TransferProgress, final=True)).code == 200
            put_through = (await owner.event(CallAnswered)).call
            await call.send(tone(700.0, 1.5))
            await owner.until(lambda: tone_level(owner.heard(put_through)[-8000:], 700.0) > 0.9)
            owner.send(HangUp(put_through))
            assert (await callee.event(CallEnded)).cause == "bridge"
            await call.wait_ended(5)

    asyncio.run(run())


def test_a_caller_who_hangs_up_while_he_is_put_through_is_no_failed_transfer(
    agent: Any, loopback: Options
) -> None:
    async def run() -> None:
        async with (
            agent(loopback(reserve_for_bridge=True)) as callee,
            SipCaller(loopback(rtp_ports=(20000, 20999))) as caller,
        ):
            call = await caller.call(f"sip:agent@127.0.0.1:{await callee.port()}")
            await call.wait_answered()
            number = (await callee.event(CallAnswered)).call
            callee.send(Bridge(number, "sip:nobody@127.0.0.1:9"))
            await asyncio.sleep(0.3)  # the transfer is on its way
            call.hang_up()
            assert (await callee.event(CallEnded)).cause == "remote"
            assert not [event for event in callee.seen if isinstance(event, TransferProgress) and event.final]

    asyncio.run(run())


def test_slots_are_kept_free_for_bridging(agent: Any, loopback: Options) -> None:
    async def run() -> None:
        async with (
            agent(loopback(max_calls=3, reserve_for_bridge=True)) as callee,
            SipCaller(loopback(rtp_ports=(20000, 20999))) as caller,
        ):
            ready: Ready = await callee.event(Ready)
            assert ready.max_calls == 1
            target = f"sip:agent@127.0.0.1:{ready.port}"
            first = await caller.call(target)
            await first.wait_answered()
            for _ in range(3):
                refused = await caller.call(target)
                with pytest.raises(SipError, match="486"):
                    await refused.wait_answered(5)
            first.hang_up()
            await callee.event(CallEnded)
            assert sum(isinstance(each, IncomingCall) for each in callee.seen) == 1
            again = await caller.call(target)
            await again.wait_answered()

    asyncio.run(run())


def test_a_stranger_cannot_refer_us(agent: Any, loopback: Options) -> None:
    async def run() -> None:
        async with (
            agent(loopback()) as callee,
            agent(loopback(rtp_ports=(21000, 21999))) as owner,
            agent(loopback(role="caller", rtp_ports=(20000, 20999))) as stranger,
        ):
            stranger.send(PlaceCall(1, f"sip:agent@127.0.0.1:{await callee.port()}"))
            number = (await stranger.event(CallAnswered)).call
            stranger.send(Refer(number, f"sip:premium@127.0.0.1:{await owner.port()}"))
            final = await stranger.event(TransferProgress, final=True)
            assert final.code == 603
            assert not [each for each in owner.seen if isinstance(each, IncomingCall)]

    asyncio.run(run())
