"""A calling party over real SIP, for test callers: places calls, talks, listens, follows REFER.

    async with SipCaller(options) as caller:
        call = await caller.call("sip:agent@127.0.0.1", number="13800138000")
        await call.wait_answered()
        await call.send(samples)
        async for frame in call.frames(): ...

It uses one worker like the answering side, in the role of a caller.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from types import TracebackType
from typing import Final, Self

import numpy as np

from detector.audio.frames import SAMPLE_RATE, Frame, Samples
from detector.errors import SipError
from detector.sip.options import SipOptions
from detector.sip.protocol import (
    Audio,
    AudioSent,
    CallAnswered,
    CallEnded,
    CallPlaced,
    Command,
    DropAudio,
    HangUp,
    PlaceCall,
    PlaceFailed,
    ReferReceived,
    SendAudio,
    SendDtmf,
)
from detector.sip.supervisor import CallLost, SipSupervisor, SupervisorEvent, WorkerLost

__all__ = ["CallerCall", "SipCaller"]

AHEAD_SAMPLES: Final = SAMPLE_RATE // 2
"""How much may wait in the worker: half a second outlasts a busy moment of ours."""
CHUNK_SAMPLES: Final = 1600
KEPT_FRAMES: Final = 6000
"""Two minutes of 20 ms; a listener further behind loses the oldest."""
PLACE_SECONDS: Final = 10.0
ANSWER_SECONDS: Final = 60.0


class CallerCall:
    """One call that we placed, or that a REFER made us place."""

    def __init__(self, call: int, supervisor: SipSupervisor) -> None:
        self.call = call
        self._supervisor = supervisor
        self._events: asyncio.Queue[SupervisorEvent | None] = asyncio.Queue()
        self._frames: asyncio.Queue[Frame | None] = asyncio.Queue()
        self._changed = asyncio.Condition()
        self._given = 0
        self._gone = 0
        self.answered: CallAnswered | None = None
        self.ended: CallEnded | CallLost | None = None

    async def wait_answered(self, within: float = ANSWER_SECONDS) -> CallAnswered:
        """Wait for media to run; raises SipError where the call is refused, lost or not answered in time."""
        await self._until(lambda: self.answered is not None or self.ended is not None, within, "answered")
        if self.answered is None:
            code = self.ended.code if isinstance(self.ended, CallEnded) else None
            raise SipError(f"The call was refused with {code}." if code else "The call was lost.")
        return self.answered

    async def wait_ended(self, within: float) -> CallEnded | CallLost:
        """Wait for the end, at most for `within` seconds; raises SipError after that."""
        await self._until(lambda: self.ended is not None, within, "ended")
        assert self.ended is not None  # noqa: S101 - awaited
        return self.ended

    async def send(self, samples: Samples) -> None:
        """Say something (int16, shape (n,), mono, 8 kHz).

        Returns when all but the last half second was sent.
        """
        data = samples.astype("<i2").tobytes()
        for start in range(0, len(data), 2 * CHUNK_SAMPLES):
            if self.ended is not None:
                return
            chunk = data[start : start + 2 * CHUNK_SAMPLES]
            self._given += len(chunk) // 2
            self._send(SendAudio(self.call, chunk))
            await self._until_waiting(AHEAD_SAMPLES)

    async def drain(self) -> None:
        """Wait until everything said has gone out, or the call has ended."""
        await self._until_waiting(0)

    def drop(self) -> None:
        """Fall silent: forget what has not gone out."""
        self._send(DropAudio(self.call))

    def send_dtmf(self, digits: str, method: str = "rfc2833") -> None:
        self._send(SendDtmf(self.call, digits, method))

    def hang_up(self) -> None:
        self._send(HangUp(self.call))

    async def frames(self) -> AsyncIterator[Frame]:
        """Yield what is heard, 20 ms at a time, until the call ends."""
        while (frame := await self._frames.get()) is not None:
            yield frame
        self._frames.put_nowait(None)

    async def events(self) -> AsyncIterator[SupervisorEvent]:
        """Yield what happens besides audio, the end of the call last."""
        while (event := await self._events.get()) is not None:
            yield event
        self._events.put_nowait(None)

    async def receive(self, event: SupervisorEvent) -> None:
        """Take an event of this call from the caller's reader."""
        if isinstance(event, Audio):
            self._hear(event)
            return
        async with self._changed:
            match event:
                case AudioSent(sent=sent):
                    self._gone = sent
                case CallAnswered():
                    self.answered = event
                case CallEnded() | CallLost():
                    self.ended = event
                case _:
                    pass
            self._changed.notify_all()
        if not isinstance(event, AudioSent):
            self._events.put_nowait(event)
        if self.ended is not None:
            self._events.put_nowait(None)
            self._frames.put_nowait(None)

    def _hear(self, event: Audio) -> None:
        if self._frames.qsize() >= KEPT_FRAMES:
            self._frames.get_nowait()
        samples = np.frombuffer(event.samples, "<i2").astype(np.int16)
        self._frames.put_nowait(Frame(samples, event.media_time))

    def _send(self, command: Command) -> None:
        self._supervisor.send(command)

    async def _until_waiting(self, most: int) -> None:
        async with self._changed:
            await self._changed.wait_for(
                lambda: self.ended is not None or self._given - self._gone <= most,
            )

    async def _until(self, reached: Callable[[], bool], within: float, what: str) -> None:
        try:
            async with asyncio.timeout(within), self._changed:
                await self._changed.wait_for(reached)
        except TimeoutError as error:
            raise SipError(f"The call was not {what} within {within:.0f} s.") from error


