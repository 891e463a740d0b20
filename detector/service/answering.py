"""The answering service: takes calls from the SIP workers, has each of them screened, and keeps the store.

It owns nothing that a caller waits for: the store is asked for a moment and goes on without an answer, recognition
has deadlines, and where more calls come than can be screened the rest is put through.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from detector.call import CallInfo
from detector.errors import where
from detector.number_plan import NumberKind, classify
from detector.service.desk import CallDesk, Treatment
from detector.service.journal import Journal
from detector.service.known_numbers import KnownNumbers
from detector.service.live_call import LiveCall
from detector.sip.headers import call_info
from detector.sip.protocol import UNREACHED, Answer, IncomingCall, Registered, RegistrationFailed, Reject
from detector.sip.supervisor import CallLost, SipSupervisor, SupervisorEvent, WorkerLost
from detector.stores.writer import StoreWriter

__all__ = ["AnsweringOptions", "AnsweringService", "utc_now"]

log = logging.getLogger(__name__)

TEMPORARILY_UNAVAILABLE = 480
ON_THEIR_WAY_SECONDS = 0.3
"""How long an INVITE may take from the wire to here."""
WIND_UP_SECONDS = 5.0
"""How long the last words of calls are waited for when the service ends."""


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class AnsweringOptions:
    """Settings of the service."""

    keep_audio: bool = False
    most_screened: int = 16
    """Calls screened at once; further ones are put through unheard."""
    deny_code: int = 603
    """SIP answer to a number on the deny list ("Decline")."""


class AnsweringService:
    """Runs until its supervisor stops."""

    def __init__(
        self,
        supervisor: SipSupervisor,
        desk: CallDesk,
        writer: StoreWriter,
        known: KnownNumbers,
        options: AnsweringOptions,
        *,
        wall_clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._supervisor = supervisor
        self._desk = desk
        self._writer = writer
        self._known = known
        self._options = options
        self._wall_clock = wall_clock
        self._calls: dict[int, LiveCall] = {}
        self._unfinished: set[LiveCall] = set()
        self._all_finished = asyncio.Event()
        self._all_finished.set()
        self._arriving: dict[int, asyncio.Task[None]] = {}
        self._lost_on_arrival: set[int] = set()
        self._count = 0
        self._is_draining = False

    @property
    def calls(self) -> int:
        """Calls that are up now."""
        return len(self._calls)

    @property
    def unfinished(self) -> int:
        """Calls that are up or still being written down, and those that are being looked up."""
        return len(self._unfinished) + len(self._arriving)

    async def run(self) -> None:
        """Work off what the workers report, until the supervisor is stopped."""
        async for event in self._supervisor.events():
            try:
                self._receive(event)
            except Exception as error:  # noqa: BLE001 - one event must not end the service; calls have guards of their own
                log.error("an event could not be handled: %s", where(error))  # noqa: TRY400 - no traceback: privacy
        await self._wind_up()

    async def drain(self, patience: float) -> None:
        """Take no more calls, and have those that are up put through or leave a message, for `patience` seconds.

        Who is still on the line then is cut off by us, and known for it when he calls again.
        """
        self._is_draining = True
        if self._calls:
            count = f"{len(self._calls)} call{'' if len(self._calls) == 1 else 's'}"
            self._note(f"stopping: {count} first put through, or asked for a message; again to stop at once")
        try:
            for call in list(self._calls.values()):
                call.failed("stopping")
            async with asyncio.timeout(patience):
                await self._all_are_gone()
        except TimeoutError:
            log.warning("%d calls are cut off, for the service is stopped", len(self._calls))
        finally:
            for call in list(self._calls.values()):
                call.lost("the service is stopped")

    async def _all_are_gone(self) -> None:
        """Wait for the calls that are up, and answer those that were on their way to us as the stop came."""
        await asyncio.sleep(ON_THEIR_WAY_SECONDS)
        while self._arriving or self._unfinished:
            await asyncio.gather(*self._arriving.values(), return_exceptions=True)
            await self._all_finished.wait()

    def store_failed(self) -> None:
        """The store broke while calls are up: they go on without it."""
        self._desk.spectator.note("service", "the store takes no writes; calls go on without it")
        for call in self._calls.values():
            call.failed("store")

    def store_works(self, lost_writes: int) -> None:
        """The store takes writes again."""
        self._desk.spectator.note("service", f"the store works again; writes lost: {lost_writes}")

    def _receive(self, event: SupervisorEvent) -> None:
        match event:
            case IncomingCall():
                task = asyncio.get_running_loop().create_task(self._arrive(event))
                self._arriving[event.call] = task
                task.add_done_callback(lambda _task: self._arriving.pop(event.call, None))
            case CallLost():
                self._lost(event.call)
            case WorkerLost():
                self._note(f"a SIP worker ended (exit code {event.exit_code}) and is being replaced")
            case Registered():
                self._note("registered")
            case RegistrationFailed():
                self._note(f"{_why_not_registered(event)}; trying again in {event.retry_in:.0f} s")
            case _:
                self._pass_on(event)

    def _pass_on(self, event: SupervisorEvent) -> None:
        number = getattr(event, "call", None)
        call = self._calls.get(number) if isinstance(number, int) else None
        if call is None:
            return
        try:
            call.receive(event)  # type: ignore[arg-type]
        finally:
            if call.is_over:
                del self._calls[number]  # type: ignore[arg-type]

    def _lost(self, number: int) -> None:
        if (call := self._calls.pop(number, None)) is not None:
            call.lost("the SIP worker died")
        elif number in self._arriving:
            self._lost_on_arrival.add(number)

    async def _arrive(self, event: IncomingCall) -> None:
        """Look up the number and answer, decline or put through; whatever breaks here, he is put through."""
        info = CallInfo("")
        try:
            info = call_info(event.headers)
            known = await self._known.look_up(info.number)
            info = replace(info, history=known.history, tag=known.tag)
            if known.verdict == "deny":
                self._decline(event.call, info)
            elif self._is_draining:
                self._turn_away(event.call, info)
            else:
                self._take(event.call, info, self._treatment(is_allowed=known.verdict == "allow"))
        except Exception as error:  # noqa: BLE001 - nothing that breaks here may leave a caller ringing
            log.error("a call could not be looked up (%s); it is put through", where(error))  # noqa: TRY400
            if event.call not in self._calls:
                self._take(event.call, info, "unknown")

    def _treatment(self, *, is_allowed: bool) -> Treatment:
        if is_allowed:
            return "allowed"
        screened = sum(call.is_screened for call in self._calls.values())
        if screened < self._options.most_screened:
            return "screen"
        log.warning("%d calls are being screened; one more is put through unheard", screened)
        return "overload"

    def _take(self, number: int, info: CallInfo, treatment: Treatment) -> None:
        """Answer a call, unless it ended while we looked it up."""
        name, journal = self._begin(info, keep_audio=self._options.keep_audio and treatment != "allowed")
        if number in self._lost_on_arrival:
            self._lost_on_arrival.discard(number)
            journal.lost()
        elif number not in self._supervisor.calls:
            journal.ended("caller_hung_up")
        else:
            call = LiveCall(
                number,
                name,
                journal,
                self._desk,
                treatment=treatment,
                on_finished=lambda: self._finished(call),
            )
            self._calls[number] = call
            self._unfinished.add(call)
            self._all_finished.clear()
            self._desk.send(Answer(number, 200))

    def _begin(self, info: CallInfo, *, keep_audio: bool) -> tuple[str, Journal]:
        """Write a call down and show it; returns what the console calls it, and its journal."""
        self._count += 1
        name = f"#{self._count}"
        self._desk.spectator.call_started(name, *_presented(info.number))
        return name, Journal(info, self._writer, self._wall_clock, keep_audio=keep_audio)

    def _decline(self, number: int, info: CallInfo) -> None:
        self._lost_on_arrival.discard(number)
        name, journal = self._begin(info, keep_audio=False)
        self._desk.send(Reject(number, self._options.deny_code))
        journal.unheard("none", "on the deny list")
        journal.ended("rejected")
        self._desk.spectator.note(name, "on the deny list: declined")

    def _turn_away(self, number: int, info: CallInfo) -> None:
        """Leave a call to whoever else it rings at: the service is being stopped."""
        name, journal = self._begin(info, keep_audio=False)
        self._desk.send(Reject(number, TEMPORARILY_UNAVAILABLE))
        journal.lost()
        self._desk.spectator.note(name, "not answered: the service is being stopped")

    def _finished(self, call: LiveCall) -> None:
        self._unfinished.discard(call)
        if not self._unfinished:
            self._all_finished.set()

    async def _wind_up(self) -> None:
        """The workers are gone: write down every call that is still open."""
        await asyncio.gather(*self._arriving.values(), return_exceptions=True)
        for call in self._calls.values():
            call.lost("the SIP workers are gone")
        self._calls.clear()
        try:
            async with asyncio.timeout(WIND_UP_SECONDS):
                await self._all_finished.wait()
        except TimeoutError:
            log.warning("%d calls are ended without their last words", len(self._unfinished))
            for call in list(self._unfinished):
                call.give_up()

    def _note(self, text: str) -> None:
        self._desk.spectator.note("service", text)


def _why_not_registered(event: RegistrationFailed) -> str:
    if event.code == UNREACHED:
        return "the registrar does not answer, or its name is not known"
    return f"the registrar refused ({event.code} {event.reason})"


def _presented(number: str | None) -> tuple[str, str]:
    """Return a number in words, and what is known of its kind."""
    if number is None:
        return "a withheld number", ""
    found = classify(number)
    # A SIP user such as "agent" is presented, and has no place in a number plan.
    return number, "no telephone number" if found.kind is NumberKind.WITHHELD else found.display
