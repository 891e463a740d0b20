"""The answering service: takes calls from the SIP workers, has each of them screened, and keeps the store.

It owns nothing that a caller waits for: the store is asked for a moment and goes on without an answer, recognition
has deadlines, and where more calls come than can be screened the rest is put through.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from detector.call import CallInfo, NumberHistory
from detector.errors import DetectorError, StoreError, where
from detector.number_plan import classify
from detector.service.journal import Journal
from detector.service.live_call import CallDesk, LiveCall
from detector.sip.headers import call_info
from detector.sip.protocol import Answer, IncomingCall, Registered, RegistrationFailed, Reject
from detector.sip.supervisor import CallLost, SipSupervisor, SupervisorEvent, WorkerLost
from detector.stores.lists import Lists
from detector.stores.store import Store
from detector.stores.writer import StoreWriter

__all__ = ["AnsweringOptions", "AnsweringService", "utc_now"]

log = logging.getLogger(__name__)


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class AnsweringOptions:
    """Settings of the service."""

    keep_audio: bool = False
    most_screened: int = 16
    """Calls screened at once; further ones are put through untouched."""
    store_patience: float = 0.5
    """Seconds that an incoming call waits for what the store knows of its number."""
    deny_code: int = 603
    """SIP answer to a number on the deny list ("Decline")."""


class AnsweringService:
    """Runs until its supervisor stops."""

    def __init__(
        self,
        supervisor: SipSupervisor,
        desk: CallDesk,
        store: Store,
        writer: StoreWriter,
        lists: Callable[[], Lists],
        options: AnsweringOptions,
        *,
        wall_clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._supervisor = supervisor
        self._desk = desk
        self._store = store
        self._writer = writer
        self._lists = lists
        self._options = options
        self._wall_clock = wall_clock
        self._calls: dict[int, LiveCall] = {}
        self._arriving: set[asyncio.Task[None]] = set()
        self._count = 0

    @property
    def calls(self) -> int:
        """Calls that are up now."""
        return len(self._calls)

    async def run(self) -> None:
        """Work off what the workers report, until the supervisor is stopped."""
        async for event in self._supervisor.events():
            try:
                self._receive(event)
            except Exception as error:  # noqa: BLE001 - one event must not end the service; calls have guards of their own
                log.error("an event could not be handled: %s", where(error))  # noqa: TRY400 - no traceback: privacy

    def store_failed(self) -> None:
        """The store broke while calls are up: they go on without it."""
        for call in self._calls.values():
            call.failed("store")

    def _receive(self, event: SupervisorEvent) -> None:
        match event:
            case IncomingCall():
                task = asyncio.get_running_loop().create_task(self._arrive(event))
                self._arriving.add(task)
                task.add_done_callback(self._arriving.discard)
            case CallLost():
                if (call := self._calls.pop(event.call, None)) is not None:
                    call.lost()
            case WorkerLost():
                self._note(f"a SIP worker ended (exit code {event.exit_code}) and is being replaced")
            case Registered():
                self._note("registered")
            case RegistrationFailed():
                self._note(f"the registrar refused ({event.code} {event.reason}); trying again")
            case _:
                self._pass_on(event)

    def _pass_on(self, event: SupervisorEvent) -> None:
        number = getattr(event, "call", None)
        call = self._calls.get(number) if isinstance(number, int) else None
        if call is None:
            return
        call.receive(event)  # type: ignore[arg-type]
        if call.is_over:
            del self._calls[number]  # type: ignore[arg-type]

    async def _arrive(self, event: IncomingCall) -> None:
        """Look up the number and answer, decline or put through."""
        info = call_info(event.headers)
        entry = self._find(info)
        if entry == "deny":
            self._declined(event.call, info)
            return
        screened = entry != "allow"
        if screened and len(self._calls) >= self._options.most_screened:
            log.warning("%d calls are being screened; one more is put through unheard", len(self._calls))
            screened = False
        info = await self._with_history(info)
        self._count += 1
        name = f"#{self._count}"
        journal = Journal(info, self._writer, self._wall_clock, keep_audio=self._options.keep_audio)
        if self._desk.console is not None:
            number = classify(info.number)
            self._desk.console.call_started(name, info.number or "a withheld number", number.display)
        if event.call not in self._supervisor.calls:
            journal.ended("caller_hung_up")  # while we looked him up
            return
        self._calls[event.call] = LiveCall(event.call, name, journal, self._desk, screened=screened)
        self._desk.send(Answer(event.call, 200))

    def _find(self, info: CallInfo) -> str | None:
        """What the lists say of the number; a broken list says nothing."""
        try:
            entry = self._lists().find(info.number)
        except DetectorError as error:
            log.error("the lists cannot be asked: %s", error)  # noqa: TRY400 - one line, no traceback
            return None
        return entry.verdict if entry is not None else None

    async def _with_history(self, info: CallInfo) -> CallInfo:
        """Add what the store knows of the number, if it answers in time."""
        try:
            history = await asyncio.wait_for(
                asyncio.to_thread(self._store.history, info.number, self._wall_clock()),
                self._options.store_patience,
            )
        except (StoreError, TimeoutError) as error:
            log.error("the history of a number is not known: %s", type(error).__name__)  # noqa: TRY400
            history = NumberHistory()
        return replace(info, history=history)

    def _declined(self, call: int, info: CallInfo) -> None:
        journal = Journal(info, self._writer, self._wall_clock, keep_audio=False)
        self._desk.send(Reject(call, self._options.deny_code))
        journal.ended("rejected")
        self._note("a call from a number on the deny list was declined")

    def _note(self, text: str) -> None:
        if self._desk.console is not None:
            self._desk.console.note("service", text)