class SipCaller:
    """Places calls from one worker; see the module's docstring."""

    def __init__(self, options: SipOptions) -> None:
        self._supervisor = SipSupervisor([replace(options, role="caller")])
        self._calls: dict[int, CallerCall] = {}
        self._placing: dict[int, asyncio.Future[CallerCall]] = {}
        self._requests = 0
        self._reader: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Start the worker; raises PortInUse, ConfigurationError or SipError."""
        await self._supervisor.start()
        self._reader = asyncio.create_task(self._read())
        return self

    async def __aexit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        await self._supervisor.stop()
        if self._reader is not None:
            await self._reader

    async def call(
        self,
        target: str,
        *,
        number: str = "",
        display_name: str = "",
        headers: tuple[tuple[str, str], ...] = (),
    ) -> CallerCall:
        """Place a call to a SIP address and return it while it rings.

        Raises SipError where it cannot be placed.
        """
        self._requests += 1
        request = self._requests
        placing: asyncio.Future[CallerCall] = asyncio.get_running_loop().create_future()
        self._placing[request] = placing
        try:
            self._supervisor.send(PlaceCall(request, target, number, display_name, headers))
            async with asyncio.timeout(PLACE_SECONDS):
                return await placing
        except TimeoutError as error:
            raise SipError("The SIP worker did not place the call in time.") from error
        finally:
            del self._placing[request]

    def transferred(self, event: ReferReceived) -> CallerCall:
        """Return the call that a REFER made."""
        return self._calls[event.new_call]

    async def _read(self) -> None:
        async for event in self._supervisor.events():
            match event:
                case CallPlaced(request=request, call=number):
                    call = self._calls[number] = CallerCall(number, self._supervisor)
                    if request in self._placing:
                        self._placing[request].set_result(call)
                case PlaceFailed(request=request, reason=reason) if request in self._placing:
                    placing = self._placing[request]
                    if not placing.done():
                        placing.set_exception(SipError(f"The call could not be placed: {reason}"))
                case ReferReceived(new_call=number):
                    self._calls[number] = CallerCall(number, self._supervisor)
                    await self._pass_on(event)
                case WorkerLost():
                    for placing in self._placing.values():
                        if not placing.done():
                            placing.set_exception(SipError("The SIP worker died while placing the call."))
                case _:
                    await self._pass_on(event)
        for call in list(self._calls.values()):
            await self._pass_on(CallLost(call.call))

    async def _pass_on(self, event: SupervisorEvent) -> None:
        number = getattr(event, "call", None)
        call = self._calls.get(number) if number is not None else None
        if call is None:
            return
        await call.receive(event)
        if call.ended is not None:
            del self._calls[call.call]
