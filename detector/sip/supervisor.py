"""Keeps SIP workers running for a service.

Each worker is a process with its own port. One that dies takes its calls with it: the service hears
CallLost for each, then WorkerLost, and a new worker takes its place after a pause that doubles with every
death in a row. One that gives no sign of life is killed and treated the same.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self

from detector.clock import Clock, SystemClock
from detector.errors import DetectorError, SipError
from detector.sip.options import SipOptions
from detector.sip.process import WorkerProcess
from detector.sip.protocol import (
    UNREACHED,
    Alive,
    CallEnded,
    CallPlaced,
    Command,
    Configure,
    Event,
    IncomingCall,
    PlaceCall,
    ReferReceived,
    RegistrationFailed,
    Shutdown,
)

__all__ = ["CallLost", "SipSupervisor", "SupervisorEvent", "WorkerLost"]

_log = logging.getLogger(__name__)

FIRST_PAUSE: Final = 0.2
"""Seconds before a dead worker is replaced; doubled with each death in a row."""
LONGEST_PAUSE: Final = 30.0
STEADY_SECONDS: Final = 60.0
"""A worker that lived so long did not die of how it was started."""
SILENT_SECONDS: Final = 10.0
"""Without a sign of life for so long a worker is hung."""
MOST_WAITING: Final = 4096
"""Events; twenty seconds of four calls."""


@dataclass(frozen=True, slots=True)
class CallLost:
    """The worker that held this call died."""

    call: int


@dataclass(frozen=True, slots=True)
class WorkerLost:
    """A worker died unasked; it is being replaced."""

    worker: int
    exit_code: int
    """Negative: the number of the signal that killed it."""


SupervisorEvent = Event | CallLost | WorkerLost


@dataclass(slots=True)
class _Place:
    """Where a worker belongs: its settings, and the process that has it now."""

    options: SipOptions
    process: WorkerProcess | None = None
    last_sign: float = 0.0


class SipSupervisor:
    """Starts workers and passes commands and events. One consumer reads `events`."""

    def __init__(
        self,
        workers: Sequence[SipOptions],
        *,
        clock: Clock | None = None,
        silent_seconds: float = SILENT_SECONDS,
    ) -> None:
        self._places = [_Place(options) for options in workers]
        self._clock = clock or SystemClock()
        self._silent_seconds = silent_seconds
        self._events: asyncio.Queue[SupervisorEvent | None] = asyncio.Queue()
        self._calls: dict[int, _Place] = {}
        self._keepers: list[asyncio.Task[None]] = []
        self._launched = 0
        self._paused = False

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        await self.stop()

    @property
    def calls(self) -> frozenset[int]:
        """The calls that are not over."""
        return frozenset(self._calls)

    @property
    def pids(self) -> tuple[int, ...]:
        """Process ids of the workers that run now."""
        return tuple(place.process.pid for place in self._places if place.process is not None)

    async def start(self) -> None:
        """Start every worker.

        Where one cannot, all are stopped and its PortInUse, ConfigurationError or SipError is raised.
        """
        results = await asyncio.gather(*map(self._launch, self._places), return_exceptions=True)
        failures = [each for each in results if isinstance(each, BaseException)]
        if failures:
            await self.stop()
            raise failures[0]
        self._keepers = [asyncio.create_task(self._keep(place)) for place in self._places]

    async def stop(self) -> None:
        """End every call and worker, within two seconds; `events` then ends."""
        for keeper in self._keepers:
            keeper.cancel()
        await asyncio.gather(*self._keepers, return_exceptions=True)
        running = [place.process for place in self._places if place.process is not None]
        await asyncio.gather(*(process.stop() for process in running))
        for place in self._places:
            place.process = None
        self._events.put_nowait(None)

    async def events(self) -> AsyncIterator[SupervisorEvent]:
        """Yield what happens, until the supervisor is stopped. A slow reader loses audio and nothing else."""
        while (event := await self._events.get()) is not None:
            yield event
            if self._paused and self._events.qsize() < MOST_WAITING // 2:
                self._pause(paused=False)

    def send(self, command: Command) -> None:
        """Send a command to the worker of its call; where the call is over it is dropped.

        PlaceCall goes to the worker with the fewest calls. Raises SipError where no worker runs.
        """
        if isinstance(command, Configure | Shutdown):
            raise TypeError(f"{type(command).__name__} is the supervisor's own business")
        place = self._least_busy() if isinstance(command, PlaceCall) else self._calls.get(command.call)
        if place is not None and place.process is not None:
            place.process.send(command)

    def _least_busy(self) -> _Place:
        busy = list(self._calls.values())
        running = [place for place in self._places if place.process is not None]
        if not running:
            raise SipError("No SIP worker is running: try again in a moment.")
        return min(running, key=busy.count)

    async def _launch(self, place: _Place) -> None:
        self._launched += 1
        number = self._launched
        place.last_sign = self._clock.now()
        place.process = await WorkerProcess.launch(
            number, place.options, lambda event: self._receive(place, event)
        )

    async def _keep(self, place: _Place) -> None:
        pause = FIRST_PAUSE
        while True:
            if place.process is not None:
                began = self._clock.now()
                await self._watch(place, place.process)
                if self._clock.now() - began >= STEADY_SECONDS:
                    pause = FIRST_PAUSE
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)
            try:
                await self._launch(place)
            except (DetectorError, OSError) as error:
                _log.error("A SIP worker cannot be restarted, next try in %.1f s: %s", pause, error)

    async def _watch(self, place: _Place, process: WorkerProcess) -> None:
        """Wait for the end of a process, killing it where it hangs, and tell what was lost."""
        end = asyncio.create_task(process.ended())
        try:
            while not (await asyncio.wait({end}, timeout=self._silent_seconds / 4))[0]:
                if self._clock.now() - place.last_sign > self._silent_seconds:
                    _log.error("SIP worker %d gives no sign of life and is killed.", process.number)
                    process.kill()
        except asyncio.CancelledError:
            end.cancel()
            raise
        place.process = None
        lost = [call for call, its in self._calls.items() if its is place]
        code = end.result()
        _log.error("SIP worker %d died with %d calls (exit code %d).", process.number, len(lost), code)
        for call in lost:
            del self._calls[call]
            self._events.put_nowait(CallLost(call))
        self._events.put_nowait(WorkerLost(process.number, code))

    def _receive(self, place: _Place, event: Event) -> None:
        place.last_sign = self._clock.now()
        match event:
            case IncomingCall(call=call) | CallPlaced(call=call) | ReferReceived(new_call=call):
                self._calls[call] = place
            case CallEnded(call=call):
                self._calls.pop(call, None)
            case RegistrationFailed(code=code, retry_in=retry_in):
                what = "does not answer" if code == UNREACHED else f"refused with {code}"
                _log.warning("The registrar %s; next try in %.0f s.", what, retry_in)
            case Alive():
                return
            case _:
                pass
        self._events.put_nowait(event)
        if not self._paused and self._events.qsize() > MOST_WAITING:
            self._pause(paused=True)

    def _pause(self, *, paused: bool) -> None:
        self._paused = paused
        for place in self._places:
            if place.process is not None:
                place.process.pause(paused=paused)
